//! `GET /version`, with the clock that freshness is judged by.

use super::access::Cluster;
use super::get::Get;
use super::obstacle::{Obstacle, foreign};
use super::status::bounded;
use crate::evidence::{ApiServer, Reason};
use http::header;
use jiff::Timestamp;
use serde::Deserialize;

/// The largest answer that is read.
const BOUND: u64 = 64 << 10;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    git_version: String,
}

/// Reads version and time. Needs no RBAC beyond the ClusterRole `system:public-info-viewer`, which Kubernetes binds to
/// every identity.
pub(super) async fn collect(cluster: &Cluster<'_>) -> Result<ApiServer, Obstacle> {
    let answer = cluster.send(&Get::version(), BOUND).await?;
    let date = answer.header(header::DATE).and_then(date);
    // Every API server's answer has one: another document is of something that stands in its place.
    let another = || Obstacle::from(foreign(&Get::version(), "it names no version"));
    let version = answer
        .object::<Version>(None)
        .await
        .map_err(|obstacle| match obstacle {
            Obstacle::Unknown(unknown) if unknown.reason == Reason::Malformed => another(),
            other => other,
        })?;
    if version.git_version.is_empty() {
        return Err(another());
    }
    Ok(ApiServer {
        git_version: bounded(&version.git_version),
        date,
    })
}

/// The time in a `Date` header (RFC 9110, section 5.6.7): `Sun, 22 Nov 2026 14:23:00 GMT`.
fn date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(text).ok().map(|date| date.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_header_is_read() {
        assert_eq!(
            date("Sun, 22 Nov 2026 14:23:00 GMT"),
            Some("2026-11-22T14:23:00Z".parse().unwrap())
        );
        assert_eq!(date("yesterday"), None);
    }
}
