//! What is in a revision: base64 of base64 of gzip of JSON, read by an allow-list while it is inflated.
//!
//! The JSON holds the chart's templates, the manifest and every value that was given, passwords among them. It is never
//! held: what the contract does not name is skipped while it is parsed, and the types below hold what is kept, so none of
//! them can be printed with more in it. Errors tell a place in the document and quote nothing of it.

use super::revisions;
use crate::collect::access::Cluster;
use crate::collect::answer::json_error;
use crate::collect::list::{Collected, Shape};
use crate::collect::obstacle::{Obstacle, unknown};
use crate::collect::status::bounded;
use crate::contract::Release;
use crate::evidence::{HelmContent, HelmValue, ImmutableObject, Observed, Reason};
use crate::values::Paths;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::bufread::GzDecoder;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use std::fmt;
use std::io::{BufReader, ErrorKind, Read};

/// How large a revision may become. A Secret ends at 1 MiB; charts inflate to about ten times as much, bombs to a thousand.
const INFLATED: u64 = 64 << 20;
const GZIP: [u8; 3] = [0x1f, 0x8b, 0x08];

/// A Secret of Helm's. No `Debug`: it is never printed.
#[derive(Deserialize)]
struct Secret {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    release: String,
}

#[derive(Deserialize)]
struct Info {
    // Go writes the zero time where there is none.
    first_deployed: Option<Timestamp>,
    last_deployed: Option<Timestamp>,
    // What went wrong, with what values: all that is kept of it is [`cannot_change`].
    #[serde(default)]
    description: String,
}

