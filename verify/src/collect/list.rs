//! Reads a list item by item, in pages or in one piece, without ever holding it.

use super::answer::{Answer, json_error};
use super::get::{Get, JSON};
use super::items::{Reduce, SplitError, Splitter};
use super::obstacle::Obstacle;
use super::protobuf::{self, MessageSplitter, ReduceMessages};
use super::request::send;
use crate::evidence::Reason;
use serde::de::{IgnoredAny, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::time::Duration;

/// Protobuf, else Kubernetes' JSON.
const PROTOBUF_OR_JSON: &str = "application/vnd.kubernetes.protobuf, application/json";
/// The largest list that is read: a million pods of a kilobyte.
const BOUND: u64 = 2 << 30;

/// How many items a page has, as many as `kubectl` asks for.
const PAGE: u32 = 500;

/// What a list looks like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// Its `kind`: `NodeList`.
    pub(super) kind: &'static str,
    /// How many items a page may have; `None` where the server knows no pages (metrics-server).
    pub(super) page: Option<u32>,
}

/// Keeps what a function makes of each item; `None` drops it.
pub(super) struct Collected<T, F> {
    pub(super) items: Vec<T>,
    read: F,
}

/// What stands around the items.
#[derive(Deserialize)]
struct Envelope {
    kind: String,
    #[serde(default)]
    metadata: Metadata,
    #[serde(default, deserialize_with = "present")]
    items: Option<Array>,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default, rename = "continue")]
    next: String,
}

/// An array, or the `null` that Go writes for a list that is nil.
struct Array;

impl Shape {
    /// A list of objects, in pages.
    pub(super) const fn objects(kind: &'static str) -> Self {
        Self { kind, page: Some(PAGE) }
    }
}

/// Reads a list. `new` makes what its items are reduced to; again, where a list has to be read from its beginning
/// because its continue token expired (which happens once; then it is an obstacle).
///
/// `timeout` bounds each page, of a list without pages each page's worth of it.
pub(super) async fn list<R: Reduce>(
    client: &kube::Client,
    get: &Get,
    shape: Shape,
    timeout: Duration,
    new: impl Fn() -> R,
) -> Result<R, Obstacle> {
    let mut restarted = false;
    'list: loop {
        let mut reduce = new();
        let mut next = String::new();
        let mut left = BOUND;
        loop {
            let mut page = get.clone();
            if let Some(limit) = shape.page {
                page = page.query("limit", &limit.to_string());
            }
            if !next.is_empty() {
                page = page.query("continue", &next);
            }
            let answer = match send(client, &page, timeout, left).await {
                Err(Obstacle::Expired(_)) if !next.is_empty() && !restarted => {
                    restarted = true;
                    continue 'list;
                }
                answer => answer?.json()?,
            };
            let (token, read) = self::page(answer, shape, &mut reduce).await?;
            left = left.saturating_sub(read);
            if token.is_empty() {
                return Ok(reduce);
            }
            if token == next {
                return Err(super::obstacle::unknown(get, Reason::Malformed, "its pages never end").into());
            }
            next = token;
        }
    }
}

/// Reads a list that is not asked for in pages, in protobuf where the server gives it, else in JSON.
///
/// `timeout` bounds each page's worth of it.
pub(super) async fn whole<R: Reduce + ReduceMessages>(
    client: &kube::Client,
    get: &Get,
    kind: &'static str,
    timeout: Duration,
    mut reduce: R,
) -> Result<R, Obstacle> {
    let get = get.clone().accept(PROTOBUF_OR_JSON);
    let mut answer = match send(client, &get, timeout, BOUND).await {
        // A proxy that lets no protobuf through.
        Err(Obstacle::OtherForm(_)) => send(client, &get.clone().accept(JSON), timeout, BOUND).await?,
        answer => answer?,
    };
    if !answer.is_of(protobuf::MEDIA_TYPE) {
        let shape = Shape { kind, page: None };
        let (next, _) = page(answer.json()?, shape, &mut reduce).await?;
        if next.is_empty() {
            return Ok(reduce);
        }
        let paged = "it is a page, and the whole list was asked for";
        return Err(super::obstacle::unknown(&get, Reason::Malformed, paged).into());
    }
    let mut splitter = MessageSplitter::new(kind);
    read_through(&mut answer, |chunk| {
        splitter.push(chunk, &mut reduce)?;
        Ok(splitter.items())
    })
    .await?;
    splitter.finish().map_err(|error| split_error(&answer, &error))?;
    Ok(reduce)
}

