//! Certificates and tokens, by when they end. Nothing is verified here that a connection does not verify, and of each no more is
//! kept than whose it is and until when.

use super::diagnosis;
use super::obstacle::seconds;
use super::status::bounded;
use crate::evidence::{Certificate, Credential, Observed, Reason, TokenTime, Trouble, Unknown};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::HeaderValue;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use jiff::Timestamp;
use kube::client::ConfigExt;
use kube::config::AuthInfo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use secrecy::ExposeSecret;
use serde::Deserialize;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tower::ServiceExt;
use x509_parser::asn1_rs::{Any, FromDer, Tag};
use x509_parser::certificate::Validity;
use x509_parser::x509::X509Name;

/// The most certificates that are read of a bundle; the machine's own store has some 150.
const BUNDLE_BOUND: usize = 512;

/// The way to a server, without what it knows the caller by. kube's client does not tell which certificate it was shown: it is
/// looked at by a connection beside, over which no request is sent.
#[derive(Clone)]
pub(super) struct Door(Arc<kube::Config>);

/// What a JSON Web Token says of its end (RFC 7519, section 4.1.4): seconds, with or without a fraction.
#[derive(Deserialize)]
struct Claims {
    exp: Option<f64>,
    iat: Option<f64>,
}

/// What of a kubeconfig's user ends by its date, as it stands there. Absent where nothing does: no credential, a password, and what
/// is renewed by itself, by a plugin or in a file.
pub(super) fn credentials(user: &AuthInfo) -> Observed<Vec<Credential>> {
    let mut found = Vec::new();
    match client_certificate(user) {
        Ok(None) => {}
        Ok(Some(certificate)) => found.push(Credential::Certificate(certificate)),
        Err(message) => {
            let what = "the kubeconfig's client certificate";
            return Observed::Unknown(Unknown::new(Reason::Malformed, what, message));
        }
    }
    let is_renewed = user.exec.is_some() || user.auth_provider.is_some() || user.token_file.is_some();
    if let (Some(token), false) = (&user.token, is_renewed) {
        found.push(Credential::Token(time_of_token(token.expose_secret())));
    }
    if found.is_empty() {
        Observed::Absent
    } else {
        Observed::Seen(found)
    }
}

/// The certificates of a bundle in PEM, which an object carries in base64.
pub(super) fn bundle(encoded: &str, of: &str) -> Observed<Vec<Certificate>> {
    let malformed = |message: &str| Observed::Unknown(Unknown::new(Reason::Malformed, of, message));
    let Ok(text) = STANDARD.decode(encoded) else {
        return malformed("its caBundle is not base64");
    };
    let mut found = Vec::new();
    for der in CertificateDer::pem_slice_iter(&text).take(BUNDLE_BOUND) {
        match der.ok().as_ref().and_then(read) {
            Some(certificate) => found.push(certificate),
            None => return malformed("its caBundle holds something that is no certificate"),
        }
    }
    if found.is_empty() {
        return malformed("there is no certificate in its caBundle");
    }
    Observed::Seen(found)
}

fn client_certificate(user: &AuthInfo) -> Result<Option<Certificate>, &'static str> {
    let text = match (&user.client_certificate_data, &user.client_certificate) {
        (Some(data), _) => STANDARD.decode(data).map_err(|_| "it is not base64")?,
        (None, Some(file)) => std::fs::read(file).map_err(|_| "its file cannot be read")?,
        (None, None) => return Ok(None),
    };
    // The first is the user's own; those after it lead to its authority.
    let own = CertificateDer::pem_slice_iter(&text).next();
    let own = own.and_then(Result::ok).ok_or("it is not PEM")?;
    read(&own).map(Some).ok_or("it cannot be read")
}

/// What a bearer token says of its time; `None` where it is none that says so. It is neither verified nor kept.
fn time_of_token(token: &str) -> Option<TokenTime> {
    let mut parts = token.trim().split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    Some(TokenTime {
        until: second(claims.exp?)?,
        from: claims.iat.and_then(second),
    })
}

/// A number of seconds as a moment. One beyond the calendar is none.
fn second(number: f64) -> Option<Timestamp> {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "a float is cast to the nearest integer there is, and a time beyond the calendar is none"
    )]
    let seconds = number.is_finite().then_some(number as i64)?;
    Timestamp::from_second(seconds).ok()
}

