"""Vector's programs, compiled and run by Vector's own language."""

import datetime
import json
import re

import pytest
from vrl_python import VRLRuntime

from records import DEAD_LETTERS, LOGS, letter, now, record, refusal, row


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
    refused = letter(event, reason)
    assert refused["reason"] == reason
    assert json.loads(refused["record"]) == event, "as it came"


def test_a_reason_of_an_errors_own_words_is_no_label():
    assert letter({"x": 1}, 'cannot parse "secret"')["reason"] == "error"
    assert VRLRuntime().execute(DEAD_LETTERS, {"x": 1}).processed_event["reason"] == "error"


def test_every_reason_is_one_that_is_counted():
    aborts = set(re.findall(r'abort "([^"]+)"', LOGS))
    assert aborts == set(json.loads(re.search(r"known = (\[.*\])", DEAD_LETTERS).group(1)))
