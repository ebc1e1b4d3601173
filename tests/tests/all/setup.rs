//! What `tests/setup` installs is what a bare Debian with Rust lacks: every program that the testbed and the tests start
//! comes from a package that it names, and it says what it installs before it does.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const TESTS: &str = env!("CARGO_MANIFEST_DIR");

/// Every program that is started by its name, and the package that has it. Those of Debian's base system (`Essential: yes`
/// in <https://packages.debian.org>) nobody has to install: they stand with an empty name.
const PROGRAMS: [(&str, &str); 25] = [
    ("bash", ""),
    ("buildah", "buildah"),
    ("cc", "build-essential"),
    ("conntrack", "conntrack"),
    ("containerd", "containerd"),
    ("cp", ""),
    ("ctr", "containerd"),
    ("dpkg-query", ""),
    ("etcd", "etcd-server"),
    ("git", "git"),
    ("go", "golang-go"),
    ("ip", "iproute2"),
    ("iptables", "iptables"),
    ("kill", "procps"),
    ("ldd", ""),
    ("mount", "mount"),
    ("nsenter", "util-linux"),
    ("openssl", "openssl"),
    ("python3", "python3-venv"),
    ("runc", "runc"),
    ("setpriv", "util-linux"),
    ("setsid", "util-linux"),
    ("sh", ""),
    ("umount", "mount"),
    ("unshare", "util-linux"),
];
/// What is no package's: Rust itself, and what the testbed compiles.
const OTHERS: [&str; 4] = ["cargo", "helm", "kubectl", "rustc"];

/// A machine on which `apt-get` writes down what it is told, and nothing is installed but what the test says.
struct Machine {
    folder: tempfile::TempDir,
}

// === impl Machine ===

impl Machine {
    /// Every package is `status`, as dpkg has it; `go` is the version of Go, if there is one.
    fn new(user: u32, status: &str, go: Option<&str>) -> Self {
        let machine = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        machine.program("id", &format!("echo {user}"));
        machine.program("dpkg-query", &format!("printf %s '{status}'"));
        machine.program("apt-get", "echo \"apt-get $*\"; echo \"$*\" >> \"$0.log\"");
        machine.program(
            "go",
            &go.map_or("exit 127".to_owned(), |version| format!("echo {version}")),
        );
        machine
    }

