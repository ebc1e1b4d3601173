//! What Terraform and DigitalOcean's provider themselves say of manifests/region, judged: as it was recorded, and with one thing
//! in it as another region has it.

use rstest::rstest;
use serde_json::{Value, json};
use starform_verify::collect::{Targets, TerraformDocument};
use starform_verify::contract::Contract;
use starform_verify::evaluate::{Selection, SelectionRequest, evaluate};
use starform_verify::evidence::Source;
use starform_verify::report::{CheckResult, Verdict};
use testdata::{collect, plan};

const FAIL: Verdict = Verdict::Fail;
const WARN: Verdict = Verdict::Warn;
const PASS: Verdict = Verdict::Pass;
const UNKNOWN: Verdict = Verdict::Unknown;
const BLOCKED: Verdict = Verdict::Blocked;
const NONE: Verdict = Verdict::NotApplicable;

/// What one check says of a document by itself.
async fn judge(document: &Value, code: &str) -> CheckResult {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, document.to_string().as_bytes()).unwrap();
    let document = TerraformDocument::read(file.path()).unwrap();
    let targets = Targets {
        terraform: Some(document),
        ..Targets::default()
    };
    let mut plan = plan();
    plan.sources.retain(|source| *source == Source::Terraform);
    let contract = Contract::embedded().unwrap();
    let evidence = collect(&targets, &contract, &plan).await;
    let request = SelectionRequest {
        checks: vec![code.to_owned()],
        ..SelectionRequest::default()
    };
    let report = evaluate(&contract, &evidence, &Selection::new(&request).unwrap());
    let mut results = report.checks().cloned();
    results.find(|result| result.code == code).unwrap()
}

async fn expect(document: &Value, code: &str, verdict: Verdict, says: &str) {
    let found = judge(document, code).await;
    assert_eq!(found.verdict, verdict, "{code}: {}", found.observed);
    assert!(found.observed.contains(says), "{code}: {}", found.observed);
}

/// As it was recorded.
fn as_recorded(name: &str) -> Value {
    let file = format!(
        "{}/../testdata/terraform/recorded/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// As it would be today: made a minute ago, with snapshots of last night.
fn recorded(name: &str) -> Value {
    let mut document = as_recorded(name);
    let ago = |hours: i64| json!((jiff::Timestamp::now() - jiff::SignedDuration::from_hours(hours)).to_string());
    if document.get("timestamp").is_some() {
        document["timestamp"] = ago(0);
    }
    everywhere(&mut document, "data.digitalocean_volume_snapshot.", &|values| {
        values["created_at"] = ago(10);
    });
    document
}

/// Changes the values of each resource whose address begins so, of what is and of what will be.
fn everywhere(document: &mut Value, address: &str, change: &dyn Fn(&mut Value)) {
    for place in ["/values", "/prior_state/values", "/planned_values"] {
        for resource in resources(document, place) {
            if resource["address"].as_str().unwrap().starts_with(address) {
                change(&mut resource["values"]);
            }
        }
    }
}

fn resources<'d>(document: &'d mut Value, place: &str) -> impl Iterator<Item = &'d mut Value> {
    let resources = document.pointer_mut(&format!("{place}/root_module/resources"));
    resources.and_then(Value::as_array_mut).into_iter().flatten()
}

/// A resource of what is, of what will be, or of the configuration.
fn resource<'d>(document: &'d mut Value, place: &str, address: &str) -> &'d mut Value {
    resources(document, place)
        .find(|resource| resource["address"] == address)
        .unwrap()
}

const IS: &str = "/prior_state/values";
const STATE: &str = "/values";
const PLANNED: &str = "/planned_values";
const WRITTEN: &str = "/configuration";

fn add(document: &mut Value, place: &str, resource: Value) {
    let resources = document.pointer_mut(&format!("{place}/root_module/resources")).unwrap();
    resources.as_array_mut().unwrap().push(resource);
}

fn remove(document: &mut Value, place: &str, address: &str) {
    let resources = document.pointer_mut(&format!("{place}/root_module/resources")).unwrap();
    (resources.as_array_mut().unwrap()).retain(|resource| resource["address"] != address);
}

