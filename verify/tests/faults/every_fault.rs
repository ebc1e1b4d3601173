//! Every request of an audit, answered in turn in every wrong way, through the whole pipeline: the source that it is read
//! with is exactly as unknown as it should be, so is what is found through it, and nothing else changes; whatever rests on it
//! never passes, the report is whole, and the exit code says so.

use crate::passes::wrong_passes;
use crate::states::{sources, state, wrong_states};
use starform_verify::collect::{Plan, Targets};
use starform_verify::contract::Contract;
use starform_verify::evaluate::{CHECKS, Selection, evaluate};
use starform_verify::evidence::{self, Evidence, Observed, Source};
use starform_verify::report::{ExitCode, FailOn, ToolError, Verdict, exit_code};
use starform_verify_cli::render::{Format, Screen, render};
use std::num::NonZero;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;
use testdata::{Answers, Asked, FAULTS, Fault, Mock, REQUESTS, collect, plan};
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;

/// What every fault in every request came to.
#[derive(Default)]
struct Outcome {
    /// Audits whose evidence differs from the good one.
    judged: usize,
    wrong_states: Vec<String>,
    wrong_passes: Vec<String>,
}

/// Both tests look at the same audits.
static OUTCOME: LazyLock<Outcome> = LazyLock::new(every_fault);

/// One whole audit for each request and fault, on every core.
fn every_fault() -> Outcome {
    let good = &Runtimes::new().good();
    let good_facts = &facts(good);
    let cases: Vec<(&Asked, Fault)> = (REQUESTS.iter())
        .flat_map(|asked| FAULTS.map(|fault| (asked, fault)))
        .collect();
    let (cases, next) = (&cases, &AtomicUsize::new(0));
    let work = || {
        let runtimes = Runtimes::new();
        let mut outcome = Outcome::default();
        while let Some((asked, fault)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            outcome.add(asked, *fault, &runtimes, [good, good_facts]);
        }
        outcome
    };
    let workers = thread::available_parallelism().map_or(2, NonZero::get);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let mut all = Outcome::default();
        for outcome in workers.into_iter().map(|worker| worker.join().unwrap()) {
            all.judged += outcome.judged;
            all.wrong_states.extend(outcome.wrong_states);
            all.wrong_passes.extend(outcome.wrong_passes);
        }
        all
    })
}

impl Outcome {
    fn add(&mut self, asked: &Asked, fault: Fault, runtimes: &Runtimes, [good, good_facts]: [&Evidence; 2]) {
        let evidence = runtimes.audit(asked, fault);
        self.wrong_states.extend(wrong_states(asked, fault, &evidence, good));
        // Without a StatefulSet the cluster is as it was: then nothing was wrong with the answer.
        if facts(&evidence) != *good_facts {
            self.judged += 1;
            let report = evaluate(&contract(), &evidence, &Selection::all());
            // One request that fails is no failure of the tool.
            assert_eq!(report.error, None, "{} {fault:?}", asked.name);
            self.wrong_passes.extend(wrong_passes(asked, fault, &report));
        }
    }
}

/// Where audits run: under a paused clock, so that what hangs is not waited for, and over a connection what is about one.
struct Runtimes {
    paused: Runtime,
    real: Runtime,
    answers: Answers,
    /// The answers; made once, for it takes as long as a tenth of an audit.
    targets: Targets,
    mock: Mock,
    /// The mock.
    mock_targets: Targets,
}

impl Runtimes {
    fn new() -> Self {
        let of = |paused| {
            Builder::new_current_thread()
                .enable_all()
                .start_paused(paused)
                .build()
                .unwrap()
        };
        let (paused, real, answers) = (of(true), of(false), Answers::good());
        let targets = paused.block_on(async { answers.targets() });
        let (mock, mock_targets) = real.block_on(async {
            let mock = Mock::start().await;
            let targets = mock.targets();
            (mock, targets)
        });
        Self {
            paused,
            real,
            answers,
            targets,
            mock,
            mock_targets,
        }
    }

    /// An audit of good answers.
    fn good(&self) -> Evidence {
        self.answers.mend();
        self.paused.block_on(audit(&self.targets, plan()))
    }

    /// An audit of answers of which one is wrong.
    fn audit(&self, asked: &Asked, fault: Fault) -> Evidence {
        if fault.is_of_the_connection() {
            self.mock.mend();
            self.mock.fault(asked.name, fault);
            // It answers at once, unless the machine is busy.
            let request_timeout = Duration::from_secs(30);
            let plan = Plan {
                request_timeout,
                ..plan()
            };
            return self.real.block_on(audit_by(&self.mock_targets, plan, &hasty()));
        }
        self.answers.mend();
        self.answers.fault(asked.name, fault);
        self.paused.block_on(audit(&self.targets, plan()))
    }
}

async fn audit(targets: &Targets, plan: Plan) -> Evidence {
    audit_by(targets, plan, &contract()).await
}

async fn audit_by(targets: &Targets, plan: Plan, contract: &Contract) -> Evidence {
    let begun = Instant::now();
    let evidence = collect(targets, contract, &plan).await;
    let took = begun.elapsed();
    assert!(took < plan.timeout, "it took {took:?}");
    evidence
}

/// A contract that does not wait long, where the clock is not paused.
fn hasty() -> Contract {
    let mut contract = contract();
    contract.thresholds.flow_window = jiff::SignedDuration::from_millis(50);
    contract
}

