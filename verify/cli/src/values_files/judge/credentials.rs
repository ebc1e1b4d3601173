//! Whether a credential stands in a file in clear. Told by its place; what stands there is never repeated.

use super::Audit;
use super::finding::{Finding, all};
use crate::values_files::read::{Document, FileRead, HELMFILE, Node, REGIONS};
use serde_json::Value;
use starform_verify::evaluate::{Advice, Outcome};

/// How the names of what must not be known end, without case and punctuation.
const CREDENTIALS: [&str; 18] = [
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "credential",
    "credentials",
    "authorization",
    "basicauth",
    "connectionstring",
    "dsn",
    "tlskey",
    "cookie",
];

/// SF807.
pub(super) fn none(audit: Audit<'_>) -> Outcome {
    let mut found: Vec<Finding<'_>> = Vec::new();
    for (name, read) in &audit.manifests.files {
        let of_step = audit.step.releases.iter().any(|release| release.values == *name);
        // What belongs to no release is told with step 2's, the first.
        let is_first = audit
            .contract
            .steps
            .iter()
            .find(|step| !step.releases.is_empty())
            .is_some_and(|first| first.id == audit.step.id);
        let is_shared = name == HELMFILE || name.starts_with(REGIONS);
        if let FileRead::Read(document) = read
            && (of_step || (is_shared && is_first))
        {
            scan(document, &mut |line, place| {
                found.push(Finding::new(name, Some(line), place));
            });
        }
    }
    if found.is_empty() {
        return Outcome::pass("none");
    }
    Outcome::fail(format!("a credential in clear at {}", all(&found)))
        .expected("credentials from Secrets only: a value stands in the repository and in Helm's own Secret")
        .objects(audit.places(&found))
        .fix(Advice::of_files(
            "take it out, make it invalid where it was issued, and name a Secret instead",
            Vec::new(),
        ))
}

/// Tells the line and the place of each.
fn scan(document: &Document, tell: &mut dyn FnMut(u64, String)) {
    document.each_key(&mut |path, line, node| {
        let Some(key) = path.last() else {
            return;
        };
        match node {
            Node::Scalar(value) => {
                let text = match value {
                    Value::String(text) => text.clone(),
                    Value::Number(number) => number.to_string(),
                    _ => return,
                };
                // Within a text of many lines, the line that holds it.
                let within = holds_credential(&text).map(|lines| line + lines);
                if let Some(line) = within.or((is_credential(key) && is_literal(&text)).then_some(line)) {
                    tell(line, path.join("."));
                }
            }
            // `{name: DATABASE_PASSWORD, value: …}`, as environment variables are given.
            Node::Map(entries) => {
                let field = |wanted: &str| {
                    entries.iter().find_map(|(key, line, node)| match node {
                        Node::Scalar(Value::String(text)) if key == wanted => Some((*line, text)),
                        _ => None,
                    })
                };
                if let (Some((_, name)), Some((line, value))) = (field("name"), field("value"))
                    && is_credential(name)
                    && is_literal(value)
                {
                    tell(line, format!("{}.value", path.join(".")));
                }
            }
            Node::List(_) | Node::Null => {}
        }
    });
}

/// Whether a name says that what it names must not be known.
fn is_credential(name: &str) -> bool {
    let plain: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_lowercase();
    CREDENTIALS.iter().any(|end| plain.ends_with(end))
}

/// Whether a value is the thing itself, and not where it comes from.
fn is_literal(value: &str) -> bool {
    const REFERENCES: [(&str, &str); 5] = [("${", "}"), ("$(", ")"), ("%{", "}"), ("{{", "}}"), ("sys.env(", ")")];
    let value = value.trim().trim_matches(['"', '\'']);
    let is_reference = REFERENCES
        .iter()
        .any(|(open, close)| value.starts_with(open) && value.ends_with(close));
    !value.is_empty() && !is_reference
}

/// Which line of a text holds one, where one does: it may be a whole configuration.
fn holds_credential(text: &str) -> Option<u64> {
    let mut lines = (0..)
        .zip(text.lines().map(str::trim))
        .filter(|(_, line)| !line.starts_with('#'));
    let holds = |line: &str| {
        let separator = |c: char| c.is_whitespace() || c == '=' || c == ':';
        let assigned = line.split_once(separator).is_some_and(|(name, value)| {
            let value = value.trim_start_matches(separator);
            // Prose has blanks, and what opens a block holds nothing itself.
            is_credential(name) && is_literal(value) && !value.starts_with(['{', '[', '|', '>']) && !value.contains(' ')
        });
        assigned || has_user_info(line)
    };
    lines.find(|(_, line)| holds(line)).map(|(number, _)| number)
}

/// Whether an address has a password in it: `https://user:password@host`.
fn has_user_info(line: &str) -> bool {
    line.match_indices("://").any(|(at, scheme)| {
        let rest = line.get(at + scheme.len()..).unwrap_or_default();
        let end = rest.find(|c: char| matches!(c, '/' | '?' | '#' | '"' | '\'') || c.is_whitespace());
        let authority = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        let user_info = authority.rsplit_once('@').map(|(user_info, _)| user_info);
        user_info
            .and_then(|user_info| user_info.split_once(':'))
            .is_some_and(|(_, password)| is_literal(password))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn told(yaml: &str) -> Vec<(u64, String)> {
        let mut found = Vec::new();
        scan(&Document::parse(yaml).unwrap(), &mut |line, place| {
            found.push((line, place));
        });
        found
    }

    #[rstest]
    #[case("auth:\n  password: hush", 2, "auth.password")]
    #[case("remoteWrite:\n  - basicAuth.password: hush", 2, "remoteWrite.0.basicAuth.password")]
    #[case("api_key: 12345", 1, "api_key")]
    #[case("password: hush}", 1, "password")]
    #[case("password: ${hush", 1, "password")]
    #[case("url: https://me:hush@store.example/x", 1, "url")]
    #[case("env:\n  - name: STORE_PASSWORD\n    value: hush", 3, "env.0.value")]
    #[case(
        "config:\n  outputs: |\n    [OUTPUT]\n        HTTP_Passwd  hush",
        4,
        "config.outputs"
    )]
    #[case("extraArgs: ['--x=1', 'token=hush']", 1, "extraArgs.1")]
    #[case("headers: 'Authorization: Bearer'", 1, "headers")]
    fn a_credential_is_told_by_its_place(#[case] yaml: &str, #[case] line: u64, #[case] place: &str) {
        assert_eq!(told(yaml), [(line, place.to_owned())]);
    }

    #[rstest]
    #[case("passwordFile: /etc/x")]
    #[case("password: ${FLUENT_BIT_PASSWORD}")]
    #[case("passwordFrom: sys.env(\"TOKEN\")")]
    #[case("password: ''")]
    #[case("automountServiceAccountToken: true")]
    #[case("secretKeyRef: {name: telemetry-stores, key: fluent-bit-password}")]
    #[case("env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: x, key: token}}}]")]
    #[case("config: |\n  # password hush\n  HTTP_Passwd  ${X}\n  token: {{ .Values.x }}")]
    #[case("url: 'https://store.example:8427/x@y'")]
    #[case("note: 'password comes by environment, below'")]
    fn where_one_comes_from_is_no_credential(#[case] yaml: &str) {
        assert_eq!(told(yaml), [], "{yaml}");
    }
}
