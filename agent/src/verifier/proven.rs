//! What the nodes say of themselves: the condition that `shuttle node` gives them.

use starform_verify::contract::Contract;
use starform_verify::evidence::{Evidence, NodesProven, Observed, STATUS_NAMES, Source};

/// Counts the Ready nodes that prove themselves. One whose condition has not been renewed for the contract's time does not;
/// where the nodes were not seen, none does.
pub(super) fn nodes(contract: &Contract, evidence: &Evidence) -> NodesProven {
    let mut proven = NodesProven::default();
    let Observed::Seen(nodes) = &evidence.nodes else {
        return proven;
    };
    let now = evidence.now(Source::Nodes);
    let limit = contract.thresholds.node_proof_age;
    for node in nodes.iter().filter(|node| node.is_ready_and_real()) {
        let is_proven = now.is_some_and(|now| node.is_proven(now, limit));
        // Shuttle's pod there may have gone before it.
        if !is_proven && node.is_leaving() {
            continue;
        }
        proven.of += 1;
        if is_proven {
            proven.proven += 1;
        } else if proven.unproven.len() < STATUS_NAMES {
            proven.unproven.push(node.name.clone());
        }
    }
    proven
}
