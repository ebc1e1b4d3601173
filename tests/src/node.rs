//! One node, in a network and a mount namespace of its own: containerd, kubelet, kube-proxy, and the two servers that
//! scenarios redirect traffic to.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::mount::{MsFlags, mount};
use serde_json::json;

use crate::network::{self, DNS_SERVICE, PODS, node_address, node_name, pod_network};
use crate::paths::State;
use crate::processes::Group;
use crate::{cgroups, faults, go_binaries, images, kubelet_filter, paths, steps};

/// Runs for as long as the node lives.
pub(crate) fn run(state: &State, node: u8, nodes: u8) -> Result<()> {
    let name = node_name(node);
    let cgroup = format!("{}/{name}", state.cgroup());
    mount_own(state, &name)?;
    cgroups::create(&cgroup)?;
    let mut group = Group::default();
    group.start(state, &format!("{name}-containerd"), containerd(state, &name)?)?;
    network::configure_node(node, nodes)?;
    write_cni(state, node)?;
    steps::until("containerd", Duration::from_secs(20), || {
        group.check()?;
        Ok(network::run("ctr version")
            .map(drop)
            .map_err(|error| format!("{error:#}")))
    })?;
    let archives = images::archives(&paths::cache())?;
    group.start(state, &format!("{name}-kubelet"), kubelet(state, node, &cgroup)?)?;
    group.start(state, &format!("{name}-kube-proxy"), kube_proxy(state, &name)?)?;
    for archive in archives {
        network::run(&format!("ctr --namespace k8s.io images import {}", archive.display()))?;
    }
    kubelet_filter::serve(state, node)?;
    faults::serve_black_hole()?;
    group.wait(state)
}

/// Gives kubelet and containerd their fixed paths without touching the machine's own.
fn mount_own(state: &State, name: &str) -> Result<()> {
    let none = None::<&str>;
    // Volumes that kubelet mounts must show in the containers.
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_SHARED, none).context("/ cannot be made shared")?;
    for path in [
        "/run",
        "/var/log",
        "/var/lib/kubelet",
        "/var/lib/cni",
        "/var/lib/containerd",
        "/var/lib/fluent-bit",
    ] {
        fs::create_dir_all(path).with_context(|| format!("{path} cannot be created"))?;
    }
    mount(Some("testbed"), "/run", Some("tmpfs"), MsFlags::empty(), none).context("/run cannot be mounted")?;
    for (inner, path) in [
        ("kubelet", "/var/lib/kubelet"),
        ("cni-results", "/var/lib/cni"),
        ("containerd", "/var/lib/containerd"),
        ("pod-logs", "/var/log"),
        // A hostPath of the contract's: what Fluent Bit keeps is the node's.
        ("fluent-bit", "/var/lib/fluent-bit"),
    ] {
        let own = state.path(name).join(inner);
        fs::create_dir_all(&own)?;
        mount(Some(&own), path, none, MsFlags::MS_BIND, none).with_context(|| format!("{path} cannot be mounted"))?;
    }
    mount(none, "/var/lib/kubelet", none, MsFlags::MS_SHARED, none).context("/var/lib/kubelet cannot be shared")
}

fn containerd(state: &State, name: &str) -> Result<Command> {
    let config = state.path(name).join("containerd.toml");
    let text = format!(
        r#"version = 2
[plugins."io.containerd.grpc.v1.cri"]
  # A machine without CAP_SYS_RESOURCE cannot lower oom_score_adj, and runc dies of the attempt.
  restrict_oom_score_adj = true
  sandbox_image = "{pause}"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{cni}"
"#,
        pause = images::PAUSE,
        cni = state.path(name).join("cni").display(),
    );
    fs::write(&config, text)?;
    let mut command = Command::new("containerd");
    command.arg("--config").arg(config);
    Ok(command)
}

fn write_cni(state: &State, node: u8) -> Result<()> {
    let home = state.path(&node_name(node));
    fs::create_dir_all(home.join("cni"))?;
    let config = json!({ "cniVersion": "0.4.0", "name": "testbed", "plugins": [
        { "type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": false, "hairpinMode": true,
          "ipam": { "type": "host-local", "dataDir": home.join("addresses"),
                    "ranges": [[{ "subnet": pod_network(node) }]], "routes": [{ "dst": "0.0.0.0/0" }] } },
        { "type": "portmap", "capabilities": { "portMappings": true } },
    ]});
    Ok(fs::write(home.join("cni/10-bridge.conflist"), config.to_string())?)
}

fn kubelet(state: &State, node: u8, cgroup: &str) -> Result<Command> {
    let name = node_name(node);
    let home = state.path(&name);
    fs::write(home.join("resolv.conf"), format!("nameserver {DNS_SERVICE}\n"))?;
    let config = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "failCgroupV1": false,
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": format!("/{cgroup}"),
        "authentication": {
            "anonymous": { "enabled": false },
            "webhook": { "enabled": true },
            "x509": { "clientCAFile": state.pki("ca.crt") },
        },
        "authorization": { "mode": "Webhook" },
        "clusterDNS": [DNS_SERVICE],
        "clusterDomain": "cluster.local",
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "tlsCertFile": state.pki(&format!("{name}-serving.crt")),
        "tlsPrivateKeyFile": state.pki(&format!("{name}-serving.key")),
        "failSwapOn": false,
        // How long a changed Secret or ConfigMap may take to show in a pod: a minute by default, which tests would wait.
        "syncFrequency": "10s",
        "resolvConf": home.join("resolv.conf"),
        // As on DOKS, where it is the droplet's number.
        "providerID": format!("digitalocean://41000000{node}"),
        "evictionHard": { "memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%" },
        "imageGCHighThresholdPercent": 100,
        "imageMinimumGCAge": "24h",
    });
    fs::write(home.join("kubelet.json"), config.to_string())?;
    let mut command = Command::new(go_binaries::binary("kubelet")?);
    command
        .arg(format!("--config={}", home.join("kubelet.json").display()))
        .arg(format!("--kubeconfig={}", state.kubeconfig(&name).display()))
        .args([
            format!("--hostname-override={name}"),
            format!("--node-ip={}", node_address(node)),
            "--node-labels=doks.digitalocean.com/node-pool=pool-a,topology.kubernetes.io/region=nyc3,\
             node.kubernetes.io/instance-type=s-2vcpu-4gb"
                .to_owned(),
        ]);
    Ok(command)
}

fn kube_proxy(state: &State, name: &str) -> Result<Command> {
    let path = state.path(name).join("kube-proxy.json");
    let config = json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clusterCIDR": PODS,
        "clientConnection": { "kubeconfig": state.kubeconfig("kube-proxy") },
        "hostnameOverride": name,
        "conntrack": { "maxPerCore": 0 },
    });
    fs::write(&path, config.to_string())?;
    let mut command = Command::new(go_binaries::binary("kube-proxy")?);
    command.arg("--config").arg(path);
    Ok(command)
}
