//! How step 2's checks stand together, and what they print.

use starform_verify::contract::{Contract, StepId};
use starform_verify::evaluate::{Selection, SelectionRequest, evaluate};
use starform_verify::evidence::{Evidence, Observed};
use starform_verify::report::{CheckResult, Report, Verdict};
use testdata::{install, recordings};

/// The healthy recording with Envoy Gateway in it.
fn healthy() -> Evidence {
    let mut evidence = recordings::as_recorded("healthy");
    install::gateway::install(&mut evidence);
    evidence
}

fn judge(evidence: &Evidence) -> Report {
    let request = SelectionRequest {
        steps: vec![StepId::Two],
        ignored_groups: vec!["helm".to_owned()],
        ..SelectionRequest::default()
    };
    let selection = Selection::new(&request).unwrap();
    evaluate(&Contract::embedded().unwrap(), evidence, &selection)
}

fn result(report: &Report, code: &str) -> CheckResult {
    report.checks().find(|check| check.code == code).unwrap().clone()
}

/// What was seen, to change it.
fn seen<T>(observed: &mut Observed<T>) -> &mut T {
    match observed {
        Observed::Seen(value) => value,
        _ => panic!("the healthy evidence has seen it"),
    }
}

#[test]
fn the_healthy_cluster_conforms() {
    let report = judge(&healthy());
    for check in report.checks() {
        assert_eq!(check.verdict, Verdict::Pass, "{}: {}", check.code, check.observed);
    }
    assert!(report.summary.conforms, "{}", report.summary.answer);
}

#[test]
fn commands_name_what_is_there() {
    let mut evidence = healthy();
    for crd in seen(&mut evidence.gateway.crds).iter_mut().take(2) {
        crd.managed = Some("true".to_owned());
        crd.bundle = Some("v1.2.1".to_owned());
        crd.channel = Some("standard".to_owned());
    }
    evidence.target.context = Some("do nyc3".to_owned());
    evidence.target.context_named = true;
    let report = judge(&evidence);
    let fix = result(&report, "SF205").fix.unwrap();
    assert_eq!(
        fix.commands,
        [
            "kubectl --context 'do nyc3' annotate --overwrite customresourcedefinitions \
             gatewayclasses.gateway.networking.k8s.io gateways.gateway.networking.k8s.io \
             'doks.digitalocean.com/install-policy=external'",
            "kubectl --context 'do nyc3' delete validatingadmissionpolicybinding \
             safe-upgrades.gateway.networking.k8s.io --ignore-not-found",
            "helm show crds oci://docker.io/envoyproxy/gateway-helm --version v1.9.0 | \
             kubectl --context 'do nyc3' apply --server-side --force-conflicts --filename -",
        ]
    );
    // The older bundle is DOKS's: it is told once.
    assert_eq!(result(&report, "SF204").verdict, Verdict::Blocked);

    let mut evidence = healthy();
    seen(&mut evidence.gateway.classes)[0].controller_name = "example.com/other".to_owned();
    let fix = result(&judge(&evidence), "SF203").fix.unwrap();
    assert_eq!(
        fix.commands,
        [
            "kubectl delete gatewayclass starform",
            "kubectl apply --filename manifests/helm/gateway-class.yaml"
        ]
    );
}

#[test]
fn what_stands_behind_a_failure_is_told_once() {
    let mut evidence = healthy();
    seen(&mut evidence.gateway.controller).workloads[0].workload.desired = 0;
    let report = judge(&evidence);
    for code in ["SF203", "SF206"] {
        let told = result(&report, code);
        assert_eq!(
            (told.verdict, told.behind.as_deref()),
            (Verdict::Blocked, Some("SF201")),
            "{code}"
        );
    }
    assert_eq!(report.summary.first_broken_code(), Some("SF201"));
}
