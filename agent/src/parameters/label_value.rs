//! Label values, as Kubernetes has them.

use super::Problem;

/// How long one may be. Source: apimachinery `pkg/util/validation`, `LabelValueMaxLength`.
const LONGEST: usize = 63;

/// A label's value that is not empty: letters, digits, `-`, `_` and `.`, letters or digits at both ends.
pub(super) fn checked(text: &str) -> Result<String, Problem> {
    if text.is_empty() {
        return Err(Problem::Empty);
    }
    if text.len() > LONGEST {
        return Err(Problem::TooLong {
            bytes: text.len(),
            limit: LONGEST,
        });
    }
    let ends = |c: char| c.is_ascii_alphanumeric();
    let within = |c: char| ends(c) || matches!(c, '-' | '_' | '.');
    if text.chars().all(within) && text.starts_with(ends) && text.ends_with(ends) {
        Ok(text.to_owned())
    } else {
        Err(Problem::NotALabelValue)
    }
}
