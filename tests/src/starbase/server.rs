//! Connections: TLS with the certificate that is asked for, HTTP, and the ways in which an answer breaks off.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use anyhow::{Context, Result};
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{HeaderMap, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Sleep, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::answer::Answer;
use super::api::{self, Outcome};
use super::faults::{self, CertificateFault};
use super::request::{BODY_BOUND, Request};
use super::store::Store;
use crate::steps;

/// How long a client may take to shake hands.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// One process's share of a Starbase.
pub(super) struct Server {
    dir: PathBuf,
    store: Store,
    configurations: Mutex<HashMap<Option<CertificateFault>, Arc<ServerConfig>>>,
}

/// A body, or the first half of one: then the connection breaks.
enum Sent {
    Whole(Option<Bytes>),
    Half(Option<Bytes>, Pin<Box<Sleep>>),
}

impl Server {
    pub(super) fn new(dir: &Path) -> Result<Self> {
        Ok(Self {
            dir: dir.to_owned(),
            store: Store::open(dir)?,
            configurations: Mutex::default(),
        })
    }

    /// Serves until it is stopped; connections that are open then are cut.
    pub(super) async fn run(self: Arc<Self>, listener: TcpListener, stop: CancellationToken) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                Some(_) = connections.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        connections.spawn(Arc::clone(&self).connection(stream));
                    }
                    Err(error) => {
                        steps::say(format_args!("Starbase cannot accept a connection: {error}"));
                        sleep(Duration::from_millis(100)).await;
                    }
                },
            }
        }
    }

    async fn connection(self: Arc<Self>, stream: TcpStream) {
        // What goes wrong with one connection is the client's to notice; a broken file is the operator's.
        if let Err(error) = self.serve(stream).await
            && error.downcast_ref::<io::Error>().is_none()
            && error.downcast_ref::<hyper::Error>().is_none()
        {
            steps::say(format_args!("Starbase: {error:#}"));
        }
    }

    async fn serve(self: Arc<Self>, stream: TcpStream) -> Result<()> {
        let server = Arc::clone(&self);
        let config = tokio::task::spawn_blocking(move || server.config()).await??;
        let stream = timeout(HANDSHAKE, TlsAcceptor::from(config).accept(stream))
            .await
            .map_err(io::Error::from)??;
        let service = service_fn(move |request| {
            let server = Arc::clone(&self);
            async move { server.answer(request).await }
        });
        // One request a connection: a fault of the certificate then strikes the very next request.
        hyper::server::conn::http1::Builder::new()
            .keep_alive(false)
            .timer(TokioTimer::new())
            .serve_connection(TokioIo::new(stream), service)
            .await?;
        Ok(())
    }

    fn config(&self) -> Result<Arc<ServerConfig>> {
        let fault = faults::certificate(&self.store)?;
        let mut known = self.configurations.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = known.get(&fault) {
            return Ok(Arc::clone(config));
        }
        let config = super::certificates::config(&self.dir, fault)?;
        known.insert(fault, Arc::clone(&config));
        Ok(config)
    }

    async fn answer(self: Arc<Self>, request: hyper::Request<Incoming>) -> Result<Response<Sent>, io::Error> {
        let (head, body) = request.into_parts();
        let body = match Limited::new(body, BODY_BOUND).collect().await {
            Ok(body) => Some(String::from_utf8_lossy(&body.to_bytes()).into_owned()),
            Err(error) if error.is::<http_body_util::LengthLimitError>() => None,
            Err(error) => return Err(io::Error::other(error)),
        };
        let request = Request {
            method: head.method.to_string(),
            path: head.uri.path().to_owned(),
            headers: headers(&head.headers),
            body,
        };
        let outcome = tokio::task::spawn_blocking(move || api::exchange(&self.store, &request))
            .await
            .map_err(io::Error::other)?;
        let outcome = outcome.map_err(|error| {
            steps::say(format_args!("Starbase failed: {error:#}"));
            io::Error::other("the request could not be answered")
        })?;
        sleep(outcome.delay).await;
        match response(outcome) {
            Some(response) => response.map_err(io::Error::other),
            None => Err(io::Error::other("a fault closes the connection")),
        }
    }
}

impl Body for Sent {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match &mut *self {
            Self::Whole(body) => Poll::Ready(body.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Half(body, pause) => {
                if let Some(bytes) = body.take() {
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                // Until the first half is on its way: what is still buffered when a body fails is thrown away.
                pause
                    .as_mut()
                    .poll(context)
                    .map(|()| Some(Err(io::Error::other("a fault truncates the body"))))
            }
        }
    }
}

/// `None`: no answer at all.
fn response(outcome: Outcome) -> Option<Result<Response<Sent>>> {
    let Answer { status, headers, body } = outcome.answer?;
    let mut builder = Response::builder().status(status);
    for (name, value) in &headers {
        builder = builder.header(name, value);
    }
    if status != 204 {
        builder = builder.header("content-length", body.len());
    }
    let body = Bytes::from(body);
    let sent = if outcome.truncate {
        let half = body.slice(..body.len() / 2);
        Sent::Half(Some(half), Box::pin(sleep(Duration::from_millis(50))))
    } else {
        Sent::Whole((!body.is_empty()).then_some(body))
    };
    Some(builder.body(sent).context("the answer cannot be written"))
}

fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    (headers.iter())
        .map(|(name, value)| {
            (
                name.as_str().to_owned(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect()
}
