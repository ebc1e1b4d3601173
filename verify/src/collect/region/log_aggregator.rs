//! The region's Vector, by its own metrics as VictoriaMetrics has scraped them: its API is open to nobody.

use super::vector::{self, Facts, whole};
use super::{Obstacle, promql};
use crate::collect::stores::Stores;
use crate::evidence::{Buffer, ComponentEvents, LogAggregator};
use std::collections::BTreeMap;
use std::time::Duration;

/// Asks.
pub(super) async fn ask(stores: &Stores, timeout: Duration) -> Result<LogAggregator, Obstacle> {
    let store = stores.metrics();
    let query = promql::aggregator(stores.region());
    let facts = vector::ask(store, &query, "the aggregator's metrics", timeout).await?;
    let mut discarded = events(&facts, "discarded");
    for (component, count) in events(&facts, "discarded-by-buffer") {
        *discarded.entry(component).or_default() += count;
    }
    let sizes: BTreeMap<String, u64> = facts
        .rows("size", ["component_id"])
        .map(|([component], size)| (component, whole(size)))
        .collect();
    Ok(LogAggregator {
        url: store.url().to_owned(),
        region: stores.region().to_owned(),
        targets: facts.one("targets")?,
        up: facts.one("up")?,
        received: facts.one("received")?,
        delivered: facts.one("delivered")?,
        discarded: listed(discarded),
        errors: listed(events(&facts, "errors")),
        buffers: facts
            .rows("used", ["component_id"])
            .filter_map(|([component], used)| {
                Some(Buffer {
                    size_bytes: *sizes.get(&component)?,
                    used_bytes: whole(used),
                    component,
                })
            })
            .collect(),
    })
}

fn events(facts: &Facts, fact: &str) -> BTreeMap<String, u64> {
    facts
        .rows(fact, ["component_id"])
        .map(|([component], count)| (component, whole(count)))
        .filter(|(_, count)| *count > 0)
        .collect()
}

fn listed(events: BTreeMap<String, u64>) -> Vec<ComponentEvents> {
    events
        .into_iter()
        .map(|(component, events)| ComponentEvents { component, events })
        .collect()
}
