use super::*;
use crate::evidence::{ClusterReference, Link};
use rstest::rstest;
use serde_json::Value;
use serde_json::json;
use std::io::Write;

fn read(text: &str) -> Result<Terraform, ConnectError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    TerraformDocument::read(file.path()).map(|document| document.evidence().clone())
}

fn sample(name: &str) -> Value {
    let file = format!(
        "{}/../testdata/terraform/recorded/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn resources<'a>(document: &'a mut Value, pointer: &str) -> &'a mut Vec<Value> {
    let module = document.pointer_mut(pointer).unwrap();
    module["resources"].as_array_mut().unwrap()
}

#[rstest]
#[case::not_json("Terraform will perform", "it is not JSON")]
#[case::cut("{\"format_version\":\"1.2\"", "it stops before its end")]
#[case::binary_plan("PK\u{3}\u{4}", "a plan as Terraform stores it")]
#[case::state_file("{\"version\":4,\"serial\":1}", "a state file is not either")]
#[case::of_the_future(
    "{\"format_version\":\"2.0\"}",
    "its format_version is \"2.0\"; this version reads 1.x"
)]
#[case::utf_8_with_a_mark("\u{feff}{\"format_version\":\"1.2\"}", "begins with a byte order mark (BOM)")]
#[case::other_types("{\"format_version\":\"1.2\",\"resource_changes\":7}", "of another type")]
fn what_is_no_such_document_is_refused(#[case] text: &str, #[case] words: &str) {
    let error = read(text).unwrap_err();
    assert!(error.to_string().contains(words), "{error}");
    assert!(error.tool_error().hints[0].contains("terraform "));
}

#[rstest]
#[case::little(|c: u16| c.to_le_bytes(), true)]
#[case::big(|c: u16| c.to_be_bytes(), true)]
#[case::without_a_mark(|c: u16| c.to_le_bytes(), false)]
fn utf_16_is_told_and_how_to_get_utf_8(#[case] bytes: fn(u16) -> [u8; 2], #[case] mark: bool) {
    let text = "{\"format_version\":\"1.2\"}".encode_utf16();
    let text = mark.then_some(0xfeff).into_iter().chain(text);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&text.flat_map(bytes).collect::<Vec<u8>>()).unwrap();
    let error = TerraformDocument::read(file.path()).unwrap_err();
    assert!(
        error.to_string().contains("it is UTF-16, as PowerShell writes"),
        "{error}"
    );
    assert!(error.tool_error().hints[0].starts_with("cmd /c "));
}

#[test]
fn an_empty_state_holds_nothing() {
    let empty = read("{\"format_version\":\"1.0\"}").unwrap();
    assert_eq!(empty.kind, TerraformKind::State);
    assert_eq!((empty.is, empty.planned), (Some(TerraformResources::default()), None));
}

