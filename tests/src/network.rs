//! The cluster's networks: a bridge in the control plane's network namespace, one veth pair to each node, pod networks
//! routed over it. No uplink: nothing inside reaches anything outside.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::steps;

/// The control plane's address on the bridge: the API server's address and every node's gateway.
pub(crate) const HOST: &str = "10.0.0.254";
/// Where a cluster finds the stores of its region: every name below `STORES_DOMAIN`, by the cluster's DNS.
pub(crate) const STORES: &str = "10.0.0.250";
/// As `manifests/coredns.yaml` has it.
pub(crate) const STORES_DOMAIN: &str = "telemetry.testbed";
/// The first address of the Service network, which Kubernetes gives to the Service `kubernetes`.
pub(crate) const API_SERVICE: &str = "10.96.0.1";
pub(crate) const DNS_SERVICE: &str = "10.96.0.10";
pub(crate) const SERVICES: &str = "10.96.0.0/16";
pub(crate) const PODS: &str = "10.244.0.0/16";

pub(crate) fn node_name(node: u8) -> String {
    format!("node{node}")
}

pub(crate) fn node_address(node: u8) -> String {
    format!("10.0.0.{node}")
}

/// A node's pod network is settled before the node registers, so that its CNI configuration can stand from the start.
pub(crate) fn pod_network(node: u8) -> String {
    format!("10.244.{node}.0/24")
}

/// Runs a short command; the error carries what it said.
pub(crate) fn run(words: &str) -> Result<String> {
    let mut parts = words.split_whitespace();
    let program = parts.next().context("an empty command")?;
    let output = Command::new(program)
        .args(parts)
        .output()
        .with_context(|| format!("`{program}` cannot be started"))?;
    if !output.status.success() {
        bail!(
            "`{words}` failed ({}): {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The bridge, in the namespace of the calling process.
pub(crate) fn create_bridge(nodes: u8) -> Result<()> {
    run("ip link set lo up")?;
    run("ip link add br0 type bridge")?;
    run(&format!("ip addr add {HOST}/24 dev br0"))?;
    run("ip link set br0 up")?;
    forward()?;
    for node in 1..=nodes {
        // Aggregated APIs and webhooks are called at pod addresses.
        run(&format!(
            "ip route add {} via {}",
            pod_network(node),
            node_address(node)
        ))?;
    }
    Ok(())
}

/// Plugs a node's namespace, given by one of its processes, into the bridge.
pub(crate) fn plug(node: u8, process: u32) -> Result<()> {
    let own = fs::read_link("/proc/self/ns/net")?;
    let theirs = format!("/proc/{process}/ns/net");
    steps::until("the node's network namespace", Duration::from_secs(5), || {
        let other = fs::read_link(&theirs).with_context(|| format!("{theirs} cannot be read"))?;
        Ok(if other == own {
            Err("unshare is not yet through".to_owned())
        } else {
            Ok(())
        })
    })?;
    let name = node_name(node);
    run(&format!("ip link add {name} type veth peer name eth0 netns {theirs}"))?;
    run(&format!("ip link set {name} master br0 up")).map(drop)
}

/// A node's side of it, in the node's namespace: waits for the plug, then sets addresses and routes.
pub(crate) fn configure_node(node: u8, nodes: u8) -> Result<()> {
    steps::until("the node's network interface", Duration::from_secs(10), || {
        let devices = fs::read_to_string("/proc/thread-self/net/dev")?;
        Ok(if devices.contains("eth0:") {
            Ok(())
        } else {
            Err("no eth0".to_owned())
        })
    })?;
    run("ip link set lo up")?;
    run(&format!("ip addr add {}/24 dev eth0", node_address(node)))?;
    run("ip link set eth0 up")?;
    run(&format!("ip route add default via {HOST}"))?;
    forward()?;
    for other in (1..=nodes).filter(|other| *other != node) {
        run(&format!(
            "ip route add {} via {}",
            pod_network(other),
            node_address(other)
        ))?;
    }
    Ok(())
}

fn forward() -> Result<()> {
    fs::write("/proc/sys/net/ipv4/ip_forward", "1").context("IP forwarding cannot be switched on")
}
