//! The variables of a container, and `$(NAME)` in its command line, filled in as the kubelet does.
//!
//! Sources: `makeEnvironmentVariables` in `k8s.io/kubernetes/pkg/kubelet/kubelet_pods.go`, and the API's own words on `args`
//! and `env` (`k8s.io/api/core/v1/types.go`).

use crate::contract::may_hold_a_credential;
use crate::evidence::Hidden;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

/// An environment variable as the API server writes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) value: Option<String>,
    pub(super) value_from: Option<ValueFrom>,
}

/// Where else a variable's value comes from.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the API's own names")]
pub(super) struct ValueFrom {
    pub(super) config_map_key_ref: Option<KeyReference>,
    pub(super) secret_key_ref: Option<IgnoredAny>,
    pub(super) field_ref: Option<IgnoredAny>,
    pub(super) resource_field_ref: Option<IgnoredAny>,
}

#[derive(Deserialize)]
pub(super) struct KeyReference {
    #[serde(default)]
    pub(super) name: String,
    pub(super) key: String,
}

/// What else than its own variables a container has.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Others {
    /// `envFrom`: any name may come from there.
    pub(super) env_from: bool,
    /// `enableServiceLinks`, which is true where the pod does not say.
    pub(super) service_links: bool,
}

/// A value, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// As the program sees it.
    Known(String),
    /// It was not read.
    Unread(NotRead),
}

/// Why a value was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NotRead {
    /// In words.
    pub(super) why: String,
    /// Where it may stand.
    pub(super) hidden: Hidden,
}

/// The variables of a container. They may be credentials: they are never printed.
pub(super) struct Environment {
    variables: BTreeMap<String, Value>,
    others: Others,
}

/// An argument of a container. It may be a credential: it is never printed.
pub(super) struct Argument {
    /// As the program sees it; what was not read stands in it as the reference that it is.
    pub(super) text: String,
    unread: Option<Unread>,
}

struct Unread {
    /// Where in the text the first of it stands.
    at: usize,
    why: NotRead,
}

// === impl Value ===

impl Value {
    /// It may stand somewhere that was not read.
    pub(super) fn elsewhere(why: String) -> Self {
        Self::Unread(NotRead {
            why,
            hidden: Hidden::Elsewhere,
        })
    }

    /// There is none.
    pub(super) fn nowhere(why: String) -> Self {
        Self::Unread(NotRead {
            why,
            hidden: Hidden::Nowhere,
        })
    }
}

// === impl Environment ===

