//! Which pods a kubelet's cAdvisor metrics name: what the leader joins with `kube_pod_labels`, and what the node's own
//! agent proves its node by.
//!
//! The kubelet is asked at its address, with the ServiceAccount's token, and is believed only with a certificate of the
//! cluster's authority. Its answer is read while it arrives; of megabytes a set of names is kept.

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Certificate, Client, Response, StatusCode, redirect};
use secrecy::zeroize::Zeroize as _;
use starform_exposition::{Format, Limits, Reader, Row, Selection};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

mod error;

pub use self::error::KubeletError;

/// The metric whose rows are looked at: every container has one as soon as cAdvisor has seen it, its sandbox included.
pub const METRIC: &str = "container_memory_working_set_bytes";
/// The port that a kubelet serves on where its Node does not say.
pub const PORT: u16 = 10250;

/// How long connecting may take: what is slower than this is not in this cluster's network.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The largest body. A node with 110 pods answers with 5 MB.
const BODY_BOUND: u64 = 256 << 20;
/// The most pods of one node; Kubernetes supports 110, and kubelets are run with 500.
const POD_BOUND: usize = 5_000;
/// The longest token or authority.
const FILE_BOUND: usize = 1 << 20;
/// The longest excerpt of an answer in an error.
const EXCERPT: usize = 200;

/// A kubelet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kubelet {
    /// Its node.
    pub node: String,
    /// The node's address: IPv4 or IPv6, without brackets.
    pub address: String,
    /// The port it serves on.
    pub port: u16,
}

/// The files that a ServiceAccount's volume has. Both are read again for every request: the token is renewed within the
/// hour, the authority at times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccount {
    /// The token.
    pub token: PathBuf,
    /// The cluster's authority.
    pub authority: PathBuf,
}

/// A client for the kubelets. Cheap to clone.
///
/// Needs `get nodes/metrics`, by name where the name is known.
#[derive(Clone, Debug)]
pub struct Kubelets {
    account: ServiceAccount,
    timeout: Duration,
    trusted: Arc<Mutex<Option<Trusted>>>,
}

/// The pods that a kubelet's metrics name, as (namespace, name).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pods(BTreeSet<(Box<str>, Box<str>)>);

/// A client that trusts one authority.
#[derive(Clone, Debug)]
struct Trusted {
    authority: Vec<u8>,
    client: Client,
}

// === impl ServiceAccount ===

impl ServiceAccount {
    /// Where the kubelet mounts it into every container.
    #[must_use]
    pub fn mounted() -> Self {
        let folder = Path::new("/var/run/secrets/kubernetes.io/serviceaccount");
        Self {
            token: folder.join("token"),
            authority: folder.join("ca.crt"),
        }
    }
}

// === impl Kubelets ===

impl Kubelets {
    /// A client with an account; `timeout` bounds a whole read, body included.
    #[must_use]
    pub fn new(account: ServiceAccount, timeout: Duration) -> Self {
        Self {
            account,
            timeout,
            trusted: Arc::default(),
        }
    }

    /// Reads which pods a kubelet's cAdvisor metrics name. A whole answer that names none is an empty set.
    ///
    /// # Errors
    /// The files cannot be read; no connection; a certificate that the cluster's authority did not sign, or not for this
    /// address; 401, 403, another status; an answer that is late, cut, too large, or no exposition of that metric.
    pub async fn pods(&self, kubelet: &Kubelet) -> Result<Pods, KubeletError> {
        let url = url(kubelet);
        match tokio::time::timeout(self.timeout, self.read(&url)).await {
            Ok(read) => read,
            Err(_) => Err(KubeletError::TimedOut(url, self.timeout)),
        }
    }

    async fn read(&self, url: &str) -> Result<Pods, KubeletError> {
        let client = self.client().await?;
        let request = (client.get(url))
            .header(AUTHORIZATION, self.bearer().await?)
            .header(ACCEPT, "text/plain;version=0.0.4");
        let response = request
            .send()
            .await
            .map_err(|error| KubeletError::sending(url, &error))?;
        match response.status() {
            StatusCode::OK => names(url, response).await,
            status => Err(KubeletError::Refused {
                url: url.to_owned(),
                status: status.as_u16(),
                said: excerpt(response).await,
            }),
        }
    }

    /// The token as a header that no log shows.
    async fn bearer(&self) -> Result<HeaderValue, KubeletError> {
        let mut bytes = file(&self.account.token).await?;
        let text = [b"Bearer ", bytes.trim_ascii()].concat();
        bytes.zeroize();
        let mut header = HeaderValue::from_maybe_shared(bytes_of(text)).map_err(|_| KubeletError::File {
            path: self.account.token.display().to_string(),
            message: "it is no token: it holds what no header may".to_owned(),
        })?;
        header.set_sensitive(true);
        Ok(header)
    }

