//! The region's ClickHouse: what it holds of the cluster's logs.

use super::{ago, ask_logs, asked, is_above, number, region_object};
use crate::evaluate::age::words;
use crate::evaluate::fix::{Advice, Command, count, fix, names};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evidence::{DeadLetters, LogStore, StoreQuestion};
use crate::report::ObjectReference;
use std::collections::BTreeMap;

/// SF711.
pub(in crate::evaluate) fn answers(subject: Subject<'_>) -> Judge {
    let store = asked(&subject.evidence.region.log_store)?;
    Ok(Outcome::pass(format!("{} answers", store.asked.url)))
}

/// SF713.
pub(in crate::evaluate) fn logs_arrive(subject: Subject<'_>) -> Judge {
    let store = asked(&subject.evidence.region.log_store)?;
    let terms = subject.region_terms();
    let StoreQuestion { region, cluster, .. } = &store.asked;
    let id = &cluster.id;
    let Some(lines) = &store.lines else {
        return Ok(Outcome::undetermined("the tables are not there to be asked (SF712)"));
    };
    let fail = |observed: String, expected: String, fix: Advice| {
        Outcome::fail(observed)
            .expected(expected)
            .objects([object(store)])
            .fix(fix)
    };
    if let Some(other) = cluster.region.as_ref().filter(|other| *other != region) {
        return Ok(
            Outcome::fail(format!("{id} is in {other:?}, and the stores file is {region:?}'s"))
                .expected("the stores of the cluster's own region")
                .objects([object(store)])
                .lasting(),
        );
    }
    let Some(own) = lines.iter().find(|lines| &lines.region == region) else {
        let observed = match lines.first() {
            Some(other) => format!("no line of {id} with region {region:?}, but with {:?}", other.region),
            None if cluster.ended => format!("no line of {id} is left"),
            None => format!("no line of {id} within an hour"),
        };
        return Ok(fail(
            observed,
            format!("lines with starform_cluster_id {id:?} and starform_region {region:?}"),
            look_at_fluent_bit(subject),
        ));
    };
    let received = ago(own.received_ms);
    if cluster.ended {
        return Ok(Outcome::pass(format!(
            "{id} was taken down; {}, the newest received {received} ago, are still there",
            count(number(own.lines), "line")
        )));
    }
    if is_above(own.received_ms, terms.freshness) {
        return Ok(fail(
            format!("the newest line of {id} was received {received} ago"),
            format!("one within {}", words(terms.freshness)),
            look_at_fluent_bit(subject),
        ));
    }
    if is_above(own.received_ms.saturating_neg(), terms.freshness) {
        return Ok(Outcome::undetermined(format!(
            "the newest line of {id} was received {} in the store's future",
            ago(own.received_ms.saturating_neg())
        ))
        .expected("clocks of aggregator and store that agree"));
    }
    if is_above(own.delay_ms, terms.log_delay) {
        return Ok(Outcome::warn(format!(
            "of 100 lines of {id} one took {} or more to arrive",
            ago(own.delay_ms)
        ))
        .expected(format!(
            "less than {}: it catches up, or falls behind",
            words(terms.log_delay)
        ))
        .objects([object(store)])
        .fix(look_at_fluent_bit(subject)));
    }
    Ok(Outcome::pass(format!(
        "{} within an hour, the newest received {received} ago",
        count(number(own.lines), "line")
    )))
}

/// SF712.
pub(in crate::evaluate) fn schema(subject: Subject<'_>) -> Judge {
    let store = asked(&subject.evidence.region.log_store)?;
    let terms = subject.region_terms();
    let mut wrong = Vec::new();
    for (table, columns) in &terms.tables {
        let Some(found) = store.tables.get(table) else {
            wrong.push(format!("no logs.{table}"));
            continue;
        };
        wrong.extend(columns_wrong(table, columns, found));
    }
    if wrong.is_empty() {
        let columns: usize = terms.tables.values().map(BTreeMap::len).sum();
        return Ok(Outcome::pass(format!(
            "{} with {}",
            count(terms.tables.len(), "table"),
            count(columns, "column")
        )));
    }
    Ok(Outcome::fail(names(&wrong))
        .expected("the tables of manifests/region/clickhouse/schema.sql")
        .objects([object(store)])
        .fix(fix(
            "what is missing is created when the server starts; what differs takes an ALTER, as `maintenance` on the droplet",
            [Command::that_changes("systemctl restart clickhouse-schema".to_owned())],
        ))
        .lasting())
}

