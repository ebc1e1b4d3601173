//! The verdict on a cluster, as plain data: what every output form is made from.

mod exit;

use crate::contract::{Severity, StepId};
use crate::evidence::{Unknown, Vantage};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::exit::{ExitCode, FailOn, exit_code};

/// The `apiVersion` of a report.
pub const REPORT_VERSION: &str = "verify.starform.io/v1";

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Seen, and as it should be.
    Pass,
    /// Seen; it works, and something about it should change.
    Warn,
    /// Seen, and broken.
    Fail,
    /// Could not be seen, or stands behind something that could not be seen.
    Unknown,
    /// Stands behind a fail.
    Blocked,
    /// Has no subject. Never counted as a pass.
    NotApplicable,
    /// An option would ask what it judges, and was not given. Never counted as a pass.
    NotAsked,
    /// A fail that the contract accepts until a day.
    Waived,
}

/// An object of the cluster that a verdict is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectReference {
    /// Kind.
    pub kind: String,
    /// Namespace, where the kind is namespaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
}

/// How to mend it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Fix {
    /// What to do, in a sentence.
    pub summary: String,
    /// What to type, in order, quoted for a POSIX shell. Empty where no command mends it.
    pub commands: Vec<String>,
    /// Whether something is changed by it; else one only looks.
    pub changes: bool,
    /// Whether the commands are typed in the root of a clone of the project: they name its files.
    pub in_clone: bool,
    /// What proves it, typed after the commands; ends with success once it is mended. `None` where one only looks, and of
    /// files.
    pub proof: Option<String>,
}

impl Fix {
    /// `fix`, or `look` where nothing is changed by it.
    #[must_use]
    pub fn label(&self) -> &'static str {
        if self.changes { "fix" } else { "look" }
    }

    /// What to do, and where it is typed.
    #[must_use]
    pub fn words(&self) -> String {
        let place = if self.in_clone {
            " (typed in the root of a clone of the repository)"
        } else {
            ""
        };
        format!("{}{place}", self.summary)
    }

    /// What is typed, what proves it last.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.commands.iter().chain(&self.proof).map(String::as_str)
    }
}

/// What one check came to, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckResult {
    /// `SF304`. Stable; never reused.
    pub code: String,
    /// `metrics-api-available`.
    pub slug: String,
    /// What is checked, as a sentence that holds when it passes.
    pub title: String,
    /// How bad a failure is.
    pub severity: Severity,
    /// Whether the cluster is not registered while it fails.
    pub gates: bool,
    /// The verdict.
    pub verdict: Verdict,
    /// What was observed.
    pub observed: String,
    /// What was expected; empty for a pass.
    pub expected: String,
    /// The objects concerned.
    pub objects: Vec<ObjectReference>,
    /// How to mend it: for a fail, a warning or an unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<Fix>,
    /// The check that this one stands behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind: Option<String>,
    /// Why it could not be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Value>")]
    pub unknown: Option<Unknown>,
    /// The option that would ask, for [`Verdict::NotAsked`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub option: Option<String>,
    /// Whether waiting cannot mend it.
    pub lasting: bool,
    /// The waiver that holds, for [`Verdict::Waived`], or that has expired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiver: Option<WaiverNote>,
}

/// A waiver as a report prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WaiverNote {
    /// Why it is accepted.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The last day on which it holds.
    pub expires: String,
    /// Whether that day is over: then the fail counts.
    pub expired: bool,
}

/// A step and its checks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepReport {
    /// Which.
    pub id: StepId,
    /// What it installs.
    pub title: String,
    /// The checks that were selected, in the contract's order. Empty: this step was not audited.
    pub checks: Vec<CheckResult>,
}

/// What was audited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// The directory, where values files were audited and no cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifests: Option<String>,
    /// The kubeconfig context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// UID of the namespace kube-system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// Kubernetes version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<String>,
    /// How many nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodes: Option<usize>,
    /// The nodes' region, where all agree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Where the collectors stood.
    #[schemars(with = "String")]
    pub vantage: Vantage,
}

/// How many checks came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Passed.
    pub pass: usize,
    /// Warned.
    pub warn: usize,
    /// Failed.
    pub fail: usize,
    /// Could not be seen.
    pub unknown: usize,
    /// Stand behind a fail.
    pub blocked: usize,
    /// Have no subject.
    pub not_applicable: usize,
    /// Were not asked: an option would.
    #[serde(default)]
    pub not_asked: usize,
    /// Failed and are waived.
    pub waived: usize,
}

/// The check that the answer is about, and its step. A code alone does not tell it: of files each step has a result of the
/// same check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FirstBroken {
    /// Code of the first check that failed, in the contract's order and before all that stands behind it; else of the first that could not be seen.
    #[serde(rename = "firstBroken")]
    pub code: String,
    /// The step that check belongs to.
    #[serde(rename = "firstBrokenStep")]
    pub step: StepId,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Whether every audited check was seen and none failed. What was not asked says nothing of it.
    pub conforms: bool,
    /// The answer in one line.
    pub answer: String,
    /// The check that the answer is about.
    #[serde(flatten)]
    pub first_broken: Option<FirstBroken>,
    /// How many checks came to what.
    pub counts: Counts,
    /// The steps of which no check was selected or asked: they are not known to conform.
    pub not_audited: Vec<StepId>,
    /// Codes of checks that were left out on request.
    pub ignored: Vec<String>,
}

