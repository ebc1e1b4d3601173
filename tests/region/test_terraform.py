"""The Terraform files: their form, what the contract names, and that no variable lets a mistake through."""

import json
import re
import subprocess

import hcl2
import pytest
import yaml

from conftest import MANIFESTS

DROPLETS = {"clickhouse": "so-4vcpu-32gb", "victoriametrics": "c-4", "vector_agg": "c-2"}
# Every port that is let in, and from where. Another one is a decision, made here too.
INBOUND = {
    "clickhouse": {"8443": ["local.clients", "digitalocean_droplet.vector_agg.id"], "9363": ["digitalocean_droplet.victoriametrics.id"]},
    "victoriametrics": {"8427": ["local.clients"]},
    "vector_agg": {"8080": ["local.clients"], "9598": ["digitalocean_droplet.victoriametrics.id"]},
}


def plain(value):
    """python-hcl2 keeps quotation marks and `${}`: what stands in the file, without either."""
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items() if not str(key).startswith("__")}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, str):
        return re.sub(r"^\$\{(.*)\}$", r"\1", value.strip('"'), flags=re.S)
    return value


@pytest.fixture(scope="module")
def resources():
    found = {}
    for file in sorted(MANIFESTS.glob("*.tf")):
        for block in hcl2.loads(file.read_text()).get("resource", []):
            for kind, named in plain(block).items():
                for name, body in named.items():
                    assert (kind, name) not in found, f"{kind}.{name} stands twice"
                    found[kind, name] = body
    return found


