"""A region of three droplets, booted: what systemd makes of the units, with the real programs of VictoriaMetrics under their own
restrictions. The tests follow one another, as a region's days do.
"""

import contextlib
import json
import os
import re
import threading
import time

import pytest

from booted import DOOR, SERVICES, STORE, Region, active, all_active, has_those_of, started
from droplet import PATIENCE, missing, wait_for

MISSING = missing()
pytestmark = pytest.mark.skipif(
    MISSING is not None and os.environ.get("TESTBED") != "required", reason=f"{MISSING}; with TESTBED=required that is an error",
)


@pytest.fixture(scope="module")
def region(files, credentials, tmp_path_factory):
    running = Region(credentials)
    try:
        running.boot(files, tmp_path_factory.mktemp("region"))
        yield running
    finally:
        running.close()


# === Credentials ===


@pytest.mark.parametrize("name", SERVICES)
def test_a_new_droplet_waits_for_its_credentials_and_their_delivery_starts_everything(region, name):
    droplet = region.droplets[name]
    droplet.install()
    assert active(droplet) == {
        unit: "inactive" if unit in SERVICES[name] else "active" for unit in active(droplet)
    }
    delivered = droplet.deliver(region.credentials)
    wait_for("every service", lambda: has_those_of(droplet, delivered))
    assert droplet.failed() == []


@pytest.mark.parametrize("name", SERVICES)
def test_any_number_of_deliveries_ends_with_services_that_have_the_last_credentials(region, name):
    droplet = region.droplets[name]
    (watch,) = droplet.show("credentials.path", "InvocationID")
    # The schema waits for a server that takes its time.
    droplet.run("touch", "/run/slow")
    # More of them than systemd's limit of starts.
    for pause in (0.5, 0.1, 0, 0, 0, 0, 0, 0):
        delivered = droplet.deliver(region.credentials)
        time.sleep(pause)
    droplet.run("rm", "/run/slow")

    wait_for("services with the last credentials", lambda: has_those_of(droplet, delivered))
    # It never stopped watching.
    assert droplet.show("credentials.path", "InvocationID") == [watch]
    assert droplet.failed() == []


@pytest.mark.parametrize("name", SERVICES)
def test_a_delivery_is_noticed_also_while_the_one_before_it_starts_the_services(region, name):
    droplet = region.droplets[name]
    held = "[Service]\nExecStartPost=/bin/sh -c 'while [ -e /run/held ]; do sleep 0.1; done'\n"
    droplet.write("/etc/systemd/system/credentials.service.d/zz.conf", held)
    droplet.run("systemctl", "daemon-reload")
    droplet.run("touch", "/run/held")
    try:
        delivered = droplet.deliver(region.credentials)
        wait_for("services with the first credentials", lambda: min(started(droplet)) > delivered)
        delivered = droplet.deliver(region.credentials)
        assert droplet.state("credentials.service") == "activating"
    finally:
        droplet.run("rm", "/run/held")
        (droplet.root / "etc/systemd/system/credentials.service.d/zz.conf").unlink()
        droplet.run("systemctl", "daemon-reload")
    wait_for("services with the last credentials", lambda: has_those_of(droplet, delivered))
    assert droplet.failed() == []


# === System calls ===


def load(region):
    """What a store does: it takes samples, writes them to the disk, and reads them from there."""
    now = int(time.time())
    lines = [f'load{{series="{number}"}} {second % 97} {(now - second) * 1000}' for number in range(200) for second in range(0, 3600, 60)]
    region.ask("/api/v1/import/prometheus", "\n".join(lines) + "\n")
    # A snapshot writes out what is in memory; a query reads it back, and more than a cache holds.
    assert json.loads(region.ask("/snapshot/create"))["status"] == "ok"
    assert region.ask("/api/v1/export?match[]=load").count("\n") == 200
    assert json.loads(region.ask(f"/api/v1/query_range?query=sum(rate(load[5m]))&start={now - 3600}&end={now}&step=60&nocache=1"))["data"]["result"]


def test_victoriametrics_is_killed_without_mincore(region):
    """So the load below is one that calls it."""
    droplet = region.droplets["victoriametrics"]
    droplet.write("/etc/systemd/system/victoriametrics.service.d/zz.conf", "[Service]\nSystemCallFilter=~mincore\nRestart=no\n")
    droplet.run("systemctl", "daemon-reload")
    droplet.run("systemctl", "restart", "victoriametrics")
    try:
        def ended():
            with contextlib.suppress(AssertionError):
                load(region)
            return droplet.state("victoriametrics.service") == "failed"

        wait_for("its end", ended)
        # 31 is SIGSYS.
        assert droplet.show("victoriametrics.service", "ExecMainStatus") == ["31"]
    finally:
        (droplet.root / "etc/systemd/system/victoriametrics.service.d/zz.conf").unlink()
        droplet.run("systemctl", "daemon-reload")
        droplet.run("systemctl", "reset-failed", "victoriametrics")
        droplet.run("systemctl", "restart", "victoriametrics", "vmauth", "vmalert")
    wait_for("every service", lambda: all_active(droplet))


