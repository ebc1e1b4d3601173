//! The ways in which a connection fails, with the words and the advice for each.

use super::reason::Reason;
use serde::{Deserialize, Serialize};

/// A way in which a connection fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trouble {
    /// Nothing listens on that port.
    Refused,
    /// No route to the address.
    NoRoute,
    /// The host name could not be resolved.
    Dns,
    /// No answer in time.
    TimedOut,
    /// The answer had begun to come and still came when its time was over.
    Slow,
    /// Anything else: the connection broke.
    Broken,
    /// What came back is not HTTP.
    NotHttp,
    /// What came back is not the API's.
    NotTheApi,
    /// The certificate has expired, or the clock is ahead.
    CertificateExpired,
    /// The certificate is not valid yet, or the clock is behind.
    CertificateNotYetValid,
    /// No trusted authority signed the certificate.
    CertificateIssuer,
    /// The certificate is for another name.
    CertificateName,
    /// The TLS handshake failed otherwise.
    Tls,
    /// The proxy could not be reached.
    ProxyUnreachable,
    /// The proxy refused to connect.
    ProxyRefused,
    /// The proxy asks for a user and password.
    ProxyAuthorization,
    /// The kubeconfig's credential plugin is not installed.
    PluginMissing,
    /// The kubeconfig's credential plugin failed.
    PluginFailed,
    /// The kubeconfig's credential could not be read.
    TokenFile,
    /// The credential was not accepted.
    Unauthorized,
}

/// What helps where a line is slow: the answer itself was on its way.
pub(crate) const SLOW: &str = "wait longer, with `--request-timeout` and where that is not enough `--timeout`, or audit from nearer, such as inside the cluster";

impl Trouble {
    /// Its words, and the detail behind them.
    pub(crate) fn message(self, detail: &str) -> String {
        if detail.is_empty() {
            self.words().to_owned()
        } else {
            format!("{}: {detail}", self.words())
        }
    }

    /// What kind of obstacle it is.
    pub(crate) fn reason(self) -> Reason {
        match self {
            Self::TimedOut | Self::Slow => Reason::TimedOut,
            Self::NotTheApi | Self::NotHttp => Reason::Malformed,
            Self::PluginMissing | Self::PluginFailed | Self::TokenFile | Self::Unauthorized => Reason::Unauthorized,
            _ => Reason::Unreachable,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Refused => "the connection was refused",
            Self::NoRoute => "there is no route to its address",
            Self::Dns => "its host name could not be resolved",
            Self::TimedOut => "no answer in time",
            Self::Slow => "the line is slow",
            Self::Broken => "the connection broke before an answer began",
            Self::NotHttp => "what came back is not HTTP",
            Self::NotTheApi => "the answer is not a Kubernetes API server's",
            Self::CertificateExpired => "its certificate has expired, by this machine's clock",
            Self::CertificateNotYetValid => "its certificate is not valid yet, by this machine's clock",
            Self::CertificateIssuer => "its certificate is signed by an authority that the kubeconfig does not name",
            Self::CertificateName => "its certificate is for another name",
            Self::Tls => "the TLS handshake failed",
            Self::ProxyUnreachable => "the proxy could not be reached",
            Self::ProxyRefused => "the proxy refused to connect to it",
            Self::ProxyAuthorization => "the proxy asks for a user and password (407)",
            Self::PluginMissing => "the kubeconfig's credential plugin is not installed",
            Self::PluginFailed => "the kubeconfig's credential plugin failed",
            Self::TokenFile => "the kubeconfig's credential could not be read",
            Self::Unauthorized => "the credential was not accepted (401)",
        }
    }

