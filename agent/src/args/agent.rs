//! `shuttle agent`: the tasks of the Deployment's pods, and how they hear of each other.

use super::tasks::Tasks;
use super::{Pod, Starbase, client};
use crate::admin::{Loopback, Probes, Server};
use crate::announce::{self, Announcements, Events, Publisher, announce};
use crate::identity::Identity;
use crate::join::{self, Joiner};
use crate::kubelet::{Kubelets, ServiceAccount};
use crate::liveness::Liveness;
use crate::metrics::Metrics;
use crate::names::Names;
use crate::parameters::{self, Parameters, Watched};
use crate::registrar::{About, HttpRegistrar, ReqwestTransport, TransportOptions};
use crate::snapshot::Snapshot;
use crate::verifier::{self, Verifier};
use crate::view::Sources;
use crate::{labeler, leader, shell, triggers};
use anyhow::Context;
use jiff::Timestamp;
use prometheus_client::registry::Registry;
use starform_verify::contract::Contract;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::{error, warn};

/// How long one kubelet may take in the join.
const KUBELET: Duration = Duration::from_secs(10);
/// How often the parameters are looked for while they cannot be read at the start.
const PARAMETERS: Duration = Duration::from_secs(2);
/// The loop that reads them turns every five seconds.
const PARAMETERS_WITHIN: Duration = Duration::from_secs(30);
/// The longest turn of the lease's loop is a renewal that hangs, of the labeler's a page of a list.
const LEASE_WITHIN: Duration = Duration::from_mins(1);
const LABELER_WITHIN: Duration = Duration::from_mins(2);
/// How long the lifecycle has for the last heartbeat, and the other tasks for what it leaves behind: the Lease, the last
/// Event, the last status. Together less than the Deployment's grace period of 30 s.
const FAREWELL: Duration = Duration::from_secs(10);
const STOP: Duration = Duration::from_secs(10);

/// Verify the cluster, label its pods, register it
#[derive(Debug, clap::Args)]
pub(super) struct Agent {
    #[command(flatten)]
    pod: Pod,
    /// Folder of the files cluster-id, region and token
    #[arg(long, default_value = "/etc/shuttle/parameters")]
    parameters: PathBuf,
    #[command(flatten)]
    starbase: Starbase,
    /// Where /livez, /readyz and /metrics answer
    #[arg(long, default_value = "0.0.0.0:8080")]
    admin: SocketAddr,
    /// Where the status page and the report answer; a loopback address
    #[arg(long, default_value = "127.0.0.1:8081")]
    status: SocketAddr,
}

// === impl Agent ===