def test_each_program_does_what_it_is_for_under_its_own_restrictions(region):
    droplet = region.droplets["victoriametrics"]
    # To the microsecond: in the test before this one it was killed, maybe within this second.
    since = droplet.run("date", "+%F %T.%6N").stdout.strip()
    before = {unit: droplet.show(unit, "NRestarts", "InvocationID") for unit in SERVICES["victoriametrics"]}
    wait_for("the store", lambda: droplet.run("curl", "--silent", "--fail", f"{STORE}/health", check=False).returncode == 0)
    load(region)
    curl = ["curl", "--fail", "--silent", "--show-error", "--max-time", "30", "--cacert", "/srv/victoriametrics/credentials/ca.crt"]
    # With -tls vmauth speaks it on both of its addresses.
    for url in (STORE, f"https://{DOOR}:8426", "http://127.0.0.1:8880"):
        droplet.run(*curl, f"{url}/-/reload")
        droplet.run(*curl, f"{url}/metrics")
    for unit in SERVICES["victoriametrics"]:
        droplet.run("systemctl", "kill", "--kill-whom=main", "--signal=HUP", unit)
    region.ask("/internal/force_merge")
    # Through the door, and what vmalert records.
    password = (region.credentials / "passwords" / "metrics-reader").read_text().strip()
    answer = droplet.run(*curl, "--config", "-", f"https://{DOOR}:8427/api/v1/query?query=count(load)", stdin=f'user = "reader:{password}"\n').stdout
    assert json.loads(answer)["status"] == "success"
    assert json.loads(region.ask("/snapshot/delete_all"))["status"] == "ok"
    # It reads everything from the disk again, then stops for good.
    droplet.run("systemctl", "restart", *SERVICES["victoriametrics"])
    wait_for("the store", lambda: droplet.run("curl", "--silent", "--fail", f"{STORE}/health", check=False).returncode == 0)
    load(region)
    for unit in SERVICES["victoriametrics"]:
        restarts, invocation = droplet.show(unit, "NRestarts", "InvocationID")
        assert restarts == before[unit][0] and invocation != before[unit][1], f"{unit} was restarted"
    assert [line for line in droplet.journal("--since", since, "--identifier", "systemd").splitlines() if "=31/SYS" in line] == []


# === The nightly jobs report their end ===


def prepare(region, job):
    region.api.fails = region.api.observe = None
    if job == "prune-snapshots":
        for store in ("clickhouse", "victoriametrics"):
            region.api.add(f"volume-of-{store}", f"{store}-fra1-20260820t023011z", ["telemetry-snapshot", "telemetry-fra1", f"volume:{store}-fra1"], 1)


JOBS = [
    ("victoriametrics", "volume-snapshot"), ("clickhouse", "volume-snapshot"), ("clickhouse", "backup-closed-days"), ("vector_agg", "prune-snapshots"),
]


@pytest.mark.parametrize(("name", "job"), JOBS)
def test_a_job_that_succeeds_says_so_and_leaves_no_failed_unit(region, name, job):
    droplet = region.droplets[name]
    prepare(region, job)
    since = time.time()
    droplet.run("systemctl", "start", job)
    wait_for("the report", lambda: len(region.reports(name, job, since)) == 2)
    found = region.reports(name, job, since)
    assert found["success"] == [1] and since - 1 <= found["last_success_timestamp_seconds"][0] <= time.time()
    wait_for("the end of the report", lambda: droplet.state(f"report-job@{job}:success.service") == "inactive")
    assert droplet.failed() == []


@pytest.mark.parametrize(("name", "job"), JOBS)
def test_a_job_that_fails_says_so(region, name, job):
    droplet = region.droplets[name]
    prepare(region, job)
    # Nothing that curl would try again.
    region.api.fails = 401
    droplet.run("touch", "/run/refuses")
    since = time.time()
    try:
        assert droplet.run("systemctl", "start", job, check=False).returncode != 0
        wait_for("the report", lambda: region.reports(name, job, since))
        assert region.reports(name, job, since) == {"success": [0]}
        wait_for("the end of the report", lambda: droplet.state(f"report-job@{job}:failure.service") == "inactive")
        assert droplet.failed() == [f"{job}.service"]
    finally:
        droplet.run("rm", "/run/refuses")
        droplet.run("systemctl", "reset-failed")


