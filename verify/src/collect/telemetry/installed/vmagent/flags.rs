//! vmagent's flags, from its arguments and its variables.

use super::super::config_map;
use super::super::credentials;
use crate::collect::access::Cluster;
use crate::collect::environment::{Argument, Environment, NotRead, Others, Value, Variable};
use crate::collect::flags::{self, Syntax};
use crate::collect::obstacle::Obstacle;
use crate::collect::workloads::{Container, Raw};
use std::collections::BTreeMap;

/// The flags of one container. They may be credentials: they are never printed.
pub(super) struct Flags {
    given: Vec<(String, String)>,
    /// Why an argument that may be any flag is not known.
    hidden: Vec<String>,
    variables: Environment,
    /// What the names of variables that are flags begin with, where variables may be flags (`-envflag.enable`).
    prefix: Option<String>,
}

// === impl Flags ===

impl Flags {
    /// Reads them, and the ConfigMaps that their variables come from. A Secret is never read.
    pub(super) async fn read(cluster: &Cluster<'_>, raw: &Raw, container: &Container) -> Result<Self, Obstacle> {
        let namespace = &raw.metadata.namespace;
        let mut maps = BTreeMap::new();
        for variable in container.env.iter().flatten() {
            if let Some(name) = variable.config_map()
                && !maps.contains_key(name)
            {
                maps.insert(name, config_map::read(cluster, namespace, name).await?);
            }
        }
        let variables = container.env.iter().flatten();
        let environment = environment(variables, raw.others(container), |map, key| maps.get(map)?.get(key));
        let mut flags = Self::of(container.line(), environment, None);
        let last = |name: &str| {
            (flags.given.iter().rev())
                .find(|(flag, _)| flag == name)
                .map(|(_, value)| value)
        };
        let enabled = last("--envflag.enable").is_some_and(|value| value.is_empty() || value == "true");
        flags.prefix = enabled.then(|| last("--envflag.prefix").cloned().unwrap_or_default());
        Ok(flags)
    }