impl Agent {
    #[expect(
        clippy::too_many_lines,
        reason = "every task once, in order: what hears of what is seen in one place"
    )]
    pub(super) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let Self {
            pod,
            parameters: folder,
            starbase,
            admin,
            status: status_page,
        } = self;
        let identity = pod.identity();
        let contract = Arc::new(Contract::embedded().context("the contract that is compiled in")?);
        let liveness = Liveness::default();
        let metrics = Metrics::default();
        let (join_metrics, labeler_metrics) = (join::Metrics::default(), labeler::Metrics::default());
        let verifier_metrics = verifier::Metrics::new(&contract);
        let mut registry = Registry::default();
        metrics.register(&mut registry);
        join_metrics.register(registry.sub_registry_with_prefix("shuttle"));
        verifier_metrics.register(registry.sub_registry_with_prefix("shuttle"));
        labeler_metrics.register(&mut registry);

        let (names_sender, names) = watch::channel(None);
        let (snapshot_sender, snapshot) = watch::channel(Snapshot::starting(Timestamp::now()));
        let (verifications_sender, verifications) = watch::channel(None);
        let sources = Sources {
            identity: identity.clone(),
            contract: Arc::clone(&contract),
            names,
            snapshot: snapshot.clone(),
            verifications: verifications.clone(),
        };
        // Before all else: a pod that is not ready says why from its first second.
        let probes = Probes::new(liveness.clone(), sources.clone(), Arc::new(registry));
        let servers_stop = CancellationToken::new();
        let mut servers = Tasks::default();
        servers.start("admin", Server::bind(admin, probes).await?.run(servers_stop.clone()));
        let page = Server::bind_loopback(status_page, Loopback::new(sources.clone())).await?;
        servers.start("status-page", page.run(servers_stop.clone()));

        let Some(first) = first_parameters(&folder, &snapshot_sender, &stop).await else {
            return Ok(());
        };
        names_sender.send_replace(Some(Names::from(&first)));
        let client = client()?;
        let end = CancellationToken::new();
        let mut tasks = Tasks::default();
        let pulse = liveness.watch("parameters", PARAMETERS_WITHIN);
        let (watched, reading) = parameters::watch(folder, first, pulse);
        tasks.start("parameters", until(end.clone(), reading));
        tasks.start(
            "names",
            until(end.clone(), name(watched.parameters.clone(), names_sender)),
        );

        let (leading_sender, leading) = watch::channel(false);
        let (status_sender, status) = watch::channel(None);
        let (verify, step_down) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        tasks.start("status-reader", {
            let (client, namespace, end) = (client.clone(), identity.namespace.clone(), end.clone());
            async move { announce::read(client, &namespace, status_sender, end).await }
        });
        tasks.start("triggers", {
            triggers::run(client.clone(), Arc::clone(&contract), Arc::clone(&verify), end.clone())
        });
        let joiner = Joiner::new(Kubelets::new(ServiceAccount::mounted(), KUBELET), join_metrics);
        tasks.start("verifier", {
            let verifier = Verifier::new(
                client.clone(),
                Arc::clone(&contract),
                identity.clone(),
                joiner,
                verifier_metrics,
            );
            let inbox = verifier::Inbox {
                leading: leading.clone(),
                status: status.clone(),
                snapshot: snapshot.clone(),
                parameters: watched.parameters.clone(),
                verify: Arc::clone(&verify),
                stop: end.clone(),
            };
            let pulse = liveness.watch("verifier", verifier::TURNS_WITHIN);
            on_its_own_thread(move || verifier::run(verifier, inbox, verifications_sender, pulse))
        });
        tasks.start("leader", {
            let (client, identity, end) = (client.clone(), identity.clone(), end.clone());
            let (step_down, pulse) = (Arc::clone(&step_down), liveness.watch("leader", LEASE_WITHIN));
            async move {
                let settings = leader::Settings::default();
                leader::run(client, settings, &identity, leading_sender, step_down, pulse, end).await;
            }
        });
        tasks.start("labeler", {
            let (client, identity, contract) = (client.clone(), identity.clone(), Arc::clone(&contract));
            let inbox = labeler::Inbox {
                parameters: watched.parameters.clone(),
                leading: leading.clone(),
                stop: end.clone(),
            };
            let pulse = liveness.watch("labeler", LABELER_WITHIN);
            async move {
                let settings = labeler::Settings::default();
                labeler::run(client, &identity, &contract, inbox, settings, labeler_metrics, pulse).await;
            }
        });
        tasks.start("metrics", {
            let pulse = liveness.watch("metrics", Metrics::TURNS_WITHIN);
            metrics.clone().follow(snapshot, pulse)
        });

        // These three end by themselves when the lifecycle has ended: they tell its last words.
        let mut voices = Tasks::default();
        let (transitions_sender, transitions) = mpsc::channel(16);
        let events = Some(Events::new(client.clone(), identity.clone()));
        let through = Announcements {
            metrics: metrics.clone(),
            events,
        };
        voices.start("announcements", announce(transitions, through));
        let pulse = liveness.watch("status", Publisher::TURNS_WITHIN);
        voices.start("status", Publisher::new(client, sources, metrics, pulse).run());

        let registrar = registrar(&starbase, &watched, &identity, &contract)?;
        let inbox = shell::Inbox {
            verifications,
            leading,
            status,
            parameters: watched.changes,
            stop: stop.clone(),
        };
        let outbox = shell::Outbox {
            snapshot: snapshot_sender,
            transitions: transitions_sender,
            verify,
            step_down,
            pulse: liveness.watch("lifecycle", shell::TURN * 3),
        };
        let lifecycle = tokio::spawn(shell::run(registrar, shell::Settings::default(), inbox, outbox));
        let mut lifecycle = AbortOnDropHandle::new(lifecycle);
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            ended = &mut lifecycle => {
                ended.context("the lifecycle ended abnormally")?;
                anyhow::bail!("the lifecycle ended, though nothing asked it to");
            }
            ended = tasks.one_ended() => return Err(ended.into()),
            ended = voices.one_ended() => return Err(ended.into()),
            ended = servers.one_ended() => return Err(ended.into()),
        }
        // The last heartbeat first, then the Lease, so that the next leader registers after it; the servers answer last.
        if tokio::time::timeout(FAREWELL, lifecycle).await.is_err() {
            warn!("the lifecycle was still running and was dropped");
        }
        end.cancel();
        tokio::join!(tasks.all_ended(STOP), voices.all_ended(STOP));
        servers_stop.cancel();
        servers.all_ended(STOP).await;
        Ok(())
    }
}

/// Waits until the parameters can be read; meanwhile the snapshot says why they cannot. `None` when asked to stop.
async fn first_parameters(
    folder: &Path,
    snapshot: &watch::Sender<Snapshot>,
    stop: &CancellationToken,
) -> Option<Parameters> {
    let mut said = String::new();
    loop {
        match parameters::read(folder) {
            Ok(parameters) => return Some(parameters),
            Err(error) => {
                let text = error.to_string();
                if text != said {
                    warn!(%error, "the parameters could not be read");
                    snapshot.send_modify(|snapshot| snapshot.reason = text.as_str().into());
                    said = text;
                }
            }
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => return None,
            () = tokio::time::sleep(PARAMETERS) => {}
        }
    }
}

/// Passes on what may be shown of the parameters.
async fn name(mut parameters: watch::Receiver<Arc<Parameters>>, names: watch::Sender<Option<Names>>) {
    while parameters.changed().await.is_ok() {
        let now = Names::from(&**parameters.borrow_and_update());
        names.send_replace(Some(now));
    }
}

/// A task that is dropped when it is to end.
async fn until(end: CancellationToken, task: impl Future<Output = ()>) {
    tokio::select! {
        biased;
        () = end.cancelled() => {}
        () = task => {}
    }
}

/// Judging ten thousand pods takes the processor for a while: not on a thread that answers probes and renews the Lease.
async fn on_its_own_thread<F: Future<Output = ()>>(task: impl FnOnce() -> F + Send + 'static) {
    let runtime = Handle::current();
    let ran = tokio::task::spawn_blocking(move || runtime.block_on(task())).await;
    if let Err(error) = ran {
        error!(%error, "a task ended abnormally");
    }
}

fn registrar(
    starbase: &Starbase,
    watched: &Watched,
    identity: &Identity,
    contract: &Contract,
) -> anyhow::Result<HttpRegistrar<ReqwestTransport>> {
    let address = starbase.address()?;
    let mut options = TransportOptions::new(address.clone());
    options.authority.clone_from(&starbase.starbase_authority);
    let about = About {
        instance: identity.pod.clone(),
        contract: contract.digest.clone(),
    };
    let transport = ReqwestTransport::new(options)?;
    Ok(HttpRegistrar::new(
        transport,
        address,
        watched.parameters.clone(),
        about,
    ))
}
