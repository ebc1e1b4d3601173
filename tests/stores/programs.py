"""The region's real programs: VictoriaMetrics, vmauth and vmalert, with the flags of their units and the manifests' files."""

import os
import re
import shlex
import shutil
import subprocess
import urllib.error
import urllib.request

from clickhouse import MANIFESTS

HERE = MANIFESTS / "victoriametrics"
# Where each says that it is well, without a password.
HEALTH = {"victoriametrics": 8428, "vmauth": 8426, "vmalert": 8880}
PATIENCE = 20


class Programs:
    """All three, each of which is started and stopped by name."""

    def __init__(self, directory, binaries, credentials, region, hosts):
        self.directory, self.binaries = directory, binaries
        configuration = directory / "etc"
        shutil.rmtree(configuration, ignore_errors=True)
        (configuration / "rules").mkdir(parents=True)
        for name in ("rules.yaml", "alerts.yaml"):
            shutil.copy(HERE / name, configuration / "rules")
        shutil.copy(HERE / "vmauth.yml", configuration)
        own = credentials / "victoriametrics"
        scrape = (HERE / "scrape.yml").read_text()
        for old, new in {
            "${region}": region, "${clickhouse_host}": hosts["clickhouse"], "${vector_host}": hosts["vector"],
            "/run/credentials/victoriametrics.service": str(own),
        }.items():
            assert old in scrape, f"scrape.yml has no {old}"
            scrape = scrape.replace(old, new)
        (configuration / "scrape.yml").write_text(scrape)
        passwords = dict(line.split("=", 1) for line in (own / "vmauth.env").read_text().splitlines())
        self.environment = {**os.environ, **passwords}
        self.commands = {
            "victoriametrics": self.command("victoriametrics", {
                "/srv/victoriametrics/data": str(directory / "metrics"), "${METRICS_RETENTION}": "90d",
                "/etc/victoriametrics/scrape.yml": str(configuration / "scrape.yml"),
                # Of a machine that has other things to do, too.
                "-storage.minFreeDiskSpaceBytes=5GB": "-storage.minFreeDiskSpaceBytes=100MB",
                "-memory.allowedPercent=60": "-memory.allowedBytes=256MiB",
            }),
            "vmauth": self.command("vmauth", {"%d": str(own), "/etc/victoriametrics/vmauth.yml": str(configuration / "vmauth.yml")}),
            "vmalert": self.command("vmalert", {
                "/etc/victoriametrics/rules": str(configuration / "rules"), "${REGION}": region, "$NOTIFIER": "-notifier.blackhole",
            }),
        }
        self.running = {}

    def command(self, unit, replacements):
        """The unit's own command, with this directory's paths. Ports are the droplets': the network is the region's own."""
        content = (HERE / f"{unit}.service").read_text().replace("\\\n", " ")
        command = re.search(r"(?m)^ExecStart=(.*)$", content).group(1)
        for old, new in replacements.items():
            assert old in command, f"{unit} has no {old}: {command}"
            command = command.replace(old, new)
        program, *flags = shlex.split(command)
        name = {"victoria-metrics-prod": "victoria-metrics", "vmauth-prod": "vmauth", "vmalert-prod": "vmalert"}[program.rsplit("/", 1)[1]]
        return [str(self.binaries / name), *flags]

    def start(self, name):
        if name in self.running:
            return
        with (self.directory / "log" / name).open("a") as log:
            self.running[name] = subprocess.Popen(
                self.commands[name], env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=self.directory,
            )

    def healthy(self, name):
        """Whether it answers; an error if it has ended."""
        process = self.running[name]
        if process.poll() is not None:
            last = (self.directory / "log" / name).read_text().splitlines()[-5:]
            raise RuntimeError(f"{name} ended with {process.returncode}: {' | '.join(last)}")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{HEALTH[name]}/health", timeout=5).close()
        except urllib.error.HTTPError:
            # vmauth's inner pages are others; it answers.
            return True
        except OSError:
            return False
        return True

    def stop(self, name):
        """As systemd stops it: what it has in memory reaches its disk."""
        process = self.running.pop(name, None)
        if process is None:
            return
        process.terminate()
        try:
            process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
