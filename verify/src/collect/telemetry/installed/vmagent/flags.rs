//! vmagent's flags, from its arguments and its variables.

use super::super::arguments;
use super::super::config_map;
use super::super::credentials;
use super::super::raw::{Container, Variable};
use crate::collect::access::Cluster;
use crate::collect::request::Obstacle;
use std::collections::BTreeMap;

/// A flag's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// As vmagent sees it, its variables filled in.
    Known(String),
    /// It holds a variable that was not read: why.
    Unread(String),
}

/// The flags of one container. They may be credentials: they are never printed.
pub(super) struct Flags {
    given: Vec<(String, String)>,
    variables: BTreeMap<String, Value>,
    /// What the names of variables that are flags begin with, where variables may be flags (`-envflag.enable`).
    prefix: Option<String>,
}

// === impl Flags ===

impl Flags {
    /// Reads them, and the ConfigMaps that their variables come from. A Secret is never read.
    pub(super) async fn read(cluster: &Cluster<'_>, namespace: &str, container: &Container) -> Result<Self, Obstacle> {
        let given: Vec<(String, String)> = (arguments::read(container.arguments()))
            .map(|(flag, value)| (flag, value.to_owned()))
            .collect();
        let last = |name: &str| {
            given
                .iter()
                .rev()
                .find(|(flag, _)| flag == name)
                .map(|(_, value)| value)
        };
        let enabled = last("--envflag.enable").is_some_and(|value| value.is_empty() || value == "true");
        let prefix = enabled.then(|| last("--envflag.prefix").cloned().unwrap_or_default());
        let mut maps = BTreeMap::new();
        for variable in container.env.iter().flatten() {
            if let Some(name) = variable.config_map()
                && !maps.contains_key(name)
            {
                maps.insert(name, config_map::read(cluster, namespace, name).await?);
            }
        }
        let mut variables = BTreeMap::new();
        for variable in container.env.iter().flatten() {
            let text = match (&variable.value, variable.config_map()) {
                (Some(value), _) => Some(value.as_str()),
                (None, Some(map)) => maps.get(map).and_then(|map| map.get(variable.key())),
                (None, None) => None,
            };
            let value = text.map_or_else(
                || Value::Unread(variable.unread()),
                |text| Value::Known(text.to_owned()),
            );
            variables.insert(variable.name.clone(), value);
        }
        Ok(Self {
            given,
            variables,
            prefix,
        })
    }

    /// The values of a flag, in order. An argument goes before a variable; one value may be a list with commas.
    pub(super) fn all(&self, name: &str) -> Vec<Value> {
        let given: Vec<Value> = (self.given.iter())
            .filter(|(flag, _)| flag == name)
            .map(|(_, value)| self.filled_in(value))
            .collect();
        let values = match (given.is_empty(), &self.prefix) {
            (true, Some(prefix)) => {
                let variable = format!("{prefix}{}", name.trim_start_matches('-').replace('.', "_"));
                self.variables.get(&variable).cloned().into_iter().collect()
            }
            _ => given,
        };
        let split = |value: Value| match value {
            Value::Known(text) => list(&text).into_iter().map(Value::Known).collect(),
            unread @ Value::Unread(_) => vec![unread],
        };
        values.into_iter().flat_map(split).collect()
    }

    /// The flags that hold a credential in clear.
    pub(super) fn in_clear(&self) -> Vec<String> {
        let mut flags: Vec<String> = (self.given.iter())
            .filter(|(flag, value)| credentials::is_in_clear(flag, value))
            .map(|(flag, _)| format!("flag {flag}"))
            .collect();
        // A variable of a ConfigMap is as clear as an argument.
        let from_config_map = (self.variables.iter())
            .filter(|(name, value)| matches!(value, Value::Known(text) if credentials::is_in_clear(name, text)));
        flags.extend(from_config_map.map(|(name, _)| format!("variable {name}")));
        flags.dedup();
        flags
    }

