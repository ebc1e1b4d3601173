//! The status page: one document, no script, no asset. Pure.

mod check;
mod diagram;
mod proof;
mod state;

use self::state::State;
use super::readiness::second;
use crate::announce;
use crate::view::View;
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use starform_verify::evidence::Phase;
use starform_verify::report::{CheckResult, Verdict};

const STYLE: &str = include_str!("page/style.css");
/// A page that is looked at follows what happens; `?still` holds it, for reading and copying.
const REFRESH: &str = "5";
/// More checks than these in a row are folded: what stands below them is to be found.
const ARTICLES: usize = 6;

/// The page. `still` leaves out its refreshing itself.
pub(super) fn page(view: &View, still: bool) -> String {
    // What a cluster says is escaped by maud; what would reorder or hide text around it is written out by the answer.
    document(view, still).into_string()
}

fn document(view: &View, still: bool) -> Markup {
    let state = State::of_phase(view);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                @if !still { meta http-equiv="refresh" content=(REFRESH); }
                // Without it a browser asks for /favicon.ico.
                link rel="icon" href="data:,";
                title { (state.symbol()) " " (view.snapshot.phase) " · Shuttle" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    (head(view, state, still))
                    (diagram::diagram(view))
                    (attention(view))
                    (proof::proofs(view))
                    (all(view))
                }
                (foot(view))
            }
        }
    }
}

/// The answer, and the facts around it.
fn head(view: &View, state: State, still: bool) -> Markup {
    let snapshot = &view.snapshot;
    html! {
        header class=(format!("answer {}", state.class())) {
            p .top {
                span { "Shuttle" }
                @if still { a href="/" { "held still · follow" } } @else { a href="/?still" { "follows every 5 s · hold still" } }
            }
            h1 {
                span .mark aria-hidden="true" { (state.symbol()) }
                " " (capital(snapshot.phase))
            }
            p .why { (capital(view.answer())) }
            @if let Some(reason) = view.reason() { p .reason { (capital(reason)) } }
            @if let Some(setback) = view.setback() { p .setback { strong { "Starbase: " } (setback) } }
        }
        (facts(view))
    }
}

fn facts(view: &View) -> Markup {
    let snapshot = &view.snapshot;
    let names = view.names.as_ref();
    let uid = view.verification.as_deref().and_then(|seen| seen.uid.as_deref());
    let registered = snapshot.registration;
    let heartbeat = registered.and_then(|registered| registered.heartbeat_accepted);
    html! {
        dl .facts {
            div { dt { "Since" } dd { (time(snapshot.since, view.now)) } }
            div { dt { "Ready" } dd { @if snapshot.ready { "yes, /readyz answers 200" } @else { "no, /readyz answers 503" } } }
            div { dt { "Cluster" } dd { (told(names.map(|names| names.cluster_id.as_str()))) } }
            div { dt { "Region" } dd { (told(names.map(|names| names.region.as_str()))) } }
            div {
                dt { "Registration" }
                dd { @if let Some(registered) = registered { "generation " (registered.generation) } @else { "none" } }
            }
            div {
                dt { "Last heartbeat" }
                dd {
                    @if let Some(accepted) = heartbeat { (time(accepted, view.now)) }
                    @else { "none accepted yet" }
                }
            }
            div { dt { "Leader" } dd { @if snapshot.leader { "this replica" } @else { "not this replica" } } }
            div { dt { "Node" } dd { code { (view.identity.node) } } }
            div .wide { dt { "Pod" } dd { code { (view.identity.pod) } } }
            div .wide { dt { "Cluster UID" } dd { (told(uid)) } }
        }
    }
}

