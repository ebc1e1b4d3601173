//! Step 4, Alloy as it is installed.

use crate::case::{Case, fails, passes, unseen, warns};
use crate::given::{nodes, seen, state_services, unknown};
use starform_verify::evidence::{
    AlloyCondition, AlloyPipelines, AlloyResource, AlloySettings, CredentialKind, Evidence, Observed, Reason, Source,
    TelemetryWorkload, Workload, WorkloadKind,
};

fn alloys(evidence: &mut Evidence) -> &mut Vec<TelemetryWorkload> {
    seen(&mut evidence.telemetry.alloy.workloads)
}

fn alloy_operator(evidence: &mut Evidence) -> &mut Workload {
    let mut all = alloys(evidence).iter_mut();
    &mut all.find(|found| found.operator).unwrap().workload
}

fn alloy(evidence: &mut Evidence) -> &mut AlloyResource {
    &mut seen(&mut evidence.telemetry.alloys)[0]
}

fn settings(evidence: &mut Evidence) -> &mut AlloySettings {
    &mut seen(&mut evidence.telemetry.alloy_settings)[0]
}

const STORE: &str = "https://victoriametrics.nyc3.telemetry.example.com:8427/push";

fn pipelines(evidence: &mut Evidence) -> &mut AlloyPipelines {
    settings(evidence).pipelines.as_mut().unwrap()
}

fn condition(kind: &str, reason: &str) -> AlloyCondition {
    AlloyCondition {
        kind: kind.to_owned(),
        status: "True".to_owned(),
        reason: reason.to_owned(),
    }
}

fn second_state_metrics(evidence: &mut Evidence, namespace: &str) {
    let mut other = state_services(evidence)[0].clone();
    other.namespace = namespace.into();
    other.name = "k8s-monitoring-kube-state-metrics".into();
    other.accepted = false;
    state_services(evidence).push(other);
}

