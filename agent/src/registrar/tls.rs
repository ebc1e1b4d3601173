//! Which authorities vouch for Starbase, and what its certificates were when none did.

mod chain;

use super::TransportError;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// How large the authority's file may be. The machine's own bundle, which somebody may put there, has 220 KiB.
const FILE_BOUND: u64 = 1_024 * 1_024;

/// The trusted authorities: the machine's, and those of a file.
pub(super) struct Authorities;

/// Verifies as rustls does, and keeps in words what it refused: errors name neither certificate nor issuer.
#[derive(Debug)]
pub(super) struct Recorder {
    inner: Arc<WebPkiServerVerifier>,
    /// The authorities' names, DER: which link of a chain is missing.
    roots: Vec<Vec<u8>>,
    refused: Mutex<Option<String>>,
}

// === impl Authorities ===

impl Authorities {
    /// What the file holds; `None` where there is no file to read.
    pub(super) fn read(file: Option<&Path>) -> Result<Option<Arc<[u8]>>, TransportError> {
        let Some(file) = file else { return Ok(None) };
        let mut content = Vec::new();
        let read = File::open(file).and_then(|open| open.take(FILE_BOUND + 1).read_to_end(&mut content));
        match read {
            Err(error) => Err(unusable(file, &format!("it cannot be read: {error}"))),
            Ok(_) if content.len() as u64 > FILE_BOUND => {
                Err(unusable(file, &format!("it is larger than {FILE_BOUND} bytes")))
            }
            Ok(_) => Ok(Some(content.into())),
        }
    }

    /// Whether a file names no authority: nothing but white space, as `ca.crt: ""` of the manifests. Any other text has to
    /// hold a certificate.
    pub(super) fn is_blank(content: &[u8]) -> bool {
        content.trim_ascii().is_empty()
    }

    /// A configuration that trusts the machine's authorities and those in `content`, and the verifier within it.
    pub(super) fn config(
        file: Option<&Path>,
        content: Option<&[u8]>,
    ) -> Result<(ClientConfig, Arc<Recorder>), TransportError> {
        let mut roots = RootCertStore::empty();
        // What of the machine's bundle cannot be read is skipped, as everywhere.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let (Some(file), Some(content)) = (file, content.filter(|content| !Self::is_blank(content))) {
            let own = roots.len();
            for certificate in CertificateDer::pem_slice_iter(content) {
                let certificate = certificate.map_err(|error| unusable(file, &format!("it is not PEM: {error}")))?;
                roots
                    .add(certificate)
                    .map_err(|error| unusable(file, &format!("a certificate in it is none: {error}")))?;
            }
            if roots.len() == own {
                return Err(unusable(file, "it holds no certificate"));
            }
        }
        let recorder = Arc::new(Recorder::new(roots)?);
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| unmade(&error))?
            .dangerous()
            // Not dangerous: the recorder asks rustls' own verifier and repeats its answer.
            .with_custom_certificate_verifier(Arc::<Recorder>::clone(&recorder))
            .with_no_client_auth();
        // One request is in flight at most: HTTP/2 would bring nothing but its code.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok((config, recorder))
    }
}

// === impl Recorder ===

impl Recorder {
    fn new(roots: RootCertStore) -> Result<Self, TransportError> {
        if roots.is_empty() {
            return Err(TransportError {
                message: "no authority is trusted: the image has no /etc/ssl/certs/ca-certificates.crt, and no file \
                          names one"
                    .to_owned(),
            });
        }
        let names = (roots.roots.iter()).map(|root| root.subject.to_vec()).collect();
        let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
            .build()
            .map_err(|error| unmade(&error))?;
        Ok(Self {
            inner,
            roots: names,
            refused: Mutex::new(None),
        })
    }

    /// The chain that was last refused, in words. Told once.
    pub(super) fn take(&self) -> Option<String> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict = self
            .inner
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        if let Err(error) = &verdict {
            let words = chain::describe(end_entity, intermediates, server_name, now, &self.roots, error);
            *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
        }
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn unusable(file: &Path, what: &str) -> TransportError {
    TransportError {
        message: format!(
            "the authority file {} is not usable: {what}; it has to hold certificates in PEM, or nothing",
            file.display()
        ),
    }
}

fn unmade(error: &dyn std::error::Error) -> TransportError {
    TransportError {
        message: format!("TLS could not be set up: {error}"),
    }
}
