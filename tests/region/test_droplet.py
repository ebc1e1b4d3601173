"""The droplets' programs, run: against real filesystems, real keys, and an API on loopback that behaves as DigitalOcean's."""

import datetime
import hashlib
import http.server
import json
import os
import re
import subprocess
import tarfile
import threading

import pytest

from conftest import MANIFESTS

DROPLET = MANIFESTS / "droplet"


@pytest.fixture
def stub(tmp_path):
    """Puts programs before the real ones; each notes how it was called in `calls`."""
    directory = tmp_path / "stubs"
    directory.mkdir()
    calls = tmp_path / "calls"
    calls.touch()

    def make(name, body=""):
        file = directory / name
        file.write_text(f'#!/bin/sh\necho "{name} $*" >> {calls}\n{body}\n')
        file.chmod(0o755)

    make.calls = lambda: calls.read_text().splitlines()
    make.environment = {**os.environ, "PATH": f"{directory}:{os.environ['PATH']}"}
    return make


def run(program, *arguments, environment, stdin=None):
    return subprocess.run([program, *map(str, arguments)], env=environment, input=stdin, capture_output=True, text=True, timeout=120)


# === mount-volume ===


@pytest.fixture
def volume(tmp_path, stub):
    """A volume that is a file: blkid and mkfs.xfs are the real ones, only mounting is not."""
    mounted = tmp_path / "mounted"
    (tmp_path / "devices").mkdir()
    device = tmp_path / "devices" / "scsi-0DO_Volume_clickhouse-fra1"
    with device.open("wb") as file:
        file.truncate(400 * 2**20)
    stub("systemctl")
    stub("mount", f"touch {mounted}")
    stub("mountpoint", f"test -e {mounted}")
    stub("xfs_growfs")
    (tmp_path / "fstab").touch()
    environment = {**stub.environment, "DEVICES": str(tmp_path / "devices"), "FSTAB": str(tmp_path / "fstab"), "WAIT_SECONDS": "2"}
    return device, lambda: run(DROPLET / "mount-volume", "clickhouse-fra1", tmp_path / "srv", environment=environment)


def kind(device):
    return subprocess.run(["blkid", "--probe", "--match-tag", "TYPE", "--output", "value", device], capture_output=True, text=True).stdout.strip()


def test_an_empty_volume_is_formatted_once_and_mounted_by_its_name(volume, tmp_path, stub):
    device, mount = volume
    first = mount()
    assert first.returncode == 0, first.stderr
    assert kind(device) == "xfs"
    content = hashlib.sha256(device.read_bytes()).digest()
    again = mount()
    assert again.returncode == 0, again.stderr
    assert hashlib.sha256(device.read_bytes()).digest() == content, "formatted a second time"
    (line,) = (tmp_path / "fstab").read_text().splitlines()
    assert line.split()[:3] == [str(device), str(tmp_path / "srv"), "xfs"] and "nofail" in line
    assert f"xfs_growfs {tmp_path}/srv" in stub.calls()


@pytest.mark.parametrize(("content", "probed"), [("ext4", 0), ("both", 8)])
def test_what_is_not_known_to_be_empty_is_left_alone(volume, tmp_path, content, probed, stub):
    device, mount = volume
    subprocess.run(["mkfs.ext4", "-q", "-F", device], check=True)
    if content == "both":
        # Two superblocks, at different places: blkid cannot tell which holds.
        other = tmp_path / "other"
        with other.open("wb") as file:
            file.truncate(400 * 2**20)
        subprocess.run(["mkfs.xfs", "-q", other], check=True)
        with device.open("r+b") as file:
            file.write(other.open("rb").read(512))
    assert subprocess.run(["blkid", "--probe", device], capture_output=True).returncode == probed
    # mkfs.xfs would refuse by itself; this must not come to it.
    stub("mkfs.xfs")
    before = hashlib.sha256(device.read_bytes()).digest()
    result = mount()
    assert result.returncode == 1 and "left untouched" in result.stderr
    assert hashlib.sha256(device.read_bytes()).digest() == before
    assert not any(call.startswith(("mount ", "mkfs.xfs")) for call in stub.calls())


def test_a_volume_that_never_comes_is_waited_for_and_no_longer(volume, stub):
    device, mount = volume
    device.unlink()
    result = mount()
    assert result.returncode == 1 and "did not appear within 2 s" in result.stderr
    assert stub.calls() == []


