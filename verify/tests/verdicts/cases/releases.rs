//! Helm's releases.

use crate::case::Case;
use crate::given::{minutes, seen, unknown};
use starform_verify::contract::Scalar;
use starform_verify::evidence::{
    Evidence, HelmContent, HelmHistory, HelmRelease, HelmValue, Observed, Reason, Source, ValueSeen,
};
use starform_verify::report::Verdict::{Fail, NotApplicable, Pass, Unknown as Unseen, Warn};

pub(crate) const CASES: &[Case] = &[
    // Deployed.
    Case {
        name: "failed",
        code: "SF380",
        verdict: Fail,
        says: "revision 1 of metrics-server failed, and none was ever deployed",
        change: |e| history(e, "metrics-server").status = "failed".into(),
    },
    Case {
        name: "failed after one that did not",
        code: "SF380",
        verdict: Fail,
        says: "revision 3 of kube-state-metrics failed; revision 2 was the last that did not",
        change: |e| {
            history(e, "kube-state-metrics").status = "failed".into();
            history(e, "kube-state-metrics").revision = 3;
            history(e, "kube-state-metrics").earlier = Some(2);
        },
    },
    Case {
        name: "two at once",
        code: "SF480",
        verdict: Fail,
        says: "revision 1 of fluent-bit failed, and none was ever deployed; revision 1 of vmagent is superseded",
        change: |e| {
            history(e, "fluent-bit").status = "failed".into();
            history(e, "vmagent").status = "superseded".into();
        },
    },
    Case {
        name: "stuck",
        code: "SF280",
        verdict: Fail,
        says: "revision 1 of envoy-gateway has been pending-install for 16m",
        change: |e| pending(e, "envoy-gateway", "pending-install", 16),
    },
    Case {
        name: "at work",
        code: "SF480",
        verdict: Unseen,
        says: "revision 1 of vmagent has been pending-upgrade for 15m",
        change: |e| pending(e, "vmagent", "pending-upgrade", 15),
    },
    Case {
        name: "at work at no time",
        code: "SF480",
        verdict: Unseen,
        says: "nothing tells since when",
        change: |e| {
            pending(e, "vmagent", "pending-rollback", 1);
            history(e, "vmagent").stored = None;
        },
    },
    Case {
        name: "stuck removal",
        code: "SF480",
        verdict: Fail,
        says: "has been uninstalling for 20m",
        change: |e| pending(e, "k8s-monitoring", "uninstalling", 20),
    },
    Case {
        name: "unknown to helm",
        code: "SF280",
        verdict: Fail,
        says: "is unknown: no revision is deployed",
        change: |e| history(e, "envoy-gateway").status = "unknown".into(),
    },
    Case {
        name: "by something else",
        code: "SF380",
        verdict: Warn,
        says: "no Helm release kube-state-metrics, and it is there: something else installed it",
        change: |e| remove(e, "kube-state-metrics"),
    },
    Case {
        name: "uninstalled with history",
        code: "SF380",
        verdict: Warn,
        says: "Helm release metrics-server was uninstalled, and it is there",
        change: |e| history(e, "metrics-server").status = "uninstalled".into(),
    },
    Case {
        name: "elsewhere",
        code: "SF380",
        verdict: Warn,
        says: "metrics-server is deployed in namespace default",
        change: |e| history(e, "metrics-server").namespace = "default".into(),
    },
    Case {
        name: "one forbidden",
        code: "SF380",
        verdict: Unseen,
        says: "forbidden",
        change: |e| releases(e)[1].history = unknown(Reason::Forbidden),
    },
    Case {
        name: "all forbidden",
        code: "SF280",
        verdict: Unseen,
        says: "forbidden",
        change: |e| e.releases = unknown(Reason::Forbidden),
    },
    Case {
        name: "not looked for",
        code: "SF480",
        verdict: Unseen,
        says: "release k8s-monitoring was not looked for",
        change: |e| {
            releases(e).pop();
        },
    },
    Case {
        name: "a failure is told before what is not seen",
        code: "SF380",
        verdict: Fail,
        says: "failed",
        change: |e| {
            releases(e)[1].history = unknown(Reason::TimedOut);
            history(e, "kube-state-metrics").status = "failed".into();
        },
    },
    // Chart versions.
    Case {
        name: "old gateway chart",
        code: "SF281",
        verdict: Fail,
        says: "envoy-gateway is of chart version v1.8.3, which is not accepted",
        change: |e| content(e, "envoy-gateway").version = "v1.8.3".into(),
    },
    Case {
        name: "old chart",
        code: "SF381",
        verdict: Fail,
        says: "kube-state-metrics is of chart version 5.25.0",
        change: |e| content(e, "kube-state-metrics").version = "5.25.0".into(),
    },
    Case {
        name: "no version",
        code: "SF481",
        verdict: Fail,
        says: "vmagent is of chart version main",
        change: |e| content(e, "vmagent").version = "main".into(),
    },
    Case {
        name: "a chart of another name",
        code: "SF481",
        verdict: Fail,
        says: "k8s-monitoring is of chart alloy",
        change: |e| content(e, "k8s-monitoring").chart = "alloy".into(),
    },
    Case {
        name: "values of version 3",
        code: "SF481",
        verdict: Fail,
        says: "k8s-monitoring is of chart version 3.8.12",
        change: |e| content(e, "k8s-monitoring").version = "3.8.12".into(),
    },
    Case {
        name: "not readable",
        code: "SF381",
        verdict: Unseen,
        says: "malformed",
        change: |e| history(e, "metrics-server").content = unknown(Reason::Malformed),
    },
    // Values.
    Case {
        name: "another controller",
        code: "SF282",
        verdict: Fail,
        says: "config.envoyGateway.gateway.controllerName is mine",
        change: |e| value(e, "envoy-gateway", "controllerName").readings[0].value = text("mine"),
    },
    Case {
        name: "insecure kubelets",
        code: "SF382",
        verdict: Fail,
        says: "metrics-server: args has --kubelet-insecure-tls",
        change: |e| {
            value(e, "metrics-server", "args")
                .words
                .insert("--kubelet-insecure-tls".into(), true);
        },
    },
    Case {
        name: "a pattern on an old chart",
        code: "SF382",
        verdict: Fail,
        says: "has a pattern, which matches nothing before kube-state-metrics 2.20.0",
        change: |e| {
            content(e, "kube-state-metrics").version = "8.3.0".into();
            value(e, "kube-state-metrics", "metricLabelsAllowlist").readings[0].value = text("pods=[starform.io/*]");
        },
    },
    Case {
        name: "a pattern on an old image",
        code: "SF382",
        verdict: Fail,
        says: "has a pattern",
        change: |e| {
            value(e, "kube-state-metrics", "tag").readings[0].value = text("v2.18.0");
            value(e, "kube-state-metrics", "metricLabelsAllowlist").readings[0].value = text("pods=[starform.io/*]");
        },
    },
    Case {
        name: "a pattern on the contract s chart",
        code: "SF382",
        verdict: Pass,
        says: "terms",
        change: |e| {
            value(e, "kube-state-metrics", "metricLabelsAllowlist").readings[0].value = text("pods=[starform.io/*]");
        },
    },
    Case {
        name: "a label is missing",
        code: "SF382",
        verdict: Fail,
        says: "metricLabelsAllowlist does not show starform.io/region, starform.io/project",
        change: |e| {
            value(e, "kube-state-metrics", "metricLabelsAllowlist").readings[0].value =
                text("pods=[starform.io/cluster-id]");
        },
    },
    Case {
        name: "no allow list",
        code: "SF382",
        verdict: Fail,
        says: "metricLabelsAllowlist is not set",
        change: |e| value(e, "kube-state-metrics", "metricLabelsAllowlist").readings[0].value = ValueSeen::Missing,
    },
    Case {
        name: "a default that breaks",
        code: "SF382",
        verdict: Fail,
        says: "prometheusScrape is not set, which is true",
        change: |e| value(e, "kube-state-metrics", "prometheusScrape").readings[0].value = ValueSeen::Missing,
    },
    Case {
        name: "no volume",
        code: "SF482",
        verdict: Fail,
        says: "vmagent: persistentVolume.enabled is false",
        change: |e| value(e, "vmagent", "enabled").readings[0].value = ValueSeen::Scalar(Scalar::Bool(false)),
    },
    Case {
        name: "a password in a value",
        code: "SF482",
        verdict: Fail,
        says: "vmagent: remoteWrite[0].\"basicAuth.password\" is set",
        change: |e| value(e, "vmagent", "basicAuth.password").readings[0].value = ValueSeen::Hidden,
    },
    Case {
        name: "crds by helm",
        code: "SF282",
        verdict: Fail,
        says: "crds.enabled is not set, which is true",
        change: |e| value(e, "envoy-gateway", "enabled").readings[0].value = ValueSeen::Missing,
    },
    Case {
        name: "no position database",
        code: "SF482",
        verdict: Fail,
        says: "config.inputs does not have DB ",
        change: |e| {
            value(e, "fluent-bit", "inputs").words.insert("DB ".into(), false);
        },
    },
    Case {
        name: "no bound",
        code: "SF482",
        verdict: Fail,
        says: "remoteWrite[0].maxDiskUsagePerURL is empty",
        change: |e| value(e, "vmagent", "maxDiskUsagePerURL").readings[0].value = ValueSeen::Empty,
    },
    Case {
        name: "no honor labels",
        code: "SF482",
        verdict: Fail,
        says: "config.scrape_configs[*].honor_labels is nowhere true",
        change: |e| value(e, "vmagent", "honor_labels").readings.clear(),
    },
    Case {
        name: "no pod labels",
        code: "SF482",
        verdict: Fail,
        says: "includeMetrics does not have kube_pod_labels",
        change: |e| {
            value(e, "k8s-monitoring", "includeMetrics")
                .words
                .insert("kube_pod_labels".into(), false);
        },
    },
    Case {
        name: "collected under another contract",
        code: "SF482",
        verdict: Unseen,
        says: "mode of vmagent was not read",
        change: |e| content(e, "vmagent").values.clear(),
    },
    // Order.
    Case {
        name: "collectors before what they depend on",
        code: "SF483",
        verdict: Warn,
        says: "fluent-bit (step 4) was first deployed 8m before kube-state-metrics (step 3)",
        change: |e| {
            let first = content(e, "kube-state-metrics").first_deployed;
            content(e, "fluent-bit").first_deployed = first.map(|first| first - minutes(8));
        },
    },
    Case {
        name: "any order within a step",
        code: "SF483",
        verdict: Pass,
        says: "6 releases in order",
        change: |e| {
            let first = content(e, "kube-state-metrics").first_deployed;
            content(e, "metrics-server").first_deployed = first.map(|first| first + minutes(0));
            content(e, "kube-state-metrics").first_deployed =
                first.map(|first| first - jiff::SignedDuration::from_secs(1));
        },
    },
    Case {
        name: "no times",
        code: "SF483",
        verdict: Unseen,
        says: "release vmagent does not say when",
        change: |e| content(e, "vmagent").first_deployed = None,
    },
    Case {
        name: "one release only",
        code: "SF483",
        verdict: NotApplicable,
        says: "not two Helm releases",
        change: |e| {
            for name in [
                "metrics-server",
                "kube-state-metrics",
                "fluent-bit",
                "vmagent",
                "k8s-monitoring",
            ] {
                remove(e, name);
            }
        },
    },
    Case {
        name: "values as they should be",
        code: "SF482",
        verdict: Pass,
        says: " terms",
        change: |_| {},
    },
    Case {
        name: "values of a release that is gone",
        code: "SF382",
        verdict: Pass,
        says: " terms",
        change: |e| {
            value(e, "kube-state-metrics", "prometheusScrape").readings[0].value =
                ValueSeen::Scalar(Scalar::Bool(true));
            history(e, "kube-state-metrics").status = "uninstalled".into();
        },
    },
    Case {
        name: "two values at once",
        code: "SF382",
        verdict: Fail,
        says: "",
        change: |e| {
            value(e, "kube-state-metrics", "prometheusScrape").readings[0].value =
                ValueSeen::Scalar(Scalar::Bool(true));
            value(e, "kube-state-metrics", "metricLabelsAllowlist").readings[0].value = text("pods=[*app*]");
        },
    },
    Case {
        name: "deployed in one moment",
        code: "SF483",
        verdict: Pass,
        says: "6 releases in order",
        change: |e| {
            let first = content(e, "kube-state-metrics").first_deployed;
            content(e, "fluent-bit").first_deployed = first;
        },
    },
    Case {
        name: "collectors before two that were deployed in one moment",
        code: "SF483",
        verdict: Warn,
        says: "fluent-bit (step 4) was first deployed 8m before metrics-server (step 3)",
        change: |e| {
            let first = content(e, "kube-state-metrics").first_deployed;
            content(e, "metrics-server").first_deployed = first;
            content(e, "fluent-bit").first_deployed = first.map(|first| first - minutes(8));
        },
    },
];

