//! The way from a cluster's network to a region's stores, which have a network of their own.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::{Context, Result};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::network::STORES;
use crate::{Cluster, inside, steps};

/// Vector's, vmauth's and `ClickHouse`'s.
pub(super) const PORTS: [u16; 3] = [8080, 8427, 8443];
/// Connections at a time; another one waits.
const CONNECTIONS: usize = 256;

/// While it lives, a cluster reaches the stores of a region, under their names.
#[derive(Debug)]
pub struct Reach {
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Reach {
    pub(super) fn open(cluster: &Cluster, stores: PathBuf) -> Result<Self> {
        let address = format!("{STORES}/32");
        inside::run(&cluster.state, &["ip", "address", "replace", &address, "dev", "br0"])?;
        // A socket stays in the network that it was made in: these in the cluster's, connections in the stores'.
        let listeners = inside::within(&cluster.state, || {
            PORTS.map(listen).into_iter().collect::<Result<Vec<TcpListener>>>()
        })?;
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let thread = std::thread::Builder::new().name("stores".to_owned()).spawn(move || {
            if let Err(error) = relay(&stores, listeners, &stopped) {
                steps::say(format_args!("the stores cannot be reached: {error:#}"));
            }
        })?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Reach {
    fn drop(&mut self) {
        self.stop.cancel();
        // A thread that panicked has said so itself.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn listen(port: u16) -> Result<TcpListener> {
    let listener = TcpListener::bind((STORES, port))
        .with_context(|| format!("{STORES}:{port} cannot be listened on: is another region's within reach?"))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn relay(stores: &Path, listeners: Vec<TcpListener>, stop: &CancellationToken) -> Result<()> {
    inside::in_namespace(stores, || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("no runtime can be made")?;
        let serving = runtime.block_on(async {
            let room = Arc::new(Semaphore::new(CONNECTIONS));
            let mut tasks = tokio::task::JoinSet::new();
            for listener in listeners {
                let port = listener.local_addr()?.port();
                let listener = tokio::net::TcpListener::from_std(listener)?;
                tasks.spawn(accept(listener, port, Arc::clone(&room)));
            }
            stop.cancelled().await;
            Ok(())
        });
        // With the runtime every connection ends.
        runtime.shutdown_background();
        serving
    })
}

async fn accept(listener: tokio::net::TcpListener, port: u16, room: Arc<Semaphore>) {
    while let Ok(place) = Arc::clone(&room).acquire_owned().await {
        let Ok((mut near, _)) = listener.accept().await else {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            continue;
        };
        tokio::spawn(async move {
            // A store that is down refuses, and so does this: the connection is closed.
            if let Ok(mut far) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            }
            drop(place);
        });
    }
}