fn contract() -> Contract {
    Contract::embedded().unwrap()
}

/// What was seen, without when and at which port of the mock.
fn facts(evidence: &Evidence) -> Evidence {
    let mut facts = evidence.clone();
    facts.timings.clear();
    facts.collected = jiff::Timestamp::UNIX_EPOCH;
    let telemetry = &mut facts.telemetry;
    for component in [&mut telemetry.fluent_bit, &mut telemetry.vmagent, &mut telemetry.alloy] {
        if let Observed::Seen(pages) = &mut component.metrics {
            for page in pages {
                if let Observed::Seen(metrics) = &mut page.first {
                    metrics.read_ms = 0;
                }
            }
        }
    }
    if let Observed::Seen(evidence::Asked::Answered(store)) = &mut facts.region.metrics_store {
        store.asked.url.clear();
    }
    if let Observed::Seen(evidence::Asked::Answered(store)) = &mut facts.region.log_store {
        store.asked.url.clear();
    }
    if let Observed::Seen(evidence::Asked::Answered(aggregator)) = &mut facts.region.log_aggregator {
        aggregator.url.clear();
    }
    facts
}

#[test]
fn good_answers_conform_and_are_the_same_over_a_connection() {
    let good = Runtimes::new().good();
    let json = serde_json::to_value(&good).unwrap();
    for source in sources() {
        assert_eq!(state(&json, source), "seen", "{source}: {json:#}");
    }
    let report = evaluate(&contract(), &good, &Selection::all());
    let screen = Screen {
        width: 100,
        unicode: true,
    };
    assert!(report.summary.conforms, "{}", render(&report, Format::Short, screen));
    assert_eq!(report.error, None);
    // The answers come without TLS and without a credential of the cluster: nothing of them ends by a date.
    let without = report.checks().filter(|check| check.verdict == Verdict::NotApplicable);
    let without: Vec<&str> = without.map(|check| check.code.as_str()).collect();
    assert_eq!(without, ["SF107", "SF604", "SF708", "SF715"]);
    assert_eq!(report.summary.counts.pass, CHECKS.len() - without.len());
    let runtimes = Runtimes::new();
    let over_a_connection = runtimes.real.block_on(async {
        let targets = Mock::start().await.targets();
        collect(&targets, &contract(), &plan()).await
    });
    assert_eq!(facts(&over_a_connection), facts(&good));
}

#[test]
fn a_fault_changes_its_own_source_and_what_is_found_through_it() {
    let wrong = &OUTCOME.wrong_states;
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn nothing_passes_that_rests_on_a_wrong_answer() {
    let Outcome {
        judged, wrong_passes, ..
    } = &*OUTCOME;
    assert!(
        *judged > REQUESTS.len() * (FAULTS.len() - 2),
        "only {judged} faults made a difference"
    );
    assert!(
        wrong_passes.is_empty(),
        "{} wrong:\n{}",
        wrong_passes.len(),
        wrong_passes.join("\n")
    );
}

/// What the report of it says of the tool.
fn tool_error(evidence: &Evidence) -> Option<ToolError> {
    evaluate(&contract(), evidence, &Selection::all()).error
}

#[tokio::test]
async fn the_whole_audit_ends_in_time() {
    let contract = Contract::embedded().unwrap();
    let mock = Mock::start().await;
    for asked in &REQUESTS {
        mock.fault(asked.name, Fault::Hang);
    }
    let mut plan = plan();
    plan.timeout = Duration::from_millis(300);
    plan.request_timeout = Duration::from_mins(1);
    let begun = Instant::now();
    let evidence = collect(&mock.targets(), &contract, &plan).await;
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    let json = serde_json::to_value(&evidence).unwrap();
    // What Terraform says was read from a file before the audit began.
    for source in Source::ALL.into_iter().filter(|source| *source != Source::Terraform) {
        let state = state(&json, source);
        assert!(state == "timed-out" || state == "behind", "{source}: {state}");
    }
    let error = tool_error(&evidence).unwrap();
    assert!(error.message.contains("no API server answered"), "{}", error.message);
    assert!(!error.hints.is_empty());
}

#[tokio::test]
async fn no_api_server_at_all_is_an_error_of_the_tool() {
    let contract = Contract::embedded().unwrap();
    let mock = Mock::start().await;
    for fault in [Fault::Status(401), Fault::Portal, Fault::Close, Fault::NotHttp] {
        for asked in &REQUESTS {
            mock.fault(asked.name, fault);
        }
        let evidence = collect(&mock.targets(), &contract, &plan()).await;
        let error = tool_error(&evidence).unwrap_or_else(|| panic!("{fault:?}: {evidence:#?}"));
        assert!(!error.hints.is_empty(), "{fault:?}");
    }
    // An API server that lets this identity see nothing has answered all the same: the tool ran.
    for asked in &REQUESTS {
        mock.fault(asked.name, Fault::Status(403));
    }
    let evidence = collect(&mock.targets(), &contract, &plan()).await;
    let report = evaluate(&contract, &evidence, &Selection::all());
    assert!(
        report.error.as_ref().is_some_and(|error| error.forbidden),
        "{:?}",
        report.error
    );
    assert_eq!(exit_code(&report, FailOn::Fail), ExitCode::Unknown);
}
