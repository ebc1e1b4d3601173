//! The authorities that the image trusts: Mozilla's, as a crate has them, and so the same on whichever machine builds.

use pem::Pem;
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

/// PEM, for where the agent's TLS looks: /etc/ssl/certs/ca-certificates.crt. `more` is PEM too.
pub(super) fn bundle(more: Option<&str>) -> String {
    let certificates = TLS_SERVER_ROOT_CERTS.iter();
    let certificates: Vec<_> = certificates
        .map(|certificate| Pem::new("CERTIFICATE", certificate.to_vec()))
        .collect();
    pem::encode_many(&certificates) + more.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;

    #[test]
    fn the_bundle_reads_back_as_the_same_certificates() {
        let read: Vec<_> = CertificateDer::pem_slice_iter(bundle(None).as_bytes())
            .map(Result::unwrap)
            .collect();
        assert_eq!(read.as_slice(), TLS_SERVER_ROOT_CERTS);
    }

    #[test]
    fn one_more_authority_is_the_last_of_the_bundle() {
        let one = pem::encode(&Pem::new("CERTIFICATE", TLS_SERVER_ROOT_CERTS[0].to_vec()));
        let bundle = bundle(Some(&one));
        let read = CertificateDer::pem_slice_iter(bundle.as_bytes());
        assert_eq!(read.count(), TLS_SERVER_ROOT_CERTS.len() + 1);
        assert!(bundle.ends_with(&one));
    }
}
