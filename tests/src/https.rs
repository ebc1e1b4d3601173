//! A small blocking HTTPS client for the cluster's own servers: one connection kept open, certificates of the
//! cluster's authority. A dozen threads of it create 10,000 pods; an asynchronous stack would add nothing.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustls::client::WantsClientCert;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, ConfigBuilder, RootCertStore, StreamOwned};

use crate::network::HOST;
use crate::paths::State;

type Stream = BufReader<StreamOwned<ClientConnection, TcpStream>>;

/// An answer with its body read to the end.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

pub(crate) struct Client {
    address: SocketAddr,
    config: Arc<ClientConfig>,
    patience: Duration,
    stream: Option<Stream>,
}

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

pub(crate) fn identity(
    certificate: &Path,
    key: &Path,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)> {
    let certificate = CertificateDer::from_pem_file(certificate)
        .with_context(|| format!("{} cannot be read", certificate.display()))?;
    let key = PrivateKeyDer::from_pem_file(key).with_context(|| format!("{} cannot be read", key.display()))?;
    Ok((vec![certificate], key))
}

fn trust(authority: &Path) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority).context("the authority cannot be read")?)?;
    Ok(ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots))
}

impl Client {
    /// To any server of the cluster that has a certificate of its authority; `user` names the client certificate.
    pub(crate) fn new(state: &State, address: SocketAddr, user: Option<&str>) -> Result<Self> {
        let builder = trust(&state.pki("ca.crt"))?;
        let config = match user {
            None => builder.with_no_client_auth(),
            Some(user) => {
                let (chain, key) = identity(&state.pki(&format!("{user}.crt")), &state.pki(&format!("{user}.key")))?;
                builder.with_client_auth_cert(chain, key)?
            }
        };
        Ok(Self::with(address, config))
    }

    /// To a server with a certificate of another authority, without one of its own.
    pub(crate) fn trusting(authority: &Path, address: SocketAddr) -> Result<Self> {
        Ok(Self::with(address, trust(authority)?.with_no_client_auth()))
    }

    fn with(address: SocketAddr, config: ClientConfig) -> Self {
        Self {
            address,
            config: Arc::new(config),
            patience: Duration::from_mins(1),
            stream: None,
        }
    }

    /// To the API server, as the administrator.
    pub(crate) fn api_server(state: &State) -> Result<Self> {
        Self::new(state, format!("{HOST}:6443").parse()?, Some("admin"))
    }

    /// How long to wait for an answer to begin or to go on.
    pub(crate) fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    pub(crate) fn get(&mut self, path: &str) -> Result<Answer> {
        self.request("GET", path, &[], b"")
    }

    pub(crate) fn request(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer> {
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n",
            HOST,
            body.len()
        );
        for (name, value) in headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head.push_str("\r\n");
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.connect()?,
        };
        stream.get_mut().write_all(head.as_bytes())?;
        stream.get_mut().write_all(body)?;
        stream.get_mut().flush()?;
        let (answer, reusable) = read_answer(&mut stream)
            .with_context(|| format!("{method} https://{}{path}: the answer cannot be read", self.address))?;
        if reusable {
            self.stream = Some(stream);
        }
        Ok(answer)
    }

    fn connect(&self) -> Result<Stream> {
        let socket = TcpStream::connect_timeout(&self.address, Duration::from_secs(2))
            .with_context(|| format!("{} does not answer", self.address))?;
        socket.set_read_timeout(Some(self.patience))?;
        socket.set_nodelay(true)?;
        let name = ServerName::from(self.address.ip());
        let connection = ClientConnection::new(Arc::clone(&self.config), name)?;
        Ok(BufReader::new(StreamOwned::new(connection, socket)))
    }
}

/// The lines up to the empty one: request or status line, then headers.
pub(crate) fn read_head(stream: &mut impl BufRead) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            bail!("the connection was closed within the head");
        }
        let line = line.trim_end();
        if line.is_empty() {
            return Ok(lines);
        }
        lines.push(line.to_owned());
    }
}

/// One header of a head, whatever its case.
pub(crate) fn header<'head>(head: &'head [String], name: &str) -> Option<&'head str> {
    head.iter()
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value.trim()))
}

fn read_answer(stream: &mut Stream) -> Result<(Answer, bool)> {
    let head = read_head(stream)?;
    let status = head
        .first()
        .and_then(|line| line.split(' ').nth(1))
        .context("no status line")?
        .parse()?;
    let mut body = Vec::new();
    let mut reusable = header(&head, "connection").is_none_or(|value| !value.eq_ignore_ascii_case("close"));
    if header(&head, "transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        read_chunks(stream, &mut body)?;
    } else if let Some(length) = header(&head, "content-length") {
        body.resize(length.parse()?, 0);
        stream.read_exact(&mut body)?;
    } else if status != 204 {
        stream.read_to_end(&mut body)?;
        reusable = false;
    }
    Ok((Answer { status, body }, reusable))
}

fn read_chunks(stream: &mut Stream, body: &mut Vec<u8>) -> Result<()> {
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let size = usize::from_str_radix(line.trim().split(';').next().unwrap_or_default(), 16)
            .with_context(|| format!("`{}` is no chunk size", line.trim()))?;
        let start = body.len();
        body.resize(start + size, 0);
        stream.read_exact(&mut body[start..])?;
        // Each chunk ends with a line end, and so does the (empty) trailer after the last.
        stream.read_line(&mut line)?;
        if size == 0 {
            return Ok(());
        }
    }
}
