//! What an audit was asked for: evidence carries it, so that judging it again gives the report that was given.

use crate::step::StepId;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What was asked for; everything empty asks for all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SelectionRequest {
    /// Only these steps.
    pub steps: Vec<StepId>,
    /// Only these checks, by code or slug.
    pub checks: Vec<String>,
    /// Not these.
    pub ignored_checks: Vec<String>,
    /// Only these groups.
    pub groups: Vec<String>,
    /// Not these.
    pub ignored_groups: Vec<String>,
}

/// What evidence was recorded with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedSelection {
    /// Which checks.
    #[serde(flatten)]
    pub request: SelectionRequest,
    /// Whether Starbase was to be asked.
    pub starbase: bool,
    /// Whether the region's stores were to be asked.
    pub stores: bool,
    /// Whether Terraform's word was given.
    pub terraform: bool,
}

// === impl SelectionRequest ===

impl fmt::Display for SelectionRequest {
    /// As it is typed: `--step 3 --check SF304`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = self.steps.iter().map(|step| step.as_str().to_owned()).collect();
        let options = [
            ("--step", &steps),
            ("--check", &self.checks),
            ("--ignore-check", &self.ignored_checks),
            ("--group", &self.groups),
            ("--ignore-group", &self.ignored_groups),
        ];
        let typed: Vec<String> = (options.into_iter())
            .filter(|(_, values)| !values.is_empty())
            .map(|(option, values): (_, &Vec<String>)| format!("{option} {}", values.join(",")))
            .collect();
        f.write_str(&typed.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_as_it_is_typed() {
        let request = SelectionRequest {
            steps: vec![StepId::One, StepId::Region],
            ignored_groups: vec!["helm".to_owned()],
            ..SelectionRequest::default()
        };
        assert_eq!(request.to_string(), "--step 1,region --ignore-group helm");
        assert_ne!(request, SelectionRequest::default());
    }
}
