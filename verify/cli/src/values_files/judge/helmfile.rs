//! Whether `helmfile.yaml` does what the contract says.

use super::Audit;
use super::finding::{Finding, all};
use crate::values_files::read::{Document, HELMFILE};
use serde::Deserialize;
use starform_verify::contract::Release;
use starform_verify::evaluate::count;
use starform_verify::evaluate::{Advice, Outcome};

/// What is read of it. What is not there is told where it is needed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Helmfile {
    repositories: Vec<Repository>,
    releases: Vec<Planned>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Repository {
    name: String,
    url: String,
}

/// A release as it is planned.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Planned {
    name: String,
    namespace: String,
    chart: String,
    pub(super) version: Option<String>,
    needs: Vec<String>,
    values: Vec<serde_json::Value>,
    values_template: Vec<serde_json::Value>,
    hooks: Vec<Hook>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Hook {
    command: String,
    args: Vec<String>,
}

/// SF802.
pub(super) fn in_order(audit: Audit<'_>) -> Outcome {
    let mut wrong = Vec::new();
    let all: Vec<&Release> = audit.contract.steps.iter().flat_map(|step| &step.releases).collect();
    for release in &audit.step.releases {
        let Some(position) = audit.helmfile.position(release) else {
            wrong.push(audit.of_helmfile(
                "releases",
                format!("{} is not installed into {}", release.name, release.namespace),
            ));
            continue;
        };
        let before = all.iter().take_while(|other| other.name != release.name);
        let known: Vec<(usize, &Release)> = before
            .filter_map(|other| Some((audit.helmfile.position(other)?, *other)))
            .collect();
        if let Some((_, other)) = known.iter().find(|(other, _)| *other > position) {
            wrong.push(audit.of_release(release, "", format!("{} stands before {}", release.name, other.name)));
        }
        // Without `needs` Helmfile installs side by side.
        if let Some((other_position, other)) = known.last()
            && !audit.helmfile.needs(position, *other_position)
        {
            wrong.push(audit.of_release(
                release,
                ".needs",
                format!("{} does not need {}/{}", release.name, other.namespace, other.name),
            ));
        }
    }
    wrong.extend(missing_gate(audit));
    judged(
        audit,
        &wrong,
        "the contract's releases in its order, each needing the one before it, and a gate behind each step",
        || format!("{} in order", count(audit.step.releases.len(), "release")),
    )
}

