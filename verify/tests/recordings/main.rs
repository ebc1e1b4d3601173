//! The recordings of real clusters, replayed: each is told by its own check, says the same as when it was recorded, and
//! rests on nothing but what its checks declare.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "clippy knows only those functions that are tests themselves"
)]

mod whole_contract;

use rstest::rstest;
use starform_verify::contract::{Contract, StepId};
use starform_verify::evaluate::{CHECKS, Selection, SelectionRequest, evaluate};
use starform_verify::evidence::{Component, Evidence, Observed, Source, Vantage};
use starform_verify::report::{Report, Verdict};
use starform_verify_cli::render::{Format, Screen, render};
use std::collections::BTreeSet;
use testdata::install;
use testdata::recordings::{self, RECORDINGS};

/// Judges the steps that the recordings hold.
fn judge(evidence: &Evidence) -> Report {
    let request = SelectionRequest {
        steps: vec![StepId::One, StepId::Three],
        // Helm's releases were not read then.
        ignored_groups: vec!["helm".to_owned()],
        ..SelectionRequest::default()
    };
    evaluate(
        &Contract::embedded().unwrap(),
        evidence,
        &Selection::new(&request).unwrap(),
    )
}

fn judge_all(evidence: &Evidence) -> Report {
    evaluate(&Contract::embedded().unwrap(), evidence, &Selection::all())
}

#[test]
fn a_recording_from_before_shuttle_was_audited_says_nothing_of_it() {
    let report = judge_all(&recordings::as_recorded("healthy"));
    for check in report.checks() {
        let helm = CHECKS
            .iter()
            .any(|other| other.code == check.code && other.groups.contains(&"helm"));
        let later = ["SF2", "SF4", "SF5", "SF6", "SF7"]
            .iter()
            .any(|step| check.code.starts_with(step));
        // That there is one kube-state-metrics was seen by what step 3 reads.
        let expected = if (helm || later) && check.code != "SF446" {
            Verdict::Unknown
        } else {
            Verdict::Pass
        };
        assert_eq!(check.verdict, expected, "{}: {}", check.code, check.observed);
    }
    assert!(!report.summary.conforms);
}

#[test]
fn with_shuttle_the_healthy_recording_conforms_in_every_step() {
    let mut evidence = recordings::whole("healthy");
    recordings::age_nodes(&mut evidence);
    let report = judge_all(&evidence);
    assert_eq!(codes(&report, Verdict::Fail), [] as [&str; 0]);
    assert_eq!(codes(&report, Verdict::Unknown), [] as [&str; 0]);
    assert!(report.summary.conforms, "{}", report.summary.answer);
}

fn codes(report: &Report, verdict: Verdict) -> Vec<&str> {
    report
        .checks()
        .filter(|check| check.verdict == verdict)
        .map(|check| check.code.as_str())
        .collect()
}

#[test]
fn every_recording_is_replayed() {
    // The whole contract has a test of its own, `whole_contract.rs`, and so has the demo, in `cli/exit_code.rs`.
    let names = RECORDINGS.iter().map(|(name, _)| *name);
    let listed: BTreeSet<String> = names.chain(["whole-contract", "demo"]).map(str::to_owned).collect();
    assert_eq!(recordings::names().into_iter().collect::<BTreeSet<_>>(), listed);
}

#[test]
fn each_is_told_by_its_own_check_and_no_other() {
    for (name, code) in RECORDINGS {
        let report = judge(&recordings::as_recorded(name));
        assert_eq!(
            codes(&report, Verdict::Fail),
            code.into_iter().collect::<Vec<_>>(),
            "{name}"
        );
        assert_eq!(codes(&report, Verdict::Unknown), [] as [&str; 0], "{name}");
        assert_eq!(report.summary.first_broken_code(), code, "{name}");
        assert_eq!(report.summary.conforms, code.is_none(), "{name}");
        for check in report.checks().filter(|check| check.verdict == Verdict::Fail) {
            assert!(
                check.fix.is_some(),
                "{name}: {} says nothing of how to mend it",
                check.code
            );
            assert!(
                !check.expected.is_empty(),
                "{name}: {} says nothing of what it expected",
                check.code
            );
        }
    }
}

