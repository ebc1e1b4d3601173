//! The region's Vector, by its own metrics.

use super::{ask_metrics, asked, number, region_object, share};
use crate::evaluate::fix::{Command, count, fix, names};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evidence::{ComponentEvents, LogAggregator};
use crate::report::ObjectReference;

/// The sink whose buffer stands between the collectors and ClickHouse.
const SINK: &str = "clickhouse";

/// SF721.
pub(in crate::evaluate) fn runs(subject: Subject<'_>) -> Judge {
    let vector = asked(&subject.evidence.region.log_aggregator)?;
    let fail = |observed: String, expected: &str| {
        Outcome::fail(observed)
            .expected(expected)
            .objects([object(vector)])
            .fix(fix(
                "see on the droplet vector_agg what it says",
                [Command::that_looks("journalctl --unit vector --since -1h".to_owned())],
            ))
    };
    if vector.targets == 0 {
        return Ok(fail(
            "VictoriaMetrics holds no scrape of Vector".to_owned(),
            "`up` with job \"vector\" and the region: the scrape job of manifests/region/victoriametrics/scrape.yml",
        ));
    }
    if vector.up < vector.targets {
        return Ok(fail(
            format!(
                "{} of {} answers its scrape",
                vector.up,
                count(number(vector.targets), "Vector")
            ),
            "a Vector that answers",
        ));
    }
    match (vector.received, vector.delivered) {
        (0, 0) => Ok(
            Outcome::warn("it runs, and no cluster has sent it a record within ten minutes")
                .expected("records of every cluster of the region")
                .objects([object(vector)]),
        ),
        (received, 0) => Ok(fail(
            format!(
                "it received {} within ten minutes, and delivered none to ClickHouse",
                count(number(received), "record")
            ),
            "records that ClickHouse takes: until it does they fill the buffer",
        )),
        (received, delivered) => Ok(Outcome::pass(format!(
            "{} received and {delivered} delivered within ten minutes",
            count(number(received), "record")
        ))),
    }
}

/// SF722.
pub(in crate::evaluate) fn loses_nothing(subject: Subject<'_>) -> Judge {
    let vector = asked(&subject.evidence.region.log_aggregator)?;
    let told = |events: &[ComponentEvents]| names(events.iter().map(|of| format!("{} of {}", of.events, of.component)));
    let look = |series: &str| {
        let query = format!(
            "sum by (component_id) (increase({series}{{region=\"{}\"}}[15m])) > 0",
            vector.region
        );
        ask_metrics(
            &vector.url,
            &query,
            "see which component, and in its journal on the droplet vector_agg why",
        )
    };
    if !vector.discarded.is_empty() {
        return Ok(
            Outcome::fail(format!("records lost within 15 minutes: {}", told(&vector.discarded)))
                .expected("none: what cannot become a row becomes a dead letter")
                .objects([object(vector)])
                .fix(look("vector_component_discarded_events_total")),
        );
    }
    if !vector.errors.is_empty() {
        return Ok(
            Outcome::warn(format!("errors within 15 minutes: {}", told(&vector.errors)))
                .expected("none; what failed is tried again")
                .objects([object(vector)])
                .fix(look("vector_component_errors_total")),
        );
    }
    Ok(Outcome::pass("nothing within 15 minutes"))
}

/// SF723.
pub(in crate::evaluate) fn buffer_has_room(subject: Subject<'_>) -> Judge {
    let vector = asked(&subject.evidence.region.log_aggregator)?;
    let limit = subject.region_terms().buffer_used;
    let Some(buffer) = vector
        .buffers
        .iter()
        .find(|buffer| buffer.component == SINK && buffer.size_bytes > 0)
    else {
        return Ok(
            Outcome::undetermined(format!("Vector tells no size of the buffer of {SINK}"))
                .expected("vector_buffer_size_bytes and vector_buffer_max_size_bytes of every sink"),
        );
    };
    let full = |used: f64| format!("{:.0} % of the buffer of {SINK} is used", used * 100.0);
    let used = share(buffer.used_bytes, buffer.size_bytes);
    if used > limit {
        return Ok(Outcome::fail(full(used))
            .expected(format!(
                "at most {:.0} %: when it is full, collectors are refused and fill their own",
                limit * 100.0
            ))
            .objects([object(vector)])
            .fix(fix(
                "see why ClickHouse takes less than arrives (SF711), or enlarge vector_volume_gib: manifests/region/README.md",
                [Command::that_looks("journalctl --unit vector --since -1h".to_owned())],
            )));
    }
    Ok(Outcome::pass(full(used)))
}

fn object(vector: &LogAggregator) -> ObjectReference {
    region_object("Vector", &vector.region)
}
