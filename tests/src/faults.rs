//! Faults below Kubernetes: what a node does to traffic and what its kubelet serves. All of it is undone by `clear`.

use std::fs;
use std::net::TcpListener;

use anyhow::{Context, Result, bail};

use crate::network::{self, PODS, node_address, node_name};
use crate::paths::State;
use crate::processes::restart_wanted;
use crate::{authority, inside, kubelet_filter, leftovers};

/// Accepts connections and never answers: a process that hangs.
const BLACK_HOLE: u16 = 10252;
const KUBE_STATE_METRICS: u16 = 8080;
const KUBELET: u16 = 10250;
/// The chain that holds every rule of ours, so that clearing is flushing it.
const CHAIN: &str = "TESTBED-FAULTS";

/// Listens on a node for as long as the node lives. Idle unless a scenario sends traffic there.
pub(crate) fn serve_black_hole() -> Result<()> {
    let listener = TcpListener::bind(("0.0.0.0", BLACK_HOLE)).context("the black hole cannot listen")?;
    std::thread::spawn(move || {
        let mut held = Vec::new();
        held.extend(listener.incoming().flatten());
    });
    Ok(())
}

/// Requests to one pod of kube-state-metrics hang for everyone but the kubelet of its node, whose traffic is local.
pub(crate) fn hang(state: &State, node: u8, pod_address: &str) -> Result<()> {
    redirect(
        state,
        node,
        &format!("-d {pod_address}/32"),
        KUBE_STATE_METRICS,
        BLACK_HOLE,
    )
}

/// What pods ask a kubelet goes through the filter that leaves out containers and pods.
pub(crate) fn filter_kubelet(state: &State, node: u8) -> Result<()> {
    // This kubelet only: a pod's way to the other node's leads through here too.
    redirect(
        state,
        node,
        &format!("-s {PODS} -d {}/32", node_address(node)),
        KUBELET,
        kubelet_filter::PORT,
    )
}

/// A node's kubelet serves a certificate that the cluster's authority has not issued.
pub(crate) fn refuse_certificate(state: &State, node: u8) -> Result<()> {
    let name = node_name(node);
    authority::serve(state, &name, &format!("{name}-self-signed"))?;
    restart_kubelet(state, &name)
}

/// kubelet does watch its serving certificate's files, but gives a client that names no host, as one that connects to
/// an address, the certificate that it started with.
pub(crate) fn restart_kubelet(state: &State, node: &str) -> Result<()> {
    let config = format!("--config={}", state.path(node).join("kubelet.json").display());
    restart(state, &format!("{node}-kubelet"), |line| line.contains(&config))
}

/// Kills a member of the cluster's processes, found by its command line, and has it started again.
pub(crate) fn restart(state: &State, member: &str, is_member: impl Fn(&[String]) -> bool) -> Result<()> {
    for pid in leftovers::processes(state) {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line: Vec<_> = String::from_utf8_lossy(&line).split('\0').map(str::to_owned).collect();
        if is_member(&line) {
            fs::write(restart_wanted(state, member), "")?;
            return leftovers::kill_process(pid);
        }
    }
    bail!("the cluster has no process {member}")
}

fn redirect(state: &State, node: u8, which: &str, from: u16, to: u16) -> Result<()> {
    inside::within_node(state, node, || {
        if network::run(&format!("iptables -t nat -S {CHAIN}")).is_err() {
            network::run(&format!("iptables -t nat -N {CHAIN}"))?;
            network::run(&format!("iptables -t nat -I PREROUTING -j {CHAIN}"))?;
        }
        network::run(&format!(
            "iptables -t nat -A {CHAIN} {which} -p tcp --dport {from} -j REDIRECT --to-ports {to}"
        ))?;
        forget(from);
        Ok(())
    })
}

/// Has connections that stand already, which NAT would leave alone, go the way that new ones go. That there is none
/// counts as an error of conntrack's, so its exit code says nothing.
fn forget(port: u16) {
    let _ = network::run(&format!("conntrack -D -p tcp --orig-port-dst {port}"));
}

/// Puts every node back in order.
pub(crate) fn clear(state: &State, nodes: u8) -> Result<()> {
    for node in 1..=nodes {
        let name = node_name(node);
        if authority::serve(state, &name, &name)? {
            restart_kubelet(state, &name)?;
        }
        inside::within_node(state, node, || {
            if network::run(&format!("iptables -t nat -S {CHAIN}")).is_ok() {
                network::run(&format!("iptables -t nat -F {CHAIN}"))?;
                forget(KUBE_STATE_METRICS);
                forget(KUBELET);
            }
            Ok(())
        })?;
    }
    Ok(())
}
