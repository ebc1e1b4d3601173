//! The control plane, in namespaces of its own and as their first process: etcd, the API server, the controllers, the
//! scheduler, then the nodes. When any of them ends, this ends, and the kernel ends all the others.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::https::Client;
use crate::network::{self, HOST, PODS, SERVICES, node_name, pod_network};
use crate::paths::State;
use crate::processes::Group;
use crate::{authority, charts, go_binaries, kubeconfig, repository, steps};

/// The file in which it tells the `up` that started it how far it is.
pub(crate) const EVENTS: &str = "events";

/// Runs for as long as the cluster lives.
pub(crate) fn run(state: &State, nodes: u8) -> Result<()> {
    let mut group = Group::default();
    if let Err(error) = start(state, nodes, &mut group) {
        tell(state, &format!("failed\t{error:#}"))?;
        return Err(error);
    }
    tell(state, "ready\t")?;
    group.wait(state)
}

fn tell(state: &State, event: &str) -> Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(state.path(EVENTS))?;
    // One line per event, whatever an error's text looks like.
    writeln!(file, "{}", event.replace('\n', "\u{b}")).context("the events cannot be written")
}

fn start(state: &State, nodes: u8, group: &mut Group) -> Result<()> {
    let mut clock = Instant::now();
    let mut step = |what: &str| {
        let took = clock.elapsed().as_millis();
        clock = Instant::now();
        tell(state, &format!("step\t{took}\t{what}"))
    };
    network::create_bridge(nodes)?;
    authority::create(state, nodes)?;
    let names: Vec<_> = (1..=nodes).map(node_name).collect();
    let mut users = vec!["admin", "controller-manager", "scheduler", "kube-proxy"];
    users.extend(names.iter().map(String::as_str));
    kubeconfig::write(state, &users)?;
    group.start(state, "etcd", etcd(state))?;
    group.start(state, "kube-apiserver", api_server(state)?)?;
    // containerd and the images need no API server: the nodes start at the same time.
    for node in 1..=nodes {
        start_node(state, node, nodes, group)?;
    }
    repository::serve(state)?;
    charts::wrap_helm(state)?;
    step("networks, certificates, processes started")?;
    let mut client = Client::api_server(state)?;
    wait_for_api(&mut client, group)?;
    step("API server ready")?;
    group.start(state, "kube-controller-manager", controller_manager(state)?)?;
    let mut scheduler = Command::new(go_binaries::binary("kube-scheduler")?);
    scheduler.arg(flag_path("--kubeconfig", &state.kubeconfig("scheduler")));
    scheduler.args(["--leader-elect=false", "--bind-address=127.0.0.1"]);
    group.start(state, "kube-scheduler", scheduler)?;
    for node in 1..=nodes {
        admit(&mut client, node, group)?;
    }
    step("nodes Ready")
}

fn etcd(state: &State) -> Command {
    let mut command = Command::new("etcd");
    command.arg("--data-dir").arg(state.path("etcd")).args([
        // The data does not outlive the cluster.
        "--unsafe-no-fsync=true",
        "--listen-client-urls=http://127.0.0.1:2379",
        "--advertise-client-urls=http://127.0.0.1:2379",
        "--listen-peer-urls=http://127.0.0.1:2380",
    ]);
    command
}

fn flag_path(flag: &str, path: &std::path::Path) -> String {
    format!("{flag}={}", path.display())
}