/// What is not as it should be, the first to mend first.
fn attention(view: &View) -> Markup {
    let Some(verification) = view.verification.as_deref() else {
        return html! {};
    };
    let first = view.first_broken().map(|(_, check)| check);
    let is_first = |check: &CheckResult| first.is_some_and(|first| first.code == check.code);
    let rest = |verdicts: &[Verdict]| -> Vec<&CheckResult> {
        let checks = verification.report.checks();
        let chosen = |check: &&CheckResult| verdicts.contains(&check.verdict) && check.behind.is_none();
        checks.filter(chosen).filter(|check| !is_first(check)).collect()
    };
    let (failing, warning) = (rest(&[Verdict::Fail, Verdict::Unknown]), rest(&[Verdict::Warn]));
    html! {
        @if let Some(check) = first {
            section aria-labelledby="first" {
                h2 #first { "Mend this first" }
                (check::article(check))
            }
        }
        @if !failing.is_empty() {
            section aria-labelledby="failing" {
                h2 #failing { @if first.is_some() { "Then" } @else { "Not as it should be, but registration does not wait for it" } }
                (articles(&failing))
            }
        }
        @if !warning.is_empty() {
            section aria-labelledby="warnings" {
                h2 #warnings { "Warnings" }
                (articles(&warning))
            }
        }
    }
}

/// The first ones whole, the others folded: where a permission is missing, a whole step's checks cannot be judged.
fn articles(checks: &[&CheckResult]) -> Markup {
    let (shown, folded) = checks.split_at(checks.len().min(ARTICLES));
    html! {
        @for check in shown { (check::article(check)) }
        @if !folded.is_empty() {
            details .more {
                summary { (folded.len()) " more" }
                @for check in folded { (check::article(check)) }
            }
        }
    }
}

/// Every check, folded.
fn all(view: &View) -> Markup {
    let Some(verification) = view.verification.as_deref() else {
        return html! {};
    };
    let steps = (verification.report.steps.iter()).filter(|step| !step.checks.is_empty());
    html! {
        section aria-labelledby="all" {
            h2 #all { "All checks" }
            @for step in steps {
                details {
                    summary {
                        (State::of_step(step).badge())
                        " " strong { (capital(announce::step_name(step.id))) } " " (step.title)
                        " " span .count { (diagram::count(step)) }
                    }
                    ul .checks { @for check in &step.checks { (check::row(check)) } }
                }
            }
        }
    }
}

fn foot(view: &View) -> Markup {
    html! {
        footer {
            p {
                "shuttle " (env!("CARGO_PKG_VERSION"))
                @if let Some(verification) = view.verification.as_deref() {
                    " · judged " (time(verification.report.times.collected, view.now))
                    " in " (format!("{:.1} s", verification.took.as_secs_f64()))
                    " · contract " code { (verification.report.contract.get(..19).unwrap_or_default()) }
                }
                " · " a href="/report.json" { "report.json" }
            }
        }
    }
}

fn told(value: Option<&str>) -> Markup {
    html! { @match value { Some(value) => code { (value) }, None => "not read yet" } }
}

/// `12 s ago`, with the time itself for whoever points at it.
fn time(time: Timestamp, now: Timestamp) -> Markup {
    let exact = second(time);
    html! { time datetime=(exact) title=(exact) { (ago(time, now)) } }
}

/// How long ago, in the largest unit that gives at least 2 of it.
fn ago(time: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(time).as_secs().max(0);
    let units = [(86_400, "days"), (3_600, "h"), (60, "min"), (1, "s")];
    let (size, unit) = units
        .into_iter()
        .find(|(size, _)| seconds >= 2 * size)
        .unwrap_or((1, "s"));
    format!("{} {unit} ago", seconds / size)
}

/// With a capital first letter, but for a name such as kube-state-metrics.
fn capital(text: impl std::fmt::Display) -> String {
    let text = text.to_string();
    let word = text.split(' ').next().unwrap_or_default();
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if word.chars().all(char::is_alphabetic) => first.to_uppercase().chain(letters).collect(),
        _ => text,
    }
}

/// `steady` where the phase is one that lasts.
fn phase_state(phase: Phase, broken: Option<Verdict>) -> State {
    match (phase, broken) {
        (Phase::Active | Phase::Standby, _) => State::Pass,
        (Phase::Rejected | Phase::Degraded, _) | (Phase::Verifying, Some(Verdict::Fail | Verdict::Blocked)) => {
            State::Fail
        }
        (Phase::Verifying, Some(_)) => State::Unknown,
        (Phase::Starting | Phase::Verifying | Phase::Registering | Phase::Stopping, _) => State::Waits,
    }
}

#[cfg(test)]
mod tests;
