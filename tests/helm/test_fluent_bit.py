"""Fluent Bit's configuration as its chart writes it: what manifests/region promises Vector, and what keeps logs safe."""

import re

import pytest

from conftest import CLUSTER, MANIFESTS, REGION, values

FILE = ["--values", str(MANIFESTS / "fluent-bit.values.yaml")]


@pytest.fixture(scope="module")
def sections(engine):
    """By kind: their keys in lower case, as Fluent Bit takes them."""
    found = {}
    for part in ("service", "inputs", "filters", "outputs"):
        section = None
        for line in engine("fluent-bit", f"tpl .Values.config.{part} .", *FILE, *CLUSTER).splitlines():
            line = line.strip()
            if heading := re.fullmatch(r"\[(\w+)\]", line):
                section = {}
                found.setdefault(heading.group(1), []).append(section)
            elif line and not line.startswith("#"):
                key, _, value = line.partition(" ")
                if key == "Set":
                    section.setdefault("set", {}).update([value.split()])
                else:
                    assert key.lower() not in section, line
                    section[key.lower()] = value.strip()
    return found


def test_it_sends_what_vector_reads(sections):
    [output] = sections["OUTPUT"]
    expected = {
        "name": "http", "match": "*", "host": "vector.fra1.telemetry.example.com", "port": "8080", "uri": "/logs", "http_user": "fluent-bit",
        "http_passwd": "${FLUENT_BIT_PASSWORD}", "format": "json", "json_date_key": "date", "json_date_format": "iso8601", "compress": "gzip",
        "tls": "On", "tls.verify": "On", "tls.verify_hostname": "On", "tls.ca_file": "/etc/telemetry-stores/ca.crt", "retry_limit": "no_limits",
    }
    assert {key: output.get(key) for key in expected} == expected


def test_every_record_says_where_it_comes_from(sections):
    [origin] = [each for each in sections["FILTER"] if each.get("alias") == "origin"]
    assert origin["match"] == "*"
    assert origin["set"] == {"cluster": "shop-1", "region": "fra1"}
    assert sections["FILTER"][-1] is origin, "a later filter could change it"
    by_file_name, kubernetes = [each for each in sections["FILTER"] if each["name"] == "kubernetes"]
    assert (kubernetes["labels"], kubernetes["annotations"], kubernetes["merge_log"]) == ("On", "Off", "Off")
    # Labels that come after a pod's first line are seen.
    assert 0 < int(kubernetes["kube_meta_cache_ttl"]) <= 300
    # Tail and filter agree on what a tag is made of.
    [tail] = sections["INPUT"]
    assert tail["offset_key"] == "offset"
    assert tail["path"] == "/var/log/containers/*.log"
    assert kubernetes["kube_tag_prefix"] == tail["tag"].replace("*", "") + "var.log.containers."
    assert by_file_name["kube_tag_prefix"] == kubernetes["kube_tag_prefix"]


def test_a_line_of_a_pod_that_is_gone_keeps_what_its_file_name_says(sections):
    """What the file's name says is moved aside before the API server is asked, and back where that had nothing."""
    filters = [each for each in sections["FILTER"] if each["match"] == "kube.*" and each["name"] in ("kubernetes", "modify")]
    told = [(each["name"], each.get("use_tag_for_meta"), each.get("rename"), each.get("remove")) for each in filters]
    assert told == [
        ("kubernetes", "On", None, None),
        ("modify", None, "kubernetes by_file_name", None),
        ("kubernetes", None, None, None),
        ("modify", None, "by_file_name kubernetes", "by_file_name"),
    ]


def test_a_blank_line_is_no_record(sections):
    blank = sections["FILTER"][0]
    assert (blank["name"], blank["match"]) == ("grep", "kube.*")
    field, pattern = blank["exclude"].split(" ", 1)
    # Python's `\\Z` is Ruby's `\\z`.
    pattern = re.compile(pattern.replace(r"\z", r"\Z"))
    assert field == "log"
    assert all(pattern.search(line) for line in ("", " ", "\t\n"))
    assert not any(pattern.search(line) for line in ("a", " a ", "a\n\nb", "\n\nb"))


def megabytes(text):
    return int(text.removesuffix("G")) * 1024 if text.endswith("G") else int(text.removesuffix("M"))


def test_what_is_read_is_kept_on_the_node_and_bounded(sections):
    [service], [tail], [output] = sections["SERVICE"], sections["INPUT"], sections["OUTPUT"]
    mounts = {mount["mountPath"]: mount for mount in values("fluent-bit.values.yaml")["daemonSetVolumeMounts"]}
    assert tail["storage.type"] == "filesystem"
    for path in (service["storage.path"], tail["db"]):
        assert path.startswith("/var/lib/fluent-bit/")
    assert not mounts["/var/lib/fluent-bit"].get("readOnly")
    assert mounts["/var/log"]["readOnly"]
    volumes = {volume["name"]: volume for volume in values("fluent-bit.values.yaml")["daemonSetVolumes"]}
    assert volumes[mounts["/var/lib/fluent-bit"]["name"]]["hostPath"] == {"path": "/var/lib/fluent-bit", "type": "DirectoryOrCreate"}
    assert megabytes(output["storage.total_limit_size"]) == 2048
    # What may be in memory fits into it: a chunk is 2 MB.
    limit = int(values("fluent-bit.values.yaml")["resources"]["limits"]["memory"].removesuffix("Mi"))
    assert 2 * int(service["storage.max_chunks_up"]) + megabytes(service["storage.backlog.mem_limit"]) < limit / 2
    assert int(service["scheduler.cap"]) <= 60
    # Ended in time, or it is killed with chunks in flight.
    assert int(service["grace"]) < values("fluent-bit.values.yaml")["terminationGracePeriodSeconds"]


def test_buffering_makes_no_pod_unready(sections):
    for probe in ("livenessProbe", "readinessProbe"):
        assert values("fluent-bit.values.yaml")[probe]["httpGet"]["path"] == "/"
    assert sections["SERVICE"][0]["http_server"] == "On"


def test_its_own_log_is_not_read(sections):
    import fnmatch

    excluded = sections["INPUT"][0]["exclude_path"]
    assert fnmatch.fnmatch("/var/log/containers/fluent-bit-x2x9p_telemetry_fluent-bit-0a1b2c.log", excluded)
    assert not fnmatch.fnmatch("/var/log/containers/fluent-bit-x2x9p_shop_fluent-bit-0a1b2c.log", excluded)
    assert not fnmatch.fnmatch("/var/log/containers/vmagent-0_telemetry_vmagent-0a1b2c.log", excluded)


@pytest.mark.parametrize(("arguments", "missing"), [
    ([], "no cluster ID: give `--set-string cluster.name=CLUSTER_ID`"),
    (["--set-string", "cluster.name=shop-1"], "no region: give `-f regions/REGION.yaml`"),
    (["--values", str(REGION)], "no cluster ID: give `--set-string cluster.name=CLUSTER_ID`"),
])
def test_without_region_or_cluster_it_says_so(engine, arguments, missing):
    assert missing in engine.refusal("fluent-bit", "tpl .Values.config.filters .", *FILE, *arguments)


def test_without_a_region_there_is_no_host(engine):
    refusal = engine.refusal("fluent-bit", "tpl .Values.config.outputs .", *FILE, "--set-string", "cluster.name=shop-1")
    assert "no stores.logs.host: give `-f regions/REGION.yaml`" in refusal