/// The words of SF731 and SF735 are those that a report says which time by; the others are as good as ever, but for what the
/// document does not tell.
#[rstest]
#[case("state", [PASS, PASS, PASS, PASS, PASS, PASS, PASS, NONE], "in the state: 3 droplets and a VPC, by a state of Terraform 1.11.4, which does not say when it was refreshed: not before", "in the state: 8 inbound rules")]
#[case("refresh-only", [PASS; 8], "as it is: 3 droplets and a VPC, by a plan of Terraform 1.11.4 that was made", "as it is: 8 inbound rules")]
#[case("plan-of-existing", [PASS; 8], "as it is and as planned: 3 droplets", "as it is and as planned: 8 inbound rules")]
#[case("plan-create", [PASS, PASS, PASS, PASS, PASS, PASS, NONE, PASS], "as planned: 3 droplets", "as planned: 8 inbound rules")]
#[case("firewall-open.refresh-only", [PASS, PASS, PASS, PASS, FAIL, PASS, PASS, PASS], "changed since the last apply, and not by Terraform: digitalocean_firewall.clickhouse", "as it is: digitalocean_firewall.clickhouse lets everybody in to tcp 8443")]
#[case("firewall-open.plan-of-existing", [PASS, PASS, PASS, PASS, FAIL, PASS, PASS, PASS], "as it is and as planned: 3 droplets", "as it is: digitalocean_firewall.clickhouse lets everybody in to tcp 8443; as planned: 8 inbound rules")]
#[case("firewall-by-tag.plan-create", [PASS, PASS, PASS, PASS, FAIL, PASS, NONE, PASS], "as planned: 3 droplets", "as planned: digitalocean_firewall.debug lets everybody in to tcp 1-65535")]
#[case("droplet-gone.refresh-only", [FAIL, BLOCKED, BLOCKED, BLOCKED, BLOCKED, BLOCKED, BLOCKED, PASS], "as it is: it has no digitalocean_droplet.clickhouse; digitalocean_droplet.clickhouse was deleted since the last apply, and not by Terraform", "stands behind SF731")]
#[case("droplet-gone.plan-of-existing", [FAIL, BLOCKED, BLOCKED, BLOCKED, BLOCKED, BLOCKED, BLOCKED, PASS], "and not by Terraform; as planned: 3 droplets and a VPC", "stands behind SF731")]
#[tokio::test]
async fn what_was_recorded_is_judged(
    #[case] name: &str,
    #[case] verdicts: [Verdict; 8],
    #[case] whole: &str,
    #[case] firewalls: &str,
) {
    let document = recorded(name);
    for (number, verdict) in (1..).zip(verdicts) {
        let says = match number {
            1 => whole,
            5 => firewalls,
            _ => "",
        };
        expect(&document, &format!("SF73{number}"), verdict, says).await;
    }
}

#[tokio::test]
async fn a_plan_of_another_day_says_nothing_of_last_night() {
    expect(&as_recorded("refresh-only"), "SF737", UNKNOWN, "old").await;
    expect(&as_recorded("state"), "SF737", UNKNOWN, "as far as this state knows").await;
}

#[tokio::test]
async fn what_a_plan_says_became_of_it_counts_for_more_than_its_prior_state() {
    let mut drifted = recorded("firewall-open.refresh-only");
    let firewall = resource(&mut drifted, IS, "digitalocean_firewall.clickhouse");
    firewall["values"]["inbound_rule"][1]["source_addresses"] = json!(["10.40.0.0/20"]);
    expect(
        &drifted,
        "SF735",
        FAIL,
        "as it is: digitalocean_firewall.clickhouse lets everybody in",
    )
    .await;
}

#[tokio::test]
async fn a_plan_that_was_not_refreshed_knows_the_past_only() {
    // As an apply leaves it: the volume was made before it was attached.
    let mut stale = recorded("plan-of-existing");
    resource(&mut stale, IS, "digitalocean_volume.clickhouse")["values"]["droplet_ids"] = json!([]);
    expect(
        &stale,
        "SF731",
        WARN,
        "was made with -refresh=false and knows the past only",
    )
    .await;
    expect(&stale, "SF735", UNKNOWN, "as it was: 8 inbound rules").await;
    let firewall = resource(&mut stale, IS, "digitalocean_firewall.clickhouse");
    firewall["values"]["inbound_rule"][1]["source_addresses"] = json!(["0.0.0.0/0"]);
    expect(
        &stale,
        "SF735",
        FAIL,
        "as it was: digitalocean_firewall.clickhouse lets everybody in",
    )
    .await;
}

