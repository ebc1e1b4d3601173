"""A region of three droplets, booted, with DigitalOcean's API beside them: the real programs of VictoriaMetrics, and where
ClickHouse and Vector would be, which cannot be had here, something that sleeps in units like those of their packages.
"""

import json
import shutil
import urllib.parse

from digitalocean import DigitalOcean
from droplet import START_LIMIT, Droplet

STORE, DOOR = "http://127.0.0.1:8428", "victoriametrics.fra1.telemetry.example.com"
SERVICES = {
    "clickhouse": ["clickhouse-server.service", "clickhouse-schema.service"],
    "victoriametrics": ["victoriametrics.service", "vmauth.service", "vmalert.service"],
    "vector_agg": ["vector.service"],
}
TIMERS = {
    "clickhouse": ["volume-snapshot.timer", "backup-closed-days.timer"],
    "victoriametrics": ["volume-snapshot.timer"],
    "vector_agg": ["prune-snapshots.timer"],
}
STAND_INS = {
    "clickhouse-server": (
        "[Service]\nType=simple\nUser=clickhouse\nGroup=clickhouse\nRestart=always\nRestartSec=30\nRuntimeDirectory=clickhouse-server\n"
        "ExecStart=/bin/sleep infinity\nCapabilityBoundingSet=CAP_NET_ADMIN CAP_IPC_LOCK CAP_SYS_NICE CAP_NET_BIND_SERVICE\n"
    ),
    "vector": (
        "[Service]\nUser=vector\nGroup=vector\nExecStart=/bin/true\nRestart=always\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n"
        f"StartLimitInterval={START_LIMIT}\nStartLimitBurst=5\n"
    ),
}


class Region:
    def __init__(self, credentials):
        self.credentials = credentials
        self.droplets = {}

    def boot(self, files, directory):
        # The store first: the others are in its network, where every droplet's name leads to loopback.
        for name in ("victoriametrics", "clickhouse", "vector_agg"):
            (directory / name).mkdir()
            self.droplets[name] = Droplet(directory / name, name, files[name], network=self.droplets.get("victoriametrics"))
        self.api = self.droplets["victoriametrics"].inside(DigitalOcean)
        for droplet in self.droplets.values():
            environment = files[droplet.name]["/etc/starform/region.env"]
            droplet.write("/etc/starform/region.env", f"{environment}DIGITALOCEAN_API={self.api.url}\n")
        for program in ("victoria-metrics", "vmauth", "vmalert"):
            shutil.copy(shutil.which(program), self.droplets["victoriametrics"].root / "local" / "bin" / f"{program}-prod")
        clickhouse, vector = self.droplets["clickhouse"], self.droplets["vector_agg"]
        clickhouse.write("/etc/systemd/system/clickhouse-server.service", STAND_INS["clickhouse-server"])
        clickhouse.write("/usr/local/bin/clickhouse-client", "#!/bin/sh\n[ ! -e /run/slow ] || sleep 2\n[ ! -e /run/refuses ]\n")
        vector.write("/etc/systemd/system/vector.service", STAND_INS["vector"])
        vector.write("/etc/systemd/system/vector.service.d/zz.conf", "[Service]\nExecStartPre=\nExecStart=\nExecStart=/bin/sleep infinity\n")

    def ask(self, path, body=None):
        arguments = [] if body is None else ["--data-binary", "@-"]
        curl = ["curl", "--fail", "--silent", "--show-error", "--globoff", "--max-time", "30"]
        return self.droplets["victoriametrics"].run(*curl, *arguments, STORE + path, stdin=body).stdout

    def reports(self, droplet, job, since):
        """What the store has of a job: the values of both series, written since then, in seconds."""
        found = {}
        self.ask("/internal/force_flush")
        match = urllib.parse.quote(f'{{__name__=~"starform_region_job_.*",job_name="{job}",droplet="{droplet}",region="fra1"}}')
        for line in self.ask(f"/api/v1/export?match[]={match}").splitlines():
            series = json.loads(line)
            values = [value for value, time_ in zip(series["values"], series["timestamps"]) if time_ >= since * 1000]
            if values:
                found[series["metric"]["__name__"].removeprefix("starform_region_job_")] = values
        return found

    def close(self):
        # The first one's network is the others'.
        for droplet in reversed(self.droplets.values()):
            droplet.close()


def active(droplet):
    return {unit: droplet.state(unit) for unit in ["telemetry.target", "credentials.path", *TIMERS[droplet.name], *SERVICES[droplet.name]]}


def all_active(droplet):
    return set(active(droplet).values()) == {"active"}


def started(droplet):
    return [int(droplet.show(unit, "ExecMainStartTimestampMonotonic")[0]) / 1e6 for unit in SERVICES[droplet.name]]


def at_rest(droplet):
    """Whether no delivery is still to be noticed, and what it has started is at its end."""
    return (
        droplet.run("test", "-e", f"{droplet.mountpoint}/credentials/delivered", check=False).returncode == 1
        and droplet.state("credentials.service") != "activating"
        and droplet.run("systemctl", "list-jobs", "--no-legend").stdout == ""
    )


def has_those_of(droplet, delivered):
    """Whether every service runs on the credentials that were delivered then."""
    return at_rest(droplet) and all_active(droplet) and min(started(droplet)) > delivered
