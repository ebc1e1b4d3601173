//! Pods and rows are read at two moments, and looked at again where they differ.
//!
//! A cluster of which pods come and go is played here: what its list and its scrapes have at each moment follows from when each
//! pod was made and went, and from how far kube-state-metrics is behind.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};
use starform_verify::collect::Plan;
use starform_verify::contract::Contract;
use starform_verify::evaluate::{Selection, evaluate};
use starform_verify::evidence::{Evidence, Observed, Reason};
use starform_verify::report::{CheckResult, Verdict};
use std::time::Duration;
use testdata::{Answers, asked, collect, plan};

const JSON: &str = "application/json";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// When the API server says that the pods were read.
const NOW: &str = "2026-11-22T15:02:50Z";
/// What reads pods and rows.
const CHECKS: [&str; 3] = ["SF325", "SF326", "SF329"];

/// A pod of a Job. Times are in milliseconds since the first list.
#[derive(Clone, Copy, Debug)]
struct JobPod {
    made: i64,
    gone: i64,
}

/// A cluster whose pods come and go.
#[derive(Debug)]
struct Churn {
    pods: Vec<JobPod>,
    /// How far kube-state-metrics is behind.
    behind: i64,
    /// From when on it follows no more.
    frozen: i64,
}

/// The moments of the readings.
#[derive(Clone, Debug)]
struct Moments {
    lists: Vec<i64>,
    scrapes: Vec<i64>,
}

impl Churn {
    fn uid(number: usize) -> String {
        format!("0a0d1c5e-0000-4a54-9a55-{number:012}")
    }

    /// The list of pods at that moment.
    fn list(&self, at: i64) -> String {
        let now: Timestamp = NOW.parse().unwrap();
        let mut table: Value = serde_json::from_str(asked("pods").body()).unwrap();
        let rows = table["rows"].as_array_mut().unwrap();
        for (number, pod) in self.pods.iter().enumerate() {
            if !(pod.made..pod.gone).contains(&at) {
                continue;
            }
            let made = now + SignedDuration::from_millis(pod.made);
            let name = format!("job-{number}");
            let cells = json!([
                name,
                "0/1",
                "Completed",
                "0",
                "1h",
                "10.244.9.9",
                "node1",
                "<none>",
                "<none>"
            ]);
            let metadata = json!({"name": name, "namespace": "batch", "uid": Self::uid(number), "labels": {},
                "creationTimestamp": made.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()});
            rows.push(json!({"cells": cells, "object": {"kind": "PartialObjectMetadata",
                "apiVersion": "meta.k8s.io/v1", "metadata": metadata}}));
        }
        table.to_string()
    }

    /// A scrape at that moment.
    fn scrape(&self, at: i64) -> String {
        let known = (at - self.behind).min(self.frozen);
        let rows = (self.pods.iter().enumerate())
            .filter(|(_, pod)| (pod.made..pod.gone).contains(&known))
            .map(|(number, _)| {
                let uid = Self::uid(number);
                format!("kube_pod_labels{{namespace=\"batch\",pod=\"job-{number}\",uid=\"{uid}\"}} 1\n")
            });
        let rows: String = rows.collect();
        let good = asked("scrape").body();
        let at = good.find("kube_pod_labels{").unwrap();
        format!("{}{rows}{}", &good[..at], &good[at..])
    }

    fn answers(&self, moments: &Moments) -> Answers {
        let answers = Answers::good();
        let lists = moments.lists.iter().map(|at| (200, JSON, self.list(*at)));
        answers.answer("pods", lists.collect());
        let scrapes = moments.scrapes.iter().map(|at| (200, OPEN_METRICS, self.scrape(*at)));
        answers.answer("scrape", scrapes.collect());
        answers
    }
}

/// In a runtime of its own, whose clock waits for nothing.
fn audit(answers: &Answers) -> Evidence {
    audit_for(answers, plan().timeout)
}

fn audit_for(answers: &Answers, timeout: Duration) -> Evidence {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    let contract = Contract::embedded().unwrap();
    runtime.block_on(async { collect(&answers.targets(), &contract, &Plan { timeout, ..plan() }).await })
}

/// What [`CHECKS`] say.
fn judged(evidence: &Evidence) -> [CheckResult; 3] {
    let contract = Contract::embedded().unwrap();
    let report = evaluate(&contract, evidence, &Selection::all());
    CHECKS.map(|code| report.checks().find(|check| check.code == code).unwrap().clone())
}

fn asked_for(answers: &Answers, path: &str) -> usize {
    answers.log().iter().filter(|head| head.contains(path)).count()
}

fn lists(answers: &Answers) -> usize {
    asked_for(answers, "GET /api/v1/pods ")
}

fn scrapes(answers: &Answers) -> usize {
    asked_for(answers, "/kube-state-metrics:http/proxy/metrics?resources=pods")
}

/// Jobs that make so many pods a second, each of which stays for so long.
fn jobs(a_second: i64, stay: i64, from: i64, to: i64) -> Vec<JobPod> {
    (from * a_second / 1000..to * a_second / 1000)
        .map(|number| number * 1000 / a_second)
        .map(|made| JobPod {
            made,
            gone: made + stay,
        })
        .collect()
}

