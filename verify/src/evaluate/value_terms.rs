//! What the contract says of Helm values, judged alike for a release and for a values file.

use super::metrics::allowlist::{AllowList, PATTERNS_SINCE, Shown};
use crate::contract::{LabelKey, Must, Release, Scalar, ValueTerm, parse_version};
use crate::evidence::{HelmValue, ValueReading, ValueSeen};
use crate::values::IMAGE_TAG;
use semver::Version;

/// The last version that takes a pattern for an exact key; any such one would do.
const BEFORE_PATTERNS: Version = Version::new(2, 19, 1);

/// A term that is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Where: the path in words, with the numbers of items where they are known.
    pub at: String,
    /// What stands there: `mode is deployment`.
    pub observed: String,
    /// What should: `mode statefulSet: else the queue is lost with the pod`.
    pub expected: String,
}

/// A release's values, and what they are judged by.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a> {
    /// The release, as the contract has it.
    pub release: &'a Release,
    /// The version of the chart that they are given to.
    pub chart: &'a str,
    /// What was read along the contract's paths.
    pub read: &'a [HelmValue],
    /// The labels that pods are to carry.
    pub labels: &'a [LabelKey],
}

/// The terms that are not kept.
///
/// # Errors
/// A path that was not read: the values were read under another contract.
pub fn broken(values: Values<'_>) -> Result<Vec<Broken>, String> {
    let mut broken = Vec::new();
    for term in &values.release.value_terms {
        let value = values.at(&term.path).ok_or_else(|| term.place())?;
        if let Some((at, observed)) = judge(values, term, value)? {
            broken.push(Broken {
                at,
                observed,
                expected: format!("{}: else {}", expected(term, values.labels), term.why),
            });
        }
    }
    // Two terms of one path say the same of it when it is missing.
    broken.dedup_by(|a, b| a.observed == b.observed);
    Ok(broken)
}

/// Where something is wrong with a value and what, if anything is.
fn judge(values: Values<'_>, term: &ValueTerm, value: &HelmValue) -> Result<Option<(String, String)>, String> {
    let whole = |observed: String| (term.place(), observed);
    let words = |found: bool| -> Result<Vec<&str>, String> {
        let known = term.must.words().iter().map(|word| {
            let seen = value.words.get(word).ok_or_else(|| term.place())?;
            Ok((word.as_str(), *seen))
        });
        let known = known.collect::<Result<Vec<_>, String>>()?;
        Ok(known
            .into_iter()
            .filter(|(_, seen)| *seen == found)
            .map(|(word, _)| word)
            .collect())
    };
    Ok(match &term.must {
        Must::Equal(wanted) => {
            let differs = value
                .readings
                .iter()
                .find(|reading| !equals(reading, wanted, term.default.as_ref()));
            differs.map(|reading| (reading.at.clone(), said(reading, term.default.as_ref())))
        }
        Must::EqualOnce(wanted) => {
            let once = value
                .readings
                .iter()
                .any(|reading| equals(reading, wanted, term.default.as_ref()));
            (!once).then(|| whole(format!("{} is nowhere {wanted}", term.place())))
        }
        Must::BeSet => value
            .readings
            .iter()
            .find(|reading| is_unset(reading))
            .map(|reading| (reading.at.clone(), said(reading, None))),
        // What stands there is not said: it may be a password.
        Must::BeUnset => {
            let set = value.readings.iter().find(|reading| !is_unset(reading));
            set.map(|reading| (reading.at.clone(), format!("{} is set", reading.at)))
        }
        Must::Contain(_) => {
            let lacking = words(false)?;
            (!lacking.is_empty()).then(|| whole(format!("{} does not have {}", term.place(), lacking.join(", "))))
        }
        Must::Lack(_) => {
            let found = words(true)?;
            (!found.is_empty()).then(|| whole(format!("{} has {}", term.place(), found.join(", "))))
        }
        Must::ShowLabels { patterns_since } => {
            let program = values.program(patterns_since);
            unshown(value, values.labels, &program).map(|problem| whole(format!("{} {problem}", term.place())))
        }
    })
}

