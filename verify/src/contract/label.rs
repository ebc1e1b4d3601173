//! Label keys, and the columns that kube-state-metrics makes of them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A Kubernetes label key: `starform.io/app`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct LabelKey(String);

impl LabelKey {
    /// The key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The label name that kube-state-metrics gives it on `kube_pod_labels`: `label_starform_io_app`.
    ///
    /// Every character outside `[a-zA-Z0-9_]` becomes `_`, then camelCase becomes lower-case snake_case; the mapping
    /// cannot be inverted. Source: kube-state-metrics `internal/store/utils.go`, `mapToPrometheusLabels`, `toSnakeCase`.
    #[must_use]
    pub fn column(&self) -> String {
        let mut column = String::from("label_");
        let mut previous_is_lower = false;
        for c in self.0.chars() {
            let c = if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' };
            if c.is_ascii_uppercase() && previous_is_lower {
                column.push('_');
            }
            previous_is_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
            column.push(c.to_ascii_lowercase());
        }
        column
    }
}

impl fmt::Display for LabelKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for LabelKey {
    fn from(key: &str) -> Self {
        Self(key.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("starform.io/app", "label_starform_io_app")]
    #[case("starform.io/cluster-id", "label_starform_io_cluster_id")]
    #[case("starform.io/costCenter", "label_starform_io_cost_center")]
    #[case("a_B", "label_a_b")]
    fn columns_are_named_as_kube_state_metrics_names_them(#[case] key: &str, #[case] column: &str) {
        assert_eq!(LabelKey::from(key).column(), column);
    }
}
