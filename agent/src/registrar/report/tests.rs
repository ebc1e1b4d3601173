use super::*;
use crate::admin::sample;
use proptest::prelude::*;
use starform_verify::contract::StepId;
use starform_verify::report::{CheckResult, FirstBroken, StepReport, Verdict};
use testdata::recordings;

/// What the agent judges of a recorded cluster that steps 2 and 4 were added to.
fn of(name: &str) -> Report {
    sample::verification(name).report
}

/// A report of so many checks with texts of such a length; the last one is the first broken.
fn large(checks: usize, gating_every: usize, passing_every: usize, text: &str) -> Report {
    let mut report = of("allowlist-missing");
    let sample = report.checks().next().unwrap().clone();
    let rows = (0..checks).map(|number| CheckResult {
        code: format!("SF{number:03}"),
        gates: number % gating_every == 0,
        verdict: if number % passing_every == 0 && number + 1 < checks {
            Verdict::Pass
        } else {
            Verdict::Fail
        },
        observed: text.to_owned(),
        expected: text.to_owned(),
        ..sample.clone()
    });
    report.steps = vec![StepReport {
        id: StepId::Three,
        title: text.to_owned(),
        checks: rows.collect(),
    }];
    report.summary.first_broken = Some(FirstBroken {
        code: format!("SF{:03}", checks - 1),
        step: StepId::Three,
    });
    report.summary.answer = text.to_owned();
    report
}

fn rows(value: &Value) -> Vec<&Value> {
    let steps = value["steps"].as_array().unwrap();
    steps
        .iter()
        .flat_map(|step| step["checks"].as_array().unwrap())
        .collect()
}

#[test]
fn a_report_that_fits_is_sent_whole() {
    for name in &recordings::names() {
        // Of what was not seen a report says most: the request, the error, and what to do.
        let unseen = sample::verified(recordings::as_recorded(name), false).report;
        for report in [of(name), unseen] {
            let whole = serde_json::to_value(&report).unwrap();
            assert_eq!(cut(&report), whole, "{name}");
            // Half of it is left for checks to come.
            let bytes = whole.to_string().len();
            assert!(bytes <= REPORT_BOUND / 2, "{name}: {bytes} bytes");
        }
    }
}

#[test]
fn of_a_cluster_that_breaks_the_whole_contract_at_length_every_verdict_stays() {
    let mut report = of("healthy");
    for check in report.steps.iter_mut().flat_map(|step| &mut step.checks) {
        check.verdict = Verdict::Fail;
        (check.observed, check.expected) = ("word ".repeat(400), "word ".repeat(400));
    }
    let judged: Vec<&str> = report.checks().map(|check| check.code.as_str()).collect();
    for step in ["SF1", "SF2", "SF3", "SF4", "SF5"] {
        assert!(judged.iter().any(|code| code.starts_with(step)), "{step}");
    }
    let value = cut(&report);
    assert_eq!(value["cut"], "texts");
    let kept: Vec<&str> = rows(&value).iter().map(|row| row["code"].as_str().unwrap()).collect();
    assert_eq!(kept, judged);
    assert!(
        rows(&value)
            .iter()
            .all(|row| row["observed"].as_str().unwrap().starts_with("word "))
    );
}

#[test]
fn details_of_passing_checks_go_first() {
    let report = large(110, 3, 2, &"word ".repeat(50));
    let value = cut(&report);
    assert_eq!(value["cut"], "passing");
    let rows = rows(&value);
    assert_eq!(rows.len(), 110);
    for row in rows {
        let passes = row["verdict"] == "pass";
        assert_eq!(row.get("observed").is_none(), passes, "{row}");
        assert_eq!(row.as_object().unwrap().len() == 3, passes, "{row}");
    }
}

#[test]
fn then_texts_are_shortened() {
    let report = large(60, 3, 2, &"word ".repeat(400));
    let value = cut(&report);
    assert_eq!(value["cut"], "texts");
    let failing = rows(&value).into_iter().find(|row| row["verdict"] == "fail").unwrap();
    assert!(failing["observed"].as_str().unwrap().len() <= TEXT_BOUND + "…".len());
    assert!(failing.get("fix").is_none() && failing.get("objects").is_none());
}

#[test]
fn the_clock_is_spoken_of_only_when_it_is_far_off() {
    let mut report = of("healthy");
    let server = report.times.server.unwrap();
    for (seconds, words) in [
        (0, None),
        (30, None),
        (-59, None),
        (7_260, Some("this node's clock is 2h 1m ahead of the API server's")),
        (-90, Some("this node's clock is 1m 30s behind the API server's")),
    ] {
        report.times.collected = server + jiff::SignedDuration::from_secs(seconds);
        let said = clock_skew(&report);
        assert_eq!(said.is_some(), words.is_some(), "{seconds}: {said:?}");
        assert!(
            said.unwrap_or_default().starts_with(words.unwrap_or_default()),
            "{seconds}"
        );
    }
    report.times.server = None;
    assert_eq!(clock_skew(&report), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn however_large_it_fits_and_keeps_answer_counts_and_first_broken(
        checks in 1_usize..1_500,
        gating_every in 1_usize..4,
        passing_every in 1_usize..5,
        word in "[a-zé\"\\\\\u{1}-\u{1f}]{1,40}",
        repeat in 0_usize..60,
    ) {
        let report = large(checks, gating_every, passing_every, &word.repeat(repeat));
        let value = cut(&report);
        prop_assert!(value.to_string().len() <= REPORT_BOUND);
        prop_assert_eq!(&value["summary"]["counts"], &serde_json::to_value(report.summary.counts).unwrap());
        prop_assert_eq!(value["summary"]["firstBroken"].as_str(), report.summary.first_broken_code());
        let first = rows(&value).into_iter().find(|row| row["code"].as_str() == report.summary.first_broken_code());
        let first = first.expect("the first broken check stays");
        prop_assert_eq!(&first["verdict"], "fail");
        prop_assert!(first.get("observed").is_some());
        // Whatever is left out: no gating check that fails is made to look as if it passed.
        for row in rows(&value) {
            let own = report.checks().find(|check| Some(check.code.as_str()) == row["code"].as_str()).unwrap();
            prop_assert_eq!(&row["verdict"], &serde_json::to_value(own.verdict).unwrap());
            prop_assert_eq!(&row["gates"], own.gates);
        }
    }
}
