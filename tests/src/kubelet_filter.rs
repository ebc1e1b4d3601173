//! A kubelet that knows its node but not its pods: a TLS server with the node's own certificate that asks the real
//! kubelet and leaves every pod and container row out of /metrics/resource. kubelets have done so for real when their
//! container runtime gave them no statistics.

use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::https::{Client, header, identity, provider, read_head};
use crate::network::{node_address, node_name};
use crate::paths::State;

pub(crate) const PORT: u16 = 10251;

/// Listens on a node for as long as the node lives. Idle unless a scenario sends traffic there.
pub(crate) fn serve(state: &State, node: u8) -> Result<()> {
    let name = node_name(node);
    let (chain, key) = identity(&state.pki(&format!("{name}.crt")), &state.pki(&format!("{name}.key")))?;
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    let config = Arc::new(config);
    let kubelet: SocketAddr = format!("{}:10250", node_address(node)).parse()?;
    let listener = TcpListener::bind(("0.0.0.0", PORT)).context("the kubelet filter cannot listen")?;
    let state = State {
        name: state.name.clone(),
        dir: state.dir.clone(),
    };
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let Ok(upstream) = Client::new(&state, kubelet, None) else {
                continue;
            };
            let config = Arc::clone(&config);
            // A client that hung up, or a kubelet that did, is what the asker sees too.
            std::thread::spawn(move || answer_all(config, upstream, socket));
        }
    });
    Ok(())
}

fn answer_all(config: Arc<ServerConfig>, mut upstream: Client, socket: TcpStream) -> Result<()> {
    socket.set_read_timeout(Some(Duration::from_mins(2)))?;
    let mut stream = BufReader::new(StreamOwned::new(ServerConnection::new(config)?, socket));
    loop {
        let head = read_head(&mut stream)?;
        let path = head
            .first()
            .and_then(|line| line.split(' ').nth(1))
            .context("no request line")?;
        let mut headers = Vec::new();
        for name in ["Authorization", "Accept"] {
            if let Some(value) = header(&head, name) {
                headers.push((name, value));
            }
        }
        let answer = upstream.request("GET", path, &headers, b"")?;
        let body = without_pods(&String::from_utf8_lossy(&answer.body));
        let out = stream.get_mut();
        write!(
            out,
            "HTTP/1.1 {} testbed\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {}\r\n\r\n",
            answer.status,
            body.len()
        )?;
        out.write_all(body.as_bytes())?;
        out.flush()?;
    }
}

/// The exposition without the families of containers and pods.
fn without_pods(text: &str) -> String {
    let of_pods = |line: &str| {
        let line = line.trim_start_matches("# HELP ").trim_start_matches("# TYPE ");
        line.starts_with("container_") || line.starts_with("pod_")
    };
    text.split_inclusive('\n').filter(|line| !of_pods(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::without_pods;

    #[test]
    fn leaves_the_node_rows() {
        let text = "# HELP container_cpu x\n# TYPE container_cpu counter\ncontainer_cpu{a=\"b\"} 1\n\
                    # TYPE node_cpu counter\nnode_cpu 2\npod_cpu{} 3\nscrape_error 0\n";
        assert_eq!(
            without_pods(text),
            "# TYPE node_cpu counter\nnode_cpu 2\nscrape_error 0\n"
        );
    }
}
