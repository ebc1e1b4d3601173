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
    #[serde(default)]
    pub(super) resource_changes: Vec<ResourceChange>,
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
    /// By attribute, `true` where it is not known before the plan is applied.
    #[serde(default)]
    pub(super) after_unknown: Value,
}

/// The configuration that a plan was made of.
#[derive(Deserialize)]
pub(super) struct Configuration {
    #[serde(default)]
    pub(super) root_module: ConfigurationModule,
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

    /// What is, or what a plan would make of it.
    pub(super) fn resources(&self) -> Vec<&Resource> {
        let planned = self.planned_values.as_ref().map(Values::resources);
        let planned = planned.filter(|resources| !resources.is_empty());
        planned
            .or_else(|| self.prior())
            .or_else(|| self.values.as_ref().map(Values::resources))
            .unwrap_or_default()
    }

    /// What a plan started from.
    pub(super) fn prior(&self) -> Option<Vec<&Resource>> {
        self.prior_state.as_ref()?.values.as_ref().map(Values::resources)
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
}
