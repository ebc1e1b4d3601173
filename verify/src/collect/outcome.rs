//! Tells whether an API server answered at all.

use super::diagnosis::Trouble;
use crate::evidence::{Evidence, Observed, Reason, Unknown};
use crate::report::ToolError;

/// The error of the tool that evidence comes to where no API server answered: then there is no cluster to judge. `None`
/// where any source had an answer from it, be it that the identity in use lacks a permission.
///
/// It is made from the evidence alone, so that a replayed audit ends as the live one did.
#[must_use]
pub fn tool_error(evidence: &Evidence) -> Option<ToolError> {
    let Observed::Unknown(unknown) = &evidence.api_server else {
        return None;
    };
    if unknown.reason == Reason::NotCollected || !unknowns(evidence).into_iter().all(is_silent) {
        return None;
    }
    let trouble = Trouble::of_message(&unknown.message);
    Some(ToolError {
        message: format!("no API server answered: {}", unknown.message),
        hints: trouble.unwrap_or(Trouble::TimedOut).hints(),
    })
}

/// Whether nothing came from the API server.
fn is_silent(seen: Option<&Unknown>) -> bool {
    seen.is_some_and(|unknown| match unknown.reason {
        Reason::TimedOut | Reason::Unreachable | Reason::Unauthorized | Reason::Behind | Reason::NotCollected => true,
        Reason::Malformed => matches!(
            Trouble::of_message(&unknown.message),
            Some(Trouble::NotTheApi | Trouble::NotHttp)
        ),
        Reason::Forbidden | Reason::Refused | Reason::Truncated | Reason::TooLarge => false,
    })
}

/// Of every source that the API server answers for why it is unknown; `None` where it is not.
fn unknowns(evidence: &Evidence) -> [Option<&Unknown>; 30] {
    fn of<T>(seen: &Observed<T>) -> Option<&Unknown> {
        match seen {
            Observed::Unknown(unknown) => Some(unknown),
            Observed::Seen(_) | Observed::Absent => None,
        }
    }
    [
        of(&evidence.api_server),
        of(&evidence.identity),
        of(&evidence.nodes),
        of(&evidence.metrics_api_service),
        of(&evidence.node_metrics),
        of(&evidence.pod_metrics),
        of(&evidence.autoscalers),
        of(&evidence.metrics_server.services),
        of(&evidence.metrics_server.endpoints),
        of(&evidence.metrics_server.workloads),
        of(&evidence.kube_state_metrics.services),
        of(&evidence.kube_state_metrics.endpoints),
        of(&evidence.kube_state_metrics.workloads),
        of(&evidence.pods),
        of(&evidence.scrapes),
        of(&evidence.shuttle.status),
        of(&evidence.shuttle.agent),
        of(&evidence.shuttle.node),
        of(&evidence.shuttle.config_maps),
        of(&evidence.shuttle.grants),
        of(&evidence.gateway.controller),
        of(&evidence.gateway.classes),
        of(&evidence.gateway.gateways),
        of(&evidence.gateway.crds),
        of(&evidence.telemetry.fluent_bit.workloads),
        of(&evidence.telemetry.fluent_bit_settings),
        of(&evidence.telemetry.vmagent.workloads),
        of(&evidence.telemetry.vmagent_settings),
        of(&evidence.telemetry.alloy.workloads),
        of(&evidence.telemetry.alloys),
    ]
}
