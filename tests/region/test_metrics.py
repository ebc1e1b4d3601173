"""The store of metrics: real VictoriaMetrics, vmauth and vmalert, with the flags of their units and the manifests' files."""

import base64
import json
import os
import re
import shlex
import shutil
import ssl
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from conftest import MANIFESTS, answers, free_port, wait_for

HERE = Path(__file__).parent
HOST = "victoriametrics.fra1.telemetry.example.com"


@pytest.mark.parametrize("file", ["rules.test.yaml", "jobs.test.yaml"])
def test_the_rules_do_what_they_say(file):
    result = subprocess.run(
        ["vmalert-tool", "unittest", "-disableAlertgroupLabel", "--files", file], cwd=HERE, capture_output=True, text=True, timeout=300,
    )
    assert result.returncode == 0, re.sub(r"(?m)^.*\tinfo\t.*\n", "", result.stdout + result.stderr)


def test_every_rule_has_a_test():
    rules = "".join((MANIFESTS / "victoriametrics" / name).read_text() for name in ("rules.yaml", "alerts.yaml"))
    tests = "".join(file.read_text() for file in HERE.glob("*.test.yaml"))
    names = re.findall(r"- (?:record|alert): (\S+)", rules)
    assert len(names) == len(set(names)) > 20
    untested = [
        name for name in names
        if not re.search(rf"expr: {re.escape(name)}\n" if ":" in name else rf"alertname: {name}\n\s+exp_alerts:", tests)
    ]
    assert untested == []


def test_the_scrape_configuration_is_one(files, tmp_path):
    file = tmp_path / "scrape.yml"
    content = files["victoriametrics"]["/etc/victoriametrics/scrape.yml"]
    for name, expected in [(content, 0), (content.replace("scrape_configs:", "scrape_config:"), 1)]:
        file.write_text(name)
        result = subprocess.run(["victoria-metrics", f"-promscrape.config={file}", "-dryRun"], capture_output=True, text=True, timeout=60)
        assert min(result.returncode, 1) == expected, result.stderr
    assert set(re.findall(r"job_name: (\w+)", content)) == {"victoriametrics", "vmauth", "vmalert", "clickhouse", "vector"}


def flags(files, unit, replacements):
    """The unit's own command, with this test's paths and ports."""
    content = files["victoriametrics"][f"/etc/systemd/system/{unit}.service"].replace("\\\n", " ")
    command = re.search(r"(?m)^ExecStart=(.*)$", content).group(1)
    for old, new in replacements.items():
        assert old in command, f"{unit} has no {old}: {command}"
        command = command.replace(old, new)
    program, *rest = shlex.split(command)
    return [{"victoria-metrics-prod": "victoria-metrics", "vmauth-prod": "vmauth", "vmalert-prod": "vmalert"}[program.rsplit("/", 1)[1]], *rest]


