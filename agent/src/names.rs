//! The parameters that may be shown.

use crate::parameters::Parameters;

/// Cluster ID and region: all of the parameters but the token, so that what shows them never holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The parameter `cluster-id`.
    pub cluster_id: String,
    /// The parameter `region`.
    pub region: String,
}

// === impl Names ===

impl From<&Parameters> for Names {
    fn from(parameters: &Parameters) -> Self {
        Self {
            cluster_id: parameters.cluster_id.as_str().to_owned(),
            region: parameters.region.as_str().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::{ClusterId, Region, Token};

    #[test]
    fn names_are_all_but_the_token() {
        let names = Names::from(&Parameters {
            cluster_id: ClusterId::new("shop").unwrap(),
            region: Region::new("fra1").unwrap(),
            token: Token::new("sft_1234567890").unwrap(),
        });
        assert_eq!((names.cluster_id.as_str(), names.region.as_str()), ("shop", "fra1"));
        assert!(!format!("{names:?}").contains("sft_"));
    }
}