#[tokio::test]
async fn a_region_that_is_to_be_destroyed_is_none_as_planned() {
    let mut destroyed = recorded("plan-of-existing");
    destroyed["planned_values"] = json!({"root_module": {}});
    for change in destroyed["resource_changes"].as_array_mut().unwrap() {
        change["change"]["actions"] = json!(["delete"]);
    }
    expect(&destroyed, "SF731", FAIL, "as planned: neither the VPC nor any droplet").await;
    expect(
        &destroyed,
        "SF738",
        FAIL,
        "the plan deletes digitalocean_volume.clickhouse",
    )
    .await;
}

#[rstest]
#[case::behind_a_local(json!(["local.vpc"]), false, PASS, "as planned: digitalocean_vpc.telemetry")]
#[case::behind_a_local_that_may_be_another(json!(["local.vpc"]), true, UNKNOWN, "is in digitalocean_vpc.other, digitalocean_vpc.telemetry, or what else")]
#[case::one_of_two(
    json!(["var.own", "digitalocean_vpc.telemetry.id", "digitalocean_vpc.telemetry", "digitalocean_vpc.other.id", "digitalocean_vpc.other"]),
    true, UNKNOWN, "is in digitalocean_vpc.other, digitalocean_vpc.telemetry, or what else"
)]
#[case::this_or_a_variable_that_is_known(
    json!(["var.own", "digitalocean_vpc.telemetry.id", "digitalocean_vpc.telemetry", "var.vpc"]), false, PASS, "digitalocean_vpc.telemetry"
)]
#[case::this_or_a_module(
    json!(["digitalocean_vpc.telemetry.id", "digitalocean_vpc.telemetry", "module.network.vpc", "module.network"]),
    false, UNKNOWN, "is in digitalocean_vpc.telemetry, or what else only applying tells"
)]
#[case::another(json!(["digitalocean_vpc.other.id", "digitalocean_vpc.other"]), true, FAIL, "digitalocean_droplet.clickhouse is in digitalocean_vpc.other")]
#[tokio::test]
async fn a_vpc_that_is_not_known_yet_is_told_by_every_branch(
    #[case] references: Value,
    #[case] another: bool,
    #[case] verdict: Verdict,
    #[case] says: &str,
) {
    let mut plan = recorded("plan-create");
    let droplet = resource(&mut plan, WRITTEN, "digitalocean_droplet.clickhouse");
    droplet["expressions"]["vpc_uuid"] = json!({"references": references});
    if another {
        for place in [PLANNED, WRITTEN] {
            let mut other = resource(&mut plan, place, "digitalocean_vpc.telemetry").clone();
            other["address"] = "digitalocean_vpc.other".into();
            add(&mut plan, place, other);
        }
    }
    expect(&plan, "SF733", verdict, says).await;
}

#[tokio::test]
async fn a_droplet_that_names_no_vpc_gets_the_default_one() {
    let mut plan = recorded("plan-create");
    let droplet = resource(&mut plan, WRITTEN, "digitalocean_droplet.clickhouse");
    droplet["expressions"].as_object_mut().unwrap().remove("vpc_uuid");
    expect(&plan, "SF733", FAIL, "digitalocean_droplet.clickhouse is in nothing").await;
}

#[tokio::test]
async fn firewalls_by_tags_stand_before_whatever_has_them() {
    let mut plan = recorded("firewall-by-tag.plan-create");
    let rules = resource(&mut plan, PLANNED, "digitalocean_firewall.debug")["values"]["inbound_rule"].as_array_mut();
    rules.unwrap()[0]["source_addresses"] = json!(["10.0.0.0/8"]);
    for name in ["clickhouse", "vector_agg", "victoriametrics"] {
        remove(&mut plan, PLANNED, &format!("digitalocean_firewall.{name}"));
    }
    expect(&plan, "SF735", PASS, "as planned: 1 inbound rule").await;
    let droplet = resource(&mut plan, PLANNED, "digitalocean_droplet.vector_agg");
    droplet["values"]["tags"] = json!(["telemetry-fra1evil"]);
    expect(
        &plan,
        "SF735",
        FAIL,
        "no firewall stands before digitalocean_droplet.vector_agg",
    )
    .await;
}

