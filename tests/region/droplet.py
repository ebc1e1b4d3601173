"""Droplets on this machine: a systemd that boots in namespaces of its own, a volume on a loop device, and what cloud-init would
have written. Their programs are the real ones as far as they can be had.
"""

import contextlib
import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import conftest
from conftest import MANIFESTS

BOOT = Path(__file__).parent / "boot"
DIRECTORIES = {"clickhouse": "/srv/clickhouse", "victoriametrics": "/srv/victoriametrics", "vector_agg": "/srv/vector"}
HOSTS = {"clickhouse": "clickhouse", "victoriametrics": "victoriametrics", "vector_agg": "vector"}
# Of this machine's /etc: what programs of /usr cannot do without.
ETC = ("alternatives", "group", "gshadow", "ld.so.cache", "login.defs", "nsswitch.conf", "passwd", "shadow", "ssl")
# Sparse; victoriametrics.service wants 5 GB to be free.
VOLUME_BYTES = 7 * 2**30
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"
CLONE_NEWNET = 0x40000000
# Within this long systemd allows five starts; a droplet's own 10 s would never be reached where this machine is slow.
START_LIMIT = "10min"
# Seconds, on a machine that does much else; nothing here is waited for any longer than it takes.
PATIENCE = 120


def wait_for(what, ready):
    conftest.wait_for(what, ready, seconds=PATIENCE)


def missing():
    """Why no droplet can boot here, or None."""
    if os.geteuid() != 0:
        return "only root can boot a droplet"
    if not Path("/dev/loop-control").exists():
        return "there is no loop device for a droplet's volume"
    made = subprocess.run(["unshare", "--mount", "--pid", "--net", "--cgroup", "--fork", "mount", "--make-rprivate", "/"], capture_output=True, text=True)
    return made.stderr.strip() if made.returncode != 0 else None