/// Reads one page; returns the token of the next one and how many bytes this one had.
async fn page(mut answer: Answer, shape: Shape, reduce: &mut impl Reduce) -> Result<(String, u64), Obstacle> {
    let mut splitter = Splitter::new();
    let read = read_through(&mut answer, |chunk| {
        splitter.push(chunk, reduce)?;
        Ok(splitter.items())
    })
    .await?;
    let envelope = splitter.finish().map_err(|error| split_error(&answer, &error))?;
    let malformed = |message: &str| answer.unknown(Reason::Malformed, message);
    let envelope: Envelope = serde_json::from_slice(&envelope).map_err(|error| malformed(&json_error(&error)))?;
    if envelope.kind != shape.kind {
        return Err(malformed(&format!("it is no {}", shape.kind)).into());
    }
    if envelope.items.is_none() {
        return Err(malformed("it has no items").into());
    }
    Ok((envelope.metadata.next, read))
}

/// Reads an answer to its end, and says how many bytes it had. `push` takes each part, and says how many items there were so
/// far: the answer's time begins anew for every page's worth of them, so that a large list on a slow line has the time that its
/// pages would have.
async fn read_through(
    answer: &mut Answer,
    mut push: impl FnMut(&[u8]) -> Result<u64, SplitError>,
) -> Result<u64, Obstacle> {
    let (mut read, mut pages) = (0, 0);
    while let Some(chunk) = answer.chunk().await? {
        read += chunk.len() as u64;
        let items = push(&chunk).map_err(|error| split_error(answer, &error))?;
        if items / u64::from(PAGE) > pages {
            pages = items / u64::from(PAGE);
            answer.begin_again();
        }
    }
    Ok(read)
}

/// `Some` where the field is there at all: a list without `items` is none, one with `null` is empty.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Array>, D::Error> {
    Array::deserialize(deserializer).map(Some)
}

fn split_error(answer: &Answer, error: &SplitError) -> Obstacle {
    let reason = match error {
        SplitError::Malformed(_) => Reason::Malformed,
        SplitError::Truncated => Reason::Truncated,
        SplitError::TooLarge(..) => Reason::TooLarge,
    };
    answer.unknown(reason, &error.to_string()).into()
}

// === impl Collected ===

impl<T, F: FnMut(&[u8]) -> Result<Option<T>, serde_json::Error>> Collected<T, F> {
    pub(super) fn new(read: F) -> Self {
        Self {
            items: Vec::new(),
            read,
        }
    }
}

impl<T, F: FnMut(&[u8]) -> Result<Option<T>, serde_json::Error>> Reduce for Collected<T, F> {
    fn item(&mut self, json: &[u8]) -> Result<(), String> {
        let read = (self.read)(json).map_err(|error| format!("an item: {}", json_error(&error)))?;
        self.items.extend(read);
        Ok(())
    }
}

// === impl Array ===

impl<'de> Deserialize<'de> for Array {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ArrayVisitor;
        impl<'de> Visitor<'de> for ArrayVisitor {
            type Value = Array;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array or null")
            }
            fn visit_unit<E>(self) -> Result<Array, E> {
                Ok(Array)
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<Array, A::Error> {
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Array)
            }
        }
        deserializer.deserialize_any(ArrayVisitor)
    }
}