#[tokio::test]
async fn a_tag_as_a_source_is_whoever_has_it() {
    let mut state = recorded("state");
    let firewall = resource(&mut state, STATE, "digitalocean_firewall.clickhouse");
    firewall["values"]["inbound_rule"][1]["source_tags"] = json!(["telemetry-fra1"]);
    expect(&state, "SF735", PASS, "in the state: 8 inbound rules").await;
    resource(&mut state, STATE, "digitalocean_tag.telemetry")["values"]["droplets_count"] = 5.into();
    expect(
        &state,
        "SF735",
        UNKNOWN,
        "lets the tag telemetry-fra1 of 2 other droplets, which is not known, in",
    )
    .await;
    remove(&mut state, STATE, "digitalocean_tag.telemetry");
    expect(
        &state,
        "SF735",
        UNKNOWN,
        "lets the tag telemetry-fra1, which is not known, in",
    )
    .await;
}

#[tokio::test]
async fn where_an_expression_does_not_tell_a_source_it_is_not_known() {
    let mut plan = recorded("plan-create");
    let firewall = resource(&mut plan, WRITTEN, "digitalocean_firewall.clickhouse");
    firewall["expressions"]["inbound_rule"][0]["source_droplet_ids"] = json!({"references": ["var.more"]});
    expect(
        &plan,
        "SF735",
        UNKNOWN,
        "lets source_droplet_ids, which is not known, in to tcp 8443",
    )
    .await;
}

#[rstest]
#[case::data_source(
    json!({"address": "data.digitalocean_kubernetes_cluster.blue", "mode": "data", "type": "digitalocean_kubernetes_cluster", "expressions": {}}),
    FAIL, "data.digitalocean_kubernetes_cluster.blue to digitalocean_kubernetes_cluster"
)]
#[case::state_of_a_cluster(
    json!({"address": "data.terraform_remote_state.blue", "mode": "data", "type": "terraform_remote_state",
        "expressions": {"config": {"constant_value": {"key": "clusters/blue.tfstate"}}}}),
    FAIL, "data.terraform_remote_state.blue config to a state of that name"
)]
#[case::state_that_was_not_read(
    json!({"address": "data.terraform_remote_state.network", "mode": "data", "type": "terraform_remote_state", "expressions": {}}),
    UNKNOWN, "the document does not tell what data.terraform_remote_state.network holds"
)]
#[case::provider(
    json!({"address": "helm_release.x", "mode": "managed", "type": "helm_release", "provider_config_key": "helm", "expressions": {}}),
    FAIL, "helm_release.x to"
)]
#[tokio::test]
async fn a_cluster_is_found_where_only_the_configuration_has_it(
    #[case] written: Value,
    #[case] verdict: Verdict,
    #[case] says: &str,
) {
    let mut plan = recorded("refresh-only");
    plan["configuration"]["provider_config"]["helm"] =
        json!({"name": "helm", "full_name": "registry.terraform.io/hashicorp/helm"});
    add(&mut plan, WRITTEN, written);
    expect(&plan, "SF736", verdict, says).await;
}

#[tokio::test]
async fn what_a_state_of_another_s_gives_is_judged_by_its_names() {
    let address = "data.terraform_remote_state.other";
    let mut plan = recorded("refresh-only");
    let of = |more: Value| {
        let mut state = json!({"address": address, "mode": "data", "type": "terraform_remote_state"});
        state
            .as_object_mut()
            .unwrap()
            .append(&mut more.as_object().unwrap().clone());
        state
    };
    add(&mut plan, WRITTEN, of(json!({"expressions": {}})));
    add(&mut plan, IS, of(json!({"values": {"outputs": {"zone": "hush"}}})));
    expect(&plan, "SF736", PASS, "nothing in resources or configuration").await;
    resource(&mut plan, IS, address)["values"]["outputs"]["cluster_id"] = "hush".into();
    let found = judge(&plan, "SF736").await;
    assert_eq!(
        found.observed,
        format!("1 reference: {address} outputs to cluster_id, an output of that name")
    );
}

