//! What the checks of Helm's releases say of a cluster that differs from a healthy one in one thing.

use crate::release_answers as answers;
use rstest::rstest;
use starform_verify::contract::Contract;
use starform_verify::evaluate::{CHECKS, Selection, evaluate};
use starform_verify::evidence::{Evidence, HelmHistory, HelmRelease, Observed};
use starform_verify::report::{CheckResult, Report, Verdict};
use testdata::{install, recordings};

/// What no evidence and no report may have.
pub(crate) const HUSH: &str = "hush-hush-correct-horse";

/// The healthy recording with Shuttle and Helm's releases in it.
fn healthy() -> Evidence {
    let mut evidence = recordings::as_recorded("healthy");
    install::shuttle::install(&mut evidence);
    install::releases::install(&mut evidence);
    evidence
}

fn judge(evidence: &Evidence) -> Report {
    evaluate(&Contract::embedded().unwrap(), evidence, &Selection::all())
}

fn result(report: &Report, code: &str) -> CheckResult {
    report.checks().find(|check| check.code == code).unwrap().clone()
}

fn seen<T>(observed: &mut Observed<T>) -> &mut T {
    match observed {
        Observed::Seen(value) => value,
        _ => panic!("the healthy evidence has seen it"),
    }
}

fn releases(evidence: &mut Evidence) -> &mut Vec<HelmRelease> {
    seen(&mut evidence.releases)
}

pub(crate) fn history<'a>(evidence: &'a mut Evidence, name: &str) -> &'a mut HelmHistory {
    let release = releases(evidence)
        .iter_mut()
        .find(|release| release.name == name)
        .unwrap();
    seen(&mut release.history)
}

/// Whether a check is one of the releases'.
fn evidence_of(code: &str) -> bool {
    CHECKS
        .iter()
        .any(|check| check.code == code && check.groups.contains(&"helm"))
}

#[test]
fn releases_as_the_contract_wants_them_pass() {
    let report = judge(&healthy());
    let ours: Vec<&CheckResult> = report.checks().filter(|check| evidence_of(&check.code)).collect();
    assert_eq!(ours.len(), 10);
    for check in ours {
        assert_eq!(check.verdict, Verdict::Pass, "{}: {}", check.code, check.observed);
        assert!(!check.gates, "{}", check.code);
    }
}

#[test]
fn a_release_that_is_not_there_stands_behind_its_component_where_that_is_not_there_either() {
    let mut evidence = healthy();
    releases(&mut evidence)[2].history = Observed::Absent;
    seen(&mut evidence.kube_state_metrics.services).clear();
    let report = judge(&evidence);
    let told = result(&report, "SF380");
    assert_eq!(
        (told.verdict, told.behind.as_deref()),
        (Verdict::Blocked, Some("SF320")),
        "{}",
        told.observed
    );
    assert_eq!(result(&report, "SF381").verdict, Verdict::Blocked);
    assert_eq!(report.summary.first_broken_code(), Some("SF320"));
}

#[test]
fn a_release_that_is_not_there_is_unknown_where_its_component_is() {
    let mut evidence = healthy();
    releases(&mut evidence)[2].history = Observed::Absent;
    evidence.kube_state_metrics.services = Observed::not_collected();
    let told = result(&judge(&evidence), "SF380");
    assert_eq!(
        (told.verdict, told.behind.as_deref()),
        (Verdict::Unknown, Some("SF320")),
        "{}",
        told.observed
    );
}

#[rstest]
#[case::first_install(
    "pending-install",
    None,
    "kubectl --namespace kube-system delete secret sh.helm.release.v1.metrics-server.v1"
)]
#[case::upgrade(
    "pending-upgrade",
    Some(4),
    "helm rollback metrics-server 4 --namespace kube-system --wait"
)]
#[case::removal(
    "uninstalling",
    Some(4),
    "helm rollback metrics-server 1 --namespace kube-system --wait"
)]
#[case::lost(
    "superseded",
    None,
    "kubectl --namespace kube-system delete secret sh.helm.release.v1.metrics-server.v1"
)]
#[case::failed("failed", Some(4), "helm status metrics-server --namespace kube-system")]
fn recovery_loses_no_data(#[case] status: &str, #[case] earlier: Option<u32>, #[case] command: &str) {
    let mut evidence = healthy();
    let history = history(&mut evidence, "metrics-server");
    history.status = status.to_owned();
    history.earlier = earlier;
    let fix = result(&judge(&evidence), "SF380").fix.unwrap();
    assert!(fix.commands.iter().any(|typed| typed == command), "{:?}", fix.commands);
    let last = fix.commands.last().unwrap();
    assert!(last.starts_with("helm upgrade --install metrics-server "), "{last}");
    assert!(
        !fix.commands
            .iter()
            .any(|typed| typed.contains("uninstall ") || typed.contains("--force"))
    );
}

#[test]
fn the_mock_answers_with_these_releases() {
    for (name, answer) in answers::answers() {
        let file = answers::file(&name);
        if std::env::var_os("UPDATE_ANSWERS").is_some() {
            std::fs::write(&file, format!("{answer}\n")).unwrap();
        }
        let committed = std::fs::read_to_string(&file).unwrap_or_default();
        let committed = serde_json::from_str(&committed).map(answers::unpacked);
        assert!(
            committed.is_ok_and(|committed| committed == answers::unpacked(answer)),
            "{name} differs: run this test with UPDATE_ANSWERS=1"
        );
    }
}
