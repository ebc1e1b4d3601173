"""A region's stores, on one machine: real VictoriaMetrics, vmauth and vmalert, ClickHouse's own engine behind a front, and a
stand-in for Vector. Every credential is made by manifests/region/credentials, every name and port is the droplets'.

Runs as the first process of namespaces of its own (network, mounts, processes): whatever it started ends with it. It ends with
its standard input. There it takes commands, one JSON object a line, and answers each with one on its standard output.
"""

import argparse
import fcntl
import json
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "region"))

from clickhouse import MANIFESTS  # noqa: E402
from clickhouse_server import ClickHouse  # noqa: E402
from jobs import Jobs  # noqa: E402
from programs import HEALTH, Programs  # noqa: E402
from secure import Refused  # noqa: E402
from vector import Vector  # noqa: E402

PATIENCE = 30


class Region:
    def __init__(self, directory, binaries, region, domain):
        self.directory = directory
        (directory / "log").mkdir(parents=True, exist_ok=True)
        self.lock = (directory / "lock").open("w")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RuntimeError(f"other stores are up in {directory}: end them first") from None
        hosts = {name: f"{name}.{region}.{domain}" for name in ("victoriametrics", "clickhouse", "vector")}
        self.network(hosts)
        self.credentials = directory / "credentials"
        self.make_credentials(region, domain)
        self.programs = Programs(directory, binaries, self.credentials, region, hosts)
        # Meanwhile the engine starts.
        for name in HEALTH:
            self.programs.start(name)
        clickhouse = ClickHouse(directory / "logs", self.credentials)
        self.servers = {"clickhouse": clickhouse, "vector": Vector(self.credentials, f"https://{hosts['clickhouse']}:8443")}
        for server in self.servers.values():
            server.start()
        self.wait(HEALTH)
        self.jobs = Jobs(directory, self.credentials, region, hosts["victoriametrics"])
        self.jobs.run()
        self.jobs.again()

    def network(self, hosts):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True, timeout=PATIENCE)
        names = "".join(f"127.0.0.1 {name}\n" for name in ("localhost", *hosts.values()))
        (self.directory / "hosts").write_text(names)
        subprocess.run(["mount", "--bind", self.directory / "hosts", "/etc/hosts"], check=True, timeout=PATIENCE)

    def make_credentials(self, region, domain):
        """Those that are missing: on a second start they are the first one's."""
        self.credentials.mkdir(exist_ok=True)
        # The only tokens that the tests' part of DigitalOcean's API knows.
        (self.credentials / "snapshot-token").write_text("token-that-makes\n")
        (self.credentials / "prune-token").write_text("token-that-deletes\n")
        made = subprocess.run(
            [MANIFESTS / "credentials", "make", self.credentials, region, domain], capture_output=True, text=True, timeout=60,
        )
        if made.returncode != 0:
            raise RuntimeError(f"credentials make: {made.stderr.strip()}")

    def wait(self, names):
        deadline = time.monotonic() + PATIENCE
        for name in names:
            while not self.programs.healthy(name):
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{name} does not answer after {PATIENCE} s: see {self.directory}/log/{name}")
                time.sleep(0.1)

    def obey(self, command):
        match command:
            case {"stop": name} if name in HEALTH:
                self.programs.stop(name)
            case {"start": name} if name in HEALTH:
                self.programs.start(name)
                self.wait([name])
            case {"stop": name} if name in self.servers:
                self.servers[name].stop()
            case {"start": name} if name in self.servers:
                self.servers[name].start()
            case {"clickhouse-answers": status}:
                self.servers["clickhouse"].fault = status
            case {"metrics": query}:
                # What was written a moment ago is to be seen.
                parameters = urllib.parse.urlencode({"query": query, "nocache": "1"})
                with urllib.request.urlopen(f"http://127.0.0.1:8428/api/v1/query?{parameters}", timeout=PATIENCE) as answer:
                    return json.load(answer)["data"]["result"]
            case {"logs": query}:
                return json.loads(self.servers["clickhouse"].query(query, "reader", "JSON"))["data"]
            case _:
                raise RuntimeError(f"no such command: {command}")
        return None

    def close(self):
        self.jobs.close()
        # The buffer is emptied first, then the stores.
        for name in ("vector", "clickhouse"):
            self.servers[name].close()
        for name in reversed(HEALTH):
            self.programs.stop(name)


def say(answer):
    sys.__stdout__.write(json.dumps(answer) + "\n")
    sys.__stdout__.flush()


def main():
    parser = argparse.ArgumentParser()
    for name in ("directory", "binaries"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    for name in ("region", "domain"):
        parser.add_argument(f"--{name}", required=True)
    # What is printed is the log; answers alone go to the standard output.
    sys.stdout = sys.stderr
    # A terminal's interrupt goes to everybody; the end is that of the standard input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    arguments = vars(parser.parse_args())
    try:
        region = Region(**arguments)
    except Exception as error:
        say({"error": f"{type(error).__name__}: {error}"})
        raise
    say({"value": None})
    for line in sys.stdin:
        try:
            say({"value": region.obey(json.loads(line))})
        except (Refused, RuntimeError, OSError, ValueError) as error:
            say({"error": str(error)})
    region.close()


if __name__ == "__main__":
    main()
