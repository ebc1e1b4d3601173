"""What holds for every values file."""

import re

import pytest
import yaml

from conftest import MANIFESTS, ROOT, values

FILES = sorted(file.name for file in MANIFESTS.glob("*.values.yaml"))
CONTRACT = yaml.safe_load((ROOT / "verify" / "contract.yaml").read_text())
RELEASES = [release for step in CONTRACT["steps"] for release in step.get("releases", [])]


def leaves(value, path=()):
    if isinstance(value, dict):
        for key, below in value.items():
            yield from leaves(below, (*path, key))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from leaves(below, (*path, str(index)))
    else:
        yield path, value


def test_every_release_has_its_file_and_every_file_its_release():
    assert sorted(release["values"] for release in RELEASES) == FILES


@pytest.mark.parametrize("name", FILES)
def test_the_first_line_names_release_chart_and_version(name):
    release = next(release for release in RELEASES if release["values"] == name)
    line = (MANIFESTS / name).read_text().splitlines()[0]
    for word in (f"`{release['name']}`", release["namespace"], release["chart"], str(release["version"])):
        assert word in line, f"{word} is not in: {line}"


@pytest.mark.parametrize("name", FILES)
def test_no_credential_is_a_value(name):
    for path, value in leaves(values(name)):
        if re.search(r"pass(word|wd)|token|secret(?!name|keyref)|bearer", ".".join(path), re.IGNORECASE) and isinstance(value, str):
            # A file, an environment variable, the key or the name of a Secret.
            assert re.fullmatch(r"/[\w./-]+|sys\.env\(\"[A-Z_]+\"\)|telemetry-stores|grafana-cloud|[a-z.-]+", value), f"{path}: {value}"
    text = (MANIFESTS / name).read_text()
    assert set(re.findall(r"(?:secretName|secretKeyRef: \{name): ([\w-]+)", text)) <= {"telemetry-stores", "grafana-cloud"}


@pytest.mark.parametrize("name", FILES)
def test_no_certificate_goes_unverified(name):
    for path, value in leaves(values(name)):
        assert not ("insecure" in ".".join(path).lower() and value not in (False, "false")), path
        assert not (isinstance(value, str) and "--kubelet-insecure-tls" in value), path
        assert not (isinstance(value, str) and re.search(r"(?im)^\s*tls\.verify(_hostname)?\s+off", value)), path


def tolerations(name):
    content = values(name)
    return {
        "envoy-gateway.values.yaml": lambda: [content["deployment"]["pod"], content["certgen"]["job"]],
        "alloy.values.yaml": lambda: [
            content["collectorCommon"]["alloy"]["controller"], content["alloy-operator"], content["alloy-operator"]["waitForAlloyRemoval"],
        ],
    }.get(name, lambda: [content])()


@pytest.mark.parametrize("name", FILES)
def test_the_startup_taint_holds_up_nothing_that_it_waits_for(name):
    for place in tolerations(name):
        assert any(
            each["operator"] == "Exists" and each.get("key", "starform.io/telemetry-not-ready") == "starform.io/telemetry-not-ready" and "effect" not in each
            for each in place["tolerations"]
        ), place


@pytest.mark.parametrize("name", FILES)
def test_memory_is_asked_for_and_bounded(name):
    content = values(name)
    places = {
        "envoy-gateway.values.yaml": [content.get("deployment", {}).get("envoyGateway", {}), content.get("certgen", {}).get("job", {})],
        "alloy.values.yaml": [
            *(each["alloy"] for each in content.get("collectors", {}).values()), content.get("alloy-operator", {}),
            content.get("alloy-operator", {}).get("waitForAlloyRemoval", {}),
        ],
    }.get(name, [content])
    for place in places:
        assert {"cpu", "memory"} <= place["resources"]["requests"].keys()
        assert "memory" in place["resources"]["limits"]


def test_the_labels_are_the_contracts_keys_one_by_one():
    [pods] = [entry for entry in values("ksm.values.yaml")["metricLabelsAllowlist"] if entry.startswith("pods=")]
    assert pods == f"pods=[{','.join(CONTRACT['labels'])}]"


def test_alloy_reads_the_kube_state_metrics_of_step_3():
    content = values("alloy.values.yaml")
    assert not any(service["deploy"] for service in content["telemetryServices"].values())
    job = content["clusterMetrics"]["kube-state-metrics"]
    [step3] = [release for release in RELEASES if release["name"] == "kube-state-metrics"]
    assert job["namespace"] == step3["namespace"]
    assert job["labelMatchers"] == {"app.kubernetes.io/name": "kube-state-metrics"}
    assert "kube_pod_labels" in job["metricsTuning"]["includeMetrics"]
    assert set(content["clusterMetrics"]["destinations"] + content["clusterEvents"]["destinations"]) == content["destinations"].keys()
    for destination in content["destinations"].values():
        assert destination["extraLabelsFrom"] == {"region": 'sys.env("REGION")'}


def test_namespaces_are_those_of_the_contract():
    objects = list(yaml.safe_load_all((MANIFESTS / "namespaces.yaml").read_text()))
    names = {each["metadata"]["name"]: each["metadata"]["labels"] for each in objects}
    assert names.keys() == {release["namespace"] for release in RELEASES} - {"kube-system"}
    # Fluent Bit's volumes of the node are refused by anything stricter.
    assert names["telemetry"]["pod-security.kubernetes.io/enforce"] == "privileged"
    assert [volume for volume in values("fluent-bit.values.yaml")["daemonSetVolumes"] if "hostPath" in volume]
