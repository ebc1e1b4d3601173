//! Two tasks of the agent without the rest of it: takes part in the election, and labels while it leads. For the tests that
//! kill it: `cargo run -p testbed -- exec -- target/debug/examples/election_and_labels POD CLUSTER-ID REGION [USER]`
//!
//! Says on its standard output when it leads and when it follows, and at its end the labeler's metrics.

#![allow(clippy::print_stdout, reason = "it is its purpose")]

use anyhow::{Context, Result};
use kube::config::KubeConfigOptions;
use prometheus_client::registry::Registry;
use shuttle::identity::Identity;
use shuttle::labeler::{self, Inbox, Metrics};
use shuttle::leader;
use shuttle::liveness::Liveness;
use shuttle::parameters::{ClusterId, Parameters, Region, Token};
use starform_verify::contract::Contract;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> Result<()> {
    starform_verify::collect::install_crypto_provider();
    let filter = tracing_subscriber::EnvFilter::from_default_env();
    let writer = std::io::stderr;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .init();
    let words: Vec<_> = std::env::args().skip(1).collect();
    let [pod, cluster_id, region, rest @ ..] = words.as_slice() else {
        anyhow::bail!("usage: election_and_labels POD CLUSTER-ID REGION [USER]");
    };
    let mut config = kube::Config::from_kubeconfig(&KubeConfigOptions::default()).await?;
    config.default_retry = false;
    config.auth_info.impersonate = rest.first().cloned();
    let client = kube::Client::try_from(config)?;
    let identity = Identity {
        namespace: "starform-system".to_owned(),
        pod: pod.clone(),
        uid: String::new(),
        node: String::new(),
    };
    let parameters = Parameters {
        cluster_id: ClusterId::new(cluster_id).ok().context("no cluster ID")?,
        region: Region::new(region).ok().context("no region")?,
        token: Token::new("none").ok().context("no token")?,
    };
    let (_keep, parameters) = watch::channel(Arc::new(parameters));
    let (leads, leading) = watch::channel(false);
    let (stop, metrics, liveness) = (CancellationToken::new(), Metrics::default(), Liveness::default());
    let mut registry = Registry::default();
    metrics.register(&mut registry);

    let mut said = leading.clone();
    let mut terminate = signal(SignalKind::terminate())?;
    let on_signal = stop.clone();
    let telling = async move {
        loop {
            println!("{}", if *said.borrow_and_update() { "leads" } else { "follows" });
            tokio::select! {
                changed = said.changed() => if changed.is_err() { return },
                _ = terminate.recv() => on_signal.cancel(),
            }
        }
    };
    let contract = Contract::embedded()?;
    let election = leader::run(
        client.clone(),
        leader::Settings::default(),
        &identity,
        leads,
        Arc::new(Notify::new()),
        liveness.watch("leader", Duration::from_secs(30)),
        stop.clone(),
    );
    let inbox = Inbox {
        parameters,
        leading,
        stop: stop.clone(),
    };
    let pulse = liveness.watch("labeler", Duration::from_secs(30));
    let labels = labeler::run(
        client,
        &identity,
        &contract,
        inbox,
        labeler::Settings::default(),
        metrics,
        pulse,
    );
    tokio::join!(election, labels, telling);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry)?;
    print!("{text}");
    anyhow::ensure!(liveness.stuck().is_empty(), "stuck: {:?}", liveness.stuck());
    Ok(())
}
