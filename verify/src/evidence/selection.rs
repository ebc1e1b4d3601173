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
    /// By what the command line named them, and the contract.
    #[serde(default, skip_serializing_if = "Named::is_nothing")]
    pub named: Named,
}

/// What a command line named beside the cluster, so that a printed command names it too. The token itself is none of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Named {
    /// The file of the contract.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contract: Option<String>,
    /// Starbase's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starbase: Option<String>,
    /// The file that its token is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_file: Option<String>,
    /// The file of the authorities that sign its certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starbase_ca: Option<String>,
    /// The file that names the region's stores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stores: Option<String>,
    /// The file of Terraform's word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terraform: Option<String>,
}

// === impl Named ===

impl Named {
    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
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
