"""The operator's program for certificates and passwords, and how they reach a droplet."""

import os
import subprocess

import pytest

from conftest import MANIFESTS, run


def test_each_certificate_is_its_hosts_and_each_password_its_own(credentials):
    for droplet, host in [("clickhouse", "clickhouse"), ("victoriametrics", "victoriametrics"), ("vector_agg", "vector")]:
        verify = ["openssl", "verify", "-CAfile", credentials / "clusters" / "ca.crt", "-purpose", "sslserver"]
        certificate = credentials / droplet / "tls.crt"
        assert subprocess.run([*verify, "-verify_hostname", f"{host}.fra1.telemetry.example.com", certificate], capture_output=True).returncode == 0
        assert subprocess.run([*verify, "-verify_hostname", "other.fra1.telemetry.example.com", certificate], capture_output=True).returncode != 0
    passwords = [file.read_text() for file in (credentials / "passwords").iterdir()]
    assert len(set(passwords)) == len(passwords)
    for file in credentials.rglob("*"):
        if file.is_file() and file.parent.name != "stolen":
            assert file.stat().st_mode & 0o077 == 0 or file.name.endswith("-token"), f"{file} is readable by others"
    # What ClickHouse has is sums; what clusters and readers have is their own.
    assert (credentials / "passwords" / "vector").read_text().strip() not in (credentials / "clickhouse" / "users.env").read_text()
    assert {file.name for file in (credentials / "clusters").iterdir()} == {"ca.crt", "fluent-bit-password", "vmagent-password"}


def test_made_again_nothing_changes_and_renewed_only_certificates_do(credentials, tmp_path):
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-a", credentials, copy], check=True)

    def content():
        return {str(file.relative_to(copy)): file.read_bytes() for file in copy.rglob("*") if file.is_file()}

    before = content()
    assert run(MANIFESTS / "credentials", "make", copy, "fra1", "telemetry.example.com", environment=os.environ).returncode == 0
    assert content() == before
    assert run(MANIFESTS / "credentials", "renew", copy, "fra1", "telemetry.example.com", environment=os.environ).returncode == 0
    changed = {name for name, value in content().items() if value != before[name]}
    assert changed == {f"{droplet}/tls.{end}" for droplet in ("clickhouse", "victoriametrics", "vector_agg") for end in ("crt", "key")}


def test_credentials_want_two_tokens(tmp_path):
    result = run(MANIFESTS / "credentials", "make", tmp_path, "fra1", "telemetry.example.com", environment=os.environ)
    assert result.returncode == 1 and "snapshot-token is missing" in result.stderr
    for name in ("snapshot-token", "prune-token"):
        (tmp_path / name).write_text("the same")
    result = run(MANIFESTS / "credentials", "make", tmp_path, "fra1", "telemetry.example.com", environment=os.environ)
    assert result.returncode == 1 and "are the same" in result.stderr


@pytest.mark.parametrize("mounted", [True, False])
def test_credentials_are_delivered_to_the_volume_or_nowhere(credentials, stub, tmp_path, mounted):
    target = tmp_path / "srv"
    (target / "credentials").mkdir(parents=True)
    (target / "credentials" / "tls.crt").write_text("old")
    stub("mountpoint", "exit 0" if mounted else "exit 1")
    stub("systemctl")
    # The other end: what is sent to the droplet is run here, in a directory of its own.
    stub("ssh", f'shift; exec sh -c "$(printf %s "$*" | sed s#/srv/clickhouse#{target}#g)"')
    result = run(MANIFESTS / "credentials", "deliver", credentials, "clickhouse", "192.0.2.1", environment=stub.environment)
    delivered = {file.name for file in (target / "credentials").iterdir()}
    if mounted:
        assert result.returncode == 0, result.stderr
        assert delivered == {file.name for file in (credentials / "clickhouse").iterdir()} | {"complete", "delivered"}
        assert (target / "credentials" / "tls.crt").read_text() == (credentials / "clickhouse" / "tls.crt").read_text()
        assert all(file.stat().st_mode & 0o077 == 0 for file in (target / "credentials").iterdir())
        assert "systemctl start telemetry.target" in stub.calls()
    else:
        assert result.returncode == 1 and delivered == {"tls.crt"}
        assert not any(call.startswith("systemctl") for call in stub.calls())
