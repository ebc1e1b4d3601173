//! A connection to a cluster.

use super::access::Cluster;
use super::certificates::{self, Door};
use super::connect::{ConnectError, ConnectOptions, install_crypto_provider};
use super::diagnosis::diagnose;
use super::{authorities, external, kubeconfig, proxy};
use crate::contract::Contract;
use crate::evidence::{Certificate, Credential, Observed, Target, Vantage};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kube::client::Body;
use kube::config::KubeConfigOptions;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// How long connecting to an address in the cluster may take, where the caller says nothing of requests.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a credential plugin may take where a request may not take longer: it may ask a server of its own.
const CREDENTIAL_TIMEOUT: Duration = Duration::from_secs(30);

thread_local! {
    /// Whether this thread's panic becomes an error with words of its own.
    static PANIC_IS_TOLD: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic of this thread is an error of the user's that is told in words, so that a hook has nothing to add: kube
/// panics where a credential plugin's token cannot be a header's value.
#[must_use]
pub fn panic_is_told() -> bool {
    PANIC_IS_TOLD.get()
}

/// A client, and how the cluster was addressed.
#[derive(Clone)]
pub struct Connection {
    client: kube::Client,
    direct: kube::Client,
    target: Target,
    /// `None` where the client is the caller's own.
    door: Option<Door>,
    credentials: Observed<Vec<Credential>>,
}

impl Connection {
    /// Connects as `kubectl` would: the kubeconfig that is named, that of `KUBECONFIG`, `~/.kube/config`; where there is
    /// none, in a pod, with the pod's own account. Runs the kubeconfig's credential plugin, if it has one, and sends
    /// nothing yet.
    ///
    /// # Errors
    /// No kubeconfig, no such context, a credential or certificate that cannot be read: in words, with what to do.
    pub async fn from_kubeconfig(options: &ConnectOptions) -> Result<Self, ConnectError> {
        install_crypto_provider();
        let (mut config, target) = match kubeconfig::find(options)? {
            Some(found) => {
                let kube_options = KubeConfigOptions {
                    context: Some(found.context.clone()),
                    ..KubeConfigOptions::default()
                };
                let found = found.fit()?;
                let configured = found.proxy();
                let config = kube::Config::from_custom_kubeconfig(found.kubeconfig, &kube_options).await;
                let mut config = config.map_err(|error| kubeconfig::explain(&error))?;
                config.proxy_url = proxy::choose(&config.cluster_url, configured.as_deref(), |name| std::env::var(name).ok())
                    .map_err(|origin| ConnectError::new(
                        format!("the proxy's address in {origin} cannot be read"),
                        &["it is written http://HOST:PORT, or http://USER:PASSWORD@HOST:PORT with the password percent-encoded"],
                    ))?;
                let target = Target {
                    context: Some(found.context),
                    context_named: options.context.is_some(),
                    kubeconfig: options.kubeconfig.as_ref().map(|path| path.display().to_string()),
                    address: Some(address(&config.cluster_url)),
                    read_from: Some(found.read_from),
                    vantage: Vantage::Outside,
                };
                (config, target)
            }
            None => (kubeconfig::in_cluster(options)?, Target::inside()),
        };
        if options.user.is_some() {
            config.auth_info.impersonate.clone_from(&options.user);
        }
        if !options.groups.is_empty() {
            config.auth_info.impersonate_groups = Some(options.groups.clone());
        }
        authorities::complete(&mut config);
        let (door, credentials) = (Door::of(&config), certificates::credentials(&config.auth_info));
        let client = client(config, options.request_timeout).await;
        let client = client.map_err(|error| error.where_tried(target.tried()))?;
        Ok(Self {
            client,
            direct: direct(options.request_timeout),
            target,
            door: Some(door),
            credentials,
        })
    }

    /// A connection over a client that the caller made. The client must not retry (`Config::default_retry = false`).
    #[must_use]
    pub fn from_client(client: kube::Client, target: Target) -> Self {
        Self {
            client,
            direct: direct(CONNECT_TIMEOUT),
            target,
            door: None,
            credentials: Observed::not_collected(),
        }
    }

    /// A connection by a configuration, over a client that the caller makes of it, which must not retry.
    ///
    /// # Errors
    /// What the caller's function says.
    pub fn from_config_by(
        config: kube::Config,
        target: Target,
        client: impl FnOnce(kube::Config) -> kube::Result<kube::Client>,
    ) -> kube::Result<Self> {
        let (door, credentials) = (Door::of(&config), certificates::credentials(&config.auth_info));
        Ok(Self {
            door: Some(door),
            credentials,
            ..Self::from_client(client(config)?, target)
        })
    }

    /// The certificate that the API server shows.
    pub(super) async fn certificate(&self, timeout: Duration) -> Observed<Certificate> {
        match &self.door {
            Some(door) => door.certificate(timeout).await,
            None => Observed::not_collected(),
        }
    }

    /// What the API server knows the audit by, as far as it ends by a date.
    pub(super) fn credentials(&self) -> Observed<Vec<Credential>> {
        self.credentials.clone()
    }

    /// How the cluster is addressed.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    pub(super) fn cluster<'a>(&'a self, contract: &'a Contract, request_timeout: Duration) -> Cluster<'a> {
        Cluster {
            client: &self.client,
            direct: &self.direct,
            contract,
            vantage: self.target.vantage,
            request_timeout,
        }
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

async fn client(mut config: kube::Config, request_timeout: Duration) -> Result<kube::Client, ConnectError> {
    // kube would wait for minutes on 429, 503 and 504, and a metrics-server that is down is a 503.
    config.default_retry = false;
    config.connect_timeout = Some(external::connect_timeout(request_timeout));
    // Every request has its own timeout, which covers its body; these are for what it leaves behind.
    config.read_timeout = Some(request_timeout.saturating_mul(2).max(Duration::from_mins(1)));
    config.write_timeout = Some(request_timeout);
    let plugin = config.auth_info.exec.as_ref().and_then(|exec| exec.command.clone());
    // A credential plugin is a program that is waited for.
    let runtime = tokio::runtime::Handle::current();
    let made = tokio::task::spawn_blocking(move || {
        let _entered = runtime.enter();
        PANIC_IS_TOLD.set(true);
        let made = catch_unwind(AssertUnwindSafe(|| kube::Client::try_from(config)));
        PANIC_IS_TOLD.set(false);
        made
    });
    let plugin = plugin.map(|plugin| format!(" ({plugin})")).unwrap_or_default();
    let within = CREDENTIAL_TIMEOUT.max(request_timeout);
    match tokio::time::timeout(within, made).await {
        Ok(Ok(Ok(Ok(client)))) => Ok(client),
        Ok(Ok(Ok(Err(error)))) => {
            let mut told = diagnose(&error);
            told.message.push_str(&plugin);
            Err(told.into())
        }
        // kube panics where a plugin's token cannot be a header's value.
        Ok(Ok(Err(_)) | Err(_)) => Err(ConnectError::new(
            format!("the credentials are none that a request can carry{plugin}"),
            &["`kubectl get --raw /version` sends the same"],
        )),
        Err(_) => Err(ConnectError::new(
            format!(
                "the kubeconfig's credential plugin{plugin} did not end within {}s",
                within.as_secs()
            ),
            &[
                "`kubectl get --raw /version` runs the same plugin; one that asks for a login has to be run by hand first",
            ],
        )),
    }
}

/// A client for addresses in the cluster: plain HTTP, no credential, no proxy.
fn direct(request_timeout: Duration) -> kube::Client {
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(external::connect_timeout(request_timeout)));
    let service = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build::<_, Body>(connector);
    kube::Client::new(service, "default")
}

/// An address without a user and a password.
fn address(url: &http::Uri) -> String {
    let authority = url.authority().map_or("", |authority| authority.as_str());
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let scheme = url.scheme_str().unwrap_or("https");
    format!("{scheme}://{host}{}", url.path().trim_end_matches('/'))
}

#[cfg(test)]
mod tests;
