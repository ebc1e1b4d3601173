//! Takes the items of a list out of its protobuf while it arrives, as [`super::items`] does of JSON.
//!
//! Protobuf tells each part's length before the part, so that what is not wanted is passed over unread and a cut shows. The
//! messages of a list and of its items are declared where they are read, with the fields that are judged: the rest is skipped.
//!
//! The envelope is `runtime.Unknown` behind four bytes (`k8s.io/apimachinery`, `pkg/runtime/generated.proto` and
//! `pkg/runtime/serializer/protobuf/protobuf.go`). Its `raw` is the list: `metadata = 1`, `items = 2`, as in every list of
//! `k8s.io/api`.

use super::items::{ENVELOPE_BOUND, SplitError};
use prost::Message;
use prost::encoding::decode_varint;

/// The largest item: etcd stores no object above 1.5 MiB.
const ITEM_BOUND: usize = 2 << 20;
/// The media type.
pub(super) const MEDIA_TYPE: &str = "application/vnd.kubernetes.protobuf";

/// What every document begins with.
const MAGIC: &[u8] = b"k8s\0";

/// Fields of `runtime.Unknown`.
const TYPE_META: u32 = 1;
const RAW: u32 = 2;
const CONTENT_ENCODING: u32 = 3;
/// Fields of a list.
const LIST_META: u32 = 1;
const ITEMS: u32 = 2;

/// Receives what a [`MessageSplitter`] finds.
pub(super) trait ReduceMessages {
    /// One item.
    ///
    /// # Errors
    /// In words, where it is not such an item.
    fn message(&mut self, bytes: &[u8]) -> Result<(), String>;
}

/// What a document is.
#[derive(Clone, PartialEq, Message)]
struct TypeMeta {
    #[prost(string, tag = "1")]
    api_version: String,
    #[prost(string, tag = "2")]
    kind: String,
}

#[derive(Clone, PartialEq, Message)]
struct ListMeta {
    #[prost(string, tag = "3")]
    next: String,
}

/// A whole document.
#[derive(Clone, PartialEq, Message)]
struct Unknown {
    #[prost(message, optional, tag = "1")]
    type_meta: Option<TypeMeta>,
    #[prost(bytes = "vec", tag = "2")]
    raw: Vec<u8>,
}

/// Splits one document.
#[derive(Debug)]
pub(super) struct MessageSplitter {
    /// The kind that the document has to be of.
    kind: &'static str,
    place: Place,
    /// Whether the document has said that it is of that kind.
    told: bool,
    /// Whether the list has said of which version it is: it does so where it has no items too.
    has_meta: bool,
    /// What the last chunk began and did not end.
    carry: Vec<u8>,
    /// How long `carry` has to be before it is worth looking at.
    wanted: usize,
    items: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Magic,
    /// Between fields of the envelope; whether the list is behind.
    Envelope {
        listed: bool,
    },
    /// In the list, of which so many bytes are left.
    List {
        left: usize,
    },
}

/// What stands at the beginning of some bytes.
enum Found<'b> {
    /// A field with its payload, and how many bytes both take.
    Field { tag: u32, payload: &'b [u8], length: usize },
    /// A number, and how many bytes it takes with its key.
    Number { tag: u32, length: usize },
    /// A field whose payload is longer than what is there.
    Head { tag: u32, payload: usize, head: usize },
    /// Less than a field's beginning.
    Nothing,
}

/// The kind of a whole document, and what it holds; `None` where it is none of Kubernetes' protobuf.
pub(super) fn document(body: &[u8]) -> Option<(String, Vec<u8>)> {
    let unknown = Unknown::decode(body.strip_prefix(MAGIC)?).ok()?;
    Some((unknown.type_meta?.kind, unknown.raw))
}

// === impl MessageSplitter ===

impl MessageSplitter {
    /// A splitter of a list of that kind.
    pub(super) fn new(kind: &'static str) -> Self {
        Self {
            kind,
            place: Place::Magic,
            told: false,
            has_meta: false,
            carry: Vec::new(),
            wanted: 0,
            items: 0,
        }
    }

    /// How many items there were.
    pub(super) fn items(&self) -> u64 {
        self.items
    }

