"""The order: contract, Helmfile and README say the same."""

import re

import yaml

from conftest import MANIFESTS
from test_values import RELEASES

HELMFILE = yaml.safe_load((MANIFESTS / "helmfile.yaml").read_text())


def test_helmfile_has_the_contracts_releases_in_its_order():
    wanted = [(each["name"], each["namespace"], each["chart"], str(each["version"]), each["values"]) for each in RELEASES]
    found = [(each["name"], each["namespace"], each["chart"], str(each["version"]), each["values"][0]) for each in HELMFILE["releases"]]
    assert found == wanted


def test_each_release_waits_for_the_one_before():
    before = None
    for release in HELMFILE["releases"]:
        assert release.get("needs", []) == ([before] if before else []), release["name"]
        before = f"{release['namespace']}/{release['name']}"
    assert HELMFILE["helmDefaults"]["wait"] is True
    assert HELMFILE["helmDefaults"]["createNamespace"] is False


def test_repositories_are_the_contracts():
    wanted = {release["chart"].split("/")[0]: release["repository"] for release in RELEASES if "repository" in release}
    assert {each["name"]: each["url"] for each in HELMFILE["repositories"]} == wanted


def test_step_4_alone_takes_the_region_and_the_cluster():
    for release in HELMFILE["releases"]:
        if release["namespace"] == "telemetry":
            assert release["values"][1:] == ['regions/{{ requiredEnv "STARFORM_REGION" }}.yaml']
            assert release["valuesTemplate"] == [{"cluster": {"name": '{{ requiredEnv "STARFORM_CLUSTER_ID" }}'}}]
        else:
            assert release["values"][1:] == [] and "valuesTemplate" not in release


def words(hook):
    return " ".join([hook["command"], *hook["args"]])


def test_every_step_ends_with_its_gate():
    after = {release["name"]: [words(hook) for hook in release.get("hooks", []) if hook["events"] == ["postsync"]] for release in HELMFILE["releases"]}
    assert after["envoy-gateway"] == ["kubectl apply --filename gateway-class.yaml", "starform-verify --step 2 --wait 10m"]
    assert after["metrics-server"] == []
    assert after["kube-state-metrics"] == ["starform-verify --step 3 --wait 10m"]
    assert after["fluent-bit"] == after["vmagent"] == []
    assert after["k8s-monitoring"] == [
        "starform-verify --step 4 --wait 10m",
        "kubectl get secret shuttle --namespace starform-system --output name",
        "kubectl apply --filename ../shuttle/",
        "starform-verify --step 5,6 --wait 10m",
    ]


def test_what_comes_before_a_release():
    before = {release["name"]: [words(hook) for hook in release.get("hooks", []) if hook["events"] == ["presync"]] for release in HELMFILE["releases"]}
    [gateway] = [release for release in RELEASES if release["name"] == "envoy-gateway"]
    assert before["envoy-gateway"] == ["kubectl apply --filename namespaces.yaml", f"./gateway-api-crds {gateway['chart']} {gateway['version']}"]
    assert before["fluent-bit"] == ["kubectl get secret telemetry-stores grafana-cloud --namespace telemetry --output name"]


def test_the_readme_types_the_same():
    text = re.sub(r"\\\n\s+", "", (MANIFESTS / "README.md").read_text())
    for release in RELEASES:
        region = " --values regions/fra1.yaml --set-string cluster.name=ID" if release["namespace"] == "telemetry" else ""
        command = (
            f"helm upgrade --install {release['name']} {release['chart']} --version {release['version']} --namespace {release['namespace']} "
            f"--values {release['values']}{region} --wait --timeout 10m"
        )
        assert command in re.sub(r" +", " ", text), command
        if "repository" in release:
            assert f"helm repo add {release['chart'].split('/')[0]} {release['repository']}" in text


def test_the_class_is_the_controllers():
    found = yaml.safe_load((MANIFESTS / "gateway-class.yaml").read_text())
    assert found["metadata"]["name"] == "starform"
    assert found["spec"]["controllerName"] == "gateway.envoyproxy.io/gatewayclass-controller"
