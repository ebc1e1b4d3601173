"""The nightly jobs: snapshots are made, kept and counted, and every failure is one that is seen."""

import datetime
import re

import pytest

from conftest import MANIFESTS, run
from digitalocean import DigitalOcean

DROPLET = MANIFESTS / "droplet"


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



@pytest.mark.parametrize(("result", "expected"), [("success", 1), ("failure", 0)])
def test_every_job_reports_how_it_ended(stub, credentials, tmp_path, result, expected):
    stub("report-metrics", f"cat > {tmp_path}/metrics")
    environment = {**stub.environment, "CREDENTIALS_DIRECTORY": str(credentials / "clickhouse")}
    assert run(DROPLET / "report-job", f"volume-snapshot:{result}", environment=environment).returncode == 0
    metrics = (tmp_path / "metrics").read_text()
    assert f'starform_region_job_success{{job_name="volume-snapshot"}} {expected}\n' in metrics
    assert ("last_success" in metrics) == bool(expected)
    end = int(re.search(r"certificate_end_timestamp_seconds (\d+)", metrics).group(1))
    assert 390 * 86400 < end - datetime.datetime.now().timestamp() < 398 * 86400


@pytest.mark.parametrize("name", ["volume-snapshot", "volume-snapshot.service", "volume-snapshot:exit-code", ":success", ""])
def test_what_names_no_job_and_result_reports_nothing(stub, name):
    stub("report-metrics")
    assert run(DROPLET / "report-job", name, environment=stub.environment).returncode == 2
    assert stub.calls() == []
