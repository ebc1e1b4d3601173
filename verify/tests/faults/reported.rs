//! What the checks of step 3 say of states that people reported in public.

use starform_verify::contract::Contract;
use starform_verify::evaluate::{Selection, evaluate};
use starform_verify::evidence::{Evidence, Observed, Vantage};
use starform_verify::report::{CheckResult, Report, Verdict};
use std::time::Duration;
use testdata::{Answers, Fault, asked, cases, collect, plan};

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

/// Who serves the metrics API is told, and metrics-server's numbers are not its own.
#[tokio::test(start_paused = true)]
async fn an_adapter_is_named_and_judged_as_that() {
    let report = audited("promadapter-in-kube-system-0.12").await;
    let version = check(&report, "SF310");
    assert_eq!(version.verdict, Verdict::Warn, "{}", version.observed);
    assert!(
        version.observed.starts_with("prometheus-adapter 0.12.0 serves"),
        "{}",
        version.observed
    );
    let elsewhere = check(&audited("promadapter-in-monitoring").await, "SF302");
    assert_eq!(elsewhere.verdict, Verdict::Fail, "{}", elsewhere.observed);
    assert!(
        elsewhere.observed.contains("served by monitoring/prometheus-adapter"),
        "{}",
        elsewhere.observed
    );
    for told in [version, elsewhere] {
        let commands = told.fix.unwrap().commands;
        assert_eq!(commands[0], "kubectl delete apiservice v1beta1.metrics.k8s.io");
        assert!(
            commands[1].starts_with("helm upgrade --install metrics-server"),
            "{commands:?}"
        );
    }
    // Nothing else is wrong with it but that no release of metrics-server is there.
    let told = told(&report);
    assert!(
        told.iter()
            .all(|told| told.starts_with("SF310") || told.starts_with("SF380 Warn")),
        "{told:?}"
    );
}

/// One for custom resources is not asked for pods, and has no terms of one that is.
#[tokio::test(start_paused = true)]
async fn a_kube_state_metrics_for_custom_resources_is_none_of_the_pods() {
    let report = audited("ksm-second-for-crs-in-kube-system").await;
    let present = check(&report, "SF320");
    assert_eq!(
        present.observed,
        "kube-system/kube-state-metrics; beside it kube-system/flux-kube-state-metrics of custom resources"
    );
    assert_eq!(told(&report), [""; 0]);
    for code in ["SF431", "SF446"] {
        let other = check(&report, code);
        assert_eq!(other.verdict, Verdict::Pass, "{code}: {}", other.observed);
    }
}

#[tokio::test(start_paused = true)]
async fn two_replicas_of_an_unsharded_one_double_every_series() {
    let report = audited("ksm-two-replicas-unsharded").await;
    let runs = check(&report, "SF321");
    assert_eq!(runs.verdict, Verdict::Warn, "{}", runs.observed);
    assert!(
        runs.observed.contains("every series comes 2 times"),
        "{}",
        runs.observed
    );
    assert_eq!(told(&report).len(), 1, "{:?}", told(&report));
}

/// However its shards are made, they are judged alike; a pod of two address families is one target.
#[tokio::test(start_paused = true)]
async fn shards_are_shards_whatever_they_are_made_of() {
    for case in ["ksm-daemonset-sharding", "ksm-autosharding-dual-stack"] {
        let report = audited(case).await;
        assert_eq!(told(&report), [""; 0], "{case}");
    }
    let scraped = check(&audited("ksm-autosharding-dual-stack").await, "SF431");
    assert_eq!(scraped.verdict, Verdict::Pass, "{}", scraped.observed);
}

/// Answers of a cluster of which two pods of metrics-server are ready.
fn two_replicas() -> Answers {
    let answers = Answers::good();
    let mut slices: serde_json::Value = serde_json::from_str(asked("endpoints of metrics-server").body()).unwrap();
    let endpoints = slices["items"][0]["endpoints"].as_array_mut().unwrap();
    let mut second = endpoints[0].clone();
    second["targetRef"]["name"] = "metrics-server-second".into();
    second["addresses"] = serde_json::json!(["10.244.9.9"]);
    endpoints.push(second);
    let slices = (200, "application/json", slices.to_string());
    answers.answer("endpoints of metrics-server", vec![slices]);
    answers
}