#[rstest]
#[case("state", TerraformKind::State, true, false)]
#[case("refresh-only", TerraformKind::Plan, true, false)]
#[case("plan-of-existing", TerraformKind::Plan, true, true)]
#[case("plan-create", TerraformKind::Plan, false, true)]
fn state_and_plans_say_the_same_of_the_region(
    #[case] name: &str,
    #[case] kind: TerraformKind,
    #[case] is: bool,
    #[case] planned: bool,
) {
    let read = read(&sample(name).to_string()).unwrap();
    assert_eq!((read.kind, read.complete, read.unrefreshed), (kind, true, false));
    assert_eq!(read.made.is_some(), kind == TerraformKind::Plan);
    assert_eq!(read.newest.is_some(), is);
    assert_eq!((read.is.is_some(), read.planned.is_some()), (is, planned));
    let resource = |kind: &str, name: &str| Link::Resource(format!("digitalocean_{kind}.{name}"));
    for resources in [&read.is, &read.planned].into_iter().flatten() {
        assert_eq!(resources.droplets.len(), 3);
        for droplet in &resources.droplets {
            assert_eq!(droplet.vpc, resource("vpc", "telemetry"), "{}", droplet.address);
            assert_eq!(droplet.region, "fra1");
            assert_eq!(droplet.tags.as_deref(), Some(&["telemetry-fra1".to_owned()][..]));
        }
        let names = ["clickhouse", "vector_agg", "victoriametrics"];
        for (attachment, name) in resources.attachments.iter().zip(names) {
            assert_eq!(attachment.droplet, resource("droplet", name));
            assert_eq!(attachment.volume, resource("volume", name));
        }
        let firewall = &resources.firewalls[0];
        assert_eq!(firewall.droplets, [resource("droplet", "clickhouse")]);
        assert_eq!(
            (firewall.inbound[1].ports.as_str(), firewall.rules_known),
            ("8443", true)
        );
        assert_eq!(resources.volumes.len(), 3);
        assert_eq!(resources.snapshots.len(), 2);
        // Before there is a volume there is no snapshot, and the check that reads it fails.
        assert!(
            resources
                .snapshots
                .iter()
                .all(|snapshot| snapshot.created.is_some() == is)
        );
        if is {
            assert_eq!(resources.snapshots[0].volume, resource("volume", "clickhouse"));
        }
    }
    assert_eq!(read.checks.len(), if is { 0 } else { 2 });
    assert_eq!((read.clusters, read.changes), (vec![], vec![]));
    assert_eq!((read.gone, read.changed, read.unread), (vec![], vec![], vec![]));
}

#[test]
fn a_droplet_elsewhere_and_a_region_in_a_module_are_told() {
    let mut state = sample("state");
    let module = resources(&mut state, "/values/root_module");
    for resource in module.iter_mut() {
        if resource["address"] == "digitalocean_droplet.clickhouse" {
            resource["values"]["vpc_uuid"] = "another".into();
        }
    }
    let elsewhere = read(&state.to_string()).unwrap().is.unwrap();
    assert_eq!(elsewhere.droplets[0].vpc, Link::Elsewhere("another".to_owned()));

    let mut plan = sample("plan-create");
    let mut inner = std::mem::take(resources(&mut plan, "/planned_values/root_module"));
    for resource in &mut inner {
        let address = resource["address"].as_str().unwrap().to_owned();
        resource["address"] = format!("module.region[\"fra.1\"].{address}").into();
    }
    let configuration = std::mem::take(&mut plan["configuration"]["root_module"]);
    plan["planned_values"]["root_module"] =
        json!({"child_modules": [{"address": "module.region[\"fra.1\"]", "resources": inner}]});
    plan["configuration"]["root_module"] = json!({"module_calls": {"region": {"module": configuration}}});
    let nested = read(&plan.to_string()).unwrap().planned.unwrap();
    assert_eq!(nested.droplets.len(), 3);
    let vpc = |name: &str| Link::Resource(format!("module.region[\"fra.1\"].digitalocean_vpc.{name}"));
    assert_eq!(nested.droplets[0].vpc, vpc("telemetry"));

    // Given to the module as an argument, which the module names as a variable.
    let region = &mut plan["configuration"]["root_module"]["module_calls"]["region"];
    region["expressions"] = json!({"vpc": {"references": ["digitalocean_vpc.shared.id", "digitalocean_vpc.shared"]}});
    for resource in region["module"]["resources"].as_array_mut().unwrap() {
        if resource["type"] == "digitalocean_droplet" {
            resource["expressions"]["vpc_uuid"] = json!({"references": ["var.vpc"]});
        }
    }
    plan["planned_values"]["root_module"]["resources"] = json!([{
        "address": "digitalocean_vpc.shared", "mode": "managed", "type": "digitalocean_vpc", "values": {},
    }]);
    let given = read(&plan.to_string()).unwrap().planned.unwrap();
    let shared = Link::Resource("digitalocean_vpc.shared".to_owned());
    assert_eq!(given.droplets[0].vpc, shared);
}

