//! The authority, and every certificate that Starbase can be made to show.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::faults::CertificateFault;
use crate::authority::{params, private};
use crate::https::provider;
use crate::network::HOST;

/// What Starbase is called, besides its addresses.
const NAME: &str = "starbase.testbed";
/// As the manifests call it; `manifests/coredns.yaml` says where that is here.
const PUBLIC_NAME: &str = "starbase.starform.io";

/// A root, and the authority below it that signs.
struct Authority {
    root: String,
    intermediate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new(name: &str) -> Result<Self> {
        let (root, root_key) = (authority(&format!("{name} root"))?, KeyPair::generate()?);
        let root_pem = root.self_signed(&root_key)?.pem();
        let root = Issuer::new(root, root_key);
        let (intermediate, key) = (authority(&format!("{name} intermediate"))?, KeyPair::generate()?);
        let intermediate_pem = intermediate.signed_by(&key, &root)?.pem();
        Ok(Self {
            root: root_pem,
            intermediate: intermediate_pem,
            issuer: Issuer::new(intermediate, key),
        })
    }
}

/// Makes the authority and the certificates where there are none. Several processes may try at once.
pub(super) fn ensure(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir.join("pki")).with_context(|| format!("{} cannot be made", dir.display()))?;
    let turn = File::create(dir.join("pki/turn"))?;
    turn.lock().context("the turn cannot be taken")?;
    // Written last: where it is, everything is.
    let root = authority_file(dir);
    if root.exists() {
        return Ok(());
    }
    let (own, other) = (Authority::new("starbase")?, Authority::new("somebody else's")?);
    let names = [NAME, PUBLIC_NAME, "localhost", "127.0.0.1", "::1", HOST];
    let good = || params(NAME, None, &names);
    issue(dir, None, &own, &good()?, true)?;
    let mut expired = good()?;
    expired.not_before = date_time_ymd(2020, 1, 1);
    expired.not_after = date_time_ymd(2021, 1, 1);
    issue(dir, Some(CertificateFault::Expired), &own, &expired, true)?;
    let mut early = good()?;
    early.not_before = date_time_ymd(2200, 1, 1);
    early.not_after = date_time_ymd(2201, 1, 1);
    issue(dir, Some(CertificateFault::NotYetValid), &own, &early, true)?;
    let elsewhere = params("elsewhere.example", None, &["elsewhere.example", "192.0.2.7"])?;
    issue(dir, Some(CertificateFault::WrongName), &own, &elsewhere, true)?;
    issue(dir, Some(CertificateFault::UnknownAuthority), &other, &good()?, true)?;
    issue(dir, Some(CertificateFault::MissingIntermediate), &own, &good()?, false)?;
    fs::write(root, own.root)?;
    Ok(())
}

/// The root's certificate.
pub(super) fn authority_file(dir: &Path) -> PathBuf {
    dir.join("pki/ca.crt")
}

/// TLS with the certificate that a fault asks for, or with the right one.
pub(super) fn config(dir: &Path, fault: Option<CertificateFault>) -> Result<Arc<ServerConfig>> {
    let (chain_file, key_file) = (file(dir, fault, "crt"), file(dir, fault, "key"));
    let chain = CertificateDer::pem_file_iter(&chain_file)
        .with_context(|| format!("{} cannot be read", chain_file.display()))?
        .collect::<Result<Vec<_>, _>>()?;
    let key =
        PrivateKeyDer::from_pem_file(&key_file).with_context(|| format!("{} cannot be read", key_file.display()))?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Every connection shows its certificate: one that resumes an earlier session would not.
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    Ok(Arc::new(config))
}

fn issue(
    dir: &Path,
    fault: Option<CertificateFault>,
    authority: &Authority,
    params: &CertificateParams,
    whole: bool,
) -> Result<()> {
    let key = KeyPair::generate()?;
    let mut chain = params.signed_by(&key, &authority.issuer)?.pem();
    if whole {
        chain.push_str(&authority.intermediate);
    }
    fs::write(file(dir, fault, "crt"), chain)?;
    private(&file(dir, fault, "key"), &key.serialize_pem())
}

fn authority(name: &str) -> Result<CertificateParams> {
    let mut params = params(name, None, &[])?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages.clear();
    Ok(params)
}

fn file(dir: &Path, fault: Option<CertificateFault>, extension: &str) -> PathBuf {
    let name = fault.map_or_else(|| "right".to_owned(), |fault| format!("{fault:?}").to_lowercase());
    dir.join("pki").join(format!("{name}.{extension}"))
}
