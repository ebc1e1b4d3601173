//! What a failed connection means, and what to do about it.
//!
//! Errors of the stack below say "client error (Connect)" and repeat each other's text. This finds the one fact in the
//! chain that tells an engineer where to look. The [`Trouble`] stands in the evidence, so that a replayed audit advises what
//! the live one did.

use super::status::bounded;
use crate::evidence::Trouble;
use crate::report::ToolError;
use rustls::CertificateError;
use std::error::Error;
use std::io;

/// A failed connection as an error of the tool, in words and with hints.
#[must_use]
pub(crate) fn diagnose(error: &(dyn Error + 'static)) -> ToolError {
    let (trouble, detail) = find(error);
    ToolError::new(trouble.message(&detail), trouble.hints())
}

/// The trouble that an HTTP client's error shows, and the words of the cause that shows it. For the agent, which has words
/// of its own for a connection that no kubeconfig describes.
#[must_use]
pub fn trouble(error: &(dyn Error + 'static)) -> (Trouble, String) {
    find(error)
}

/// The same, in words that say what names the server's authority: `authority`, or where there is none, the kubeconfig.
pub(super) fn told(error: &(dyn Error + 'static), authority: Option<&str>) -> (Trouble, String) {
    let (trouble, detail) = find(error);
    let message = match (trouble, authority) {
        (Trouble::CertificateIssuer, Some(authority)) => {
            format!("its certificate is signed by an authority that {authority} does not name: {detail}")
        }
        _ => trouble.message(&detail),
    };
    (trouble, message)
}

/// The trouble, and the words of the error that showed it.
pub(super) fn find(error: &(dyn Error + 'static)) -> (Trouble, String) {
    let mut last = String::new();
    let mut tunnel = false;
    for cause in chain(error) {
        if let Some(found) = recognise(cause, tunnel) {
            return found;
        }
        let text = cause.to_string();
        tunnel |= text.starts_with("tunnel error");
        // kube's own errors repeat their source, and some print more than anybody should see.
        if !cause.is::<kube::Error>() {
            last = text;
        }
    }
    (Trouble::Broken, bounded(&last))
}

fn recognise(cause: &(dyn Error + 'static), tunnel: bool) -> Option<(Trouble, String)> {
    if let Some(auth) = auth_error(cause) {
        return Some(credential(auth));
    }
    if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
        return Some((certificate(tls), bounded(&tls.to_string())));
    }
    if let Some(hyper) = cause.downcast_ref::<hyper::Error>() {
        let text = bounded(&hyper.to_string());
        if hyper.is_parse() {
            return Some((Trouble::NotHttp, text));
        }
        if hyper.is_incomplete_message() {
            return Some((Trouble::Broken, text));
        }
    }
    let text = cause.to_string();
    if text.starts_with("tunnel error: proxy authorization required") {
        return Some((Trouble::ProxyAuthorization, text));
    }
    if text.starts_with("tunnel error: unsuccessful")
        || text.starts_with("tunnel error: unexpected end")
        || text.starts_with("tunnel error: proxy response")
    {
        return Some((Trouble::ProxyRefused, text));
    }
    if text.starts_with("dns error") {
        let detail = cause.source().map_or(text, ToString::to_string);
        return Some((
            if tunnel {
                Trouble::ProxyUnreachable
            } else {
                Trouble::Dns
            },
            bounded(&detail),
        ));
    }
    if let Some(io) = cause.downcast_ref::<io::Error>() {
        let trouble = match io.kind() {
            _ if tunnel => Trouble::ProxyUnreachable,
            io::ErrorKind::ConnectionRefused => Trouble::Refused,
            io::ErrorKind::TimedOut => Trouble::TimedOut,
            io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => Trouble::NoRoute,
            // Carries another error: that one says more.
            _ if io.get_ref().is_some() => return None,
            _ => Trouble::Broken,
        };
        return Some((trouble, bounded(&io.to_string())));
    }
    None
}

fn auth_error<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a kube::client::AuthError> {
    if let Some(kube::Error::Auth(auth)) = cause.downcast_ref() {
        return Some(auth);
    }
    cause.downcast_ref()
}

/// Why no credential could be got. Standard output of a plugin is never shown: it is where a token would be.
fn credential(auth: &kube::client::AuthError) -> (Trouble, String) {
    use kube::client::AuthError as E;
    match auth {
        E::AuthExecStart(error) if error.kind() == io::ErrorKind::NotFound => {
            (Trouble::PluginMissing, "no such program".to_owned())
        }
        E::AuthExecStart(error) => (Trouble::PluginFailed, bounded(&error.to_string())),
        E::AuthExecRun { out, .. } => {
            let said = String::from_utf8_lossy(&out.stderr);
            (Trouble::PluginFailed, bounded(&format!("{}: {said}", out.status)))
        }
        E::AuthExecParse(_) | E::ParseTokenKey(_) => {
            (Trouble::PluginFailed, "what it printed is not a credential".to_owned())
        }
        E::ReadTokenFile(error, path) => (Trouble::TokenFile, bounded(&format!("{}: {error}", path.display()))),
        E::InvalidBearerToken(_) | E::InvalidBasicAuth(_) => (
            Trouble::TokenFile,
            "it holds characters that cannot stand in an HTTP header".to_owned(),
        ),
        E::ExecPluginFailed | E::MissingCommand | E::AuthExec(_) | E::ExecMissingClusterInfo => {
            (Trouble::PluginFailed, bounded(&auth.to_string()))
        }
        _ => (Trouble::PluginFailed, "no credential could be got".to_owned()),
    }
}

fn certificate(error: &rustls::Error) -> Trouble {
    let rustls::Error::InvalidCertificate(error) = error else {
        return Trouble::Tls;
    };
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Trouble::CertificateExpired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Trouble::CertificateNotYetValid,
        CertificateError::UnknownIssuer | CertificateError::BadSignature => Trouble::CertificateIssuer,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Trouble::CertificateName,
        _ => Trouble::Tls,
    }
}

/// An error and all below it. An [`io::Error`] hides the error it carries from `source`.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| {
        let error: &'a (dyn Error + 'static) = *error;
        if let Some(inner) = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            return Some(inner as &(dyn Error + 'static));
        }
        error.source()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn wrapped(error: impl Into<Box<dyn Error + Send + Sync>>) -> kube::Error {
        kube::Error::Service(Box::new(io::Error::other(error.into())))
    }

    #[rstest]
    #[case(
        wrapped(rustls::Error::InvalidCertificate(CertificateError::Expired)),
        Trouble::CertificateExpired
    )]
    #[case(
        wrapped(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)),
        Trouble::CertificateIssuer
    )]
    #[case(wrapped(rustls::Error::HandshakeNotComplete), Trouble::Tls)]
    #[case(wrapped(io::Error::from(io::ErrorKind::ConnectionRefused)), Trouble::Refused)]
    #[case(
        wrapped(io::Error::new(io::ErrorKind::TimedOut, "connect timed out")),
        Trouble::TimedOut
    )]
    #[case(wrapped("tunnel error: proxy authorization required"), Trouble::ProxyAuthorization)]
    #[case(wrapped("tunnel error: unsuccessful"), Trouble::ProxyRefused)]
    #[case(wrapped("dns error"), Trouble::Dns)]
    #[case(wrapped("something else"), Trouble::Broken)]
    fn the_one_fact_in_the_chain_is_found(#[case] error: kube::Error, #[case] trouble: Trouble) {
        let (found, detail) = find(&error);
        assert_eq!(found, trouble, "{detail}");
        assert_eq!(diagnose(&error).hints, trouble.hints());
        assert!(!trouble.hints().is_empty());
        // What names the authority changes the words, never the trouble.
        for authority in [None, Some("--starbase-ca")] {
            assert_eq!(told(&error, authority).0, trouble);
        }
    }

    #[test]
    fn a_plugin_s_output_is_never_shown() {
        let output = std::process::Command::new("sh")
            .args(["-c", "echo secret-token; echo no login >&2; exit 3"])
            .output()
            .unwrap();
        let error = kube::Error::Auth(kube::client::AuthError::AuthExecRun {
            cmd: "doctl".to_owned(),
            out: Box::new(output),
        });
        let diagnosis = diagnose(&error);
        assert!(!diagnosis.message.contains("secret-token"), "{}", diagnosis.message);
        assert!(diagnosis.message.contains("no login"), "{}", diagnosis.message);
    }
}
