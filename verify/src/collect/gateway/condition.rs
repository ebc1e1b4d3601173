//! Conditions that say of which generation they speak.

use crate::collect::status::bounded;
use crate::evidence::GatewayCondition;
use serde::Deserialize;

/// A condition as a controller of the Gateway API writes it (`metav1.Condition`).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawCondition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    observed_generation: i64,
}

/// The condition of that type, of an object of that generation.
pub(super) fn find(conditions: Option<&[RawCondition]>, kind: &str, generation: i64) -> Option<GatewayCondition> {
    let found = conditions?.iter().find(|condition| condition.kind == kind)?;
    Some(GatewayCondition {
        status: bounded(&found.status),
        reason: bounded(&found.reason),
        message: bounded(&found.message),
        current: found.observed_generation >= generation,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_of_an_older_generation_is_not_current() {
        let conditions: Vec<RawCondition> = serde_json::from_str(
            r#"[{"type":"Accepted","status":"True","reason":"Accepted","message":"a\nb","observedGeneration":2,
            "lastTransitionTime":"2026-11-22T15:00:00Z"},{"type":"Programmed","status":"Unknown"}]"#,
        )
        .unwrap();
        let find = |kind, generation| find(Some(&conditions), kind, generation);
        let accepted = find("Accepted", 2).unwrap();
        assert!(accepted.is_true());
        assert_eq!(accepted.message, "a b");
        assert!(!find("Accepted", 3).unwrap().is_true());
        // A controller that does not say of which generation it speaks has not judged this one.
        assert!(!find("Programmed", 1).unwrap().current);
        assert_eq!(find("Ready", 1), None);
        assert_eq!(super::find(None, "Accepted", 1), None);
    }
}
