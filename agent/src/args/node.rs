//! `shuttle node`: what runs on every node.

use super::tasks::Tasks;
use super::{Pod, client};
use crate::admin::{Line, Probes, Server, Standing, Statement};
use crate::kubelet::{Kubelet, Kubelets, ServiceAccount};
use crate::liveness::Liveness;
use crate::node;
use anyhow::Context;
use jiff::Timestamp;
use prometheus_client::registry::Registry;
use starform_verify::contract::Contract;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How long reading the own kubelet may take.
const KUBELET: Duration = Duration::from_secs(10);
/// How long tasks may take to stop.
const STOP: Duration = Duration::from_secs(5);

/// Prove this node
#[derive(Debug, clap::Args)]
pub(super) struct Node {
    #[command(flatten)]
    pod: Pod,
    /// Address of this node, where its kubelet answers
    #[arg(long, env = "HOST_IP")]
    host_ip: IpAddr,
    /// Port of the kubelet
    #[arg(long, default_value_t = 10250)]
    kubelet_port: u16,
    /// Where /livez, /readyz and /metrics answer
    #[arg(long, default_value = "0.0.0.0:8080")]
    admin: SocketAddr,
    /// Lift this node's startup taint once it is proven, or after ten minutes
    #[arg(long)]
    lift_startup_taint: bool,
}

// === impl Node ===

impl Node {
    pub(super) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let Self {
            pod,
            host_ip,
            kubelet_port,
            admin,
            lift_startup_taint,
        } = self;
        let identity = pod.identity();
        let contract = Contract::embedded().context("the contract that is compiled in")?;
        let liveness = Liveness::default();
        let metrics = node::Metrics::default();
        let mut registry = Registry::with_prefix("shuttle");
        metrics.register(&mut registry);
        let (standing_sender, standing) = watch::channel(node::Standing::starting(Timestamp::now()));
        let probes = Probes::new(
            liveness.clone(),
            move || statement(&standing.borrow()),
            Arc::new(registry),
        );
        let server = Server::bind(admin, probes).await?;
        let settings = node::Settings {
            kubelet: Kubelet {
                node: identity.node.clone(),
                address: host_ip.to_string(),
                port: kubelet_port,
            },
            identity,
            condition: contract.components.shuttle.node_condition.clone(),
            collectors: Vec::new(),
            lift_startup_taint,
        };
        let kubelets = Kubelets::new(ServiceAccount::mounted(), KUBELET);
        let mut tasks = Tasks::default();
        tasks.start("admin", server.run(stop.clone()));
        let pulse = liveness.watch("node", node::TURNS_WITHIN);
        let role = node::run(
            client()?,
            kubelets,
            settings,
            metrics,
            standing_sender,
            pulse,
            stop.clone(),
        );
        tasks.start("node", role);
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            ended = tasks.one_ended() => return Err(ended.into()),
        }
        tasks.all_ended(STOP).await;
        Ok(())
    }
}

/// What `/readyz` says of the node.
fn statement(standing: &node::Standing) -> Statement {
    let judged = |holds| if holds { Standing::Holds } else { Standing::Fails };
    let (proven, message) = match &standing.verdict {
        None => (Standing::Unknown, "nothing was proven yet"),
        Some(verdict) => (judged(verdict.proven), verdict.message.as_str()),
    };
    let published = match &standing.problem {
        None if standing.ready => Line::new(Standing::Holds, "published", "the node's condition says so"),
        None => Line::new(
            Standing::Fails,
            "published",
            "the node's condition does not say that it is proven",
        ),
        Some(problem) => Line::new(Standing::Fails, "published", problem),
    };
    Statement {
        ready: standing.ready,
        answer: match &standing.problem {
            Some(problem) => problem.clone(),
            None => message.to_owned(),
        },
        lines: vec![Line::new(proven, "node", message), published],
        advice: String::new(),
    }
}
