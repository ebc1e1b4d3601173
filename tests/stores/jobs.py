"""The droplets' nightly jobs, for what they report: the real programs of manifests/region/droplet, against the tests' part of
DigitalOcean's API. A volume is not frozen, for there is none. Of `backup-closed-days` only the report is made: on the first
day of a store no day is closed, and tests/region runs it over others.
"""

import os
import subprocess
import threading

from clickhouse import MANIFESTS
from digitalocean import DigitalOcean

DROPLET = MANIFESTS / "droplet"
# Within what RegionJobMissing and the auditor allow.
EVERY = 6 * 3600
# report-metrics repeats within that.
PATIENCE = 120


class Jobs:
    def __init__(self, directory, credentials, region, host):
        self.directory, self.credentials, self.region, self.host = directory, credentials, region, host
        self.ends = threading.Event()
        stub = directory / "stub"
        stub.mkdir(exist_ok=True)
        (stub / "fsfreeze").write_text("#!/bin/sh\n")
        (stub / "fsfreeze").chmod(0o755)
        self.path = f"{stub}:{DROPLET}:{os.environ['PATH']}"
        self.api = DigitalOcean()

    def run(self):
        """Once; an error names the job that failed."""
        for store in ("clickhouse", "victoriametrics"):
            volume = self.directory / store / "volume"
            volume.mkdir(parents=True, exist_ok=True)
            more = {"VOLUME_ID": f"volume-of-{store}", "SNAPSHOT_NAME": f"{store}-{self.region}", "VOLUME_DIRECTORY": str(volume)}
            self.job(store, "volume-snapshot", "snapshot-volume", more)
        self.job("clickhouse", "backup-closed-days", None, {})
        volumes = ",".join(f"{store}-{self.region}" for store in ("clickhouse", "victoriametrics"))
        self.job("vector_agg", "prune-snapshots", "prune-snapshots", {"SNAPSHOT_VOLUMES": volumes})

    def again(self):
        """From time to time, until `close`."""
        def loop():
            while not self.ends.wait(EVERY):
                try:
                    self.run()
                except RuntimeError as error:
                    print(error, flush=True)

        threading.Thread(target=loop, daemon=True).start()

    def job(self, droplet, unit, program, more):
        environment = {
            **os.environ, "PATH": self.path, "CREDENTIALS_DIRECTORY": str(self.credentials / droplet), "REGION": self.region,
            "DROPLET": droplet, "METRICS_URL": f"https://{self.host}:8427/api/v1/import/prometheus", "DIGITALOCEAN_API": self.api.url, **more,
        }
        failed = False
        said = ""
        if program is not None:
            ended = subprocess.run([DROPLET / program], env=environment, capture_output=True, text=True, timeout=PATIENCE)
            said = ended.stderr.strip()
            failed = ended.returncode != 0
        # As report-job@.service calls it.
        report = [DROPLET / "report-job", f"{unit}:{'failure' if failed else 'success'}"]
        ended = subprocess.run(report, env=environment, capture_output=True, text=True, timeout=PATIENCE)
        if failed or ended.returncode != 0:
            raise RuntimeError(f"{unit} of {droplet}: {said} {ended.stderr.strip()}")

    def close(self):
        self.ends.set()
        self.api.server.shutdown()
