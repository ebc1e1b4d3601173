//! The pages that explain checks: one each, a list, and all of them as `CHECKS.md`.

use super::{Screen, text};
use crate::values_files::{MANIFEST_CHECKS, ManifestCheck};
use starform_verify::contract::{Contract, StepId};
use starform_verify::evaluate::{CHECKS, Check, CheckVantage};
use starform_verify::report::CheckResult;
use std::fmt::Write;

const PREFACE: &str = "\
# Checks

What `starform-verify` judges, step by step: what each check means, why it stands there, what a report of its failure
looks like, and how to mend it. `starform-verify explain CODE` prints one page, `explain --markdown` this book.

This book is made from `checks/`, one file a check: change those. A code is never reused. A check that *requires* another
is `blocked` while that one fails, and `unknown` while that one cannot be seen. A *gating* check keeps Shuttle from
registering the cluster.
";

const MANIFESTS: &str = "Values files, before anything is installed";

/// The page of a check.
#[must_use]
pub(crate) fn page(check: &Check, contract: &Contract) -> String {
    format!(
        "# {} {}\n\n{}\n\n{}",
        check.code,
        check.slug,
        facts(check, contract),
        shown(check.page)
    )
}

/// The page of a check of files.
#[must_use]
pub(crate) fn manifest_page(check: &ManifestCheck) -> String {
    format!(
        "# {} {}\n\n{}\n\n{}",
        check.code,
        check.slug,
        manifest_facts(check),
        shown(check.page)
    )
}

/// One line for each check.
#[must_use]
pub(crate) fn list(contract: &Contract) -> String {
    let slugs = CHECKS
        .iter()
        .map(|check| check.slug)
        .chain(MANIFEST_CHECKS.iter().map(|check| check.slug));
    let longest = slugs.map(str::len).max().unwrap_or_default();
    let mut out = String::new();
    for (step, title) in steps(contract) {
        let _ = writeln!(out, "Step {step}  {title}");
        for check in CHECKS.iter().filter(|check| check.step == step) {
            let _ = writeln!(out, "  {}  {:longest$}  {}", check.code, check.slug, check.title);
        }
    }
    let _ = writeln!(out, "{MANIFESTS}");
    for check in MANIFEST_CHECKS {
        let _ = writeln!(out, "  {}  {:longest$}  {}", check.code, check.slug, check.title);
    }
    out
}

/// Every page.
#[must_use]
pub fn book(contract: &Contract) -> String {
    let mut out = PREFACE.to_owned();
    for (step, title) in steps(contract) {
        let _ = write!(out, "\n## Step {step}: {title}\n");
        for check in CHECKS.iter().filter(|check| check.step == step) {
            let facts = facts(check, contract);
            let demoted = demoted(check.page);
            let _ = write!(out, "\n### {} {}\n\n{facts}\n\n{demoted}", check.code, check.slug);
        }
    }
    let _ = write!(out, "\n## {MANIFESTS}\n");
    for check in MANIFEST_CHECKS {
        let facts = manifest_facts(check);
        let demoted = demoted(check.page);
        let _ = write!(out, "\n### {} {}\n\n{facts}\n\n{demoted}", check.code, check.slug);
    }
    out
}

/// The example on the page of a check: what is printed of it, but for how to mend it, which has a part of the page.
#[must_use]
pub fn example(check: &CheckResult) -> String {
    let screen = Screen {
        width: 100,
        unicode: true,
    };
    let check = CheckResult {
        fix: None,
        ..check.clone()
    };
    let text = anstream::adapter::strip_str(&text::check(&check, screen)).to_string();
    let lines = text.split_inclusive('\n');
    lines.map(|line| line.strip_prefix("  ").unwrap_or(line)).collect()
}

/// A page whose headings stand below the check's own.
fn demoted(page: &str) -> String {
    format!("\n{}", shown(page))
        .replace("\n## ", "\n#### ")
        .trim_start()
        .to_owned()
}

/// A page without the comment that says from which case its example is made.
fn shown(page: &str) -> String {
    let lines = page.split_inclusive('\n');
    lines.filter(|line| !line.starts_with("<!-- example: ")).collect()
}

/// The steps that have checks.
fn steps(contract: &Contract) -> impl Iterator<Item = (StepId, &str)> {
    contract
        .steps
        .iter()
        .filter(|step| CHECKS.iter().any(|check| check.step == step.id))
        .map(|step| (step.id, step.title.as_str()))
}

fn facts(check: &Check, contract: &Contract) -> String {
    let mut facts = vec![format!("step {}", check.step)];
    if let Some(terms) = contract.check(check.code) {
        facts.push(format!("severity {}", terms.severity.as_str()));
        if terms.gates {
            facts.push("gates registration".to_owned());
        }
    }
    match check.vantage {
        CheckVantage::Outside => facts.push("provable only from outside the cluster".to_owned()),
        CheckVantage::Both => {}
    }
    if !check.requires.is_empty() {
        facts.push(format!("requires {}", check.requires.join(" and ")));
    }
    format!("{}: {}.", sentence(check.title), facts.join(", "))
}

fn manifest_facts(check: &ManifestCheck) -> String {
    let title = sentence(check.title);
    format!(
        "{title}: `starform-verify manifests`, severity {}.",
        check.severity.as_str()
    )
}

/// A title as the beginning of a sentence.
fn sentence(title: &str) -> String {
    let mut title = title.to_owned();
    if let Some(first) = title.get(..1) {
        let upper = first.to_uppercase();
        // A name such as kube-state-metrics keeps its small letter.
        if !["kube-", "metrics-", "helmfile."]
            .iter()
            .any(|name| title.starts_with(name))
        {
            title.replace_range(..1, &upper);
        }
    }
    title
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_has_a_whole_page() {
        let book = book(&Contract::embedded().unwrap());
        let pages = CHECKS.iter().map(|check| (check.code, check.slug, check.page));
        let pages = pages.chain(MANIFEST_CHECKS.iter().map(|check| (check.code, check.slug, check.page)));
        for (code, slug, page) in pages {
            // What stands in a code block is no heading.
            let prose = page.split("```").step_by(2).flat_map(str::lines);
            let headings: Vec<&str> = prose.filter(|line| line.starts_with('#')).collect();
            assert_eq!(headings, ["## What", "## Why", "## Example", "## How to fix"], "{code}");
            assert!(book.contains(&format!("### {code} {slug}")), "{code}");
            assert!(page.ends_with('\n'), "{code}");
        }
        assert!(
            !book.contains("<!--"),
            "which case an example is made from is for who writes it"
        );
    }

    #[test]
    fn no_page_advises_to_weaken_security() {
        for check in CHECKS {
            let (_, fix) = check.page.split_once("## How to fix").unwrap();
            let commands = fix.split("```").skip(1).step_by(2);
            for command in commands {
                for weak in [
                    "--kubelet-insecure-tls",
                    "insecure-skip-tls",
                    "cluster-admin",
                    "privileged",
                ] {
                    assert!(!command.contains(weak), "{} advises {weak}", check.code);
                }
            }
        }
    }
}
