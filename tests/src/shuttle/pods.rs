//! A pod from outside: its logs, its process, what it serves.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::network::node_name;
use crate::up::NODES;
use crate::{Cluster, inside};

/// The port `admin` of the manifests.
const ADMIN: u16 = 8080;
/// The status page's, on the pod's own loopback.
const STATUS: u16 = 8081;

/// What a pod's server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
}

impl Cluster {
    /// The pod as the API server has it.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn pod(&self, namespace: &str, name: &str) -> Result<Value> {
        let words = ["kubectl", "--namespace", namespace, "get", "pod", name, "--output=json"];
        Ok(serde_json::from_str(&self.run(&words)?)?)
    }

    /// The names of the pods that a selector selects.
    ///
    /// # Errors
    ///
    /// When the API server does not answer.
    pub fn pods(&self, namespace: &str, selector: &str) -> Result<Vec<String>> {
        let words = [
            "kubectl",
            "--namespace",
            namespace,
            "get",
            "pods",
            "--selector",
            selector,
            "--output=name",
        ];
        let names = self.run(&words)?;
        Ok(names
            .lines()
            .map(|name| name.trim_start_matches("pod/").to_owned())
            .collect())
    }

    /// A pod's log, or that of its container's earlier run.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn logs(&self, namespace: &str, pod: &str, previous: bool) -> Result<String> {
        let previous = format!("--previous={previous}");
        self.run(&["kubectl", "--namespace", namespace, "logs", pod, &previous])
    }

    /// GET from a pod's admin server, at the pod's own address: `/readyz?verbose`.
    ///
    /// # Errors
    ///
    /// When the pod has no address, or does not answer.
    pub fn admin(&self, namespace: &str, pod: &str, path: &str) -> Result<Answer> {
        let object = self.pod(namespace, pod)?;
        let address = object["status"]["podIP"]
            .as_str()
            .with_context(|| format!("{pod} has no address"))?;
        let address = SocketAddr::new(address.parse()?, ADMIN);
        inside::within(&self.state, || get(address, path))
    }

    /// GET from the server on a pod's loopback, as `kubectl port-forward` does: `/report.json`.
    ///
    /// # Errors
    ///
    /// When the pod's container does not run, or does not answer.
    pub fn status_page(&self, namespace: &str, pod: &str, path: &str) -> Result<Answer> {
        let (node, container) = self.container(namespace, pod)?;
        let tasks = inside::run_on_node(&self.state, node, &["ctr", "--namespace", "k8s.io", "tasks", "list"])?;
        let mut rows = tasks.lines().filter_map(|line| line.strip_prefix(container.as_str()));
        let process = rows.find_map(|rest| rest.split_whitespace().next());
        let process = process
            .with_context(|| format!("the container of {pod} has no process"))?
            .parse()?;
        inside::within_process(&self.state, process, || {
            get(SocketAddr::from(([127, 0, 0, 1], STATUS)), path)
        })
    }

    /// Kills a pod's process as `kill -9` does.
    ///
    /// # Errors
    ///
    /// When its container does not run.
    pub fn kill_container(&self, namespace: &str, pod: &str) -> Result<()> {
        let (node, container) = self.container(namespace, pod)?;
        let kill = [
            "ctr",
            "--namespace",
            "k8s.io",
            "tasks",
            "kill",
            "--signal",
            "SIGKILL",
            &container,
        ];
        inside::run_on_node(&self.state, node, &kill).map(drop)
    }

    /// The node and containerd's ID of a pod's one container.
    fn container(&self, namespace: &str, pod: &str) -> Result<(u8, String)> {
        let object = self.pod(namespace, pod)?;
        let node = object["spec"]["nodeName"]
            .as_str()
            .with_context(|| format!("{pod} is on no node"))?;
        let node = (1..=NODES)
            .find(|number| node_name(*number) == node)
            .context("a node of another cluster")?;
        let id = object["status"]["containerStatuses"][0]["containerID"].as_str();
        let id = id.and_then(|id| id.strip_prefix("containerd://"));
        Ok((
            node,
            id.with_context(|| format!("{pod} has no container yet"))?.to_owned(),
        ))
    }
}

/// One request on one connection, without TLS.
fn get(address: SocketAddr, path: &str) -> Result<Answer> {
    let unanswered = || format!("http://{address}{path} does not answer");
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(2)).with_context(unanswered)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    // 1.0: the end of the connection is the end of the body.
    stream
        .write_all(format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").as_bytes())
        .with_context(unanswered)?;
    let mut text = Vec::new();
    stream.read_to_end(&mut text).with_context(unanswered)?;
    let text = String::from_utf8(text).context("the answer is no UTF-8")?;
    let (head, body) = text
        .split_once("\r\n\r\n")
        .with_context(|| format!("an answer without a head: {text}"))?;
    let status = head.split(' ').nth(1).context("no status line")?.parse()?;
    Ok(Answer {
        status,
        body: body.to_owned(),
    })
}
