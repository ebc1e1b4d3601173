//! The join of container metrics with `kube_pod_labels`, as vmalert records it beside the region's VictoriaMetrics.

use super::metrics_store::object;
use super::{ago, ask_metrics, asked, number, share, unless_ended, unless_of_a_predecessor};
use crate::evaluate::age::words;
use crate::evaluate::fix::{count, names};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evidence::{MetricsStore, RecordedSeries};

/// SF705.
pub(in crate::evaluate) fn recorded(subject: Subject<'_>) -> Judge {
    let store = asked(&subject.evidence.region.metrics_store)?;
    unless_ended(&store.asked.cluster)?;
    let terms = subject.region_terms();
    let join = &store.join;
    let id = &store.asked.cluster.id;
    let of = |name: &str| join.series.iter().find(|series| series.name == name);
    let is_silent = |name: &&String| of(name).is_none_or(|series| series.rows == 0);
    let silent: Vec<&String> = terms.recorded.iter().filter(is_silent).collect();
    if let Some(first) = silent.first() {
        let newest = of(first).map_or_else(
            || "none within an hour".to_owned(),
            |series| format!("the newest is {} old", ago(series.age_ms)),
        );
        let cause = if join.joinable_pods == 0 {
            "; no pod has had both inputs for five minutes"
        } else {
            ""
        };
        return Ok(broken(
            store,
            format!("no current row of {} for {id}: {newest}{cause}", names(silent)),
            "rows of every recorded series: vmalert evaluates the rules, and `namespace` and `pod` of both inputs meet"
                .to_owned(),
        ));
    }
    let newest = join.series.iter().map(|series| series.age_ms).min();
    unless_of_a_predecessor(subject, &store.asked.cluster, newest.unwrap_or_default())?;
    let keys = || names(terms.recorded_labels.iter().map(crate::contract::LabelKey::as_str));
    let is_bare = |series: &&RecordedSeries| terms.recorded.contains(&series.name) && series.labelled == 0;
    let bare: Vec<&RecordedSeries> = join.series.iter().filter(is_bare).collect();
    if !bare.is_empty() {
        return Ok(broken(
            store,
            format!(
                "no row of {} carries every label",
                names(bare.iter().map(|series| &series.name))
            ),
            format!("{} on the rows of pods that Shuttle labels", keys()),
        ));
    }
    let unjoined = format!(
        "{} of {} with both inputs without a row",
        join.unjoined_pods,
        count(number(join.joinable_pods), "pod")
    );
    if share(join.unjoined_pods, join.joinable_pods) > terms.recorded_missing {
        return Ok(broken(
            store,
            unjoined,
            format!("a row for all but {:.0} %", terms.recorded_missing * 100.0),
        ));
    }
    if join.unjoined_pods > 0 {
        return Ok(Outcome::warn(unjoined)
            .expected("a row of every pod that has had both inputs for five minutes")
            .objects([object(store)]));
    }
    let rows = join.series.iter().map(|series| series.rows).min().unwrap_or_default();
    let oldest = join.series.iter().map(|series| series.age_ms).max().unwrap_or_default();
    Ok(Outcome::pass(format!(
        "{} of each of {} series, the newest {} old",
        count(number(rows), "row"),
        terms.recorded.len(),
        words(jiff::SignedDuration::from_secs(oldest / 1000)),
    )))
}

fn broken(store: &MetricsStore, observed: String, expected: String) -> Outcome {
    let id = &store.asked.cluster.id;
    let query = format!(
        "count by (job) (kube_pod_labels{{cluster=\"{id}\"}}) or count by (job) (container_memory_working_set_bytes{{cluster=\"{id}\"}})"
    );
    Outcome::fail(observed)
        .expected(expected)
        .objects([object(store)])
        .fix(ask_metrics(
            &store.asked.url,
            &query,
            "see whether both inputs are there; /api/v1/rules at the same address says why a rule fails",
        ))
}
