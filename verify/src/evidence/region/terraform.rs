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
    /// Whether it contradicts itself as only what was not refreshed does: it knows the past alone.
    pub unrefreshed: bool,
    /// The newest date in what it says is; a state says nothing else of its age.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub newest: Option<Timestamp>,
    /// What is; nothing where a plan is the first.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub is: Option<TerraformResources>,
    /// What a plan would make of it; nothing where it plans nothing.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub planned: Option<TerraformResources>,
    /// What was deleted since the last apply, and not by Terraform: addresses.
    pub gone: Vec<String>,
    /// What was changed since the last apply, and not by Terraform: addresses.
    pub changed: Vec<String>,
    /// The checks of the configuration that did not pass.
    pub checks: Vec<TerraformCheck>,
    /// Whatever refers to a cluster.
    pub clusters: Vec<ClusterReference>,
    /// States of others that the configuration reads and of which the document does not tell what is in them: addresses.
    pub unread: Vec<String>,
    /// What holds data, or holds it together, and a plan would delete or replace.
    pub changes: Vec<PlannedChange>,
}

/// The resources that the contract is about, at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TerraformResources {
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
    /// Tags that the document manages or looks up.
    pub tags: Vec<Tag>,
    /// Snapshots of volumes.
    pub snapshots: Vec<VolumeSnapshot>,
}

/// A check of the configuration that did not pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TerraformCheck {
    /// `check.clickhouse_snapshot`.
    pub address: String,
    /// What it came to: `fail`, `error` or `unknown`.
    pub status: String,
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
    /// Not known before the plan is applied; it may be one of these, or something that no reference names.
    OneOf(Vec<String>),
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
    /// Its tags, where they are known.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub tags: Option<Vec<String>>,
    /// Whether Terraform holds it for damaged, and makes it anew with the next apply.
    pub tainted: bool,
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
    /// Whether Terraform holds it for damaged, and makes it anew with the next apply.
    pub tainted: bool,
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
    /// Whether those are all rules that it will have.
    pub rules_known: bool,
}

/// `digitalocean_tag`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tag {
    /// Its name.
    pub name: String,
    /// How many droplets have it, in this document or not; not known of one that is yet to be made.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub droplets: Option<u64>,
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
    /// The volume that it was made of.
    pub volume: Link,
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
    /// `digitalocean_volume`.
    pub kind: String,
    /// `delete`, or `delete` and `create`.
    pub actions: Vec<String>,
}
