"""The schema on ClickHouse's engine, with rows that Vector's programs made, as each of its users."""

import datetime
import json
import re
import xml.etree.ElementTree as ElementTree

import pytest
import yaml

from clickhouse import Engine, statements
from conftest import MANIFESTS
from records import letter, now, record, refusal, row

SCHEMA = (MANIFESTS / "clickhouse" / "schema.sql").read_text()


# === Rows ===


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
        ("dead_letters", letter({}, "no region")),
    ]:
        columns = clickhouse.rows(f"SELECT name FROM system.columns WHERE database = 'logs' AND table = '{table}' AND default_kind = ''", "default")
        assert {column["name"] for column in columns} == set(made)


def test_the_tables_are_what_the_contract_tells_auditors(clickhouse):
    contract = yaml.safe_load((MANIFESTS.parents[1] / "verify" / "contract.yaml").read_text())
    found = {}
    for column in clickhouse.rows("SELECT table, name, type FROM system.columns WHERE database = 'logs'", "reader"):
        found.setdefault(column["table"], {})[column["name"]] = column["type"]
    assert found == contract["components"]["region"]["tables"]


def test_an_auditor_may_ask_what_it_asks(empty):
    late = now() - datetime.timedelta(seconds=30)
    insert(empty, [row(record(date=late.isoformat()))])
    own = count(empty)
    cluster = empty.rows("SELECT any(starform_cluster_id) AS id FROM logs.kubernetes")[0]["id"]
    ago = "dateDiff('millisecond', {}, now64(3)) / 1000"
    live = empty.rows(
        f"SELECT starform_region AS region, toFloat64(lines) AS lines, {ago.format('newest')} AS age, {ago.format('newest_observed')}"
        f" AS received, toFloat64(delay_milliseconds) / 1000 AS delay FROM logs.clusters WHERE starform_cluster_id = '{cluster}' ORDER BY region"
    )
    ended = empty.rows(
        f"SELECT starform_region AS region, toFloat64(count()) AS lines, {ago.format('max(timestamp)')} AS age,"
        f" {ago.format('max(observed_timestamp)')} AS received, 0.0 AS delay FROM logs.kubernetes WHERE starform_cluster_id = '{cluster}'"
        " GROUP BY region ORDER BY region SETTINGS final = 0"
    )
    for rows in (live, ended):
        assert len(rows) == 1 and rows[0]["lines"] == own == 1
        assert 29 < rows[0]["age"] < 300 and -1 < rows[0]["received"] < 300
    assert empty.rows(
        "SELECT reason, cluster, toFloat64(count()) AS records FROM logs.dead_letters WHERE received_at > now() - INTERVAL 60 MINUTE"
        f" AND cluster IN ('{cluster}', '') GROUP BY reason, cluster ORDER BY reason, cluster LIMIT 20"
    ) == []


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
    insert(empty, [letter(event, refusal(event))], "dead_letters")
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