    /// A value with its `%{NAME}` filled in (VictoriaMetrics, `lib/envtemplate`), and Kubernetes' own `$(NAME)`.
    fn filled_in(&self, value: &str) -> Value {
        let mut text = String::new();
        let mut rest = value;
        while let Some(at) = rest.find("%{").or_else(|| rest.find("$(")) {
            let close = if rest[at..].starts_with('%') { '}' } else { ')' };
            let Some(end) = rest[at..].find(close) else {
                break;
            };
            let name = &rest[at + 2..at + end];
            text.push_str(&rest[..at]);
            match self.variables.get(name) {
                Some(Value::Known(value)) => text.push_str(value),
                Some(unread) => return unread.clone(),
                None => return Value::Unread(format!("variable {name} is not among the container's own")),
            }
            rest = &rest[at + end + 1..];
        }
        text.push_str(rest);
        Value::Known(text)
    }
}

// === impl Variable ===

impl Variable {
    fn config_map(&self) -> Option<&str> {
        let reference = self.value_from.as_ref()?.config_map_key_ref.as_ref()?;
        Some(&reference.name)
    }

    fn key(&self) -> &str {
        let from = self
            .value_from
            .as_ref()
            .and_then(|from| from.config_map_key_ref.as_ref());
        from.map_or("", |reference| &reference.key)
    }

    fn unread(&self) -> String {
        let name = &self.name;
        match &self.value_from {
            Some(from) if from.secret_key_ref.is_some() => format!("variable {name} comes from a Secret"),
            Some(from) if from.config_map_key_ref.is_some() => {
                format!("variable {name} comes from a ConfigMap without its key")
            }
            _ => format!("variable {name} was not read"),
        }
    }
}

/// A list with commas, in which a quoted part may have commas of its own (VictoriaMetrics, `lib/flagutil`).
fn list(text: &str) -> Vec<String> {
    let mut values = vec![String::new()];
    let mut quote = None;
    for c in text.chars() {
        match (quote, c) {
            (None, ',') => values.push(String::new()),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (_, c) => {
                if let Some(last) = values.last_mut() {
                    last.push(c);
                }
            }
        }
    }
    values.retain(|value| !value.is_empty());
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(given: &[(&str, &str)], prefix: Option<&str>) -> Flags {
        let known = |text: &str| Value::Known(text.to_owned());
        Flags {
            given: (given
                .iter()
                .map(|(flag, value)| ((*flag).to_owned(), (*value).to_owned())))
            .collect(),
            variables: BTreeMap::from([
                ("URL".to_owned(), known("https://10.0.0.3:8427/api/v1/write")),
                ("CLUSTER".to_owned(), known("c1")),
                ("VM_remoteWrite_url".to_owned(), known("http://b")),
                (
                    "PASSWORD".to_owned(),
                    Value::Unread("variable PASSWORD comes from a Secret".to_owned()),
                ),
            ]),
            prefix: prefix.map(ToOwned::to_owned),
        }
    }

    #[test]
    fn variables_are_filled_in_and_secrets_are_not() {
        let flags = flags(
            &[
                ("--remoteWrite.url", "%{URL}"),
                ("--remoteWrite.label", "cluster=%{CLUSTER},\"region=a,b\""),
                ("--remoteWrite.basicAuth.password", "%{PASSWORD}"),
                ("--a", "%{NONE}"),
                ("--b", "100%{"),
            ],
            None,
        );
        let known = |text: &str| Value::Known(text.to_owned());
        assert_eq!(
            flags.all("--remoteWrite.url"),
            [known("https://10.0.0.3:8427/api/v1/write")]
        );
        assert_eq!(
            flags.all("--remoteWrite.label"),
            [known("cluster=c1"), known("region=a,b")]
        );
        assert!(matches!(
            &flags.all("--remoteWrite.basicAuth.password")[..],
            [Value::Unread(_)]
        ));
        assert!(matches!(&flags.all("--a")[..], [Value::Unread(why)] if why.contains("NONE")));
        assert_eq!(flags.all("--b"), [known("100%{")]);
        assert_eq!(flags.in_clear(), Vec::<String>::new());
    }

    #[test]
    fn a_variable_is_a_flag_where_variables_may_be() {
        assert_eq!(flags(&[], None).all("--remoteWrite.url"), []);
        let url = |flags: Flags| flags.all("--remoteWrite.url");
        assert_eq!(url(flags(&[], Some("VM_"))), [Value::Known("http://b".to_owned())]);
        let given = flags(&[("--remoteWrite.url", "http://a")], Some("VM_"));
        assert_eq!(url(given), [Value::Known("http://a".to_owned())]);
    }
}
