//! The page that lists the clusters.

use anyhow::Result;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use rusqlite::Transaction;

use super::registrations::{self, Known, State};
use super::{clock, faults};

const STYLE: &str = "
:root { color-scheme: light dark; --line: #8884; --active: #17803d; --degraded: #a15c00; --lost: #b3261e; --ended: #6b7280 }
@media (prefers-color-scheme: dark) {
  :root { --active: #4ade80; --degraded: #fbbf24; --lost: #ff8a80; --ended: #9ca3af }
}
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 64rem; padding: 1rem }
h1 { font-size: 1.25rem }
table { border-collapse: collapse; width: 100% }
th, td { border-bottom: 1px solid var(--line); padding: .5rem; text-align: left; vertical-align: top }
code { overflow-wrap: anywhere }
.state { font-weight: 600 }
.active { color: var(--active) } .degraded { color: var(--degraded) }
.lost { color: var(--lost) } .ended { color: var(--ended) }
small, .reason { overflow-wrap: anywhere }
@media (max-width: 40rem) {
  thead { display: none }
  tr { display: block; border-bottom: 1px solid var(--line); padding: .5rem 0 }
  td { border: 0; display: grid; grid-template-columns: 9rem 1fr; padding: .125rem 0 }
  td::before { content: attr(data-label); opacity: .7 }
}
";

/// Every cluster with its state, UID, generation and last heartbeat, and the faults that stand.
pub(super) fn clusters(transaction: &Transaction<'_>) -> Result<String> {
    let known = registrations::list(transaction)?;
    let now = clock::time(clock::now_ms(transaction)?)?;
    let faults = faults::standing(transaction)?;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="refresh" content="5";
                title { "Starbase: " (known.len()) " clusters" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "Clusters" }
                @if known.is_empty() {
                    p { "No cluster has registered yet." }
                } @else {
                    table {
                        thead { tr {
                            th { "Cluster" } th { "State" } th { "UID" } th { "Generation" } th { "Last heartbeat" } th { "Reason" }
                        } }
                        tbody { @for cluster in &known { (row(cluster, now)) } }
                    }
                }
                @if !faults.is_empty() {
                    h1 { "Faults" }
                    ul { @for (_, fault) in &faults { li { code { (format!("{fault:?}")) } } } }
                }
                p { small { "Starbase's clock: " (format!("{now:.0}")) } }
            }
        }
    };
    Ok(page.into_string())
}

fn row(cluster: &Known, now: jiff::Timestamp) -> Markup {
    let heard = cluster.last_heartbeat.map_or_else(
        || "none yet".to_owned(),
        |time| format!("{time:.0} ({} s ago)", now.duration_since(time).as_secs()),
    );
    let class = match cluster.state {
        State::Active => "state active",
        State::Degraded => "state degraded",
        State::Lost => "state lost",
        State::Ended => "state ended",
    };
    html! {
        tr {
            td data-label="Cluster" { span { strong { (cluster.cluster_id) } " " small { (cluster.region) } } }
            td data-label="State" { span class=(class) { (cluster.state.as_str()) } }
            td data-label="UID" { code { (cluster.uid) } }
            td data-label="Generation" { span { (cluster.generation) } }
            td data-label="Last heartbeat" { span { (heard) } }
            td data-label="Reason" { span class="reason" { (cluster.phase) ": " (cluster.reason) } }
        }
    }
}
