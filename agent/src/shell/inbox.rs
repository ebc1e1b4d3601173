//! What the shell hears, as the lifecycle's inputs.

use super::Inbox;
use crate::lifecycle::{Broken, Gate, Input};
use crate::verification::Verification;
use std::sync::Arc;
use tokio::sync::watch;

/// The inbox, and what was heard last. A sender that is gone says nothing more.
pub(super) struct Heard {
    inbox: Inbox,
    leading: bool,
    /// Said before the next look at the Lease.
    elected: bool,
    stopped: bool,
    uid: Option<String>,
    /// What was in the channels before the first look counts as a change.
    first: First,
}

/// What was heard.
pub(super) enum News {
    Input(Input),
    /// A verification is there, to be taken.
    Verification,
    /// The Lease is where it was.
    Nothing,
}

/// Which channels have not been looked at yet.
struct First {
    verifications: bool,
    leading: bool,
    status: bool,
}

/// A verification that was taken.
pub(super) struct Taken {
    pub(super) verification: Arc<Verification>,
    pub(super) inputs: Vec<Input>,
}

// === impl Heard ===

impl Heard {
    pub(super) fn new(inbox: Inbox) -> Self {
        Self {
            inbox,
            leading: false,
            elected: false,
            stopped: false,
            uid: None,
            first: First {
                verifications: true,
                leading: true,
                status: true,
            },
        }
    }

    /// What happens next; only the stop, where not everything is `open`. Dropped unfinished it loses nothing.
    pub(super) async fn next(&mut self, open: bool) -> News {
        if open && std::mem::take(&mut self.elected) {
            return News::Input(Input::Elected);
        }
        let (inbox, first) = (&mut self.inbox, &mut self.first);
        tokio::select! {
            biased;
            () = inbox.stop.cancelled(), if !self.stopped => {
                self.stopped = true;
                News::Input(Input::Stop)
            }
            stands = changed(&mut inbox.leading, &mut first.leading, self.leading), if open => self.lease(stands),
            Ok(()) = inbox.parameters.changed(), if open => News::Input(Input::ParametersChanged),
            _ = changed(&mut inbox.verifications, &mut first.verifications, false), if open => News::Verification,
            _ = changed(&mut inbox.status, &mut first.status, false), if open => News::Input(self.status_seen()),
            else => std::future::pending().await,
        }
    }

    /// The Lease, won or lost. An elector that is gone holds none.
    fn lease(&mut self, stands: bool) -> News {
        let was = self.leading;
        self.leading = stands && *self.inbox.leading.borrow_and_update();
        match (was, self.leading) {
            (false, true) => News::Input(Input::Elected),
            (true, false) => News::Input(Input::Deposed),
            (true, true) => {
                self.elected = true;
                News::Input(Input::Deposed)
            }
            (false, false) => News::Nothing,
        }
    }

    /// Takes the last verification.
    pub(super) fn take_verification(&mut self) -> Option<Taken> {
        let verification = self.inbox.verifications.borrow_and_update().clone()?;
        let mut inputs = Vec::new();
        if verification.uid.is_some() && verification.uid != self.uid {
            // Another cluster than before (etcd restored from another's backup): the registration is for the old one.
            if self.uid.is_some() {
                inputs.push(Input::ParametersChanged);
            }
            self.uid.clone_from(&verification.uid);
            inputs.push(self.status_seen());
        }
        inputs.push(Input::Verified(gate(&verification)));
        Some(Taken { verification, inputs })
    }

    fn status_seen(&mut self) -> Input {
        let status = self.inbox.status.borrow_and_update();
        let registered = (status.as_ref())
            .is_some_and(|status| status.registration.is_some() && Some(&status.uid) == self.uid.as_ref());
        Input::StatusSeen { registered }
    }
}

/// Waits for a change, or for the first look. False, once `known` is no longer news, where the sender is gone.
async fn changed<T>(channel: &mut watch::Receiver<T>, first: &mut bool, known: bool) -> bool {
    if std::mem::take(first) {
        return true;
    }
    match channel.changed().await {
        Ok(()) => true,
        Err(_) if known => false,
        Err(_) => std::future::pending().await,
    }
}

/// A cluster cannot be registered under a UID that was not seen.
fn gate(verification: &Verification) -> Gate {
    match (&verification.gate, &verification.uid) {
        (Gate::Passes, None) => Gate::Unknown(Broken::without_check(
            "the UID of the namespace kube-system could not be read",
        )),
        (gate, _) => gate.clone(),
    }
}
