//! Step 4: whether Fluent Bit delivers, by its own metrics pages.

use super::flow::{self, Delivery, Flow, number, pod_object};
use crate::evaluate::fix::{count, names};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evidence::{MetricsPage, Observed};
use crate::flow::Program::FluentBit;
use crate::flow::{Samples, fluent_bit};

/// SF410.
pub(in crate::evaluate) fn answers(subject: Subject<'_>) -> Judge {
    flow::answers(subject, FluentBit)
}

/// SF411.
pub(in crate::evaluate) fn delivers(subject: Subject<'_>) -> Judge {
    flow::delivers(subject, FluentBit)
}

/// SF412. It delivers all the same, or SF411 says that it does not.
pub(in crate::evaluate) fn outputs_succeed(subject: Subject<'_>) -> Judge {
    let flow = Flow::of(subject, FluentBit)?;
    let mut failing: Vec<(&MetricsPage, f64)> = Vec::new();
    for (page, metrics) in flow.seen() {
        let readings = match flow.readings(page, metrics) {
            Ok(readings) => readings,
            Err(Delivery::Unseen(unknown)) => return Ok(Outcome::unknown(unknown)),
            Err(Delivery::Unclear(why)) => return Ok(Outcome::undetermined(why)),
            Err(_) => continue,
        };
        let more = (readings.iter())
            .filter_map(|readings| Some(readings.again.as_ref()?.troubled - readings.first.troubled))
            .sum();
        if more > 0.0 {
            failing.push((page, more));
        }
    }
    let Some((first, _)) = failing.first() else {
        return Ok(Outcome::pass(count(flow.seen().count(), "pod")));
    };
    let times: f64 = failing.iter().map(|(_, more)| more).sum();
    let which = names(failing.iter().map(|(page, _)| flow.name(page)));
    Ok(Outcome::warn(format!(
        "{} chunks refused or tried again within seconds: {which}",
        number(times)
    ))
    .expected("an output that needs no second try: the aggregator is up and takes what is sent")
    .objects(failing.iter().map(|(page, _)| pod_object(page)))
    .fix(flow.look(first, "see what the aggregator answers")))
}

/// SF413.
pub(in crate::evaluate) fn buffer_has_room(subject: Subject<'_>) -> Judge {
    let flow = Flow::of(subject, FluentBit)?;
    let thresholds = &subject.contract.thresholds;
    let expected =
        "a buffer with room: an input that stands still misses what is rotated away, and a full one drops the oldest";
    let (mut paused, mut full, mut filling, mut growing) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut unclear: Option<Outcome> = None;
    for (page, metrics) in flow.seen() {
        let samples = Samples::of(metrics);
        let Some(capacity) = Samples::of(page.latest().unwrap_or(metrics))
            .named(fluent_bit::CAPACITY)
            .map(|sample| sample.value)
            .reduce(f64::min)
        else {
            return Ok(Outcome::undetermined(format!(
                "{} does not show {}",
                flow.name(page),
                fluent_bit::CAPACITY
            )));
        };
        let Some(waiting) = samples.sum(fluent_bit::WAITING) else {
            return Ok(Outcome::undetermined(format!(
                "{} does not show {}: storage.metrics is off",
                flow.name(page),
                fluent_bit::WAITING
            ))
            .expected("storage.metrics on in [SERVICE]")
            .lasting());
        };
        if capacity < (1.0 - thresholds.queue_filled) * 100.0 {
            full.push(page);
        } else if capacity < (1.0 - thresholds.queue_filling) * 100.0 {
            filling.push(page);
        }
        let again = match &page.again {
            None if fluent_bit::paused(samples) => {
                let why = format!("{} was not read again", flow.name(page));
                unclear = unclear.or_else(|| Some(Outcome::undetermined(why)));
                continue;
            }
            None => continue,
            Some(Observed::Seen(again)) => Samples::of(again),
            Some(Observed::Absent) => {
                let why = format!("{} went", flow.name(page));
                unclear = unclear.or_else(|| Some(Outcome::undetermined(why)));
                continue;
            }
            Some(Observed::Unknown(unknown)) => {
                unclear = unclear.or_else(|| Some(Outcome::unknown(unknown)));
                continue;
            }
        };
        if fluent_bit::paused(samples) && fluent_bit::paused(again) {
            paused.push(page);
        }
        // What is on its way comes and goes; a buffer fills where something was refused meanwhile.
        let refused = [fluent_bit::ERRORS, fluent_bit::RETRIES]
            .iter()
            .any(|name| again.sum(name) > samples.sum(name));
        if refused && waiting > 0.0 && again.sum(fluent_bit::WAITING).is_some_and(|later| later > waiting) {
            growing.push(page);
        }
    }
    let told = |outcome: Outcome, pages: &[&MetricsPage]| {
        let outcome = outcome
            .expected(expected)
            .objects(pages.iter().map(|page| pod_object(page)));
        match pages.first() {
            Some(first) => outcome.fix(flow.look(first, "see what the aggregator answers, and how much waits")),
            None => outcome,
        }
    };
    let which = |pages: &[&MetricsPage]| names(pages.iter().map(|page| flow.name(page)));
    let filled = |share: f64, pages: &[&MetricsPage]| {
        format!("the buffer is {:.0} % full or more: {}", share * 100.0, which(pages))
    };
    if !full.is_empty() {
        return Ok(told(Outcome::fail(filled(thresholds.queue_filled, &full)), &full));
    }
    if !paused.is_empty() {
        return Ok(told(
            Outcome::fail(format!("an input stands still: {}", which(&paused))),
            &paused,
        ));
    }
    if let Some(unclear) = unclear {
        return Ok(unclear);
    }
    if !filling.is_empty() {
        return Ok(told(
            Outcome::warn(filled(thresholds.queue_filling, &filling)),
            &filling,
        ));
    }
    if !growing.is_empty() {
        return Ok(told(
            Outcome::warn(format!("the buffer grows: {}", which(&growing))),
            &growing,
        ));
    }
    Ok(Outcome::pass(count(flow.seen().count(), "pod")))
}

/// SF414.
pub(in crate::evaluate) fn nothing_dropped(subject: Subject<'_>) -> Judge {
    flow::nothing_dropped(subject, FluentBit)
}
