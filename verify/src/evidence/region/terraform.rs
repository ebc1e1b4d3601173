//! What a plan or a state of Terraform says of the region: of its resources the attributes that the contract is about.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// `terraform show -json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Terraform {
    /// Plan or state.
    pub kind: TerraformKind,
    /// The version that wrote it.
    pub version: String,
    /// When a plan was made; a state does not say.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub made: Option<Timestamp>,
    /// Whether it is all there is: a plan may have ended early or with errors.
    pub complete: bool,
    /// Droplets.
    pub droplets: Vec<Droplet>,
    /// VPCs.
    pub vpcs: Vec<Vpc>,
    /// Volumes.
    pub volumes: Vec<Volume>,
    /// Which volume is attached to which droplet.
    pub attachments: Vec<Attachment>,
    /// Firewalls.
    pub firewalls: Vec<Firewall>,
    /// Snapshots of volumes.
    pub snapshots: Vec<VolumeSnapshot>,
    /// Whatever refers to a cluster.
    pub clusters: Vec<ClusterReference>,
    /// Droplets, volumes and VPCs that a plan would delete or replace.
    pub changes: Vec<PlannedChange>,
}

/// What the document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TerraformKind {
    /// A plan.
    Plan,
    /// A state.
    State,
}

/// What an attribute that names another resource points at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Link {
    /// A resource of this document, by its address.
    Resource(String),
    /// Something else, by its ID.
    Elsewhere(String),
    /// Nothing.
    Nothing,
    /// Not known before the plan is applied, and no reference says.
    NotKnown,
}

/// `digitalocean_droplet`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Droplet {
    /// `digitalocean_droplet.clickhouse`.
    pub address: String,
    /// Its name.
    pub name: String,
    /// Its size.
    pub size: String,
    /// Its region.
    pub region: String,
    /// `vpc_uuid`.
    pub vpc: Link,
}

/// `digitalocean_vpc`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Vpc {
    /// `digitalocean_vpc.telemetry`.
    pub address: String,
    /// Its name.
    pub name: String,
    /// Its region.
    pub region: String,
}

/// `digitalocean_volume`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Volume {
    /// `digitalocean_volume.clickhouse`.
    pub address: String,
    /// Its name.
    pub name: String,
    /// Its region.
    pub region: String,
    /// Whether it is there already; a plan may be about to make it.
    pub exists: bool,
}

/// `digitalocean_volume_attachment`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attachment {
    /// Its address.
    pub address: String,
    /// The droplet.
    pub droplet: Link,
    /// The volume.
    pub volume: Link,
}

/// `digitalocean_firewall`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Firewall {
    /// Its address.
    pub address: String,
    /// The droplets that it stands before.
    pub droplets: Vec<Link>,
    /// The tags of the droplets that it stands before too.
    pub tags: Vec<RuleSource>,
    /// What it lets in.
    pub inbound: Vec<InboundRule>,
}

/// What a firewall lets in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InboundRule {
    /// `tcp`.
    pub protocol: String,
    /// `8443`; empty for all.
    pub ports: String,
    /// From which addresses.
    pub addresses: Vec<String>,
    /// From what else; `None` in recordings of before this was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub others: Option<Vec<RuleSource>>,
}

/// Whom a firewall lets in, or stands before, that is no address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleSource {
    /// A droplet.
    Droplet(Link),
    /// The droplets of a tag.
    Tag(String),
    /// A load balancer, by its ID.
    LoadBalancer(String),
    /// The nodes of a cluster, by its ID.
    Cluster(String),
    /// Not known before the plan is applied, and no reference says: the attribute.
    NotKnown(String),
}

/// A snapshot of a volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VolumeSnapshot {
    /// `data.digitalocean_volume_snapshot.clickhouse`.
    pub address: String,
    /// Its name.
    pub name: String,
    /// When it was made.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub created: Option<Timestamp>,
}

/// Something that refers to a cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterReference {
    /// The address of what refers, and the attribute.
    pub from: String,
    /// What it refers to.
    pub to: String,
}

/// A change that a plan would make to something that exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedChange {
    /// The address.
    pub address: String,
    /// `delete`, or `delete` and `create`.
    pub actions: Vec<String>,
}