#[test]
fn the_text_is_as_it_was() {
    for (name, _) in RECORDINGS {
        let screen = Screen {
            width: 100,
            unicode: true,
        };
        let text = render(&judge(&recordings::as_recorded(name)), Format::Text, screen);
        insta::with_settings!({filters => vec![("contract sha256:[0-9a-f]+", "contract [digest]")]}, {
            insta::assert_snapshot!(format!("text-{name}"), text.without_styles());
        });
    }
}

#[test]
fn evidence_survives_being_written_and_read() {
    for (name, _) in RECORDINGS {
        let evidence = recordings::as_recorded(name);
        let text = serde_json::to_string(&evidence).unwrap();
        assert_eq!(serde_json::from_str::<Evidence>(&text).unwrap(), evidence, "{name}");
    }
}

/// Makes a source unknown.
fn blank(evidence: &mut Evidence, source: Source) {
    let Component {
        services,
        endpoints,
        workloads,
        ..
    } = Component::not_collected();
    match source {
        Source::ApiServer => evidence.api_server = Observed::not_collected(),
        Source::Identity => evidence.identity = Observed::not_collected(),
        Source::Nodes => evidence.nodes = Observed::not_collected(),
        Source::MetricsApiService => evidence.metrics_api_service = Observed::not_collected(),
        Source::NodeMetrics => evidence.node_metrics = Observed::not_collected(),
        Source::PodMetrics => evidence.pod_metrics = Observed::not_collected(),
        Source::Autoscalers => evidence.autoscalers = Observed::not_collected(),
        Source::MetricsServerServices => evidence.metrics_server.services = services,
        Source::MetricsServerEndpoints => evidence.metrics_server.endpoints = endpoints,
        Source::MetricsServerWorkloads => evidence.metrics_server.workloads = workloads,
        Source::StateMetricsServices => evidence.kube_state_metrics.services = services,
        Source::StateMetricsEndpoints => evidence.kube_state_metrics.endpoints = endpoints,
        Source::StateMetricsWorkloads => evidence.kube_state_metrics.workloads = workloads,
        Source::Pods => evidence.pods = Observed::not_collected(),
        Source::StateMetricsScrape => evidence.scrapes = Observed::not_collected(),
        Source::ShuttleStatus => evidence.shuttle.status = Observed::not_collected(),
        Source::ShuttleAgent => evidence.shuttle.agent = Observed::not_collected(),
        Source::ShuttleNode => evidence.shuttle.node = Observed::not_collected(),
        Source::ShuttleConfigMaps => evidence.shuttle.config_maps = Observed::not_collected(),
        Source::ShuttleGrants => evidence.shuttle.grants = Observed::not_collected(),
        Source::Starbase => evidence.shuttle.starbase = Observed::not_collected(),
        Source::EnvoyGatewayWorkloads => evidence.gateway.controller = Observed::not_collected(),
        Source::GatewayClasses => evidence.gateway.classes = Observed::not_collected(),
        Source::Gateways => evidence.gateway.gateways = Observed::not_collected(),
        Source::GatewayCrds => evidence.gateway.crds = Observed::not_collected(),
        Source::GatewayProxies => evidence.gateway.proxies = Observed::not_collected(),
        Source::GatewayConfiguration => evidence.gateway.configuration = Observed::not_collected(),
        Source::FluentBitWorkloads => evidence.telemetry.fluent_bit.workloads = Observed::not_collected(),
        Source::FluentBitSettings => evidence.telemetry.fluent_bit_settings = Observed::not_collected(),
        Source::VmagentWorkloads => evidence.telemetry.vmagent.workloads = Observed::not_collected(),
        Source::VmagentSettings => evidence.telemetry.vmagent_settings = Observed::not_collected(),
        Source::AlloyWorkloads => evidence.telemetry.alloy.workloads = Observed::not_collected(),
        Source::AlloySettings => evidence.telemetry.alloy_settings = Observed::not_collected(),
        Source::AlloyResources => evidence.telemetry.alloys = Observed::not_collected(),
        Source::FluentBitMetrics => evidence.telemetry.fluent_bit.metrics = Observed::not_collected(),
        Source::VmagentMetrics => evidence.telemetry.vmagent.metrics = Observed::not_collected(),
        Source::AlloyMetrics => evidence.telemetry.alloy.metrics = Observed::not_collected(),
        Source::HelmReleases => evidence.releases = Observed::not_collected(),
        Source::MetricsStore => evidence.region.metrics_store = Observed::not_collected(),
        Source::LogStore => evidence.region.log_store = Observed::not_collected(),
        Source::LogAggregator => evidence.region.log_aggregator = Observed::not_collected(),
        Source::Terraform => evidence.region.terraform = Observed::not_collected(),
    }
}

