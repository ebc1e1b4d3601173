//! Which package stands on which; and what README says of the packages that were asked for: where each is used, or what stands
//! in its place.

use crate::sources::{root, rust_files};
use std::fs;
use std::path::Path;

/// Those that were asked for, in the order in which they were.
const ASKED_FOR: [&str; 9] = [
    "kube",
    "tokio",
    "hyper",
    "prometheus-parse",
    "serde",
    "reqwest",
    "tracing",
    "clap",
    "backoff",
];
/// What stands in the place of one of them.
const IN_PLACE: [(&str, &str); 1] = [("backoff", "backon")];

/// The crates whose examples nobody would try.
const WITHOUT_EXAMPLES: [&str; 4] = ["agent", "verify/cli", "testdata", "tests"];

/// The packages that stand beside the command line or below it.
const OTHERS: [&str; 5] = ["agent", "verify", "verify/exposition", "testdata", "tests"];
/// What only the command line is made of. The agent has a command line too, and logs, by some of it.
const OF_THE_COMMAND_LINE: [&str; 11] = [
    "anstream",
    "anstyle",
    "clap",
    "clap_complete",
    "clap_mangen",
    "indicatif",
    "quick-junit",
    "strsim",
    "terminal_size",
    "tracing-subscriber",
    "unicode-width",
];

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// What a package depends on, its tests left out.
fn dependencies(folder: &str) -> Vec<String> {
    let manifest = read(&format!("{folder}/Cargo.toml"));
    let (_, section) = manifest.split_once("\n[dependencies]\n").expect("dependencies");
    let lines = section.lines().take_while(|line| !line.starts_with('['));
    let names = lines.filter_map(|line| line.split(['.', ' ', '=']).next());
    names
        .filter(|name| !name.is_empty() && !name.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

/// The rows of the table: a package, and what is said of it.
fn rows() -> Vec<(String, String)> {
    let readme = read("README.md");
    let (_, section) = readme
        .split_once("## The packages that were asked for\n")
        .expect("the section");
    let (section, _) = section.split_once("\n## ").expect("another section");
    let lines = section.lines().filter(|line| line.starts_with("| "));
    let cells = lines.map(|line| line.trim_matches('|').split_once('|').expect("two cells"));
    let rows = cells.map(|(package, text)| (package.trim().to_owned(), text.trim().to_owned()));
    rows.skip(1).collect()
}

/// What stands between backquotes.
fn paths(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn no_package_but_its_own_tests_stands_on_the_command_line() {
    for folder in OTHERS {
        let found = dependencies(folder);
        assert!(found.len() > 1, "{folder}: {found:?}");
        assert!(!found.contains(&"starform-verify-cli".to_owned()), "{folder}");
        for path in rust_files(&root().join(folder).join("src")) {
            let text = fs::read_to_string(&path).unwrap();
            assert!(!text.contains("starform_verify_cli"), "{}", path.display());
        }
    }
    assert!(dependencies("verify/cli").contains(&"starform-verify".to_owned()));
}

#[test]
fn the_library_needs_nothing_of_a_command_line() {
    for folder in ["verify", "verify/exposition"] {
        let found = dependencies(folder);
        let wrong: Vec<&String> = (found.iter())
            .filter(|name| OF_THE_COMMAND_LINE.contains(&name.as_str()))
            .collect();
        assert!(wrong.is_empty(), "{folder}: {wrong:?}");
    }
    let own = dependencies("verify/cli");
    for name in OF_THE_COMMAND_LINE {
        assert!(own.contains(&name.to_owned()), "{name} is not the command line's");
    }
}

#[test]
fn each_has_a_row() {
    let packages: Vec<String> = rows().into_iter().map(|(package, _)| package).collect();
    assert_eq!(packages, ASKED_FOR);
}

fn is_source(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "rs")
}

#[test]
fn each_file_that_a_row_names_uses_the_package() {
    for (package, text) in rows() {
        let instead = IN_PLACE.iter().find(|(asked, _)| *asked == package);
        let used = instead.map_or(package.as_str(), |(_, used)| used);
        assert!(text.contains(used) || used == package, "{package}: {used} is not named");
        let name = used.replace('-', "_");
        let files: Vec<&str> = paths(&text).into_iter().filter(|path| is_source(path)).collect();
        assert!(!files.is_empty(), "{package} is used nowhere");
        for file in files {
            let source = read(file);
            let mentions = [format!("{name}::"), format!("use {name};")];
            assert!(
                mentions.iter().any(|one| source.contains(one.as_str())),
                "{file} does not use {used}"
            );
        }
        for folder in paths(&text).into_iter().filter(|path| path.ends_with('/')) {
            assert!(root().join(folder).is_dir(), "{folder} is not there");
        }
    }
}

#[test]
fn what_a_row_says_is_not_used_is_in_no_binary_of_ours() {
    let lock = read("Cargo.lock");
    assert!(!lock.contains("name = \"backoff\""));
    assert!(lock.contains("name = \"backon\""));
    for folder in ["verify", "verify/exposition", "verify/cli", "agent"] {
        let shipped = dependencies(folder);
        assert!(!shipped.contains(&"prometheus-parse".to_owned()), "{folder}");
    }
}

#[test]
fn what_stands_in_the_place_of_backoff_is_what_kube_uses() {
    let lock = read("Cargo.lock");
    let (_, kube) = lock.split_once("name = \"kube-runtime\"").expect("kube's runtime");
    let (kube, _) = kube.split_once("\n]\n").expect("its dependencies");
    assert!(kube.contains("\"backon\""), "{kube}");
}

#[test]
fn where_no_example_is_tried_there_is_none() {
    for folder in WITHOUT_EXAMPLES {
        assert!(
            read(&format!("{folder}/Cargo.toml")).contains("doctest = false"),
            "{folder}"
        );
        for path in rust_files(&root().join(folder).join("src")) {
            let text = fs::read_to_string(&path).unwrap();
            assert!(!text.contains("~~~"), "{}: another kind of example", path.display());
            let marks = text.lines().map(str::trim).filter_map(|line| {
                let comment = line.strip_prefix("//!").or_else(|| line.strip_prefix("///"))?;
                comment.trim().strip_prefix("```")
            });
            // Each second one ends what the one before it has begun.
            let mut begun = marks.step_by(2);
            let example = begun.find(|kind| !["text", "console"].contains(kind));
            assert_eq!(example, None, "{}", path.display());
        }
    }
}
