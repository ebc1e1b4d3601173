//! Step 4, Alloy as it is installed.

use crate::case::Case;
use crate::given::{seen, state_services, unknown};
use starform_verify::evidence::{
    AlloyCondition, AlloyResource, AlloySettings, CredentialKind, Evidence, Observed, Reason, TelemetryWorkload,
    Workload, WorkloadKind,
};
use starform_verify::report::Verdict::{Fail, Pass, Unknown as Unseen, Warn};

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
    Case {
        name: "alloy's operator not installed",
        code: "SF441",
        verdict: Fail,
        says: "in the cluster",
        change: |e| alloys(e).retain(|workload| !workload.operator),
    },
    Case {
        name: "alloy's operator elsewhere",
        code: "SF441",
        verdict: Warn,
        says: "Alloy's operator stands in namespace default",
        change: |e| alloy_operator(e).namespace = "default".into(),
    },
    Case {
        name: "alloy's operator down",
        code: "SF442",
        verdict: Fail,
        says: "has 0 of 1 pods ready",
        change: |e| alloy_operator(e).ready = 0,
    },
    Case {
        name: "alloy's operator scaled to zero",
        code: "SF442",
        verdict: Fail,
        says: "is scaled to 0",
        change: |e| alloy_operator(e).desired = 0,
    },
    Case {
        name: "old operator",
        code: "SF443",
        verdict: Fail,
        says: "the operator 0.1.0 is not accepted",
        change: |e| alloy_operator(e).version = Some("0.1.0".into()),
    },
    Case {
        name: "old alloy",
        code: "SF443",
        verdict: Fail,
        says: "Alloy 1.0.0 is not accepted",
        change: |e| alloys(e)[0].workload.version = Some("1.0.0".into()),
    },
    Case {
        name: "no definition of alloy",
        code: "SF444",
        verdict: Fail,
        says: "the API server does not know the kind Alloy",
        change: |e| e.telemetry.alloys = Observed::Absent,
    },
    Case {
        name: "no alloy resource",
        code: "SF444",
        verdict: Fail,
        says: "no Alloy resource in namespace telemetry or default",
        change: |e| seen(&mut e.telemetry.alloys).clear(),
    },
    Case {
        name: "alloy resources elsewhere only",
        code: "SF444",
        verdict: Fail,
        says: "no Alloy resource in namespace",
        change: |e| {
            for resource in seen(&mut e.telemetry.alloys) {
                resource.namespace = "shop".into();
            }
        },
    },
    Case {
        name: "an alloy resource that cannot be reconciled",
        code: "SF444",
        verdict: Fail,
        says: "Alloy k8s-monitoring-alloy-metrics is Irreconcilable: ReconcileError",
        change: |e| {
            alloy(e).conditions.push(condition("Irreconcilable", "ReconcileError"));
        },
    },
    Case {
        name: "an alloy resource whose release failed",
        code: "SF444",
        verdict: Fail,
        says: "is ReleaseFailed: UpgradeError",
        change: |e| {
            alloy(e).conditions.push(condition("ReleaseFailed", "UpgradeError"));
        },
    },
    Case {
        name: "an alloy resource that nobody reconciled",
        code: "SF444",
        verdict: Fail,
        says: "has not been deployed by the operator",
        change: |e| alloy(e).conditions.clear(),
    },
    Case {
        name: "no workload of an alloy resource",
        code: "SF445",
        verdict: Fail,
        says: "has no StatefulSet: the operator has made none",
        change: |e| {
            alloys(e).remove(0);
        },
    },
    Case {
        name: "a workload of another kind",
        code: "SF445",
        verdict: Fail,
        says: "asks for a DaemonSet, and its workload is a StatefulSet",
        change: |e| alloy(e).kind = WorkloadKind::DaemonSet,
    },
    Case {
        name: "a workload of alloy down",
        code: "SF445",
        verdict: Fail,
        says: "StatefulSet k8s-monitoring-alloy-metrics has 0 of 1 pods ready",
        change: |e| alloys(e)[0].workload.ready = 0,
    },
    Case {
        name: "alloy on one node of two",
        code: "SF445",
        verdict: Fail,
        says: "1 Ready node without a pod of Alloy: node2",
        change: |e| {
            alloy(e).kind = WorkloadKind::DaemonSet;
            alloys(e)[0].workload.kind = WorkloadKind::DaemonSet;
        },
    },
    Case {
        name: "a second kube-state-metrics beside alloy",
        code: "SF446",
        verdict: Fail,
        says: "2 kube-state-metrics: kube-system/kube-state-metrics, telemetry/k8s-monitoring-kube-state-metrics",
        change: |e| second_state_metrics(e, "telemetry"),
    },
    Case {
        name: "a tenant's kube-state-metrics",
        code: "SF446",
        verdict: Warn,
        says: "2 kube-state-metrics",
        change: |e| second_state_metrics(e, "shop"),
    },
    Case {
        name: "two services of one kube-state-metrics",
        code: "SF446",
        verdict: Pass,
        says: "kube-system/kube-state-metrics",
        change: |e| {
            let mut other = state_services(e)[0].clone();
            other.name = "kube-state-metrics-2".into();
            state_services(e).push(other);
        },
    },
    Case {
        name: "alloy's token in clear",
        code: "SF447",
        verdict: Fail,
        says: "1 credential in clear: variable TOKEN",
        change: |e| alloy(e).credentials_in_clear = vec!["variable TOKEN".into()],
    },
    Case {
        name: "alloy's token in clear in its configuration",
        code: "SF447",
        verdict: Fail,
        says: "1 credential in clear: config.alloy: prometheus.remote_write \"grafana_cloud_metrics\" > endpoint > basic_auth > password",
        change: |e| settings(e).config_maps[0].texts[0].credentials[0].kind = CredentialKind::Literal,
    },
    Case {
        name: "a file beside alloy's configuration is a token",
        code: "SF447",
        verdict: Fail,
        says: "1 credential in clear: token",
        change: |e| {
            let text = &mut settings(e).config_maps[0].texts[0];
            text.key = "token".into();
            text.credentials[0].path = String::new();
            text.credentials[0].kind = CredentialKind::Literal;
        },
    },
    Case {
        name: "a variable in clear that alloy takes a credential from",
        code: "SF447",
        verdict: Fail,
        says: "1 credential in clear: variable CLOUD",
        change: |e| settings(e).variables_in_clear = vec!["variable CLOUD".into()],
    },
    Case {
        name: "alloy's token in clear, and what else there is unknown",
        code: "SF447",
        verdict: Fail,
        says: "variable TOKEN",
        change: |e| {
            alloy(e).credentials_in_clear = vec!["variable TOKEN".into()];
            e.telemetry.alloy_settings = unknown(Reason::Forbidden);
        },
    },
    Case {
        name: "alloy's configuration may not be read",
        code: "SF447",
        verdict: Unseen,
        says: "forbidden",
        change: |e| e.telemetry.alloy_settings = unknown(Reason::Forbidden),
    },
    Case {
        name: "alloy's configuration does not exist",
        code: "SF447",
        verdict: Unseen,
        says: "what it is configured with is not known",
        change: |e| e.telemetry.alloy_settings = Observed::Absent,
    },
    Case {
        name: "the configuration of one alloy is not known",
        code: "SF447",
        verdict: Unseen,
        says: "Alloy k8s-monitoring-alloy-metrics has no workload",
        change: |e| {
            seen(&mut e.telemetry.alloy_settings).remove(0);
        },
    },
    Case {
        name: "a configuration of alloy that is not of its syntax",
        code: "SF447",
        verdict: Unseen,
        says: "config.alloy of ConfigMap k8s-monitoring-alloy-metrics could not be read: line 3: a string that does not end",
        change: |e| settings(e).config_maps[0].texts[0].unread = Some("line 3: a string that does not end".into()),
    },
    Case {
        name: "a configuration of alloy that is not in a ConfigMap",
        code: "SF447",
        verdict: Unseen,
        says: "the configuration of k8s-monitoring-alloy-metrics could not be read: it is elsewhere",
        change: |e| settings(e).unread = Some("it is elsewhere".into()),
    },
    Case {
        name: "alloy resources are not listed",
        code: "SF447",
        verdict: Unseen,
        says: "timed out",
        change: |e| e.telemetry.alloys = unknown(Reason::TimedOut),
    },
    Case {
        name: "an Alloy that is irreconcilable without a reason",
        code: "SF444",
        verdict: Fail,
        says: "is Irreconcilable",
        change: |e| alloy(e).conditions.push(condition("Irreconcilable", "")),
    },
];
