//! Imports go one way: no module imports what imports it, by whatever way round. Beside each other in a folder modules may be
//! in any order, but not in a circle; a folder counts as one. What a parent brings in for its children counts as its own.

use crate::sources::{root, rust_files};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The crates that are shipped.
const CRATES: [&str; 4] = ["verify/src", "verify/exposition/src", "verify/cli/src", "agent/src"];

/// The library's modules, each above all that it may import.
const ORDER: [&str; 11] = [
    "printable",
    "step",
    "scalar",
    "evidence",
    "checks",
    "contract",
    "flow",
    "values",
    "report",
    "collect",
    "evaluate",
];

/// A module as the names from the crate down to it.
type Module = Vec<String>;

/// What each module imports of its own crate, tests left out.
type Imports = BTreeMap<Module, BTreeSet<Module>>;

fn imports(crate_: &str) -> Imports {
    let root = root().join(crate_);
    let module = |path: &Path| -> Module {
        let inside = path.strip_prefix(&root).unwrap().with_extension("");
        let names = inside.iter().map(|name| name.to_string_lossy().into_owned());
        names.filter(|name| !["lib", "main"].contains(&name.as_str())).collect()
    };
    let texts: BTreeMap<Module, String> = rust_files(&root)
        .iter()
        .map(|path| (module(path), fs::read_to_string(path).unwrap()))
        .collect();
    let known: BTreeSet<&Module> = texts.keys().collect();
    let mut imports = Imports::new();
    for (module, text) in &texts {
        if module.iter().any(|name| is_of_tests(name)) {
            continue;
        }
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        let code = lines.collect::<Vec<_>>().join(" ");
        let mut found = BTreeSet::new();
        for path in paths(&code) {
            let mut names: Module = path.split("::").map(|name| name.trim().to_owned()).collect();
            let mut from = module.clone();
            match names[0].as_str() {
                "crate" => from.clear(),
                "self" => {}
                _ => {
                    while names.first().is_some_and(|name| name == "super") {
                        names.remove(0);
                        from.pop();
                    }
                    names.insert(0, String::new());
                }
            }
            from.extend(names.into_iter().skip(1));
            // What follows the module is a name in it.
            while !known.contains(&from) && from.pop().is_some() {}
            found.insert(from);
        }
        imports.insert(module.clone(), found);
    }
    imports
}

/// Modules that only tests have.
fn is_of_tests(name: &str) -> bool {
    ["tests", "sample", "mock", "fake"].contains(&name)
}

/// Every path from `crate`, `self` or `super` that stands in the code, those between braces one by one.
fn paths(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for root in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(root) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|before| before.is_alphanumeric() || before == '_' || before == ':') {
                continue;
            }
            found.extend(expanded(&code[at..]));
        }
    }
    found
}

/// The paths that a text begins with.
fn expanded(text: &str) -> Vec<String> {
    let end = text
        .find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':')
        .unwrap_or(text.len());
    let (path, rest) = text.split_at(end);
    let Some(list) = rest.strip_prefix('{').filter(|_| path.ends_with("::")) else {
        return vec![path.trim_end_matches(':').to_owned()];
    };
    let (mut paths, mut depth, mut begun) = (Vec::new(), 0, 0);
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' | ',' if depth == 0 => {
                let item = list[begun..at].trim();
                paths.extend(expanded(item).into_iter().map(|inner| format!("{path}{inner}")));
                begun = at + 1;
                if c == '}' {
                    break;
                }
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    paths
}

/// Between which neighbours imports go, in each folder.
fn neighbours(imports: &Imports) -> BTreeMap<Module, BTreeMap<String, BTreeSet<String>>> {
    let mut folders: BTreeMap<Module, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for (from, to) in imports
        .iter()
        .flat_map(|(from, all)| all.iter().map(move |to| (from, to)))
    {
        let same = from.iter().zip(to).take_while(|(a, b)| a == b).count();
        // What a module shares with what is in it is its own matter.
        if let (Some(a), Some(b)) = (from.get(same), to.get(same)) {
            let folder = folders.entry(from[..same].to_vec()).or_default();
            folder.entry(a.clone()).or_default().insert(b.clone());
        }
    }
    folders
}

/// A module that is reached from itself, if there is one.
fn circle(folder: &BTreeMap<String, BTreeSet<String>>) -> Option<&String> {
    folder.keys().find(|start| {
        let (mut open, mut seen) = (vec![*start], BTreeSet::new());
        while let Some(module) = open.pop() {
            for next in folder.get(module).into_iter().flatten() {
                if next == *start {
                    return true;
                }
                if seen.insert(next) {
                    open.push(next);
                }
            }
        }
        false
    })
}

#[test]
fn no_module_imports_what_imports_it() {
    for crate_ in CRATES {
        let imports = imports(crate_);
        assert!(imports.len() > 5, "{crate_}: only {} modules", imports.len());
        for (folder, modules) in neighbours(&imports) {
            let found = circle(&modules);
            assert_eq!(found, None, "{crate_} {}: {modules:#?}", folder.join("::"));
        }
    }
}

#[test]
fn the_library_s_modules_import_only_what_stands_below_them() {
    let neighbours = neighbours(&imports("verify/src"));
    let place = |module: &str| ORDER.iter().position(|other| *other == module);
    let top = &neighbours[&Module::new()];
    assert!(top.len() > 6, "{top:?}");
    for (module, imported) in top {
        let own = place(module).unwrap_or_else(|| panic!("{module} has no place in the order"));
        for below in imported {
            assert!(
                place(below).is_some_and(|below| below < own),
                "{module} imports {below}, which stands above it"
            );
        }
    }
}

#[test]
fn a_circle_is_found_and_braces_are_looked_into() {
    let of = |pairs: &[(&str, &str)]| {
        let mut folder: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (from, to) in pairs {
            folder.entry((*from).to_owned()).or_default().insert((*to).to_owned());
        }
        folder
    };
    assert_eq!(circle(&of(&[("a", "b"), ("b", "c")])), None);
    assert!(circle(&of(&[("a", "b"), ("b", "c"), ("c", "a")])).is_some());
    assert_eq!(
        paths("use super::{a, b::{self, C}, d as e}; crate::f::g(x)"),
        ["crate::f::g", "super::a", "super::b::self", "super::b::C", "super::d"]
    );
}