/// An audit from there, and how often it asks for NodeMetrics.
async fn of_answers(answers: &Answers, vantage: Vantage) -> (Evidence, usize) {
    let targets = answers.targets_from(vantage);
    let evidence = collect(&targets, &Contract::embedded().unwrap(), &plan()).await;
    let log = answers.log();
    let asked = log.iter().filter(|head| head.contains("/metrics.k8s.io/v1beta1/nodes"));
    (evidence, asked.count())
}

/// Two pods of metrics-server are ready, and NodeMetrics are answered so, one after the other.
async fn of_two_replicas(node_metrics: &[String]) -> (Evidence, usize) {
    let answers = two_replicas();
    let replies = node_metrics.iter().map(|body| (200, "application/json", body.clone()));
    answers.answer("node-metrics", replies.collect());
    of_answers(&answers, Vantage::Outside).await
}

/// Both are Ready, and which of them answers the API server chooses: the first five times it was the one that reads all.
#[tokio::test(start_paused = true)]
async fn a_replica_of_metrics_server_that_cannot_read_a_node_is_told() {
    let good = asked("node-metrics").body().to_owned();
    let mut other: serde_json::Value = serde_json::from_str(&good).unwrap();
    let nodes = other["items"].as_array_mut().unwrap();
    nodes.retain(|node| node["metadata"]["name"] != "node2");
    for node in nodes {
        node["timestamp"] = "2026-11-22T15:02:44Z".into();
    }
    let mut replies = vec![good.clone(); 5];
    replies.push(other.to_string());
    let (evidence, asked) = of_two_replicas(&replies).await;
    assert_eq!(asked, 6);
    let report = evaluate(&Contract::embedded().unwrap(), &evidence, &Selection::all());
    let complete = check(&report, "SF306");
    assert_eq!(complete.verdict, Verdict::Fail, "{}", complete.observed);
    assert!(
        complete.observed.ends_with("in one of 2 pods of metrics-server: node2"),
        "{}",
        complete.observed
    );

    let (evidence, asked) = of_two_replicas(&[good]).await;
    assert_eq!(asked, 8);
    let Some(Observed::Seen(again)) = &evidence.node_metrics_again else {
        panic!("{:?}", evidence.node_metrics_again);
    };
    assert_eq!((again.readings, &again.other), (8, &None));
}

/// The first list is whole, and stays so however long the others take.
#[tokio::test(start_paused = true)]
async fn slow_answers_of_two_replicas_take_no_more_than_their_time() {
    let answers = two_replicas();
    let body = asked("node-metrics").body().to_owned();
    answers.answer_slowly("node-metrics", body, Duration::from_millis(150));
    let (evidence, asked) = of_answers(&answers, Vantage::Outside).await;
    assert!(asked < 8, "{asked}");
    let Some(Observed::Seen(again)) = &evidence.node_metrics_again else {
        panic!("{:?}", evidence.node_metrics_again);
    };
    assert_eq!(again.other, None);
    let report = evaluate(&Contract::embedded().unwrap(), &evidence, &Selection::all());
    let complete = check(&report, "SF306");
    assert_eq!(complete.verdict, Verdict::Pass, "{}", complete.observed);
}

/// What looks every minute sees both of them over the rounds.
#[tokio::test(start_paused = true)]
async fn inside_of_the_cluster_node_metrics_are_read_once_more_each_round() {
    let (evidence, asked) = of_answers(&two_replicas(), Vantage::Inside).await;
    assert_eq!(asked, 2);
    let Some(Observed::Seen(again)) = &evidence.node_metrics_again else {
        panic!("{:?}", evidence.node_metrics_again);
    };
    assert_eq!((again.readings, &again.other), (2, &None));
}

