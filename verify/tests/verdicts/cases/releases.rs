//! Helm's releases.

use crate::case::{Case, fails, not_applicable, passes, unseen, warns};
use crate::given::{minutes, seen, unknown};
use starform_verify::contract::Scalar;
use starform_verify::evidence::{
    Evidence, HelmContent, HelmHistory, HelmRelease, HelmValue, Observed, Reason, Source, ValueSeen,
};

pub(crate) const CASES: &[Case] = &[
    // Deployed.
    fails(
        "SF380",
        "revision 1 of metrics-server failed, and none was ever deployed",
    )
    .when("failed", |e| history(e, "metrics-server").status = "failed".into()),
    fails(
        "SF380",
        "revision 3 of kube-state-metrics failed; revision 2 was the last that did not",
    )
    .when("failed after one that did not", |e| {
        history(e, "kube-state-metrics").status = "failed".into();
        history(e, "kube-state-metrics").revision = 3;
        history(e, "kube-state-metrics").earlier = Some(2);
    }),
    fails(
        "SF480",
        "revision 1 of fluent-bit failed, and none was ever deployed; revision 1 of vmagent is superseded",
    )
    .when("two at once", |e| {
        history(e, "fluent-bit").status = "failed".into();
        history(e, "vmagent").status = "superseded".into();
    }),
    fails("SF280", "revision 1 of envoy-gateway has been pending-install for 16m")
        .when("stuck", |e| pending(e, "envoy-gateway", "pending-install", 16)),
    unseen("SF480", "revision 1 of vmagent has been pending-upgrade for 15m")
        .when("at work", |e| pending(e, "vmagent", "pending-upgrade", 15)),
    unseen("SF480", "nothing tells since when").when("at work at no time", |e| {
        pending(e, "vmagent", "pending-rollback", 1);
        history(e, "vmagent").stored = None;
    }),
    fails("SF480", "has been uninstalling for 20m")
        .when("stuck removal", |e| pending(e, "k8s-monitoring", "uninstalling", 20)),
    fails("SF280", "is unknown: no revision is deployed").when("unknown to helm", |e| {
        history(e, "envoy-gateway").status = "unknown".into();
    }),
    warns(
        "SF380",
        "no Helm release kube-state-metrics, and it is there: something else installed it",
    )
    .when("by something else", |e| remove(e, "kube-state-metrics")),
    warns("SF380", "Helm release metrics-server was uninstalled, and it is there").when(
        "uninstalled with history",
        |e| {
            history(e, "metrics-server").status = "uninstalled".into();
        },
    ),
    warns("SF380", "metrics-server is deployed in namespace default").when("elsewhere", |e| {
        history(e, "metrics-server").namespace = "default".into();
    }),
    unseen("SF380", "forbidden").when("one forbidden", |e| releases(e)[1].history = unknown(Reason::Forbidden)),
    unseen("SF280", "forbidden").when("all forbidden", |e| e.releases = unknown(Reason::Forbidden)),
    unseen("SF480", "release k8s-monitoring was not looked for").when("not looked for", |e| {
        releases(e).pop();
    }),
    fails("SF380", "failed").when("a failure is told before what is not seen", |e| {
        releases(e)[1].history = unknown(Reason::TimedOut);
        history(e, "kube-state-metrics").status = "failed".into();
    }),
    // Chart versions.
    fails(
        "SF281",
        "envoy-gateway is of chart version v1.8.3, which is not accepted",
    )
    .when("old gateway chart", |e| {
        content(e, "envoy-gateway").version = "v1.8.3".into();
    }),
    fails("SF381", "kube-state-metrics is of chart version 5.25.0").when("old chart", |e| {
        content(e, "kube-state-metrics").version = "5.25.0".into();
    }),
    fails("SF481", "vmagent is of chart version main")
        .when("no version", |e| content(e, "vmagent").version = "main".into()),
    fails("SF481", "k8s-monitoring is of chart alloy").when("a chart of another name", |e| {
        content(e, "k8s-monitoring").chart = "alloy".into();
    }),
    fails("SF481", "k8s-monitoring is of chart version 3.8.12").when("values of version 3", |e| {
        content(e, "k8s-monitoring").version = "3.8.12".into();
    }),
    unseen("SF381", "malformed").when("not readable", |e| {
        history(e, "metrics-server").content = unknown(Reason::Malformed);
    }),
    // Values.
    fails("SF282", "config.envoyGateway.gateway.controllerName is mine").when("another controller", |e| {
        value(e, "envoy-gateway", "controllerName").readings[0].value = text("mine");
    }),
    fails("SF382", "metrics-server: args has --kubelet-insecure-tls").when("insecure kubelets", |e| {
        value(e, "metrics-server", "args")
            .words
            .insert("--kubelet-insecure-tls".into(), true);
    }),
    fails(
        "SF382",
        "has a pattern, which matches nothing before kube-state-metrics 2.20.0",
    )
    .when("a pattern on an old chart", |e| {
        content(e, "kube-state-metrics").version = "8.3.0".into();
        value(e, "kube-state-metrics", "metricLabelsAllowlist").readings[0].value = text("pods=[starform.io/*]");
    }),
    fails("SF382", "has a pattern").when("a pattern on an old image", |e| {
        value(e, "kube-state-metrics", "tag").readings[0].value = text("v2.18.0");
        value(e, "kube-state-metrics", "metricLabelsAllowlist").readings[0].value = text("pods=[starform.io/*]");
    }),
    passes("SF382", "terms").when("a pattern on the contract s chart", |e| {
        value(e, "kube-state-metrics", "metricLabelsAllowlist").readings[0].value = text("pods=[starform.io/*]");
    }),
    fails(
        "SF382",
        "metricLabelsAllowlist does not show starform.io/region, starform.io/project",
    )
    .when("a label is missing", |e| {
        value(e, "kube-state-metrics", "metricLabelsAllowlist").readings[0].value =
            text("pods=[starform.io/cluster-id]");
    }),
    fails("SF382", "metricLabelsAllowlist is not set").when("no allow list", |e| {
        value(e, "kube-state-metrics", "metricLabelsAllowlist").readings[0].value = ValueSeen::Missing;
    }),
    fails("SF382", "prometheusScrape is not set, which is true").when("a default that breaks", |e| {
        value(e, "kube-state-metrics", "prometheusScrape").readings[0].value = ValueSeen::Missing;
    }),
    fails("SF482", "vmagent: persistentVolume.enabled is false").when("no volume", |e| {
        value(e, "vmagent", "enabled").readings[0].value = ValueSeen::Scalar(Scalar::Bool(false));
    }),
    fails("SF482", "vmagent: remoteWrite[0].\"basicAuth.password\" is set").when("a password in a value", |e| {
        value(e, "vmagent", "basicAuth.password").readings[0].value = ValueSeen::Hidden;
    }),
    fails("SF282", "crds.enabled is not set, which is true").when("crds by helm", |e| {
        value(e, "envoy-gateway", "enabled").readings[0].value = ValueSeen::Missing;
    }),
    fails("SF482", "config.inputs does not have DB ").when("no position database", |e| {
        value(e, "fluent-bit", "inputs").words.insert("DB ".into(), false);
    }),
    fails("SF482", "remoteWrite[0].maxDiskUsagePerURL is empty").when("no bound", |e| {
        value(e, "vmagent", "maxDiskUsagePerURL").readings[0].value = ValueSeen::Empty;
    }),
    fails("SF482", "config.scrape_configs[*].honor_labels is nowhere true").when("no honor labels", |e| {
        value(e, "vmagent", "honor_labels").readings.clear();
    }),
    fails("SF482", "includeMetrics does not have kube_pod_labels").when("no pod labels", |e| {
        value(e, "k8s-monitoring", "includeMetrics")
            .words
            .insert("kube_pod_labels".into(), false);
    }),
    unseen("SF482", "mode of vmagent was not read").when("collected under another contract", |e| {
        content(e, "vmagent").values.clear();
    }),
    // Order.
    warns(
        "SF483",
        "fluent-bit (step 4) was first deployed 8m before kube-state-metrics (step 3)",
    )
    .when("collectors before what they depend on", |e| {
        let first = content(e, "kube-state-metrics").first_deployed;
        content(e, "fluent-bit").first_deployed = first.map(|first| first - minutes(8));
    }),
    passes("SF483", "6 releases in order").when("any order within a step", |e| {
        let first = content(e, "kube-state-metrics").first_deployed;
        content(e, "metrics-server").first_deployed = first.map(|first| first + minutes(0));
        content(e, "kube-state-metrics").first_deployed = first.map(|first| first - jiff::SignedDuration::from_secs(1));
    }),
    unseen("SF483", "release vmagent does not say when")
        .when("no times", |e| content(e, "vmagent").first_deployed = None),
    not_applicable("SF483", "not two Helm releases").when("one release only", |e| {
        for name in [
            "metrics-server",
            "kube-state-metrics",
            "fluent-bit",
            "vmagent",
            "k8s-monitoring",
        ] {
            remove(e, name);
        }
    }),
    passes("SF482", " terms").when("values as they should be", |_| {}),
    passes("SF382", " terms").when("values of a release that is gone", |e| {
        value(e, "kube-state-metrics", "prometheusScrape").readings[0].value = ValueSeen::Scalar(Scalar::Bool(true));
        history(e, "kube-state-metrics").status = "uninstalled".into();
    }),
    fails("SF382", "").when("two values at once", |e| {
        value(e, "kube-state-metrics", "prometheusScrape").readings[0].value = ValueSeen::Scalar(Scalar::Bool(true));
        value(e, "kube-state-metrics", "metricLabelsAllowlist").readings[0].value = text("pods=[*app*]");
    }),
    passes("SF483", "6 releases in order").when("deployed in one moment", |e| {
        let first = content(e, "kube-state-metrics").first_deployed;
        content(e, "fluent-bit").first_deployed = first;
    }),
    warns(
        "SF483",
        "fluent-bit (step 4) was first deployed 8m before metrics-server (step 3)",
    )
    .when("collectors before two that were deployed in one moment", |e| {
        let first = content(e, "kube-state-metrics").first_deployed;
        content(e, "metrics-server").first_deployed = first;
        content(e, "fluent-bit").first_deployed = first.map(|first| first - minutes(8));
    }),
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
