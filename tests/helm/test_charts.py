"""The charts that can be had in CI, with these values: Envoy Gateway's and metrics-server's."""

import pytest

from conftest import CHARTS, MANIFESTS, helm, template, values

TAINT = {"key": "starform.io/telemetry-not-ready", "operator": "Exists"}


@pytest.fixture(scope="module")
def gateway():
    # In the repository the chart's defaults are a template of its Makefile: the image and when to pull it.
    chart = CHARTS / "gateway-helm"
    defaults = (chart / "values.tmpl.yaml").read_text()
    defaults = defaults.replace("${GatewayImage}", "docker.io/envoyproxy/gateway:v1.9.0").replace("${GatewayImagePullPolicy}", "IfNotPresent")
    (chart / "values.yaml").write_text(defaults)
    return template("envoy-gateway", chart, "envoy-gateway-system", "--include-crds", "--values", MANIFESTS / "envoy-gateway.values.yaml")


def test_envoy_gateway_brings_no_crds_and_outlives_a_drain(gateway):
    assert not [name for kind, name in gateway if kind in ("CustomResourceDefinition", "ValidatingAdmissionPolicy")]
    deployment = gateway["Deployment", "envoy-gateway"]["spec"]
    assert deployment["replicas"] == 2
    assert gateway["PodDisruptionBudget", "envoy-gateway"]["spec"]["minAvailable"] == 1
    pod = deployment["template"]["spec"]
    assert TAINT in pod["tolerations"]
    labels = deployment["template"]["metadata"]["labels"]
    for constraint in pod["topologySpreadConstraints"]:
        assert constraint["labelSelector"]["matchLabels"].items() <= labels.items()
    job = gateway["Job", "envoy-gateway-gateway-helm-certgen"]["spec"]["template"]["spec"]
    assert TAINT in job["tolerations"]
    assert job["containers"][0]["resources"]["limits"]


def test_vmagent_finds_envoy_gateways_pods(gateway):
    pod = gateway["Deployment", "envoy-gateway"]["spec"]["template"]
    [job] = [job for job in values("vmagent.values.yaml")["config"]["scrape_configs"] if job["job_name"] == "envoy-gateway"]
    key, value = job["kubernetes_sd_configs"][0]["selectors"][0]["label"].split("=")
    assert pod["metadata"]["labels"][key] == value
    assert "metrics" in [port["name"] for container in pod["spec"]["containers"] for port in container["ports"]]


def test_the_class_is_what_the_controller_looks_for(gateway):
    config = gateway["ConfigMap", "envoy-gateway-config"]["data"]["envoy-gateway.yaml"]
    assert "controllerName: gateway.envoyproxy.io/gatewayclass-controller" in config


def test_the_charts_crds_are_what_gateway_api_crds_looks_for():
    result = helm("show", "crds", CHARTS / "gateway-helm")
    assert result.returncode == 0, result.stderr
    assert "\n  name: gatewayclasses.gateway.networking.k8s.io\n" in result.stdout
    assert "\n  name: envoyproxies.gateway.envoyproxy.io\n" in result.stdout
    assert "gateway.networking.k8s.io/bundle-version: v1.6.1" in result.stdout


def test_metrics_server_verifies_kubelets_and_outlives_a_drain():
    objects = template("metrics-server", CHARTS / "metrics-server", "kube-system", "--values", MANIFESTS / "metrics-server.values.yaml")
    deployment = objects["Deployment", "metrics-server"]["spec"]
    [container] = deployment["template"]["spec"]["containers"]
    assert deployment["replicas"] == 2
    assert objects["PodDisruptionBudget", "metrics-server"]["spec"]["minAvailable"] == 1
    assert container["image"].endswith(":v0.9.0")
    assert not [argument for argument in container["args"] if "insecure" in argument]
    assert TAINT in deployment["template"]["spec"]["tolerations"]
    labels = deployment["template"]["metadata"]["labels"]
    for constraint in deployment["template"]["spec"]["topologySpreadConstraints"]:
        assert constraint["labelSelector"]["matchLabels"].items() <= labels.items()