#[derive(Deserialize)]
struct Chart {
    metadata: ChartMetadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ChartMetadata {
    name: String,
    version: String,
    app_version: Option<String>,
}

/// Reads a revision's JSON.
struct RevisionSeed<'p, 'a>(&'p Paths<'a>);

/// Reads `config`, the values that were given.
struct ConfigSeed<'p, 'a>(&'p Paths<'a>);

/// Why a revision cannot be read.
struct Unreadable(Reason, String);

/// Reads the revision in a Secret. Needs `list secrets` in its namespace.
pub(super) async fn read(
    cluster: &Cluster<'_>,
    release: &Release,
    namespace: &str,
    secret: &str,
) -> Observed<HelmContent> {
    let get =
        revisions::request(namespace).query("fieldSelector", &format!("metadata.name={secret},{}", revisions::TYPE));
    let paths = Paths::of(release);
    // Inflated while it is still in the reader's hands: the Secret is not kept either.
    let new = || {
        Collected::new(|json| {
            let content = serde_json::from_slice::<Secret>(json).map(|secret| decode(&secret.data.release, &paths))?;
            Ok(Some(content))
        })
    };
    let read = match cluster.list(&get, Shape::objects("SecretList"), new).await {
        Ok(read) => read.items.into_iter().next(),
        Err(obstacle) => return Obstacle::observed(obstacle),
    };
    match read {
        Some(Ok(content)) => Observed::Seen(content),
        Some(Err(Unreadable(reason, message))) => {
            Observed::Unknown(unknown(&get, reason, &format!("{secret}: {message}")))
        }
        None => {
            let message = format!("{secret} was gone when it was read: Helm is at work");
            Observed::Unknown(unknown(&get, Reason::Refused, &message))
        }
    }
}

/// Takes a revision out of what `data.release` of its Secret holds.
fn decode(release: &str, paths: &Paths<'_>) -> Result<HelmContent, Unreadable> {
    let malformed = |what: &str| Unreadable(Reason::Malformed, what.to_owned());
    let outer = STANDARD.decode(release).map_err(|_| malformed("it is no base64"))?;
    let bytes = STANDARD
        .decode(outer)
        .map_err(|_| malformed("it is no base64 of base64"))?;
    if bytes.starts_with(&GZIP) {
        let mut inflated = GzDecoder::new(bytes.as_slice()).take(INFLATED);
        let read = parse(&mut inflated, paths);
        if inflated.limit() == 0 {
            return Err(Unreadable(
                Reason::TooLarge,
                format!("it inflates to more than {INFLATED} bytes"),
            ));
        }
        read
    } else {
        // Records of old are not compressed.
        parse(&mut bytes.as_slice(), paths)
    }
}

fn parse(json: &mut dyn Read, paths: &Paths<'_>) -> Result<HelmContent, Unreadable> {
    let mut deserializer = serde_json::Deserializer::from_reader(BufReader::new(json));
    let content = RevisionSeed(paths).deserialize(&mut deserializer);
    // To the end, so that gzip's checksum is compared.
    let content = content.and_then(|content| deserializer.end().map(|()| content));
    content.map_err(|error| match error.io_error_kind() {
        Some(ErrorKind::UnexpectedEof) => Unreadable(Reason::Truncated, "its gzip stops before its end".to_owned()),
        Some(_) => Unreadable(Reason::Malformed, "its gzip is damaged".to_owned()),
        None if error.is_eof() => Unreadable(Reason::Truncated, json_error(&error)),
        None => Unreadable(Reason::Malformed, json_error(&error)),
    })
}

/// The object that a failed revision names because a field of it cannot be changed: `StatefulSet.apps "vmagent" is invalid:
/// spec: Forbidden: updates to statefulset spec for fields other than …`, `Deployment.apps "ksm" is invalid: spec.selector:
/// Invalid value: …: field is immutable`. Source: Kubernetes, `pkg/apis/apps/validation`, and the words of `apimachinery`'s
/// `errors.NewInvalid`.
fn cannot_change(description: &str) -> Option<ImmutableObject> {
    const IMMUTABLE: [&str; 2] = ["Forbidden: updates to ", "field is immutable"];
    let (before, behind) = description.split_once("\" is invalid: ")?;
    let (kind, name) = before.rsplit_once(".apps \"")?;
    let kind = kind.rsplit(|c: char| !c.is_ascii_alphanumeric()).next()?;
    IMMUTABLE
        .iter()
        .any(|immutable| behind.contains(immutable))
        .then(|| ImmutableObject {
            kind: bounded(kind),
            name: bounded(name),
        })
}

// === impl RevisionSeed ===

impl<'de> DeserializeSeed<'de> for RevisionSeed<'_, '_> {
    type Value = HelmContent;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<HelmContent, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RevisionSeed<'_, '_> {
    type Value = HelmContent;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a release")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<HelmContent, A::Error> {
        let (mut info, mut chart, mut values) = (None, None, None);
        while let Some(key) = fields.next_key::<String>()? {
            match key.as_str() {
                "info" => info = Some(fields.next_value::<Info>()?),
                "chart" => chart = Some(fields.next_value::<Chart>()?.metadata),
                "config" => values = Some(fields.next_value_seed(ConfigSeed(self.0))?),
                _ => {
                    fields.next_value::<IgnoredAny>()?;
                }
            }
        }
        let info = info.ok_or_else(|| Error::missing_field("info"))?;
        let chart = chart.ok_or_else(|| Error::missing_field("chart"))?;
        // Before year 1970 nothing was deployed: Go's zero time.
        let told = |time: Option<Timestamp>| time.filter(|time| *time > Timestamp::UNIX_EPOCH);
        Ok(HelmContent {
            chart: bounded(&chart.name),
            version: bounded(&chart.version),
            app_version: chart.app_version.map(|version| bounded(&version)),
            first_deployed: told(info.first_deployed),
            last_deployed: told(info.last_deployed),
            // Helm leaves `config` out where no value was given.
            values: values.unwrap_or_else(|| self.0.nothing()),
            cannot_change: cannot_change(&info.description),
        })
    }
}

// === impl ConfigSeed ===

impl<'de> DeserializeSeed<'de> for ConfigSeed<'_, '_> {
    type Value = Vec<HelmValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<HelmValue>, D::Error> {
        self.0.read(deserializer)
    }
}

#[cfg(test)]
mod tests;
