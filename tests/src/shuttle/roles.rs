//! `manifests/shuttle/30-roles.yaml`: made of what the collectors declare and of [`super::permissions`], so that no role
//! is wider, or narrower, than what is sent.

use std::collections::BTreeSet;
use std::fmt::Write;

use anyhow::Result;
use starform_verify::collect::rbac::{self, Rule, RuleOptions};
use starform_verify::contract::Contract;
use starform_verify::evidence::{Source, Vantage};

use super::permissions::{AGENT, AGENT_AT_HOME, NODE, Permission, STARTUP_TAINT};

const GROUP: &str = "rbac.authorization.k8s.io";
const NAMESPACE: &str = "starform-system";

/// The file of roles and bindings as it must be.
///
/// # Errors
///
/// When the embedded contract is damaged.
pub fn roles() -> Result<String> {
    let mut out = String::from(
        "# Shuttle's permissions. Made, not written: `UPDATE_MANIFESTS=1 cargo test -p testbed --test shuttle_manifests`\n\
         # makes it again of what the collectors declare and of the agent's own list in tests/src/shuttle/permissions.rs.\n\
         # No Secret is read, and no node is proxied to.\n",
    );
    role(&mut out, "ClusterRole", "shuttle-collectors", "shuttle", &collectors()?);
    role(&mut out, "ClusterRole", "shuttle", "shuttle", &own(AGENT));
    role(&mut out, "Role", "shuttle", "shuttle", &own(AGENT_AT_HOME));
    role(&mut out, "ClusterRole", "shuttle-node", "shuttle-node", &own(NODE));
    Ok(out)
}

/// The further role of `manifests/shuttle-overlays/startup-taint`.
#[must_use]
pub fn startup_taint_roles() -> String {
    let mut out = String::from(
        "# Made like manifests/shuttle/30-roles.yaml. Which taint, and of which node, the policy `shuttle-node` says.\n",
    );
    let rules = own(STARTUP_TAINT);
    role(
        &mut out,
        "ClusterRole",
        "shuttle-node-startup-taint",
        "shuttle-node",
        &rules,
    );
    out
}

/// What the collectors need inside the cluster. Of namespaced rules too the ClusterRole is made: a Role needs its
/// namespace, and these manifests are the same bytes for clusters that lack some, or any, of those that the contract
/// accepts.
fn collectors() -> Result<Vec<String>> {
    let contract = Contract::embedded()?;
    let options = RuleOptions {
        vantage: Vantage::Inside,
        accepted_namespaces: true,
        shards: true,
    };
    let mut merged: Vec<(Rule, BTreeSet<Source>)> = Vec::new();
    for mut rule in rbac::rules(&Source::ALL.into_iter().collect(), &contract, options) {
        rule.namespace = None;
        let sources = Source::ALL.into_iter().filter(|source| rule.for_source(*source));
        let same = |other: &&mut (Rule, BTreeSet<Source>)| {
            let other = &other.0;
            (&other.group, &other.resource, &other.names, &other.verbs)
                == (&rule.group, &rule.resource, &rule.names, &rule.verbs)
        };
        if let Some((_, known)) = merged.iter_mut().find(same) {
            known.extend(sources);
        } else {
            let sources = sources.collect();
            merged.push((rule, sources));
        }
    }
    Ok(merged
        .iter()
        .map(|(rule, sources)| collectors_rule(rule, sources))
        .collect())
}

fn collectors_rule(rule: &Rule, sources: &BTreeSet<Source>) -> String {
    let sources: Vec<_> = sources.iter().map(ToString::to_string).collect();
    lines(
        &sources.join(", "),
        &rule.group,
        &[&rule.resource],
        &rule.names,
        &rule.verbs,
    )
}

fn own(permissions: &[Permission]) -> Vec<String> {
    permissions
        .iter()
        .map(|one| lines(one.reason, one.group, one.resources, one.names, one.verbs))
        .collect()
}

fn lines(
    reason: &str,
    group: &str,
    resources: &[impl AsRef<str>],
    names: &[impl AsRef<str>],
    verbs: &[impl AsRef<str>],
) -> String {
    let mut out = String::new();
    if !reason.is_empty() {
        let _ = writeln!(out, "  # {reason}");
    }
    let _ = writeln!(out, "  - apiGroups: {}", list(&[group]));
    let _ = writeln!(out, "    resources: {}", list(resources));
    if !names.is_empty() {
        let _ = writeln!(out, "    resourceNames: {}", list(names));
    }
    let _ = writeln!(out, "    verbs: {}", list(verbs));
    out
}

/// A flow sequence; strings of JSON are YAML's.
fn list(items: &[impl AsRef<str>]) -> String {
    let quoted = items
        .iter()
        .map(|item| serde_json::Value::from(item.as_ref()).to_string());
    format!("[{}]", quoted.collect::<Vec<_>>().join(", "))
}

/// The role, and its binding to the account.
fn role(out: &mut String, kind: &str, name: &str, account: &str, rules: &[String]) {
    head(out, kind, name);
    let _ = write!(out, "rules:\n{}", rules.concat());
    head(out, &format!("{kind}Binding"), name);
    let _ = write!(
        out,
        "roleRef:\n  apiGroup: {GROUP}\n  kind: {kind}\n  name: {name}\nsubjects:\n  - kind: ServiceAccount\n    \
         namespace: {NAMESPACE}\n    name: {account}\n"
    );
}

fn head(out: &mut String, kind: &str, name: &str) {
    let _ = write!(
        out,
        "---\napiVersion: {GROUP}/v1\nkind: {kind}\nmetadata:\n  name: {name}\n"
    );
    if !kind.starts_with("Cluster") {
        let _ = writeln!(out, "  namespace: {NAMESPACE}");
    }
}
