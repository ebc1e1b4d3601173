//! A server of one test: answers as it is told, whole, cut or never, over TLS or without.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "it is part of tests; clippy knows only those functions that are tests themselves"
)]

use super::{Kubelet, ServiceAccount};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) path: String,
    /// All headers, in lower case.
    pub(crate) headers: String,
    pub(crate) body: String,
}

/// An answer.
pub(crate) enum Reply {
    /// Status, content type, body.
    Whole(u16, &'static str, Vec<u8>),
    /// 200, and the connection stays open for another request.
    Kept,
    /// 200, and less than was promised; then the connection closes.
    Cut(Vec<u8>),
    /// 200, and these bytes again and again.
    Endless(Vec<u8>),
    /// Never.
    Hang,
    /// Another place.
    Elsewhere(String),
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

/// A certificate authority.
pub(crate) struct Authority {
    pub(crate) pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// What a server serves with.
pub(crate) struct Serving {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

/// The exposition that a kubelet answers with.
pub(crate) const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

type Answer = dyn Fn(&Request) -> Reply + Send + Sync;

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        Self { pem, issuer }
    }

    /// A certificate for an address; one that expired years ago, where it is to.
    pub(crate) fn serving(&self, address: &str, expired: bool) -> Serving {
        let mut params = CertificateParams::new(vec![address.to_owned()]).unwrap();
        if expired {
            params.not_before = rcgen::date_time_ymd(2020, 1, 1);
            params.not_after = rcgen::date_time_ymd(2021, 1, 1);
        }
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Serving {
            certificate: certificate.der().clone(),
            key: PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        }
    }

    /// The files of a ServiceAccount that trusts this authority.
    pub(crate) fn account(&self, folder: &Path, token: &str) -> ServiceAccount {
        let account = ServiceAccount {
            token: folder.join("token"),
            authority: folder.join("ca.crt"),
        };
        std::fs::write(&account.token, token).unwrap();
        std::fs::write(&account.authority, &self.pem).unwrap();
        account
    }
}

impl Server {
    /// One that speaks TLS with that certificate.
    pub(crate) async fn tls(serving: Serving, answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        starform_verify::collect::install_crypto_provider();
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![serving.certificate], serving.key)
            .unwrap();
        Self::start(Some(TlsAcceptor::from(Arc::new(config))), answer).await
    }

    /// One that does not: an API server as far as a client is concerned that was told so.
    pub(crate) async fn plain(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::start(None, answer).await
    }

    async fn start(acceptor: Option<TlsAcceptor>, answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let connections = Arc::new(AtomicUsize::new(0));
        let connected = Arc::clone(&connections);
        let answer: Arc<Answer> = Arc::new(answer);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connected.fetch_add(1, Ordering::SeqCst);
                let (acceptor, answer, seen) = (acceptor.clone(), Arc::clone(&answer), Arc::clone(&seen));
                tokio::spawn(async move {
                    // Whatever a client breaks off is what the test is about.
                    match acceptor {
                        None => drop(serve(stream, &answer, &seen).await),
                        Some(acceptor) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                drop(serve(stream, &answer, &seen).await);
                            }
                        }
                    }
                });
            }
        });
        Self {
            address,
            requests,
            connections,
            task,
        }
    }

    /// What has been asked so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// How many connections there have been, those included that came to nothing.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// As a kubelet.
    pub(crate) fn kubelet(&self, node: &str) -> Kubelet {
        Kubelet {
            node: node.to_owned(),
            address: self.address.ip().to_string(),
            port: self.address.port(),
        }
    }

    /// As an API server.
    pub(crate) fn client(&self) -> kube::Client {
        starform_verify::collect::install_crypto_provider();
        let mut config = kube::Config::new(format!("http://{}", self.address).parse().unwrap());
        config.default_retry = false;
        kube::Client::try_from(config).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    answer: &Arc<Answer>,
    seen: &Arc<Mutex<Vec<Request>>>,
) -> std::io::Result<()> {
    loop {
        let request = read(&mut stream).await?;
        let reply = answer(&request);
        seen.lock().unwrap().push(request);
        let kept = matches!(reply, Reply::Kept);
        write(&mut stream, reply).await?;
        if !kept {
            return stream.shutdown().await;
        }
    }
}

async fn write<S: AsyncWrite + Unpin>(stream: &mut S, reply: Reply) -> std::io::Result<()> {
    match reply {
        Reply::Whole(status, content_type, body) => {
            let head = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(&body).await?;
        }
        Reply::Cut(body) => {
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: {EXPOSITION}\r\ncontent-length: {}\r\n\r\n",
                body.len() + 1_000
            );
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(&body).await?;
        }
        Reply::Endless(part) => {
            let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {EXPOSITION}\r\nconnection: close\r\n\r\n");
            stream.write_all(head.as_bytes()).await?;
            loop {
                stream.write_all(&part).await?;
            }
        }
        Reply::Hang => std::future::pending().await,
        Reply::Elsewhere(location) => {
            let head =
                format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(head.as_bytes()).await?;
        }
        Reply::Kept => {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                .await?;
        }
    }
    Ok(())
}

async fn read<S: AsyncRead + Unpin>(stream: &mut S) -> std::io::Result<Request> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let headers = head.to_lowercase();
            let length = (headers.lines())
                .find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok())
                .unwrap_or(0);
            if body.len() >= length {
                let mut first = head.split(' ');
                return Ok(Request {
                    method: first.next().unwrap_or_default().to_owned(),
                    path: first.next().unwrap_or_default().to_owned(),
                    headers,
                    body: body.to_owned(),
                });
            }
        }
        match stream.read(&mut buffer).await? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            count => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}
