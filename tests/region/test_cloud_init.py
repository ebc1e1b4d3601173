"""What the droplets are made of: user data that cloud-init takes, programs, units and configurations that fit together."""

import json
import re
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import yaml
from yamllint import linter
from yamllint.config import YamlLintConfig

from conftest import MANIFESTS

DROPLETS = ("clickhouse", "victoriametrics", "vector_agg")
DIRECTORIES = {"clickhouse": "/srv/clickhouse", "victoriametrics": "/srv/victoriametrics", "vector_agg": "/srv/vector"}
# DigitalOcean takes no more.
USER_DATA_BYTES = 64 * 1024
UNITS = "/etc/systemd/system/"
# Units of packages, to which ours are drop-ins, as far as verifying needs them.
PACKAGED = ("clickhouse-server", "vector")


@pytest.fixture(scope="session")
def user_data(terraform):
    return terraform.evaluate("local.user_data")


def units(files, droplet):
    """The droplet's units, each with its drop-ins: name -> [(key, value)] in order."""
    found = {}
    for path, content in files[droplet].items():
        if not path.startswith(UNITS):
            continue
        name = path.removeprefix(UNITS).split("/")[0].removesuffix(".d")
        content = re.sub(r"(?m)^[#;].*\n", "", content).replace("\\\n", " ")
        found.setdefault(name, []).extend(re.findall(r"(?m)^([A-Za-z]+)=(.*)$", content))
    return found


@pytest.mark.parametrize("droplet", DROPLETS)
def test_cloud_init_accepts_the_user_data(user_data, droplet, tmp_path):
    file = tmp_path / "user-data"
    file.write_text(user_data[droplet])
    result = subprocess.run(["cloud-init", "schema", "--config-file", file], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stdout + result.stderr
    assert len(user_data[droplet].encode()) <= USER_DATA_BYTES


@pytest.mark.parametrize("droplet", DROPLETS)
def test_the_user_data_carries_every_file_as_it_is(user_data, files, droplet):
    config = yaml.safe_load(user_data[droplet])
    assert {entry["path"]: entry["content"] for entry in config["write_files"]} == files[droplet]
    for entry in config["write_files"]:
        assert entry["owner"] == "root:root"
        assert entry["permissions"] == ("0755" if entry["content"].startswith("#!") else "0644"), entry["path"]
    assert config["runcmd"] == [["/usr/local/sbin/install-telemetry"]]
    assert config["ssh_pwauth"] is False


@pytest.mark.parametrize("droplet", DROPLETS)
def test_no_secret_is_in_the_user_data(user_data, credentials, droplet):
    secrets = [file.read_text().strip() for file in (credentials / "passwords").iterdir()]
    assert len(secrets) == 8
    for secret in [*secrets, "token-that-makes", "token-that-deletes"]:
        assert secret not in user_data[droplet]
    assert "PRIVATE KEY" not in user_data[droplet]
    assert not re.search(r"(?i)(password|token|secret)\w*['\"]?\s*[:=]\s*['\"]?[0-9a-f]{16}", user_data[droplet])


def test_a_change_of_a_version_changes_only_its_droplet(terraform, user_data):
    for variable, value, droplet in [
        ("clickhouse_version", "26.3.2.1", "clickhouse"),
        ("vector_version", "0.58.0-1", "vector_agg"),
        ("victoriametrics_version", "v1.151.0", "victoriametrics"),
    ]:
        changed = terraform.evaluate("local.user_data", **{variable: value})
        assert [name for name in DROPLETS if changed[name] != user_data[name]] == [droplet]


@pytest.mark.parametrize("droplet", DROPLETS)
def test_systemd_takes_the_units(files, droplet, tmp_path):
    root = tmp_path / "root"
    for path, content in files[droplet].items():
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)
        if content.startswith("#!"):
            target.chmod(0o755)
    for name in ("victoria-metrics-prod", "vmauth-prod", "vmalert-prod", "vector", "fsfreeze", "rm", "systemctl", "clickhouse-server"):
        for directory in ("usr/local/bin", "usr/bin", "usr/sbin"):
            (root / directory).mkdir(parents=True, exist_ok=True)
            (root / directory / name).write_text("#!/bin/sh\n")
            (root / directory / name).chmod(0o755)
    for name in PACKAGED:
        (root / f"etc/systemd/system/{name}.service").write_text(f"[Service]\nExecStart=/usr/bin/{name}\n")
    # The rest of a system, which the units order themselves after.
    for source in Path("/lib/systemd/system").iterdir():
        target = root / "lib/systemd/system" / source.name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_file() and not target.exists():
            target.write_bytes(source.read_bytes())
    names = sorted(units(files, droplet))
    result = subprocess.run(
        ["systemd-analyze", "verify", f"--root={root}", "--man=no", "--recursive-errors=one", *names], capture_output=True, text=True, timeout=60,
    )
    ours = [line for line in result.stderr.splitlines() if any(name in line for name in names)]
    assert not ours and result.returncode == 0, "\n".join(ours) or result.stderr


