//! A region that differs from a healthy one in one thing, and what is said of it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "it is part of tests; clippy knows only those functions that are tests themselves"
)]
#![allow(unreachable_pub, reason = "it is a module of every test that includes it")]

use starform_verify::evidence::{
    Asked, ClusterReference, ComponentEvents, DeadLetters, Evidence, Link, LogAggregator, LogStore, MetricsStore,
    Observed, PlannedChange, RegionRows, RegionSample, StoreCluster, Terraform, TerraformKind,
};
use starform_verify::report::Verdict;
use starform_verify::report::Verdict::{Blocked, Fail, NotApplicable, Pass, Unknown, Warn};

/// The code of the check, its verdict, words of what it observes, and the one thing.
pub type Case = (&'static str, Verdict, &'static str, fn(&mut Evidence));

const HOUR: i64 = 3_600_000;

fn answered<T>(observed: &mut Observed<Asked<T>>) -> &mut T {
    match observed {
        Observed::Seen(Asked::Answered(value)) => value,
        _ => panic!("the healthy region has answered"),
    }
}

fn metrics(evidence: &mut Evidence) -> &mut MetricsStore {
    answered(&mut evidence.region.metrics_store)
}

fn logs(evidence: &mut Evidence) -> &mut LogStore {
    answered(&mut evidence.region.log_store)
}

fn vector(evidence: &mut Evidence) -> &mut LogAggregator {
    answered(&mut evidence.region.log_aggregator)
}

fn terraform(evidence: &mut Evidence) -> &mut Terraform {
    answered(&mut evidence.region.terraform)
}

fn ended(evidence: &mut Evidence) {
    let mark = |cluster: &mut StoreCluster| {
        cluster.ended = true;
        cluster.region = None;
    };
    mark(&mut metrics(evidence).asked.cluster);
    mark(&mut logs(evidence).asked.cluster);
    metrics(evidence).series.newest[0].age_ms = 50 * HOUR;
    logs(evidence).lines.as_mut().unwrap()[0].received_ms = 50 * HOUR;
}

fn events(component: &str, events: u64) -> Vec<ComponentEvents> {
    let component = component.to_owned();
    vec![ComponentEvents { component, events }]
}

fn letters(own: bool) -> Vec<DeadLetters> {
    let reason = "no region".to_owned();
    vec![DeadLetters {
        reason,
        own,
        records: 3,
    }]
}

fn delete(address: &str) -> Vec<PlannedChange> {
    let actions = vec!["delete".to_owned(), "create".to_owned()];
    vec![PlannedChange {
        address: address.to_owned(),
        actions,
    }]
}

