//! Finds the kubeconfig and the context, as `kubectl` does.

use super::connect::{ConnectError, ConnectOptions};
use super::status::bounded;
use kube::config::{Kubeconfig, KubeconfigError};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

mod entries;

/// A kubeconfig with the context that is meant.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) kubeconfig: Kubeconfig,
    pub(super) context: String,
    /// The files that it was read from, as `KUBECONFIG` has them, with `~` for the home directory.
    pub(super) read_from: String,
}

/// The kubeconfig and the context; `None` in a pod without one.
pub(super) fn find(options: &ConnectOptions) -> Result<Option<Found>, ConnectError> {
    let (paths, origin) = candidates(options);
    // As kubectl: files that KUBECONFIG names may be missing, one that is named on the command line may not.
    let present: Vec<&PathBuf> = if options.kubeconfig.is_some() {
        paths.iter().collect()
    } else {
        paths.iter().filter(|path| path.exists()).collect()
    };
    if present.is_empty() {
        if options.context.is_none() && std::env::var_os("KUBERNETES_SERVICE_HOST").is_some() {
            return Ok(None);
        }
        let tried: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        return Err(ConnectError::new(
            format!("no kubeconfig was found; tried {} ({origin})", list(&tried)),
            &[
                "`doctl kubernetes cluster kubeconfig save CLUSTER` writes one for a DOKS cluster",
                "`--kubeconfig FILE` names another file",
            ],
        ));
    }
    let mut merged = Kubeconfig::default();
    let read_from: Vec<String> = present.iter().map(|path| shortened(path)).collect();
    for path in present {
        let next = Kubeconfig::read_from(path).map_err(|error| explain_file(&error, path))?;
        merged = merged.merge(next).map_err(|error| explain(&error))?;
    }
    let context = context(&merged, options)?;
    Ok(Some(Found {
        kubeconfig: merged,
        context,
        read_from: read_from.join(":"),
    }))
}

/// A path with `~` for the home directory.
fn shortened(path: &Path) -> String {
    let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
    match home.and_then(|home| path.strip_prefix(home).ok()) {
        Some(below) => format!("~/{}", below.display()),
        None => path.display().to_string(),
    }
}

/// The configuration of the pod that this runs in.
pub(super) fn in_cluster(options: &ConnectOptions) -> Result<kube::Config, ConnectError> {
    kube::Config::incluster().map_err(|error| {
        let (_, origin) = candidates(options);
        ConnectError::new(
            format!(
                "neither a kubeconfig ({origin}) nor this pod's account can be used: {}",
                bounded(&error.to_string())
            ),
            &["the pod needs `automountServiceAccountToken: true`, or `--kubeconfig FILE`"],
        )
    })
}

/// Why a kubeconfig cannot be used.
pub(super) fn explain(error: &KubeconfigError) -> ConnectError {
    let check = "`kubectl config view --minify` shows the entry";
    let (message, hint): (String, &str) = match error {
        KubeconfigError::LoadClusterOfContext(cluster) => (
            format!("the context's cluster {cluster:?} is not in the kubeconfig"),
            check,
        ),
        KubeconfigError::MissingClusterUrl | KubeconfigError::ParseClusterUrl(_) => (
            "the kubeconfig's cluster entry has no address that can be read".to_owned(),
            check,
        ),
        KubeconfigError::LoadCertificateAuthority(error) => (
            format!(
                "the kubeconfig's certificate authority cannot be read: {}",
                bounded(&error.to_string())
            ),
            check,
        ),
        KubeconfigError::LoadClientCertificate(error) => (
            format!(
                "the kubeconfig's client certificate cannot be read: {}",
                bounded(&error.to_string())
            ),
            check,
        ),
        KubeconfigError::LoadClientKey(error) => (
            format!(
                "the kubeconfig's client key cannot be read: {}",
                bounded(&error.to_string())
            ),
            check,
        ),
        KubeconfigError::ParseCertificates(_) => {
            ("the kubeconfig's certificate authority is not PEM".to_owned(), check)
        }
        KubeconfigError::ParseNoProxy(error) => (
            format!("NO_PROXY cannot be read: {}", bounded(&error.to_string())),
            "it is a list of hosts, addresses and networks with one comma between them and none at its end",
        ),
        KubeconfigError::ParseProxyUrl(_) => (
            "the proxy's address in HTTPS_PROXY or the kubeconfig's proxy-url cannot be read".to_owned(),
            "it is written http://HOST:PORT, or http://USER:PASSWORD@HOST:PORT with the password percent-encoded",
        ),
        // The others name neither content nor credentials.
        KubeconfigError::Parse(error) => (unreadable(error), check),
        error => (bounded(&error.to_string()), check),
    };
    ConnectError::new(message, &[hint])
}