@pytest.mark.parametrize("droplet", DROPLETS)
def test_no_service_runs_without_its_volume(files, droplet):
    directory = DIRECTORIES[droplet]
    for name, settings in units(files, droplet).items():
        if name.endswith(".timer"):
            continue
        content = " ".join(value for _, value in settings)
        if directory in content:
            required = {value for key, value in settings if key in ("RequiresMountsFor", "BindsTo", "Requires")}
            assert directory in required or "clickhouse-server.service" in required, f"{name} uses {directory} without needing it"


@pytest.mark.parametrize("droplet", DROPLETS)
def test_every_credential_a_unit_loads_is_delivered(files, credentials, droplet):
    directory = f"{DIRECTORIES[droplet]}/credentials/"
    delivered = {file.name for file in (credentials / droplet).iterdir()}
    loaded = set()
    for name, settings in units(files, droplet).items():
        for key, value in settings:
            if key == "LoadCredential":
                identifier, path = value.split(":", 1)
                assert path == directory + identifier, f"{name}: {value}"
                loaded.add(identifier)
            elif key == "EnvironmentFile" and path_of(value).startswith(directory):
                loaded.add(path_of(value).removeprefix(directory))
    assert loaded == delivered, "delivered and not used, or the other way round"


def path_of(value):
    return value.removeprefix("-")


@pytest.mark.parametrize("droplet", DROPLETS)
def test_what_configurations_and_programs_read_is_loaded_by_their_unit(files, droplet):
    used = {
        "clickhouse": {"clickhouse-server.service": ["/etc/clickhouse-server/config.d/telemetry.xml"]},
        "victoriametrics": {"victoriametrics.service": ["/etc/victoriametrics/scrape.yml"]},
        "vector_agg": {"vector.service": ["/etc/vector/vector.yaml"]},
    }[droplet]
    for unit, configurations in used.items():
        loaded = {value.split(":")[0] for key, value in units(files, droplet)[unit] if key == "LoadCredential"}
        for path in configurations:
            read = set(re.findall(rf"/run/credentials/{re.escape(unit)}/([\w.-]+)", files[droplet][path]))
            read |= set(re.findall(r"SECRET\[credentials\.([\w.-]+)\]", files[droplet][path]))
            assert read and read <= loaded, f"{path} reads {read - loaded}, which {unit} does not load"
    for unit, settings in units(files, droplet).items():
        loaded = {value.split(":")[0] for key, value in settings if key == "LoadCredential"}
        for key, value in settings:
            if not key.startswith("Exec"):
                continue
            for program in reachable(files[droplet], re.findall(r"/usr/local/sbin/[\w-]+", value)):
                read = set(re.findall(r"CREDENTIALS_DIRECTORY/([\w.-]+)", files[droplet][program]))
                assert read <= loaded, f"{unit}: {program} reads {read - loaded}, which is not loaded"


def reachable(files, programs):
    """The programs and those of ours that they call."""
    found, todo = set(), list(programs)
    while todo:
        program = todo.pop()
        if program in found:
            continue
        assert program in files, f"{program} is not on the droplet"
        found.add(program)
        code = re.sub(r"(?m)^\s*#.*$", "", files[program])
        todo += [path for path in files if path.startswith("/usr/local/sbin/") and re.search(rf"(^|[|;&]\s*|\s){re.escape(path.rsplit('/', 1)[1])}\s", code, re.M)]
    return found


