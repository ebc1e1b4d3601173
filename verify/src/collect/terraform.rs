//! What Terraform says of the region: `terraform show -json` of a plan or a state, in a file.

mod document;
mod firewalls;
mod links;
mod references;

use self::document::{Document, Resource};
use self::links::Links;
use crate::collect::answer::json_error;
use crate::collect::connect::ConnectError;
use crate::evidence::{Attachment, Droplet, PlannedChange, Terraform, TerraformKind, Volume, VolumeSnapshot, Vpc};
use std::collections::BTreeSet;
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
        let document: Document = serde_json::from_slice(&bytes).map_err(|error| refuse(&json_error(&error)))?;
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
        Ok(Self(evidence(&document)))
    }

    pub(super) fn evidence(&self) -> &Terraform {
        &self.0
    }
}

fn evidence(document: &Document) -> Terraform {
    let resources = document.resources();
    let links = Links::new(document, &resources);
    let of = |kind: &'static str| resources.iter().copied().filter(move |resource| resource.is(kind));
    let existing: BTreeSet<&str> = match document.prior() {
        Some(prior) => prior.iter().map(|resource| resource.address.as_str()).collect(),
        None => BTreeSet::new(),
    };
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
        droplets: of("digitalocean_droplet")
            .map(|resource| Droplet {
                address: resource.address.clone(),
                name: resource.text("name"),
                size: resource.text("size"),
                region: resource.text("region"),
                vpc: links.one(resource, "vpc_uuid"),
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
                exists: !is_plan || existing.contains(resource.address.as_str()),
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
            .map(|resource| firewalls::read(document, resource, &links))
            .collect(),
        snapshots: resources
            .iter()
            .filter(|resource| resource.kind == "digitalocean_volume_snapshot")
            .map(|resource| VolumeSnapshot {
                address: resource.address.clone(),
                name: resource.text("name"),
                created: resource.text("created_at").parse().ok(),
            })
            .collect(),
        clusters: references::to_clusters(document, &resources),
        changes: changes(document),
    }
}

/// What a plan would take away of what holds data, or holds it together.
fn changes(document: &Document) -> Vec<PlannedChange> {
    const KINDS: [&str; 3] = ["digitalocean_droplet", "digitalocean_volume", "digitalocean_vpc"];
    let changes = document.resource_changes.iter();
    changes
        .filter(|change| KINDS.contains(&change.kind.as_str()) && change.mode == Resource::MANAGED)
        .filter(|change| change.change.actions.iter().any(|action| action == "delete"))
        .map(|change| PlannedChange {
            address: change.address.clone(),
            actions: change.change.actions.clone(),
        })
        .collect()
}

#[cfg(test)]
mod tests;