/// What of a certificate is kept. Its extensions are left unread: their parsers are most of the library.
fn read(der: &CertificateDer<'_>) -> Option<Certificate> {
    let (_, certificate) = Any::from_der(der).ok()?;
    let (_, signed) = Any::from_der(certificate.data).ok()?;
    // Version (which may be missing), serial number, signature algorithm, issuer (RFC 5280, section 4.1).
    let (mut rest, first) = Any::from_der(signed.data).ok()?;
    let before = if first.tag() == Tag::Integer { 2 } else { 3 };
    for _ in 0..before {
        (rest, _) = Any::from_der(rest).ok()?;
    }
    let (rest, validity) = Validity::from_der(rest).ok()?;
    let (_, subject) = X509Name::from_der(rest).ok()?;
    Some(Certificate {
        subject: bounded(&subject.to_string()),
        // One that never ends says the last second of the year 9999 (RFC 5280, section 4.1.2.5), which is beyond this calendar.
        until: Timestamp::from_second(validity.not_after.timestamp()).unwrap_or(Timestamp::MAX),
        from: Timestamp::from_second(validity.not_before.timestamp()).ok(),
    })
}

// === impl Door ===

impl Door {
    pub(super) fn of(config: &kube::Config) -> Self {
        let mut config = config.clone();
        config.auth_info = AuthInfo::default();
        config.headers.clear();
        Self(Arc::new(config))
    }

    /// The certificate that the server shows. Absent where it speaks no TLS.
    pub(super) async fn certificate(&self, timeout: Duration) -> Observed<Certificate> {
        let url = &self.0.cluster_url;
        if url.scheme_str() != Some("https") {
            return Observed::Absent;
        }
        let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
        let port = url.port_u16().unwrap_or(443);
        let request = format!("the certificate of {host}:{port}");
        let unknown = |reason, message: String| Observed::Unknown(Unknown::new(reason, request.clone(), message));
        let troubled = |trouble: Trouble, detail: &str| {
            Observed::Unknown(Unknown {
                trouble: Some(trouble),
                ..Unknown::new(trouble.reason(), request.clone(), trouble.message(detail))
            })
        };
        let proxy = self.0.proxy_url.as_ref().and_then(http::Uri::scheme_str);
        if let Some(other) = proxy.filter(|scheme| *scheme != "http") {
            let why = format!("{request} is not looked at through a proxy of {other}");
            return unknown(Reason::NotCollected, why);
        }
        match tokio::time::timeout(timeout, self.shown(host, port)).await {
            Ok(Ok(Some(der))) => match read(&der) {
                Some(certificate) => Observed::Seen(certificate),
                None => unknown(Reason::Malformed, "it cannot be read".to_owned()),
            },
            Ok(Ok(None)) => unknown(Reason::Malformed, "none was shown".to_owned()),
            Ok(Err(error)) => {
                let (trouble, detail) = diagnosis::find(error.as_ref());
                troubled(trouble, &detail)
            }
            Err(_elapsed) => troubled(Trouble::TimedOut, &format!("waited {}", seconds(timeout))),
        }
    }

    async fn shown(
        &self,
        host: &str,
        port: u16,
    ) -> Result<Option<CertificateDer<'static>>, Box<dyn Error + Send + Sync>> {
        let tls = TlsConnector::from(Arc::new(self.0.rustls_client_config()?));
        let name = self.0.tls_server_name.as_deref().unwrap_or(host);
        let name = ServerName::try_from(name.to_owned())?;
        let stream = self.connected(host, port).await?;
        let mut stream = tls.connect(name, stream).await?;
        let shown = stream.get_ref().1.peer_certificates();
        let shown = shown.and_then(<[_]>::first).map(|der| der.clone().into_owned());
        // Only so that the server's log has no broken connection.
        let _ = stream.shutdown().await;
        Ok(shown)
    }

    async fn connected(&self, host: &str, port: u16) -> Result<TcpStream, Box<dyn Error + Send + Sync>> {
        let Some(proxy) = &self.0.proxy_url else {
            return Ok(TcpStream::connect((host, port)).await?);
        };
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        let mut tunnel = Tunnel::new(proxy.clone(), connector);
        if let Some(authorization) = basic(proxy) {
            tunnel = tunnel.with_auth(authorization);
        }
        Ok(tunnel.oneshot(self.0.cluster_url.clone()).await?.into_inner())
    }
}

