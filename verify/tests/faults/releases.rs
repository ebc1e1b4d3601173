//! What is asked of Helm's Secrets, and that nothing else of them is kept.

use serde_json::{Value, json};
use starform_verify::contract::Contract;
use starform_verify::evaluate::{Selection, evaluate};
use starform_verify::evidence::{Evidence, HelmHistory, Observed, Reason, Source};
use starform_verify_cli::render::{Format, Screen, render};
use testdata::{Mock, collect, plan};

/// Stands in the values, the manifest, the notes and the hooks of every release that the mock has.
const HUSH: &str = "hush-hush-correct-horse";

async fn collected(mock: &Mock) -> Evidence {
    let mut plan = plan();
    plan.sources = [Source::ApiServer, Source::HelmReleases].into();
    collect(&mock.targets(), &Contract::embedded().unwrap(), &plan).await
}

fn history<'a>(evidence: &'a Evidence, name: &str) -> &'a Observed<HelmHistory> {
    let Observed::Seen(releases) = &evidence.releases else {
        panic!("{:?}", evidence.releases);
    };
    &releases.iter().find(|release| release.name == name).unwrap().history
}

/// Path and query of each request for Secrets, and the form that was asked for.
fn asked(mock: &Mock) -> Vec<(String, bool)> {
    let requests = mock.log().into_iter().filter(|head| head.contains("/secrets"));
    requests
        .map(|head| {
            let target = head
                .split(' ')
                .nth(1)
                .unwrap()
                .replace("%3D", "=")
                .replace("%2C", ",")
                .replace("%20", " ");
            let target = target.replace("%28", "(").replace("%29", ")").replace("%2F", "/");
            (target, head.contains("as=PartialObjectMetadataList"))
        })
        .collect()
}

/// A list of the metadata of one revision after the other.
fn revisions(name: &str, statuses: &[&str]) -> String {
    let item = |(revision, status): (usize, &&str)| {
        json!({"metadata": {"name": format!("sh.helm.release.v1.{name}.v{revision}"), "creationTimestamp": "2026-11-22T14:00:00Z",
            "labels": {"owner": "helm", "name": name, "status": status, "version": revision.to_string()}}})
    };
    let items: Vec<Value> = (1..).zip(statuses).map(item).collect();
    json!({"kind": "PartialObjectMetadataList", "metadata": {}, "items": items}).to_string()
}

#[tokio::test]
async fn neither_evidence_nor_any_report_has_what_the_contract_does_not_name() {
    let contract = Contract::embedded().unwrap();
    let mock = Mock::start().await;
    let evidence = collect(&mock.targets(), &contract, &plan()).await;
    let recorded = serde_json::to_string(&evidence).unwrap();
    assert!(
        recorded.contains("\"chart\":\"victoria-metrics-agent\""),
        "the releases were read"
    );
    let report = evaluate(&contract, &evidence, &Selection::all());
    let mut told = vec![recorded, format!("{evidence:?}")];
    for format in Format::ALL {
        let screen = Screen {
            width: 100,
            unicode: true,
        };
        told.push(render(&report, format, screen).to_string());
    }
    for text in told {
        assert!(!text.contains(HUSH), "it has it");
    }
}

#[tokio::test]
async fn metadata_first_then_the_newest_revision_of_each_release_and_no_other_secret() {
    let mock = Mock::start().await;
    collected(&mock).await;
    let asked = asked(&mock);
    let (lists, reads): (Vec<_>, Vec<_>) = asked.iter().partition(|(_, metadata)| *metadata);
    let mut lists: Vec<&str> = lists.iter().map(|(target, _)| target.as_str()).collect();
    lists.sort_unstable();
    let list = |namespace: &str, names: &str| {
        format!(
            "/api/v1/namespaces/{namespace}/secrets?labelSelector=owner=helm,name in ({names})&fieldSelector=type=helm.sh/release.v1&limit=500"
        )
    };
    assert_eq!(
        lists,
        [
            list("envoy-gateway-system", "envoy-gateway"),
            list("kube-system", "metrics-server,kube-state-metrics"),
            list("telemetry", "fluent-bit,vmagent,k8s-monitoring"),
        ]
    );
    assert_eq!(reads.len(), 6, "one for each release: {reads:?}");
    for (target, _) in reads {
        assert!(
            target.contains("?fieldSelector=metadata.name=sh.helm.release.v1.") && target.contains(".v1,type="),
            "{target}"
        );
    }
}

#[tokio::test]
async fn other_namespaces_are_looked_into_only_for_a_release_that_is_not_in_its_own() {
    let mock = Mock::start().await;
    mock.answer(
        "helm secrets in kube-system",
        vec![(200, "application/json", revisions("kube-state-metrics", &["deployed"]))],
    );
    let evidence = collected(&mock).await;
    assert_eq!(history(&evidence, "metrics-server"), &Observed::Absent);
    let asked = asked(&mock);
    for namespace in ["default", "metrics-server"] {
        let path = format!("/api/v1/namespaces/{namespace}/secrets?");
        let of_namespace: Vec<_> = asked.iter().filter(|(target, _)| target.starts_with(&path)).collect();
        assert_eq!(of_namespace.len(), 1, "{asked:?}");
        assert!(
            of_namespace[0].0.contains("name in (metrics-server)") && of_namespace[0].1,
            "{of_namespace:?}"
        );
    }
}

#[tokio::test]
async fn a_namespace_that_may_not_be_read_hides_its_own_releases_only() {
    let mock = Mock::start().await;
    mock.fault("helm secrets in telemetry", testdata::Fault::Status(403));
    let evidence = collected(&mock).await;
    assert!(matches!(history(&evidence, "metrics-server"), Observed::Seen(_)));
    for name in ["fluent-bit", "vmagent", "k8s-monitoring"] {
        let Observed::Unknown(unknown) = history(&evidence, name) else {
            panic!("{name} was seen");
        };
        assert_eq!(unknown.reason, Reason::Forbidden);
        assert_eq!(
            unknown.access.as_ref().unwrap().to_string(),
            "list secrets in namespace telemetry"
        );
    }
}

#[tokio::test]
async fn the_newest_revision_counts_and_the_last_that_was_deployed_is_known() {
    let mock = Mock::start().await;
    let statuses = [
        "superseded",
        "deployed",
        "failed",
        "superseded",
        "failed",
        "superseded",
        "deployed",
        "failed",
        "failed",
        "pending-upgrade",
    ];
    mock.answer(
        "helm secrets in envoy-gateway-system",
        vec![(200, "application/json", revisions("envoy-gateway", &statuses))],
    );
    let evidence = collected(&mock).await;
    let Observed::Seen(history) = history(&evidence, "envoy-gateway") else {
        panic!("it was not seen");
    };
    // By number, not by name: v10 stands before v2 in a list.
    assert_eq!(
        (history.revision, history.status.as_str(), history.earlier),
        (10, "pending-upgrade", Some(7))
    );
    assert_eq!(history.secret, "sh.helm.release.v1.envoy-gateway.v10");
    // The mock has no such Secret.
    assert!(matches!(history.content, Observed::Unknown(_)));
}
