//! Reads Helm values along the paths that the contract names, and nothing else: what a path does not lead to is skipped
//! while it is parsed, and of what it leads to only what the contract compares is kept.
//!
//! The same reader serves releases (JSON, as Helm keeps them) and values files, so that both are judged alike.

mod seed;
mod tree;

use crate::contract::{Must, Release};
use crate::evidence::{HelmValue, ValueReading, ValueSeen};
use serde::Deserializer;
use serde::de::DeserializeSeed;
use std::collections::BTreeMap;

use self::seed::Seed;
use self::tree::Node;

/// How many places a path is followed to. More than that a values file of the contract has nowhere.
const READINGS: usize = 256;
/// The longest text that is compared, in bytes. A longer one is known to be there only.
const TEXT: usize = 4 << 10;
/// Where the charts take the version of their program from.
pub(crate) const IMAGE_TAG: [&str; 2] = ["image", "tag"];

/// What is to be read of a release's values.
#[derive(Debug)]
pub struct Paths<'a> {
    root: Node<'a>,
    terms: Vec<Wanted<'a>>,
}

/// What is read at the end of one path.
#[derive(Debug)]
struct Wanted<'a> {
    path: Vec<&'a str>,
    /// Whether scalars are kept.
    compared: bool,
    words: Vec<&'a str>,
}

/// What was read so far.
#[derive(Debug)]
struct Found<'a> {
    wanted: &'a [Wanted<'a>],
    readings: Vec<Vec<ValueReading>>,
    words: Vec<BTreeMap<&'a str, bool>>,
}

// === impl Paths ===

impl<'a> Paths<'a> {
    /// The paths that the contract names for a release.
    #[must_use]
    pub fn of(release: &'a Release) -> Self {
        let mut terms: Vec<Wanted<'a>> = Vec::new();
        let mut add = |path: Vec<&'a str>, compared: bool, words: &'a [String]| {
            let words = words.iter().map(String::as_str);
            if let Some(same) = terms.iter_mut().find(|term| term.path == path) {
                same.compared |= compared;
                same.words.extend(words);
            } else {
                let words = words.collect();
                terms.push(Wanted { path, compared, words });
            }
        };
        for term in &release.value_terms {
            let path = term.path.iter().map(String::as_str).collect();
            add(path, term.must.compares(), term.must.words());
            if matches!(term.must, Must::ShowLabels { .. }) {
                add(IMAGE_TAG.to_vec(), true, &[]);
            }
        }
        let mut root = Node::default();
        for (position, term) in terms.iter().enumerate() {
            root.insert(&term.path, position);
        }
        Self { root, terms }
    }

    /// Reads values.
    ///
    /// # Errors
    /// The deserializer's own.
    pub fn read<'de, D: Deserializer<'de>>(&self, values: D) -> Result<Vec<HelmValue>, D::Error> {
        let mut found = Found::new(&self.terms);
        Seed::root(&self.root, &mut found).deserialize(values)?;
        Ok(found.into_values())
    }

    /// What is read where no values were given at all.
    #[must_use]
    pub fn nothing(&self) -> Vec<HelmValue> {
        let mut found = Found::new(&self.terms);
        self.root.missing("", &mut |position, place| {
            found.record(position, place, ValueSeen::Missing);
        });
        found.into_values()
    }
}

// === impl Found ===

impl<'a> Found<'a> {
    fn new(wanted: &'a [Wanted<'a>]) -> Self {
        let words = |wanted: &Wanted<'a>| wanted.words.iter().map(|word| (*word, false)).collect();
        Self {
            wanted,
            readings: wanted.iter().map(|_| Vec::new()).collect(),
            words: wanted.iter().map(words).collect(),
        }
    }

    fn record(&mut self, position: usize, place: &str, value: ValueSeen) {
        if let Some(readings) = self.readings.get_mut(position)
            && readings.len() < READINGS
        {
            let at = place.to_owned();
            readings.push(ValueReading { at, value });
        }
    }

    fn compares(&self, position: usize) -> bool {
        self.wanted.get(position).is_some_and(|wanted| wanted.compared)
    }

    /// Looks for the words of these paths in a text or a key.
    fn look(&mut self, within: &[usize], text: &str) {
        for position in within {
            let Some(words) = self.words.get_mut(*position) else {
                continue;
            };
            for (word, found) in words.iter_mut().filter(|(_, found)| !**found) {
                // A configuration that is given as one text has comments of its own.
                *found = text
                    .lines()
                    .any(|line| !line.trim_start().starts_with('#') && line.contains(*word));
            }
        }
    }

    fn into_values(self) -> Vec<HelmValue> {
        let read = self.wanted.iter().zip(self.readings).zip(self.words);
        read.map(|((wanted, readings), words)| HelmValue {
            path: wanted.path.iter().map(|key| (*key).to_owned()).collect(),
            readings,
            words: words
                .into_iter()
                .map(|(word, found)| (word.to_owned(), found))
                .collect(),
        })
        .collect()
    }
}

#[cfg(test)]
mod tests;
