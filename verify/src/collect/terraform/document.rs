//! The JSON of `terraform show`, as far as it is read (<https://developer.hashicorp.com/terraform/internals/json-format>).

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A plan or a state.
#[derive(Deserialize)]
pub(super) struct Document {
    pub(super) format_version: Option<String>,
    pub(super) terraform_version: Option<String>,
    /// Of a plan: what will be, as far as it is known. Without resources where the plan only refreshes.
    planned_values: Option<Values>,
    prior_state: Option<State>,
    /// Of a state.
    values: Option<Values>,
    pub(super) configuration: Option<Configuration>,
    /// What was changed since the last apply, and not by Terraform. What it has become stands in the prior state too.
    #[serde(default)]
    pub(super) resource_drift: Vec<ResourceChange>,
    #[serde(default)]
    pub(super) resource_changes: Vec<ResourceChange>,
    /// What came of the configuration's own checks.
    #[serde(default)]
    pub(super) checks: Vec<Check>,
    #[serde(default)]
    pub(super) variables: BTreeMap<String, Value>,
    pub(super) timestamp: Option<Timestamp>,
    pub(super) complete: Option<bool>,
    pub(super) errored: Option<bool>,
}

#[derive(Deserialize)]
struct State {
    values: Option<Values>,
}

#[derive(Deserialize)]
struct Values {
    #[serde(default)]
    root_module: Module,
}

#[derive(Default, Deserialize)]
struct Module {
    #[serde(default)]
    resources: Vec<Resource>,
    #[serde(default)]
    child_modules: Vec<Self>,
}

/// A resource or a data source.
#[derive(Deserialize)]
pub(super) struct Resource {
    pub(super) address: String,
    pub(super) mode: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) provider_name: String,
    #[serde(default)]
    pub(super) values: Map<String, Value>,
    #[serde(default)]
    pub(super) depends_on: Vec<String>,
    #[serde(default)]
    pub(super) tainted: bool,
}

/// A check of the configuration: a block `check`, or a condition of a variable, resource or output.
#[derive(Deserialize)]
pub(super) struct Check {
    pub(super) address: CheckAddress,
    #[serde(default)]
    pub(super) status: String,
}

#[derive(Deserialize)]
pub(super) struct CheckAddress {
    #[serde(default)]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) to_display: String,
}

#[derive(Deserialize)]
pub(super) struct ResourceChange {
    pub(super) address: String,
    pub(super) mode: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) change: Change,
}

#[derive(Deserialize)]
pub(super) struct Change {
    pub(super) actions: Vec<String>,
    #[serde(default)]
    after: Value,
    /// By attribute, `true` where it is not known before the plan is applied.
    #[serde(default)]
    pub(super) after_unknown: Value,
}

/// The configuration that a plan was made of.
#[derive(Deserialize)]
pub(super) struct Configuration {
    #[serde(default)]
    pub(super) root_module: ConfigurationModule,
    /// Providers, by the key that resources name them by.
    #[serde(default)]
    pub(super) provider_config: BTreeMap<String, ProviderConfiguration>,
}

#[derive(Deserialize)]
pub(super) struct ProviderConfiguration {
    #[serde(default)]
    pub(super) full_name: String,
}

#[derive(Default, Deserialize)]
pub(super) struct ConfigurationModule {
    #[serde(default)]
    pub(super) resources: Vec<ConfigurationResource>,
    #[serde(default)]
    pub(super) module_calls: BTreeMap<String, ModuleCall>,
}

#[derive(Deserialize)]
pub(super) struct ConfigurationResource {
    pub(super) address: String,
    #[serde(default, rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) provider_config_key: String,
    /// By attribute; each has `references` somewhere below it.
    #[serde(default)]
    pub(super) expressions: Map<String, Value>,
    #[serde(default)]
    pub(super) depends_on: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct ModuleCall {
    #[serde(default)]
    pub(super) expressions: Map<String, Value>,
    #[serde(default)]
    pub(super) module: ConfigurationModule,
}

// === impl Document ===

impl Document {
    pub(super) fn is_plan(&self) -> bool {
        self.planned_values.is_some() || self.configuration.is_some()
    }

    /// Puts into the prior state what the plan says has become of it since the last apply.
    pub(super) fn settle(&mut self) {
        let drift: BTreeMap<&str, &Change> = (self.resource_drift.iter())
            .map(|drift| (drift.address.as_str(), &drift.change))
            .collect();
        let prior = self.prior_state.as_mut().and_then(|state| state.values.as_mut());
        let mut open: Vec<&mut Module> = prior.map(|values| &mut values.root_module).into_iter().collect();
        while let Some(module) = open.pop() {
            module.resources.retain(|resource| {
                drift
                    .get(resource.address.as_str())
                    .is_none_or(|change| !change.deletes())
            });
            for resource in &mut module.resources {
                if let Some(Value::Object(after)) = drift.get(resource.address.as_str()).map(|change| &change.after) {
                    resource.values.clone_from(after);
                }
            }
            open.extend(&mut module.child_modules);
        }
    }

    /// What is: of a state all of it, of a plan what it started from.
    pub(super) fn prior(&self) -> Option<Vec<&Resource>> {
        let prior = self.prior_state.as_ref().and_then(|state| state.values.as_ref());
        prior.or(self.values.as_ref()).map(Values::resources)
    }

    /// What a plan would make of it. Nothing where it only refreshes: then it has neither values nor changes.
    pub(super) fn planned(&self) -> Option<Vec<&Resource>> {
        let planned = self.planned_values.as_ref()?.resources();
        (!planned.is_empty() || !self.resource_changes.is_empty()).then_some(planned)
    }

    /// What of a planned resource is not known before the plan is applied: by attribute, `true`.
    pub(super) fn unknown(&self, resource: &Resource) -> &Value {
        let mut changes = self.resource_changes.iter();
        let change = changes.find(|change| change.address == resource.address);
        change.map_or(&Value::Null, |change| &change.change.after_unknown)
    }
}

// === impl Change ===

impl Change {
    pub(super) fn deletes(&self) -> bool {
        self.actions.iter().any(|action| action == "delete")
    }
}

// === impl Values ===

impl Values {
    fn resources(&self) -> Vec<&Resource> {
        let mut open = vec![&self.root_module];
        let mut resources = Vec::new();
        while let Some(module) = open.pop() {
            resources.extend(&module.resources);
            open.extend(&module.child_modules);
        }
        resources.sort_by(|one, other| one.address.cmp(&other.address));
        resources
    }
}

// === impl Resource ===

impl Resource {
    pub(super) const MANAGED: &'static str = "managed";

    /// Whether it is a resource of that type that Terraform manages.
    pub(super) fn is(&self, kind: &str) -> bool {
        self.kind == kind && self.mode == Self::MANAGED
    }

    /// An attribute as text; empty where it has none, or it is not known yet.
    pub(super) fn text(&self, attribute: &str) -> String {
        match self.values.get(attribute) {
            Some(Value::String(text)) => text.clone(),
            _ => String::new(),
        }
    }

    /// An attribute that lists texts, and is known.
    pub(super) fn texts(&self, attribute: &str) -> Vec<String> {
        let texts = self
            .values
            .get(attribute)
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        texts.filter_map(|text| Some(text.as_str()?.to_owned())).collect()
    }
}