const NEVER: i64 = i64::MAX;

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever comes and goes, and however the readings lie: a kube-state-metrics that follows within its time is at no fault.
    #[test]
    fn pods_that_come_and_go_are_no_fault(
        a_second in 20_i64..200,
        stay in 500_i64..15_000,
        behind in 0_i64..2_500,
        apart in -2_000_i64..2_000,
        takes in 50_i64..1_500,
        burst in 0_usize..300,
        burst_at in -14_000_i64..14_000,
        burst_stays in 200_i64..30_000,
    ) {
        let mut pods = jobs(a_second, stay, -18_000, 16_000);
        pods.extend(std::iter::repeat_n(JobPod { made: burst_at, gone: burst_at + burst_stays }, burst));
        let second = apart.max(0) + takes;
        let scrape = second + 10_000;
        let moments = Moments {
            lists: vec![0, second, scrape + takes],
            scrapes: vec![apart, scrape],
        };
        let churn = Churn { pods, behind, frozen: NEVER };
        let evidence = audit(&churn.answers(&moments));
        for check in judged(&evidence) {
            prop_assert_eq!(check.verdict, Verdict::Pass, "{}: {}", check.code, check.observed);
        }
    }

    /// One that has lost its watch is told in the same churn.
    #[test]
    fn in_the_same_churn_a_lost_watch_is_told(a_second in 20_i64..50, since in 20_000_i64..30_000) {
        let mut pods = jobs(a_second, 15_000, -since - 15_000, 16_000);
        // Not all is of Jobs: these were made since, and stay.
        pods.extend(std::iter::repeat_n(JobPod { made: -15_000, gone: NEVER }, pods.len()));
        let moments = Moments { lists: vec![0, 1_000, 12_000], scrapes: vec![500, 11_000] };
        let churn = Churn { pods, behind: 0, frozen: -since };
        let evidence = audit(&churn.answers(&moments));
        let [complete, current, _] = judged(&evidence);
        prop_assert_eq!(complete.verdict, Verdict::Fail, "{}", complete.observed);
        prop_assert!(complete.fix.unwrap().summary.starts_with("restart kube-state-metrics"));
        prop_assert_eq!(current.verdict, Verdict::Fail, "{}", current.observed);
    }
}

#[test]
fn where_pods_and_rows_agree_nothing_is_asked_twice() {
    let answers = Answers::good();
    let evidence = audit(&answers);
    assert_eq!(evidence.second_look, None);
    assert_eq!((lists(&answers), scrapes(&answers)), (1, 1));
}

/// A hundred pods went between the list and the scrape, a hundred others were made.
#[test]
fn a_burst_between_the_two_takes_one_more_list_and_no_wait() {
    let went = JobPod {
        made: -60_000,
        gone: 500,
    };
    let came = JobPod { made: 600, gone: NEVER };
    let churn = Churn {
        pods: [vec![went; 100], vec![came; 100]].concat(),
        behind: 0,
        frozen: NEVER,
    };
    let moments = Moments {
        lists: vec![0, 1_500],
        scrapes: vec![1_000],
    };
    let answers = churn.answers(&moments);
    let evidence = audit(&answers);
    assert_eq!((lists(&answers), scrapes(&answers)), (2, 1));
    let [complete, current, join] = judged(&evidence);
    for (check, told) in [
        (complete, "110 pods; 100 came or went while they were read"),
        (current, "110 rows; 100 came or went while they were read"),
        (join, "10 pods"),
    ] {
        assert_eq!(
            (check.verdict, check.observed.as_str()),
            (Verdict::Pass, told),
            "{}",
            check.code
        );
    }
}

/// Without a second look a fail would be one of a moment.
#[test]
fn where_nobody_could_look_again_it_is_not_known() {
    let went = JobPod {
        made: -60_000,
        gone: 500,
    };
    let churn = Churn {
        pods: vec![went; 100],
        behind: 0,
        frozen: NEVER,
    };
    let answers = churn.answers(&Moments {
        lists: vec![0],
        scrapes: vec![1_000],
    });
    let first = (200, JSON, churn.list(0));
    answers.answer("pods", vec![first, (503, JSON, testdata::status(503))]);
    let evidence = audit(&answers);
    let Some(Observed::Unknown(unknown)) = &evidence.second_look else {
        panic!("{:?}", evidence.second_look);
    };
    assert_eq!(unknown.reason, Reason::Refused);
    let [check, ..] = judged(&evidence);
    assert_eq!(check.verdict, Verdict::Unknown, "{}", check.observed);
    assert!(
        check.observed.starts_with("100 of 110 pods without a row"),
        "{}",
        check.observed
    );
}

/// Too short for kube-state-metrics to follow: the list tells which have gone, and of the others nothing is known.
#[test]
fn where_the_time_is_short_the_second_list_settles_what_it_can() {
    for (stay, verdict, told) in [
        (1, Verdict::Warn, "1 of 111 pods without a row"),
        (50, Verdict::Unknown, "50 of 160 pods without a row"),
    ] {
        let made = -20_000;
        let went = JobPod { made, gone: 500 };
        let stays = JobPod { made, gone: NEVER };
        let churn = Churn {
            pods: [vec![went; 100], vec![stays; stay]].concat(),
            behind: 30_000,
            frozen: NEVER,
        };
        let answers = churn.answers(&Moments {
            lists: vec![0, 1_500],
            scrapes: vec![1_000],
        });
        let evidence = audit_for(&answers, Duration::from_secs(8));
        assert_eq!((lists(&answers), scrapes(&answers)), (2, 1));
        let [complete, ..] = judged(&evidence);
        assert_eq!(complete.verdict, verdict, "{}", complete.observed);
        assert!(complete.observed.starts_with(told), "{}", complete.observed);
    }
}

/// What is of no moment is not waited for: no row at all.
#[test]
fn where_there_is_no_row_at_all_nobody_looks_again() {
    let answers = Answers::good();
    answers.answer("scrape", vec![(200, OPEN_METRICS, "# EOF\n".to_owned())]);
    let evidence = audit(&answers);
    assert_eq!(evidence.second_look, None);
    let [complete, ..] = judged(&evidence);
    assert_eq!(complete.verdict, Verdict::Fail);
}
