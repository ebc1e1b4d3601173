"""What the checks share: the values, Helm's own engine for templates within them, and programs that run on loopback."""

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
MANIFESTS = ROOT / "manifests" / "helm"
REGION = MANIFESTS / "regions" / "fra1.yaml"
CHARTS = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "helm" / "charts"

# What the commands of step 4 have in common.
CLUSTER = ["--values", str(REGION), "--set-string", "cluster.name=shop-1"]

# The oldest that the contract accepts; without a cluster Helm assumes 1.20, which charts refuse.
KUBERNETES = "1.34.0"


def values(name):
    return yaml.safe_load((MANIFESTS / name).read_text())


def helm(*arguments):
    return subprocess.run(["helm", *map(str, arguments)], capture_output=True, text=True, timeout=60)


def template(release, chart, namespace, *arguments):
    """The objects that Helm makes of a chart, by kind and name."""
    result = helm("template", release, chart, "--namespace", namespace, "--kube-version", KUBERNETES, *arguments)
    assert result.returncode == 0, result.stderr
    objects = [each for each in yaml.safe_load_all(result.stdout) if each]
    return {(each["kind"], each["metadata"]["name"]): each for each in objects}


@pytest.fixture(scope="session")
def engine(tmp_path_factory):
    """Renders templates within values as the charts do that hand them to `tpl`: with Helm itself, and a chart of one line."""
    chart = tmp_path_factory.mktemp("engine")
    (chart / "templates").mkdir()
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: engine\nversion: 0.0.0\n")
    (chart / "values.yaml").write_text("flush: 1\nlogLevel: info\nmetricsPort: 2020\n")

    def render(release, expression, *arguments):
        (chart / "templates" / "rendered.yaml").write_text(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: rendered}\ndata:\n  text: {{ " + expression + " | toJson }}\n"
        )
        return helm("template", release, chart, "--namespace", "telemetry", *arguments)

    def text(release, expression, *arguments):
        result = render(release, expression, *arguments)
        assert result.returncode == 0, result.stderr
        return yaml.safe_load(result.stdout)["data"]["text"]

    text.refusal = lambda *arguments: render(*arguments).stderr
    return text


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(what, ready, seconds=60):
    deadline = time.monotonic() + seconds
    while not (answer := ready()):
        assert time.monotonic() < deadline, f"{what} was not there within {seconds} s"
        time.sleep(0.2)
    return answer


def answers(url):
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True
