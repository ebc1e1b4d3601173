//! The ways in which Starbase is not reached, in words. Which one it was is told by the auditor's own diagnosis.

use starform_verify::evidence::Trouble;

/// Whether the certificates that were presented tell more.
pub(super) fn is_tls(trouble: Trouble) -> bool {
    matches!(
        trouble,
        Trouble::CertificateExpired
            | Trouble::CertificateNotYetValid
            | Trouble::CertificateIssuer
            | Trouble::CertificateName
            | Trouble::Tls
    )
}

/// What happened.
pub(super) fn words(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Refused => "the connection was refused",
        Trouble::NoRoute => "there is no route to its address",
        Trouble::Dns => "its host name could not be resolved",
        Trouble::TimedOut | Trouble::Slow => "no answer in time",
        Trouble::NotHttp | Trouble::NotTheApi => "what came back is not HTTP",
        Trouble::CertificateExpired => "its certificate has expired, or this node's clock is ahead",
        Trouble::CertificateNotYetValid => "its certificate is not valid yet, or this node's clock is behind",
        Trouble::CertificateIssuer => "its certificate is signed by an unknown authority",
        Trouble::CertificateName => "its certificate is for another name",
        Trouble::Tls => "the TLS handshake failed",
        Trouble::ProxyUnreachable => "the proxy could not be reached",
        Trouble::ProxyRefused => "the proxy refused to connect to it",
        Trouble::ProxyAuthorization => "the proxy asks for a user and password (407)",
        _ => "the connection broke before an answer began",
    }
}

/// What it means, and what to do.
pub(super) fn advice(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Refused => "something is there, but Starbase does not listen on that port",
        Trouble::NoRoute => "a firewall or a missing route between this node and Starbase",
        Trouble::Dns => "look at CoreDNS and at the address that the manifests give",
        Trouble::TimedOut | Trouble::Slow => "a firewall that drops packets, or a Starbase under load",
        Trouble::NotHttp | Trouble::NotTheApi => {
            "something else listens on that port, or a proxy answered in its place"
        }
        Trouble::CertificateExpired | Trouble::CertificateNotYetValid => {
            "compare `date -u` on the node with the real time first; if it is right, Starbase's certificate has to be renewed"
        }
        Trouble::CertificateIssuer => {
            "the manifests' authority file has to hold the root that signed it; a proxy that inspects TLS shows the same: \
             exempt Starbase's host with NO_PROXY"
        }
        Trouble::CertificateName => "the address in the manifests has to be one that the certificate names",
        Trouble::Tls => "a server that speaks plain HTTP on that port shows like this",
        Trouble::ProxyUnreachable | Trouble::ProxyRefused | Trouble::ProxyAuthorization => {
            "if Starbase is to be reached directly, put its host into NO_PROXY"
        }
        _ => "a load balancer or proxy in between may have closed it",
    }
}