def cgroups():
    """Where this process's cgroup of the second version is: a hierarchy of its own, or beside those of the first."""
    mount = next(line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines() if " - cgroup2 " in line)
    own = next(line[3:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::"))
    return Path(mount) / own.lstrip("/")


class Droplet:
    def __init__(self, directory, name, files, network=None):
        self.root, self.name, self.mountpoint = directory / "root", name, DIRECTORIES[name]
        self.cgroup = cgroups() / f"region-{os.getpid()}-{name}"
        self.process = self.device = None
        for path in ("etc/systemd/system", "local/bin", "local/sbin"):
            (self.root / path).mkdir(parents=True)
        for entry in ETC:
            source = Path("/etc", entry)
            if source.is_dir():
                shutil.copytree(source, self.root / "etc" / entry, symlinks=True)
            elif source.exists():
                shutil.copy(source, self.root / "etc")
        # With one, this is not the first boot, at which systemd would enable every unit of this machine.
        self.write("/etc/machine-id", os.urandom(16).hex() + "\n")
        self.write("/etc/systemd/system.conf.d/start-limit.conf", f"[Manager]\nDefaultStartLimitIntervalSec={START_LIMIT}\n")
        self.write("/etc/fstab", "")
        self.write("/etc/hosts", "".join(f"127.0.0.1 {host}\n" for host in ("localhost", *(f"{host}.fra1.telemetry.example.com" for host in HOSTS.values()))))
        for path, content in files.items():
            self.write(path, content)
        # Of other packages than those under test.
        self.write("/etc/systemd/system/ssh.service", "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n")
        for program in ("sysctl", "fetch-archive", "add-repository", "apt-get", "apt-mark"):
            self.write(f"/usr/local/sbin/{program}", "#!/bin/sh\n")
        volume = directory / "volume"
        with volume.open("wb") as file:
            file.truncate(VOLUME_BYTES)
        try:
            self.device = subprocess.run(["losetup", "--find", "--show", volume], check=True, capture_output=True, text=True).stdout.strip()
            self.boot(network)
        except BaseException:
            self.close()
            raise

    def write(self, path, content):
        target = self.root / path.lstrip("/").replace("usr/local/", "local/", 1)
        target.parent.mkdir(parents=True, exist_ok=True)
        # A new file: what a program of the manifests has open is not changed under it.
        target.unlink(missing_ok=True)
        target.write_text(content)
        target.chmod(0o755 if content.startswith("#!") else 0o644)

    def boot(self, network):
        self.cgroup.mkdir()
        command = [BOOT, self.root, f"{HOSTS[self.name]}-fra1", *([network.pid] if network else [])]
        self.log = self.root.parent / "boot.log"
        # In a cgroup of its own before its namespaces are made: what it is in then is all that it sees.
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self.log.open("w"), stderr=subprocess.STDOUT,
            preexec_fn=lambda: (self.cgroup / "cgroup.procs").write_text(str(os.getpid())),
        )
        wait_for("systemd", self.booted)

    def booted(self):
        assert self.process.poll() is None, self.log.read_text()
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        if not children or Path(f"/proc/{children[0]}/comm").read_text() != "systemd\n":
            return False
        self.pid = children[0]
        self.enter = ["nsenter", "--all", "--root", "--wd", "--target", self.pid, "env", "--ignore-environment", f"PATH={PATH}", "HOME=/root"]
        return self.run("systemctl", "is-system-running", check=False).stdout.strip() in ("running", "degraded")

    def run(self, *command, check=True, stdin=None, timeout=2 * PATIENCE):
        result = subprocess.run([*self.enter, *map(str, command)], input=stdin, capture_output=True, text=True, timeout=timeout)
        assert not check or result.returncode == 0, f"{command}: {result.stdout}{result.stderr}\n{self.journal(lines=20)}"
        return result

    def inside(self, function):
        """What the function returns, called in the droplet's network."""
        found = []

        def enter():
            with open(f"/proc/{self.pid}/ns/net") as namespace:
                if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            found.append(function())

        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        return found[0]

    def install(self):
        """The volume is attached, then cloud-init runs the installation."""
        name = next(line.split("=")[1] for line in (self.root / "etc/starform/region.env").read_text().splitlines() if line.startswith("VOLUME_NAME="))
        self.run("ln", "--symbolic", "--force", self.device, f"/dev/disk/by-id/scsi-0DO_Volume_{name}")
        self.run("mount-volume", name, self.mountpoint)
        # In a container systemd's generator leaves devices of fstab alone, because there is no udev; out of one it does not.
        units = self.root.parent / "generated"
        units.mkdir(exist_ok=True)
        generator = "/lib/systemd/system-generators/systemd-fstab-generator"
        subprocess.run([generator, units, units, units], check=True, env={"PATH": os.environ["PATH"], "SYSTEMD_FSTAB": str(self.root / "etc/fstab")})
        unit = self.mountpoint.lstrip("/").replace("/", "-") + ".mount"
        # Nor is there anything to check: fsck.xfs does nothing.
        self.write(f"/etc/systemd/system/{unit}", re.sub(r"(?m)^.*systemd-fsck@.*\n", "", (units / unit).read_text()))
        self.run("install-telemetry")

    def deliver(self, credentials):
        """By the operator's own program. When `complete` was written, in the kernel's seconds."""
        ssh = self.root.parent / "bin" / "ssh"
        ssh.parent.mkdir(exist_ok=True)
        ssh.write_text(f'#!/bin/sh\nshift\nexec {" ".join(self.enter)} sh -c "$*"\n')
        ssh.chmod(0o755)
        environment = {**os.environ, "PATH": f"{ssh.parent}:{os.environ['PATH']}"}
        result = subprocess.run([MANIFESTS / "credentials", "deliver", credentials, self.name, "192.0.2.1"], env=environment, capture_output=True, text=True, timeout=PATIENCE)
        assert result.returncode == 0, result.stderr
        written = float(self.run("stat", "--format=%.Y", f"{self.mountpoint}/credentials/complete").stdout)
        return written - time.time() + time.monotonic()

    def show(self, unit, *properties):
        lines = self.run("systemctl", "show", unit, *(f"--property={name}" for name in properties)).stdout.splitlines()
        found = dict(line.split("=", 1) for line in lines)
        return [found[name] for name in properties]

    def state(self, unit):
        return self.show(unit, "ActiveState")[0]

    def failed(self):
        return [unit["unit"] for unit in json.loads(self.run("systemctl", "list-units", "--failed", "--output=json").stdout)]

    def journal(self, *arguments, lines=1000):
        return self.run("journalctl", "--no-pager", f"--lines={lines}", *arguments, check=False).stdout

    def close(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        deadline = time.monotonic() + 10
        while self.cgroup.exists() and time.monotonic() < deadline:
            for directory, _, _ in os.walk(self.cgroup, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(directory)
            # Its last processes are still ending.
            time.sleep(0.05)
        if self.device is not None:
            subprocess.run(["losetup", "--detach", self.device], check=False)
