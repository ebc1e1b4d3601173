//! One listener: accepts, bounds, and hands each request to the routes.

use super::answer::{Answer, Routes};
use http::header::{ALLOW, HOST, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, debug, info_span, warn};

/// A client that has not sent its headers by then is cut off: a connection costs it as much as it costs the agent.
const HEADERS_WITHIN: Duration = Duration::from_secs(2);
/// The least that hyper allows. A probe's headers are some 200 bytes.
const HEADERS_AT_MOST: usize = 8 * 1024;
/// One request from connection to the last byte, so that a client that does not read its answer holds no place for long.
const WHOLE_REQUEST_WITHIN: Duration = Duration::from_secs(10);
/// More than these wait in the kernel's queue until one is done, 2 s at the most where all are silent.
const CONNECTIONS: usize = 64;
/// How long requests under way may take once the server is stopped.
const STOP_WITHIN: Duration = Duration::from_secs(2);
/// After an error of `accept`, such as too many open files: trying again at once would only burn the processor.
const ACCEPT_AGAIN: Duration = Duration::from_millis(200);

/// A listener and its routes.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    routes: Arc<dyn Routes>,
}

/// Why a listener could not be had.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The address is taken, or not this machine's.
    #[error("listening on {address} was refused: {error}; is another process listening there?")]
    Refused {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// The page and the report are for whoever may forward a port into this pod, and nobody else.
    #[error(
        "{0} is no loopback address: the status page and the report are served on loopback only, such as 127.0.0.1"
    )]
    NotLoopback(SocketAddr),
}

// === impl Server ===

impl Server {
    /// Listens on any address. Port 0 takes a free one.
    ///
    /// # Errors
    /// Where the address cannot be had.
    pub async fn bind(address: SocketAddr, routes: impl Routes) -> Result<Self, BindError> {
        let refused = |error| BindError::Refused { address, error };
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        Ok(Self {
            listener,
            address,
            routes: Arc::new(routes),
        })
    }

    /// Listens on a loopback address.
    ///
    /// # Errors
    /// Where the address is no loopback address, or cannot be had.
    pub async fn bind_loopback(address: SocketAddr, routes: impl Routes) -> Result<Self, BindError> {
        if address.ip().is_loopback() {
            Self::bind(address, routes).await
        } else {
            Err(BindError::NotLoopback(address))
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until it is stopped, then lets requests under way end, 2 s at the most.
    pub async fn run(self, stop: CancellationToken) {
        let Self {
            listener,
            address: _,
            routes,
        } = self;
        let graceful = GracefulShutdown::new();
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        let mut connections = JoinSet::new();
        loop {
            // A place first, then the connection: what has none waits in the kernel.
            let accepted = async {
                let place = Arc::clone(&places).acquire_owned().await;
                (place, listener.accept().await)
            };
            let (place, accepted) = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                accepted = accepted => accepted,
                Some(_) = connections.join_next() => continue,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    warn!(%error, "accepting a connection was refused");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                    continue;
                }
            };
            let serving = serve(stream, Arc::clone(&routes), graceful.watcher());
            let serving = async move {
                serving.await;
                drop(place);
            };
            connections.spawn(serving.instrument(info_span!("admin", %peer)));
        }
        drop(listener);
        // What is not done by then is aborted with the set.
        let _ = tokio::time::timeout(STOP_WITHIN, graceful.shutdown()).await;
    }
}

/// One connection, which is one request: the kubelet opens one for each probe, and nothing else asks often.
async fn serve(stream: TcpStream, routes: Arc<dyn Routes>, watcher: hyper_util::server::graceful::Watcher) {
    let service = service_fn(move |request: Request<hyper::body::Incoming>| {
        let response = respond(&request, routes.as_ref());
        async move { Ok::<_, Infallible>(response) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .max_buf_size(HEADERS_AT_MOST)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    match tokio::time::timeout(WHOLE_REQUEST_WITHIN, watcher.watch(connection)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => debug!(%error, "a connection ended early"),
        Err(_) => debug!("a client that did not read its answer was cut off"),
    }
}

fn respond<B>(request: &Request<B>, routes: &dyn Routes) -> Response<Full<Bytes>> {
    let host = request
        .headers()
        .get(HOST)
        .map(|host| host.to_str().unwrap_or_default());
    if !routes.accepts(host) {
        let message = "ask for localhost: a page of another name must not read this one through your browser\n";
        return Answer::text(StatusCode::FORBIDDEN, message).into_response();
    }
    // hyper leaves out the body where the request is a HEAD.
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response =
            Answer::text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are answered here\n").into_response();
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let uri = request.uri();
    routes
        .answer(uri.path(), uri.query().unwrap_or_default())
        .unwrap_or_else(|| Answer::text(StatusCode::NOT_FOUND, "there is no such path here\n"))
        .into_response()
}