#[tokio::test]
async fn snapshots_are_the_volume_s_own() {
    let mut other = recorded("refresh-only");
    let snapshot = "data.digitalocean_volume_snapshot.clickhouse";
    resource(&mut other, IS, snapshot)["values"]["volume_id"] = "0b31b963".into();
    expect(
        &other,
        "SF737",
        FAIL,
        "is one of 0b31b963, and not of digitalocean_volume.clickhouse",
    )
    .await;

    let mut alike = recorded("refresh-only");
    resource(&mut alike, IS, snapshot)["values"]["name"] = "clickhouse-fra1evil-20261128t231340z".into();
    expect(
        &alike,
        "SF737",
        UNKNOWN,
        "it names no snapshot of digitalocean_volume.clickhouse",
    )
    .await;

    let mut future = recorded("refresh-only");
    resource(&mut future, IS, snapshot)["values"]["created_at"] = "2099-01-01T00:00:00Z".into();
    expect(
        &future,
        "SF737",
        UNKNOWN,
        "is dated 2099-01-01T00:00:00Z, after the plan itself",
    )
    .await;

    let mut failed = recorded("refresh-only");
    failed["checks"][0]["status"] = "fail".into();
    expect(
        &failed,
        "SF737",
        FAIL,
        "of the plan's own checks check.clickhouse_snapshot failed",
    )
    .await;
}

#[tokio::test]
async fn a_volume_s_name_and_a_droplet_s_are_equal_and_not_alike() {
    let mut state = recorded("state");
    resource(&mut state, STATE, "digitalocean_volume.clickhouse")["values"]["name"] = "clickhouse-fra1evil".into();
    expect(
        &state,
        "SF734",
        FAIL,
        "digitalocean_volume.clickhouse is \"clickhouse-fra1evil\" in \"fra1\"",
    )
    .await;
    resource(&mut state, STATE, "digitalocean_volume.clickhouse")["values"]["name"] = "clickhouse-fra1-9708d2b6".into();
    expect(&state, "SF734", PASS, "3 volumes attached").await;
}

#[tokio::test]
async fn what_is_made_by_count_and_what_is_tainted_is_named() {
    let mut counted = recorded("state");
    let address = "digitalocean_droplet.clickhouse";
    resource(&mut counted, STATE, address)["address"] = format!("{address}[0]").into();
    expect(
        &counted,
        "SF731",
        FAIL,
        "digitalocean_droplet.clickhouse is made by count or for_each: digitalocean_droplet.clickhouse[0]",
    )
    .await;
    let mut tainted = recorded("plan-of-existing");
    resource(&mut tainted, IS, address)["tainted"] = true.into();
    expect(
        &tainted,
        "SF731",
        FAIL,
        "as it is: digitalocean_droplet.clickhouse is tainted: the next apply makes it anew",
    )
    .await;
}

#[rstest]
#[case("digitalocean_volume_attachment.clickhouse", json!(["delete"]), FAIL, "detaches a volume for good")]
#[case("digitalocean_volume_attachment.clickhouse", json!(["delete", "create"]), WARN, "the plan replaces")]
#[case("digitalocean_droplet.clickhouse", json!(["create", "delete"]), WARN, "the plan replaces")]
#[case("digitalocean_volume.clickhouse", json!(["delete", "create"]), FAIL, "the plan deletes digitalocean_volume.clickhouse")]
#[case("digitalocean_firewall.clickhouse", json!(["delete"]), PASS, "deletes no droplet")]
#[tokio::test]
async fn what_a_plan_takes_away_is_judged_by_what_it_is(
    #[case] address: &str,
    #[case] actions: Value,
    #[case] verdict: Verdict,
    #[case] says: &str,
) {
    let mut plan = recorded("plan-of-existing");
    let mut changes = plan["resource_changes"].as_array_mut().unwrap().iter_mut();
    let change = changes.find(|change| change["address"] == address).unwrap();
    change["change"]["actions"] = actions;
    expect(&plan, "SF738", verdict, says).await;
}
