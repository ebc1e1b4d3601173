//! The authorities of this machine, which vouch for a server where nothing else is named.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use std::sync::LazyLock;

/// Gives a configuration the authorities that it lacks, so that kube does not look for them itself: it reads and parses the
/// machine's whole store for each client, also where no TLS is spoken.
pub(super) fn complete(config: &mut kube::Config) {
    if config.root_cert.is_some() || config.root_cert_file.is_some() {
        return;
    }
    let needs_none = config.accept_invalid_certs || config.cluster_url.scheme_str() == Some("http");
    let roots: &[Vec<u8>] = if needs_none { &[] } else { &OF_THIS_MACHINE };
    // Without any, kube says so better than a handshake would.
    if needs_none || !roots.is_empty() {
        config.root_cert = Some(roots.to_vec());
    }
}

/// Read once in a process. What is no certificate that rustls takes is left out: one bad file in the store is no reason to
/// trust nobody.
static OF_THIS_MACHINE: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let usable = |certificate: &CertificateDer<'_>| RootCertStore::empty().add(certificate.clone()).is_ok();
    let found = rustls_native_certs::load_native_certs().certs.into_iter();
    found.filter(usable).map(|certificate| certificate.to_vec()).collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(url: &str, change: fn(&mut kube::Config)) -> Option<usize> {
        let mut config = kube::Config::new(url.parse().unwrap());
        change(&mut config);
        complete(&mut config);
        config.root_cert.map(|roots| roots.len())
    }

    #[test]
    fn the_machine_s_authorities_are_given_to_tls_alone_and_only_where_none_is_named() {
        let found = OF_THIS_MACHINE.len();
        assert_eq!(completed("https://10.0.0.1", |_| {}), (found > 0).then_some(found));
        assert_eq!(completed("http://10.0.0.1", |_| {}), Some(0));
        assert_eq!(
            completed("https://10.0.0.1", |config| config.accept_invalid_certs = true),
            Some(0)
        );
        let named = |config: &mut kube::Config| config.root_cert = Some(vec![vec![1]]);
        assert_eq!(completed("https://10.0.0.1", named), Some(1));
        let file = |config: &mut kube::Config| config.root_cert_file = Some("/ca.crt".into());
        assert_eq!(completed("https://10.0.0.1", file), None);
    }
}
