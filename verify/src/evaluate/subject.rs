//! What is judged.

use crate::contract::Contract;
use crate::evidence::Evidence;

/// What a check judges: the contract and what was seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'a> {
    /// The contract.
    pub(super) contract: &'a Contract,
    /// What was seen.
    pub(super) evidence: &'a Evidence,
}