pub(crate) const CASES: &[Case] = &[
    fails("SF441", "in the cluster").when("alloy's operator not installed", |e| {
        alloys(e).retain(|workload| !workload.operator);
    }),
    warns("SF441", "Alloy's operator stands in namespace default").when("alloy's operator elsewhere", |e| {
        alloy_operator(e).namespace = "default".into();
    }),
    fails("SF442", "has 0 of 1 pods ready").when("alloy's operator down", |e| alloy_operator(e).ready = 0),
    fails("SF442", "is scaled to 0").when("alloy's operator scaled to zero", |e| alloy_operator(e).desired = 0),
    fails("SF443", "the operator 0.1.0 is not accepted")
        .when("old operator", |e| alloy_operator(e).version = Some("0.1.0".into())),
    fails("SF443", "Alloy 1.0.0 is not accepted")
        .when("old alloy", |e| alloys(e)[0].workload.version = Some("1.0.0".into())),
    fails("SF444", "the API server does not know the kind Alloy")
        .when("no definition of alloy", |e| e.telemetry.alloys = Observed::Absent),
    fails("SF444", "no Alloy resource in namespace telemetry or default")
        .when("no alloy resource", |e| seen(&mut e.telemetry.alloys).clear()),
    fails("SF444", "no Alloy resource in namespace").when("alloy resources elsewhere only", |e| {
        for resource in seen(&mut e.telemetry.alloys) {
            resource.namespace = "shop".into();
        }
    }),
    fails(
        "SF444",
        "Alloy k8s-monitoring-alloy-metrics is Irreconcilable: ReconcileError",
    )
    .when("an alloy resource that cannot be reconciled", |e| {
        alloy(e).conditions.push(condition("Irreconcilable", "ReconcileError"));
    }),
    fails("SF444", "is ReleaseFailed: UpgradeError").when("an alloy resource whose release failed", |e| {
        alloy(e).conditions.push(condition("ReleaseFailed", "UpgradeError"));
    }),
    fails("SF444", "has not been deployed by the operator").when("an alloy resource that nobody reconciled", |e| {
        alloy(e).conditions.clear();
    }),
    fails("SF445", "has no StatefulSet: the operator has made none").when("no workload of an alloy resource", |e| {
        alloys(e).remove(0);
    }),
    fails("SF445", "asks for a DaemonSet, and its workload is a StatefulSet").when("a workload of another kind", |e| {
        alloy(e).kind = WorkloadKind::DaemonSet;
    }),
    fails(
        "SF445",
        "StatefulSet k8s-monitoring-alloy-metrics has 0 of 1 pods ready",
    )
    .when("a workload of alloy down", |e| alloys(e)[0].workload.ready = 0),
    fails("SF445", "1 Ready node without a pod of Alloy: node2").when("alloy on one node of two", |e| {
        alloy(e).kind = WorkloadKind::DaemonSet;
        alloys(e)[0].workload.kind = WorkloadKind::DaemonSet;
    }),
    warns("SF445", "Alloy is not ready on 1 Ready node not older than 5m: node2").when(
        "alloy not yet on a new node",
        |e| {
            alloy(e).kind = WorkloadKind::DaemonSet;
            alloys(e)[0].workload.kind = WorkloadKind::DaemonSet;
            nodes(e)[1].created = e.now(Source::Nodes);
        },
    ),
    fails(
        "SF446",
        "2 kube-state-metrics: kube-system/kube-state-metrics, telemetry/k8s-monitoring-kube-state-metrics",
    )
    .when("a second kube-state-metrics beside alloy", |e| {
        second_state_metrics(e, "telemetry");
    }),
    warns("SF446", "2 kube-state-metrics").when("a tenant's kube-state-metrics", |e| second_state_metrics(e, "shop")),
    passes("SF446", "kube-system/kube-state-metrics").when("two services of one kube-state-metrics", |e| {
        let mut other = state_services(e)[0].clone();
        other.name = "kube-state-metrics-2".into();
        state_services(e).push(other);
    }),
    fails("SF447", "1 credential in clear: variable TOKEN").when("alloy's token in clear", |e| {
        alloy(e).credentials_in_clear = vec!["variable TOKEN".into()];
    }),
    fails(
        "SF447",
        "1 credential in clear: config.alloy: prometheus.remote_write \"grafana_cloud_metrics\" > \
         endpoint > basic_auth > password",
    )
    .when("alloy's token in clear in its configuration", |e| {
        settings(e).config_maps[0].texts[0].credentials[0].kind = CredentialKind::Literal;
    }),
    fails("SF447", "1 credential in clear: token").when("a file beside alloy's configuration is a token", |e| {
        let text = &mut settings(e).config_maps[0].texts[0];
        text.key = "token".into();
        text.credentials[0].path = String::new();
        text.credentials[0].kind = CredentialKind::Literal;
    }),
    fails("SF447", "1 credential in clear: variable CLOUD").when(
        "a variable in clear that alloy takes a credential from",
        |e| {
            settings(e).variables_in_clear = vec!["variable CLOUD".into()];
        },
    ),
    fails("SF447", "variable TOKEN").when("alloy's token in clear, and what else there is unknown", |e| {
        alloy(e).credentials_in_clear = vec!["variable TOKEN".into()];
        e.telemetry.alloy_settings = unknown(Reason::Forbidden);
    }),
    unseen("SF447", "forbidden").when("alloy's configuration may not be read", |e| {
        e.telemetry.alloy_settings = unknown(Reason::Forbidden);
    }),
    unseen("SF447", "what it is configured with is not known").when("alloy's configuration does not exist", |e| {
        e.telemetry.alloy_settings = Observed::Absent;
    }),
    unseen("SF447", "Alloy k8s-monitoring-alloy-metrics has no workload").when(
        "the configuration of one alloy is not known",
        |e| {
            seen(&mut e.telemetry.alloy_settings).remove(0);
        },
    ),
    unseen(
        "SF447",
        "config.alloy of ConfigMap k8s-monitoring-alloy-metrics could not be read: line 3: a string that does not end",
    )
    .when("a configuration of alloy that is not of its syntax", |e| {
        settings(e).config_maps[0].texts[0].unread = Some("line 3: a string that does not end".into());
    }),
    unseen(
        "SF447",
        "the configuration of k8s-monitoring-alloy-metrics could not be read: it is elsewhere",
    )
    .when("a configuration of alloy that is not in a ConfigMap", |e| {
        settings(e).unread = Some("it is elsewhere".into());
    }),
    unseen("SF447", "timed out").when("alloy resources are not listed", |e| {
        e.telemetry.alloys = unknown(Reason::TimedOut);
    }),
    fails("SF444", "is Irreconcilable").when("an Alloy that is irreconcilable without a reason", |e| {
        alloy(e).conditions.push(condition("Irreconcilable", ""));
    }),
    passes(
        "SF448",
        "k8s-monitoring-alloy-metrics: 2 sources to https://metrics.example.com/push",
    )
    .when("alloys that send what they collect", |_| ()),
    fails(
        "SF448",
        "k8s-monitoring-alloy-metrics sends nothing of what it collects: prometheus.scrape",
    )
    .when("an alloy without a destination", |e| pipelines(e).destinations.clear()),
    fails("SF448", "collects nothing").when("an alloy without a source", |e| pipelines(e).sources.clear()),
    fails("SF448", "has no endpoint").when("a destination without an endpoint", |e| {
        pipelines(e).destinations[0].addresses.clear();
    }),
    warns("SF448", "sends to http://metrics.example.com/push without TLS").when("a destination without tls", |e| {
        pipelines(e).destinations[0].addresses[0] = Some("http://metrics.example.com/push".into());
    }),
    passes("SF448", "an address that is not written in it").when("a destination by a variable", |e| {
        pipelines(e).destinations[0].addresses[0] = None;
    }),
    unseen(
        "SF448",
        "what k8s-monitoring-alloy-metrics sends is not known: import.git",
    )
    .when("destinations from elsewhere", |e| {
        pipelines(e).destinations.clear();
        pipelines(e).imports.push("import.git \"more\"".into());
    }),
    passes("SF448", "to otelcol.exporter.loadbalancing").when("an alloy that sends to other gateways", |e| {
        let destination = &mut pipelines(e).destinations[0];
        destination.component = "otelcol.exporter.loadbalancing \"traces\"".into();
        destination.addresses.clear();
    }),
    unseen("SF448", "is not known: mimir.rules.kubernetes").when("a component that may send", |e| {
        pipelines(e).destinations.clear();
        pipelines(e).unknown.push("mimir.rules.kubernetes \"rules\"".into());
    }),
    passes("SF448", "2 sources to https://metrics.example.com").when("a component that may send, beside others", |e| {
        pipelines(e).unknown.push("mimir.rules.kubernetes \"rules\"".into());
    }),
    warns(
        "SF448",
        "sends metrics to https://victoriametrics.nyc3.telemetry.example.com:8427/push, and so does vmagent",
    )
    .when("an alloy that sends metrics to vmagent's store", |e| {
        pipelines(e).destinations[0].addresses[0] = Some(STORE.into());
    }),
    passes(
        "SF448",
        "to https://victoriametrics.nyc3.telemetry.example.com:8427/push",
    )
    .when("an alloy that sends logs alone to vmagent's host", |e| {
        pipelines(e).sources = vec!["loki.source.kubernetes_events \"events\"".into()];
        let destination = &mut pipelines(e).destinations[0];
        destination.component = "loki.write \"logs\"".into();
        destination.addresses[0] = Some(STORE.into());
    }),
    unseen("SF448", "its configuration was not read").when("alloy's pipelines were not read", |e| {
        settings(e).pipelines = None;
    }),
];