@pytest.mark.parametrize("droplet", DROPLETS)
def test_every_program_calls_only_what_is_there(files, droplet):
    programs = [path for path in files[droplet] if path.startswith("/usr/local/sbin/")]
    reachable(files[droplet], programs)
    environment = dict(line.split("=", 1) for line in files[droplet]["/etc/starform/region.env"].splitlines())
    for path in programs:
        if not path.endswith(("install-telemetry", "snapshot-volume", "prune-snapshots", "report-metrics", "report-job", "before-snapshot")):
            continue
        for name in re.findall(r"\$\{?([A-Z][A-Z0-9_]+)", files[droplet][path]):
            given = {"CREDENTIALS_DIRECTORY", "SECONDS", "DIGITALOCEAN_API", "DEBIAN_FRONTEND"}
            assert name in environment or name in given, f"{path} reads {name}, which region.env lacks"


@pytest.mark.parametrize("droplet", DROPLETS)
def test_no_service_reaches_the_metadata(files, droplet):
    for name, settings in units(files, droplet).items():
        if name.endswith(".service") and name != "credentials.service":
            assert ("IPAddressDeny", "169.254.169.254/32") in settings, name
            assert ("NoNewPrivileges", "yes") in settings or ("DynamicUser", "yes") in settings, name


def test_only_the_snapshot_runs_as_root(files):
    roots = set()
    for droplet in DROPLETS:
        for name, settings in units(files, droplet).items():
            if name.endswith(".service") and not {key for key, _ in settings} & {"User", "DynamicUser"}:
                roots.add(name)
    # Those of the two packages set their user themselves.
    assert roots == {"volume-snapshot.service", "credentials.service", "clickhouse-server.service", "vector.service"}


def test_system_calls_are_restricted_only_where_the_programs_were_tried_under_it(terraform, files):
    """test_booted.py runs VictoriaMetrics, vmauth and vmalert under their units' own filters. The other services have none:

    ClickHouse  neither packages/clickhouse-server.service, as it is at commit 0e894a48 of ClickHouse's repository, nor our drop-in
    Vector      neither distribution/systemd/vector.service of v0.57.0, nor our drop-in
    ours        programs of the system (curl, jq, fsfreeze, openssl), whose calls are not ours to list
    """
    restricted = {name for droplet in DROPLETS for name, settings in units(files, droplet).items() if "SystemCallFilter" in dict(settings)}
    assert restricted == {"victoriametrics.service", "vmauth.service", "vmalert.service"}
    tried = re.search(r"github.com/VictoriaMetrics/VictoriaMetrics (\S+)", (Path(__file__).parent / "victoriametrics" / "go.mod").read_text()).group(1)
    assert tried == terraform.evaluate("var.victoriametrics_version")
    assert terraform.evaluate("var.vector_version").startswith("0.57.0-")


@pytest.mark.parametrize("droplet", DROPLETS)
def test_to_stop_the_target_is_to_wait_for_everything_in_it(files, droplet):
    found = units(files, droplet)
    wanted = dict(found["telemetry.target"])["Wants"].split()
    assert "credentials.path" in wanted
    # Whatever a droplet starts by itself is wanted by the target, and by nothing else.
    assert {name for name in found if name.endswith(".timer")} <= set(wanted)
    installed = {name for name, settings in found.items() if "WantedBy" in dict(settings)}
    assert installed == {"telemetry.target"}
    for name in [*wanted, *(name.replace(".timer", ".service") for name in wanted if name.endswith(".timer"))]:
        ordered = {unit for key, value in found[name] if key == "After" for unit in value.split()}
        assert ("PartOf", "telemetry.target") in found[name] and "telemetry.target" in ordered, name


