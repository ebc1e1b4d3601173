//! The Helm repositories: a tiny web server on the control plane's loopback that serves the packaged charts.

use std::fs;
use std::io::{BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};

use crate::https::read_head;
use crate::paths::State;

pub(crate) const ADDRESS: &str = "127.0.0.1:8879";

/// Serves the folder of charts until the process ends.
pub(crate) fn serve(state: &State) -> Result<()> {
    let listener = TcpListener::bind(ADDRESS).with_context(|| format!("{ADDRESS} cannot be listened on"))?;
    let root = state.path("charts");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that hung up is its own affair.
            let _ = answer(&root, &stream);
        }
    });
    Ok(())
}

fn answer(root: &Path, mut stream: &TcpStream) -> Result<()> {
    let head = read_head(&mut BufReader::new(stream))?;
    let target = head.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
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
