//! A Starbase that is being served: from this process, or from one within a cluster's network.

use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio_util::sync::CancellationToken;

use super::server::Server;
use crate::network::HOST;
use crate::paths::State;
use crate::{inside, shared, steps};

/// A Starbase that is being served until this is dropped.
#[derive(Debug)]
pub struct Serving {
    address: SocketAddr,
    by: By,
}

#[derive(Debug)]
enum By {
    Thread {
        stop: CancellationToken,
        thread: Option<JoinHandle<()>>,
    },
    Process(Child),
}

impl Serving {
    pub(super) fn here(dir: &Path, address: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(address).with_context(|| format!("{address} cannot be listened on"))?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let (server, stopped) = (Arc::new(Server::new(dir)?), stop.clone());
        let runtime = runtime()?;
        let thread = std::thread::Builder::new()
            .name("starbase".to_owned())
            .spawn(move || run(&runtime, server, listener, stopped))?;
        Ok(Self {
            address,
            by: By::Thread {
                stop,
                thread: Some(thread),
            },
        })
    }

    pub(super) fn within(dir: &Path, cluster: &str, port: u16) -> Result<Self> {
        let state = State::named(cluster);
        let address = SocketAddr::new(HOST.parse::<IpAddr>()?, port);
        let program = shared::program()?;
        let child = inside::within(&state, || {
            Command::new(&program)
                .arg("starbase")
                .arg("--state")
                .arg(dir)
                .args(["serve", "--until-stdin-closes", "--address", &address.to_string()])
                // Goes with the cluster, and with whoever holds its standard input.
                .env(inside::MARK, &state.dir)
                .stdin(Stdio::piped())
                .spawn()
                .context("Starbase's process cannot be started")
        })?;
        let serving = Self {
            address,
            by: By::Process(child),
        };
        steps::until("Starbase", Duration::from_secs(20), || {
            inside::within(&state, || {
                Ok(TcpStream::connect_timeout(&address, Duration::from_secs(1))
                    .map(drop)
                    .map_err(|error| error.to_string()))
            })
        })?;
        Ok(serving)
    }

    /// Where it listens; from a cluster's network it is reachable only there.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL, as the agent wants it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        match &mut self.by {
            By::Thread { stop, thread } => {
                stop.cancel();
                // A thread that panicked has said so itself.
                let _ = thread.take().map(JoinHandle::join);
            }
            By::Process(child) => {
                // It may have gone with its cluster.
                let _ = child.kill();
                let _ = child.wait();
            }
        }
    }
}

/// Serves from the calling thread until it is stopped.
pub(super) fn serve(dir: &Path, address: SocketAddr, stop: CancellationToken) -> Result<()> {
    let listener = TcpListener::bind(address).with_context(|| format!("{address} cannot be listened on"))?;
    steps::say(format_args!("Starbase answers at https://{}", listener.local_addr()?));
    run(&runtime()?, Arc::new(Server::new(dir)?), listener, stop);
    Ok(())
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no runtime can be made")
}

fn run(runtime: &tokio::runtime::Runtime, server: Arc<Server>, listener: TcpListener, stop: CancellationToken) {
    runtime.block_on(async {
        let listener = listener
            .set_nonblocking(true)
            .and_then(|()| tokio::net::TcpListener::from_std(listener));
        match listener {
            Ok(listener) => server.run(listener, stop).await,
            Err(error) => steps::say(format_args!("Starbase cannot listen: {error}")),
        }
    });
}