fn releases(evidence: &mut Evidence) -> &mut Vec<HelmRelease> {
    seen(&mut evidence.releases)
}

fn history<'a>(evidence: &'a mut Evidence, name: &str) -> &'a mut HelmHistory {
    let release = releases(evidence)
        .iter_mut()
        .find(|release| release.name == name)
        .unwrap();
    seen(&mut release.history)
}

fn content<'a>(evidence: &'a mut Evidence, name: &str) -> &'a mut HelmContent {
    seen(&mut history(evidence, name).content)
}

/// The value at the path that ends so.
fn value<'a>(evidence: &'a mut Evidence, name: &str, last: &str) -> &'a mut HelmValue {
    let values = &mut content(evidence, name).values;
    values
        .iter_mut()
        .find(|value| value.path.last().is_some_and(|key| key == last))
        .unwrap()
}

/// The newest revision was begun that long ago, and has this status.
fn pending(evidence: &mut Evidence, name: &str, status: &str, age: i64) {
    let stored = evidence.now(Source::HelmReleases).map(|now| now - minutes(age));
    let history = history(evidence, name);
    history.status = status.into();
    history.stored = stored;
}

fn remove(evidence: &mut Evidence, name: &str) {
    releases(evidence)
        .iter_mut()
        .find(|release| release.name == name)
        .unwrap()
        .history = Observed::Absent;
}

fn text(text: &str) -> ValueSeen {
    ValueSeen::Scalar(Scalar::Text(text.into()))
}
