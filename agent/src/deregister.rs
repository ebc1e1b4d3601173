//! `shuttle deregister`: ends a cluster's registration, for a cluster that goes.
//!
//! The agent has to be gone first: one that still runs is answered 410, and registers again.

use crate::lifecycle::SetbackKind;
use crate::parameters::{self, Parameters, ParametersError};
use crate::registrar::wire::{RegistrationStatus, State};
use crate::registrar::{
    About, Address, HttpRegistrar, RequestError, ReqwestTransport, Transport, TransportError, TransportOptions,
};
use backon::{ExponentialBuilder, Retryable};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tracing::warn;

/// How often a request is sent that fails for a reason that may pass.
const TRIES: usize = 5;
/// The longest pause between two. Where Starbase wants a longer one, the command ends and says so.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How often a registration that changed meanwhile is read again.
const ROUNDS: usize = 3;

/// Whose registration is to end, and where.
#[derive(Clone, Debug)]
pub struct Arguments {
    /// Folder with the files cluster-id, region and token.
    pub parameters: PathBuf,
    /// Starbase's address.
    pub starbase: Address,
    /// File with the certificates of an authority to trust besides the machine's own.
    pub starbase_authority: Option<PathBuf>,
    /// Ends the registration only if it is this cluster's: UID of the namespace kube-system.
    pub uid: Option<String>,
    /// Whether HTTPS_PROXY, ALL_PROXY and NO_PROXY are obeyed.
    pub environment_proxy: bool,
}

/// What became of it. All of these are a success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was ended now.
    Ended {
        /// The cluster's ID.
        cluster_id: String,
        /// UID of the cluster that was registered.
        uid: String,
        /// The generation that was ended.
        generation: u64,
    },
    /// It had been ended before.
    EndedBefore {
        /// The cluster's ID.
        cluster_id: String,
    },
    /// Nothing was ever registered under this ID.
    NeverRegistered {
        /// The cluster's ID.
        cluster_id: String,
    },
}

/// Why the registration was not ended.
#[derive(Debug, thiserror::Error)]
pub enum DeregisterError {
    /// The parameters cannot be read.
    #[error(transparent)]
    Parameters(#[from] ParametersError),
    /// The transport cannot be set up.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// Starbase refused, failed, or could not be reached.
    #[error("the registration was not ended: {0}")]
    Request(#[from] RequestError),
    /// Another cluster is registered under this ID.
    #[error(
        "the registration was not ended: cluster ID `{cluster_id}` is registered by UID {registered}, not {wanted}; without \
         --uid it is ended whoever it is"
    )]
    AnotherCluster {
        /// The cluster's ID.
        cluster_id: String,
        /// The UID that is registered.
        registered: String,
        /// The UID that was given.
        wanted: String,
    },
    /// An agent kept registering.
    #[error(
        "the registration was not ended: the cluster was registered again {ROUNDS} times meanwhile; delete the Deployment \
         `shuttle` first"
    )]
    RegisteredAgain,
}

/// Ends the registration that the arguments name. Reads files and asks Starbase; needs no Kubernetes API.
///
/// # Errors
/// Where it was not ended. The registration is then as it was, or, where an answer was lost, ended: ask again.
pub async fn run(arguments: &Arguments) -> Result<Outcome, DeregisterError> {
    let parameters = parameters::read(&arguments.parameters)?;
    let transport = ReqwestTransport::new(TransportOptions {
        authority: arguments.starbase_authority.clone(),
        environment_proxy: arguments.environment_proxy,
        ..TransportOptions::new(arguments.starbase.clone())
    })?;
    deregister(
        transport,
        arguments.starbase.clone(),
        parameters,
        arguments.uid.as_deref(),
    )
    .await
}

async fn deregister<T: Transport>(
    transport: T,
    address: Address,
    parameters: Parameters,
    uid: Option<&str>,
) -> Result<Outcome, DeregisterError> {
    let cluster_id = parameters.cluster_id.as_str().to_owned();
    let (_sender, receiver) = watch::channel(Arc::new(parameters));
    let about = About {
        instance: "deregister".to_owned(),
        contract: String::new(),
    };
    let registrar = HttpRegistrar::new(transport, address, receiver, about);
    for _ in 0..ROUNDS {
        let Some(status) = patiently(|| registrar.status()).await? else {
            return Ok(Outcome::NeverRegistered { cluster_id });
        };
        if status.state == State::Ended {
            return Ok(Outcome::EndedBefore { cluster_id });
        }
        let RegistrationStatus {
            uid: registered,
            generation,
            ..
        } = status;
        if let Some(wanted) = uid.filter(|wanted| *wanted != registered) {
            return Err(DeregisterError::AnotherCluster {
                cluster_id,
                registered,
                wanted: wanted.to_owned(),
            });
        }
        match patiently(|| registrar.end(generation)).await {
            Ok(()) => {
                return Ok(Outcome::Ended {
                    cluster_id,
                    uid: registered,
                    generation,
                });
            }
            Err(error) if error.refusal.kind() == SetbackKind::Superseded => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(DeregisterError::RegisteredAgain)
}

/// Tries again what may pass, with growing and jittered pauses, and not before Starbase wants to be asked.
async fn patiently<R, F: Future<Output = Result<R, RequestError>>>(
    request: impl FnMut() -> F,
) -> Result<R, RequestError> {
    let pauses = ExponentialBuilder::default()
        .with_jitter()
        .with_min_delay(Duration::from_millis(500))
        .with_max_delay(LONGEST_PAUSE)
        .with_max_times(TRIES - 1);
    request
        .retry(pauses)
        .when(|error| matches!(error.refusal.kind(), SetbackKind::Later { after } if after.is_none_or(|after| after <= LONGEST_PAUSE)))
        .adjust(|error, pause| match (error.refusal.kind(), pause) {
            (SetbackKind::Later { after: Some(after) }, Some(pause)) => Some(pause.max(after)),
            (_, pause) => pause,
        })
        .notify(|error, pause| warn!(%error, pause_ms = pause.as_millis(), "Starbase is asked again"))
        .await
}

// === impl Outcome ===

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended {
                cluster_id,
                uid,
                generation,
            } => write!(
                f,
                "the registration of cluster ID `{cluster_id}` (UID {uid}, generation {generation}) was ended"
            ),
            Self::EndedBefore { cluster_id } => {
                write!(f, "the registration of cluster ID `{cluster_id}` had been ended before")
            }
            Self::NeverRegistered { cluster_id } => write!(f, "cluster ID `{cluster_id}` was never registered"),
        }
    }
}