fn explain_file(error: &KubeconfigError, path: &Path) -> ConnectError {
    let path = path.display();
    match error {
        KubeconfigError::ReadConfig(error, _) => ConnectError::new(
            format!("the kubeconfig {path} cannot be read: {}", bounded(&error.to_string())),
            &[
                "`ls -l` shows whether it exists and who may read it",
                "`--kubeconfig FILE` names another file",
            ],
        ),
        KubeconfigError::Parse(error) => ConnectError::new(
            format!("{path}: {}", unreadable(error)),
            &["`doctl kubernetes cluster kubeconfig save CLUSTER` writes the entry of a DOKS cluster anew"],
        ),
        error => explain(error),
    }
}

/// The parser's own words quote the file, which holds credentials.
fn unreadable(error: &serde_saphyr::Error) -> String {
    match error.location() {
        Some(at) => format!("it is not a kubeconfig: line {}, column {}", at.line(), at.column()),
        None => "it is not a kubeconfig".to_owned(),
    }
}

/// The files there may be, and what names them.
fn candidates(options: &ConnectOptions) -> (Vec<PathBuf>, &'static str) {
    if let Some(path) = &options.kubeconfig {
        return (vec![path.clone()], "--kubeconfig");
    }
    let from_variable: Vec<PathBuf> = (std::env::var_os("KUBECONFIG").iter())
        .flat_map(std::env::split_paths)
        .filter(|path| !path.as_os_str().is_empty())
        .collect();
    if !from_variable.is_empty() {
        return (from_variable, "KUBECONFIG");
    }
    let home = std::env::home_dir().unwrap_or_default();
    (
        vec![home.join(".kube").join("config")],
        "the default; KUBECONFIG is not set",
    )
}

fn context(kubeconfig: &Kubeconfig, options: &ConnectOptions) -> Result<String, ConnectError> {
    let names: Vec<String> = kubeconfig.contexts.iter().map(|context| context.name.clone()).collect();
    let wanted = options.context.as_ref().or(kubeconfig.current_context.as_ref());
    match wanted.filter(|name| !name.is_empty()) {
        Some(wanted) if names.contains(wanted) => Ok(wanted.clone()),
        Some(wanted) => Err(ConnectError::new(
            format!(
                "there is no context {wanted:?} in the kubeconfig; it has {}",
                list(&names)
            ),
            &["`kubectl config get-contexts` lists them; `--context NAME` names one"],
        )),
        None => Err(ConnectError::new(
            format!("the kubeconfig has no current context; it has {}", list(&names)),
            &["`kubectl config use-context NAME` sets it; `--context NAME` names one"],
        )),
    }
}

/// A few names.
fn list(names: &[String]) -> String {
    const SHOWN: usize = 10;
    if names.is_empty() {
        return "none".to_owned();
    }
    let mut text = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        let _ = write!(text, " and {} more", names.len() - SHOWN);
    }
    text
}

// === impl Found ===

impl Found {
    /// The `proxy-url` of the context's cluster.
    pub(super) fn proxy(&self) -> Option<String> {
        let context = self
            .kubeconfig
            .contexts
            .iter()
            .find(|context| context.name == self.context)?;
        let cluster = &context.context.as_ref()?.cluster;
        let cluster = self.kubeconfig.clusters.iter().find(|named| named.name == *cluster)?;
        cluster.cluster.as_ref()?.proxy_url.clone()
    }
}
