"""ClickHouse's jobs on its droplet: the schema is applied, closed days are backed up, and come back."""

import datetime
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from clickhouse import configure
from conftest import MANIFESTS
from records import now


@pytest.fixture
def droplet(credentials, tmp_path):
    """An environment in which `clickhouse-client` is ClickHouse's engine, as `maintenance`, with data of its own."""
    for name in ("bin", "data", "backups"):
        (tmp_path / name).mkdir()
    client = tmp_path / "bin" / "clickhouse-client"
    client.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).parent}/clickhouse.py" "$@"\n')
    client.chmod(0o755)
    return {
        **os.environ,
        **dict(line.split("=", 1) for line in (credentials / "clickhouse" / "users.env").read_text().splitlines()),
        "PATH": f"{tmp_path}/bin:{os.environ['PATH']}",
        "CREDENTIALS_DIRECTORY": str(credentials / "clickhouse"),
        "CLICKHOUSE_DATA": str(tmp_path / "data"),
        "CLICKHOUSE_CONFIG": str(configure(tmp_path, "maintenance")),
        "BACKUP_DIRECTORY": str(tmp_path / "backups"),
        "SCHEMA": str(MANIFESTS / "clickhouse" / "schema.sql"),
        "WAIT_SECONDS": "1",
    }


def run(program, environment):
    return subprocess.run([MANIFESTS / program], env=environment, capture_output=True, text=True, timeout=120)


def query(environment, text):
    result = subprocess.run(
        ["clickhouse-client", "--config-file", f"{environment['CREDENTIALS_DIRECTORY']}/client.xml", "--query", text],
        env=environment, capture_output=True, text=True, timeout=60,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_closed_days_are_backed_up_once_and_can_be_restored(droplet, tmp_path):
    for _ in range(2):
        assert (applied := run("clickhouse/apply-schema", droplet)).returncode == 0, applied.stderr
    ages = [0, 2, 5, 10]
    for age in ages:
        query(droplet, f"INSERT INTO logs.kubernetes (timestamp, message) VALUES (now() - INTERVAL {age} DAY, '{age} days')")
    closed = {(now() - datetime.timedelta(days=age)).strftime("%Y-%m-%d") for age in (5, 10)}
    backups = tmp_path / "backups"
    # What an interrupted run left, and what is older than the table keeps.
    torn = backups / (now() - datetime.timedelta(days=5)).strftime("%Y-%m-%d")
    torn.mkdir()
    (torn / "data.bin").write_text("half")
    (backups / "2020-01-01").mkdir()

    first = run("clickhouse/backup-closed-days", droplet)
    assert first.returncode == 0, first.stderr
    assert "made 2, removed 1" in first.stdout
    assert {path.name for path in backups.iterdir()} == closed
    assert not (torn / "data.bin").exists()

    again = run("clickhouse/backup-closed-days", droplet)
    assert again.returncode == 0 and "made 0, removed 0" in again.stdout

    # As the README says, by the maintenance user too.
    day = min(closed)
    query(droplet, f"ALTER TABLE logs.kubernetes DROP PARTITION '{day}'")
    assert query(droplet, f"SELECT count() FROM logs.kubernetes WHERE toDate(timestamp) = '{day}'") == "0"
    readme = (MANIFESTS / "README.md").read_text()
    statement = "RESTORE TABLE logs.kubernetes FROM Disk('backups', '{day}') SETTINGS allow_non_empty_tables = true"
    assert statement.replace("{day}", "2026-08-20") in readme
    # Twice: what is there already is not doubled.
    for _ in range(2):
        query(droplet, statement.replace("{day}", day))
    assert query(droplet, "SELECT count() FROM logs.kubernetes FINAL") == "4"
    assert query(droplet, f"SELECT message FROM logs.kubernetes FINAL WHERE toDate(timestamp) = '{day}'") == "10 days"


def test_a_backup_that_fails_is_a_failure(droplet, tmp_path):
    assert run("clickhouse/apply-schema", droplet).returncode == 0
    query(droplet, "INSERT INTO logs.kubernetes (timestamp, message) VALUES (now() - INTERVAL 7 DAY, 'x')")
    without = tmp_path / "without-disk.xml"
    without.write_text(re.sub(r"<storage_configuration>.*?</storage_configuration>", "", Path(droplet["CLICKHOUSE_CONFIG"]).read_text(), flags=re.S))
    broken = {**droplet, "CLICKHOUSE_CONFIG": str(without)}
    result = run("clickhouse/backup-closed-days", broken)
    assert result.returncode == 1 and "the backup of" in result.stderr, result.stderr


def test_a_schema_without_a_server_is_a_failure(droplet):
    client = Path(droplet["PATH"].split(":")[0]) / "clickhouse-client"
    client.write_text("#!/bin/sh\necho 'Connection refused' >&2\nexit 210\n")
    result = run("clickhouse/apply-schema", droplet)
    assert result.returncode == 210 and "did not answer within 1 s" in result.stderr and "refused" in result.stderr