    /// The client that trusts the authority that the file holds now.
    async fn client(&self) -> Result<Client, KubeletError> {
        let authority = file(&self.account.authority).await?;
        let mut trusted = self.trusted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(trusted) = trusted.as_ref().filter(|trusted| trusted.authority == authority) {
            return Ok(trusted.client.clone());
        }
        let client = client(&authority).map_err(|message| KubeletError::File {
            path: self.account.authority.display().to_string(),
            message,
        })?;
        *trusted = Some(Trusted {
            authority,
            client: client.clone(),
        });
        Ok(client)
    }
}

// === impl Pods ===

impl Pods {
    /// Whether it names a pod.
    #[must_use]
    pub fn contains(&self, namespace: &str, name: &str) -> bool {
        // A set of tuples of boxes cannot be asked with borrowed text; a node has a few hundred pods.
        self.0.contains(&(namespace.into(), name.into()))
    }

    /// How many pods.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it names none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, as (namespace, name), in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(namespace, name)| (&**namespace, &**name))
    }

    /// Takes what a row names. Rows of the node's own control groups name no pod.
    fn take(&mut self, row: &Row<'_>) {
        let (Some(namespace), Some(pod)) = (row.label("namespace"), row.label("pod")) else {
            return;
        };
        if !namespace.is_empty() && !pod.is_empty() && !self.contains(&namespace, &pod) {
            self.0.insert((namespace.as_ref().into(), pod.as_ref().into()));
        }
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Pods {
    fn from_iter<T: IntoIterator<Item = (&'a str, &'a str)>>(pods: T) -> Self {
        Self(
            pods.into_iter()
                .map(|(namespace, name)| (namespace.into(), name.into()))
                .collect(),
        )
    }
}

/// Reads an answer to its end.
async fn names(url: &str, mut response: Response) -> Result<Pods, KubeletError> {
    let content_type = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default().to_owned();
    let Some(format) = Format::from_content_type(&content_type) else {
        return Err(KubeletError::NotExposition(url.to_owned(), content_type));
    };
    let mut reader = Reader::new(format, Selection::Metric(METRIC), Limits::default());
    let mut pods = Pods::default();
    let mut bytes = 0_u64;
    while let Some(chunk) = (response.chunk().await).map_err(|error| KubeletError::reading(url, &error))? {
        bytes += chunk.len() as u64;
        reader.push(&chunk, &mut |row| pods.take(&row));
        if bytes > BODY_BOUND || pods.len() > POD_BOUND {
            return Err(KubeletError::TooLarge(url.to_owned(), bytes, pods.len()));
        }
    }
    let summary = reader.finish();
    if summary.incomplete(format).is_some() {
        return Err(KubeletError::Truncated(url.to_owned(), summary.bytes));
    }
    if let Some(first) = summary.errors.first() {
        let first = format!("{}: {}", first.kind, first.excerpt);
        return Err(KubeletError::Unreadable(url.to_owned(), summary.row_errors, first));
    }
    if summary.rows == 0 {
        return Err(KubeletError::NoRows(url.to_owned()));
    }
    Ok(pods)
}

fn url(kubelet: &Kubelet) -> String {
    let Kubelet { address, port, .. } = kubelet;
    if address.contains(':') {
        format!("https://[{address}]:{port}/metrics/cadvisor")
    } else {
        format!("https://{address}:{port}/metrics/cadvisor")
    }
}

fn client(authority: &[u8]) -> Result<Client, String> {
    let certificates = Certificate::from_pem_bundle(authority).map_err(|error| error.to_string())?;
    if certificates.is_empty() {
        return Err("it holds no certificate".to_owned());
    }
    (Client::builder().tls_certs_only(certificates))
        .https_only(true)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        // Each kubelet is read once in minutes: a kept connection would serve nobody.
        .pool_max_idle_per_host(0)
        .build()
        .map_err(|error| error::deepest(&error))
}

async fn file(path: &Path) -> Result<Vec<u8>, KubeletError> {
    let unreadable = |message: String| KubeletError::File {
        path: path.display().to_string(),
        message,
    };
    let read = tokio::fs::read(path)
        .await
        .map_err(|error| unreadable(error.to_string()))?;
    match read.len() {
        0 => Err(unreadable("it is empty".to_owned())),
        length if length > FILE_BOUND => Err(unreadable(format!("it has {length} bytes"))),
        _ => Ok(read),
    }
}

fn bytes_of(text: Vec<u8>) -> hyper::body::Bytes {
    text.into()
}

/// The beginning of a refusal, on one line.
async fn excerpt(mut response: Response) -> String {
    let chunk = response.chunk().await.ok().flatten().unwrap_or_default();
    let text = String::from_utf8_lossy(&chunk[..chunk.len().min(EXCERPT)]).into_owned();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
pub(crate) mod mock;
#[cfg(test)]
mod tests;
