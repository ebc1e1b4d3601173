"""The program that puts Gateway API CRDs over DigitalOcean's, with stand-ins for helm and kubectl that note what they are asked."""

import os
import subprocess

import pytest

from conftest import MANIFESTS

PROGRAM = MANIFESTS / "gateway-api-crds"
CRDS = "kind: CustomResourceDefinition\nmetadata:\n  name: gatewayclasses.gateway.networking.k8s.io\n"


@pytest.fixture
def cluster(tmp_path):
    """Runs the program; `present` are the CRDs that the cluster has, `refuses` what kubectl fails on."""
    calls = tmp_path / "calls"

    def run(*arguments, crds=CRDS, present=(), refuses="nothing"):
        calls.write_text("")
        (tmp_path / "crds.yaml").write_text(crds)
        (tmp_path / "present").write_text("".join(f"customresourcedefinition.apiextensions.k8s.io/{name}\n" for name in present))
        stubs = {
            "helm": f'cat {tmp_path / "crds.yaml"}',
            "kubectl": f'[ "$1" != {refuses} ] || exit 1\n[ "$1" != get ] || cat {tmp_path / "present"}',
        }
        for name, body in stubs.items():
            stub = tmp_path / name
            stub.write_text(f'#!/bin/sh\necho "{name} $*" >> {calls}\n{body}\n')
            stub.chmod(0o755)
        result = subprocess.run(
            [PROGRAM, *arguments], capture_output=True, text=True, timeout=60, env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        )
        return result, [call.split(" --filename")[0] for call in calls.read_text().splitlines()]

    return run


ARGUMENTS = ("oci://docker.io/envoyproxy/gateway-helm", "v1.9.0")
APPLY = ["kubectl apply --server-side --force-conflicts --field-manager=starform", "kubectl wait --for=condition=Established --timeout=60s"]


def test_what_digitalocean_manages_becomes_ours_before_it_changes(cluster):
    result, calls = cluster(*ARGUMENTS, present=("gateways.gateway.networking.k8s.io", "httproutes.gateway.networking.k8s.io"))
    assert result.returncode == 0, result.stderr
    assert calls[0] == "helm show crds oci://docker.io/envoyproxy/gateway-helm --version v1.9.0"
    six = {"gatewayclasses", "gateways", "httproutes", "grpcroutes", "tlsroutes", "referencegrants"}
    assert calls[1].startswith("kubectl get crd --ignore-not-found --output name ")
    assert set(calls[1].split()[6:]) == {f"{name}.gateway.networking.k8s.io" for name in six}
    annotated = "kubectl annotate --overwrite customresourcedefinition.apiextensions.k8s.io/{}.gateway.networking.k8s.io doks.digitalocean.com/install-policy=external"
    assert calls[2:] == [annotated.format("gateways"), annotated.format("httproutes"), *APPLY]


def test_where_nobody_manages_any_they_are_installed(cluster):
    result, calls = cluster(*ARGUMENTS)
    assert result.returncode == 0, result.stderr
    assert calls[2:] == APPLY


@pytest.mark.parametrize(("refuses", "last"), [("get", "get"), ("annotate", "annotate"), ("apply", "apply"), ("wait", "wait")])
def test_it_ends_where_the_cluster_refuses(cluster, refuses, last):
    result, calls = cluster(*ARGUMENTS, present=("gateways.gateway.networking.k8s.io",), refuses=refuses)
    assert result.returncode != 0
    assert calls[-1].split()[1] == last


def test_a_chart_without_crds_changes_nothing(cluster):
    result, calls = cluster(*ARGUMENTS, crds="")
    assert result.returncode == 1
    assert "has no CRDs of the Gateway API" in result.stderr
    assert len(calls) == 1


def test_usage(cluster):
    result, calls = cluster()
    assert (result.returncode, calls) == (2, [])
    assert result.stderr.startswith("gateway-api-crds CHART VERSION")


def test_it_is_a_clean_program():
    for program in (PROGRAM, MANIFESTS.parents[1] / "tests" / "helm" / "run", MANIFESTS.parents[1] / "tests" / "helm" / "setup"):
        result = subprocess.run(["shellcheck", program], capture_output=True, text=True, timeout=60)
        assert result.returncode == 0, result.stdout
        assert os.access(program, os.X_OK)