    fn of<'a>(line: impl IntoIterator<Item = &'a str>, variables: Environment, prefix: Option<String>) -> Self {
        // A variable that was not read is referred to as vmagent does, and told apart where flags are filled in.
        let arguments: Vec<Argument> = (line.into_iter())
            .map(|argument| variables.argument_with(argument, |name| format!("%{{{name}}}")))
            .collect();
        let (mut given, mut hidden) = (Vec::new(), Vec::new());
        for argument in flags::given(&arguments, Syntax::OneDash) {
            match argument.flag {
                Some(flag) => given.push((flag, argument.value.to_owned())),
                None => hidden.extend(
                    argument
                        .unread
                        .map(|why| format!("an argument may be this flag: {why}")),
                ),
            }
        }
        Self {
            given,
            hidden,
            variables,
            prefix,
        }
    }

    /// The values of a flag, in order. An argument goes before a variable; one value may be a list with commas. An argument
    /// that is not known may be a value too.
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
        let hidden = self.hidden.iter().cloned().map(Value::elsewhere);
        let split = |value: Value| match value {
            Value::Known(text) => list(&text).into_iter().map(Value::Known).collect(),
            unread @ Value::Unread(_) => vec![unread],
        };
        values.into_iter().flat_map(split).chain(hidden).collect()
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

    /// A value with its `%{NAME}` filled in (VictoriaMetrics, `lib/envtemplate`).
    fn filled_in(&self, value: &str) -> Value {
        let mut text = String::new();
        let mut rest = value;
        while let Some(at) = rest.find("%{") {
            let Some(end) = rest[at..].find('}') else {
                break;
            };
            let name = &rest[at + 2..at + end];
            text.push_str(&rest[..at]);
            match self.variables.value(name) {
                Some(Value::Known(value)) => text.push_str(&value),
                Some(unread) => return unread,
                None => return Value::nowhere(format!("variable {name} is not among the container's own")),
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

    fn unread(&self) -> NotRead {
        let mut origin = self.origin();
        if self.config_map().is_some() {
            origin.why.push_str(" without its key");
        }
        origin
    }
}

/// The variables, with what ConfigMaps hold of them: `read` gives a map's key.
fn environment<'a, 'm>(
    variables: impl IntoIterator<Item = &'a Variable>,
    others: Others,
    read: impl Fn(&str, &str) -> Option<&'m str>,
) -> Environment {
    Environment::new(variables, others, |variable| {
        variable.value_from.as_ref()?;
        let text = variable.config_map().and_then(|map| read(map, variable.key()));
        Some(text.map_or_else(
            || Value::Unread(variable.unread()),
            |text| Value::Known(text.to_owned()),
        ))
    })
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
    use crate::evidence::Hidden;

    const VARIABLES: &str = r#"[{"name":"URL","value":"https://10.0.0.3:8427/api/v1/write"},{"name":"CLUSTER","value":"c1"},
        {"name":"PATH","value":"/data/%{CLUSTER}"},
        {"name":"VM_remoteWrite_url","value":"http://b"},{"name":"PLAIN","value":"hush"},
        {"name":"PASSWORD","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}},
        {"name":"REGION","valueFrom":{"configMapKeyRef":{"name":"m","key":"region"}}}]"#;

    fn flags(given: &[(&str, &str)], prefix: Option<&str>) -> Flags {
        let line: Vec<String> = given.iter().map(|(flag, value)| format!("{flag}={value}")).collect();
        let variables: Vec<Variable> = serde_json::from_str(VARIABLES).unwrap();
        let maps = BTreeMap::from([("m", BTreeMap::from([("region".to_owned(), "fra1".to_owned())]))]);
        let environment = environment(&variables, Others::default(), |map, key| {
            Some(maps.get(map)?.get(key)?.as_str())
        });
        Flags::of(
            line.iter().map(String::as_str),
            environment,
            prefix.map(ToOwned::to_owned),
        )
    }

    #[test]
    fn kubernetes_own_references_are_filled_in_first() {
        let flags = flags(
            &[
                ("--remoteWrite.url", "$(URL)?x=%{CLUSTER}"),
                ("--remoteWrite.label", "cluster=$(CLUSTER),region=$(REGION)"),
                ("--remoteWrite.basicAuth.password", "$(PASSWORD)"),
                ("--a", "$$(URL)"),
                ("--b", "$(NONE)"),
                ("--c", "$(PATH)/%{REGION}"),
            ],
            None,
        );
        let known = |text: &str| Value::Known(text.to_owned());
        assert_eq!(
            flags.all("--remoteWrite.url"),
            [known("https://10.0.0.3:8427/api/v1/write?x=c1")]
        );
        assert_eq!(
            flags.all("--remoteWrite.label"),
            [known("cluster=c1"), known("region=fra1")]
        );
        let why = "variable PASSWORD comes from a Secret".to_owned();
        let hidden = Hidden::Secret;
        let unread = [Value::Unread(NotRead { why, hidden })];
        assert_eq!(flags.all("--remoteWrite.basicAuth.password"), unread);
        assert_eq!(flags.all("--a"), [known("$(URL)")]);
        assert_eq!(flags.all("--b"), [known("$(NONE)")]);
        // What a reference of Kubernetes' brings is filled in by vmagent after that.
        assert_eq!(flags.all("--c"), [known("/data/c1/fra1")]);
        // A reference to a Secret is no credential in clear.
        assert_eq!(flags.in_clear(), Vec::<String>::new());
    }

    #[test]
    fn a_credential_that_a_variable_holds_in_clear_is_told_by_its_flag() {
        let flags = flags(&[("--remoteWrite.basicAuth.password", "$(PLAIN)")], None);
        assert_eq!(flags.in_clear(), ["flag --remoteWrite.basicAuth.password"]);
    }

    #[test]
    fn an_argument_that_is_not_known_may_be_any_flag() {
        let variables: Vec<Variable> = serde_json::from_str(VARIABLES).unwrap();
        let environment = environment(&variables, Others::default(), |_, _| None);
        let flags = Flags::of(["-remoteWrite.url=http://a", "$(REGION)"], environment, None);
        let why = "an argument may be this flag: variable REGION comes from a ConfigMap without its key";
        assert_eq!(
            flags.all("--remoteWrite.url"),
            [Value::Known("http://a".to_owned()), Value::elsewhere(why.to_owned())]
        );
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
        assert!(
            matches!(&flags.all("--a")[..], [Value::Unread(unread)] if unread.why.contains("NONE") && unread.hidden == Hidden::Nowhere)
        );
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
