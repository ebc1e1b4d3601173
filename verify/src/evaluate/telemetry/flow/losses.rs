//! What was given up, by every counter of it that a program has.

use super::{Delivery, Flow, number};
use crate::evaluate::age::words;
use crate::evaluate::fix::{count, names};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evidence::{Metrics, MetricsPage};
use crate::flow::{Lost, Program, Samples, Weight, vmagent};
use crate::report::Verdict;

/// The most counters of a pod that are named.
const NAMED: usize = 3;

/// Those of a page's counters that are told.
type Counters = for<'l> fn(&'l Losses<'_>) -> &'l [String];

/// What one page says of losses.
struct Losses<'a> {
    page: &'a MetricsPage,
    /// What grew between the readings, by how much, in words.
    growing: Vec<String>,
    /// Whether any of it is more than cut short.
    is_lost: bool,
    /// What was counted before.
    past: Vec<String>,
    /// What grew of which nothing is known but that its name says loss.
    rumours: Vec<String>,
}

/// SF414, SF436, SF453.
pub(in crate::evaluate) fn nothing_dropped(subject: Subject<'_>, program: Program) -> Judge {
    let flow = Flow::of(subject, program)?;
    let mut all: Vec<Losses<'_>> = Vec::new();
    let mut unclear: Option<Outcome> = None;
    let mut still = 0usize;
    for (page, metrics) in flow.seen() {
        let is_still = flow.stands_still(page, metrics);
        still += usize::from(is_still);
        match flow.again(page, metrics) {
            Ok(again) => {
                let losses = Losses::of(flow.program, page, metrics, again);
                let window = flow.window(page, metrics);
                if losses.growing.is_empty() && !losses.past.is_empty() && !is_still && !window.holds(window.rhythm) {
                    let (name, wanted) = (flow.name(page), words(window.rhythm));
                    let why = format!(
                        "whether {name} still gives up cannot be told: {}; a window of {wanted} did not fit",
                        brief(&losses.past)
                    );
                    unclear = unclear.or_else(|| Some(Outcome::undetermined(why)));
                }
                all.push(losses);
            }
            Err(Delivery::Unseen(unknown)) => unclear = unclear.or_else(|| Some(Outcome::unknown(unknown))),
            Err(Delivery::Unclear(why)) => unclear = unclear.or_else(|| Some(Outcome::undetermined(why))),
            Err(_) => {}
        }
    }
    let expected = "nothing given up: what cannot be delivered waits in the queue, and the queue is large enough";
    let told = |verdict: Verdict, what: &str, some: &[&Losses<'_>], of: Counters, summary: &str| {
        let pages: Vec<&MetricsPage> = some.iter().map(|losses| losses.page).collect();
        let each = some
            .iter()
            .map(|losses| format!("{} ({})", flow.name(losses.page), brief(of(losses))));
        let outcome = Flow::told(verdict, format!("{what}: {}", names(each)), &pages).expected(expected);
        match pages.first() {
            Some(first) => outcome.fix(flow.look(first, summary)),
            None => outcome,
        }
    };
    let cut: Vec<&Losses<'_>> = all.iter().filter(|losses| !losses.growing.is_empty()).collect();
    let lost: Vec<&Losses<'_>> = cut.iter().copied().filter(|losses| losses.is_lost).collect();
    if !lost.is_empty() {
        let summary = "see why it gives up";
        return Ok(told(Verdict::Fail, "given up now", &lost, growing, summary));
    }
    if let Some(unclear) = unclear {
        return Ok(unclear);
    }
    if !cut.is_empty() {
        let summary = "see what it cuts short or refuses";
        return Ok(told(Verdict::Warn, "cut short now", &cut, growing, summary));
    }
    let counted: Vec<&Losses<'_>> = all.iter().filter(|losses| !losses.past.is_empty()).collect();
    if !counted.is_empty() {
        let summary = "see what was given up; the count begins anew when the pod does";
        let what = "given up since it started, none now";
        return Ok(told(Verdict::Warn, what, &counted, past, summary));
    }
    let judged = flow.seen().count();
    if judged > 0 && still == judged {
        return Ok(Outcome::undetermined(
            "every page is one of the past: what was given up since is not told",
        ));
    }
    let mut observed = count(judged - still, "pod");
    if still > 0 {
        observed = format!("{observed}; {still} not judged, whose page is one of the past");
    }
    let rumours = all.iter().flat_map(|losses| losses.rumours.iter());
    let rumours: Vec<&str> = rumours.map(String::as_str).collect();
    if !rumours.is_empty() {
        observed = format!("{observed}; not known to be a loss, and growing: {}", names(rumours));
    }
    Ok(Outcome::pass(observed))
}

// === impl Losses ===

impl<'a> Losses<'a> {
    fn of(program: Program, page: &'a MetricsPage, first: &Metrics, again: Option<&Metrics>) -> Self {
        let before = program.losses(first);
        let now = again.map_or_else(|| before.clone(), |again| program.losses(again));
        let limits = match program {
            Program::Vmagent => vmagent::limits_reached(Samples::of(again.unwrap_or(first))),
            Program::FluentBit | Program::Alloy => Vec::new(),
        };
        let grown = now
            .iter()
            .map(|lost| (lost, lost.since(&before)))
            .filter(|(_, by)| *by > 0.0);
        let grown: Vec<(&Lost, f64)> = grown.collect();
        let reached = now.iter().filter(|lost| limits.contains(&lost.counter));
        let reached = reached.filter(|lost| !grown.iter().any(|(grown, _)| grown.counter == lost.counter));
        let reached: Vec<&Lost> = reached.collect();
        let is_lost = !reached.is_empty() || grown.iter().any(|(lost, _)| lost.weight == Weight::Lost);
        let growing = (grown.iter())
            .map(|(lost, by)| format!("{} by {}", lost.name(), number(*by)))
            .chain(
                reached
                    .iter()
                    .map(|lost| format!("{} at {}, and the limit is reached", lost.name(), number(lost.value))),
            );
        let rumours = again.map(|again| {
            let before = program.rumours(first);
            let grown = program.rumours(again).into_iter();
            let grown = grown.map(|(name, value)| (name, value - before.get(name).copied().unwrap_or_default()));
            let grown = grown.filter(|(_, by)| *by > 0.0);
            grown.map(|(name, by)| format!("{name} by {}", number(by))).collect()
        });
        Self {
            page,
            growing: growing.collect(),
            is_lost,
            past: now
                .iter()
                .map(|lost| format!("{} {}", number(lost.value), lost.name()))
                .collect(),
            rumours: rumours.unwrap_or_default(),
        }
    }
}

fn growing<'l>(losses: &'l Losses<'_>) -> &'l [String] {
    &losses.growing
}

fn past<'l>(losses: &'l Losses<'_>) -> &'l [String] {
    &losses.past
}

/// The first of some counters.
fn brief(counters: &[String]) -> String {
    let named = counters.iter().take(NAMED).map(String::as_str);
    let named = named.collect::<Vec<_>>().join(", ");
    match counters.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}