/// The gate of a step that no hook has.
fn missing_gate(audit: Audit<'_>) -> Option<Finding<'_>> {
    let gate = &audit.step.gate;
    let steps: Vec<&str> = gate.iter().map(|step| step.as_str()).collect();
    let steps = steps.join(",");
    let mut hooks = audit.helmfile.releases.iter().flat_map(|release| &release.hooks);
    let is_gate = |hook: &Hook| {
        let asks = hook.args.windows(2).any(|pair| pair[0] == "--step" && pair[1] == steps);
        hook.command == "starform-verify" && asks && hook.args.iter().any(|arg| arg == "--wait")
    };
    let missing = !gate.is_empty() && !hooks.any(is_gate);
    missing.then(|| {
        Finding::new(
            HELMFILE,
            None,
            format!("no hook runs `starform-verify --step {steps} --wait`"),
        )
    })
}

/// SF803.
pub(super) fn versions(audit: Audit<'_>) -> Outcome {
    let mut wrong = Vec::new();
    for (release, planned) in audit.planned() {
        if planned.chart != release.chart {
            wrong.push(audit.of_release(
                release,
                ".chart",
                format!("{} is of chart {}", release.name, planned.chart),
            ));
        }
        match planned.version.as_deref() {
            None => wrong.push(audit.of_release(release, "", format!("{} has no version", release.name))),
            Some(version) if version != release.version => {
                let what = format!("{} is of version {version}", release.name);
                wrong.push(audit.of_release(release, ".version", what));
            }
            Some(_) => {}
        }
        if let (Some(url), Some((alias, _))) = (&release.repository, release.chart.split_once('/')) {
            let mut repositories = audit.helmfile.repositories.iter().enumerate();
            let known = repositories.find(|(_, repository)| repository.name == alias);
            if known.is_none_or(|(_, repository)| repository.url.trim_end_matches('/') != url.trim_end_matches('/')) {
                let place = known.map(|(position, _)| format!("repositories[{position}].url"));
                let place = place.as_deref().unwrap_or("repositories");
                wrong.push(audit.of_helmfile(place, format!("repository {alias} is not {url}")));
            }
        }
    }
    let expected: Vec<String> = audit
        .step
        .releases
        .iter()
        .map(|release| format!("{} {}", release.chart, release.version))
        .collect();
    judged(audit, &wrong, &expected.join(", "), || expected.join(", "))
}

/// SF804.
pub(super) fn values(audit: Audit<'_>) -> Outcome {
    let mut wrong = Vec::new();
    for (release, planned) in audit.planned() {
        let files: Vec<&str> = planned.values.iter().filter_map(serde_json::Value::as_str).collect();
        if files.first() != Some(&release.values.as_str()) {
            let what = format!("{} does not take {} first", release.name, release.values);
            wrong.push(audit.of_release(release, ".values", what));
        }
        let takes_region = files.iter().skip(1).any(|file| file.starts_with("regions/"));
        let others = planned.values.iter().chain(&planned.values_template);
        let names_cluster = others
            .filter_map(|values| values.pointer("/cluster/name"))
            .any(serde_json::Value::is_string);
        let problem = match (release.per_cluster, takes_region, names_cluster) {
            (true, false, _) => "takes no file of regions/",
            (true, true, false) => "is not told cluster.name as a string",
            (false, true, _) => "takes a region",
            _ => continue,
        };
        wrong.push(audit.of_release(release, ".values", format!("{} {problem}", release.name)));
    }
    judged(
        audit,
        &wrong,
        "the values file that the contract names; of step 4 the region's, and cluster.name",
        || {
            let files: Vec<&str> = audit
                .step
                .releases
                .iter()
                .map(|release| release.values.as_str())
                .collect();
            files.join(", ")
        },
    )
}

fn judged(audit: Audit<'_>, wrong: &[Finding<'_>], expected: &str, pass: impl FnOnce() -> String) -> Outcome {
    if wrong.is_empty() {
        return Outcome::pass(pass());
    }
    Outcome::fail(all(wrong))
        .expected(expected)
        .objects(audit.places(wrong))
        .fix(Advice::of_files(
            "the contract's own sequence, to compare with",
            vec!["starform-verify plan --cluster-id CLUSTER_ID --region REGION".to_owned()],
        ))
}

// === impl Helmfile ===

impl Helmfile {
    /// Of another form it has no releases, which SF802 tells.
    pub(super) fn of(document: &Document) -> Self {
        serde_json::from_value(document.json()).unwrap_or_default()
    }

    pub(super) fn release(&self, name: &str) -> Option<&Planned> {
        self.releases.iter().find(|planned| planned.name == name)
    }

    fn position(&self, release: &Release) -> Option<usize> {
        let is_it = |planned: &Planned| planned.name == release.name && planned.namespace == release.namespace;
        self.releases.iter().position(is_it)
    }

    /// Whether one waits for another, directly or through others.
    fn needs(&self, position: usize, other: usize) -> bool {
        let mut open = vec![position];
        let mut seen = vec![false; self.releases.len()];
        while let Some(at) = open.pop() {
            let Some(planned) = self
                .releases
                .get(at)
                .filter(|_| !std::mem::replace(&mut seen[at], true))
            else {
                continue;
            };
            for needed in &planned.needs {
                let is_it = |planned: &Planned| *needed == format!("{}/{}", planned.namespace, planned.name);
                if let Some(found) = self.releases.iter().position(is_it) {
                    if found == other {
                        return true;
                    }
                    open.push(found);
                }
            }
        }
        false
    }
}

// === impl Audit ===

impl<'a> Audit<'a> {
    /// What is wrong at a place of `helmfile.yaml`.
    fn of_helmfile(self, place: &str, what: String) -> Finding<'a> {
        let document = self.manifests.document(HELMFILE);
        Finding::new(HELMFILE, document.and_then(|document| document.line_of(place)), what)
    }

    /// What is wrong with a release in it, at a place below.
    fn of_release(self, release: &Release, below: &str, what: String) -> Finding<'a> {
        let mut planned = self.helmfile.releases.iter();
        let position = planned
            .position(|planned| planned.name == release.name)
            .unwrap_or_default();
        self.of_helmfile(&format!("releases[{position}]{below}"), what)
    }

    /// The releases of the step that are planned.
    fn planned(self) -> impl Iterator<Item = (&'a Release, &'a Planned)> {
        let releases = self.step.releases.iter();
        releases.filter_map(move |release| Some((release, self.helmfile.release(&release.name)?)))
    }
}
