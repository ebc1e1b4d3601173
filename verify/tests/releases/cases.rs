//! Each check of the releases, tripped by one difference.

use super::{content, evidence_of, history, releases, value};
use rstest::rstest;
use starform_verify::contract::{Contract, Scalar};
use starform_verify::evaluate::{Selection, evaluate};
use starform_verify::evidence::{Evidence, Observed, Reason, Source, Unknown, ValueSeen};
use starform_verify::report::{CheckResult, Verdict};

fn minutes(minutes: i64) -> jiff::SignedDuration {
    jiff::SignedDuration::from_mins(minutes)
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

fn unknown<T>(reason: Reason) -> Observed<T> {
    Observed::Unknown(Unknown {
        reason,
        request: "GET /somewhere".into(),
        message: "no".into(),
        access: None,
    })
}

fn text(text: &str) -> ValueSeen {
    ValueSeen::Scalar(Scalar::Text(text.into()))
}

#[rstest]
// Deployed.
#[case::failed("SF380", Verdict::Fail, "revision 1 of metrics-server failed, and none was ever deployed",
    |e: &mut Evidence| history(e, "metrics-server").status = "failed".into())]
#[case::failed_after_one_that_did_not("SF380", Verdict::Fail, "revision 3 of kube-state-metrics failed; revision 2 was the last that did not",
    |e: &mut Evidence| {
        history(e, "kube-state-metrics").status = "failed".into();
        history(e, "kube-state-metrics").revision = 3;
        history(e, "kube-state-metrics").earlier = Some(2);
    })]
#[case::two_at_once("SF480", Verdict::Fail, "revision 1 of fluent-bit failed, and none was ever deployed; revision 1 of vmagent is superseded",
    |e: &mut Evidence| {
        history(e, "fluent-bit").status = "failed".into();
        history(e, "vmagent").status = "superseded".into();
    })]
#[case::stuck("SF280", Verdict::Fail, "revision 1 of envoy-gateway has been pending-install for 16m",
    |e: &mut Evidence| pending(e, "envoy-gateway", "pending-install", 16))]
#[case::at_work("SF480", Verdict::Unknown, "revision 1 of vmagent has been pending-upgrade for 15m",
    |e: &mut Evidence| pending(e, "vmagent", "pending-upgrade", 15))]
#[case::at_work_at_no_time("SF480", Verdict::Unknown, "nothing tells since when", |e: &mut Evidence| {
    pending(e, "vmagent", "pending-rollback", 1);
    history(e, "vmagent").stored = None;
})]
#[case::stuck_removal("SF480", Verdict::Fail, "has been uninstalling for 20m", |e: &mut Evidence| pending(e, "k8s-monitoring", "uninstalling", 20))]
#[case::unknown_to_helm("SF280", Verdict::Fail, "is unknown: no revision is deployed", |e: &mut Evidence| history(e, "envoy-gateway").status = "unknown".into())]
#[case::by_something_else("SF380", Verdict::Warn, "no Helm release kube-state-metrics, and it is there: something else installed it",
    |e: &mut Evidence| remove(e, "kube-state-metrics"))]
#[case::uninstalled_with_history("SF380", Verdict::Warn, "Helm release metrics-server was uninstalled, and it is there",
    |e: &mut Evidence| history(e, "metrics-server").status = "uninstalled".into())]
#[case::elsewhere("SF380", Verdict::Warn, "metrics-server is deployed in namespace default",
    |e: &mut Evidence| history(e, "metrics-server").namespace = "default".into())]
#[case::one_forbidden("SF380", Verdict::Unknown, "forbidden",
    |e: &mut Evidence| releases(e)[1].history = unknown(Reason::Forbidden))]
