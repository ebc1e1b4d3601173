//! Agent and auditor agree: on every recorded cluster, each gating check of steps 1 to 4 has the same verdict inside and
//! outside, and the agent's gate is what those verdicts come to.

use shuttle::lifecycle::Gate;
use starform_verify::contract::{Contract, StepId};
use starform_verify::evaluate::{Selection, evaluate};
use starform_verify::evidence::{Evidence, Observed, Target};
use starform_verify::report::{Report, Verdict};
use std::collections::BTreeMap;
use testdata::recordings;

/// The steps that both judge by the cluster alone. From step 5 on they judge by what Shuttle says, which the recordings of
/// clusters without Shuttle cannot have.
const STEPS: [StepId; 4] = [StepId::One, StepId::Two, StepId::Three, StepId::Four];

/// The recorded clusters, with steps 2 and 4 added.
fn with_steps_2_and_4() -> Vec<(String, Evidence)> {
    all(recordings::with_steps_2_and_4)
}

/// The recorded clusters as they are: nothing was seen of steps 2 and 4.
fn as_recorded() -> Vec<(String, Evidence)> {
    all(recordings::as_recorded)
}

fn all(read: fn(&str) -> Evidence) -> Vec<(String, Evidence)> {
    let names = recordings::names().into_iter();
    names.map(|name| (name.clone(), read(&name))).collect()
}

/// As the auditor judges it.
fn outside(contract: &Contract, evidence: &Evidence) -> Report {
    evaluate(contract, evidence, &Selection::all())
}

/// As the agent judges the same facts from where it stands.
fn inside(contract: &Contract, evidence: &Evidence) -> Report {
    let mut evidence = evidence.clone();
    evidence.target = Target::inside();
    evaluate(contract, &evidence, &Selection::inside())
}

/// The verdicts on the gating checks of steps 1 to 4; `None` for one that a report lacks.
fn gating(contract: &Contract, report: &Report) -> BTreeMap<String, Option<(Verdict, String)>> {
    (contract.steps.iter())
        .filter(|step| STEPS.contains(&step.id))
        .flat_map(|step| &step.checks)
        .filter(|terms| terms.gates)
        .map(|terms| {
            let result = report.checks().find(|check| check.code == terms.code);
            let verdict = result.map(|check| (check.verdict, check.observed.clone()));
            (terms.code.clone(), verdict)
        })
        .collect()
}

/// The checks on which the two differ, or that one of them does not judge.
fn differences(contract: &Contract, agent: &Report, auditor: &Report) -> Vec<String> {
    let (agent, auditor) = (gating(contract, agent), gating(contract, auditor));
    (agent.into_iter())
        .filter(|(code, verdict)| verdict.is_none() || auditor.get(code) != Some(verdict))
        .map(|(code, _)| code)
        .collect()
}

/// Whether Shuttle's own word was recorded too, as it is where the whole sequence was installed.
fn has_shuttle((_, evidence): &(String, Evidence)) -> bool {
    matches!(evidence.shuttle.status, Observed::Seen(_))
}

/// The contract with no other gate than those that the recordings can tell of.
fn without_later_gates(contract: &Contract) -> Contract {
    let mut contract = contract.clone();
    for step in &mut contract.steps {
        if !STEPS.contains(&step.id) {
            step.checks.iter_mut().for_each(|terms| terms.gates = false);
        }
    }
    contract
}

#[test]
fn agent_and_auditor_agree_on_every_recorded_cluster() {
    let contract = Contract::embedded().unwrap();
    let recordings = with_steps_2_and_4();
    assert!(recordings.len() >= 12, "{} recordings", recordings.len());
    for (name, evidence) in recordings.iter().chain(&as_recorded()) {
        let (agent, auditor) = (inside(&contract, evidence), outside(&contract, evidence));
        assert_eq!(differences(&contract, &agent, &auditor), [] as [String; 0], "{name}");
        let gating = gating(&contract, &agent);
        for (step, at_least) in [("SF1", 2), ("SF2", 2), ("SF3", 17), ("SF4", 20)] {
            let count = gating.keys().filter(|code| code.starts_with(step)).count();
            assert!(count >= at_least, "{name}: {count} of {step}");
        }
    }
}

