//! Takes the items of a list out of its JSON while it arrives.
//!
//! A list of ten thousand objects is tens of megabytes; of each object a few dozen bytes are kept. So the list is never
//! held: this finds where each item begins and ends, hands it out, and forgets it. What stands around the items is kept
//! and parsed as JSON at the end, so that both together check the whole document.

use memchr::memchr2;
use thiserror::Error;

/// The name of the array in every list of Kubernetes.
const ITEMS: &str = "items";
/// The largest item. etcd stores no object above 1.5 MiB; PodMetrics are far smaller.
const ITEM_BOUND: usize = 8 << 20;
/// The largest list without its items: kind, resourceVersion, continue.
pub(super) const ENVELOPE_BOUND: usize = 1 << 20;

/// Why a document could not be taken apart.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum SplitError {
    /// Not what a list looks like.
    #[error("{0}")]
    Malformed(String),
    /// It stopped before its end.
    #[error("it stops before its end")]
    Truncated,
    /// A part is larger than its bound.
    #[error("{0} is larger than {1} bytes")]
    TooLarge(&'static str, usize),
}

/// Receives what a [`Splitter`] finds.
pub(super) trait Reduce {
    /// One item.
    ///
    /// # Errors
    /// In words, where it is not such an item.
    fn item(&mut self, json: &[u8]) -> Result<(), String>;
}

/// Splits one document.
#[derive(Debug)]
pub(super) struct Splitter {
    place: Place,
    /// Everything but the items.
    envelope: Vec<u8>,
    /// How deep in the envelope's braces and brackets.
    depth: usize,
    /// Where in the envelope the last string that stood in the outermost object is.
    key: (usize, usize),
    /// The array was found: there is no second one.
    found: bool,
    scan: Scan,
    /// The beginning of an item that the last chunk did not end.
    carry: Vec<u8>,
    items: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Envelope,
    /// Between items; whether one, or the array's end, may come.
    Items {
        item: bool,
        comma: bool,
        end: bool,
    },
    Item,
}

/// Where in an item, or in a string of the envelope, the last byte was.
#[derive(Clone, Copy, Debug, Default)]
struct Scan {
    depth: usize,
    string: bool,
    escaped: bool,
}

// === impl Splitter ===

impl Splitter {
    /// A splitter of a document whose items are in the array [`ITEMS`] of the outermost object.
    pub(super) fn new() -> Self {
        Self {
            place: Place::Envelope,
            envelope: Vec::new(),
            depth: 0,
            key: (0, 0),
            found: false,
            scan: Scan::default(),
            carry: Vec::new(),
            items: 0,
        }
    }

    /// How many items there were.
    pub(super) fn items(&self) -> u64 {
        self.items
    }

    /// Reads on.
    pub(super) fn push(&mut self, chunk: &[u8], reduce: &mut impl Reduce) -> Result<(), SplitError> {
        let mut at = 0;
        while at < chunk.len() {
            at += match self.place {
                Place::Envelope => self.envelope(&chunk[at..])?,
                Place::Items { item, comma, end } => self.between(chunk[at], item, comma, end)?,
                Place::Item => self.item(&chunk[at..], reduce)?,
            };
        }
        Ok(())
    }

    /// What stood around the items.
    pub(super) fn finish(self) -> Result<Vec<u8>, SplitError> {
        if self.place == Place::Envelope && self.depth == 0 && !self.envelope.is_empty() {
            Ok(self.envelope)
        } else {
            Err(SplitError::Truncated)
        }
    }

