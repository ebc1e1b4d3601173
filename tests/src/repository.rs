//! The Helm repositories: a tiny web server on the control plane's loopback that serves the packaged charts; and a proxy beside
//! it that answers for the addresses that the install contract gives them, so that a printed command finds its chart there.

use std::fs;
use std::io::{BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use starform_verify::contract::Contract;

use crate::https::{identity, provider, read_head};
use crate::paths::State;

pub(crate) const ADDRESS: &str = "127.0.0.1:8879";
/// Where the proxy listens.
pub(crate) const PROXY: &str = "127.0.0.1:8880";

/// A repository of the contract.
#[derive(Clone)]
struct Repository {
    /// Its name, and the folder that its chart is in.
    name: String,
    host: String,
    /// What its paths begin with.
    path: String,
}

/// Serves the folder of charts until the process ends.
pub(crate) fn serve(state: &State) -> Result<()> {
    let root = state.path("charts");
    let plain = root.clone();
    listen(ADDRESS, move |stream| {
        let head = read_head(&mut BufReader::new(&mut *stream))?;
        answer(stream, &plain, &target(&head))
    })?;
    let (chain, key) = identity(&state.pki("repositories.crt"), &state.pki("repositories.key"))?;
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    let (config, repositories) = (Arc::new(config), repositories()?);
    listen(PROXY, move |stream| tunnel(stream, &config, &root, &repositories))
}

/// The hosts that the contract's repositories are at.
pub(crate) fn hosts() -> Result<Vec<String>> {
    let mut hosts: Vec<String> = repositories()?.into_iter().map(|repository| repository.host).collect();
    hosts.sort_unstable();
    hosts.dedup();
    Ok(hosts)
}

fn repositories() -> Result<Vec<Repository>> {
    let contract = Contract::embedded()?;
    let addresses = contract.repositories().into_iter();
    addresses
        .map(|(name, address)| {
            let rest = address.strip_prefix("https://");
            let rest = rest.with_context(|| format!("{address} is not read by https"))?;
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            Ok(Repository {
                name: name.to_owned(),
                host: host.to_owned(),
                path: format!("/{}", path.trim_end_matches('/')),
            })
        })
        .collect()
}

/// Takes every connection at an address, one at a time. A client that hung up is its own affair.
fn listen(address: &'static str, serve: impl Fn(&mut TcpStream) -> Result<()> + Send + 'static) -> Result<()> {
    let listener = TcpListener::bind(address).with_context(|| format!("{address} cannot be listened on"))?;
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = serve(&mut stream);
        }
    });
    Ok(())
}

/// Answers a request for a tunnel in the place of whom it is to.
fn tunnel(stream: &mut TcpStream, config: &Arc<ServerConfig>, root: &Path, repositories: &[Repository]) -> Result<()> {
    let head = read_head(&mut BufReader::new(&*stream))?;
    let host = target(&head);
    let host = host.split(':').next().unwrap_or_default();
    if !repositories.iter().any(|repository| repository.host == host) {
        return Ok(write!(
            stream,
            "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )?);
    }
    stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(config))?, stream);
    let head = read_head(&mut BufReader::new(&mut stream))?;
    let target = target(&head);
    let found = repositories.iter().filter(|repository| repository.host == host);
    let inner = found.filter_map(|repository| Some((repository, target.strip_prefix(repository.path.as_str())?)));
    let mut inner = inner.map(|(repository, rest)| format!("/{}/{}", repository.name, rest.trim_start_matches('/')));
    answer(&mut stream, root, &inner.next().unwrap_or_default())?;
    stream.conn.send_close_notify();
    Ok(stream.flush()?)
}

/// What a request asks for.
fn target(head: &[String]) -> String {
    let target = head.first().and_then(|line| line.split(' ').nth(1));
    target.unwrap_or_default().to_owned()
}

fn answer(stream: &mut (impl Read + Write), root: &Path, target: &str) -> Result<()> {
    let inner = PathBuf::from(target.trim_start_matches('/'));
    let plain = inner
        .components()
        .all(|component| matches!(component, Component::Normal(_)));
    let (status, body) = match plain.then(|| fs::read(root.join(&inner))) {
        Some(Ok(body)) => ("200 OK", body),
        _ => ("404 Not Found", Vec::new()),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    Ok(stream.write_all(&body)?)
}
