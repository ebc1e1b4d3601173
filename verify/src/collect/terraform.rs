//! What Terraform says of the region: `terraform show -json` of a plan or a state, in a file.

mod document;
mod encoding;
mod firewalls;
mod links;
mod past;
mod references;

use self::document::{Document, Resource};
use self::links::Links;
use crate::collect::answer::json_error;
use crate::collect::connect::ConnectError;
use crate::evidence::{
    Attachment, Droplet, PlannedChange, Tag, Terraform, TerraformCheck, TerraformKind, TerraformResources, Volume,
    VolumeSnapshot, Vpc,
};
use serde_json::Value;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The largest document; a region's is some hundred kilobytes.
const BOUND: u64 = 64 << 20;
/// The version of the formats that is read: https://developer.hashicorp.com/terraform/internals/json-format
const MAJOR: &str = "1";
const COMMANDS: &[&str] = &[
    "terraform plan -refresh-only -out plan && terraform show -json plan > region.json",
    "terraform show -json > region.json",
];

/// A plan or a state that was read: of it nothing is kept but what evidence may hold.
#[derive(Clone, Debug)]
pub struct TerraformDocument(Terraform);

impl TerraformDocument {
    /// Reads a file.
    ///
    /// # Errors
    /// A file that cannot be read, is too large, or is no such document of a version that is known: in words, without
    /// what is in it.
    pub fn read(path: &Path) -> Result<Self, ConnectError> {
        let refuse = |problem: &str| ConnectError::new(format!("{}: {problem}", path.display()), COMMANDS);
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(|error| refuse(&error.to_string()))?;
        let read = file.take(BOUND + 1).read_to_end(&mut bytes);
        read.map_err(|error| refuse(&error.to_string()))?;
        if bytes.len() as u64 > BOUND {
            return Err(refuse(&format!("it is larger than {BOUND} bytes")));
        }
        if bytes.starts_with(b"PK") {
            return Err(refuse(
                "it is a plan as Terraform stores it, not what `terraform show -json` prints of it",
            ));
        }
        if let Some(problem) = encoding::problem(&bytes) {
            return Err(ConnectError::new(
                format!("{}: {problem}", path.display()),
                encoding::COMMANDS,
            ));
        }
        let mut document: Document = serde_json::from_slice(&bytes).map_err(|error| refuse(&json_error(&error)))?;
        let Some(format) = &document.format_version else {
            return Err(refuse(
                "it has no `format_version`, so that it is not what `terraform show -json` prints; a state file is not either",
            ));
        };
        if format.split('.').next() != Some(MAJOR) {
            return Err(refuse(&format!(
                "its format_version is {format:?}; this version reads {MAJOR}.x"
            )));
        }
        document.settle();
        Ok(Self(evidence(&document)))
    }

    pub(super) fn evidence(&self) -> &Terraform {
        &self.0
    }
}

/// When the resources that are read are there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    Now,
    /// Once the plan is applied: not all of it is known.
    Planned,
}

fn evidence(document: &Document) -> Terraform {
    let (is, planned) = (document.prior(), document.planned());
    let is_empty = |resources: &[&Resource]| resources.iter().all(|resource| resource.mode != Resource::MANAGED);
    let drift = |deletes: bool| -> Vec<String> {
        let drift = document.resource_drift.iter();
        drift
            .filter(|drift| drift.mode == Resource::MANAGED && drift.change.deletes() == deletes)
            .map(|drift| drift.address.clone())
            .collect()
    };
    let gone = drift(true);
    // Of the first plan there is nothing yet that could be judged, unless somebody deleted it.
    let is = is.unwrap_or_default();
    let is_first = planned.is_some() && is_empty(&is) && gone.is_empty();
    let every: Vec<&Resource> = is.iter().chain(planned.iter().flatten()).copied().collect();
    let is_plan = document.is_plan();
    Terraform {
        kind: if is_plan {
            TerraformKind::Plan
        } else {
            TerraformKind::State
        },
        version: document.terraform_version.clone().unwrap_or_default(),
        made: document.timestamp,
        complete: document.complete != Some(false) && document.errored != Some(true),
        unrefreshed: is_plan && past::contradicts_itself(&is),
        newest: past::newest_date(&is),
        planned: planned.map(|resources| of_contract(document, &resources, When::Planned)),
        is: (!is_first).then(|| of_contract(document, &is, When::Now)),
        gone,
        changed: drift(false),
        checks: (document.checks.iter())
            .filter(|check| check.address.kind == "check" && check.status != "pass")
            .map(|check| TerraformCheck {
                address: check.address.to_display.clone(),
                status: check.status.clone(),
            })
            .collect(),
        clusters: references::to_clusters(document, &every),
        unread: references::unread_states(document, &every),
        changes: changes(document),
    }
}

