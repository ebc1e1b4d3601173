//! Reads a contract, and refuses one that could be misread.

use super::{CONTRACT_VERSION, Contract};
use crate::checks;
use serde::Deserialize;
use serde_saphyr::{Location, Spanned};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use thiserror::Error;

/// The contract that is compiled in.
const EMBEDDED: &str = include_str!("../../contract.yaml");

/// Why a contract was refused. Every message ends in the place, where there is one.
#[derive(Clone, Debug, Error)]
#[error("contract {origin}: {problem}")]
pub struct ContractError {
    origin: String,
    problem: String,
}

/// The parts whose place matters when they are wrong in a way that types cannot say.
#[derive(Deserialize)]
struct Places {
    steps: Vec<StepPlaces>,
    #[serde(default)]
    waivers: Vec<WaiverPlaces>,
}

#[derive(Deserialize)]
struct StepPlaces {
    id: Spanned<String>,
    checks: Vec<CheckPlaces>,
}

#[derive(Deserialize)]
struct CheckPlaces {
    code: Spanned<String>,
}

#[derive(Deserialize)]
struct WaiverPlaces {
    check: Spanned<String>,
}

impl Contract {
    /// The contract that is compiled in, parsed once in a process.
    ///
    /// # Errors
    /// Never in a released binary: a test reads it.
    pub fn embedded() -> Result<Self, ContractError> {
        static PARSED: LazyLock<Result<Contract, ContractError>> =
            LazyLock::new(|| Contract::parse(EMBEDDED, "(embedded)"));
        PARSED.clone()
    }

    /// The text of the contract that is compiled in.
    #[must_use]
    pub fn embedded_text() -> &'static str {
        EMBEDDED
    }

    /// Reads a contract. `origin` is what errors call it: a file's name.
    ///
    /// # Errors
    /// Unknown or missing keys, duplicate steps or codes, unknown steps or codes, a release that no step has, steps
    /// out of order: each with line and column.
    pub fn parse(text: &str, origin: &str) -> Result<Self, ContractError> {
        let refuse = |problem: String| ContractError {
            origin: origin.to_owned(),
            problem,
        };
        let mut contract: Self = serde_saphyr::from_str(text).map_err(|error| refuse(error.to_string()))?;
        let places: Places = serde_saphyr::from_str(text).map_err(|error| refuse(error.to_string()))?;
        if contract.api_version != CONTRACT_VERSION {
            return Err(refuse(format!(
                "apiVersion is {:?}; this version reads {CONTRACT_VERSION:?}",
                contract.api_version
            )));
        }
        places.verify().map_err(refuse)?;
        contract.verify().map_err(refuse)?;
        contract.digest = format!("sha256:{:x}", Sha256::digest(text.as_bytes()));
        Ok(contract)
    }

    fn verify(&self) -> Result<(), String> {
        if self.labels.is_empty() {
            return Err("labels is empty: there would be nothing to look for on kube_pod_labels".to_owned());
        }
        for (key, component) in [
            ("envoyGateway.controller", &self.components.envoy_gateway.controller),
            ("metricsServer", &self.components.metrics_server),
            ("kubeStateMetrics", &self.components.kube_state_metrics),
        ] {
            if self.release(&component.release).is_none() {
                return Err(format!(
                    "components.{key}.release is {:?}, a release that no step has",
                    component.release
                ));
            }
            if component.namespaces.is_empty() {
                return Err(format!("components.{key}.namespaces is empty: it could stand nowhere"));
            }
        }
        for (key, terms) in [
            ("fluentBit", &self.components.fluent_bit),
            ("vmagent", &self.components.vmagent),
            ("alloy", &self.components.alloy),
        ] {
            if self.release(&terms.release).is_none() {
                let release = &terms.release;
                return Err(format!(
                    "components.{key}.release is {release:?}, a release that no step has"
                ));
            }
            terms.verify(key)?;
        }
        for (key, share) in [
            ("podMetricsMissing", self.thresholds.pod_metrics_missing),
            ("podMetricsScattered", self.thresholds.pod_metrics_scattered),
            ("podRowsMissing", self.thresholds.pod_rows_missing),
            ("flowPodsFailing", self.thresholds.flow_pods_failing),
            ("queueFilled", self.thresholds.queue_filled),
        ] {
            if !(0.0..1.0).contains(&share) {
                return Err(format!(
                    "thresholds.{key} is {share}; it is a share, at least 0 and below 1"
                ));
            }
        }
        if self.thresholds.fresh_windows == 0 {
            return Err("thresholds.freshWindows is 0: every sample would be stale".to_owned());
        }
        if self.thresholds.heartbeat_intervals == 0 {
            return Err("thresholds.heartbeatIntervals is 0: every heartbeat would be late".to_owned());
        }
        self.verify_releases()?;
        self.verify_gateway()?;
        self.components.region.verify(&self.labels)?;
        self.verify_shuttle()
    }

    fn verify_gateway(&self) -> Result<(), String> {
        let gateway = &self.components.envoy_gateway;
        let crds = &gateway.crds;
        for (key, empty) in [
            ("certificates", gateway.certificates.is_empty()),
            ("crds.groups", crds.groups.is_empty()),
            ("crds.required", crds.required.is_empty()),
            ("crds.bundles", crds.bundles.is_empty()),
        ] {
            if empty {
                return Err(format!(
                    "components.envoyGateway.{key} is empty: there would be nothing to judge"
                ));
            }
        }
        Ok(())
    }

    fn verify_releases(&self) -> Result<(), String> {
        let mut names = BTreeSet::new();
        for step in &self.steps {
            step.verify(self)?;
            for release in &step.releases {
                release.verify()?;
                if !names.insert(&release.name) {
                    return Err(format!("release {} stands twice", release.name));
                }
            }
        }
        Ok(())
    }

    fn verify_shuttle(&self) -> Result<(), String> {
        let shuttle = &self.components.shuttle;
        for (key, label) in [
            ("clusterIdLabel", &shuttle.cluster_id_label),
            ("regionLabel", &shuttle.region_label),
        ] {
            if !self.labels.contains(label) {
                return Err(format!("components.shuttle.{key} is {label}, which is none of labels"));
            }
        }
        let permissions = [
            &shuttle.agent.permissions,
            &shuttle.node.permissions,
            &shuttle.every_account,
        ];
        for permission in permissions.into_iter().flatten() {
            if permission.verbs.is_empty() || permission.resource.is_empty() == permission.urls.is_empty() {
                return Err(
                    "a permission of components.shuttle has no verb, or not one of resource and urls".to_owned(),
                );
            }
            if permission.parts().any(|part| part == "*") {
                return Err("a permission of components.shuttle is a wildcard: it would allow everything".to_owned());
            }
        }
        Ok(())
    }
}

