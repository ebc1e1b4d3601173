"""What a droplet does once: it mounts its volume and installs what it is told, signed or with its sum."""

import hashlib
import os
import re
import subprocess
import tarfile

import pytest

from conftest import MANIFESTS, run

DROPLET = MANIFESTS / "droplet"


# === mount-volume ===


@pytest.fixture
def volume(tmp_path, stub):
    """A volume that is a file: blkid and mkfs.xfs are the real ones, only mounting is not."""
    mounted = tmp_path / "mounted"
    (tmp_path / "devices").mkdir()
    device = tmp_path / "devices" / "scsi-0DO_Volume_clickhouse-fra1"
    with device.open("wb") as file:
        file.truncate(400 * 2**20)
    stub("systemctl")
    stub("mount", f"touch {mounted}")
    stub("mountpoint", f"test -e {mounted}")
    stub("xfs_growfs")
    (tmp_path / "fstab").touch()
    environment = {**stub.environment, "DEVICES": str(tmp_path / "devices"), "FSTAB": str(tmp_path / "fstab"), "WAIT_SECONDS": "2"}
    return device, lambda: run(DROPLET / "mount-volume", "clickhouse-fra1", tmp_path / "srv", environment=environment)


def kind(device):
    return subprocess.run(["blkid", "--probe", "--match-tag", "TYPE", "--output", "value", device], capture_output=True, text=True).stdout.strip()


def test_an_empty_volume_is_formatted_once_and_mounted_by_its_name(volume, tmp_path, stub):
    device, mount = volume
    first = mount()
    assert first.returncode == 0, first.stderr
    assert kind(device) == "xfs"
    content = hashlib.sha256(device.read_bytes()).digest()
    again = mount()
    assert again.returncode == 0, again.stderr
    assert hashlib.sha256(device.read_bytes()).digest() == content, "formatted a second time"
    (line,) = (tmp_path / "fstab").read_text().splitlines()
    assert line.split()[:3] == [str(device), str(tmp_path / "srv"), "xfs"] and "nofail" in line
    assert f"xfs_growfs {tmp_path}/srv" in stub.calls()


@pytest.mark.parametrize(("content", "probed"), [("ext4", 0), ("both", 8)])
def test_what_is_not_known_to_be_empty_is_left_alone(volume, tmp_path, content, probed, stub):
    device, mount = volume
    subprocess.run(["mkfs.ext4", "-q", "-F", device], check=True)
    if content == "both":
        # Two superblocks, at different places: blkid cannot tell which holds.
        other = tmp_path / "other"
        with other.open("wb") as file:
            file.truncate(400 * 2**20)
        subprocess.run(["mkfs.xfs", "-q", other], check=True)
        with device.open("r+b") as file:
            file.write(other.open("rb").read(512))
    assert subprocess.run(["blkid", "--probe", device], capture_output=True).returncode == probed
    # mkfs.xfs would refuse by itself; this must not come to it.
    stub("mkfs.xfs")
    before = hashlib.sha256(device.read_bytes()).digest()
    result = mount()
    assert result.returncode == 1 and "left untouched" in result.stderr
    assert hashlib.sha256(device.read_bytes()).digest() == before
    assert not any(call.startswith(("mount ", "mkfs.xfs")) for call in stub.calls())


def test_a_volume_that_never_comes_is_waited_for_and_no_longer(volume, stub):
    device, mount = volume
    device.unlink()
    result = mount()
    assert result.returncode == 1 and "did not appear within 2 s" in result.stderr
    assert stub.calls() == []


# === add-repository, fetch-archive ===


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Two keys and, armoured in one file, both of them: what a URL that somebody took over would serve."""
    home = tmp_path_factory.mktemp("gnupg")
    home.chmod(0o700)
    gpg = ["gpg", "--batch", "--quiet", "--homedir", home]
    for name in ("vendor", "intruder"):
        subprocess.run([*gpg, "--passphrase", "", "--quick-generate-key", f"{name}@example.com", "ed25519", "sign", "never"], check=True, capture_output=True)
    listing = subprocess.run([*gpg, "--list-keys", "--with-colons"], check=True, capture_output=True, text=True).stdout
    vendor, intruder = re.findall(r"(?m)^fpr:+([0-9A-F]{40}):", listing)
    file = home / "keys.asc"
    file.write_text(subprocess.run([*gpg, "--armor", "--export"], check=True, capture_output=True, text=True).stdout)
    yield file.as_uri(), vendor, intruder
    subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False)


def add_repository(tmp_path, url, fingerprints):
    (tmp_path / "sources").mkdir(exist_ok=True)
    environment = {**os.environ, "KEYRINGS": str(tmp_path / "keyrings"), "SOURCES": str(tmp_path / "sources")}
    return run(DROPLET / "add-repository", "vendor", url, fingerprints, "https://apt.example.com/ stable main", environment=environment)


def test_only_the_named_keys_are_trusted(keys, tmp_path):
    url, vendor, intruder = keys
    result = add_repository(tmp_path, url, f"{vendor},{'0' * 40}")
    assert result.returncode == 0, result.stderr
    keyring = tmp_path / "keyrings" / "vendor.gpg"
    trusted = subprocess.run(["gpg", "--batch", "--show-keys", "--with-colons", keyring], capture_output=True, text=True).stdout
    assert vendor in trusted and intruder not in trusted
    source = (tmp_path / "sources" / "vendor.list").read_text()
    assert source == f"deb [arch=amd64 signed-by={keyring}] https://apt.example.com/ stable main\n"


@pytest.mark.parametrize("fingerprints", ["0" * 40, "8919F6BD2B48D754", ""])
def test_a_repository_without_its_key_is_not_added(keys, tmp_path, fingerprints):
    result = add_repository(tmp_path, keys[0], fingerprints)
    assert result.returncode == 1
    assert list((tmp_path / "sources").iterdir()) == [] and not (tmp_path / "keyrings" / "vendor.gpg").exists()


@pytest.fixture
def archive(tmp_path):
    file = tmp_path / "release.tar.gz"
    for name in ("vmauth-prod", "other"):
        (tmp_path / name).write_text(name)
    with tarfile.open(file, "w:gz") as tar:
        for name in ("vmauth-prod", "other"):
            tar.add(tmp_path / name, name)
    (tmp_path / "installed").mkdir()
    return file


def test_an_archive_is_installed_only_with_the_sum_that_was_given(archive, tmp_path):
    good = hashlib.sha256(archive.read_bytes()).hexdigest()
    for checksum, names, message in [
        ("f" * 64, ["vmauth-prod"], "nothing was installed"), ("", ["vmauth-prod"], "not a SHA-256 sum"), (good, ["absent"], "lacks one of"),
    ]:
        result = run(DROPLET / "fetch-archive", archive.as_uri(), checksum, tmp_path / "installed", *names, environment=os.environ)
        assert result.returncode == 1 and message in result.stderr
        assert list((tmp_path / "installed").iterdir()) == []
    result = run(DROPLET / "fetch-archive", archive.as_uri(), good, tmp_path / "installed", "vmauth-prod", environment=os.environ)
    assert result.returncode == 0, result.stderr
    assert [file.name for file in (tmp_path / "installed").iterdir()] == ["vmauth-prod"]