/// What a proxy knows the caller by, where its address names a user.
fn basic(proxy: &http::Uri) -> Option<HeaderValue> {
    let (user, _) = proxy.authority()?.as_str().split_once('@')?;
    // `http::Uri` leaves a user's percent-encoding as it is.
    let user: Vec<u8> = percent_encoding::percent_decode_str(user).collect();
    let value = format!("Basic {}", STANDARD.encode(user));
    let mut value = HeaderValue::from_str(&value).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn token(claims: &str) -> String {
        format!("e30.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(claims))
    }

    #[rstest]
    #[case::of_a_service_account(
        r#"{"exp":1796000000,"sub":"system:serviceaccount:a:b"}"#,
        Some("2026-11-30T00:53:20Z")
    )]
    #[case::with_a_fraction(r#"{"exp":1796000000.5}"#, Some("2026-11-30T00:53:20Z"))]
    #[case::that_never_ends(r#"{"sub":"a"}"#, None)]
    #[case::beyond_the_calendar(r#"{"exp":1e300}"#, None)]
    #[case::of_another_kind(r#"{"exp":"tomorrow"}"#, None)]
    fn a_token_ends_when_it_says_so(#[case] claims: &str, #[case] until: Option<&str>) {
        let until: Option<Timestamp> = until.map(|until| until.parse().unwrap());
        assert_eq!(time_of_token(&token(claims)).map(|time| time.until), until);
        for opaque in ["dop_v1_0123", "a.b", "a.%%%.c", "..", ""] {
            assert_eq!(time_of_token(opaque), None, "{opaque}");
        }
        let issued = time_of_token(&token(r#"{"exp":1796000000,"iat":1795996400}"#)).unwrap();
        assert_eq!(issued.until.duration_since(issued.from.unwrap()).as_hours(), 1);
    }

    /// What has no end says the last second of the year 9999 (RFC 5280, section 4.1.2.5).
    #[test]
    fn a_certificate_without_end_is_read() {
        let mut parameters = rcgen::CertificateParams::default();
        parameters.not_after = rcgen::date_time_ymd(9999, 12, 31);
        let made = parameters.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
        assert_eq!(read(made.der()).unwrap().until, Timestamp::MAX);
    }

    /// Two certificates in PEM: `CN=old` until 2026-12-02, `CN=new` until 2036.
    fn two() -> String {
        let one = |name: &str, year| {
            let mut parameters = rcgen::CertificateParams::default();
            parameters.distinguished_name = rcgen::DistinguishedName::new();
            parameters.distinguished_name.push(rcgen::DnType::CommonName, name);
            parameters.not_after = rcgen::date_time_ymd(year, 12, 2);
            let key = rcgen::KeyPair::generate().unwrap();
            parameters.self_signed(&key).unwrap().pem()
        };
        one("old", 2026) + &one("new", 2036)
    }

    #[test]
    fn every_certificate_of_a_bundle_is_read() {
        let text = two();
        let Observed::Seen(found) = bundle(&STANDARD.encode(&text), "it") else {
            panic!("not seen");
        };
        let found: Vec<String> = found
            .iter()
            .map(|certificate| format!("{} {}", certificate.subject, certificate.until))
            .collect();
        assert_eq!(found, ["CN=old 2026-12-02T00:00:00Z", "CN=new 2036-12-02T00:00:00Z"]);
        let cut = text.replace("MI", "XX");
        for wrong in [
            "%",
            &STANDARD.encode(""),
            &STANDARD.encode("no PEM"),
            &STANDARD.encode(cut),
        ] {
            assert!(bundle(wrong, "it").unknown().is_some(), "{wrong}");
        }
    }

    /// A server of TLS on loopback, by a certificate of that name that ends in that year, and the configuration that trusts it.
    async fn server(year: i32) -> kube::Config {
        crate::collect::install_crypto_provider();
        let mut parameters = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        parameters.distinguished_name = rcgen::DistinguishedName::new();
        parameters.distinguished_name.push(rcgen::DnType::CommonName, "server");
        parameters.not_after = rcgen::date_time_ymd(year, 12, 2);
        let key = rcgen::KeyPair::generate().unwrap();
        let own = parameters.self_signed(&key).unwrap();
        let secret = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let tls = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![own.der().clone()], secret)
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = acceptor.accept(stream).await;
            }
        });
        let mut config = kube::Config::new(format!("https://127.0.0.1:{port}").parse().unwrap());
        config.root_cert = Some(vec![own.der().to_vec()]);
        config
    }

    /// A proxy for one connection, and what it was asked.
    async fn proxy() -> (std::net::SocketAddr, tokio::task::JoinHandle<String>) {
        use tokio::io::AsyncReadExt;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let head = tokio::spawn(async move {
            let (mut client, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(client.read_u8().await.unwrap());
            }
            let head = String::from_utf8(head).unwrap();
            let target = head.split(' ').nth(1).unwrap().to_owned();
            let mut server = TcpStream::connect(target).await.unwrap();
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut server).await });
            head
        });
        (address, head)
    }

    #[tokio::test]
    async fn the_certificate_that_is_served_is_seen_and_only_where_it_can_be() {
        let soon = Duration::from_secs(5);
        let seen = |year: i32| {
            Observed::Seen(Certificate {
                subject: "CN=server".to_owned(),
                until: format!("{year}-12-02T00:00:00Z").parse().unwrap(),
                from: "1975-01-01T00:00:00Z".parse().ok(),
            })
        };
        let config = server(2036).await;
        assert_eq!(Door::of(&config).certificate(soon).await, seen(2036));

        // Whoever trusts everybody is shown what has ended.
        let mut lax = server(2020).await;
        let refused = Door::of(&lax).certificate(soon).await;
        assert_eq!(refused.unknown().unwrap().trouble, Some(Trouble::CertificateExpired));
        lax.accept_invalid_certs = true;
        assert_eq!(Door::of(&lax).certificate(soon).await, seen(2020));

        let mut untrusted = config.clone();
        untrusted.root_cert = server(2036).await.root_cert;
        let refused = Door::of(&untrusted).certificate(soon).await;
        assert_eq!(refused.unknown().unwrap().trouble, Some(Trouble::CertificateIssuer));

        let mut proxied = config.clone();
        let (address, head) = proxy().await;
        proxied.proxy_url = Some(format!("http://kim:p%40ss@{address}").parse().unwrap());
        assert_eq!(Door::of(&proxied).certificate(soon).await, seen(2036));
        let head = head.await.unwrap();
        assert!(head.starts_with("CONNECT 127.0.0.1:"), "{head}");
        assert!(
            head.contains(&format!("Basic {}", STANDARD.encode("kim:p@ss"))),
            "{head}"
        );
        proxied.proxy_url = Some("socks5://127.0.0.1:1".parse().unwrap());
        let unseen = Door::of(&proxied).certificate(soon).await;
        assert_eq!(unseen.unknown().unwrap().reason, Reason::NotCollected);

        let mut plain = config.clone();
        plain.cluster_url = "http://127.0.0.1:1".parse().unwrap();
        assert_eq!(Door::of(&plain).certificate(soon).await, Observed::Absent);

        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut hanging = config;
        hanging.cluster_url = format!("https://{}", silent.local_addr().unwrap()).parse().unwrap();
        let begun = tokio::time::Instant::now();
        let unseen = Door::of(&hanging).certificate(Duration::from_millis(200)).await;
        assert_eq!(unseen.unknown().unwrap().trouble, Some(Trouble::TimedOut));
        assert!(begun.elapsed() < Duration::from_secs(2));
    }

    #[test]
    fn what_a_plugin_or_a_file_renews_is_left_out() {
        let user = |change: fn(&mut AuthInfo)| {
            let mut user = AuthInfo {
                token: Some(token(r#"{"exp":1796000000}"#).into()),
                ..AuthInfo::default()
            };
            change(&mut user);
            credentials(&user)
        };
        let until = "2026-11-30T00:53:20Z".parse().unwrap();
        let time = TokenTime { until, from: None };
        assert_eq!(user(|_| {}), Observed::Seen(vec![Credential::Token(Some(time))]));
        assert_eq!(
            user(|user| user.token_file = Some("/token".to_owned())),
            Observed::Absent
        );
        assert_eq!(user(|user| user.token = None), Observed::Absent);
        let mine = |user: &mut AuthInfo| {
            user.token = None;
            user.client_certificate_data = Some(STANDARD.encode(two()));
        };
        let Observed::Seen(found) = user(mine) else {
            panic!("not seen");
        };
        assert!(
            matches!(&found[..], [Credential::Certificate(own)] if own.subject == "CN=old"),
            "{found:?}"
        );
        assert!(
            user(|user| user.client_certificate_data = Some("%".to_owned()))
                .unknown()
                .is_some()
        );
    }
}