/// SF714.
pub(in crate::evaluate) fn no_dead_letters(subject: Subject<'_>) -> Judge {
    let store = asked(&subject.evidence.region.log_store)?;
    let StoreQuestion { url, cluster, .. } = &store.asked;
    let Some(letters) = &store.dead_letters else {
        return Ok(Outcome::undetermined("the tables are not there to be asked (SF712)"));
    };
    let terms = subject.region_terms();
    let window = words(terms.dead_letter_window);
    let of = |own: bool| -> Vec<&DeadLetters> {
        let of = letters
            .iter()
            .filter(|letters| letters.own == own && letters.records > 0);
        of.collect()
    };
    let statement = "SELECT received_at, reason, record FROM logs.dead_letters ORDER BY received_at DESC LIMIT 10";
    let look = || {
        ask_logs(
            url,
            statement,
            "see the records as they came: the collector's configuration makes them",
        )
    };
    let own = of(true);
    let stored: u64 = store.lines.iter().flatten().map(|lines| lines.lines).sum();
    let all = stored.saturating_add(sum(&own));
    let too_many: Vec<&DeadLetters> = (own.iter().copied())
        .filter(|letters| is_too_many(subject, letters, all))
        .collect();
    if !too_many.is_empty() {
        let part = sum(&too_many);
        let of_all = if share(part, all) < 0.001 {
            String::new()
        } else {
            format!("; {} of all", percent(part, all))
        };
        return Ok(Outcome::fail(format!(
            "{} of {} could not be stored within {window}: {}{of_all}",
            count(number(part), "record"),
            cluster.id,
            told(&too_many)
        ))
        .expected("records that the aggregator can make a row of")
        .objects([object(store)])
        .fix(look()));
    }
    let others = of(false);
    if !others.is_empty() {
        return Ok(Outcome::warn(format!(
            "{} that do not say of which cluster could not be stored within {window}: {}",
            count(number(sum(&others)), "record"),
            told(&others)
        ))
        .expected("`cluster` and `region` on every record")
        .objects([object(store)])
        .fix(look()));
    }
    if own.is_empty() {
        return Ok(Outcome::pass(format!("none within {window}")));
    }
    Ok(Outcome::pass(format!(
        "{} of all within {window}, as containers make them: {}",
        percent(sum(&own), all),
        told(&own)
    )))
}

/// Whether so many records are dead letters of a reason that it is none of the few that containers make by what they write,
/// and by how they end.
fn is_too_many(subject: Subject<'_>, letters: &DeadLetters, all: u64) -> bool {
    let terms = subject.region_terms();
    let Some(may_be) = terms.dead_letter_shares.get(&letters.reason) else {
        return true;
    };
    let share = share(letters.records, all);
    share > *may_be && (letters.records > terms.dead_letters_few || share > 0.5)
}

fn sum(letters: &[&DeadLetters]) -> u64 {
    letters.iter().map(|letters| letters.records).sum()
}

/// By reason how many, and of each one that shows what they are made of.
fn told(letters: &[&DeadLetters]) -> String {
    names(letters.iter().map(|letters| {
        let example = letters.example.as_deref();
        let example = example.map_or_else(String::new, |example| format!(", such as one of {example}"));
        format!("{} ({}{example})", letters.reason, letters.records)
    }))
}

#[expect(clippy::cast_precision_loss, reason = "a number of records")]
fn share(part: u64, all: u64) -> f64 {
    part as f64 / all.max(1) as f64
}

fn percent(part: u64, all: u64) -> String {
    format!("{:.1} %", share(part, all) * 100.0)
}

fn columns_wrong(table: &str, columns: &BTreeMap<String, String>, found: &BTreeMap<String, String>) -> Vec<String> {
    let wrong = |(column, expected): (&String, &String)| match found.get(column) {
        None => Some(format!("no column {column} in logs.{table}")),
        Some(other) if other != expected => Some(format!("{table}.{column} is {other}, not {expected}")),
        Some(_) => None,
    };
    columns.iter().filter_map(wrong).collect()
}

fn object(store: &LogStore) -> ObjectReference {
    region_object("ClickHouse", &store.asked.region)
}

fn look_at_fluent_bit(subject: Subject<'_>) -> Advice {
    subject.look_at_collector(
        "fluent-bit",
        "daemonset/fluent-bit",
        "see why Fluent Bit does not deliver; SF410 and what follows it tell more, and SF721 whether the aggregator runs",
    )
}