#[case::all_forbidden("SF280", Verdict::Unknown, "forbidden", |e: &mut Evidence| e.releases = unknown(Reason::Forbidden))]
#[case::not_looked_for("SF480", Verdict::Unknown, "release k8s-monitoring was not looked for", |e: &mut Evidence| { releases(e).pop(); })]
#[case::a_failure_is_told_before_what_is_not_seen("SF380", Verdict::Fail, "failed", |e: &mut Evidence| {
    releases(e)[1].history = unknown(Reason::TimedOut);
    history(e, "kube-state-metrics").status = "failed".into();
})]
// Chart versions.
#[case::old_gateway_chart("SF281", Verdict::Fail, "envoy-gateway is of chart version v1.8.3, which is not accepted",
    |e: &mut Evidence| content(e, "envoy-gateway").version = "v1.8.3".into())]
#[case::old_chart("SF381", Verdict::Fail, "kube-state-metrics is of chart version 5.25.0",
    |e: &mut Evidence| content(e, "kube-state-metrics").version = "5.25.0".into())]
#[case::no_version("SF481", Verdict::Fail, "vmagent is of chart version main", |e: &mut Evidence| content(e, "vmagent").version = "main".into())]
#[case::a_chart_of_another_name("SF481", Verdict::Fail, "k8s-monitoring is of chart alloy", |e: &mut Evidence| content(e, "k8s-monitoring").chart = "alloy".into())]
#[case::values_of_version_3("SF481", Verdict::Fail, "k8s-monitoring is of chart version 3.8.12",
    |e: &mut Evidence| content(e, "k8s-monitoring").version = "3.8.12".into())]
#[case::not_readable("SF381", Verdict::Unknown, "malformed", |e: &mut Evidence| history(e, "metrics-server").content = unknown(Reason::Malformed))]
// Values.
#[case::another_controller("SF282", Verdict::Fail, "config.envoyGateway.gateway.controllerName is mine",
    |e: &mut Evidence| value(e, "envoy-gateway", "controllerName").readings[0].value = text("mine"))]
#[case::insecure_kubelets("SF382", Verdict::Fail, "metrics-server: args has --kubelet-insecure-tls",
    |e: &mut Evidence| { value(e, "metrics-server", "args").words.insert("--kubelet-insecure-tls".into(), true); })]
#[case::a_pattern_on_an_old_chart("SF382", Verdict::Fail, "has a pattern, which matches nothing before kube-state-metrics 2.20.0",
    |e: &mut Evidence| {
        content(e, "kube-state-metrics").version = "8.3.0".into();
        value(e, "kube-state-metrics", "metricLabelsAllowlist").readings[0].value = text("pods=[starform.io/*]");
    })]
#[case::a_pattern_on_an_old_image("SF382", Verdict::Fail, "has a pattern", |e: &mut Evidence| {
    value(e, "kube-state-metrics", "tag").readings[0].value = text("v2.18.0");
    value(e, "kube-state-metrics", "metricLabelsAllowlist").readings[0].value = text("pods=[starform.io/*]");
})]
#[case::a_pattern_on_the_contract_s_chart("SF382", Verdict::Pass, "terms",
    |e: &mut Evidence| value(e, "kube-state-metrics", "metricLabelsAllowlist").readings[0].value = text("pods=[starform.io/*]"))]
#[case::a_label_is_missing("SF382", Verdict::Fail, "metricLabelsAllowlist does not show starform.io/region, starform.io/project",
    |e: &mut Evidence| value(e, "kube-state-metrics", "metricLabelsAllowlist").readings[0].value = text("pods=[starform.io/cluster-id]"))]
#[case::no_allow_list("SF382", Verdict::Fail, "metricLabelsAllowlist is not set",
    |e: &mut Evidence| value(e, "kube-state-metrics", "metricLabelsAllowlist").readings[0].value = ValueSeen::Missing)]
#[case::a_default_that_breaks("SF382", Verdict::Fail, "prometheusScrape is not set, which is true",
    |e: &mut Evidence| value(e, "kube-state-metrics", "prometheusScrape").readings[0].value = ValueSeen::Missing)]
#[case::no_volume("SF482", Verdict::Fail, "vmagent: persistentVolume.enabled is false",
    |e: &mut Evidence| value(e, "vmagent", "enabled").readings[0].value = ValueSeen::Scalar(Scalar::Bool(false)))]