    /// What it means and what to type.
    pub(crate) fn hints(self) -> Vec<String> {
        let hints: &[&str] = match self {
            Self::Refused => &[
                "something answers at that address, but no API server listens on that port",
                "`kubectl config view --minify` shows the address; `kubectl cluster-info` tries it",
                "after a rebuild of a DOKS cluster the address is another: `doctl kubernetes cluster kubeconfig save CLUSTER`",
            ],
            Self::NoRoute => &[
                "this machine has no network path to the API server: is the VPN up?",
                "`kubectl config view --minify` shows the address",
            ],
            Self::Dns => &[
                "the cluster may have been deleted or rebuilt: `doctl kubernetes cluster list`",
                "`doctl kubernetes cluster kubeconfig save CLUSTER` writes the current address",
                "if other names do not resolve either, it is this machine's DNS",
            ],
            Self::TimedOut => &[
                "a firewall that drops packets, a VPN that is down, or an API server under load",
                "`kubectl get --raw /version` tries the same; `--request-timeout 30s` waits longer",
            ],
            Self::Slow => &[SLOW],
            Self::Broken => &[
                "a load balancer or proxy in between may have closed it; an API server that restarts does too",
                "`kubectl get --raw /version` tries the same",
            ],
            Self::NotHttp | Self::NotTheApi => &[
                "a captive portal, a proxy or a load balancer may have answered in its place",
                "`kubectl config view --minify` shows the address; `kubectl get --raw /version` shows the answer",
            ],
            Self::CertificateExpired => &[
                "compare this machine's clock (`date -u`) with the real time first",
                "if the clock is right, the API server's certificate has to be renewed; DOKS renews its own",
            ],
            Self::CertificateNotYetValid => &["this machine's clock is behind: compare `date -u` with the real time"],
            Self::CertificateIssuer => &[
                "after a rebuild the cluster has another authority: `doctl kubernetes cluster kubeconfig save CLUSTER`",
                "a proxy that inspects TLS shows the same: exempt the API server's address with NO_PROXY",
            ],
            Self::CertificateName => &[
                "the address in the kubeconfig is not one that the certificate names; `tls-server-name` in its cluster entry sets the name to expect",
                "a proxy or load balancer in between may have answered in its place",
            ],
            Self::Tls => {
                &["`kubectl get --raw /version` tries the same; a server that speaks plain HTTP there shows like this"]
            }
            Self::ProxyUnreachable | Self::ProxyRefused => &[
                "the proxy is the one of HTTPS_PROXY, or `proxy-url` in the kubeconfig's cluster entry",
                "if the API server is to be reached directly, add its host name to NO_PROXY",
            ],
            Self::ProxyAuthorization => &[
                "HTTPS_PROXY takes them as `http://USER:PASSWORD@HOST:PORT`",
                "if the API server is to be reached directly, add its host name to NO_PROXY",
            ],
            Self::PluginMissing => &[
                "for DOKS it is doctl: https://docs.digitalocean.com/reference/doctl/how-to/install/",
                "`kubectl config view --minify -o jsonpath='{.users[0].user.exec.command}'` names it; it has to be on PATH",
            ],
            Self::PluginFailed => &[
                "for DOKS: `doctl auth init` logs in, `doctl kubernetes cluster kubeconfig save CLUSTER` renews the entry",
                "`kubectl get --raw /version` runs the same plugin",
            ],
            Self::TokenFile => &["`kubectl config view --minify` shows which file the kubeconfig names"],
            Self::Unauthorized => &[
                "the token or client certificate in the kubeconfig has expired or was revoked; DOKS' own live for seven days",
                "`doctl kubernetes cluster kubeconfig save CLUSTER` writes a new one",
                "`kubectl auth whoami` tries the same credential",
            ],
        };
        hints.iter().map(|hint| (*hint).to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_as_one_word() {
        let written = serde_json::to_value(Trouble::CertificateNotYetValid).unwrap();
        assert_eq!(written, "certificate-not-yet-valid");
        let read: Trouble = serde_json::from_value(written).unwrap();
        assert_eq!(read, Trouble::CertificateNotYetValid);
    }
}
