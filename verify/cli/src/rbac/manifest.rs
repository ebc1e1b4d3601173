//! Roles and bindings as YAML that `kubectl apply -f -` takes.

use starform_verify::collect::rbac::Rule;
use starform_verify::evidence::Source;
use starform_verify::printable::printable_json;
use std::collections::BTreeSet;
use std::fmt::Write;

const GROUP: &str = "rbac.authorization.k8s.io";

/// Who is granted the roles.
pub(super) enum Grantee<'a> {
    User(&'a str),
    ServiceAccount { namespace: &'a str, name: &'a str },
}

/// The namespaces that every cluster has.
const OF_KUBERNETES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

/// What has to be there before the roles are applied: a Role is refused in a namespace that is not. `None` where all of them are
/// in every cluster.
pub(super) fn before(rules: &[Rule]) -> Option<String> {
    let namespaces: BTreeSet<&str> = (rules.iter().filter_map(|rule| rule.namespace.as_deref()))
        .filter(|namespace| !OF_KUBERNETES.contains(namespace))
        .collect();
    let names: Vec<&str> = namespaces.into_iter().collect();
    (!names.is_empty()).then(|| {
        format!(
            "These namespaces have to exist before, or their roles are refused: {}",
            names.join(", ")
        )
    })
}

/// A ClusterRole for what has no namespace or is listed in all, a Role for each namespace, and their bindings.
pub(super) fn yaml(name: &str, grantee: &Grantee<'_>, rules: &[Rule]) -> String {
    let mut out = format!(
        "# The least roles for an audit by starform-verify {}: they let it write nothing.\n",
        env!("CARGO_PKG_VERSION")
    );
    out.push_str(if rules.iter().any(|rule| rule.resource == "secrets") {
        "# `list secrets` reads every Secret of its namespace: RBAC cannot grant Helm's alone. Only the group `helm` needs it;\n\
         # `rbac -G helm` and `audit -G helm` do without.\n"
    } else {
        "# They let it read no Secret.\n"
    });
    if let Some(before) = before(rules) {
        let _ = writeln!(out, "# {before}.");
    }
    let namespaces: BTreeSet<Option<&str>> = rules.iter().map(|rule| rule.namespace.as_deref()).collect();
    for namespace in namespaces {
        let of_namespace = rules.iter().filter(|rule| rule.namespace.as_deref() == namespace);
        role(&mut out, name, namespace, of_namespace);
        binding(&mut out, name, namespace, grantee);
    }
    out
}

fn role<'a>(out: &mut String, name: &str, namespace: Option<&str>, rules: impl Iterator<Item = &'a Rule>) {
    let kind = if namespace.is_some() { "Role" } else { "ClusterRole" };
    head(out, kind, name, namespace);
    out.push_str("rules:\n");
    for rule in rules {
        let sources: Vec<String> = Source::ALL
            .into_iter()
            .filter(|source| rule.for_source(*source))
            .map(|source| source.to_string())
            .collect();
        let _ = writeln!(out, "  # {}", sources.join(", "));
        let _ = writeln!(out, "  - apiGroups: {}", list([&rule.group]));
        let _ = writeln!(out, "    resources: {}", list([&rule.resource]));
        if !rule.names.is_empty() {
            let _ = writeln!(out, "    resourceNames: {}", list(&rule.names));
        }
        let _ = writeln!(out, "    verbs: {}", list(&rule.verbs));
    }
}

fn binding(out: &mut String, name: &str, namespace: Option<&str>, grantee: &Grantee<'_>) {
    let role = if namespace.is_some() { "Role" } else { "ClusterRole" };
    head(out, &format!("{role}Binding"), name, namespace);
    let _ = writeln!(
        out,
        "roleRef:\n  apiGroup: {GROUP}\n  kind: {role}\n  name: {}",
        quoted(name)
    );
    out.push_str("subjects:\n");
    let _ = match grantee {
        Grantee::User(name) => writeln!(out, "  - apiGroup: {GROUP}\n    kind: User\n    name: {}", quoted(name)),
        Grantee::ServiceAccount { namespace, name } => writeln!(
            out,
            "  - kind: ServiceAccount\n    namespace: {}\n    name: {}",
            quoted(namespace),
            quoted(name)
        ),
    };
}

fn head(out: &mut String, kind: &str, name: &str, namespace: Option<&str>) {
    let _ = write!(
        out,
        "---\napiVersion: {GROUP}/v1\nkind: {kind}\nmetadata:\n  name: {}\n",
        quoted(name)
    );
    if let Some(namespace) = namespace {
        let _ = writeln!(out, "  namespace: {}", quoted(namespace));
    }
}

fn list<S: AsRef<str>>(items: impl IntoIterator<Item = S>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| quoted(item.as_ref())).collect();
    format!("[{}]", items.join(", "))
}

/// A string of YAML: JSON's are a subset of its double-quoted ones.
fn quoted(text: &str) -> String {
    printable_json(&serde_json::Value::from(text).to_string()).into_owned()
}
