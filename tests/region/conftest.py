"""What the checks share: the manifests as Terraform renders them, and programs that are run on loopback."""

import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

MANIFESTS = Path(__file__).resolve().parents[2] / "manifests" / "region"

# What an operator has to give; everything else has a default.
VARIABLES = {
    "region": "fra1",
    "domain": "telemetry.example.com",
    "vpc_cidr": "10.40.0.0/20",
    "ssh_key_fingerprints": ["3b:16:bf:e4:8b:00:8b:b8:59:8c:a9:d3:f0:19:45:fa"],
    "victoriametrics_sha256": "0" * 64,
    "vmutils_sha256": "1" * 64,
}

# Attributes that only the API knows, as they stand in the locals.
KNOWN_AFTER_APPLY = re.compile(r"digitalocean_volume\.([a-z_]+)\.(id|name)")


class Terraform:
    """The variables, locals and templates, without the resources: so no provider is needed, and none can be had in CI."""

    def __init__(self, directory):
        self.directory = directory
        shutil.copytree(MANIFESTS, directory, dirs_exist_ok=True)
        for file in directory.glob("*.tf"):
            if file.name not in ("variables.tf", "addresses.tf", "cloud_init.tf", "outputs.tf"):
                file.unlink()
        locals_ = directory / "cloud_init.tf"
        locals_.write_text(KNOWN_AFTER_APPLY.sub(r'"\1-\2"', locals_.read_text()))
        outputs = directory / "outputs.tf"
        # The outputs that name resources go, the locals stay.
        outputs.write_text(re.sub(r'output "(droplets|vpc)" \{.*?\n\}\n', "", outputs.read_text(), flags=re.S))

    def run(self, *arguments, variables, stdin=None):
        (self.directory / "test.auto.tfvars.json").write_text(json.dumps(variables))
        return subprocess.run(
            ["terraform", *arguments], cwd=self.directory, input=stdin, capture_output=True, text=True, timeout=60,
            env={**os.environ, "TF_CLI_CONFIG_FILE": "/dev/null", "CHECKPOINT_DISABLE": "1", "NO_COLOR": "1"},
        )

    def evaluate(self, expression, **variables):
        result = self.run("console", variables={**VARIABLES, **variables}, stdin=f"jsonencode({expression})\n")
        assert result.returncode == 0, result.stderr
        return json.loads(json.loads(result.stdout))

    def refuses(self, **variables):
        """Why `terraform plan` refuses the variables, or None."""
        result = self.run("plan", "-input=false", "-no-color", "-state=none.tfstate", variables={**VARIABLES, **variables})
        return None if result.returncode == 0 else result.stderr


@pytest.fixture(scope="session")
def terraform(tmp_path_factory):
    return Terraform(tmp_path_factory.mktemp("terraform"))


@pytest.fixture(scope="session")
def files(terraform):
    """What cloud-init writes, by droplet and path."""
    return terraform.evaluate("local.files")


@pytest.fixture(scope="session")
def credentials(tmp_path_factory):
    """A region's credentials, made by the operator's own program."""
    directory = tmp_path_factory.mktemp("credentials")
    (directory / "snapshot-token").write_text("token-that-makes\n")
    (directory / "prune-token").write_text("token-that-deletes\n")
    subprocess.run([MANIFESTS / "credentials", "make", directory, "fra1", "telemetry.example.com"], check=True, timeout=60)
    return directory


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(what, ready, seconds=30):
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, f"{what} was not ready within {seconds} s"
        time.sleep(0.1)


def answers(url):
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


@pytest.fixture
def stub(tmp_path):
    """Puts programs before the real ones; each notes how it was called in `calls`."""
    directory = tmp_path / "stubs"
    directory.mkdir()
    calls = tmp_path / "calls"
    calls.touch()

    def make(name, body=""):
        file = directory / name
        file.write_text(f'#!/bin/sh\necho "{name} $*" >> {calls}\n{body}\n')
        file.chmod(0o755)

    make.calls = lambda: calls.read_text().splitlines()
    make.environment = {**os.environ, "PATH": f"{directory}:{os.environ['PATH']}"}
    return make


def run(program, *arguments, environment, stdin=None):
    return subprocess.run([program, *map(str, arguments)], env=environment, input=stdin, capture_output=True, text=True, timeout=120)