/// The resources that the contract is about.
fn of_contract(document: &Document, resources: &[&Resource], when: When) -> TerraformResources {
    let links = Links::new(document, resources);
    let of = |kind: &'static str| resources.iter().copied().filter(move |resource| resource.is(kind));
    let whatever = |kind: &'static str| (resources.iter().copied()).filter(move |resource| resource.kind == kind);
    TerraformResources {
        droplets: of("digitalocean_droplet")
            .map(|resource| Droplet {
                address: resource.address.clone(),
                name: resource.text("name"),
                size: resource.text("size"),
                region: resource.text("region"),
                vpc: links.vpc(resource),
                tags: tags(document, resource, when),
                tainted: resource.tainted,
            })
            .collect(),
        vpcs: of("digitalocean_vpc")
            .map(|resource| Vpc {
                address: resource.address.clone(),
                name: resource.text("name"),
                region: resource.text("region"),
            })
            .collect(),
        volumes: of("digitalocean_volume")
            .map(|resource| Volume {
                address: resource.address.clone(),
                name: resource.text("name"),
                region: resource.text("region"),
                tainted: resource.tainted,
            })
            .collect(),
        attachments: of("digitalocean_volume_attachment")
            .map(|resource| Attachment {
                address: resource.address.clone(),
                droplet: links.one(resource, "droplet_id"),
                volume: links.one(resource, "volume_id"),
            })
            .collect(),
        firewalls: of("digitalocean_firewall")
            .map(|resource| firewalls::read(document, resource, &links, when))
            .collect(),
        tags: whatever("digitalocean_tag")
            .map(|resource| Tag {
                name: resource.text("name"),
                droplets: resource.values.get("droplets_count").and_then(Value::as_u64),
            })
            .collect(),
        snapshots: whatever("digitalocean_volume_snapshot")
            .map(|resource| VolumeSnapshot {
                address: resource.address.clone(),
                name: resource.text("name"),
                volume: links.one(resource, "volume_id"),
                created: resource.text("created_at").parse().ok(),
            })
            .collect(),
    }
}

/// A droplet's tags; `None` where one of them is not known before the plan is applied.
fn tags(document: &Document, resource: &Resource, when: When) -> Option<Vec<String>> {
    let unknown = match when {
        When::Now => &Value::Null,
        When::Planned => &document.unknown(resource)["tags"],
    };
    (!firewalls::holds_true(unknown)).then(|| resource.texts("tags"))
}

/// What a plan would take away of what holds data, or holds it together.
fn changes(document: &Document) -> Vec<PlannedChange> {
    const KINDS: [&str; 5] = [
        "digitalocean_droplet",
        "digitalocean_volume",
        "digitalocean_volume_attachment",
        "digitalocean_volume_snapshot",
        "digitalocean_vpc",
    ];
    let changes = document.resource_changes.iter();
    changes
        .filter(|change| KINDS.contains(&change.kind.as_str()) && change.mode == Resource::MANAGED)
        .filter(|change| change.change.deletes())
        .map(|change| PlannedChange {
            address: change.address.clone(),
            kind: change.kind.clone(),
            actions: change.change.actions.clone(),
        })
        .collect()
}

#[cfg(test)]
mod tests;
