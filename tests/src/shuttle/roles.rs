//! `manifests/shuttle/30-roles.yaml`: made of what the collectors declare and of what the contract allows Shuttle for
//! its own work, so that no role is wider, or narrower, than what is declared.

use std::collections::BTreeSet;
use std::fmt::Write;

use anyhow::Result;
use starform_verify::collect::rbac::{self, Rule};
use starform_verify::contract::{Contract, Permission};
use starform_verify::evidence::Source;

const GROUP: &str = "rbac.authorization.k8s.io";
/// What the node role needs with the opt-in startup taint only.
const STARTUP_TAINT: &str = "nodes";

/// The file of roles and bindings as it must be.
///
/// # Errors
///
/// When the embedded contract is damaged.
pub fn roles() -> Result<String> {
    let contract = Contract::embedded()?;
    let terms = &contract.components.shuttle;
    let mut out = Roles {
        namespace: &terms.namespace,
        text: String::from(
            "# Shuttle's permissions. Made, not written: `UPDATE_MANIFESTS=1 cargo test --workspace \
             shuttle_manifests`\n# makes it again of what the collectors declare and of components.shuttle in \
             verify/contract.yaml.\n# No Secret is read, and no node is proxied to.\n",
        ),
    };
    let (at_home, everywhere) = collectors(&contract);
    let agent = &terms.agent.service_account;
    let collectors = format!("{agent}-collectors");
    out.role("ClusterRole", &collectors, agent, &everywhere);
    out.role("Role", &collectors, agent, &at_home);
    let (at_home, everywhere): (Vec<_>, Vec<_>) =
        (terms.agent.permissions.iter()).partition(|permission| permission.namespace.is_some());
    out.role("ClusterRole", agent, agent, &own(everywhere));
    out.role("Role", agent, agent, &own(at_home));
    let node = &terms.node.service_account;
    let permissions = terms.node.permissions.iter();
    let plain = own(permissions.filter(|permission| permission.resource != STARTUP_TAINT));
    out.role("ClusterRole", node, node, &plain);
    Ok(out.text)
}

/// The further role of `manifests/shuttle-overlays/startup-taint`.
///
/// # Errors
///
/// When the embedded contract is damaged.
pub fn startup_taint_roles() -> Result<String> {
    let contract = Contract::embedded()?;
    let terms = &contract.components.shuttle;
    let mut out = Roles {
        namespace: &terms.namespace,
        text: String::from(
            "# Made like manifests/shuttle/30-roles.yaml. Which taint, and of which node, the policy `shuttle-node` \
             says.\n",
        ),
    };
    let node = &terms.node.service_account;
    let permissions = terms.node.permissions.iter();
    let further = own(permissions.filter(|permission| permission.resource == STARTUP_TAINT));
    out.role("ClusterRole", &format!("{node}-startup-taint"), node, &further);
    Ok(out.text)
}

/// What the collectors need inside the cluster: in Shuttle's own namespace, and everywhere. Of the rules of other
/// namespaces the ClusterRole is made: a Role needs its namespace, and these manifests are the same bytes for clusters
/// that lack some, or any, of those that the contract accepts.
fn collectors(contract: &Contract) -> (Vec<String>, Vec<String>) {
    let home = &contract.components.shuttle.namespace;
    let mut merged: Vec<(Rule, BTreeSet<Source>)> = Vec::new();
    for mut rule in rbac::inside(contract, true) {
        rule.namespace = rule.namespace.filter(|namespace| namespace == home);
        let sources: BTreeSet<_> = Source::ALL
            .into_iter()
            .filter(|source| rule.for_source(*source))
            .collect();
        let parts = |rule: &Rule| {
            let Rule {
                namespace,
                group,
                resource,
                names,
                verbs,
                ..
            } = rule.clone();
            (namespace, group, resource, names, verbs)
        };
        match merged.iter_mut().find(|(other, _)| parts(other) == parts(&rule)) {
            Some((_, known)) => known.extend(sources),
            None => merged.push((rule, sources)),
        }
    }
    let (at_home, everywhere): (Vec<_>, Vec<_>) = merged.iter().partition(|(rule, _)| rule.namespace.is_some());
    let print = |rules: Vec<&(Rule, BTreeSet<Source>)>| rules.into_iter().map(collectors_rule).collect();
    (print(at_home), print(everywhere))
}

fn collectors_rule((rule, sources): &(Rule, BTreeSet<Source>)) -> String {
    let sources: Vec<_> = sources.iter().map(ToString::to_string).collect();
    lines(
        &sources.join(", "),
        &rule.group,
        &rule.resource,
        &rule.names,
        &rule.verbs,
    )
}

fn own<'a>(permissions: impl IntoIterator<Item = &'a Permission>) -> Vec<String> {
    permissions
        .into_iter()
        .map(|one| lines(reason(&one.resource), &one.group, &one.resource, &one.names, &one.verbs))
        .collect()
}

/// What a permission is for, where its name does not say it.
fn reason(resource: &str) -> &'static str {
    match resource {
        "pods" => "Labels, held to five keys by the admission policy `shuttle`; metadata is all that is watched",
        "namespaces" => "Which of them are managed",
        "replicasets" | "cronjobs" | "jobs" => "The owner of a pod names its app and deployment",
        "daemonsets" | "deployments" | "statefulsets" => {
            "Owners too; and a change of what the checks rest on is seen at once"
        }
        "endpointslices" | "apiservices" => "A change of what the checks rest on is seen at once",
        "nodes/metrics" => "cAdvisor's metrics, of kubelet",
        "nodes/status" => "One condition of its own node: the admission policy `shuttle-node`",
        "nodes" => "One taint of its own node: the admission policy `shuttle-node`",
        "events" => "One Event for each transition",
        "leases" => "One replica leads",
        "configmaps" => "What it tells auditors and the standby",
        _ => "",
    }
}

fn lines(reason: &str, group: &str, resource: &str, names: &[String], verbs: &[String]) -> String {
    let mut out = String::new();
    if !reason.is_empty() {
        let _ = writeln!(out, "  # {reason}");
    }
    let _ = writeln!(out, "  - apiGroups: {}", list(&[group]));
    let _ = writeln!(out, "    resources: {}", list(&[resource]));
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

/// The text as far as it is written.
struct Roles<'a> {
    namespace: &'a str,
    text: String,
}

impl Roles<'_> {
    /// A role, if it has a rule, and its binding to the account.
    fn role(&mut self, kind: &str, name: &str, account: &str, rules: &[String]) {
        if rules.is_empty() {
            return;
        }
        self.head(kind, name);
        let _ = write!(self.text, "rules:\n{}", rules.concat());
        self.head(&format!("{kind}Binding"), name);
        let _ = write!(
            self.text,
            "roleRef:\n  apiGroup: {GROUP}\n  kind: {kind}\n  name: {name}\nsubjects:\n  - kind: ServiceAccount\n    \
             namespace: {}\n    name: {account}\n",
            self.namespace
        );
    }

    fn head(&mut self, kind: &str, name: &str) {
        let _ = write!(
            self.text,
            "---\napiVersion: {GROUP}/v1\nkind: {kind}\nmetadata:\n  name: {name}\n"
        );
        if !kind.starts_with("Cluster") {
            let _ = writeln!(self.text, "  namespace: {}", self.namespace);
        }
    }
}
