//! A chain of certificates that was refused, in words: each certificate, and which link does not hold.

use crate::registrar::answer::line;
use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, Error};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// How many certificates of a chain are described.
const CERTIFICATES: usize = 6;
/// How many names of a certificate are.
const NAMES: usize = 8;
/// How many bytes a name has at most.
const NAME_BOUND: usize = 120;

/// What was presented, what is wrong with each certificate, and which link is missing.
pub(super) fn describe(
    end_entity: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    server_name: &ServerName<'_>,
    now: UnixTime,
    roots: &[Vec<u8>],
    error: &Error,
) -> String {
    let presented = || std::iter::once(end_entity).chain(intermediates);
    let parsed: Vec<_> = presented()
        .take(CERTIFICATES)
        .map(|der| X509Certificate::from_der(der))
        .collect();
    let mut words = vec![format!("this node's clock says {}", time(seconds(now)))];
    for (position, certificate) in parsed.iter().enumerate() {
        let number = position + 1;
        let Ok((_, certificate)) = certificate else {
            words.push(format!("certificate {number} cannot be read"));
            continue;
        };
        words.push(one(number, certificate, seconds(now)));
        if position == 0 && is_name(error) {
            words.push(names(certificate, server_name));
        }
        let next = parsed
            .get(number)
            .and_then(|next| next.as_ref().ok())
            .map(|(_, next)| next);
        if let Some(broken) = link(number, certificate, next, roots) {
            words.push(broken);
        }
    }
    let more = presented().count().saturating_sub(CERTIFICATES);
    if more > 0 {
        words.push(format!("and {more} more"));
    }
    words.join("; ")
}

fn one(number: usize, certificate: &X509Certificate<'_>, now: i64) -> String {
    let validity = certificate.validity();
    let (from, until) = (validity.not_before.timestamp(), validity.not_after.timestamp());
    let judged = if now < from {
        ", NOT YET VALID"
    } else if now > until {
        ", EXPIRED"
    } else {
        ""
    };
    format!(
        "certificate {number}: subject `{}`, issuer `{}`, valid {} to {}{judged}",
        line(&certificate.subject().to_string(), NAME_BOUND),
        line(&certificate.issuer().to_string(), NAME_BOUND),
        time(from),
        time(until)
    )
}

/// Whether a certificate's issuer is the next one, or an authority that is trusted.
fn link(
    number: usize,
    certificate: &X509Certificate<'_>,
    next: Option<&X509Certificate<'_>>,
    roots: &[Vec<u8>],
) -> Option<String> {
    let issuer = certificate.issuer();
    // webpki keeps a root's name without the outer SEQUENCE.
    let trusted = roots
        .iter()
        .any(|root| inner(issuer.as_raw()) == Some(root.as_slice()) || issuer.as_raw() == root);
    match next {
        Some(next) if next.subject() == issuer => None,
        Some(next) => Some(format!(
            "certificate {} (`{}`) is not the issuer of certificate {number}",
            number + 1,
            line(&next.subject().to_string(), NAME_BOUND)
        )),
        None if trusted => None,
        None if certificate.subject() == issuer => Some(format!(
            "certificate {number} is signed by itself, and is no authority that is trusted here"
        )),
        None => Some(format!(
            "the issuer of certificate {number}, `{}`, was not sent and is no authority that is trusted here",
            line(&issuer.to_string(), NAME_BOUND)
        )),
    }
}

fn names(certificate: &X509Certificate<'_>, wanted: &ServerName<'_>) -> String {
    let alternatives = certificate.subject_alternative_name().ok().flatten();
    let names: Vec<String> = alternatives
        .iter()
        .flat_map(|extension| &extension.value.general_names)
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(line(name, NAME_BOUND)),
            GeneralName::IPAddress(bytes) => Some(address(bytes)),
            _ => None,
        })
        .take(NAMES)
        .collect();
    let listed = if names.is_empty() {
        "no name at all".to_owned()
    } else {
        names.join(", ")
    };
    format!("it is for {listed}, and {} was asked for", wanted.to_str())
}

fn address(bytes: &[u8]) -> String {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return std::net::Ipv4Addr::from(four).to_string();
    }
    <[u8; 16]>::try_from(bytes).map_or_else(
        |_| "an address of a strange length".to_owned(),
        |sixteen| std::net::Ipv6Addr::from(sixteen).to_string(),
    )
}

fn is_name(error: &Error) -> bool {
    matches!(
        error,
        Error::InvalidCertificate(CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. })
    )
}

/// What is within a DER SEQUENCE.
fn inner(der: &[u8]) -> Option<&[u8]> {
    let (&tag, rest) = der.split_first()?;
    let (&length, rest) = rest.split_first()?;
    if tag != 0x30 {
        return None;
    }
    if length < 0x80 {
        return Some(rest);
    }
    rest.get(usize::from(length & 0x7f)..)
}

fn seconds(time: UnixTime) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

fn time(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| "a strange time".to_owned(), |time| time.to_string())
}