/// All of them.
#[rustfmt::skip]
pub const CASES: &[Case] = &[
    ("SF701", NotApplicable, "--stores FILE", |e| e.region.metrics_store = Observed::Seen(Asked::NotAsked)),
    ("SF702", Fail, "no sample of testbed within 24h", |e| metrics(e).series.newest.clear()),
    ("SF702", Fail, "the newest sample of testbed is 12m", |e| metrics(e).series.newest[0].age_ms = HOUR / 5),
    ("SF702", Fail, "with region \"nyc3\", but with \"fra1\"", |e| metrics(e).series.newest[0].region = "fra1".into()),
    ("SF702", Fail, "testbed is in \"fra1\"", |e| metrics(e).asked.cluster.region = Some("fra1".into())),
    ("SF702", Unknown, "in the store's future", |e| metrics(e).series.newest[0].age_ms = -HOUR),
    ("SF702", Pass, "50h old, is still there", ended),
    ("SF702", Fail, "no sample of testbed within 720h", |e| { ended(e); metrics(e).series.newest.clear(); }),
    ("SF702", Warn, "is said to have been taken down", |e| { ended(e); metrics(e).series.newest[0].age_ms = 1000; }),
    ("SF703", NotApplicable, "nothing new is expected", ended),
    ("SF703", Fail, "1 of 2 Ready nodes without container metrics in the store: node2", |e| { metrics(e).series.kubelets.pop(); }),
    ("SF703", Fail, "without container metrics in the store: node1", |e| metrics(e).series.kubelets[0].series = 0),
    ("SF703", Pass, "2 kubelets", |e| metrics(e).series.kubelets[0].instance = "elsewhere:10250".into()),
    ("SF703", Fail, "no container metrics of testbed", |e| metrics(e).series.kubelets.clear()),
    ("SF703", NotApplicable, "its nodes are not known", |e| metrics(e).asked.cluster.region = None),
    ("SF704", Fail, "no row of kube_pod_labels", |e| metrics(e).series.pod_rows.clear()),
    ("SF704", Fail, "3 of 14 rows of kube_pod_labels with label exported_pod", |e| metrics(e).series.renamed_rows = 3),
    ("SF705", Blocked, "SF704", |e| metrics(e).series.renamed_rows = 3),
    ("SF705", Fail, "none within an hour", |e| { metrics(e).join.series.remove(1); }),
    ("SF705", Fail, "the newest is 42m old", |e| {
        metrics(e).join.series[0].rows = 0;
        metrics(e).join.series[0].age_ms = 42 * 60_000;
    }),
    ("SF705", Fail, "no pod has had both inputs", |e| {
        metrics(e).join.series.clear();
        metrics(e).join.joinable_pods = 0;
    }),
    ("SF705", Fail, "carries every label", |e| metrics(e).join.series[2].labelled = 0),
    ("SF705", Fail, "2 of 12 pods with both inputs without a row", |e| metrics(e).join.unjoined_pods = 2),
    ("SF705", Warn, "1 of 12 pods", |e| metrics(e).join.unjoined_pods = 1),
    ("SF706", Fail, "starform.io/cluster-id green", |e| metrics(e).series.foreign_ids.push("green".into())),
    ("SF706", Fail, "carry region \"fra1\" too", |e| {
        metrics(e).series.newest.push(RegionSample { region: "fra1".into(), age_ms: 9 });
    }),
    ("SF706", Pass, "cluster \"testbed\"", |e| {
        metrics(e).series.newest.push(RegionSample { region: "fra1".into(), age_ms: HOUR });
    }),
    ("SF706", Fail, "carry region \"\" too", |e| {
        metrics(e).series.pod_rows.push(RegionRows { region: String::new(), rows: 1 });
    }),
    ("SF707", Fail, "prune-snapshots on vector_agg has never reported", |e| metrics(e).jobs.jobs.retain(|job| job.job != "prune-snapshots")),
    ("SF707", Fail, "volume-snapshot failed on clickhouse", |e| metrics(e).jobs.jobs[1].succeeded = Some(false)),
    ("SF707", Fail, "has not succeeded once on clickhouse", |e| metrics(e).jobs.jobs[1].success_age_ms = None),
    ("SF707", Fail, "last succeeded on victoriametrics 27h ago", |e| metrics(e).jobs.jobs[3].success_age_ms = Some(27 * HOUR)),
    ("SF707", Fail, "no snapshot of victoriametrics-nyc3 is reported", |e| { metrics(e).jobs.snapshots.pop(); }),
    ("SF707", Fail, "the newest snapshot of clickhouse-nyc3 is 54h old", |e| metrics(e).jobs.snapshots[0].age_ms = 54 * HOUR),
    ("SF711", NotApplicable, "--stores FILE", |e| e.region.log_store = Observed::Seen(Asked::NotAsked)),
    ("SF712", Fail, "no logs.clusters", |e| { logs(e).tables.remove("clusters"); }),
    ("SF712", Fail, "no column starform_app in logs.kubernetes", |e| { logs(e).tables.get_mut("kubernetes").unwrap().remove("starform_app"); }),
    ("SF712", Fail, "kubernetes.timestamp is DateTime, not DateTime64(9, 'UTC')", |e| {
        logs(e).tables.get_mut("kubernetes").unwrap().insert("timestamp".into(), "DateTime".into());
    }),
    ("SF713", Blocked, "SF712", |e| { logs(e).tables.remove("clusters"); }),
    ("SF713", Fail, "no line of testbed within an hour", |e| logs(e).lines.as_mut().unwrap().clear()),
    ("SF713", Fail, "no line of testbed with region \"nyc3\", but with \"fra1\"", |e| logs(e).lines.as_mut().unwrap()[0].region = "fra1".into()),
    ("SF713", Fail, "was received 25m ago", |e| logs(e).lines.as_mut().unwrap()[0].received_ms = 25 * 60_000),
    ("SF713", Unknown, "in the store's future", |e| logs(e).lines.as_mut().unwrap()[0].received_ms = -HOUR),
    ("SF713", Warn, "one took 10m or more to arrive", |e| logs(e).lines.as_mut().unwrap()[0].delay_ms = 600_000),
    ("SF713", Fail, "testbed is in \"fra1\"", |e| logs(e).asked.cluster.region = Some("fra1".into())),
    ("SF713", Pass, "20481 lines, the newest received 50h ago, are still there", ended),
    ("SF713", Fail, "no line of testbed is left", |e| { ended(e); logs(e).lines.as_mut().unwrap().clear(); }),
    ("SF714", Fail, "3 records of testbed could not be stored within 1h: no region (3)", |e| logs(e).dead_letters = Some(letters(true))),
    ("SF714", Warn, "3 records that do not say of which cluster", |e| logs(e).dead_letters = Some(letters(false))),
    ("SF721", NotApplicable, "--stores FILE", |e| e.region.log_aggregator = Observed::Seen(Asked::NotAsked)),
    ("SF721", Fail, "holds no scrape of Vector", |e| vector(e).targets = 0),
    ("SF721", Fail, "0 of 1 Vector answers", |e| vector(e).up = 0),
    ("SF721", Fail, "delivered none to ClickHouse", |e| vector(e).delivered = 0),
    ("SF721", Warn, "no cluster has sent it a record", |e| { vector(e).received = 0; vector(e).delivered = 0; }),
    ("SF722", Fail, "312 of clickhouse", |e| vector(e).discarded = events("clickhouse", 312)),
    ("SF722", Warn, "2 of fluent_bit", |e| vector(e).errors = events("fluent_bit", 2)),
    ("SF723", Fail, "75 % of the buffer", |e| { vector(e).buffers[0].used_bytes = 3; vector(e).buffers[0].size_bytes = 4; }),
    ("SF723", Unknown, "tells no size", |e| vector(e).buffers.clear()),
    ("SF731", NotApplicable, "--terraform FILE", |e| e.region.terraform = Observed::Seen(Asked::NotAsked)),
    ("SF731", Fail, "the plan is not complete", |e| terraform(e).complete = false),
    ("SF731", Fail, "it has no digitalocean_droplet.vector_agg", |e| { terraform(e).droplets.pop(); }),
    ("SF731", Fail, "it has no digitalocean_vpc.telemetry", |e| terraform(e).vpcs.clear()),
    ("SF731", Fail, "neither the VPC nor any droplet", |e| { terraform(e).vpcs.clear(); terraform(e).droplets.clear(); }),
    ("SF732", Fail, "digitalocean_droplet.clickhouse is a s-1vcpu-1gb, not so-4vcpu-32gb", |e| terraform(e).droplets[0].size = "s-1vcpu-1gb".into()),
    ("SF732", Fail, "is called \"logs\", not \"clickhouse-nyc3\"", |e| terraform(e).droplets[0].name = "logs".into()),
    ("SF732", Fail, "digitalocean_droplet.vector_agg is in fra1, not nyc3", |e| terraform(e).droplets[2].region = "fra1".into()),
    ("SF733", Fail, "digitalocean_droplet.clickhouse is in 5a4981aa", |e| terraform(e).droplets[0].vpc = Link::Elsewhere("5a4981aa".into())),
    ("SF733", Fail, "is in nothing", |e| terraform(e).droplets[1].vpc = Link::Nothing),
    ("SF733", Fail, "only applying tells", |e| terraform(e).droplets[1].vpc = Link::NotKnown),
    ("SF734", Fail, "there is no digitalocean_volume.clickhouse", |e| { terraform(e).volumes.remove(0); }),
    ("SF734", Fail, "is not attached to digitalocean_droplet.vector_agg", |e| { terraform(e).attachments.pop(); }),
    ("SF734", Fail, "digitalocean_volume.clickhouse is \"data\" in \"nyc3\"", |e| terraform(e).volumes[0].name = "data".into()),
    ("SF735", Fail, "no firewall stands before digitalocean_droplet.vector_agg", |e| { terraform(e).firewalls.pop(); }),
    ("SF735", Fail, "digitalocean_firewall.clickhouse lets everybody in to tcp 8443", |e| terraform(e).firewalls[0].inbound[0].addresses.push("::/0".into())),
    ("SF735", Unknown, "not known before the plan is applied", |e| {
        for firewall in &mut terraform(e).firewalls { firewall.inbound.clear(); }
    }),
    ("SF736", Fail, "1 reference: digitalocean_firewall.clickhouse inbound_rule to digitalocean_kubernetes_cluster.blue.id", |e| {
        terraform(e).clusters.push(ClusterReference {
            from: "digitalocean_firewall.clickhouse inbound_rule".into(),
            to: "digitalocean_kubernetes_cluster.blue.id".into(),
        });
    }),
    ("SF737", Fail, "the newest snapshot of digitalocean_volume.clickhouse is 54h", |e| {
        let old = e.collected - jiff::SignedDuration::from_hours(55);
        terraform(e).snapshots[0].created = Some(old);
    }),
    ("SF737", Unknown, "as far as this state knows", |e| {
        let old = e.collected - jiff::SignedDuration::from_hours(55);
        let terraform = terraform(e);
        (terraform.kind, terraform.made) = (TerraformKind::State, None);
        terraform.snapshots[0].created = Some(old);
    }),
    ("SF737", Unknown, "the plan is 72h old", |e| {
        let old = e.collected - jiff::SignedDuration::from_hours(72);
        terraform(e).made = Some(old);
    }),
    ("SF737", Unknown, "it names no snapshot of digitalocean_volume.victoriametrics", |e| { terraform(e).snapshots.pop(); }),
    ("SF737", NotApplicable, "yet to be made", |e| for volume in &mut terraform(e).volumes { volume.exists = false; }),
    ("SF738", Fail, "the plan deletes digitalocean_volume.clickhouse", |e| terraform(e).changes = delete("digitalocean_volume.clickhouse")),
    ("SF738", Warn, "the plan replaces digitalocean_droplet.clickhouse", |e| terraform(e).changes = delete("digitalocean_droplet.clickhouse")),
    ("SF738", NotApplicable, "a state plans nothing", |e| { terraform(e).kind = TerraformKind::State; terraform(e).made = None; }),
];

/// The same of what could not be seen.
#[rustfmt::skip]
pub const UNSEEN: &[Case] = &[
    ("SF701", Unknown, "it is not known whose data to look for", |e| e.region.metrics_store = Observed::Absent),
    ("SF702", Unknown, "not collected", |e| e.region.metrics_store = Observed::not_collected()),
    ("SF711", Unknown, "it is not known whose data to look for", |e| e.region.log_store = Observed::Absent),
    ("SF713", Unknown, "not collected", |e| e.region.log_store = Observed::not_collected()),
    ("SF722", Unknown, "not collected", |e| e.region.log_aggregator = Observed::not_collected()),
    ("SF733", Unknown, "not collected", |e| e.region.terraform = Observed::not_collected()),
];