fn only(code: &str) -> Selection {
    Selection::new(&SelectionRequest {
        checks: vec![code.to_owned()],
        ..SelectionRequest::default()
    })
    .unwrap()
}

#[test]
fn a_check_reads_nothing_but_what_it_declares() {
    let contract = Contract::embedded().unwrap();
    for (name, _) in RECORDINGS {
        let evidence = recordings::whole(name);
        let whole = judge_all(&evidence);
        let read = Selection::all().sources();
        for check in CHECKS {
            let declared = only(check.code).sources();
            let mut less = evidence.clone();
            for source in read.iter().filter(|source| !declared.contains(source)) {
                blank(&mut less, *source);
            }
            let report = evaluate(&contract, &less, &only(check.code));
            let verdict = |report: &Report| {
                let result = report.checks().find(|result| result.code == check.code).unwrap();
                (
                    result.verdict,
                    result.observed.clone(),
                    result.expected.clone(),
                    result.objects.clone(),
                )
            };
            assert_eq!(verdict(&report), verdict(&whole), "{name}: {}", check.code);
        }
    }
}

#[test]
fn nothing_passes_that_rests_on_a_source_that_was_not_seen() {
    for (name, _) in RECORDINGS {
        for source in Selection::all().sources() {
            let mut evidence = recordings::whole(name);
            blank(&mut evidence, source);
            let report = judge_all(&evidence);
            assert!(!report.summary.conforms, "{name} conforms without {source}");
            for check in CHECKS.iter().filter(|check| check.reads.contains(&source)) {
                let result = report.checks().find(|result| result.code == check.code).unwrap();
                assert!(
                    !matches!(result.verdict, Verdict::Pass | Verdict::Warn | Verdict::NotApplicable),
                    "{name}: {} is {:?} without {source}: {}",
                    check.code,
                    result.verdict,
                    result.observed
                );
            }
        }
    }
}

#[test]
fn a_cluster_of_which_nothing_was_seen_passes_nothing() {
    let mut evidence = recordings::whole("healthy");
    for source in Source::ALL {
        blank(&mut evidence, source);
    }
    let report = judge_all(&evidence);
    assert_eq!(report.summary.counts.unknown, CHECKS.len());
}

#[rstest]
#[case("healthy")]
#[case("shard-down")]
fn the_same_evidence_gives_the_same_report(#[case] name: &str) {
    let evidence = recordings::whole(name);
    assert_eq!(judge(&evidence), judge(&evidence));
}

#[test]
fn agent_and_auditor_agree_on_every_gating_check() {
    let contract = Contract::embedded().unwrap();
    for (name, _) in RECORDINGS {
        let outside = recordings::whole(name);
        let Observed::Seen(read) = outside.shuttle.status.clone() else {
            panic!("{name}: there is a status")
        };
        // What the agent has: the same cluster, its own status, and nothing of what it does not collect.
        let mut inside = recordings::as_recorded(name);
        install::gateway::install(&mut inside);
        install::telemetry::install(&mut inside);
        install::flow::flow(&mut inside);
        inside.target.vantage = Vantage::Inside;
        inside.nodes = outside.nodes.clone();
        inside.pods = outside.pods.clone();
        inside.pod_metrics = outside.pod_metrics.clone();
        inside.scrapes = outside.scrapes.clone();
        let inside = evaluate(&contract, &inside.with_own_status(read.status), &Selection::inside());
        let outside = judge_all(&outside);
        let gating = contract
            .steps
            .iter()
            .flat_map(|step| &step.checks)
            .filter(|check| check.gates);
        for terms in gating {
            let of = |report: &Report| {
                let result = report.checks().find(|result| result.code == terms.code).unwrap();
                (result.verdict, result.observed.clone(), result.behind.clone())
            };
            assert_eq!(of(&inside), of(&outside), "{name}: {}", terms.code);
        }
        assert!(
            inside
                .checks()
                .all(|result| result.code != "SF501" && !result.code.starts_with("SF6"))
        );
    }
}
