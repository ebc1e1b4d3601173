//! What is proved and not only configured: labels flow, container metrics join, nodes speak for themselves.

use super::capital;
use super::state::State;
use crate::view::View;
use maud::{Markup, html};
use starform_verify::evidence::{Canary, Join, NodesProven};
use std::time::Duration;

/// More nodes than these are told by their number.
const NODES: usize = 5;

/// The three proofs.
pub(super) fn proofs(view: &View) -> Markup {
    let verification = view.verification.as_deref();
    html! {
        section aria-labelledby="proofs" {
            h2 #proofs { "Proofs" }
            @if let Some(seen) = verification {
                div .proofs { (canary(&seen.canary)) (join(&seen.join)) (nodes(&seen.nodes)) }
            } @else {
                p .none { "Nothing judged yet." }
            }
        }
    }
}

fn card(state: State, title: &str, text: &str, more: &str) -> Markup {
    html! {
        div class=(format!("proof {}", state.class())) {
            h3 { (title) }
            (state.badge())
            p { (capital(text)) }
            @if !more.is_empty() { p .note { (capital(more)) } }
        }
    }
}

fn canary(canary: &Canary) -> Markup {
    let metrics = match canary.metrics_age_ms {
        Some(age) if age <= canary.metrics_age_limit_ms => format!("its PodMetrics were {} old", duration(age)),
        Some(age) => {
            let limit = duration(canary.metrics_age_limit_ms);
            format!("its PodMetrics were {} old, more than {limit}", duration(age))
        }
        None => "it has no PodMetrics".to_owned(),
    };
    let fresh = canary
        .metrics_age_ms
        .is_some_and(|age| age <= canary.metrics_age_limit_ms);
    let (state, text) = if canary.observed.is_none() {
        (State::Waits, "not observed yet".to_owned())
    } else if !canary.row {
        (State::Fail, "the own pod's row was not seen under its UID".to_owned())
    } else if !canary.missing.is_empty() {
        (
            State::Fail,
            format!("the own pod's row lacks {}", canary.missing.join(", ")),
        )
    } else {
        let lag = canary
            .lag_ms
            .map(|lag| format!(" {} after they were set", duration(lag)));
        let text = format!("the own pod's labels came back on its row{}", lag.unwrap_or_default());
        (if fresh { State::Pass } else { State::Fail }, text)
    };
    let more = if canary.observed.is_some() {
        metrics
    } else {
        String::new()
    };
    card(state, "Canary", &text, &more)
}

fn join(join: &Join) -> Markup {
    let failed: Vec<String> = (join.failed.iter().take(NODES))
        .map(|failed| format!("{}: {}", failed.node, failed.problem))
        .collect();
    let state = if join.failed_nodes > 0 || !join.failed.is_empty() {
        State::Fail
    } else if join.complete && !join.joined.is_empty() {
        State::Pass
    } else {
        State::Waits
    };
    let text = match state {
        State::Waits => format!("{} joined so far", amount(join.joined.len(), "node")),
        _ => format!(
            "{} joined, {}",
            amount(join.joined.len(), "node"),
            amount(join.pods as usize, "pod")
        ),
    };
    card(state, "cAdvisor join", &text, &failed.join("; "))
}

fn nodes(nodes: &NodesProven) -> Markup {
    let state = match (nodes.proven, nodes.of) {
        (_, 0) => State::Waits,
        (proven, of) if proven >= of && nodes.unproven.is_empty() => State::Pass,
        _ => State::Warn,
    };
    let text = format!(
        "{} of {} prove their own telemetry",
        nodes.proven,
        amount(nodes.of as usize, "Ready node")
    );
    let mut more = nodes
        .unproven
        .iter()
        .take(NODES)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    if !more.is_empty() {
        more = format!("not yet: {more}");
    }
    if let Some(left @ 1..) = nodes.unproven.len().checked_sub(NODES) {
        more = format!("{more} and {left} more");
    }
    card(state, "Nodes", &text, &more)
}

fn amount(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

fn duration(milliseconds: u64) -> String {
    let duration = Duration::from_millis(milliseconds);
    format!("{:.1} s", duration.as_secs_f64())
}
