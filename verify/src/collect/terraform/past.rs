//! How old what a document knows is, as far as it shows.

use super::document::Resource;
use super::links::id;
use jiff::Timestamp;
use serde_json::Value;

/// The attributes that tell when something was made or changed.
const DATES: [&str; 2] = ["created_at", "updated_at"];

/// The newest date of any of them: it was written then, or later. What a VPC has is no date of RFC 3339, and is left out.
pub(super) fn newest_date(resources: &[&Resource]) -> Option<Timestamp> {
    let dates = resources
        .iter()
        .flat_map(|resource| DATES.map(|attribute| resource.text(attribute)));
    dates.filter_map(|date| date.parse().ok()).max()
}

/// Whether a volume and its attachment contradict each other. An apply makes the volume and the droplet before the
/// attachment, and writes down neither's list of the other; a refresh does, and takes out of the state what is attached no
/// more. So this is what a plan looks like that was made with `-refresh=false` after an apply. Where a refresh was the last that
/// wrote the state, such a plan looks like any other.
pub(super) fn contradicts_itself(resources: &[&Resource]) -> bool {
    let attachments = resources
        .iter()
        .filter(|resource| resource.is("digitalocean_volume_attachment"));
    let lacks = |kind: &str, own: Option<&Value>, list: &str, other: Option<&Value>| {
        let (Some(own), Some(other)) = (own.and_then(id), other.and_then(id)) else {
            return false;
        };
        let of_id =
            |resource: &&&Resource| resource.is(kind) && resource.values.get("id").and_then(id).as_ref() == Some(&own);
        let listed = (resources.iter().find(of_id)).and_then(|resource| resource.values.get(list)?.as_array());
        listed.is_some_and(|listed| !listed.iter().filter_map(id).any(|one| one == other))
    };
    attachments.into_iter().any(|attachment| {
        let droplet = attachment.values.get("droplet_id");
        let volume = attachment.values.get("volume_id");
        lacks("digitalocean_volume", volume, "droplet_ids", droplet)
            || lacks("digitalocean_droplet", droplet, "volume_ids", volume)
    })
}