impl Environment {
    /// What evidence may be made of: no variable whose name says that it may hold a credential, and none that comes from
    /// somewhere else.
    pub(super) fn public<'a>(variables: impl IntoIterator<Item = &'a Variable>, others: Others) -> Self {
        Self::new(variables, others, |variable| {
            let name = &variable.name;
            if variable.value_from.is_some() {
                return Some(Value::Unread(variable.origin()));
            }
            may_hold_a_credential(name).then(|| Value::elsewhere(format!("variable {name} may hold a credential")))
        })
    }

    /// The variables in their order: a value may refer to those before it, and the last of a name counts. `read` gives
    /// what is not to be taken as it stands.
    pub(super) fn new<'a>(
        variables: impl IntoIterator<Item = &'a Variable>,
        others: Others,
        read: impl Fn(&Variable) -> Option<Value>,
    ) -> Self {
        let mut environment = Self {
            variables: BTreeMap::new(),
            others,
        };
        for variable in variables {
            let text = variable.value.as_deref().unwrap_or_default();
            let value = read(variable).unwrap_or_else(|| {
                let Argument { text, unread } = environment.argument(text);
                unread.map_or(Value::Known(text), |unread| Value::Unread(unread.why))
            });
            environment.variables.insert(variable.name.clone(), value);
        }
        environment
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.variables.get(name)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.variables.iter()
    }

    /// An argument, filled in. A reference to what was not read stays.
    pub(super) fn argument(&self, text: &str) -> Argument {
        self.argument_with(text, |name| format!("$({name})"))
    }

    /// The same, with another form for what was not read.
    pub(super) fn argument_with(&self, text: &str, reference: impl Fn(&str) -> String) -> Argument {
        let mut filled = Argument {
            text: String::with_capacity(text.len()),
            unread: None,
        };
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            filled.text.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            // "Double $$ are reduced to a single $, which allows for escaping the $(VAR_NAME) syntax."
            if let Some(behind) = rest.strip_prefix('$') {
                filled.text.push('$');
                rest = behind;
                continue;
            }
            let Some((name, behind)) = rest.strip_prefix('(').and_then(|open| open.split_once(')')) else {
                filled.text.push('$');
                continue;
            };
            rest = behind;
            match self.value(name) {
                Some(Value::Known(value)) => filled.text.push_str(&value),
                // "If a variable cannot be resolved, the reference in the input string will be unchanged."
                None => filled.text.extend(["$(", name, ")"]),
                Some(Value::Unread(why)) => {
                    let at = filled.text.len();
                    filled.unread.get_or_insert(Unread { at, why });
                    filled.text.push_str(&reference(name));
                }
            }
        }
        filled.text.push_str(rest);
        filled
    }

    /// A variable's value; `None` where there is none of that name.
    pub(super) fn value(&self, name: &str) -> Option<Value> {
        if let Some(value) = self.variables.get(name) {
            return Some(value.clone());
        }
        if self.others.env_from {
            return Some(Value::elsewhere(format!("variable {name} may come from envFrom")));
        }
        // Those of the Service `kubernetes` every container has (`getServiceEnvVarMap`).
        let links = self.others.service_links || name.starts_with("KUBERNETES_");
        (links && is_of_a_service(name)).then(|| Value::elsewhere(format!("variable {name} may be one of a Service")))
    }
}

/// Whether the kubelet may give a container a variable of that name for a Service (`pkg/kubelet/envvars/envvars.go`):
/// `A_SERVICE_HOST`, `A_SERVICE_PORT`, `A_SERVICE_PORT_NAME`, `A_PORT`, `A_PORT_80_TCP_ADDR`.
fn is_of_a_service(name: &str) -> bool {
    ["_SERVICE_HOST", "_PORT"].iter().any(|end| name.ends_with(end)) || name.contains("_PORT_")
}

// === impl Argument ===

impl Argument {
    /// Why it is not known, where it is not.
    pub(super) fn unread(&self) -> Option<&str> {
        self.unread.as_ref().map(|unread| unread.why.why.as_str())
    }

    /// Why not even the flag is known that it may be, where that is so: what was not read stands before any `=`.
    pub(super) fn hides_its_flag(&self) -> Option<&str> {
        let unread = self.unread.as_ref()?;
        let known = &self.text[..unread.at];
        let may_be_a_flag = (known.is_empty() || known.starts_with('-')) && !known.contains('=');
        may_be_a_flag.then_some(unread.why.why.as_str())
    }
}

// === impl Variable ===

impl Variable {
    /// Whether its value is a key of a ConfigMap.
    pub(super) fn is_of_config_map(&self) -> bool {
        (self.value_from.as_ref()).is_some_and(|from| from.config_map_key_ref.is_some())
    }

    /// Where its value comes from.
    pub(super) fn origin(&self) -> NotRead {
        let name = &self.name;
        let Some(from) = &self.value_from else {
            return NotRead {
                why: format!("variable {name} was not read"),
                hidden: Hidden::Nowhere,
            };
        };
        let (origin, hidden) = if from.secret_key_ref.is_some() {
            ("a Secret", Hidden::Secret)
        } else if from.config_map_key_ref.is_some() {
            ("a ConfigMap", Hidden::Nowhere)
        } else if from.field_ref.is_some() {
            ("a field of the pod", Hidden::Elsewhere)
        } else if from.resource_field_ref.is_some() {
            ("a resource of the container", Hidden::Elsewhere)
        } else {
            ("elsewhere", Hidden::Elsewhere)
        };
        NotRead {
            why: format!("variable {name} comes from {origin}"),
            hidden,
        }
    }
}

#[cfg(test)]
mod tests;