/// Argo CD renders the charts: there is no release of Helm, and what is typed is reverted.
#[tokio::test(start_paused = true)]
async fn what_argo_cd_applies_is_mended_in_its_repository() {
    let report = audited("argocd-allowlist-lacks-one-key").await;
    let allow_list = check(&report, "SF324");
    assert_eq!(allow_list.verdict, Verdict::Fail, "{}", allow_list.observed);
    assert!(
        allow_list.observed.contains("lacks starform.io/app"),
        "{}",
        allow_list.observed
    );
    let fix = allow_list.fix.unwrap();
    assert!(
        fix.summary
            .contains("in the repository that Argo CD (Application platform-kube-state-metrics) applies"),
        "{}",
        fix.summary
    );
    assert!(
        fix.commands.iter().all(|command| !command.starts_with("helm")),
        "{fix:?}"
    );
    assert!(fix.changes && fix.proof.is_some(), "{fix:?}");
}

#[tokio::test(start_paused = true)]
async fn a_release_of_another_name_is_named() {
    let report = audited("helm-release-other-name").await;
    let release = check(&report, "SF380");
    assert_eq!(release.verdict, Verdict::Warn, "{}", release.observed);
    assert!(
        release
            .observed
            .contains("Helm's release of kube-state-metrics is called ksm"),
        "{}",
        release.observed
    );
}

/// Helm refuses any other command while the release is pending.
#[tokio::test(start_paused = true)]
async fn the_pending_release_is_mended_before_all_else() {
    let report = audited("helm-pending-install-killed-in-hook").await;
    for told in report.checks().filter(|check| check.code.starts_with("SF2")) {
        let Some(fix) = &told.fix else { continue };
        let Some(helm) = fix
            .commands
            .iter()
            .position(|command| command.contains("helm upgrade --install"))
        else {
            continue;
        };
        let before = fix.commands[..helm].join("\n");
        assert!(
            before.contains("delete secret sh.helm.release.v1.envoy-gateway.v1"),
            "{}: {fix:?}",
            told.code
        );
    }
    let (_, first) = report.first_broken().unwrap();
    let first = first.fix.clone().unwrap();
    assert!(
        first
            .commands
            .iter()
            .any(|command| command.contains("delete secret sh.helm.release.v1.envoy-gateway.v1")),
        "{first:?}"
    );
}

/// With the definition its resources are gone, and the API server knows no such path.
#[tokio::test(start_paused = true)]
async fn the_missing_kind_is_applied_before_the_chart() {
    let contract = Contract::embedded().unwrap();
    let answers = cases::case("alloy-crd-missing").unwrap().answers().unwrap();
    for request in ["alloys", "alloy's definition"] {
        answers.fault(request, Fault::Status(404));
    }
    let evidence = collect(&answers.targets(), &contract, &plan()).await;
    let report = evaluate(&contract, &evidence, &Selection::all());
    let kind = check(&report, "SF444");
    assert_eq!(kind.observed, "the API server does not know the kind Alloy");
    let commands = kind.fix.unwrap().commands;
    assert!(
        commands[0].starts_with("helm show crds k8s-monitoring "),
        "{commands:?}"
    );
    assert!(
        commands[1].starts_with("helm upgrade --install k8s-monitoring "),
        "{commands:?}"
    );
}

/// Its pods have other labels than the chart's.
#[tokio::test(start_paused = true)]
async fn commands_select_the_pods_of_components_yaml() {
    let report = audited("components-yaml-x509").await;
    let mut told = 0;
    for check in report.checks().filter(|check| check.code.starts_with("SF30")) {
        for command in check
            .fix
            .iter()
            .flat_map(|fix| &fix.commands)
            .filter(|command| command.contains("--selector"))
        {
            assert!(command.contains("k8s-app=metrics-server"), "{}: {command}", check.code);
            told += 1;
        }
    }
    assert!(told > 0, "{report:?}");
}
