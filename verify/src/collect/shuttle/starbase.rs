//! What Starbase says of the cluster's registration: asked only where the audit was told where and with which token.

use crate::collect::get::Get;
use crate::collect::obstacle::{Obstacle, observed, unknown};
use crate::collect::request::send;
use crate::collect::starbase::Starbase;
use crate::evidence::{Observed, Reason, StarbaseRead, StarbaseRegistration, StatusRead};
use jiff::Timestamp;
use serde::Deserialize;
use std::time::Duration;

const BOUND: u64 = 256 << 10;

/// `RegistrationStatus` of `manifests/starbase/openapi.yaml`, as far as evidence may hold it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    cluster_id: String,
    uid: String,
    region: String,
    state: String,
    generation: u64,
    last_heartbeat: Option<Timestamp>,
}

/// Asks. Needs no permission of the cluster; the cluster's ID is what its status says.
pub(in crate::collect) async fn collect(
    starbase: Option<&Starbase>,
    request_timeout: Duration,
    status: &Observed<StatusRead>,
) -> Observed<StarbaseRead> {
    let Some(starbase) = starbase else {
        return Observed::Seen(StarbaseRead::NotAsked);
    };
    if let Some(behind) = status.behind("ConfigMap shuttle-status") {
        return behind;
    }
    let Observed::Seen(read) = status else {
        return Observed::Absent;
    };
    observed(ask(starbase.client(), request_timeout, &read.status.cluster_id).await)
}

async fn ask(client: &kube::Client, request_timeout: Duration, id: &str) -> Result<StarbaseRead, Obstacle> {
    let get = Get::registration(id);
    let answer = send(client, &get, request_timeout, BOUND).await?;
    let raw: Raw = answer.object(None).await?;
    if raw.cluster_id != id {
        return Err(unknown(&get, Reason::Malformed, "it is about another cluster ID").into());
    }
    Ok(StarbaseRead::Answered(StarbaseRegistration {
        cluster_id: raw.cluster_id,
        uid: raw.uid,
        region: raw.region,
        state: raw.state,
        generation: raw.generation,
        last_heartbeat: raw.last_heartbeat,
    }))
}
