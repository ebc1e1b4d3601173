//! A report as Starbase gets it: the auditor's own JSON, cut down where it would be too large.

use super::answer::line;
use super::wire::REPORT_BOUND;
use serde_json::{Map, Value, json};
use starform_verify::report::Report;

/// How far a report is cut, least first. What stays always: the answer, the counts, the first broken check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// Everything stays.
    Nothing,
    /// Of a check that needs nobody's attention stay code, verdict, and whether it gates.
    Passing,
    /// Texts are shortened, and objects and fixes left out.
    Texts,
    /// Only the gating checks and the first broken one stay, and of the gating ones the verdicts.
    NotGating,
    /// Only the first broken check stays.
    Checks,
}

const CUTS: [Cut; 5] = [Cut::Nothing, Cut::Passing, Cut::Texts, Cut::NotGating, Cut::Checks];
/// How many bytes a text keeps once texts are cut.
const TEXT_BOUND: usize = 200;
/// Clocks that differ by less are the same: an answer takes its time, and `Date` has whole seconds.
const CLOCK_TOLERANCE_SECONDS: i64 = 60;

/// The report as JSON of at most [`REPORT_BOUND`] bytes. `cut` in it says what was left out.
pub(super) fn cut(report: &Report) -> Value {
    let first_broken = report.summary.first_broken_code();
    for level in CUTS {
        let candidate = shape(report, first_broken, level);
        if candidate.to_string().len() <= REPORT_BOUND {
            return candidate;
        }
    }
    // `Cut::Checks` is bounded field by field; it always fits.
    Value::Null
}

/// How far this machine's clock is from the API server's, in words, where that is far.
pub(super) fn clock_skew(report: &Report) -> Option<String> {
    let server = report.times.server?;
    let own = report.times.collected;
    let skew = own.duration_since(server);
    if skew.as_secs().abs() < CLOCK_TOLERANCE_SECONDS {
        return None;
    }
    let side = if skew.is_positive() { "ahead of" } else { "behind" };
    Some(format!(
        "this node's clock is {:#} {side} the API server's: set it right first",
        skew.abs()
    ))
}

fn shape(report: &Report, first_broken: Option<&str>, level: Cut) -> Value {
    let mut value = match level {
        Cut::Checks => smallest(report),
        _ => serde_json::to_value(report).unwrap_or_default(),
    };
    if let Some(steps) = value.get_mut("steps").and_then(Value::as_array_mut) {
        for step in steps {
            if let Some(checks) = step.get_mut("checks").and_then(Value::as_array_mut) {
                checks.retain(|check| level != Cut::NotGating || stays(check, first_broken));
                for check in checks {
                    shorten(check, first_broken, level);
                }
            }
        }
    }
    if let (true, Some(object)) = (level != Cut::Nothing, value.as_object_mut()) {
        object.insert("cut".to_owned(), json!(level.word()));
    }
    value
}

fn stays(check: &Value, first_broken: Option<&str>) -> bool {
    check["gates"] == true || check["code"].as_str() == first_broken
}

fn shorten(check: &mut Value, first_broken: Option<&str>, level: Cut) {
    let first = check["code"].as_str() == first_broken;
    let passes = matches!(check["verdict"].as_str(), Some("pass" | "not-applicable"));
    let bare = match level {
        Cut::Nothing | Cut::Checks => false,
        Cut::Passing | Cut::Texts => passes,
        Cut::NotGating => !first,
    };
    let Some(object) = check.as_object_mut() else { return };
    if bare {
        object.retain(|key, _| matches!(key.as_str(), "code" | "verdict" | "gates"));
    } else if matches!(level, Cut::Texts | Cut::NotGating) {
        object.retain(|key, _| !matches!(key.as_str(), "objects" | "fix"));
        bound_texts(object);
    }
}

/// The answer, the counts and the first broken check, every text bounded.
fn smallest(report: &Report) -> Value {
    let mut summary = serde_json::to_value(&report.summary).unwrap_or_default();
    if let Some(summary) = summary.as_object_mut() {
        summary.remove("ignored");
        bound_texts(summary);
    }
    let steps: Vec<Value> = (report.first_broken().into_iter())
        .map(|(step, check)| {
            let mut row = json!({
                "code": check.code, "slug": check.slug, "title": check.title, "gates": check.gates,
                "verdict": check.verdict, "severity": check.severity,
                "observed": check.observed, "expected": check.expected,
            });
            row.as_object_mut().map(bound_texts);
            json!({ "id": step.id, "title": line(&step.title, TEXT_BOUND), "checks": [row] })
        })
        .collect();
    json!({
        "apiVersion": report.api_version, "kind": report.kind,
        "toolVersion": line(&report.tool_version, TEXT_BOUND), "contract": line(&report.contract, TEXT_BOUND),
        "summary": summary, "steps": steps, "times": report.times,
    })
}

fn bound_texts(object: &mut Map<String, Value>) {
    for value in object.values_mut() {
        if let Value::String(text) = value {
            *text = line(text, TEXT_BOUND);
        }
    }
}

// === impl Cut ===

impl Cut {
    fn word(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Passing => "passing",
            Self::Texts => "texts",
            Self::NotGating => "not-gating",
            Self::Checks => "checks",
        }
    }
}

#[cfg(test)]
mod tests;