#[rstest]
#[case::rule("inbound_rule", json!([{"source_kubernetes_ids": ["bd5f5959"]}]), "bd5f5959")]
#[case::source("inbound_rule", json!([{"source_tags": ["k8s:bd5f5959"]}]), "k8s:bd5f5959")]
#[case::tag("tags", json!(["k8s:bd5f5959", "telemetry-fra1"]), "k8s:bd5f5959")]
#[case::project("resources", json!(["do:droplet:1", "do:kubernetes:bd5f5959"]), "do:kubernetes:bd5f5959")]
fn a_value_that_names_a_cluster_is_found(#[case] attribute: &str, #[case] value: Value, #[case] to: &str) {
    let mut state = sample("state");
    let resource = &mut resources(&mut state, "/values/root_module")[0];
    let from = format!("{} {attribute}", resource["address"].as_str().unwrap());
    resource["values"][attribute] = value;
    let to = to.to_owned();
    assert_eq!(
        read(&state.to_string()).unwrap().clusters,
        [ClusterReference { from, to }]
    );
}

#[test]
fn a_cluster_and_whatever_refers_to_one_is_found() {
    let mut plan = sample("refresh-only");
    resources(&mut plan, "/prior_state/values/root_module").push(json!({
        "address": "digitalocean_kubernetes_cluster.blue", "mode": "managed", "type": "digitalocean_kubernetes_cluster",
        "provider_name": "registry.terraform.io/digitalocean/digitalocean", "values": {},
    }));
    resources(&mut plan, "/prior_state/values/root_module").push(json!({
        "address": "helm_release.x", "mode": "managed", "type": "helm_release",
        "provider_name": "registry.terraform.io/hashicorp/helm", "values": {},
        "depends_on": ["digitalocean_kubernetes_cluster.blue"],
    }));
    resources(&mut plan, "/configuration/root_module")[0]["expressions"]["name"] =
        json!({"references": ["data.digitalocean_kubernetes_cluster.blue.name"]});
    plan["configuration"]["root_module"]["module_calls"]["more"] =
        json!({"expressions": {"id": {"references": ["digitalocean_kubernetes_cluster.blue.id"]}}});
    plan["variables"]["cluster_id"] = json!({"value": "hush"});
    let found = read(&plan.to_string()).unwrap().clusters;
    let from: Vec<&str> = found.iter().map(|reference| reference.from.as_str()).collect();
    assert_eq!(
        from,
        [
            "digitalocean_droplet.clickhouse name",
            "digitalocean_kubernetes_cluster.blue",
            "helm_release.x",
            "helm_release.x depends_on",
            "module.more id",
            "var.cluster_id",
        ]
    );
    assert!(!format!("{found:?}").contains("hush"));
}

#[test]
fn what_a_plan_would_take_away_is_told() {
    let mut plan = sample("refresh-only");
    let change = |address: &str, kind: &str, actions: Value| json!({"address": address, "mode": "managed", "type": kind, "change": {"actions": actions}});
    plan["resource_changes"] = json!([
        change(
            "digitalocean_volume.clickhouse",
            "digitalocean_volume",
            json!(["delete", "create"])
        ),
        change(
            "digitalocean_droplet.clickhouse",
            "digitalocean_droplet",
            json!(["create", "delete"])
        ),
        change(
            "digitalocean_record.clickhouse",
            "digitalocean_record",
            json!(["delete"])
        ),
        change("digitalocean_vpc.telemetry", "digitalocean_vpc", json!(["update"])),
    ]);
    plan["errored"] = true.into();
    let read = read(&plan.to_string()).unwrap();
    assert!(!read.complete);
    let kinds: Vec<&str> = read.changes.iter().map(|change| change.kind.as_str()).collect();
    assert_eq!(kinds, ["digitalocean_volume", "digitalocean_droplet"]);
    let addresses: Vec<&str> = read.changes.iter().map(|change| change.address.as_str()).collect();
    assert_eq!(
        addresses,
        ["digitalocean_volume.clickhouse", "digitalocean_droplet.clickhouse"]
    );
}
