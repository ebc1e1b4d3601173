"""A log record on its way: Vector's programs make the row, ClickHouse's engine takes it, the users read it."""

import datetime
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from vrl_python import VRLRuntime

from clickhouse import Engine, configure, statements
from conftest import MANIFESTS

LOGS = (MANIFESTS / "vector" / "logs.vrl").read_text()
DEAD_LETTERS = (MANIFESTS / "vector" / "dead-letters.vrl").read_text()
SCHEMA = (MANIFESTS / "clickhouse" / "schema.sql").read_text()


def now():
    return datetime.datetime.now(datetime.UTC)


def record(**changes):
    """A record as Fluent Bit sends it: output `http`, `format json`, `json_date_key date`, `json_date_format iso8601`."""
    base = {
        "date": now().strftime("%Y-%m-%dT%H:%M:%S.123456Z"),
        "log": "paid 12 EUR",
        "stream": "stdout",
        "offset": 4096,
        "cluster": "c-1",
        "region": "fra1",
        "kubernetes": {
            "namespace_name": "shop", "pod_name": "web-7d9f-x2x5z", "pod_id": "7e5d6a0c-5f0e-4d56-9d2b-000000000001",
            "container_name": "web", "host": "node-1",
            "labels": {
                "app": "web", "starform.io/cluster-id": "forged", "starform.io/region": "forged",
                "starform.io/project": "retail", "starform.io/app": "shop", "starform.io/deployment": "web",
            },
        },
    }
    return {key: value for key, value in {**base, **changes}.items() if value is not None}


def row(event):
    return VRLRuntime().execute(LOGS, event).processed_event


def refusal(event):
    """Why logs.vrl aborts, as Vector notes it beside the record, or None."""
    try:
        row(event)
    except RuntimeError as error:
        return re.search(r"error\[E000\]: (.*)", str(error)).group(1)
    return None


# === The programs ===


@pytest.mark.parametrize("program", [LOGS, DEAD_LETTERS])
def test_the_programs_compile(program):
    diagnostic = VRLRuntime.check_syntax(program)
    assert diagnostic is None, diagnostic.formatted_message


def test_a_record_becomes_a_row():
    event = record()
    made = row(event)
    assert made["timestamp"] == event["date"].replace("123456Z", "123456000Z")
    assert made["starform_cluster_id"] == "c-1", "the collector's word, not a label's"
    assert made["starform_region"] == "fra1"
    assert (made["starform_project"], made["starform_app"], made["starform_deployment"]) == ("retail", "shop", "web")
    assert (made["namespace"], made["pod"], made["container"], made["node"]) == ("shop", "web-7d9f-x2x5z", "web", "node-1")
    assert (made["message"], made["attributes"], made["severity"], made["source_offset"]) == ("paid 12 EUR", {}, "", 4096)


def test_a_pod_without_labels_is_kept():
    event = record()
    del event["kubernetes"]["labels"]
    assert row(event)["starform_app"] == ""


def test_a_json_line_yields_attributes_and_stays_as_it_was():
    line = '{"level":"WARN","msg":"slow","http":{"status":503,"tags":["a","b"]}}'
    made = row(record(log=line))
    assert made["message"] == line
    assert made["severity"] == "warn"
    assert made["attributes"] == {"level": "WARN", "msg": "slow", "http.status": "503", "http.tags": '["a","b"]'}


@pytest.mark.parametrize("line", ['{"level":"warn"', "{}", "[1,2]", '{"level":7}', '{"a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":{"i":1}}}}}}}}}'])
def test_no_line_is_refused_for_what_it_says(line):
    made = row(record(log=line))
    assert made["message"] == line and made["severity"] == ""


def test_a_record_cannot_grow_without_end():
    many = json.dumps({f"key{number}": number for number in range(65)})
    assert row(record(log=many))["attributes"] == {}
    wide = row(record(log=json.dumps({"k" * 500: "v" * 5000, "level": "x" * 500})))
    assert max(map(len, wide["attributes"])) <= 128
    assert max(map(len, wide["attributes"].values())) <= 1024
    assert len(wide["severity"]) == 16
    assert len(row(record(log="x" * 1_000_000))["message"]) == 262144


