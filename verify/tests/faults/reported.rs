//! What the checks of step 3 say of states that people reported in public.

use starform_verify::contract::Contract;
use starform_verify::evaluate::{Selection, evaluate};
use starform_verify::report::{CheckResult, Report, Verdict};
use testdata::{cases, collect, plan};

async fn audited(case: &str) -> Report {
    let contract = Contract::embedded().unwrap();
    let answers = cases::case(case).unwrap().answers().unwrap();
    let evidence = collect(&answers.targets(), &contract, &plan()).await;
    evaluate(&contract, &evidence, &Selection::all())
}

fn check(report: &Report, code: &str) -> CheckResult {
    report.checks().find(|check| check.code == code).unwrap().clone()
}

/// What is said of it, and what is advised.
fn words(check: &CheckResult) -> String {
    let fix = check.fix.as_ref();
    let fix = fix.map(|fix| format!("{} {}", fix.summary, fix.commands.join(" ")));
    format!("{} {} {}", check.observed, check.expected, fix.unwrap_or_default())
}

/// The codes of those of step 3 that neither pass nor have no subject.
fn told(report: &Report) -> Vec<String> {
    let told = report.checks().filter(|check| check.code.starts_with("SF3"));
    let told = told.filter(|check| !matches!(check.verdict, Verdict::Pass | Verdict::NotApplicable));
    told.map(|check| format!("{} {:?}: {}", check.code, check.verdict, check.observed))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn idle_pods_are_no_fault_of_the_kubelet() {
    let report = audited("idle-pods-zero-cpu").await;
    let complete = check(&report, "SF308");
    assert_eq!(complete.verdict, Verdict::Pass, "{}", complete.observed);
    assert!(
        complete.observed.contains("3 pods without metrics"),
        "{}",
        complete.observed
    );
    assert!(!words(&complete).contains("kubelet"), "{}", words(&complete));
    assert_eq!(told(&report), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn an_autoscaler_s_own_fault_is_a_warning_with_its_cause() {
    for (case, cause) in [
        ("hpa-target-pods-crash", "is ImagePullBackOff"),
        ("hpa-rollout-unready", "its target's pods are not ready"),
    ] {
        let report = audited(case).await;
        let autoscalers = check(&report, "SF312");
        assert_eq!(autoscalers.verdict, Verdict::Warn, "{case}: {}", autoscalers.observed);
        assert!(autoscalers.observed.contains(cause), "{case}: {}", autoscalers.observed);
        assert!(
            !words(&autoscalers).contains("request"),
            "{case}: {}",
            words(&autoscalers)
        );
        let told = told(&report);
        assert_eq!(told.len(), 1, "{case}: {told:?}");
    }
}

/// Rows of pods that are gone, new ones missing.
#[tokio::test(start_paused = true)]
async fn a_lost_watch_is_mended_by_a_restart() {
    let report = audited("ksm-lost-watch").await;
    for code in ["SF325", "SF326"] {
        let rows = check(&report, code);
        assert_eq!(rows.verdict, Verdict::Fail, "{code}: {}", rows.observed);
        let fix = rows.fix.unwrap();
        assert!(fix.commands[0].contains("delete pods"), "{code}: {fix:?}");
        assert!(
            !fix.commands.iter().any(|command| command.starts_with("helm")),
            "{fix:?}"
        );
    }
}