# === add-repository, fetch-archive ===


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Two keys and, armoured in one file, both of them: what a URL that somebody took over would serve."""
    home = tmp_path_factory.mktemp("gnupg")
    home.chmod(0o700)
    gpg = ["gpg", "--batch", "--quiet", "--homedir", home]
    for name in ("vendor", "intruder"):
        subprocess.run([*gpg, "--passphrase", "", "--quick-generate-key", f"{name}@example.com", "ed25519", "sign", "never"], check=True, capture_output=True)
    listing = subprocess.run([*gpg, "--list-keys", "--with-colons"], check=True, capture_output=True, text=True).stdout
    vendor, intruder = re.findall(r"(?m)^fpr:+([0-9A-F]{40}):", listing)
    file = home / "keys.asc"
    file.write_text(subprocess.run([*gpg, "--armor", "--export"], check=True, capture_output=True, text=True).stdout)
    yield file.as_uri(), vendor, intruder
    subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False)


def add_repository(tmp_path, url, fingerprints):
    (tmp_path / "sources").mkdir(exist_ok=True)
    environment = {**os.environ, "KEYRINGS": str(tmp_path / "keyrings"), "SOURCES": str(tmp_path / "sources")}
    return run(DROPLET / "add-repository", "vendor", url, fingerprints, "https://apt.example.com/ stable main", environment=environment)


def test_only_the_named_keys_are_trusted(keys, tmp_path):
    url, vendor, intruder = keys
    result = add_repository(tmp_path, url, f"{vendor},{'0' * 40}")
    assert result.returncode == 0, result.stderr
    keyring = tmp_path / "keyrings" / "vendor.gpg"
    trusted = subprocess.run(["gpg", "--batch", "--show-keys", "--with-colons", keyring], capture_output=True, text=True).stdout
    assert vendor in trusted and intruder not in trusted
    source = (tmp_path / "sources" / "vendor.list").read_text()
    assert source == f"deb [arch=amd64 signed-by={keyring}] https://apt.example.com/ stable main\n"


@pytest.mark.parametrize("fingerprints", ["0" * 40, "8919F6BD2B48D754", ""])
def test_a_repository_without_its_key_is_not_added(keys, tmp_path, fingerprints):
    result = add_repository(tmp_path, keys[0], fingerprints)
    assert result.returncode == 1
    assert list((tmp_path / "sources").iterdir()) == [] and not (tmp_path / "keyrings" / "vendor.gpg").exists()


@pytest.fixture
def archive(tmp_path):
    file = tmp_path / "release.tar.gz"
    for name in ("vmauth-prod", "other"):
        (tmp_path / name).write_text(name)
    with tarfile.open(file, "w:gz") as tar:
        for name in ("vmauth-prod", "other"):
            tar.add(tmp_path / name, name)
    (tmp_path / "installed").mkdir()
    return file


def test_an_archive_is_installed_only_with_the_sum_that_was_given(archive, tmp_path):
    good = hashlib.sha256(archive.read_bytes()).hexdigest()
    for checksum, names, message in [
        ("f" * 64, ["vmauth-prod"], "nothing was installed"), ("", ["vmauth-prod"], "not a SHA-256 sum"), (good, ["absent"], "lacks one of"),
    ]:
        result = run(DROPLET / "fetch-archive", archive.as_uri(), checksum, tmp_path / "installed", *names, environment=os.environ)
        assert result.returncode == 1 and message in result.stderr
        assert list((tmp_path / "installed").iterdir()) == []
    result = run(DROPLET / "fetch-archive", archive.as_uri(), good, tmp_path / "installed", "vmauth-prod", environment=os.environ)
    assert result.returncode == 0, result.stderr
    assert [file.name for file in (tmp_path / "installed").iterdir()] == ["vmauth-prod"]


# === Snapshots ===


class DigitalOcean:
    """The part of the API that snapshots need: tokens with scopes, pages, errors."""

    def __init__(self):
        self.snapshots = {}
        self.requests = []
        self.fails = None
        self.page = 3
        # What somebody wants to know at the time of each request, and what it was.
        self.observe = None
        self.observed = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self, status, body=None):
                data = b"" if body is None else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def handle_request(self):
                path, _, query = self.path.partition("?")
                outer.requests.append(f"{self.command} {self.path}")
                if outer.observe:
                    outer.observed.append((self.command, outer.observe()))
                token = self.headers["Authorization"]
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if outer.fails:
                    return self.answer(outer.fails, {"id": "server_error", "message": "it is not your day"})
                allowed = {"Bearer token-that-makes": ("POST", "GET"), "Bearer token-that-deletes": ("DELETE", "GET")}
                if self.command not in allowed.get(token, ()):
                    return self.answer(403, {"id": "forbidden", "message": "You are missing the required permission"})
                if self.command == "POST":
                    request = json.loads(body)
                    snapshot = outer.add(path.split("/")[3], request["name"], request["tags"], 0)
                    return self.answer(201, {"snapshot": snapshot})
                if self.command == "DELETE":
                    return self.answer(204 if outer.snapshots.pop(path.rsplit("/", 1)[1], None) else 404)
                if path == "/v2/snapshots":
                    number = int(re.search(r"[?&]page=(\d+)", "?" + query).group(1))
                    found = list(outer.snapshots.values())
                    part = found[(number - 1) * outer.page:number * outer.page]
                    pages = {"next": "there is one"} if number * outer.page < len(found) else {}
                    return self.answer(200, {"snapshots": part, "links": {"pages": pages}, "meta": {"total": len(found)}})
                snapshot = outer.snapshots.get(path.rsplit("/", 1)[1])
                return self.answer(200, {"snapshot": snapshot}) if snapshot else self.answer(404, {"message": "not found"})

            do_GET = do_POST = do_DELETE = handle_request

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def add(self, volume, name, tags, age_hours):
        created = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=age_hours)
        snapshot = {
            "id": f"{len(self.snapshots):08x}-{name}", "name": name, "resource_id": volume, "resource_type": "volume", "tags": tags,
            "created_at": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        self.snapshots[snapshot["id"]] = snapshot
        return snapshot


@pytest.fixture
def api():
    server = DigitalOcean()
    yield server
    server.server.shutdown()


@pytest.fixture
def snapshot(api, stub, credentials, tmp_path):
    stub("fsfreeze")
    environment = {
        **stub.environment, "DIGITALOCEAN_API": api.url, "CREDENTIALS_DIRECTORY": str(credentials / "clickhouse"), "VOLUME_ID": "v-1",
        "SNAPSHOT_NAME": "clickhouse-fra1", "VOLUME_DIRECTORY": str(tmp_path), "REGION": "fra1",
    }
    return environment, lambda: run(DROPLET / "snapshot-volume", environment=environment)


def freezes(stub):
    return [call.split()[1] for call in stub.calls() if call.startswith("fsfreeze")]


def test_a_snapshot_is_made_of_a_frozen_volume(snapshot, api, stub):
    _, make = snapshot
    api.observe = lambda: freezes(stub)[-1]
    result = make()
    assert result.returncode == 0, result.stderr
    (made,) = api.snapshots.values()
    assert made["resource_id"] == "v-1" and re.fullmatch(r"clickhouse-fra1-\d{8}t\d{6}z", made["name"])
    assert made["tags"] == ["telemetry-snapshot", "telemetry-fra1", "volume:clickhouse-fra1"]
    # Frozen while it is made, and no longer: not while it is read back.
    assert api.observed == [("POST", "--freeze"), ("GET", "--unfreeze")]
    assert "token-that-makes" not in result.stdout + result.stderr


@pytest.mark.parametrize("status", [401, 422, 429, 500])
def test_a_snapshot_that_fails_is_a_failure_and_leaves_nothing_frozen(snapshot, api, stub, status):
    api.fails = status
    result = snapshot[1]()
    assert result.returncode == 1 and str(status) in result.stderr and "it is not your day" in result.stderr
    assert freezes(stub)[-1] == "--unfreeze"


def test_an_api_that_is_not_there_is_a_failure_and_leaves_nothing_frozen(snapshot, stub):
    environment, make = snapshot
    environment["DIGITALOCEAN_API"] = "http://127.0.0.1:9"
    result = make()
    assert result.returncode == 1 and "000" in result.stderr
    assert freezes(stub)[-1] == "--unfreeze"


def test_no_snapshot_is_made_of_a_volume_that_does_not_freeze(snapshot, api, stub):
    stub("fsfreeze", "exit 1")
    assert snapshot[1]().returncode == 1
    assert api.snapshots == {}


@pytest.fixture
def prune(api, stub, credentials, tmp_path):
    stub("report-metrics", f"cat > {tmp_path}/metrics")
    environment = {
        **stub.environment, "DIGITALOCEAN_API": api.url, "CREDENTIALS_DIRECTORY": str(credentials / "vector_agg"), "REGION": "fra1",
        "SNAPSHOT_VOLUMES": "clickhouse-fra1,victoriametrics-fra1", "SNAPSHOTS_KEPT": "3",
    }
    return environment, lambda: run(DROPLET / "prune-snapshots", environment=environment)


def fill(api, volume, ages, tags=None):
    names = []
    for age in ages:
        names.append(f"{volume}-{age}")
        api.add("v", names[-1], tags or ["telemetry-snapshot", "telemetry-fra1", f"volume:{volume}"], age)
    return names


def test_the_newest_are_kept_and_nothing_of_anybody_else(prune, api, tmp_path):
    fill(api, "clickhouse-fra1", [97, 1, 73, 25, 49])
    fill(api, "victoriametrics-fra1", [2, 26])
    others = fill(api, "clickhouse-ams3", [1, 500, 1000, 2000], ["telemetry-snapshot", "telemetry-ams3", "volume:clickhouse-fra1"])
    others += fill(api, "by-hand", [900, 901, 902, 903], ["volume:clickhouse-fra1", "telemetry-fra1"])
    others += fill(api, "untagged", [900, 901, 902, 903], [])
    result = prune[1]()
    assert result.returncode == 0, result.stderr
    assert sorted(item["name"] for item in api.snapshots.values()) == sorted(
        [*others, "clickhouse-fra1-1", "clickhouse-fra1-25", "clickhouse-fra1-49", "victoriametrics-fra1-2", "victoriametrics-fra1-26"]
    )
    metrics = (tmp_path / "metrics").read_text()
    assert 'starform_region_snapshots{volume="clickhouse-fra1"} 3' in metrics
    newest = int(re.search(r'starform_region_snapshot_timestamp_seconds\{volume="victoriametrics-fra1"\} (\d+)', metrics).group(1))
    assert abs(newest - (datetime.datetime.now().timestamp() - 7200)) < 60


@pytest.mark.parametrize("ages", [[60, 84, 108, 132, 156], []])
def test_nothing_is_deleted_when_no_new_ones_are_made(prune, api, ages):
    fill(api, "clickhouse-fra1", ages)
    fill(api, "victoriametrics-fra1", [1, 25, 49, 73])
    result = prune[1]()
    assert result.returncode == 1 and "clickhouse-fra1: the newest snapshot is" in result.stderr
    assert len([name for name in api.snapshots if "clickhouse" in name]) == len(ages)
    assert len([name for name in api.snapshots if "victoriametrics" in name]) == 3, "the other volume's are still its business"


def test_who_makes_snapshots_cannot_delete_them(prune, api, credentials):
    fill(api, "clickhouse-fra1", [1, 25, 49, 73])
    fill(api, "victoriametrics-fra1", [1])
    environment, run_ = prune
    directory = credentials / "stolen"
    directory.mkdir(exist_ok=True)
    (directory / "prune-token").write_text((credentials / "clickhouse" / "snapshot-token").read_text())
    environment["CREDENTIALS_DIRECTORY"] = str(directory)
    result = run_()
    assert result.returncode == 1 and "could not be deleted" in result.stderr
    assert len(api.snapshots) == 5


@pytest.mark.parametrize("kept", ["0", "1", "-3", "all", ""])
def test_a_senseless_number_to_keep_is_refused(prune, api, kept):
    fill(api, "clickhouse-fra1", [1, 25, 49, 73])
    environment, run_ = prune
    environment["SNAPSHOTS_KEPT"] = kept
    if kept == "":
        del environment["SNAPSHOTS_KEPT"]
        fill(api, "victoriametrics-fra1", [1])
        assert run_().returncode == 0 and len(api.snapshots) == 5, "the default keeps more than there are"
        return
    assert run_().returncode == 1 and api.requests == []


# === Credentials ===


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
    # The other end: what is sent to the droplet is run here, in a directory of its own.
    stub("ssh", f'shift; exec sh -c "$(printf %s "$*" | sed s#/srv/clickhouse#{target}#g)"')
    result = run(MANIFESTS / "credentials", "deliver", credentials, "clickhouse", "192.0.2.1", environment=stub.environment)
    delivered = {file.name for file in (target / "credentials").iterdir()}
    if mounted:
        assert result.returncode == 0, result.stderr
        assert delivered == {file.name for file in (credentials / "clickhouse").iterdir()} | {"complete"}
        assert (target / "credentials" / "tls.crt").read_text() == (credentials / "clickhouse" / "tls.crt").read_text()
        assert all(file.stat().st_mode & 0o077 == 0 for file in (target / "credentials").iterdir())
    else:
        assert result.returncode == 1 and delivered == {"tls.crt"}


@pytest.mark.parametrize(("result", "expected"), [("success", 1), ("exit-code", 0), ("timeout", 0)])
def test_every_job_reports_how_it_ended(stub, credentials, tmp_path, result, expected):
    stub("report-metrics", f"cat > {tmp_path}/metrics")
    environment = {**stub.environment, "CREDENTIALS_DIRECTORY": str(credentials / "clickhouse"), "SERVICE_RESULT": result}
    assert run(DROPLET / "report-job", "volume-snapshot.service", environment=environment).returncode == 0
    metrics = (tmp_path / "metrics").read_text()
    assert f'starform_region_job_success{{job_name="volume-snapshot"}} {expected}\n' in metrics
    assert ("last_success" in metrics) == bool(expected)
    end = int(re.search(r"certificate_end_timestamp_seconds (\d+)", metrics).group(1))
    assert 390 * 86400 < end - datetime.datetime.now().timestamp() < 398 * 86400