@pytest.mark.parametrize("days", [-30, -400, 1, 4000])
def test_a_wrong_clock_neither_expires_a_row_nor_opens_a_partition(days):
    given = (now() + datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.000000Z")
    made = row(record(date=given))
    assert abs(datetime.datetime.fromisoformat(made["timestamp"][:23] + "+00:00") - now()) < datetime.timedelta(minutes=1)
    assert made["attributes"]["starform.given_time"] == given


def test_a_day_old_record_keeps_its_time():
    given = (now() - datetime.timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%S.000000Z")
    assert row(record(date=given))["timestamp"].startswith(given[:19])


@pytest.mark.parametrize(("change", "reason"), [
    ({"kubernetes": None}, "no kubernetes metadata"),
    ({"cluster": None}, "no cluster"),
    ({"cluster": ""}, "no cluster"),
    ({"cluster": 7}, "no cluster"),
    ({"region": None}, "no region"),
    ({"log": None}, "no message"),
    ({"date": None}, "no timestamp"),
    ({"date": 1767225600.5}, "no timestamp"),
    ({"date": "yesterday"}, "no timestamp"),
])
def test_what_cannot_be_a_row_is_a_dead_letter(change, reason):
    event = record(**change)
    assert refusal(event) == reason
    dropped = {**event, "metadata": {"dropped": {"reason": "abort", "message": reason}}}
    letter = VRLRuntime().execute(DEAD_LETTERS, dropped).processed_event
    assert letter["reason"] == reason
    assert json.loads(letter["record"]) == event, "as it came"


def test_a_reason_of_an_errors_own_words_is_no_label():
    letter = VRLRuntime().execute(DEAD_LETTERS, {"x": 1, "metadata": {"dropped": {"message": 'cannot parse "secret"'}}}).processed_event
    assert letter["reason"] == "error"
    assert VRLRuntime().execute(DEAD_LETTERS, {"x": 1}).processed_event["reason"] == "error"


def test_every_reason_is_one_that_is_counted():
    aborts = set(re.findall(r'abort "([^"]+)"', LOGS))
    assert aborts == set(json.loads(re.search(r"known = (\[.*\])", DEAD_LETTERS).group(1)))


# === The engine ===


@pytest.fixture(scope="module")
def clickhouse(tmp_path_factory):
    engine = Engine(tmp_path_factory.mktemp("clickhouse"))
    for _ in range(2):
        for statement in statements(SCHEMA):
            engine.query(statement, "maintenance")
    yield engine
    engine.close()


@pytest.fixture
def empty(clickhouse):
    clickhouse.query("TRUNCATE TABLE logs.kubernetes")
    clickhouse.query("TRUNCATE TABLE logs.dead_letters")
    return clickhouse


def insert(engine, rows, table="kubernetes"):
    """As Vector's sink does: date_time_best_effort, no unknown fields."""
    lines = "\n".join(json.dumps(item) for item in rows)
    engine.query(
        f"INSERT INTO logs.{table} SETTINGS date_time_input_format = 'best_effort', input_format_skip_unknown_fields = 0"
        f" FORMAT JSONEachRow {lines}", "vector",
    )


def count(engine, where="1", user="reader"):
    return int(engine.rows(f"SELECT count() AS lines FROM logs.kubernetes WHERE {where}", user)[0]["lines"])


def test_row_and_table_have_the_same_columns(clickhouse):
    for table, made in [
        ("kubernetes", row(record())),
        ("dead_letters", VRLRuntime().execute(DEAD_LETTERS, {"metadata": {"dropped": {"message": "no region"}}}).processed_event),
    ]:
        columns = clickhouse.rows(f"SELECT name FROM system.columns WHERE database = 'logs' AND table = '{table}' AND default_kind = ''", "default")
        assert {column["name"] for column in columns} == set(made)


def test_a_row_is_read_as_it_was_sent(empty):
    made = row(record(log='{"level":"error","code":"E17"}'))
    insert(empty, [made])
    (read,) = empty.rows("SELECT *, attributes['code'] AS code, toString(timestamp) AS exact FROM logs.kubernetes")
    assert read["code"] == "E17" and read["severity"] == "error"
    assert read["exact"] == made["timestamp"].replace("T", " ").removesuffix("Z")
    for column in ("message", "starform_cluster_id", "starform_region", "starform_project", "starform_app", "starform_deployment", "pod", "pod_uid"):
        assert read[column] == made[column]


def test_a_field_that_the_table_lacks_is_an_error(empty):
    with pytest.raises(RuntimeError, match="(?i)unknown field"):
        insert(empty, [{**row(record()), "surprise": 1}])


def test_a_record_sent_twice_counts_once(empty):
    event = record()
    insert(empty, [row(event)])
    # In another batch, with another record beside it, as a collector resends what was not acknowledged.
    insert(empty, [row(event), row(record(log="other"))])
    assert count(empty, user="default") == 3, "before any merge"
    assert count(empty) == 2, "to readers"


def test_a_line_written_twice_counts_twice(empty):
    event = record()
    insert(empty, [row(event), row({**event, "offset": 4110})])
    assert count(empty) == 2


def test_a_batch_sent_twice_is_written_once(empty):
    made = row(record(log="once"))
    insert(empty, [made])
    insert(empty, [made])
    assert count(empty, user="default") == 1


def test_each_day_is_a_partition_and_old_ones_are_dropped_whole(empty):
    days = [0, 1, 20, 31, 60]
    for age in days:
        made = row(record(log=f"{age} days old"))
        made["timestamp"] = (now() - datetime.timedelta(days=age)).strftime("%Y-%m-%dT12:00:00.000000000Z")
        insert(empty, [made])
    parts = "SELECT partition, name FROM system.parts WHERE database = 'logs' AND table = 'kubernetes' AND active"
    empty.query("OPTIMIZE TABLE logs.kubernetes FINAL")
    left = {part["partition"] for part in empty.rows(parts, "default")}
    expected = {(now() - datetime.timedelta(days=age)).strftime("%Y-%m-%d") for age in (0, 1, 20)}
    assert expected <= left
    assert {item["message"] for item in empty.rows("SELECT message FROM logs.kubernetes")} == {"0 days old", "1 days old", "20 days old"}


def test_one_applications_logs_are_found_without_reading_the_rest(empty):
    rows = []
    for number in range(40_000):
        made = {**FILLER, "starform_cluster_id": f"c-{number % 4}", "namespace": f"n-{number % 10}", "source_offset": number}
        rows.append(made)
    insert(empty, rows)
    plan = empty.query("EXPLAIN indexes = 1 SELECT message FROM logs.kubernetes WHERE starform_cluster_id = 'c-1' AND namespace = 'n-3'")
    used, total = map(int, re.search(r"PrimaryKey.*?Granules: (\d+)/(\d+)", plan, re.S).groups())
    assert total >= 4 and used < total
    assert count(empty, "starform_cluster_id = 'c-1' AND namespace = 'n-3'") == 2000


FILLER = {
    **row(record()),
    "timestamp": now().strftime("%Y-%m-%dT%H:%M:%S.000000000Z"),
}


def test_an_auditor_sees_each_cluster_and_how_fresh_it_is(empty):
    insert(empty, [row(record(cluster="a")), row(record(cluster="a", log="b")), row(record(cluster="b"))])
    seen = {item["starform_cluster_id"]: int(item["lines"]) for item in empty.rows("SELECT starform_cluster_id, lines FROM logs.clusters")}
    assert seen == {"a": 2, "b": 1}


def test_dead_letters_are_kept(empty):
    event = record(cluster=None)
    letter = VRLRuntime().execute(DEAD_LETTERS, {**event, "metadata": {"dropped": {"message": refusal(event)}}}).processed_event
    insert(empty, [letter], "dead_letters")
    (read,) = empty.rows("SELECT reason, record FROM logs.dead_letters")
    assert read["reason"] == "no cluster" and json.loads(read["record"]) == event


# === The users ===


def test_nobody_is_there_but_those_three(clickhouse):
    users = {user["name"]: user for user in clickhouse.rows("SELECT name, auth_type FROM system.users", "default")}
    assert set(users) == {"default", "vector", "reader", "maintenance"}
    for name in ("vector", "reader", "maintenance"):
        assert users[name]["auth_type"] == ["sha256_password"]
    manifest = ElementTree.parse(MANIFESTS / "clickhouse" / "users.xml").getroot().find("users")
    assert manifest.find("default").attrib == {"remove": "remove"}
    assert {ip.text for ip in manifest.findall("maintenance/networks/ip")} == {"127.0.0.1", "::1"}


@pytest.mark.parametrize(("user", "query"), [
    ("vector", "SELECT message FROM logs.kubernetes"),
    ("vector", "SELECT * FROM logs.clusters"),
    ("vector", "TRUNCATE TABLE logs.kubernetes"),
    ("vector", "DROP TABLE logs.kubernetes"),
    ("vector", "ALTER TABLE logs.kubernetes DELETE WHERE 1"),
    ("vector", "INSERT INTO FUNCTION url('http://127.0.0.1:1/', 'CSV', 'a Int8') SELECT 1"),
    ("reader", "INSERT INTO logs.dead_letters (reason) VALUES ('x')"),
    ("reader", "DROP TABLE logs.kubernetes"),
    ("reader", "CREATE TABLE logs.mine (a Int8) ENGINE = Memory"),
    ("reader", "SELECT * FROM url('http://169.254.169.254/metadata/v1/user-data', 'LineAsString')"),
    ("reader", "SELECT * FROM file('/etc/passwd', 'LineAsString')"),
    ("reader", "SELECT message FROM logs.kubernetes SETTINGS max_execution_time = 0"),
    ("reader", "SELECT message FROM logs.kubernetes SETTINGS max_execution_time = 3600"),
    ("reader", "SELECT message FROM logs.kubernetes SETTINGS max_memory_usage = 0"),
    ("reader", "CREATE USER me"),
    ("maintenance", "CREATE USER me"),
    ("maintenance", "DROP TABLE logs.kubernetes"),
    ("maintenance", "GRANT SELECT ON logs.* TO vector"),
])
def test_a_user_may_not(clickhouse, user, query):
    with pytest.raises(RuntimeError, match="ACCESS_DENIED|SETTING_CONSTRAINT_VIOLATION|READONLY"):
        clickhouse.query(query, user)


def test_users_are_granted_this_and_nothing_else(clickhouse):
    # A profile that refuses to write would hide a grant that is too much.
    granted = {user: sorted(clickhouse.query("SHOW GRANTS", user).replace(" TO default", "").splitlines()) for user in ("vector", "reader", "maintenance")}
    assert granted["vector"] == ["GRANT INSERT ON logs.dead_letters", "GRANT INSERT ON logs.kubernetes"]
    assert granted["reader"] == ["GRANT SELECT ON logs.*"]
    assert not [grant for grant in granted["maintenance"] if "DROP" in grant or "ALL" in grant.split("ON")[0].split() or "ACCESS" in grant]


def test_a_reader_may_set_what_grafana_sets(empty):
    assert empty.rows("SELECT 1 AS one FROM logs.kubernetes LIMIT 0 SETTINGS max_execution_time = 10, max_block_size = 1000") == []


# === The droplet's programs ===


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


def run(program, environment, *arguments):
    return subprocess.run([MANIFESTS / program, *arguments], env=environment, capture_output=True, text=True, timeout=120)


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