    /// Reads on.
    pub(super) fn push(&mut self, chunk: &[u8], reduce: &mut impl ReduceMessages) -> Result<(), SplitError> {
        if self.carry.is_empty() {
            let used = self.read(chunk, reduce)?;
            self.carry.extend_from_slice(&chunk[used..]);
            return Ok(());
        }
        self.carry.extend_from_slice(chunk);
        if self.carry.len() < self.wanted {
            return Ok(());
        }
        let mut bytes = std::mem::take(&mut self.carry);
        let used = self.read(&bytes, reduce)?;
        bytes.drain(..used);
        self.carry = bytes;
        Ok(())
    }

    /// That it has ended where it should.
    pub(super) fn finish(self) -> Result<(), SplitError> {
        if !self.carry.is_empty() || self.place != (Place::Envelope { listed: true }) {
            Err(SplitError::Truncated)
        } else if !self.has_meta {
            Err(malformed("it has no metadata, which every list has"))
        } else {
            Ok(())
        }
    }

    /// Reads what is whole, and says how much that was. `wanted` is then how much of the rest there has to be.
    fn read(&mut self, bytes: &[u8], reduce: &mut impl ReduceMessages) -> Result<usize, SplitError> {
        let mut at = 0;
        self.wanted = 0;
        loop {
            let rest = &bytes[at..];
            let used = match self.place {
                Place::Magic => self.magic(rest)?,
                Place::Envelope { listed } => self.envelope(rest, listed)?,
                Place::List { left: 0 } => {
                    self.place = Place::Envelope { listed: true };
                    continue;
                }
                Place::List { left } => self.list(rest, left, reduce)?,
            };
            if used == 0 {
                return Ok(at);
            }
            at += used;
        }
    }

    fn magic(&mut self, bytes: &[u8]) -> Result<usize, SplitError> {
        let there = bytes.len().min(MAGIC.len());
        if bytes[..there] != MAGIC[..there] {
            return Err(malformed("it does not begin as Kubernetes' protobuf does"));
        }
        if there < MAGIC.len() {
            return Ok(0);
        }
        self.place = Place::Envelope { listed: false };
        Ok(MAGIC.len())
    }

    /// Reads a field of the envelope, or goes on into the list.
    fn envelope(&mut self, bytes: &[u8], listed: bool) -> Result<usize, SplitError> {
        let (tag, payload, length) = match Found::at(bytes)? {
            Found::Nothing => return Ok(0),
            Found::Number {
                tag: TYPE_META..=CONTENT_ENCODING,
                ..
            } => return Err(no_protobuf()),
            Found::Number { length, .. } => return Ok(length),
            Found::Field {
                tag: RAW,
                payload,
                length,
            } => {
                return self.enter(listed, payload.len(), length - payload.len());
            }
            Found::Head {
                tag: RAW,
                payload,
                head,
            } => return self.enter(listed, payload, head),
            Found::Head { payload, head, .. } => {
                return self.wait_for(head, payload, ENVELOPE_BOUND, "what stands around its items");
            }
            Found::Field { tag, payload, length } => (tag, payload, length),
        };
        match tag {
            TYPE_META => {
                let told: TypeMeta = decoded(payload)?;
                if told.kind != self.kind {
                    return Err(malformed(&format!("it is no {}", self.kind)));
                }
                self.told = true;
            }
            CONTENT_ENCODING if !payload.is_empty() => return Err(malformed("its items are encoded once more")),
            _ => {}
        }
        Ok(length)
    }

    fn enter(&mut self, listed: bool, left: usize, head: usize) -> Result<usize, SplitError> {
        if listed {
            return Err(malformed("it holds two lists"));
        }
        if !self.told {
            return Err(malformed(&format!("it does not say that it is a {}", self.kind)));
        }
        self.place = Place::List { left };
        Ok(head)
    }