#[test]
fn the_gate_opens_for_those_clusters_only_that_the_auditor_finds_whole() {
    let contract = without_later_gates(&Contract::embedded().unwrap());
    let mut open = 0;
    for (name, evidence) in with_steps_2_and_4() {
        let gate = Gate::of(&inside(&contract, &evidence), &contract);
        let verdicts = gating(&contract, &outside(&contract, &evidence));
        let mut verdicts = verdicts.values().flatten().map(|(verdict, _)| *verdict);
        let whole = verdicts.all(|verdict| {
            matches!(
                verdict,
                Verdict::Pass | Verdict::Warn | Verdict::Waived | Verdict::NotApplicable
            )
        });
        assert_eq!(gate == Gate::Passes, whole, "{name}: {gate:?}");
        open += usize::from(whole);
    }
    assert!(open >= 1, "no recording is of a healthy cluster");
}

#[test]
fn the_gate_of_the_whole_sequence_is_open_as_recorded_and_of_no_other() {
    let contract = Contract::embedded().unwrap();
    let (whole, partial): (Vec<_>, Vec<_>) = as_recorded().into_iter().partition(has_shuttle);
    for (name, evidence) in &partial {
        let gate = Gate::of(&inside(&contract, evidence), &without_later_gates(&contract));
        assert_ne!(gate, Gate::Passes, "{name}: nothing was seen of steps 2 and 4");
        if name == "healthy" {
            assert!(
                matches!(&gate, Gate::Unknown(broken) if broken.code() == Some("SF201")),
                "{gate:?}"
            );
        }
    }
    assert!(!partial.is_empty() && !whole.is_empty());
    for (name, evidence) in &whole {
        let gate = Gate::of(&inside(&contract, evidence), &contract);
        if name == "demo" {
            // The whole contract too, and broken in step 3.
            assert!(
                matches!(&gate, Gate::Fails(broken) if broken.code() == Some("SF324")),
                "{gate:?}"
            );
        } else {
            assert_eq!(gate, Gate::Passes, "{name}");
        }
        let mut silent = evidence.clone();
        silent.shuttle.status = Observed::Absent;
        assert_ne!(
            Gate::of(&inside(&contract, &silent), &contract),
            Gate::Passes,
            "{name}: without Shuttle's own proof"
        );
    }
}

#[test]
fn without_shuttles_own_proof_no_gate_opens() {
    let contract = Contract::embedded().unwrap();
    for (name, evidence) in with_steps_2_and_4()
        .into_iter()
        .chain(as_recorded())
        .filter(|recording| !has_shuttle(recording))
    {
        let gate = Gate::of(&inside(&contract, &evidence), &contract);
        assert_ne!(gate, Gate::Passes, "{name}: this cluster has no Shuttle");
    }
}

/// Whatever one of them saw otherwise is told.
#[test]
fn a_difference_would_be_told() {
    let contract = Contract::embedded().unwrap();
    let (_, evidence) = with_steps_2_and_4()
        .into_iter()
        .find(|(name, _)| name == "healthy")
        .unwrap();
    let whole = outside(&contract, &evidence);
    let mut blind = evidence.clone();
    blind.scrapes = Observed::not_collected();
    let differ = differences(&contract, &inside(&contract, &blind), &whole);
    assert!(differ.contains(&"SF323".to_owned()), "{differ:?}");
    let mut broken = evidence.clone();
    broken.metrics_api_service = Observed::Absent;
    let differ = differences(&contract, &inside(&contract, &broken), &whole);
    assert!(differ.contains(&"SF301".to_owned()), "{differ:?}");
    let mut broken = evidence.clone();
    broken.gateway.classes = Observed::Seen(Vec::new());
    broken.telemetry.fluent_bit.workloads = Observed::Seen(Vec::new());
    let differ = differences(&contract, &inside(&contract, &broken), &whole);
    for code in ["SF203", "SF402"] {
        assert!(differ.contains(&code.to_owned()), "{differ:?}");
    }
    let mut silent = inside(&contract, &evidence);
    for step in &mut silent.steps {
        step.checks.retain(|check| check.code != "SF304");
    }
    assert_eq!(differences(&contract, &silent, &whole), ["SF304"]);
}
