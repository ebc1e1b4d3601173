//! What the nodes say of themselves: the condition that `shuttle node` gives them.

use starform_verify::contract::Contract;
use starform_verify::evidence::{Condition, Evidence, Node, NodesProven, Observed, STATUS_NAMES, Source};

/// Counts the Ready nodes that prove themselves. One whose condition has not been renewed for the contract's time does not;
/// where the nodes were not seen, none does.
pub(super) fn nodes(contract: &Contract, evidence: &Evidence) -> NodesProven {
    let mut proven = NodesProven::default();
    let Observed::Seen(nodes) = &evidence.nodes else {
        return proven;
    };
    let now = evidence.now(Source::Nodes);
    let limit = contract.thresholds.node_proof_age;
    let is_proven = |node: &Node| {
        let renewed = now.zip(node.telemetry_renewed);
        node.telemetry.as_ref().is_some_and(Condition::is_true)
            && renewed.is_some_and(|(now, renewed)| now.duration_since(renewed) <= limit)
    };
    for node in nodes {
        if !node.ready.as_ref().is_some_and(Condition::is_true) {
            continue;
        }
        proven.of += 1;
        if is_proven(node) {
            proven.proven += 1;
        } else if proven.unproven.len() < STATUS_NAMES {
            proven.unproven.push(node.name.clone());
        }
    }
    proven
}