fn api_server(state: &State) -> Result<Command> {
    let mut command = Command::new(go_binaries::binary("kube-apiserver")?);
    command.args([
        "--etcd-servers=http://127.0.0.1:2379",
        "--secure-port=6443",
        "--bind-address=0.0.0.0",
        &format!("--advertise-address={HOST}"),
        &format!("--service-cluster-ip-range={SERVICES}"),
        "--service-account-issuer=https://kubernetes.default.svc",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged",
        "--kubelet-preferred-address-types=InternalIP",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        // This host has no kube-proxy: aggregated APIs are called at their endpoints, not at their Service's address.
        "--enable-aggregator-routing=true",
        // `scale 0` removes thousands of pods with one request.
        "--delete-collection-workers=8",
    ]);
    for (flag, file) in [
        ("--client-ca-file", "ca.crt"),
        ("--tls-cert-file", "apiserver.crt"),
        ("--tls-private-key-file", "apiserver.key"),
        ("--service-account-key-file", "service-accounts.pub"),
        ("--service-account-signing-key-file", "service-accounts.key"),
        ("--kubelet-client-certificate", "admin.crt"),
        ("--kubelet-client-key", "admin.key"),
        ("--requestheader-client-ca-file", "ca.crt"),
        ("--proxy-client-cert-file", "front-proxy.crt"),
        ("--proxy-client-key-file", "front-proxy.key"),
    ] {
        command.arg(flag_path(flag, &state.pki(file)));
    }
    Ok(command)
}

fn controller_manager(state: &State) -> Result<Command> {
    let mut command = Command::new(go_binaries::binary("kube-controller-manager")?);
    command
        .arg(flag_path("--kubeconfig", &state.kubeconfig("controller-manager")))
        .arg(flag_path(
            "--service-account-private-key-file",
            &state.pki("service-accounts.key"),
        ))
        .arg(flag_path("--root-ca-file", &state.pki("ca.crt")))
        .args([
            "--use-service-account-credentials",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            // Its conditions tell of an earlier state until it looks again; nothing scales here, tests wait for them.
            "--horizontal-pod-autoscaler-sync-period=3s",
        ])
        .args([&format!("--cluster-cidr={PODS}"), "--allocate-node-cidrs=false"]);
    Ok(command)
}

fn start_node(state: &State, node: u8, nodes: u8, group: &mut Group) -> Result<()> {
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "--net", "--"])
        .arg(std::env::current_exe()?)
        .args(["--name", &state.name, "node"]);
    command.args([node.to_string(), nodes.to_string()]);
    let pid = group.start(state, &node_name(node), command)?;
    // Seen through this namespace's /proc, by which the commands from outside find the node's namespaces.
    fs::write(state.path(&format!("{}.pid", node_name(node))), pid.to_string())?;
    network::plug(node, pid)
}

fn wait_for_api(client: &mut Client, group: &Group) -> Result<()> {
    steps::until("the API server", Duration::from_mins(1), || {
        group.check()?;
        Ok(match client.get("/readyz") {
            Ok(answer) if answer.status == 200 => Ok(()),
            Ok(answer) => Err(format!(
                "HTTP {}: {}",
                answer.status,
                String::from_utf8_lossy(&answer.body)
            )),
            Err(error) => Err(format!("{error:#}")),
        })
    })
}

/// Gives a node its pod network as soon as it has registered, and waits until it is Ready.
fn admit(client: &mut Client, node: u8, group: &Group) -> Result<()> {
    let name = node_name(node);
    let path = format!("/api/v1/nodes/{name}");
    let network = pod_network(node);
    let change = serde_json::json!({ "spec": { "podCIDR": network, "podCIDRs": [network] } }).to_string();
    let mut patched = false;
    steps::until(&format!("node {name}"), Duration::from_mins(1), || {
        group.check()?;
        let answer = client.get(&path)?;
        if answer.status != 200 {
            return Ok(Err(format!("not registered (HTTP {})", answer.status)));
        }
        if !patched {
            let headers = [("Content-Type", "application/strategic-merge-patch+json")];
            let answer = client.request("PATCH", &path, &headers, change.as_bytes())?;
            if answer.status != 200 {
                bail!(
                    "PATCH {path}: HTTP {}: {}",
                    answer.status,
                    String::from_utf8_lossy(&answer.body)
                );
            }
            patched = true;
        }
        let object: serde_json::Value = serde_json::from_slice(&answer.body)?;
        let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let ready = conditions.iter().find(|condition| condition["type"] == "Ready");
        Ok(match ready {
            Some(condition) if condition["status"] == "True" => Ok(()),
            Some(condition) => Err(condition["message"].to_string()),
            None => Err("no condition Ready yet".to_owned()),
        })
    })
}
