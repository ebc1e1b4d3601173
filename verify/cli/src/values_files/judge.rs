//! Judges values files before anything is installed: the same report as of a cluster, of checks of its own. Each step that
//! has Helm releases gets a result of each check, about its own releases. None is waived: a file is mended instead.

mod credentials;
mod files;
mod finding;
mod helmfile;
mod values;

use super::read::{Document, FileRead, HELMFILE, Manifests};
use starform_verify::contract::{Contract, Release, Severity, Step};
use starform_verify::evaluate::{Outcome, report_of_files};
use starform_verify::report::{CheckResult, ObjectReference, Report, StepReport, Times, Verdict};

use self::helmfile::Helmfile;

/// A check of files.
#[derive(Debug)]
pub struct ManifestCheck {
    /// `SF801`. Stable; never reused.
    pub code: &'static str,
    /// `values-keep-contract`.
    pub slug: &'static str,
    /// The property, as a sentence that holds when it passes.
    pub title: &'static str,
    /// How bad a failure is.
    pub severity: Severity,
    /// What, why, an example, how to fix: the page that `explain` prints.
    pub page: &'static str,
    judge: fn(Audit<'_>) -> Outcome,
}

/// One step under judgement.
#[derive(Clone, Copy)]
struct Audit<'a> {
    contract: &'a Contract,
    manifests: &'a Manifests,
    step: &'a Step,
    helmfile: &'a Helmfile,
}

macro_rules! check {
    ($code:literal $slug:literal, $title:literal, $severity:ident, $judge:path) => {
        ManifestCheck {
            code: $code,
            slug: $slug,
            title: $title,
            severity: Severity::$severity,
            page: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../checks/", $code, ".md")),
            judge: $judge,
        }
    };
}

/// Every check of files, in order. All but the first stand behind it.
#[rustfmt::skip]
pub static MANIFEST_CHECKS: &[ManifestCheck] = &[
    check!("SF801" "manifests-readable", "helmfile.yaml and the values files are there and are YAML", Critical, files::readable),
    check!("SF802" "helmfile-in-order", "helmfile.yaml installs the contract's releases in its order, with its gates", High, helmfile::in_order),
    check!("SF803" "helmfile-versions", "helmfile.yaml pins the contract's charts and versions", High, helmfile::versions),
    check!("SF804" "helmfile-values", "helmfile.yaml gives each release its values file, its region and its cluster's ID", High, helmfile::values),
    check!("SF805" "values-known", "the values have no key that the chart does not know", High, values::known),
    check!("SF806" "values-keep-contract", "the values keep the contract", High, values::keep_contract),
    check!("SF807" "no-credential-in-values", "no credential stands in a value", Critical, credentials::none),
    check!("SF808" "regions-complete", "each region's file names its stores", High, files::regions),
];

/// The check of files of that code or slug, in any case.
#[must_use]
pub fn manifest_check(name: &str) -> Option<&'static ManifestCheck> {
    let mut checks = MANIFEST_CHECKS.iter();
    checks.find(|check| check.code.eq_ignore_ascii_case(name) || check.slug.eq_ignore_ascii_case(name))
}

/// Judges what lies in a directory.
#[must_use]
pub fn evaluate_manifests(contract: &Contract, manifests: &Manifests) -> Report {
    let helmfile = manifests.document(HELMFILE).map(Helmfile::of).unwrap_or_default();
    let steps: Vec<StepReport> = contract
        .steps
        .iter()
        .map(|step| {
            let audit = Audit {
                contract,
                manifests,
                step,
                helmfile: &helmfile,
            };
            StepReport {
                id: step.id,
                title: step.title.clone(),
                checks: if step.releases.is_empty() {
                    Vec::new()
                } else {
                    results(audit)
                },
            }
        })
        .collect();
    let times = Times {
        collected: manifests.collected,
        server: None,
        took_ms: manifests.took_ms,
        waited: None,
    };
    report_of_files(contract, &manifests.directory, steps, times)
}

fn results(audit: Audit<'_>) -> Vec<CheckResult> {
    let mut results: Vec<CheckResult> = Vec::new();
    for check in MANIFEST_CHECKS {
        let first = results.first().filter(|first| first.verdict == Verdict::Fail);
        let outcome = match first {
            None => (check.judge)(audit),
            Some(first) => Outcome::blocked(&first.code),
        };
        let behind = first.map(|first| first.code.clone());
        let result = outcome.into_result(check.code, check.slug, check.title, check.severity, false);
        results.push(CheckResult {
            behind,
            // Files do not change by waiting.
            lasting: result.verdict != Verdict::Pass,
            ..result
        });
    }
    results
}

// === impl Audit ===

impl<'a> Audit<'a> {
    /// The releases of the step whose values could be read.
    fn values(self) -> impl Iterator<Item = (&'a Release, &'a Document)> {
        let releases = self.step.releases.iter();
        releases.filter_map(move |release| Some((release, self.manifests.document(&release.values)?)))
    }

    /// A file of the directory, as reports name it.
    fn file(self, name: &str, line: Option<u64>) -> ObjectReference {
        let directory = self.manifests.directory.trim_end_matches('/');
        let line = line.map(|line| format!(":{line}")).unwrap_or_default();
        ObjectReference {
            kind: "file".to_owned(),
            namespace: None,
            name: format!("{directory}/{name}{line}"),
        }
    }
}

// === impl Manifests ===

impl Manifests {
    fn document(&self, name: &str) -> Option<&Document> {
        match self.files.get(name)? {
            FileRead::Read(document) => Some(document),
            _ => None,
        }
    }
}
