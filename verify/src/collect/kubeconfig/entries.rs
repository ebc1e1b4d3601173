//! What the entries of a context have to say before kube may connect by them: where they do not, kube panics.

use super::Found;
use crate::collect::connect::ConnectError;
use http::{HeaderValue, Uri};
use kube::config::{AuthInfo, Cluster};
use secrecy::ExposeSecret;

impl Found {
    /// The same, with a scheme before the server's address, where kubectl would take `https`.
    ///
    /// kube panics at the first request to an address without a scheme (`kube-client` 5.0, `set_base_uri`), and where a
    /// token cannot be a header's value (`tower-http` 0.7, `AddAuthorizationLayer::bearer`).
    pub(in crate::collect) fn fit(mut self) -> Result<Self, ConnectError> {
        let mut contexts = self.kubeconfig.contexts.iter();
        let context = contexts.find(|named| named.name == self.context);
        // What is missing altogether, kube tells.
        let Some(context) = context.and_then(|named| named.context.clone()) else {
            return Ok(self);
        };
        let user = context.user.and_then(|name| {
            let mut users = self.kubeconfig.auth_infos.iter();
            users.find(|named| named.name == name)?.auth_info.as_ref()
        });
        if let Some(user) = user {
            can_be_sent(user)?;
        }
        let has_certificate = user.is_some_and(|user| {
            is_given(user.client_certificate.as_ref()) || is_given(user.client_certificate_data.as_ref())
        });
        let mut clusters = self.kubeconfig.clusters.iter_mut();
        let cluster = clusters.find(|named| named.name == context.cluster);
        if let Some(cluster) = cluster.and_then(|named| named.cluster.as_mut())
            && let Some(server) = &cluster.server
        {
            let is_tls = has_certificate || is_tls(cluster);
            cluster.server = Some(with_scheme(server, is_tls, &context.cluster)?);
        }
        Ok(self)
    }
}

/// An address with its scheme. Without one kubectl takes `https` where the entries speak of TLS, and `http` where they do
/// not (`k8s.io/client-go/rest`, `DefaultServerURL`): it would send the token in clear, so that here is asked for a scheme.
fn with_scheme(server: &str, is_tls: bool, cluster: &str) -> Result<String, ConnectError> {
    let unreadable = || {
        ConnectError::new(
            "the kubeconfig's cluster entry has no address that can be read",
            &["`kubectl config view --minify` shows the entry; its server is written https://HOST:PORT"],
        )
    };
    if server.contains("://") {
        let uri: Uri = server.parse().map_err(|_| unreadable())?;
        let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
        return if is_http && uri.authority().is_some() {
            Ok(server.to_owned())
        } else {
            Err(unreadable())
        };
    }
    let with_scheme = format!("https://{server}");
    let uri: Uri = with_scheme.parse().map_err(|_| unreadable())?;
    if uri.authority().is_none() || uri.path_and_query().is_some_and(|path| path != "/") {
        return Err(unreadable());
    }
    if is_tls {
        return Ok(with_scheme);
    }
    // What stands before an `@` may be a password.
    let host = uri.host().unwrap_or_default();
    let set = [
        "kubectl",
        "config",
        "set-cluster",
        cluster,
        "--server",
        "https://HOST:PORT",
    ];
    Err(ConnectError::new(
        format!("the kubeconfig's server at {host:?} has no scheme, and nothing speaks of TLS"),
        &[&format!(
            "`{}` says that it is reached by TLS; whether it is http:// has to be said too",
            shell_words::join(set)
        )],
    ))
}

/// Whether the entry of a cluster speaks of TLS.
fn is_tls(cluster: &Cluster) -> bool {
    cluster.insecure_skip_tls_verify == Some(true)
        || is_given(cluster.certificate_authority.as_ref())
        || is_given(cluster.certificate_authority_data.as_ref())
}

/// Whether every token of a user can be a header's value.
fn can_be_sent(user: &AuthInfo) -> Result<(), ConnectError> {
    let provider = user.auth_provider.iter();
    let from_provider = provider.flat_map(|provider| ["id-token", "access-token"].map(|key| provider.config.get(key)));
    let from_provider = from_provider.flatten().map(String::as_str);
    let own = user.token.as_ref().map(ExposeSecret::expose_secret);
    for token in from_provider.chain(own) {
        if HeaderValue::try_from(format!("Bearer {token}")).is_err() {
            return Err(ConnectError::new(
                "the kubeconfig's token has a character in it that no request can carry, such as the end of a line",
                &["`kubectl config set-credentials NAME --token TOKEN` sets it anew"],
            ));
        }
    }
    Ok(())
}

fn is_given(text: Option<&String>) -> bool {
    text.is_some_and(|text| !text.is_empty())
}

#[cfg(test)]
mod tests;
