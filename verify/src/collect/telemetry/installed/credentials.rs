//! Tells a credential that stands in clear from one that is only named. What it is never leaves this file.

use crate::collect::environment::Variable;
use crate::collect::workloads::Container;
use crate::contract::may_hold_a_credential;
use serde_json::Value;

/// Words in the names of HTTP headers that carry credentials.
const HEADERS: [&str; 6] = ["authorization", "token", "key", "secret", "password", "cookie"];

/// Whether a setting of that name holds a credential in clear.
///
/// `${NAME}` and `%{NAME}` name a variable, `file:` names a file, and a key that ends in `file`, `ttl` or `command` says
/// how a credential is come by.
pub(super) fn is_in_clear(name: &str, value: &str) -> bool {
    if value.is_empty() || is_reference(value) {
        return false;
    }
    let name = name.to_lowercase();
    if name.ends_with("header") || name.ends_with("headers") {
        let value = value.to_lowercase();
        let (header, rest) = value.split_once([' ', ':']).unwrap_or((&value, ""));
        let rest = rest.trim_start_matches([' ', ':']);
        let named = is_reference(rest.rsplit(' ').next().unwrap_or_default());
        return HEADERS.iter().any(|word| header.contains(word)) && !named;
    }
    if has_user_info(value) {
        return true;
    }
    let how = ["file", "ttl", "command"].iter().any(|end| name.ends_with(end));
    let is_key = [
        "shared_key",
        "license_key",
        "private_key",
        "cloud_auth",
        "credentials",
        "api_key",
    ]
    .iter()
    .any(|word| name.contains(word));
    !how && name.rsplit('.').next() != Some("url") && (is_key || may_hold_a_credential(&name))
}

/// Whether user or password stand in a URL.
pub(super) fn has_user_info(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority
        .rsplit_once('@')
        .is_some_and(|(user, _)| !user.is_empty() && !user.split(':').all(is_reference))
}

/// The keys below a value that hold a credential in clear, each behind `place`.
pub(super) fn in_clear(place: &str, value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => (fields.iter())
            .flat_map(|(key, value)| match value {
                Value::String(text) if is_in_clear(key, text) => vec![format!("{place}: {key}")],
                Value::String(_) => Vec::new(),
                other => in_clear(place, other),
            })
            .collect(),
        Value::Array(values) => values.iter().flat_map(|value| in_clear(place, value)).collect(),
        Value::String(text) if has_user_info(text) => vec![format!("{place}: a URL")],
        _ => Vec::new(),
    }
}

fn is_reference(value: &str) -> bool {
    let value = value.trim();
    let variable = |open: &str| {
        value
            .strip_prefix(open)
            .and_then(|rest| rest.strip_suffix('}'))
            .is_some_and(|name| !name.is_empty() && !name.contains(['{', '}']))
    };
    variable("${") || variable("%{") || value.starts_with("file:")
}

// === impl Container ===

impl Container {
    /// Its variables that hold a credential in clear.
    pub(super) fn variables_in_clear(&self) -> impl Iterator<Item = String> {
        let clear = |variable: &&Variable| {
            let value = variable.value.as_deref().unwrap_or_default();
            is_in_clear(&variable.name, value)
        };
        let variables = self.env.iter().flatten().filter(clear);
        variables.map(|variable| format!("variable {}", variable.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("http_Passwd", "hush", true)]
    #[case("http_passwd", "${PASSWORD}", false)]
    #[case("http_passwd", "${A}${B", true)]
    #[case("shared_key", "hush", true)]
    #[case("json_date_key", "time", false)]
    #[case("kube_token_ttl", "600", false)]
    #[case("kube_token_file", "/var/run/token", false)]
    #[case("proxy", "http://user:hush@proxy:3128", true)]
    #[case("proxy", "http://proxy:3128/a@b", false)]
    #[case("--remoteWrite.url", "https://store:8427/api/v1/write", false)]
    #[case("--remoteWrite.url", "https://u:p@store:8427/", true)]
    #[case("--remoteWrite.url", "https://%{USER}:%{PASSWORD}@store:8427/", false)]
    #[case("--remoteWrite.basicAuth.password", "%{PASSWORD}", false)]
    #[case("--remoteWrite.basicAuth.password", "file:///etc/password", false)]
    #[case("--remoteWrite.basicAuth.password", "hush", true)]
    #[case("--remoteWrite.basicAuth.passwordFile", "/etc/password", false)]
    #[case("header", "Authorization Bearer hush", true)]
    #[case("header", "Authorization Bearer ${TOKEN}", false)]
    #[case("--remoteWrite.headers", "X-Scope-OrgID: a", false)]
    #[case("--remoteWrite.headers", "X-Api-Key:hush", true)]
    fn what_is_in_clear(#[case] name: &str, #[case] value: &str, #[case] clear: bool) {
        assert_eq!(is_in_clear(name, value), clear);
    }

    #[test]
    fn the_keys_of_a_document_are_named_and_their_values_are_not() {
        let document = serde_json::json!({"basic_auth": {"username": "u", "password": "hush"},
            "authorization": {"credentials": "hush"}, "bearer_token_file": "/f",
            "static_configs": [{"targets": ["http://u:hush@h:1"]}]});
        let found = in_clear("job a", &document);
        assert_eq!(found, ["job a: credentials", "job a: password", "job a: a URL"]);
    }
}