    /// Reads a field of the list.
    fn list(&mut self, bytes: &[u8], left: usize, reduce: &mut impl ReduceMessages) -> Result<usize, SplitError> {
        let bytes = &bytes[..bytes.len().min(left)];
        let beyond = || malformed("a part is longer than what holds it");
        match Found::at(bytes)? {
            // What is left of the list would not even begin a field.
            Found::Nothing if bytes.len() == left => Err(beyond()),
            Found::Nothing => Ok(0),
            Found::Number {
                tag: LIST_META..=ITEMS, ..
            } => Err(no_protobuf()),
            Found::Number { length, .. } => {
                self.place = Place::List { left: left - length };
                Ok(length)
            }
            Found::Head { payload, head, .. } if payload > left - head => Err(beyond()),
            Found::Head {
                tag: ITEMS,
                payload,
                head,
            } => self.wait_for(head, payload, ITEM_BOUND, "one of its items"),
            Found::Head { payload, head, .. } => {
                self.wait_for(head, payload, ENVELOPE_BOUND, "what stands around its items")
            }
            Found::Field { tag, payload, length } => {
                match tag {
                    ITEMS => {
                        reduce.message(payload).map_err(SplitError::Malformed)?;
                        self.items += 1;
                    }
                    LIST_META => {
                        let meta: ListMeta = decoded(payload)?;
                        self.has_meta = true;
                        if !meta.next.is_empty() {
                            return Err(malformed("it is a page, and the whole list was asked for"));
                        }
                    }
                    _ => {}
                }
                self.place = Place::List { left: left - length };
                Ok(length)
            }
        }
    }

    /// Waits for a payload whose length is known.
    fn wait_for(&mut self, head: usize, payload: usize, bound: usize, what: &'static str) -> Result<usize, SplitError> {
        if payload > bound {
            return Err(SplitError::TooLarge(what, bound));
        }
        self.wanted = head + payload;
        Ok(0)
    }
}

// === impl Found ===

impl<'b> Found<'b> {
    /// What stands at the beginning of `bytes`.
    fn at(bytes: &'b [u8]) -> Result<Self, SplitError> {
        let Some((key, key_length)) = varint(bytes)? else {
            return Ok(Self::Nothing);
        };
        let tag = u32::try_from(key >> 3).map_err(|_| no_protobuf())?;
        let rest = &bytes[key_length..];
        // The wire types (<https://protobuf.dev/programming-guides/encoding/#structure>); groups are not used.
        let number = match key & 7 {
            0 => varint(rest)?.map(|(_, length)| length),
            1 => Some(8),
            2 => return Self::with_payload(bytes, tag, key_length),
            5 => Some(4),
            _ => return Err(no_protobuf()),
        };
        Ok(match number {
            Some(number) if number <= rest.len() => Self::Number {
                tag,
                length: key_length + number,
            },
            _ => Self::Nothing,
        })
    }

    fn with_payload(bytes: &'b [u8], tag: u32, key_length: usize) -> Result<Self, SplitError> {
        let Some((payload, length)) = varint(&bytes[key_length..])? else {
            return Ok(Self::Nothing);
        };
        let payload = usize::try_from(payload).map_err(|_| no_protobuf())?;
        let head = key_length + length;
        Ok(match bytes[head..].get(..payload) {
            Some(whole) => Self::Field {
                tag,
                payload: whole,
                length: head + payload,
            },
            None => Self::Head { tag, payload, head },
        })
    }
}

/// The number at the beginning of `bytes`, and its length; `None` where it does not end there.
fn varint(bytes: &[u8]) -> Result<Option<(u64, usize)>, SplitError> {
    const LONGEST: usize = 10;
    let Some(end) = bytes.iter().take(LONGEST).position(|byte| byte & 0x80 == 0) else {
        return if bytes.len() < LONGEST {
            Ok(None)
        } else {
            Err(no_protobuf())
        };
    };
    let number = decode_varint(&mut &bytes[..=end]).map_err(|_| no_protobuf())?;
    Ok(Some((number, end + 1)))
}

fn decoded<M: Message + Default>(payload: &[u8]) -> Result<M, SplitError> {
    M::decode(payload).map_err(|_| no_protobuf())
}

fn no_protobuf() -> SplitError {
    malformed("it is not protobuf")
}

fn malformed(what: &str) -> SplitError {
    SplitError::Malformed(what.to_owned())
}

#[cfg(test)]
mod tests;