#[case::a_password_in_a_value("SF482", Verdict::Fail, "vmagent: remoteWrite[0].\"basicAuth.password\" is set",
    |e: &mut Evidence| value(e, "vmagent", "basicAuth.password").readings[0].value = ValueSeen::Hidden)]
#[case::crds_by_helm("SF282", Verdict::Fail, "crds.enabled is not set, which is true",
    |e: &mut Evidence| value(e, "envoy-gateway", "enabled").readings[0].value = ValueSeen::Missing)]
#[case::no_position_database("SF482", Verdict::Fail, "config.inputs does not have DB ",
    |e: &mut Evidence| { value(e, "fluent-bit", "inputs").words.insert("DB ".into(), false); })]
#[case::no_bound("SF482", Verdict::Fail, "remoteWrite[0].maxDiskUsagePerURL is empty",
    |e: &mut Evidence| value(e, "vmagent", "maxDiskUsagePerURL").readings[0].value = ValueSeen::Empty)]
#[case::no_honor_labels("SF482", Verdict::Fail, "config.scrape_configs[*].honor_labels is nowhere true",
    |e: &mut Evidence| value(e, "vmagent", "honor_labels").readings.clear())]
#[case::no_pod_labels("SF482", Verdict::Fail, "includeMetrics does not have kube_pod_labels",
    |e: &mut Evidence| { value(e, "k8s-monitoring", "includeMetrics").words.insert("kube_pod_labels".into(), false); })]
#[case::collected_under_another_contract("SF482", Verdict::Unknown, "mode of vmagent was not read",
    |e: &mut Evidence| content(e, "vmagent").values.clear())]
// Order.
#[case::collectors_before_what_they_depend_on("SF483", Verdict::Warn,
    "fluent-bit (step 4) was first deployed 8m before kube-state-metrics (step 3)", |e: &mut Evidence| {
        let first = content(e, "kube-state-metrics").first_deployed;
        content(e, "fluent-bit").first_deployed = first.map(|first| first - minutes(8));
    })]
#[case::any_order_within_a_step("SF483", Verdict::Pass, "6 releases in order", |e: &mut Evidence| {
    let first = content(e, "kube-state-metrics").first_deployed;
    content(e, "metrics-server").first_deployed = first.map(|first| first + minutes(0));
    content(e, "kube-state-metrics").first_deployed = first.map(|first| first - jiff::SignedDuration::from_secs(1));
})]
#[case::no_times("SF483", Verdict::Unknown, "release vmagent does not say when", |e: &mut Evidence| content(e, "vmagent").first_deployed = None)]
#[case::one_release_only("SF483", Verdict::NotApplicable, "not two Helm releases", |e: &mut Evidence| {
    for name in ["metrics-server", "kube-state-metrics", "fluent-bit", "vmagent", "k8s-monitoring"] {
        remove(e, name);
    }
})]
fn one_difference_is_told(
    #[case] code: &str,
    #[case] verdict: Verdict,
    #[case] words: &str,
    #[case] change: fn(&mut Evidence),
) {
    let mut evidence = super::healthy();
    change(&mut evidence);
    let report = evaluate(&Contract::embedded().unwrap(), &evidence, &Selection::all());
    let told = report.checks().find(|check| check.code == code).unwrap().clone();
    assert_eq!(told.verdict, verdict, "{code}: {}", told.observed);
    assert!(
        told.observed.contains(words),
        "{code} says {:?}, not {words:?}",
        told.observed
    );
    if matches!(verdict, Verdict::Fail | Verdict::Warn) {
        assert!(!told.expected.is_empty(), "{code} expects nothing");
    }
    if verdict == Verdict::Fail {
        assert!(
            told.lasting && told.fix.is_some(),
            "{code}: waiting cannot mend it, somebody has to"
        );
        let of_releases = |check: &&CheckResult| evidence_of(&check.code) && check.code != code;
        let others = report
            .checks()
            .filter(|check| check.verdict == Verdict::Fail)
            .filter(of_releases);
        assert_eq!(
            others.map(|check| check.code.as_str()).collect::<Vec<_>>(),
            [] as [&str; 0]
        );
    }
}