/// When it was seen. The only part of a report that differs between two audits of an unchanged cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Times {
    /// The collecting machine's clock at the start.
    #[schemars(with = "String")]
    pub collected: Timestamp,
    /// The API server's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub server: Option<Timestamp>,
    /// How long the collection took, in milliseconds.
    pub took_ms: u64,
    /// Of an audit that waited: for how long, and for what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waited: Option<Waited>,
}

/// How `--wait` ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Waited {
    /// How long it took, in milliseconds: every look, and the time between.
    pub took_ms: u64,
    /// Why it ended, in words.
    pub ended: String,
    /// What was still waited for at its end. Empty where all is as it should be, and where no API server answered.
    pub waits_for: Vec<WaitsFor>,
}

/// A check that was waited for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WaitsFor {
    /// `SF303`.
    pub code: String,
    /// For how long it has been seen so, look after look, in milliseconds.
    pub for_ms: u64,
    /// What was observed last.
    pub observed: String,
}

/// An error of the tool itself, with what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ToolError {
    /// What was tried and what came back.
    pub message: String,
    /// Where: the API server's address, the context, the kubeconfig.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tried: Option<String>,
    /// What it means and what to do.
    pub hints: Vec<String>,
    /// Whether it is that the API server answers and lets the identity in use read nothing: then nothing is known of the
    /// cluster, and the tool ran.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forbidden: bool,
}

/// The verdict on a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Always [`REPORT_VERSION`].
    pub api_version: String,
    /// Always `Report`.
    pub kind: String,
    /// Version of the tool that judged.
    pub tool_version: String,
    /// Digest of the contract.
    pub contract: String,
    /// What was audited.
    pub subject: Subject,
    /// The answer.
    pub summary: Summary,
    /// Step by step. Where no API server answered, or none of it may be read, only what was seen all the same: why all else is
    /// unknown is said once, by `error`.
    pub steps: Vec<StepReport>,
    /// When.
    pub times: Times,
    /// Why there is no verdict, or only part of one: the tool could not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ToolError>,
}

// === impl Verdict ===

impl Verdict {
    /// The word for it, in a sentence.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warning",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::Blocked => "blocked",
            Self::NotApplicable => "not applicable",
            Self::NotAsked => "not asked",
            Self::Waived => "waived",
        }
    }
}

// === impl ToolError ===

impl ToolError {
    /// That of this message, with what to do about it.
    #[must_use]
    pub fn new(message: impl Into<String>, hints: Vec<String>) -> Self {
        Self {
            message: message.into(),
            tried: None,
            hints,
            forbidden: false,
        }
    }

    /// What stands beneath its message, each with its label: where was looked, then the hints.
    pub fn beneath(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let tried = self.tried.iter().map(|tried| ("tried", tried.as_str()));
        tried.chain(self.hints.iter().map(|hint| ("hint", hint.as_str())))
    }
}

// === impl Counts ===

impl Counts {
    /// Counts one more check.
    pub fn add(&mut self, verdict: Verdict) {
        *match verdict {
            Verdict::Pass => &mut self.pass,
            Verdict::Warn => &mut self.warn,
            Verdict::Fail => &mut self.fail,
            Verdict::Unknown => &mut self.unknown,
            Verdict::Blocked => &mut self.blocked,
            Verdict::NotApplicable => &mut self.not_applicable,
            Verdict::NotAsked => &mut self.not_asked,
            Verdict::Waived => &mut self.waived,
        } += 1;
    }
}

// === impl Summary ===

impl Summary {
    /// Code of the check that the answer is about.
    #[must_use]
    pub fn first_broken_code(&self) -> Option<&str> {
        self.first_broken.as_ref().map(|first| first.code.as_str())
    }
}

// === impl StepReport ===

impl StepReport {
    /// Whether anything of it was asked.
    #[must_use]
    pub(crate) fn is_audited(&self) -> bool {
        self.checks.iter().any(|check| check.verdict != Verdict::NotAsked)
    }
}

// === impl Report ===

impl Report {
    /// The options that were not given, each with the codes of the checks that it would ask for.
    #[must_use]
    pub fn not_asked(&self) -> Vec<(&str, Vec<&str>)> {
        let mut options: Vec<(&str, Vec<&str>)> = Vec::new();
        for check in self.checks() {
            let Some(option) = check.option.as_deref() else {
                continue;
            };
            match options.iter_mut().find(|(other, _)| *other == option) {
                Some((_, codes)) => codes.push(&check.code),
                None => options.push((option, vec![&check.code])),
            }
        }
        options
    }

    /// The check that the answer is about, and its step.
    #[must_use]
    pub fn first_broken(&self) -> Option<(&StepReport, &CheckResult)> {
        let first = self.summary.first_broken.as_ref()?;
        let step = self.steps.iter().find(|step| step.id == first.step)?;
        let check = step.checks.iter().find(|check| check.code == first.code)?;
        Some((step, check))
    }

    /// Whether the answer is about this check.
    #[must_use]
    pub fn is_first_broken(&self, check: &CheckResult) -> bool {
        self.first_broken().is_some_and(|(_, first)| std::ptr::eq(first, check))
    }

    /// Every check's result in the contract's order.
    pub fn checks(&self) -> impl Iterator<Item = &CheckResult> {
        self.steps.iter().flat_map(|step| &step.checks)
    }
}
