//! The authorities that the image trusts: Mozilla's, as a crate has them, and so the same on whichever machine builds.

use pem::Pem;
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

/// PEM, for where the agent's TLS looks: /etc/ssl/certs/ca-certificates.crt.
pub(super) fn bundle() -> String {
    let certificates = TLS_SERVER_ROOT_CERTS.iter();
    let certificates: Vec<_> = certificates
        .map(|certificate| Pem::new("CERTIFICATE", certificate.to_vec()))
        .collect();
    pem::encode_many(&certificates)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;

    #[test]
    fn the_bundle_reads_back_as_the_same_certificates() {
        let read: Vec<_> = CertificateDer::pem_slice_iter(bundle().as_bytes())
            .map(Result::unwrap)
            .collect();
        assert_eq!(read.as_slice(), TLS_SERVER_ROOT_CERTS);
    }
}
