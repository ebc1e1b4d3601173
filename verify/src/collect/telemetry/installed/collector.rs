//! The three collectors, and where each one's workloads are looked for.

use crate::collect::get::Get;
use crate::collect::workloads;
use crate::contract::{Contract, TelemetryTerms};
use crate::evidence::{Source, WorkloadKind};

/// A collector of step 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::collect) enum Collector {
    FluentBit,
    Vmagent,
    Alloy,
}

/// One list of workloads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listed<'a> {
    pub(super) kind: WorkloadKind,
    /// The label selector.
    pub(super) selector: &'a str,
    /// The container that is the program.
    pub(super) container: &'a str,
    /// Whether it is the operator's.
    pub(super) operator: bool,
}

// === impl Collector ===

impl Collector {
    /// What the contract says of it.
    pub(super) fn terms(self, contract: &Contract) -> &TelemetryTerms {
        match self {
            Self::FluentBit => &contract.components.fluent_bit,
            Self::Vmagent => &contract.components.vmagent,
            Self::Alloy => &contract.components.alloy,
        }
    }

    /// The source that its workloads are.
    pub(super) fn source(self) -> Source {
        match self {
            Self::FluentBit => Source::FluentBitWorkloads,
            Self::Vmagent => Source::VmagentWorkloads,
            Self::Alloy => Source::AlloyWorkloads,
        }
    }

    /// The lists that it is found in.
    pub(super) fn lists(self, contract: &Contract) -> Vec<Listed<'_>> {
        let terms = self.terms(contract);
        let kinds: &[WorkloadKind] = match self {
            Self::FluentBit => &[WorkloadKind::DaemonSet],
            Self::Vmagent => &[WorkloadKind::Deployment, WorkloadKind::StatefulSet],
            Self::Alloy => &[
                WorkloadKind::Deployment,
                WorkloadKind::StatefulSet,
                WorkloadKind::DaemonSet,
            ],
        };
        let operator = terms.operator.iter().map(|operator| Listed {
            kind: WorkloadKind::Deployment,
            selector: &operator.selector,
            container: &operator.container,
            operator: true,
        });
        let own = kinds.iter().map(|kind| Listed {
            kind: *kind,
            selector: &terms.selector,
            container: &terms.container,
            operator: false,
        });
        own.chain(operator).collect()
    }
}

// === impl Listed ===

impl Listed<'_> {
    /// Lists in the whole cluster: one that stands where it should not is to be told.
    pub(super) fn request(&self) -> Get {
        workloads::selected_request(self.kind, self.selector)
    }
}
