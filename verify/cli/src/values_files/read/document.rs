//! A YAML document in which every value knows its line.

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_saphyr::Spanned;
use starform_verify::contract::push_key;
use std::fmt;

/// A document.
#[derive(Debug)]
pub(crate) struct Document {
    /// Its outermost value.
    pub(crate) root: Node,
}

/// A value.
#[derive(Debug)]
pub(crate) enum Node {
    /// `null`, or nothing.
    Null,
    /// A scalar.
    Scalar(Value),
    /// A list; each item with its line.
    List(Vec<(u64, Self)>),
    /// A map; each key with its value's line.
    Map(Vec<(String, u64, Self)>),
}

// === impl Document ===

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// The place at which it is no YAML: `line 3, column 7`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match serde_saphyr::from_str::<Node>(text) {
            Ok(root) => Ok(Self { root }),
            Err(error) => Err(error.location().map_or_else(
                || "at an unknown place".to_owned(),
                |place| format!("line {}, column {}", place.line(), place.column()),
            )),
        }
    }

    /// Tells every key of every map and every item of every list: its path, its line, its value. Items go by number.
    pub(crate) fn each_key(&self, tell: &mut dyn FnMut(&[String], u64, &Node)) {
        self.root.each_key(&mut Vec::new(), tell);
    }

    /// The line of a place in words, such as `remoteWrite[0].queues`; of what is not there that of the innermost value
    /// around it, and none where that is the whole document.
    #[must_use]
    pub(crate) fn line_of(&self, place: &str) -> Option<u64> {
        self.root.line_of("", place)
    }

    /// As JSON, which is what Helm makes of it.
    #[must_use]
    pub(crate) fn json(&self) -> Value {
        self.root.json()
    }
}

// === impl Node ===

impl Node {
    fn each_key(&self, path: &mut Vec<String>, tell: &mut dyn FnMut(&[String], u64, &Self)) {
        let mut visit = |key: String, line: u64, value: &Self| {
            path.push(key);
            tell(path, line, value);
            value.each_key(path, tell);
            path.pop();
        };
        match self {
            Self::Map(entries) => {
                for (key, line, value) in entries {
                    visit(key.clone(), *line, value);
                }
            }
            Self::List(items) => {
                for (number, (line, value)) in items.iter().enumerate() {
                    visit(number.to_string(), *line, value);
                }
            }
            Self::Null | Self::Scalar(_) => {}
        }
    }

    fn line_of(&self, here: &str, wanted: &str) -> Option<u64> {
        let within = |place: &str| {
            let rest = wanted.strip_prefix(place);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let parts: Vec<(String, u64, &Self)> = match self {
            Self::Map(entries) => entries
                .iter()
                .map(|(key, line, value)| {
                    let mut place = here.to_owned();
                    push_key(&mut place, key);
                    (place, *line, value)
                })
                .collect(),
            Self::List(items) => (items.iter().enumerate())
                .map(|(number, (line, value))| (format!("{here}[{number}]"), *line, value))
                .collect(),
            Self::Null | Self::Scalar(_) => Vec::new(),
        };
        let (place, line, value) = parts.into_iter().find(|(place, ..)| within(place))?;
        Some(value.line_of(&place, wanted).unwrap_or(line))
    }

    fn json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Scalar(value) => value.clone(),
            Self::List(items) => items.iter().map(|(_, item)| item.json()).collect(),
            Self::Map(entries) => entries
                .iter()
                .map(|(key, _, value)| (key.clone(), value.json()))
                .collect(),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element::<Spanned<Node>>()? {
            list.push((item.referenced.line(), item.value));
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut map = Vec::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value::<Spanned<Node>>()?;
            map.push((key, value.referenced.line(), value.value));
        }
        Ok(Node::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_value_knows_its_line() {
        let document = Document::parse("a: 1\nb:\n  - x: true\n  - null\nc: &c {d: text}\ne: *c\n").unwrap();
        assert_eq!(
            document.json(),
            json!({"a": 1, "b": [{"x": true}, null], "c": {"d": "text"}, "e": {"d": "text"}})
        );
        let Node::Map(entries) = &document.root else {
            panic!("a map")
        };
        let lines: Vec<(&str, u64)> = entries.iter().map(|(key, line, _)| (key.as_str(), *line)).collect();
        assert_eq!(lines, [("a", 1), ("b", 3), ("c", 5), ("e", 6)]);
    }

    #[test]
    fn a_place_has_the_line_of_what_stands_there_or_around_it() {
        let document = Document::parse("a:\n  b:\n    - x: 1\n    - x: 2\n      y.z: 3\nab: 4\n").unwrap();
        for (place, line) in [
            ("a.b[1].x", Some(4)),
            ("a.b[1].\"y.z\"", Some(5)),
            ("a.b[1].missing", Some(4)),
            ("a.b[7].x", Some(3)),
            ("ab", Some(6)),
            ("nothing", None),
        ] {
            assert_eq!(document.line_of(place), line, "{place}");
        }
    }

    #[test]
    fn what_is_no_yaml_is_told_by_its_place_and_not_repeated() {
        let place = Document::parse("a: 1\nb: [hush\nc: 2\n").unwrap_err();
        assert!(
            place.starts_with("line ") && place.contains("column") && !place.contains("hush"),
            "{place}"
        );
        assert!(Document::parse("a: hush\na: hush\n").unwrap_err().starts_with("line 2"));
        assert_eq!(Document::parse("").unwrap().json(), Value::Null);
    }
}