def test_the_files_are_formatted():
    result = subprocess.run(["terraform", "fmt", "-check", "-recursive", "-diff", "."], cwd=MANIFESTS, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_provider_is_pinned():
    providers = plain(hcl2.loads((MANIFESTS / "versions.tf").read_text()))["terraform"][0]["required_providers"][0]
    assert list(providers) == ["digitalocean"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", providers["digitalocean"]["version"])


def test_the_droplets_are_the_contracts(resources):
    droplets = {name: body for (kind, name), body in resources.items() if kind == "digitalocean_droplet"}
    assert {name: body["size"] for name, body in droplets.items()} == DROPLETS
    for name, body in droplets.items():
        assert body["vpc_uuid"] == "digitalocean_vpc.telemetry.id"
        assert body["user_data"] == f"local.user_data.{name}"
        # A volume in the droplet's own list and an attachment would fight over it; ignored user data would never be installed.
        assert "volume_ids" not in body
        assert "lifecycle" not in body, "a droplet must be replaceable, and replaced when its user data changes"


def test_state_lives_on_volumes_that_cannot_be_destroyed(resources):
    for name in DROPLETS:
        assert resources["digitalocean_volume", name]["lifecycle"] == [{"prevent_destroy": True}]
        assert "initial_filesystem_type" not in resources["digitalocean_volume", name]
        attachment = resources["digitalocean_volume_attachment", name]
        assert attachment == {"droplet_id": f"digitalocean_droplet.{name}.id", "volume_id": f"digitalocean_volume.{name}.id"}
    assert resources["digitalocean_vpc", "telemetry"]["lifecycle"] == [{"prevent_destroy": True}]


def test_only_the_vpc_and_its_peers_are_let_in(resources):
    for name, ports in INBOUND.items():
        firewall = resources["digitalocean_firewall", name]
        assert firewall["droplet_ids"] == [f"digitalocean_droplet.{name}.id"]
        seen = {}
        for rule in firewall["inbound_rule"]:
            assert rule["protocol"] == "tcp"
            seen[rule["port_range"]] = sorted([*([rule["source_addresses"]] if "source_addresses" in rule else []), *rule.get("source_droplet_ids", [])])
            assert set(rule) <= {"protocol", "port_range", "source_addresses", "source_droplet_ids"}
        assert seen == {port: sorted(sources) for port, sources in ports.items()}
        dynamic = [block["inbound_rule"] for block in firewall["dynamic"] if "inbound_rule" in block]
        assert [rule["content"][0]["port_range"] for rule in dynamic] == ["22"]
        assert all("local.admin_ranges" in rule["for_each"] for rule in dynamic)
        assert any("outbound_rule" in block for block in firewall["dynamic"]), "without a rule nothing may go out"


def test_no_droplet_may_send_to_any_port(resources):
    ports = re.findall(r'port_range = "([^"]+)"', (MANIFESTS / "network.tf").read_text())
    assert ports and all(re.fullmatch(r"\d+", port) for port in ports)


def test_nothing_refers_to_a_cluster():
    for file in MANIFESTS.glob("*.tf"):
        code = re.sub(r"(?m)#.*$|description\s*=.*$|<<-EOT.*?EOT", "", file.read_text(), flags=re.S | re.M)
        assert not re.search(r"kubernetes|cluster", code), f"{file.name} refers to a cluster"


def test_plan_and_state_tell_the_newest_snapshot_of_each_store():
    checks = plain(hcl2.loads((MANIFESTS / "snapshots.tf").read_text()))["check"]
    stores = {}
    for check in checks:
        ((name, body),) = check.items()
        # In a check a data source that finds nothing is a warning: the first apply finds nothing.
        ((kind, named),) = body["data"][0].items()
        assert kind == "digitalocean_volume_snapshot"
        ((store, data),) = named.items()
        assert name == f"{store}_snapshot" and body["assert"]
        stores[store] = data
    assert set(stores) == {"clickhouse", "victoriametrics"}
    for store, data in stores.items():
        assert data["most_recent"] is True and data["region"] == "var.region"
        # As snapshot-volume names them, and no volume that was made from one.
        pattern = data["name_regex"].replace("${var.region}", "fra1")
        assert re.search(pattern, f"{store}-fra1-20260820t023011z")
        assert not re.search(pattern, f"{store}-fra1-0a1b2c3d-20260820t023011z-copy")


def test_everything_is_in_the_project_and_tagged(resources):
    project = resources["digitalocean_project", "telemetry"]["resources"]
    assert sorted(project) == sorted(f"digitalocean_{kind}.{name}.urn" for kind in ("droplet", "volume") for name in DROPLETS)
    for (kind, name), body in resources.items():
        if kind in ("digitalocean_droplet", "digitalocean_volume"):
            assert body["tags"] == ["digitalocean_tag.telemetry.name"], f"{kind}.{name}"


def test_endpoints_are_names_that_outlive_the_droplets(resources, terraform):
    for name in DROPLETS:
        assert resources["digitalocean_record", name]["value"] == f"digitalocean_droplet.{name}.ipv4_address_private"
    values = yaml.safe_load(terraform.evaluate("yamlencode({ region = var.region, stores = local.endpoints })"))
    assert values == {
        "region": "fra1",
        "stores": {
            "metrics": {
                "write_url": "https://victoriametrics.fra1.telemetry.example.com:8427/api/v1/write",
                "query_url": "https://victoriametrics.fra1.telemetry.example.com:8427",
            },
            "logs": {
                "host": "vector.fra1.telemetry.example.com", "port": 8080, "path": "/logs",
                "query_url": "https://clickhouse.fra1.telemetry.example.com:8443",
            },
        },
    }
    # The records' names are what the endpoints, and so the certificates, say.
    for name, host in terraform.evaluate("local.hosts").items():
        record = resources["digitalocean_record", name]["name"]
        assert host == f"{record.replace('${var.region}', 'fra1')}.telemetry.example.com"


def test_the_defaults_are_accepted(terraform):
    assert terraform.refuses() is None


@pytest.mark.parametrize(("variable", "value"), [
    ("region", "Frankfurt"),
    ("domain", "example.com."),
    ("domain", "https://example.com"),
    ("vpc_cidr", "8.8.8.0/24"),
    ("vpc_cidr", "10.40.0.0/28"),
    ("vpc_cidr", "10.40.0.7/20"),
    ("vpc_cidr", "100.64.0.0/20"),
    ("vpc_cidr", "172.32.0.0/16"),
    ("vpc_cidr", "fd00::/20"),
    ("vpc_cidr", "010.40.0.0/20"),
    ("vpc_cidr", "10.40.0.0"),
    # Everything, in every spelling, and its halves.
    ("client_ranges", ["0.0.0.0/0"]),
    ("client_ranges", ["::/0"]),
    ("client_ranges", ["10.0.0.0/0"]),
    ("client_ranges", ["fd00::/0"]),
    ("client_ranges", ["192.168.0.0/1"]),
    ("client_ranges", ["0.0.0.0/1", "128.0.0.0/1"]),
    ("client_ranges", ["::ffff:0:0/96"]),
    # A block of private addresses and its neighbours.
    ("client_ranges", ["10.0.0.0/7"]),
    ("client_ranges", ["172.16.0.0/11"]),
    ("client_ranges", ["192.168.0.0/15"]),
    ("client_ranges", ["100.64.0.0/9"]),
    ("client_ranges", ["fc00::/6"]),
    ("client_ranges", ["9.255.255.0/24"]),
    ("client_ranges", ["172.32.0.0/12"]),
    ("client_ranges", ["100.128.0.0/16"]),
    ("client_ranges", ["fe80::/10"]),
    ("client_ranges", ["2001:db8::/48"]),
    ("client_ranges", ["203.0.113.0/24"]),
    ("client_ranges", ["203.0.113.9"]),
    ("client_ranges", ["10.110.0.0/16", "203.0.113.0/24"]),
    # What another program may read as other addresses than Terraform does, or somebody meant as others.
    ("client_ranges", ["10.110.0.7/16"]),
    ("client_ranges", ["010.0.0.0/8"]),
    ("client_ranges", ["10.0.0.0/08"]),
    ("client_ranges", ["::ffff:10.0.0.0/104"]),
    ("client_ranges", ["::10.0.0.0/104"]),
    ("client_ranges", ["fd00:0:0:1::/48"]),
    ("client_ranges", ["10.0/16"]),
    ("client_ranges", ["10.0.0.0/8/0"]),
    ("client_ranges", ["10.0.0.0/33"]),
    ("client_ranges", [""]),
    ("admin_ranges", ["0.0.0.0/0"]),
    ("admin_ranges", ["::/0"]),
    ("admin_ranges", ["203.0.113.0/23"]),
    ("admin_ranges", ["10.40.0.0/20"]),
    ("admin_ranges", ["2001:db8::/63"]),
    ("admin_ranges", ["::ffff:0:0/96"]),
    ("admin_ranges", ["::ffff:203.0.113.0/120"]),
    ("admin_ranges", ["203.0.113.7/24"]),
    ("admin_ranges", ["203.0.113.0/24", "0.0.0.0/1"]),
    ("admin_ranges", ["bastion.example.com"]),
    ("ssh_key_fingerprints", []),
    ("ssh_key_fingerprints", ["ssh-ed25519 AAAA"]),
    ("image", "debian-12-x64"),
    ("clickhouse_volume_gib", 10),
    ("clickhouse_volume_gib", 500.5),
    ("victoriametrics_volume_gib", 20000),
    ("vector_volume_gib", 1),
    ("metrics_retention", "forever"),
    ("metrics_retention", "0d"),
    ("snapshots_kept", 1),
    ("restored_from", {"vector_agg": "00000000-0000-0000-0000-000000000000"}),
    ("restored_from", {"clickhouse": "clickhouse-fra1-20260820"}),
    ("alertmanager_url", "http://alerts.example.com"),
    ("alertmanager_url", "https://user:password@alerts.example.com"),
    ("clickhouse_version", "latest"),
    ("clickhouse_key_fingerprints", ["8919F6BD"]),
    ("vector_version", "0.56.0-1"),
    ("vector_key_fingerprints", []),
    ("victoriametrics_version", "1.150.0"),
    ("victoriametrics_sha256", ""),
    ("vmutils_sha256", "A" * 64),
])
def test_a_mistaken_variable_is_refused(terraform, variable, value):
    reason = terraform.refuses(**{variable: value})
    assert reason is not None, f"{variable} = {json.dumps(value)} was accepted"
    assert "Invalid value for variable" in reason and f"var.{variable}" in reason, reason


@pytest.mark.parametrize(("variable", "ranges"), [
    ("client_ranges", ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"]),
    ("client_ranges", ["10.255.255.255/32", "172.31.0.0/16", "192.168.255.0/24", "100.127.255.0/24", "fd12:3456:789a::/48", "FD00::/8"]),
    ("admin_ranges", ["203.0.113.0/24", "198.51.100.7/32", "2001:db8:1:2::/64", "2001:db8::1/128", "10.40.0.0/24"]),
])
def test_private_ranges_and_narrow_ones_of_administrators_reach_the_firewalls_as_they_are(terraform, variable, ranges):
    assert terraform.refuses(**{variable: ranges}) is None
    assert terraform.evaluate(f"local.{variable}", **{variable: ranges}) == ranges


@pytest.mark.parametrize("variable", ["client_ranges", "admin_ranges"])
def test_an_address_alone_is_a_range_of_one(terraform, variable):
    assert terraform.refuses(**{variable: ["10.40.0.5", "fd00::5"]}) is None
    assert terraform.evaluate(f"local.{variable}", **{variable: ["10.40.0.5", "fd00::5"]}) == ["10.40.0.5/32", "fd00::5/128"]


def test_the_firewalls_get_the_ranges_that_were_judged(resources):
    network = hcl2.loads((MANIFESTS / "network.tf").read_text())
    assert plain(network["locals"][0]["clients"]) == "concat([digitalocean_vpc.telemetry.ip_range], local.client_ranges)"
    assert "var." not in str([resources["digitalocean_firewall", name]["inbound_rule"] for name in DROPLETS])


def test_a_volume_from_a_snapshot_has_a_name_of_its_own(resources, terraform):
    assert terraform.evaluate("local.restored") == {"clickhouse": "", "victoriametrics": ""}
    restored = terraform.evaluate("local.restored", restored_from={"clickhouse": "0a1b2c3d-0000-0000-0000-000000000000"})
    assert restored == {"clickhouse": "-0a1b2c3d", "victoriametrics": ""}
    for name in restored:
        volume = resources["digitalocean_volume", name]
        assert volume["name"].endswith(f"${{local.restored.{name}}}")
        assert volume["snapshot_id"] == f'lookup(var.restored_from, "{name}", null)'
