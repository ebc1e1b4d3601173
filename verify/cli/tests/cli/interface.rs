//! What is public of the library, something outside of it names: the agent, the command line, what tests are made of, the
//! testbed, or the library's own tests. Else it stands in what such an item is made of, as the parts of evidence do. That all of
//! it is documented, and none of it hidden in a private module, lints see to.
//!
//! It goes by names: what shares its name with something else is overlooked. To find that too, put `#[deprecated]` on each public
//! item: the compiler then tells of every use.

use crate::sources::{root, rust_files};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Whose code counts as outside.
const OUTSIDE: [&str; 7] = [
    "agent",
    "testdata",
    "tests/src",
    "tests/tests",
    "tests/examples",
    "verify/cli",
    "verify/tests",
];
/// What begins a public item, before its name.
const KINDS: [&str; 9] = [
    "pub fn ",
    "pub async fn ",
    "pub const fn ",
    "pub struct ",
    "pub enum ",
    "pub trait ",
    "pub type ",
    "pub const ",
    "pub static ",
];

/// A public item of the library.
#[derive(Debug)]
struct Item {
    name: String,
    /// What of it is public too: a function's arguments and result, a type's variants and public fields.
    names: BTreeSet<String>,
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.filter(|word| !word.is_empty())
}

/// A file without comments, and without the tests at its end.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// What follows the kind of a public item that begins in a line.
fn behind_kind(line: &str) -> Option<&str> {
    KINDS.iter().find_map(|kind| line.trim_start().strip_prefix(kind))
}

fn items(code: &str) -> Vec<Item> {
    let lines: Vec<&str> = code.lines().collect();
    let found = lines.iter().enumerate().filter_map(|(at, line)| {
        let name = words(behind_kind(line)?).next()?.to_owned();
        let indent = line.len() - line.trim_start().len();
        let is_type = line.contains("pub struct ") || line.contains("pub enum ");
        let ends = |line: &&str| {
            if is_type {
                line.trim_end() == format!("{:indent$}}}", "") || line.ends_with(';') || line.ends_with(" {}")
            } else {
                line.ends_with(['{', ';', '}'])
            }
        };
        let length = lines[at..].iter().position(ends).unwrap_or_default();
        let shown = lines[at..=at + length].iter().enumerate().filter(|(number, part)| {
            // A field that is not public shows nothing.
            *number == 0 || !line.contains("pub struct ") || part.trim_start().starts_with("pub ")
        });
        let shown: String = shown.flat_map(|(_, part)| [*part, "\n"]).collect();
        let names = words(&shown).filter(|word| *word != name).map(str::to_owned);
        Some(Item {
            names: names.collect(),
            name,
        })
    });
    found.collect()
}

#[test]
fn nothing_is_public_that_nobody_outside_needs() {
    let mut outside: BTreeSet<String> = BTreeSet::new();
    for folder in OUTSIDE {
        for path in rust_files(&root().join(folder)) {
            outside.extend(words(&code(&path)).map(str::to_owned));
        }
    }
    let files = rust_files(&root().join("verify/src"));
    let items: Vec<Item> = files.iter().flat_map(|path| items(&code(path))).collect();
    assert!(items.len() > 200, "only {} public items", items.len());
    let shown: BTreeSet<&str> = items
        .iter()
        .flat_map(|item| item.names.iter().map(String::as_str))
        .collect();
    let unused: Vec<&str> = items
        .iter()
        .map(|item| item.name.as_str())
        .filter(|name| !outside.contains(*name) && !shown.contains(name))
        .collect();
    assert_eq!(unused, [] as [&str; 0], "make them `pub(crate)`");
}

#[test]
fn an_item_shows_what_it_is_made_of() {
    let items = items(
        "pub struct Seen<'a> {\n    pub first: One,\n    second: &'a Two,\n}\n\n    pub fn told(\n        self,\n        by: Three,\n    ) -> Four {\n        five()\n    }\n\
         pub(crate) fn hidden() {}\npub enum Kind {\n    Of(Six),\n}\npub const MOST: usize = 7;",
    );
    let names: Vec<&str> = items.iter().map(|item| item.name.as_str()).collect();
    assert_eq!(names, ["Seen", "told", "Kind", "MOST"]);
    let shows = |item: usize, name: &str| items[item].names.contains(name);
    assert!(shows(0, "One") && !shows(0, "Two"));
    assert!(shows(1, "Three") && shows(1, "Four") && !shows(1, "five"));
    assert!(shows(2, "Six"));
}