@pytest.mark.parametrize("droplet", DROPLETS)
def test_every_job_has_its_end_reported_by_a_unit_of_its_own(files, droplet):
    found = units(files, droplet)
    jobs = [name.replace(".timer", ".service") for name in found if name.endswith(".timer")]
    assert jobs
    for job in jobs:
        for key, result in [("OnSuccess", "success"), ("OnFailure", "failure")]:
            assert [value for name, value in found[job] if name == key] == [f"report-job@%N:{result}.service"], job
        # There the folder of the credentials is gone.
        assert not any(key == "ExecStopPost" and "report" in value for key, value in found[job])
    assert "CREDENTIALS_DIRECTORY" in files[droplet]["/usr/local/sbin/report-job"]


@pytest.mark.parametrize("argument", ["volume-snapshot.service", "volume-snapshot", "volume-snapshot:exit-code", ":success", ""])
def test_a_report_says_success_or_failure_and_nothing_else(argument):
    result = subprocess.run([MANIFESTS / "droplet" / "report-job", argument], capture_output=True, text=True, timeout=30)
    assert result.returncode == 2 and "is not JOB:success or JOB:failure" in result.stderr and result.stdout == ""


def test_programs_are_clean_shell():
    programs = [file for file in [*MANIFESTS.rglob("*"), *Path(__file__).parent.iterdir()] if file.is_file() and file.read_bytes()[:2] == b"#!"]
    assert len(programs) > 15
    result = subprocess.run(["shellcheck", "--shell=bash", *programs], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stdout
    for program in programs:
        assert program.stat().st_mode & 0o111, f"{program} cannot be run"
        assert re.search(r"(?m)^set -euo? ?(pipefail)?", program.read_text()), f"{program} goes on after an error"


def test_yaml_and_xml_are_well_formed(files):
    rules = YamlLintConfig("{extends: default, rules: {line-length: {max: 180}, document-start: disable, braces: disable, brackets: disable,"
                           " comments: {min-spaces-from-content: 1}, indentation: {indent-sequences: whatever}}}")
    checked = 0
    for droplet in DROPLETS:
        for path, content in files[droplet].items():
            if path.endswith((".yaml", ".yml")):
                assert [str(problem) for problem in linter.run(content, rules)] == [], path
                checked += 1
            elif path.endswith(".xml"):
                ElementTree.fromstring(content)
                checked += 1
    assert checked == 7


def test_vectors_pipeline_loses_nothing(files):
    config = yaml.safe_load(files["vector_agg"]["/etc/vector/vector.yaml"])
    components = {**config["sources"], **config["transforms"], **config["sinks"]}
    names = set(components) | {"logs.dropped"}
    consumed = set()
    for name, component in components.items():
        for source in component.get("inputs", []):
            assert source in names, f"{name} reads {source}, which is not there"
            consumed.add(source)
    # Every output is read by somebody.
    assert names - set(config["sinks"]) == consumed
    for name, sink in config["sinks"].items():
        if sink["type"] != "clickhouse":
            continue
        assert sink["buffer"]["type"] == "disk" and sink["buffer"]["when_full"] == "block" and sink["buffer"]["max_size"] >= 268435488
        assert sink["acknowledgements"] == {"enabled": True}
        assert sink["endpoint"].startswith("https://") and sink["tls"]["verify_certificate"] and sink["tls"]["verify_hostname"]
        assert sink["healthcheck"] == {"enabled": False}
    assert config["transforms"]["logs"]["reroute_dropped"] and config["transforms"]["logs"]["drop_on_abort"] and config["transforms"]["logs"]["drop_on_error"]
    source = config["sources"]["fluent_bit"]
    assert source["tls"]["enabled"] and source["auth"]["strategy"] == "basic"
    assert config["data_dir"].startswith("/srv/vector/")
    # Vector 0.57 replaces no environment variables: one that is left would be taken by its name.
    assert "${" not in json.dumps(config)


def test_vectors_buffers_fit_on_the_volume(terraform):
    for size in (20, 100, 16384):
        config = yaml.safe_load(terraform.evaluate("local.files", vector_volume_gib=size)["vector_agg"]["/etc/vector/vector.yaml"])
        buffers = sum(sink["buffer"]["max_size"] for sink in config["sinks"].values() if "buffer" in sink)
        # A filesystem takes its share, a tenth at most.
        assert buffers <= size * 2**30 * 0.9
