//! What the API server prints of a pod, as `kubectl get pods` shows it: the words that everybody knows a pod's state by.
//!
//! It is computed as the API server does for its `Table` (`k8s.io/kubernetes`, `pkg/printers/internalversion/printers.go`,
//! `printPod`); a test on a real cluster asks for both and compares.

use super::object::{Container, ContainerStatus, PodObject, State, Status, Terminated};
use std::borrow::Cow;

/// The reason of the condition `PodScheduled` of a pod that is not to be scheduled yet (`core/v1`, `PodReasonSchedulingGated`).
const SCHEDULING_GATED: &str = "SchedulingGated";
/// The reason of a pod whose node does not answer (`pkg/util/node`, `NodeUnreachablePodReason`).
const NODE_LOST: &str = "NodeLost";

/// The columns `Status`, `Ready` and `Restarts`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Printed<'p> {
    pub(super) status: Cow<'p, str>,
    pub(super) ready: u32,
    pub(super) containers: u32,
    pub(super) restarts: u32,
}

/// What the init containers come to, up to the first that has not done its work.
#[derive(Default)]
struct Initialization {
    /// What that one is doing; `None` where there is none.
    waits_for: Option<String>,
    restarts: u32,
    /// Of these, those of the ones that run as long as the pod does.
    restarts_of_sidecars: u32,
    ready: u32,
}

/// What the containers come to.
#[derive(Default)]
struct Work<'p> {
    /// The reason of the first that has one.
    reason: Option<Cow<'p, str>>,
    /// The reason of the first that ended in an error.
    error: Option<Cow<'p, str>>,
    restarts: u32,
    ready: u32,
}

// === impl Printed ===

impl<'p> Printed<'p> {
    /// What is printed of a pod.
    pub(super) fn of(pod: &'p PodObject) -> Self {
        let status = pod.status();
        let (containers, init_containers) = pod.containers();
        let sidecars = init_containers.iter().filter(|container| is_sidecar(container)).count();
        let initialization = Initialization::of(&status.init_container_statuses, init_containers);
        let mut printed = Self {
            status: (initialization.waits_for.clone()).map_or_else(|| phase(status).into(), Cow::Owned),
            ready: initialization.ready,
            containers: u32::try_from(containers.len() + sidecars).unwrap_or(u32::MAX),
            restarts: initialization.restarts,
        };
        if initialization.waits_for.is_none() || has(status, "Initialized") {
            let work = Work::of(&status.container_statuses);
            printed.restarts = initialization.restarts_of_sidecars.saturating_add(work.restarts);
            printed.ready += work.ready;
            printed.status = work.told(printed.status, has(status, "Ready"));
        }
        if pod.is_deleting() && status.reason == NODE_LOST {
            printed.status = "Unknown".into();
        } else if pod.is_deleting() && !matches!(status.phase.as_str(), "Succeeded" | "Failed") {
            printed.status = "Terminating".into();
        }
        printed
    }
}

// === impl Initialization ===

impl Initialization {
    fn of(statuses: &[ContainerStatus], containers: &[Container]) -> Self {
        let mut seen = Self::default();
        for (position, container) in statuses.iter().enumerate() {
            let sidecar = (containers.iter()).any(|declared| declared.name == container.name && is_sidecar(declared));
            let restarts = u32::try_from(container.restart_count).unwrap_or_default();
            seen.restarts = seen.restarts.saturating_add(restarts);
            if sidecar {
                seen.restarts_of_sidecars = seen.restarts_of_sidecars.saturating_add(restarts);
            }
            let state = container.state.as_ref();
            let ended = state.and_then(|state| state.terminated.as_ref());
            let waits = state.and_then(State::reason_to_wait);
            if ended.is_some_and(|ended| ended.exit_code == 0) {
                continue;
            }
            if sidecar && container.started {
                seen.ready += u32::from(container.ready);
                continue;
            }
            seen.waits_for = Some(match (ended, waits) {
                (Some(ended), _) => format!("Init:{}", why(ended)),
                (None, Some(reason)) if reason != "PodInitializing" => format!("Init:{reason}"),
                _ => format!("Init:{position}/{}", containers.len()),
            });
            break;
        }
        seen
    }
}

// === impl Work ===

impl<'p> Work<'p> {
    fn of(statuses: &'p [ContainerStatus]) -> Self {
        let mut seen = Self::default();
        // The last reason stands where there are several, so that the first container's is what is printed.
        for container in statuses.iter().rev() {
            let restarts = u32::try_from(container.restart_count).unwrap_or_default();
            seen.restarts = seen.restarts.saturating_add(restarts);
            let Some(state) = &container.state else { continue };
            if let Some(reason) = state.reason_to_wait() {
                seen.reason = Some(reason.into());
            } else if let Some(ended) = &state.terminated {
                seen.reason = Some(why(ended));
                if ended.exit_code != 0 {
                    seen.error.clone_from(&seen.reason);
                }
            } else if container.ready && state.running.is_some() {
                seen.ready += 1;
            }
        }
        seen
    }

    /// What is printed, where `before` is what the pod's phase and its init containers say.
    fn told(self, before: Cow<'p, str>, is_ready: bool) -> Cow<'p, str> {
        let reason = self.reason.unwrap_or(before);
        if reason != "Completed" {
            return reason;
        }
        let runs = self.ready > 0;
        match self.error {
            _ if runs && is_ready => "Running".into(),
            Some(error) => error,
            None if runs => "NotReady".into(),
            None => reason,
        }
    }
}

/// Whether it is an init container that runs as long as the pod does.
fn is_sidecar(container: &Container) -> bool {
    container.restart_policy == "Always"
}

/// Whether the first condition of that type is `True`.
fn has(status: &Status, kind: &str) -> bool {
    let found = status.conditions.iter().find(|condition| condition.kind == kind);
    found.is_some_and(|condition| condition.status == "True")
}

/// What the pod says of itself as a whole.
fn phase(status: &Status) -> &str {
    let mut conditions = status.conditions.iter();
    if conditions.any(|condition| condition.kind == "PodScheduled" && condition.reason == SCHEDULING_GATED) {
        SCHEDULING_GATED
    } else if status.reason.is_empty() {
        &status.phase
    } else {
        &status.reason
    }
}

/// Why a container ended.
fn why(ended: &Terminated) -> Cow<'_, str> {
    if !ended.reason.is_empty() {
        ended.reason.as_str().into()
    } else if ended.signal != 0 {
        format!("Signal:{}", ended.signal).into()
    } else {
        format!("ExitCode:{}", ended.exit_code).into()
    }
}

#[cfg(test)]
mod tests;
