//! Paths that begin alike, as a tree.

use crate::contract::{EVERY, push_key};
use std::collections::BTreeMap;

/// A key of some path.
#[derive(Debug, Default)]
pub(super) struct Node<'a> {
    /// The path that ends here.
    pub(super) end: Option<usize>,
    named: BTreeMap<&'a str, Self>,
    every: Option<Box<Self>>,
}

// === impl Node ===

impl<'a> Node<'a> {
    pub(super) fn insert(&mut self, path: &[&'a str], position: usize) {
        match path.split_first() {
            None => self.end = Some(position),
            Some((&EVERY, rest)) => self.every.get_or_insert_default().insert(rest, position),
            Some((key, rest)) => self.named.entry(key).or_default().insert(rest, position),
        }
    }

    /// Where a key of a map leads.
    pub(super) fn key(&self, key: &str) -> Option<&Self> {
        self.named.get(key).or(self.every.as_deref())
    }

    /// Whether `*` stands for that key.
    pub(super) fn is_other(&self, key: &str) -> bool {
        self.every.is_some() && !self.named.contains_key(key)
    }

    /// Where the items of a list lead.
    pub(super) fn items(&self) -> Option<&Self> {
        self.every.as_deref()
    }

    /// Tells every path that ends below, at the place where it would.
    pub(super) fn missing(&self, place: &str, tell: &mut dyn FnMut(usize, &str)) {
        self.missing_but(place, &|_| false, false, tell);
    }

    /// The same, without the named keys that were there, and without the others where there was any.
    pub(super) fn missing_but(
        &self,
        place: &str,
        was_there: &dyn Fn(&str) -> bool,
        any_other: bool,
        tell: &mut dyn FnMut(usize, &str),
    ) {
        let named = self.named.iter().filter(|(key, _)| !was_there(key));
        let named = named.map(|(key, node)| (*key, node));
        let every = self.every.as_deref().filter(|_| !any_other);
        for (key, node) in named.chain(every.map(|node| (EVERY, node))) {
            let mut place = place.to_owned();
            push_key(&mut place, key);
            if let Some(position) = node.end {
                tell(position, &place);
            }
            node.missing(&place, tell);
        }
    }
}