impl Places {
    fn verify(&self) -> Result<(), String> {
        let mut steps: BTreeMap<&str, Location> = BTreeMap::new();
        let mut codes: BTreeMap<&str, Location> = BTreeMap::new();
        let order = |id: &str| super::StepId::ALL.iter().position(|step| step.as_str() == id);
        let mut last = None;
        for step in &self.steps {
            let id = step.id.value.as_str();
            let place = step.id.referenced;
            if let Some(first) = steps.insert(id, place) {
                return Err(format!(
                    "step {id:?} stands twice, first at {} and again at {}",
                    at(first),
                    at(place)
                ));
            }
            if order(id) < last {
                return Err(format!(
                    "step {id:?} at {} is out of order: the order is the contract",
                    at(place)
                ));
            }
            last = order(id);
            for check in &step.checks {
                let code = check.code.value.as_str();
                let place = check.code.referenced;
                let Some(known) = checks::check(code) else {
                    return Err(format!("code {code:?} at {} is no check of this version", at(place)));
                };
                if known.step.as_str() != id {
                    return Err(format!(
                        "check {code} at {} belongs to step {}, not {id}",
                        at(place),
                        known.step
                    ));
                }
                if let Some(first) = codes.insert(code, place) {
                    return Err(format!(
                        "code {code} stands twice, first at {} and again at {}",
                        at(first),
                        at(place)
                    ));
                }
            }
        }
        // A check that the contract forgot would never run, and its silence would look like a pass.
        if let Some(missing) = checks::CHECKS.iter().find(|check| !codes.contains_key(check.code)) {
            return Err(format!(
                "check {} stands in no step; list it, or waive its failures",
                missing.code
            ));
        }
        for waiver in &self.waivers {
            let code = waiver.check.value.as_str();
            if !codes.contains_key(code) {
                return Err(format!(
                    "waiver at {} names {code:?}, a check of no step",
                    at(waiver.check.referenced)
                ));
            }
        }
        Ok(())
    }
}

fn at(location: Location) -> String {
    format!("line {}, column {}", location.line(), location.column())
}