    /// Reads the envelope up to where the items begin, or to the end of the chunk.
    fn envelope(&mut self, bytes: &[u8]) -> Result<usize, SplitError> {
        for (at, byte) in bytes.iter().copied().enumerate() {
            if self.envelope.is_empty() && self.depth == 0 {
                match byte {
                    b' ' | b'\n' | b'\r' | b'\t' => continue,
                    b'{' => {}
                    _ => return Err(SplitError::Malformed("it is not a JSON object".to_owned())),
                }
            }
            if self.envelope.len() >= ENVELOPE_BOUND {
                return Err(SplitError::TooLarge("what stands around its items", ENVELOPE_BOUND));
            }
            self.envelope.push(byte);
            if self.scan.string {
                if self.scan.escaped {
                    self.scan.escaped = false;
                } else if byte == b'\\' {
                    self.scan.escaped = true;
                } else if byte == b'"' {
                    self.scan.string = false;
                    self.key.1 = if self.depth == 1 {
                        self.envelope.len() - 1
                    } else {
                        self.key.1
                    };
                }
                continue;
            }
            match byte {
                b'"' => {
                    self.scan.string = true;
                    if self.depth == 1 {
                        self.key = (self.envelope.len(), self.envelope.len());
                    }
                }
                b'[' if self.depth == 1 && self.is_array() => {
                    if std::mem::replace(&mut self.found, true) {
                        return Err(SplitError::Malformed(format!("it has {ITEMS:?} twice")));
                    }
                    self.place = Place::Items {
                        item: true,
                        comma: false,
                        end: true,
                    };
                    return Ok(at + 1);
                }
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = (self.depth.checked_sub(1))
                        .ok_or_else(|| SplitError::Malformed("it closes what it did not open".to_owned()))?;
                }
                _ => {}
            }
        }
        Ok(bytes.len())
    }

    /// Whether the array that begins here is the one with the items: in the outermost object the last string before a
    /// value that is no string is that value's key.
    fn is_array(&self) -> bool {
        self.envelope.get(self.key.0..self.key.1) == Some(ITEMS.as_bytes())
    }

    fn between(&mut self, byte: u8, item: bool, comma: bool, end: bool) -> Result<usize, SplitError> {
        self.place = match byte {
            b' ' | b'\n' | b'\r' | b'\t' => return Ok(1),
            b'{' if item => {
                self.scan = Scan::default();
                self.place = Place::Item;
                // The brace is read again, as the item's first byte.
                return Ok(0);
            }
            b',' if comma => Place::Items {
                item: true,
                comma: false,
                end: false,
            },
            b']' if end => {
                self.envelope.push(byte);
                self.scan = Scan::default();
                Place::Envelope
            }
            _ => {
                return Err(SplitError::Malformed(format!("{ITEMS:?} is not an array of objects")));
            }
        };
        Ok(1)
    }

    /// Reads an item to its end, or to the end of the chunk.
    fn item(&mut self, bytes: &[u8], reduce: &mut impl Reduce) -> Result<usize, SplitError> {
        let (length, ended) = self.scan.run(bytes);
        if self.carry.len() + length > ITEM_BOUND {
            return Err(SplitError::TooLarge("one of its items", ITEM_BOUND));
        }
        let part = &bytes[..length];
        if !ended {
            self.carry.extend_from_slice(part);
            return Ok(length);
        }
        if self.carry.is_empty() {
            reduce.item(part)
        } else {
            self.carry.extend_from_slice(part);
            let read = reduce.item(&self.carry);
            self.carry.clear();
            read
        }
        .map_err(SplitError::Malformed)?;
        self.items += 1;
        self.place = Place::Items {
            item: false,
            comma: true,
            end: true,
        };
        Ok(length)
    }
}

impl Scan {
    /// How many bytes belong to the item, and whether it ends with them.
    fn run(&mut self, bytes: &[u8]) -> (usize, bool) {
        let mut at = 0;
        while at < bytes.len() {
            if self.string {
                if self.escaped {
                    self.escaped = false;
                    at += 1;
                    continue;
                }
                let Some(found) = memchr2(b'"', b'\\', &bytes[at..]) else {
                    return (bytes.len(), false);
                };
                at += found + 1;
                if bytes[at - 1] == b'"' {
                    self.string = false;
                } else {
                    self.escaped = true;
                }
                continue;
            }
            match bytes[at] {
                b'"' => self.string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    // An item begins with a brace, so that the depth is never 0 here.
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return (at + 1, true);
                    }
                }
                _ => {}
            }
            at += 1;
        }
        (bytes.len(), false)
    }
}

#[cfg(test)]
mod tests;
