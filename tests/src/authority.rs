//! The cluster's certificate authority, and every certificate and key that the cluster needs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};

use crate::network::{API_SERVICE, HOST, node_address, node_name};
use crate::paths::State;
use crate::repository;

struct Authority {
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new(state: &State) -> Result<Self> {
        let mut params = params("testbed-ca", None, &[])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages.clear();
        let key = KeyPair::generate()?;
        fs::write(state.pki("ca.crt"), params.self_signed(&key)?.pem())?;
        Ok(Self {
            issuer: Issuer::new(params, key),
        })
    }

    fn issue(&self, state: &State, file: &str, name: &str, group: Option<&str>, alternatives: &[&str]) -> Result<()> {
        let key = KeyPair::generate()?;
        let certificate = params(name, group, alternatives)?.signed_by(&key, &self.issuer)?;
        save(state, file, &certificate.pem(), &key)
    }
}

/// Makes them all anew; they live as long as the cluster's state directory.
pub(crate) fn create(state: &State, nodes: u8) -> Result<()> {
    fs::create_dir_all(state.dir.join("pki"))?;
    let authority = Authority::new(state).context("the cluster's certificate authority cannot be made")?;
    let api_server = [
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "localhost",
        "127.0.0.1",
        API_SERVICE,
        HOST,
    ];
    authority.issue(state, "apiserver", "kube-apiserver", None, &api_server)?;
    authority.issue(state, "admin", "admin", Some("system:masters"), &[])?;
    authority.issue(state, "controller-manager", "system:kube-controller-manager", None, &[])?;
    authority.issue(state, "scheduler", "system:kube-scheduler", None, &[])?;
    authority.issue(state, "kube-proxy", "system:kube-proxy", None, &[])?;
    authority.issue(state, "front-proxy", "front-proxy-client", None, &[])?;
    for node in 1..=nodes {
        let (name, address) = (node_name(node), node_address(node));
        authority.issue(
            state,
            &name,
            &format!("system:node:{name}"),
            Some("system:nodes"),
            &[&name, &address],
        )?;
        // What the kubelet serves lies apart: a scenario swaps it for a certificate that nobody vouches for.
        let own = KeyPair::generate()?;
        let refused = params(&name, None, &[&name, &address])?.self_signed(&own)?;
        save(state, &format!("{name}-self-signed"), &refused.pem(), &own)?;
        serve(state, &name, &name)?;
    }
    let repositories: Vec<String> = repository::hosts()?;
    let repositories: Vec<&str> = repositories.iter().map(String::as_str).collect();
    authority.issue(state, "repositories", "repositories", None, &repositories)?;
    let accounts = KeyPair::generate()?;
    fs::write(state.pki("service-accounts.pub"), accounts.public_key_pem())?;
    private(&state.pki("service-accounts.key"), &accounts.serialize_pem())
}

/// Has a node's kubelet serve the certificate in `source`, from its next start on. Says whether that is another one
/// than before.
pub(crate) fn serve(state: &State, node: &str, source: &str) -> Result<bool> {
    let mut changed = false;
    for kind in ["key", "crt"] {
        let target = state.pki(&format!("{node}-serving.{kind}"));
        let wanted = fs::read(state.pki(&format!("{source}.{kind}")))?;
        if fs::read(&target).is_ok_and(|present| present == wanted) {
            continue;
        }
        changed = true;
        fs::write(&target, wanted).with_context(|| format!("{} cannot be written", target.display()))?;
    }
    Ok(changed)
}

pub(crate) fn params(name: &str, group: Option<&str>, alternatives: &[&str]) -> Result<CertificateParams> {
    let alternatives: Vec<String> = alternatives.iter().map(|&text| text.to_owned()).collect();
    let mut params = CertificateParams::new(alternatives)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    if let Some(group) = group {
        params.distinguished_name.push(DnType::OrganizationName, group);
    }
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    Ok(params)
}

fn save(state: &State, file: &str, certificate: &str, key: &KeyPair) -> Result<()> {
    fs::write(state.pki(&format!("{file}.crt")), certificate)?;
    private(&state.pki(&format!("{file}.key")), &key.serialize_pem())
}

pub(crate) fn private(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text)?;
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(0o600))?)
}