/// Why an allow-list does not show every label, if it does not.
fn unshown(value: &HelmValue, labels: &[LabelKey], program: &Version) -> Option<String> {
    let texts = value.readings.iter().filter_map(|reading| match &reading.value {
        ValueSeen::Scalar(Scalar::Text(text)) => Some(text.as_str()),
        _ => None,
    });
    // As the chart joins them.
    let list = texts.collect::<Vec<_>>().join(",");
    if list.is_empty() {
        return Some("is not set".to_owned());
    }
    let parsed = match AllowList::parse(&list) {
        Ok(parsed) => parsed,
        Err(problem) => return Some(format!("stops kube-state-metrics at start: {problem}")),
    };
    if let Some(pattern) = parsed.over_wildcarded().filter(|_| *program >= PATTERNS_SINCE) {
        return Some(format!(
            "stops kube-state-metrics at start: {pattern} has two wildcards"
        ));
    }
    let pods = parsed.pods();
    let shown: Vec<(&LabelKey, Shown)> = labels.iter().map(|label| (label, pods.shows(label, program))).collect();
    if shown.iter().any(|(_, shown)| *shown == Shown::ByPatternFrom2_20) {
        return Some(format!(
            "has a pattern, which matches nothing before kube-state-metrics {PATTERNS_SINCE}"
        ));
    }
    let hidden = shown.iter().filter(|(_, shown)| *shown == Shown::Not);
    let hidden: Vec<&str> = hidden.map(|(label, _)| label.as_str()).collect();
    (!hidden.is_empty()).then(|| format!("does not show {}", hidden.join(", ")))
}

fn equals(reading: &ValueReading, wanted: &Scalar, default: Option<&Scalar>) -> bool {
    match &reading.value {
        ValueSeen::Scalar(found) => found == wanted,
        ValueSeen::Missing => default == Some(wanted),
        _ => false,
    }
}

fn is_unset(reading: &ValueReading) -> bool {
    matches!(reading.value, ValueSeen::Missing | ValueSeen::Null | ValueSeen::Empty)
}

/// What stands at a place, in words.
fn said(reading: &ValueReading, default: Option<&Scalar>) -> String {
    let at = &reading.at;
    match (&reading.value, default) {
        (ValueSeen::Scalar(found), _) => format!("{at} is {found}"),
        (ValueSeen::Missing, Some(default)) => format!("{at} is not set, which is {default}"),
        (ValueSeen::Missing, None) => format!("{at} is not set"),
        (ValueSeen::Null, _) => format!("{at} is null"),
        (ValueSeen::Empty, _) => format!("{at} is empty"),
        (ValueSeen::Hidden, _) => format!("{at} is something else"),
        (ValueSeen::List, _) => format!("{at} is a list"),
        (ValueSeen::Map, _) => format!("{at} is a map"),
    }
}

fn expected(term: &ValueTerm, labels: &[LabelKey]) -> String {
    let place = term.place();
    match &term.must {
        Must::Equal(wanted) | Must::EqualOnce(wanted) => format!("{place} {wanted}"),
        Must::BeSet => format!("{place} set"),
        Must::BeUnset => format!("no {place}"),
        Must::Contain(words) => format!("{place} with {}", words.join(", ")),
        Must::Lack(words) => format!("{place} without {}", words.join(", ")),
        Must::ShowLabels { .. } => {
            let labels: Vec<&str> = labels.iter().map(LabelKey::as_str).collect();
            format!("{place} with pods=[{}]", labels.join(","))
        }
    }
}

// === impl Values ===

impl Values<'_> {
    fn at(&self, path: &[String]) -> Option<&HelmValue> {
        self.read.iter().find(|value| value.path == path)
    }

    /// The version of kube-state-metrics: its image's tag where one is given, else what the chart brings.
    fn program(&self, patterns_since: &Version) -> Version {
        let tag = self.read.iter().find(|value| value.path == IMAGE_TAG);
        let tag = tag.and_then(|value| match &value.readings.first()?.value {
            ValueSeen::Scalar(Scalar::Text(tag)) => parse_version(tag),
            _ => None,
        });
        let knows_patterns = || parse_version(self.chart).is_some_and(|chart| chart >= *patterns_since);
        tag.unwrap_or_else(|| {
            if knows_patterns() {
                PATTERNS_SINCE
            } else {
                BEFORE_PATTERNS
            }
        })
    }
}
