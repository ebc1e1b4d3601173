//! The one request that may be in flight.

use crate::lifecycle::{Input, Setback, SetbackKind, State};
use crate::registrar::{Registrar, Told};
use crate::verification::Verification;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// No request takes longer, whatever the registrar's own timeouts are.
const LIMIT: Duration = Duration::from_mins(1);

type Answer = Pin<Box<dyn Future<Output = Input> + Send>>;

/// The request in flight, and what it tells.
pub(super) struct Errand<R> {
    registrar: Arc<R>,
    verification: Option<Arc<Verification>>,
    answer: Option<Answer>,
}

// === impl Errand ===

impl<R: Registrar> Errand<R> {
    pub(super) fn new(registrar: R) -> Self {
        Self {
            registrar: Arc::new(registrar),
            verification: None,
            answer: None,
        }
    }

    /// What later requests tell.
    pub(super) fn report(&mut self, verification: Arc<Verification>) {
        self.verification = Some(verification);
    }

    /// Begins a registration. What was in flight is dropped first.
    pub(super) fn register(&mut self, state: &State) {
        let (registrar, told) = (Arc::clone(&self.registrar), self.told(state));
        self.answer = Some(Box::pin(async move {
            match timeout(LIMIT, registrar.register(&told)).await {
                Ok(Ok(granted)) => Input::Registered(granted),
                Ok(Err(setback)) => Input::RegisterFailed(setback),
                Err(_) => Input::RegisterFailed(silence()),
            }
        }));
    }

    /// Begins a heartbeat. What was in flight is dropped first.
    pub(super) fn heartbeat(&mut self, generation: u64, state: &State) {
        let (registrar, told) = (Arc::clone(&self.registrar), self.told(state));
        self.answer = Some(Box::pin(async move {
            match timeout(LIMIT, registrar.heartbeat(generation, &told)).await {
                Ok(Ok(interval)) => Input::HeartbeatAccepted { interval },
                Ok(Err(setback)) => Input::HeartbeatFailed(setback),
                Err(_) => Input::HeartbeatFailed(silence()),
            }
        }));
    }

    /// Drops what is in flight. Starbase may still act on it; its generations tell.
    pub(super) fn forget(&mut self) {
        self.answer = None;
    }

    /// The answer, once; for ever where nothing is in flight.
    pub(super) async fn answer(&mut self) -> Input {
        match &mut self.answer {
            Some(answer) => {
                let input = answer.await;
                self.answer = None;
                input
            }
            None => std::future::pending().await,
        }
    }

    fn told(&self, state: &State) -> Told {
        let uid = self
            .verification
            .as_ref()
            .and_then(|verification| verification.uid.clone());
        Told {
            uid: uid.unwrap_or_default(),
            phase: state.phase(),
            reason: state.reason().words.clone(),
            report: self.verification.clone(),
        }
    }
}

fn silence() -> Setback {
    Setback {
        kind: SetbackKind::Later { after: None },
        message: format!("Starbase gave no answer within {} s", LIMIT.as_secs()),
    }
}
