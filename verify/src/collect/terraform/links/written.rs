//! What an attribute will hold that is not known before the plan is applied, by what its expression refers to.

use super::{Links, without_indexes};
use crate::collect::terraform::document::Resource;
use crate::evidence::Link;
use std::collections::BTreeSet;

/// What the references of an expression come to, as far as they can give a value that is not known yet.
#[derive(Default)]
struct Named {
    resources: BTreeSet<String>,
    /// Whether a local is among them: the document does not tell what locals are made of.
    local: bool,
    /// Whether anything else is that may give it.
    other: bool,
}

/// The most modules within each other that an argument is followed through.
const DEPTH: usize = 16;
const VPC: &str = "digitalocean_vpc";

impl Links<'_> {
    /// What an attribute that is not known yet will hold, by what its expression refers to. An expression is not told itself,
    /// only its references: each branch of a conditional is among them, and so is its condition.
    pub(super) fn by_reference(&self, resource: &Resource, attribute: &str) -> Link {
        let address = without_indexes(&resource.address);
        let place = Self::place(&address, &resource.kind);
        let mut named = Named::default();
        self.name(resource, (address.as_str(), attribute), place, DEPTH, &mut named);
        if named.local && !named.other && named.resources.is_empty() && attribute == "vpc_uuid" {
            named.resources = self.vpcs_to_be_made();
            named.local = named.resources.is_empty();
        }
        let mut resources = named.resources.into_iter();
        match (resources.next(), resources.next()) {
            (None, _) => Link::NotKnown,
            (Some(one), None) if !named.local && !named.other => Link::Resource(one),
            (Some(one), next) => Link::OneOf([one].into_iter().chain(next).chain(resources).collect()),
        }
    }

    /// Adds what the expression of an argument or attribute refers to.
    fn name(&self, resource: &Resource, of: (&str, &str), place: &str, depth: usize, into: &mut Named) {
        let key = (of.0.to_owned(), of.1.to_owned());
        let Some(references) = self.expressions.get(&key).filter(|_| depth > 0) else {
            into.other = true;
            return;
        };
        for reference in references {
            let reference = without_indexes(reference);
            let inner = reference.strip_prefix(place).unwrap_or(&reference);
            let (first, rest) = inner.split_once('.').unwrap_or((inner, ""));
            match first {
                // Known before anything is applied, and so not what makes the value unknown.
                "count" | "path" | "terraform" => {}
                "var" if place.is_empty() => {}
                "var" => {
                    let call = place.trim_end_matches('.');
                    let above = call.rfind("module.").map_or("", |at| &call[..at]);
                    let argument = rest.split('.').next().unwrap_or_default();
                    self.name(resource, (call, argument), above, depth - 1, into);
                }
                "local" => into.local = true,
                "data" => into.other |= !self.read.iter().any(|read| names(&reference, &without_indexes(read))),
                "module" | "each" | "self" => into.other = true,
                _ => match self.instance(resource, &reference) {
                    // What has its ID already gives a value that is known.
                    Some(Link::Resource(address)) if !self.made.contains(address.as_str()) => {
                        into.resources.insert(address);
                    }
                    Some(_) => {}
                    // `type.name.id` is told beside `type.name`.
                    None => {
                        into.other |= !self
                            .addresses
                            .iter()
                            .any(|one| names(&reference, &without_indexes(one)));
                    }
                },
            }
        }
    }

    /// Every VPC that is yet to be made, where nothing else in the plan can give a local the ID of one: then these are all that
    /// it may hold.
    fn vpcs_to_be_made(&self) -> BTreeSet<String> {
        // What is made of these has no VPC's ID among its attributes but its own, or the one that it is given.
        const PLAIN: [&str; 10] = [
            "digitalocean_domain",
            "digitalocean_droplet",
            "digitalocean_firewall",
            "digitalocean_project",
            "digitalocean_record",
            "digitalocean_ssh_key",
            "digitalocean_tag",
            "digitalocean_volume",
            "digitalocean_volume_attachment",
            VPC,
        ];
        let kind = |address: &str| {
            let address = without_indexes(address);
            let mut parts = address.rsplit('.');
            parts.nth(1).unwrap_or_default().to_owned()
        };
        let managed = |address: &&&str| !without_indexes(address).split('.').any(|part| part == "data");
        let open = self
            .addresses
            .iter()
            .filter(managed)
            .filter(|one| !self.made.contains(**one));
        let open: Vec<&str> = open.copied().collect();
        let is_plain = |address: &&str| PLAIN.contains(&kind(address).as_str());
        let given = |address: &&str| {
            let key = (without_indexes(address), "vpc_uuid".to_owned());
            kind(address) != "digitalocean_droplet" || self.expressions.get(&key).is_some_and(|found| !found.is_empty())
        };
        if !open.iter().all(|address| is_plain(address) && given(address)) {
            return BTreeSet::new();
        }
        let vpcs = open.into_iter().filter(|address| kind(address) == VPC);
        vpcs.map(str::to_owned).collect()
    }

    /// The place of the module that a resource stands in.
    fn place<'t>(address: &'t str, kind: &str) -> &'t str {
        let at = address.rfind(&format!("{kind}."));
        at.and_then(|at| address.get(..at)).unwrap_or_default()
    }
}

/// Whether a reference names that, or an attribute of it.
fn names(reference: &str, address: &str) -> bool {
    let rest = reference.strip_prefix(address);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
