//! Whether the values are known to their charts, and keep the contract.

use super::Audit;
use super::finding::{Finding, all};
use crate::values_files::read::{Document, chart_keys};
use serde_json::{Value, json};
use starform_verify::contract::Release;
use starform_verify::evaluate::count;
use starform_verify::evaluate::value_terms::{self, Values};
use starform_verify::evaluate::{Advice, Outcome};

/// SF805.
pub(super) fn known(audit: Audit<'_>) -> Outcome {
    let (mut unknown, mut releases) = (Vec::new(), Vec::new());
    let mut total = 0;
    for (release, document) in audit.values() {
        let Some(keys) = chart_keys(release.chart_name()) else {
            return Outcome::undetermined(format!(
                "the keys of chart {} are not known to this version",
                release.chart_name()
            ))
            .expected("a chart that the embedded contract names");
        };
        document.each_key(&mut |path, line, _| {
            total += 1;
            let known = |path: &[String]| {
                let parameter = release.per_cluster && is_parameter(path);
                parameter || keys.knows(path.iter().map(String::as_str))
            };
            // What stands below a key that is told already says nothing new.
            let parent = path
                .split_last()
                .is_none_or(|(_, parent)| parent.is_empty() || known(parent));
            if parent && !known(path) {
                unknown.push(Finding::new(&release.values, Some(line), path.join(".")));
                releases.push(release);
            }
        });
    }
    if unknown.is_empty() {
        return Outcome::pass(count(total, "key"));
    }
    Outcome::fail(format!("no chart reads {}", all(&unknown)))
        .expected("keys of the chart: it passes over any other in silence")
        .objects(audit.places(&unknown))
        .fix(Advice::of_files(
            "compare with the chart's own values; a key may have moved, or be misspelt",
            commands(&releases),
        ))
}

/// SF806.
pub(super) fn keep_contract(audit: Audit<'_>) -> Outcome {
    let (mut broken, mut expected) = (Vec::new(), None);
    let mut total = 0;
    for (release, document) in audit.values() {
        let given = given(release, document);
        let paths = starform_verify::values::Paths::of(release);
        // A deserializer over a document in memory has nothing to fail at.
        let read = paths.read(&given).unwrap_or_else(|_| paths.nothing());
        // What is judged is what would be installed: the version that helmfile.yaml names.
        let planned = audit.helmfile.release(&release.name);
        let chart = planned
            .and_then(|planned| planned.version.as_deref())
            .unwrap_or(&release.version);
        let values = Values {
            release,
            chart,
            read: &read,
            labels: &audit.contract.labels,
        };
        total += release.value_terms.len();
        let terms = value_terms::broken(values).unwrap_or_default();
        for term in terms {
            expected.get_or_insert(term.expected);
            broken.push(Finding::new(&release.values, document.line_of(&term.at), term.observed));
        }
    }
    let Some(expected) = expected else {
        return Outcome::pass(count(total, "term"));
    };
    Outcome::fail(all(&broken))
        .expected(expected)
        .objects(audit.places(&broken))
        .fix(Advice::of_files(
            "write what the contract wants into the values file",
            Vec::new(),
        ))
}

/// What Helm would be given, with the parameters of some cluster.
fn given(release: &Release, document: &Document) -> Value {
    let mut given = document.json();
    if release.per_cluster {
        if !given.is_object() {
            given = json!({});
        }
        given["cluster"] = json!({"name": "CLUSTER_ID"});
        given["region"] = "REGION".into();
    }
    given
}

/// Whether a key is one that every release of step 4 is given for its cluster, whether or not its chart knows it.
fn is_parameter(path: &[String]) -> bool {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    matches!(
        path.as_slice(),
        ["region" | "stores", ..] | ["cluster"] | ["cluster", "name"]
    )
}

fn commands(releases: &[&Release]) -> Vec<String> {
    let mut commands: Vec<String> = releases
        .iter()
        .map(|release| {
            let show = ["helm", "show", "values"].map(str::to_owned).into_iter();
            shell_words::join(show.chain(release.chart_by_address()))
        })
        .collect();
    commands.dedup();
    commands
}
