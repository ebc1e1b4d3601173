//! Reads the labels of a pod's owner, and keeps them for a while: pods of one Deployment ask once.

use super::Settings;
use super::desired::Owner;
use super::expiring::Expiring;
use super::keys::Keys;
use super::pace::{Pace, Turn};
use super::subject::{Controller, Uid};
use crate::request::{self, Refusal};
use http::StatusCode;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, OwnerReference};
use kube::api::GetParams;
use kube::core::Request;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The owners.
pub(super) struct Owners {
    client: kube::Client,
    keys: Arc<Keys>,
    pace: Arc<Pace>,
    cache: Mutex<Expiring<Uid, Arc<Owner>>>,
    timeout: Duration,
    keep: Duration,
}

/// The least of a controller that is needed; the rest of it is read over.
#[derive(Deserialize)]
struct Object {
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    uid: Option<String>,
    labels: Option<BTreeMap<String, String>>,
    #[serde(default)]
    owner_references: Vec<OwnerReference>,
}

#[derive(Default, Deserialize)]
struct Spec {
    selector: Option<LabelSelector>,
}

/// How long it is kept that an owner is gone.
const GONE: Duration = Duration::from_secs(30);

// === impl Owners ===

impl Owners {
    pub(super) fn new(client: kube::Client, keys: Arc<Keys>, pace: Arc<Pace>, settings: &Settings) -> Self {
        Self {
            client,
            keys,
            pace,
            cache: Mutex::new(Expiring::new(settings.owners)),
            timeout: settings.request,
            keep: settings.keep_owners,
        }
    }

    /// What is known without asking.
    pub(super) fn cached(&self, controller: Option<&Controller>) -> Option<Arc<Owner>> {
        let Some((controller, _)) = controller.and_then(|controller| Some((controller, resource(controller)?))) else {
            return Some(Arc::new(Owner::None));
        };
        let cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.get(&controller.uid, Instant::now())
    }

    /// The owner of a pod in that namespace; asks where it is not known.
    pub(super) async fn find(&self, namespace: &str, controller: Option<&Controller>) -> Result<Arc<Owner>, Refusal> {
        if let Some(known) = self.cached(controller) {
            return Ok(known);
        }
        let Some(controller) = controller else {
            return Ok(Arc::new(Owner::None));
        };
        let owner = Arc::new(self.read(namespace, controller).await?);
        let keep = match *owner {
            Owner::Seen { .. } => self.keep.mul_f64(0.8 + fastrand::f64() / 5.0),
            _ => GONE,
        };
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.insert(Uid::clone(&controller.uid), Arc::clone(&owner), Instant::now() + keep);
        Ok(owner)
    }

    async fn read(&self, namespace: &str, controller: &Controller) -> Result<Owner, Refusal> {
        let Some(direct) = self.get(namespace, controller).await? else {
            return Ok(Owner::Gone);
        };
        let selector = direct.spec.selector.unwrap_or_default();
        let named = |key: &str| {
            let labels = selector.match_labels.as_ref();
            let mut expressions = selector.match_expressions.iter().flatten();
            labels.is_some_and(|labels| labels.contains_key(key)) || expressions.any(|expression| expression.key == key)
        };
        let selects = self.keys.iter().map(|key| named(&key.name)).collect();
        let labels = match Controller::among(&direct.metadata.owner_references) {
            Some(above) if resource(&above).is_some() => match self.get(namespace, &above).await? {
                Some(topmost) => topmost.metadata.labels,
                None => return Ok(Owner::Gone),
            },
            // What stands above is no kind that Shuttle may read (an operator's own): the last that it reads counts.
            _ => direct.metadata.labels,
        };
        Ok(Owner::Seen {
            values: self.keys.values(labels.as_ref()),
            selects,
        })
    }

    /// The object that is meant; `None` where it is gone, also where another has its name now.
    async fn get(&self, namespace: &str, controller: &Controller) -> Result<Option<Object>, Refusal> {
        let Some((group, resource, with_selector)) = resource(controller) else {
            return Ok(None);
        };
        let request = Request::new(format!("/apis/{group}/v1/namespaces/{namespace}/{resource}"));
        let params = GetParams::default();
        let request = if with_selector {
            request.get(&controller.name, &params)
        } else {
            request.get_metadata(&controller.name, &params)
        };
        self.pace.turn(Turn::Read).await;
        match request::send::<Object>(&self.client, request, self.timeout).await {
            Ok(object) => {
                self.pace.fine();
                Ok(Some(object).filter(|object| object.metadata.uid.as_deref() == Some(&*controller.uid)))
            }
            Err(refusal) if refusal.is(StatusCode::NOT_FOUND) => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }
}

/// API group and resource of the kinds that Shuttle reads, and whether pods hang on it directly, by a selector.
fn resource(controller: &Controller) -> Option<(&'static str, &'static str, bool)> {
    let (group, _) = controller.api_version.split_once('/')?;
    Some(match (group, controller.kind.as_str()) {
        ("apps", "ReplicaSet") => ("apps", "replicasets", true),
        ("apps", "StatefulSet") => ("apps", "statefulsets", true),
        ("apps", "DaemonSet") => ("apps", "daemonsets", true),
        ("apps", "Deployment") => ("apps", "deployments", false),
        ("batch", "Job") => ("batch", "jobs", true),
        ("batch", "CronJob") => ("batch", "cronjobs", false),
        _ => return None,
    })
}