class Store:
    def __init__(self, files, credentials, directory):
        self.credentials = credentials
        self.ports = {name: free_port() for name in ("store", "door", "inside", "rules")}
        ports = self.ports
        rules = directory / "rules"
        rules.mkdir()
        for name in ("rules.yaml", "alerts.yaml"):
            shutil.copy(MANIFESTS / "victoriametrics" / name, rules)
        users = (MANIFESTS / "victoriametrics" / "vmauth.yml").read_text()
        (directory / "vmauth.yml").write_text(users.replace(":8428/", f":{ports['store']}/").replace(":8880/", f":{ports['rules']}/"))
        # It would scrape the region's other droplets; what it does with the file is tested above.
        (directory / "scrape.yml").write_text("scrape_configs: []\n")
        store, door = f"127.0.0.1:{ports['store']}", f":{ports['door']}"
        environment = {**os.environ, **dict(line.split("=", 1) for line in (credentials / "victoriametrics" / "vmauth.env").read_text().splitlines())}
        self.processes = []
        self.data = directory / "data"
        for unit, replacements in {
            "victoriametrics": {
                "127.0.0.1:8428": store, "/srv/victoriametrics/data": str(self.data), "${METRICS_RETENTION}": "90d",
                "/etc/victoriametrics/scrape.yml": str(directory / "scrape.yml"), "127.0.0.1:8880": f"127.0.0.1:{ports['rules']}",
                "-storage.minFreeDiskSpaceBytes=5GB": "-storage.minFreeDiskSpaceBytes=1MB",
            },
            "vmauth": {
                ":8427": f"127.0.0.1{door}", "127.0.0.1:8426": f"127.0.0.1:{ports['inside']}", "%d": str(credentials / "victoriametrics"),
                "/etc/victoriametrics/vmauth.yml": str(directory / "vmauth.yml"),
            },
            "vmalert": {
                "127.0.0.1:8880": f"127.0.0.1:{ports['rules']}", "127.0.0.1:8428": store, "/etc/victoriametrics/rules": str(rules),
                "${REGION}": "fra1", "$NOTIFIER": "-notifier.blackhole",
            },
        }.items():
            log = (directory / f"{unit}.log").open("w")
            self.processes.append(subprocess.Popen(flags(files, unit, replacements), env=environment, stdout=log, stderr=subprocess.STDOUT, cwd=directory))
            port = {"victoriametrics": "store", "vmauth": "inside", "vmalert": "rules"}[unit]
            wait_for(unit, lambda: answers(f"http://127.0.0.1:{ports[port]}/health"))

    def ask(self, user, path, body=None, password=None):
        """Status and answer, as the user, through the door."""
        names = {"vmagent": "vmagent", "droplets": "droplets", "reader": "metrics-reader"}
        request = urllib.request.Request(f"https://127.0.0.1:{self.ports['door']}{path}", data=body)
        if user is not None:
            password = password or (self.credentials / "passwords" / names[user]).read_text().strip()
            request.add_header("Authorization", "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode())
        context = ssl.create_default_context(cafile=self.credentials / "clusters" / "ca.crt")
        # By address here; that the name is checked is curl's part below.
        context.check_hostname = False
        try:
            with urllib.request.urlopen(request, timeout=30, context=context) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def close(self):
        for process in reversed(self.processes):
            process.terminate()
            process.wait(timeout=30)


@pytest.fixture(scope="module")
def store(files, credentials, tmp_path_factory):
    running = Store(files, credentials, tmp_path_factory.mktemp("store"))
    yield running
    running.close()


def test_who_may_do_what(store):
    # An empty request of remote write is a request: 400 for what it lacks is not 401 for who sends it.
    expected = {
        ("vmagent", "/api/v1/write", b""): True,
        ("vmagent", "/api/v1/query?query=up", None): False,
        ("vmagent", "/api/v1/import/prometheus", b"x 1\n"): False,
        ("droplets", "/api/v1/import/prometheus", b"x 1\n"): True,
        ("droplets", "/api/v1/query?query=up", None): False,
        ("droplets", "/api/v1/write", b""): False,
        ("reader", "/api/v1/query?query=up", None): True,
        ("reader", "/api/v1/label/cluster/values", None): True,
        ("reader", "/api/v1/rules", None): True,
        ("reader", "/api/v1/write", b""): False,
        ("reader", "/api/v1/import/prometheus", b"x 1\n"): False,
    }
    for user in ("vmagent", "droplets", "reader"):
        for path in ("/snapshot/create", "/snapshot/delete_all", "/api/v1/admin/tsdb/delete_series?match[]=x", "/internal/force_merge",
                     "/internal/resetRollupResultCache", "/-/reload", "/metrics", "/flags", "/debug/pprof/cmdline", "/config", "/vmui/"):
            expected[user, path, None] = False
    for (user, path, body), allowed in expected.items():
        status, answer = store.ask(user, path, body)
        assert (status in (200, 204)) == allowed, f"{user} {path}: {status} {answer[:200]}"
    for user, password in [(None, None), ("vmagent", "wrong"), ("vmagent", "%{VMAGENT_PASSWORD}")]:
        assert store.ask(user, "/api/v1/write", b"", password)[0] == 401


def test_vmalert_has_read_every_rule(store):
    groups = json.loads(store.ask("reader", "/api/v1/rules")[1])["data"]["groups"]
    names = {rule["name"] for group in groups for rule in group["rules"]}
    written = "".join((MANIFESTS / "victoriametrics" / name).read_text() for name in ("rules.yaml", "alerts.yaml"))
    assert names == set(re.findall(r"- (?:record|alert): (\S+)", written))


@pytest.fixture
def droplet(store, tmp_path):
    """What a droplet's program finds: curl reaches the door by its name, as DNS would have it."""
    (tmp_path / "bin").mkdir()
    curl = tmp_path / "bin" / "curl"
    curl.write_text(
        f'#!/bin/sh\nexec {shutil.which("curl")} --connect-to "$CONNECT:8427:127.0.0.1:{store.ports["door"]}"'
        f' --connect-to "127.0.0.1:8428:127.0.0.1:{store.ports["store"]}" "$@"\n'
    )
    curl.chmod(0o755)
    return {
        **os.environ, "PATH": f"{tmp_path}/bin:{MANIFESTS}/droplet:{os.environ['PATH']}", "CREDENTIALS_DIRECTORY": str(store.credentials / "clickhouse"),
        "METRICS_URL": f"https://{HOST}:8427/api/v1/import/prometheus", "CONNECT": HOST, "DROPLET": "clickhouse", "REGION": "fra1",
        "VOLUME_DIRECTORY": str(tmp_path),
    }


def test_a_job_reports_to_the_store(store, droplet):
    result = subprocess.run([MANIFESTS / "droplet" / "report-job", "volume-snapshot:success"], env=droplet, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    query = urllib.parse.quote('starform_region_job_success{job_name="volume-snapshot"}')

    def found():
        return json.loads(store.ask("reader", f"/api/v1/query?query={query}&nocache=1")[1])["data"]["result"]

    wait_for("the sample", found, seconds=60)
    (sample,) = found()
    assert sample["metric"]["droplet"] == "clickhouse" and sample["metric"]["region"] == "fra1" and sample["value"][1] == "1"


def test_a_job_does_not_report_to_another_host(droplet):
    droplet["METRICS_URL"] = droplet["METRICS_URL"].replace("victoriametrics.", "elsewhere.")
    droplet["CONNECT"] = HOST.replace("victoriametrics.", "elsewhere.")
    result = subprocess.run([MANIFESTS / "droplet" / "report-metrics"], input="x 1\n", env=droplet, capture_output=True, text=True, timeout=120)
    assert result.returncode != 0 and "SSL" in result.stderr


def test_a_snapshot_finds_the_store_in_a_state_it_vouches_for(store, droplet):
    for program, number in [("before-snapshot", 1), ("after-snapshot", 0)]:
        result = subprocess.run([MANIFESTS / "victoriametrics" / program], env=droplet, capture_output=True, text=True, timeout=60)
        assert result.returncode == 0, result.stderr
        snapshots = json.loads(urllib.request.urlopen(f"http://127.0.0.1:{store.ports['store']}/snapshot/list", timeout=10).read())["snapshots"]
        assert len(snapshots) == number
    droplet["CONNECT"] = HOST
    droplet["PATH"] = droplet["PATH"].split(":", 1)[1]
    # Without the stand-in, nothing listens where the store should be: no snapshot of a store that is not there.
    if not answers("http://127.0.0.1:8428/health"):
        assert subprocess.run([MANIFESTS / "victoriametrics" / "before-snapshot"], env=droplet, capture_output=True, timeout=60).returncode != 0


def test_the_join_is_recorded_by_the_running_services(store):
    """Written as vmagent would, evaluated by the vmalert that runs, read as a reader."""
    owner = 'label_starform_io_cluster_id="live",label_starform_io_project="p",label_starform_io_app="a",label_starform_io_deployment="d"'
    now = int(time.time())
    lines = []
    for second in range(now - 600, now + 1, 30):
        lines.append(f'container_cpu_usage_seconds_total{{cluster="live",namespace="n",pod="p",container="c"}} {second - now + 600} {second * 1000}')
        lines.append(f'kube_pod_labels{{cluster="live",namespace="n",pod="p",uid="1",{owner}}} 1 {second * 1000}')
    # Remote write takes snappy and protobuf; the same samples by the text that the jobs write.
    assert store.ask("droplets", "/api/v1/import/prometheus", "\n".join(lines).encode())[0] == 204
    query = urllib.parse.quote('starform:container_cpu_usage_seconds:rate5m{cluster="live"}')

    def found():
        return json.loads(store.ask("reader", f"/api/v1/query?query={query}&nocache=1")[1])["data"]["result"]

    wait_for("the recording", found, seconds=150)
    (sample,) = found()
    assert sample["metric"]["label_starform_io_app"] == "a" and sample["metric"]["region"] == "fra1"
    assert 0.9 < float(sample["value"][1]) < 1.1
