//! One verification: what the gating checks came to, and what it cost to know.

use crate::lifecycle::{Broken, Gate};
use starform_verify::contract::Contract;
use starform_verify::evidence::{Canary, Join, NodesProven};
use starform_verify::report::{Report, Verdict};
use std::time::Duration;

/// One verification.
#[derive(Clone, Debug)]
pub struct Verification {
    /// The whole report: all checks that can be judged from inside, gating or not.
    pub report: Report,
    /// What the gating ones came to.
    pub gate: Gate,
    /// The UID of kube-system; `None` where it could not be read.
    pub uid: Option<String>,
    /// The own pod's labels on its row, and its PodMetrics.
    pub canary: Canary,
    /// The kubelets' metrics against the rows.
    pub join: Join,
    /// What the nodes say of themselves.
    pub nodes: NodesProven,
    /// How long it took.
    pub took: Duration,
    /// The processor time that it took.
    pub cost: Duration,
}

// === impl Gate ===

impl Gate {
    /// What the gating checks of a report came to. One that the report lacks, or that passed on nothing, does not pass: a
    /// contract without any gating check passes never.
    #[must_use]
    pub fn of(report: &Report, contract: &Contract) -> Self {
        let mut unknown = None;
        let mut passed = false;
        let all = contract
            .steps
            .iter()
            .flat_map(|step| step.checks.iter().map(|terms| (step.id, terms)));
        for (step, terms) in all.filter(|(_, terms)| terms.gates) {
            let broken = |observed: &str| Broken::of(&terms.code, step, observed);
            let Some(check) = report.checks().find(|check| check.code == terms.code) else {
                unknown.get_or_insert_with(|| broken("it was not judged"));
                continue;
            };
            match check.verdict {
                Verdict::Pass | Verdict::Warn | Verdict::Waived => passed = true,
                Verdict::NotApplicable => {}
                Verdict::Fail | Verdict::Blocked => return Self::Fails(broken(&check.observed)),
                // Nothing that was not seen opens the gate, whyever it was not.
                Verdict::Unknown | Verdict::NotAsked => {
                    unknown.get_or_insert_with(|| broken(&check.observed));
                }
            }
        }
        match unknown {
            Some(broken) => Self::Unknown(broken),
            None if passed => Self::Passes,
            None => Self::Unknown(Broken::without_check("no gating check has anything to judge")),
        }
    }
}