@pytest.mark.parametrize("how", ["killed", "stopped", "too slow"])
def test_a_job_that_does_not_come_to_its_end_says_so_and_leaves_nothing_frozen(region, how):
    droplet = region.droplets["victoriametrics"]
    prepare(region, "volume-snapshot")
    asked, answer = threading.Event(), threading.Event()
    # While the API makes the snapshot, the volume stands still.
    region.api.observe = lambda: (asked.set(), answer.wait(PATIENCE))
    if how == "too slow":
        droplet.write("/etc/systemd/system/volume-snapshot.service.d/zz.conf", "[Service]\nTimeoutStartSec=2s\n")
        droplet.run("systemctl", "daemon-reload")
    since = time.time()
    try:
        droplet.run("systemctl", "start", "--no-block", "volume-snapshot")
        assert asked.wait(PATIENCE), droplet.journal()
        if how == "killed":
            droplet.run("systemctl", "kill", "--signal=KILL", "volume-snapshot")
        elif how == "stopped":
            droplet.run("systemctl", "stop", "volume-snapshot")
        wait_for("the report", lambda: region.reports("victoriametrics", "volume-snapshot", since))
        assert region.reports("victoriametrics", "volume-snapshot", since) == {"success": [0]}
        droplet.run("timeout", "30", "touch", f"{droplet.mountpoint}/data/thawed")
        assert all_active(droplet)
    finally:
        answer.set()
        prepare(region, "volume-snapshot")
        (droplet.root / "etc/systemd/system/volume-snapshot.service.d/zz.conf").unlink(missing_ok=True)
        droplet.run("systemctl", "daemon-reload")
        droplet.run("systemctl", "reset-failed")


def test_vmalert_has_evaluated_its_rules_meanwhile(region):
    """Each group begins at a time of its own within its interval of half a minute."""
    droplet = region.droplets["victoriametrics"]
    wait_for("an evaluation", lambda: re.search(r"(?m)^vmalert_iteration_total\{.* [1-9]", droplet.run("curl", "--silent", "http://127.0.0.1:8880/metrics").stdout))
    assert droplet.show("vmalert.service", "NRestarts") == ["0"]


# === The safe stop ===


def free(device):
    """Whether no filesystem has the device: with O_EXCL the kernel refuses what is mounted, in whatever namespace."""
    try:
        os.close(os.open(device, os.O_RDONLY | os.O_EXCL))
    except OSError:
        return False
    return True


@pytest.mark.parametrize("name", SERVICES)
def test_a_stopped_droplet_stays_stopped_and_starts_again(region, name):
    droplet = region.droplets[name]
    units_ = list(active(droplet))
    assert all_active(droplet)
    # As the README has it, to replace a droplet. Both are at their end when they return.
    droplet.run("bash", "-c", f"systemctl stop telemetry.target && umount {droplet.mountpoint}")
    at_once = active(droplet)
    assert set(at_once.values()) == {"inactive"} and free(droplet.device), at_once
    # An event that is still to come would come now; it took 0.1 s.
    time.sleep(1)
    assert set(active(droplet).values()) == {"inactive"} and free(droplet.device)
    assert droplet.run("mountpoint", droplet.mountpoint, check=False).returncode != 0
    assert droplet.run("systemctl", "list-jobs", "--no-legend").stdout == "" and droplet.failed() == []
    # Nobody watches any more when the first of the services has ended.
    ended = {unit: int(droplet.show(unit, "InactiveEnterTimestampMonotonic")[0]) for unit in units_}
    assert all(ended["credentials.path"] <= ended[unit] <= ended["telemetry.target"] for unit in SERVICES[name]), ended

    # By hand, or because the target needs it.
    if name != "vector_agg":
        droplet.run("mount", droplet.mountpoint)
    droplet.run("systemctl", "start", "telemetry.target")
    wait_for("every unit", lambda: all_active(droplet))
    delivered = droplet.deliver(region.credentials)
    wait_for("services with those credentials", lambda: has_those_of(droplet, delivered))
    assert droplet.failed() == []


def test_a_delivery_to_a_stopped_droplet_starts_it(region):
    droplet = region.droplets["vector_agg"]
    droplet.run("systemctl", "stop", "telemetry.target")
    assert set(active(droplet).values()) == {"inactive"}
    delivered = droplet.deliver(region.credentials)
    wait_for("every service", lambda: has_those_of(droplet, delivered))