    fn program(&self, name: &str, script: &str) {
        let path = self.folder.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn setup(&self) -> Output {
        let path = format!("{}:/usr/bin:/bin", self.folder.path().display());
        Command::new(Path::new(TESTS).join("setup"))
            .env("PATH", path)
            .output()
            .unwrap()
    }

    /// What apt-get was told, call by call.
    fn told(&self) -> Vec<String> {
        let log = fs::read_to_string(self.folder.path().join("apt-get.log")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What it installs where nothing is there.
fn packages() -> BTreeSet<String> {
    let output = Machine::new(1000, "", None).setup();
    let said = said(&output.stderr);
    let (_, list) = said.split_once("--no-install-recommends ").unwrap();
    list.split_whitespace().map(str::to_owned).collect()
}

/// The files of Rust below a folder.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The programs that a text starts: what stands in a literal where `before` ends.
fn started(text: &str, before: &str) -> Vec<String> {
    let calls = text.split(before).skip(1);
    let words = calls.map(|rest| {
        let literal = rest.trim_start().strip_prefix('"').unwrap_or_default();
        literal
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c))
            .collect::<String>()
    });
    words.filter(|word| !word.is_empty()).collect()
}

#[test]
fn every_program_that_is_started_comes_from_a_package_that_setup_names() {
    let packages = packages();
    let known: BTreeMap<&str, &str> = PROGRAMS.into_iter().collect();
    for (program, package) in &known {
        assert!(
            package.is_empty() || packages.contains(*package),
            "{program} is in {package}, which tests/setup does not install"
        );
    }
    let mut files = Vec::new();
    for folder in [
        "src",
        "tests",
        "examples",
        "../verify/tests",
        "../verify/cli/tests",
        "../agent/tests",
    ] {
        let folder = Path::new(TESTS).join(folder);
        if folder.exists() {
            sources(&folder, &mut files);
        }
    }
    let mut count = 0;
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for before in [
            "Command::new(",
            "network::run(",
            " run(",
            "network::run(&format!(",
            " run(&format!(",
        ] {
            for program in started(&text, before) {
                count += 1;
                assert!(
                    known.contains_key(program.as_str()) || OTHERS.contains(&program.as_str()),
                    "{} starts {program}: which package is it of?",
                    file.display()
                );
            }
        }
    }
    assert!(count > 30, "{count} programs found");
}

#[test]
#[ignore = "needs the packages of tests/setup: tests/run"]
fn here_they_are_where_the_packages_put_them() {
    for (program, package) in PROGRAMS.into_iter().filter(|(_, package)| !package.is_empty()) {
        // golang-go is not there where another Go is; python3 is what python3-venv depends on, cc what build-essential does.
        if ["python3", "cc"].contains(&program) {
            continue;
        }
        let listing = Command::new("dpkg-query")
            .args(["--listfiles", package])
            .output()
            .unwrap();
        if program == "go" && !listing.status.success() {
            continue;
        }
        assert!(listing.status.success(), "{package} is not installed");
        let files = said(&listing.stdout);
        // Debian's alternatives: iptables is a link to iptables-nft.
        let names = [format!("/{program}\n"), format!("/{program}-nft\n")];
        assert!(
            names.iter().any(|name| files.contains(name.as_str())),
            "{package} has no {program}"
        );
    }
}

#[test]
fn what_is_missing_is_said_before_it_is_installed() {
    let machine = Machine::new(0, "", None);
    // Installed, it has a Go, as Debian 13 has it.
    machine.program(
        "apt-get",
        "echo \"apt-get $*\"; echo \"$*\" >> \"$0.log\"; printf '#!/bin/sh\\necho go1.24.4\\n' > \"${0%/*}/go\"",
    );
    let output = machine.setup();
    assert!(output.status.success(), "{}", said(&output.stderr));
    let text = said(&output.stdout);
    let (before, after) = text.split_once("apt-get update").unwrap();
    for package in packages() {
        assert!(before.contains(&format!(" {package}")), "{package} is not in: {before}");
        assert!(
            after.contains(&format!(" {package}")),
            "{package} is not installed: {after}"
        );
    }
    assert_eq!(machine.told().len(), 2, "{:?}", machine.told());
}

#[test]
fn without_root_it_says_what_to_install_and_fails() {
    let machine = Machine::new(1000, "", None);
    let output = machine.setup();
    assert_eq!(output.status.code(), Some(1));
    let text = said(&output.stderr);
    assert!(
        text.contains("as root:\n  apt-get update && apt-get install --no-install-recommends build-essential"),
        "{text}"
    );
    assert_eq!(machine.told(), [] as [&str; 0]);
}

#[test]
fn where_all_is_there_it_installs_nothing_and_needs_no_root() {
    let machine = Machine::new(1000, "installed", Some("go1.26.8"));
    let output = machine.setup();
    assert!(output.status.success(), "{}", said(&output.stderr));
    assert_eq!(machine.told(), [] as [&str; 0]);
}

#[test]
fn another_go_than_debians_is_enough_if_it_fetches_toolchains() {
    for (version, enough) in [("go1.26.8", true), ("go1.21.0", true), ("go1.19.8", false)] {
        let machine = Machine::new(1000, "", Some(version));
        let text = said(&machine.setup().stderr);
        assert_eq!(!text.contains("golang-go"), enough, "{version}: {text}");
    }
}

#[test]
fn a_go_that_is_too_old_after_all_is_told_with_what_to_do() {
    let output = Machine::new(0, "installed", Some("go1.19.8")).setup();
    assert_eq!(output.status.code(), Some(1));
    let text = said(&output.stderr);
    assert!(
        text.contains("go1.19.8") && text.contains("bookworm-backports"),
        "{text}"
    );
}

#[test]
fn every_go_module_names_the_same_toolchain_so_that_one_is_fetched() {
    let mut toolchains = BTreeMap::new();
    let tools = fs::read_dir(Path::new(TESTS).join("tools")).unwrap();
    let modules = tools
        .map(|entry| entry.unwrap().path())
        .chain(["standins", "region/victoriametrics"].map(|folder| Path::new(TESTS).join(folder)));
    // One folder of tools holds a Python wheel's pin instead.
    for module in modules.map(|folder| folder.join("go.mod")).filter(|file| file.exists()) {
        let text = fs::read_to_string(&module).unwrap();
        let named = text.lines().find_map(|line| line.strip_prefix("toolchain go"));
        let named = named.unwrap_or_else(|| panic!("{} names no toolchain", module.display()));
        toolchains.insert(module, named.to_owned());
    }
    assert!(toolchains.len() > 10);
    let different: BTreeSet<&String> = toolchains.values().collect();
    assert_eq!(different.len(), 1, "{toolchains:?}");
}
