//! Follows paths through a document while it is parsed.

use super::tree::Node;
use super::{Found, TEXT};
use crate::contract::{Scalar, push_key};
use crate::evidence::ValueSeen;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeSet;
use std::fmt;

/// What is done with one value of the document.
pub(super) struct Seed<'s, 'a> {
    /// Where in the tree of paths it stands; `None` where no path leads on.
    node: Option<&'s Node<'a>>,
    /// The path whose list this is an item of: its scalars are readings too.
    item_of: Option<usize>,
    /// The paths that lead here or further up, whose words are looked for.
    within: Vec<usize>,
    place: String,
    found: &'s mut Found<'a>,
}

// === impl Seed ===

impl<'s, 'a> Seed<'s, 'a> {
    pub(super) fn root(node: &'s Node<'a>, found: &'s mut Found<'a>) -> Self {
        Self {
            node: Some(node),
            item_of: None,
            within: Vec::new(),
            place: String::new(),
            found,
        }
    }

    fn end(&self) -> Option<usize> {
        self.node.and_then(|node| node.end)
    }

    /// Whether nothing is wanted of this value or of anything in it.
    fn is_idle(&self) -> bool {
        self.node.is_none() && self.item_of.is_none() && self.within.is_empty()
    }

    /// A value that has no parts.
    fn leaf(self, value: ValueSeen) {
        let end = self.end().or(self.item_of);
        let Self { node, place, found, .. } = self;
        if let Some(position) = end {
            let is_known = matches!(value, ValueSeen::Null | ValueSeen::Empty) || found.compares(position);
            found.record(position, &place, if is_known { value } else { ValueSeen::Hidden });
        }
        // Where a map or a list should be, nothing of it is there.
        if let Some(node) = node {
            node.missing(&place, &mut |position, place| {
                found.record(position, place, ValueSeen::Missing);
            });
        }
    }

    fn scalar(self, scalar: Scalar) {
        self.leaf(ValueSeen::Scalar(scalar));
    }

    fn text(self, text: &str) {
        let within = self.looked_within();
        self.found.look(&within, text);
        if text.is_empty() {
            self.leaf(ValueSeen::Empty);
        } else if text.len() > TEXT {
            self.leaf(ValueSeen::Hidden);
        } else {
            self.scalar(Scalar::Text(text.to_owned()));
        }
    }

    /// The paths whose words are looked for in this value.
    fn looked_within(&self) -> Vec<usize> {
        self.within.iter().copied().chain(self.end()).collect()
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.is_idle() {
            return deserializer.deserialize_ignored_any(IgnoredAny).map(|_| ());
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("values")
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.scalar(Scalar::Bool(value));
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.scalar(Scalar::Number(value));
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        let scalar = i64::try_from(value).map_or_else(|_| Scalar::Text(value.to_string()), Scalar::Number);
        self.scalar(scalar);
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.scalar(Scalar::Text(value.to_string()));
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.text(value);
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.leaf(ValueSeen::Null);
        Ok(())
    }

    fn visit_none<E>(self) -> Result<(), E> {
        self.leaf(ValueSeen::Null);
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let within = self.looked_within();
        let end = self.end();
        let inner = self.node.and_then(Node::items);
        let mut count = 0usize;
        loop {
            let item = Seed {
                node: inner,
                item_of: end,
                within: within.clone(),
                place: format!("{}[{count}]", self.place),
                found: &mut *self.found,
            };
            if items.next_element_seed(item)?.is_none() {
                break;
            }
            count += 1;
        }
        if let Some(position) = end {
            let value = if count == 0 { ValueSeen::Empty } else { ValueSeen::List };
            self.found.record(position, &self.place, value);
        }
        let (found, place) = (self.found, &self.place);
        if let Some(node) = self.node {
            node.missing_but(place, &|_| false, count > 0, &mut |position, place| {
                found.record(position, place, ValueSeen::Missing);
            });
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let within = self.looked_within();
        let mut there = BTreeSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            self.found.look(&within, &key);
            let mut place = self.place.clone();
            push_key(&mut place, &key);
            entries.next_value_seed(Seed {
                node: self.node.and_then(|node| node.key(&key)),
                item_of: None,
                within: within.clone(),
                place,
                found: &mut *self.found,
            })?;
            there.insert(key);
        }
        if let Some(position) = self.end() {
            let value = if there.is_empty() {
                ValueSeen::Empty
            } else {
                ValueSeen::Map
            };
            self.found.record(position, &self.place, value);
        }
        let (found, place) = (self.found, &self.place);
        if let Some(node) = self.node {
            let any_other = there.iter().any(|key| node.is_other(key));
            node.missing_but(place, &|key| there.contains(key), any_other, &mut |position, place| {
                found.record(position, place, ValueSeen::Missing);
            });
        }
        Ok(())
    }
}
