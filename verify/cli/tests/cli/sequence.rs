//! The install sequence is one: in the contract, in `manifests/helm/helmfile.yaml`, and as `starform-verify plan` does it.

use serde::Deserialize;
use starform_verify::contract::{Action, Contract, Entry};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The ID and the region that the plan is made for.
const CLUSTER: &str = "007";
const REGION: &str = "fra1";

#[derive(Deserialize)]
struct Helmfile {
    repositories: Vec<Repository>,
    #[serde(rename = "helmDefaults")]
    defaults: Defaults,
    releases: Vec<Release>,
}

#[derive(Deserialize)]
struct Repository {
    name: String,
    url: String,
}

#[derive(Deserialize)]
struct Defaults {
    wait: bool,
    timeout: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Release {
    name: String,
    namespace: String,
    chart: String,
    version: String,
    #[serde(default)]
    needs: Vec<String>,
    values: Vec<String>,
    #[serde(default)]
    values_template: Vec<serde_json::Value>,
    #[serde(default)]
    hooks: Vec<Hook>,
}

#[derive(Deserialize)]
struct Hook {
    events: Vec<String>,
    command: String,
    args: Vec<String>,
}

fn manifests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../manifests")
        .canonicalize()
        .unwrap()
}

fn helmfile() -> Helmfile {
    serde_saphyr::from_str(&fs::read_to_string(manifests().join("helm/helmfile.yaml")).unwrap()).unwrap()
}

fn words<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).into()
}

/// A path beside `helmfile.yaml`, from the manifests.
fn from_manifests(path: &str) -> String {
    let path = path.strip_prefix("./").unwrap_or(path);
    path.strip_prefix("../")
        .map_or_else(|| format!("helm/{path}"), str::to_owned)
}

/// What is typed, in order; that a Secret has to be there is one line each, however it is looked for.
fn of_contract(contract: &Contract) -> Vec<Vec<String>> {
    let minutes = |duration: jiff::SignedDuration| format!("{}m", duration.as_mins());
    let mut typed: Vec<Vec<String>> = Vec::new();
    for (alias, url) in contract.repositories() {
        typed.push(words(["helm", "repo", "add", alias, url]));
    }
    for (_, entries) in contract.sequence() {
        for entry in entries {
            typed.push(match entry {
                Entry::Action(Action::Apply(path)) => words(["kubectl", "apply", "--filename", &from_manifests(path)]),
                Entry::Action(Action::GatewayApiCrds(release)) => {
                    let release = contract.release(release).unwrap();
                    words(["helm/gateway-api-crds", &release.chart, &release.version])
                }
                Entry::Action(Action::Secret(secret)) => words(["secret", &secret.namespace, &secret.name]),
                Entry::Release(release) => {
                    let mut command = words([
                        "helm",
                        "upgrade",
                        "--install",
                        &release.name,
                        &release.chart,
                        "--version",
                        &release.version,
                        "--namespace",
                        &release.namespace,
                        "--values",
                        &from_manifests(&release.values),
                    ]);
                    if release.per_cluster {
                        let name = format!("cluster.name={CLUSTER}");
                        command.extend(words(["--values", "helm/regions/fra1.yaml", "--set-string", &name]));
                    }
                    command.extend(words(["--wait", "--timeout", &minutes(contract.install.helm_timeout)]));
                    command
                }
                Entry::Gate(steps) => {
                    let steps: Vec<&str> = steps.iter().map(|step| step.as_str()).collect();
                    words([
                        "starform-verify",
                        "--step",
                        &steps.join(","),
                        "--wait",
                        &minutes(contract.install.gate_wait),
                    ])
                }
            });
        }
    }
    typed
}

fn of_helmfile(helmfile: &Helmfile) -> Vec<Vec<String>> {
    let mut typed: Vec<Vec<String>> = Vec::new();
    for repository in &helmfile.repositories {
        typed.push(words(["helm", "repo", "add", &repository.name, &repository.url]));
    }
    let rendered = |text: &str| {
        text.replace("{{ requiredEnv \"STARFORM_REGION\" }}", REGION)
            .replace("{{ requiredEnv \"STARFORM_CLUSTER_ID\" }}", CLUSTER)
    };
    for release in &helmfile.releases {
        let hooks = |event: &str| {
            let of_event = release
                .hooks
                .iter()
                .filter(|hook| hook.events.iter().any(|other| other == event));
            of_event.flat_map(of_hook).collect::<Vec<_>>()
        };
        typed.extend(hooks("presync"));
        let mut command = words([
            "helm",
            "upgrade",
            "--install",
            &release.name,
            &release.chart,
            "--version",
            &release.version,
            "--namespace",
            &release.namespace,
        ]);
        for values in &release.values {
            command.extend(words(["--values", &from_manifests(&rendered(values))]));
        }
        for values in &release.values_template {
            // An inline string is what --set-string gives.
            let name = rendered(values["cluster"]["name"].as_str().unwrap());
            assert_eq!(values.as_object().unwrap().len(), 1);
            command.extend(words(["--set-string", &format!("cluster.name={name}")]));
        }
        assert!(helmfile.defaults.wait);
        let minutes = format!("{}m", helmfile.defaults.timeout / 60);
        command.extend(words(["--wait", "--timeout", &minutes]));
        typed.push(command);
        typed.extend(hooks("postsync"));
    }
    typed
}

fn of_hook(hook: &Hook) -> Vec<Vec<String>> {
    let args: Vec<&str> = hook.args.iter().map(String::as_str).collect();
    match (hook.command.as_str(), args.as_slice()) {
        (
            "kubectl",
            [
                "get",
                "secret",
                names @ ..,
                "--namespace",
                namespace,
                "--output",
                "name",
            ],
        ) => names.iter().map(|name| words(["secret", namespace, name])).collect(),
        ("kubectl", ["apply", "--filename", path]) => {
            vec![words(["kubectl", "apply", "--filename", &from_manifests(path)])]
        }
        (command, args) => {
            let command = if command.starts_with("./") {
                from_manifests(command)
            } else {
                command.to_owned()
            };
            vec![
                std::iter::once(command)
                    .chain(args.iter().map(|arg| (*arg).to_owned()))
                    .collect(),
            ]
        }
    }
}

/// Writes a program that only notes how it was called.
fn program(directory: &Path, name: &str, more: &str) {
    let path = directory.join(name);
    let script = format!("#!/bin/bash\n{{ printf '%s\\x1f' \"{name}\" \"$@\"; echo; }} >> \"$CALLS\"\n{more}\n");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn plan(manifests: &Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_starform-verify"))
        .args(["plan", "--cluster-id", CLUSTER, "--region", REGION, "--manifests"])
        .arg(manifests)
        .env_remove("STARFORM_VERIFY_CONTRACT")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

struct Ran {
    success: bool,
    stdout: String,
    stderr: String,
    typed: Vec<Vec<String>>,
}

/// The Secrets of the contract, each with its namespace.
const SECRETS: [(&str, &str); 3] = [
    ("telemetry", "telemetry-stores"),
    ("telemetry", "grafana-cloud"),
    ("starform-system", "shuttle"),
];

/// A kubectl that has the Secrets of a folder, key by key, and notes what it is given for one.
const KUBECTL: &str = r#"
case "$1 $2" in
'get secret')
  secret="$SECRETS/$5/$3"
  test -e "$secret" || exit 0
  case "${!#}" in
  name) echo "secret/$3" ;;
  go-template=*'"cluster-id"'*base64decode*) cat "$secret/cluster-id" ;;
  jsonpath=*) key=${!#}; key=${key#'jsonpath={.data.'}; key=${key%'}'}; base64 -w0 "$secret/${key//\\}" ;;
  esac ;;
'patch secret') cat "${!#}" >> "$CALLS.patch"; echo >> "$CALLS.patch" ;;
esac
for arg; do case $arg in --from-file=*=/dev/fd/*) cat "${arg##*=}" >> "$CALLS.secret";; esac; done
"#;

/// Puts a Secret there that the plan finds: of this cluster, and every file of it "hush".
fn hold(scratch: &Path, namespace: &str, name: &str) {
    let secret = scratch.join("secrets").join(namespace).join(name);
    fs::create_dir_all(&secret).unwrap();
    for (key, value) in [
        ("cluster-id", CLUSTER),
        ("region", REGION),
        ("ca.crt", "hush\n"),
        ("fluent-bit-password", "hush"),
        ("vmagent-password", "hush"),
        ("metrics-username", "hush"),
        ("logs-username", "hush"),
        ("token", "hush"),
    ] {
        fs::write(secret.join(key), value).unwrap();
    }
}

fn hold_all(scratch: &Path) {
    for (namespace, name) in SECRETS {
        hold(scratch, namespace, name);
    }
}

/// What the Secrets that are there were given, in order.
fn patches(scratch: &Path) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(scratch.join("calls.patch")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The variables that name the files of Secrets, each naming this file.
fn all_files(file: &Path) -> Vec<(String, PathBuf)> {
    let script = plan(Path::new("manifests"));
    let names = script.lines().filter_map(|line| line.split_once("=${"));
    names.map(|(name, _)| (name.to_owned(), file.to_owned())).collect()
}

/// Runs the plan with programs that only note how they were called.
fn run(scratch: &Path, environment: &[(String, PathBuf)]) -> Ran {
    let root = scratch.join("a directory");
    let bin = scratch.join("bin");
    fs::create_dir_all(root.join("helm/regions")).unwrap();
    fs::create_dir_all(&bin).unwrap();
    fs::write(root.join("helm/regions/fra1.yaml"), "region: fra1\n").unwrap();
    program(&bin, "kubectl", KUBECTL);
    for name in ["helm", "starform-verify"] {
        program(&bin, name, "");
    }
    program(&root.join("helm"), "gateway-api-crds", "");
    let calls = scratch.join("calls");
    fs::write(&calls, "").unwrap();
    let script = scratch.join("plan.sh");
    fs::write(&script, plan(&root)).unwrap();
    let path = format!("{}:/usr/bin:/bin", bin.display());
    let mut bash = Command::new("bash");
    bash.arg(&script).env_clear().env("PATH", path).env("CALLS", &calls);
    bash.env("SECRETS", scratch.join("secrets"));
    for (name, file) in environment {
        bash.env(name, file);
    }
    let output = bash.output().unwrap();
    let strip = format!("{}/", root.display());
    let typed = fs::read_to_string(&calls).unwrap();
    let typed = typed.lines().map(|line| {
        line.trim_end_matches('\x1f')
            .split('\x1f')
            .map(|word| word.replace(&strip, ""))
            .collect()
    });
    Ran {
        success: output.status.success(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
        typed: typed.collect(),
    }
}

/// Runs as of the contract: without what only looks, and Secrets in one line.
fn comparable(typed: Vec<Vec<String>>) -> Vec<Vec<String>> {
    typed
        .into_iter()
        .filter(|call| *call != words(["helm", "repo", "update"]))
        // Of what looks at Secrets, whether one is there.
        .filter(|call| {
            let looks = call.iter().any(|word| word == "get") && call[0] == "kubectl";
            !looks || call.last().is_some_and(|word| word == "name")
        })
        .map(|call| {
            let text: Vec<&str> = call.iter().map(String::as_str).collect();
            match text.as_slice() {
                ["kubectl", "get", "secret", name, "--namespace", namespace, ..] => words(["secret", namespace, name]),
                ["gateway-api-crds", chart, version] => words(["helm/gateway-api-crds", chart, version]),
                _ => call,
            }
        })
        .collect()
}

#[test]
fn helmfile_does_what_the_contract_says() {
    let helmfile = helmfile();
    // The namespace of a Secret is applied in the plan; with Helmfile whoever makes the Secret has made it.
    let mut expected = of_contract(&Contract::embedded().unwrap());
    expected.retain(|call| !call.last().is_some_and(|path| path.ends_with("00-namespace.yaml")));
    assert_eq!(of_helmfile(&helmfile), expected);
}

#[test]
fn every_release_of_helmfile_needs_the_one_before_it() {
    let helmfile = helmfile();
    for pair in helmfile.releases.windows(2) {
        let before = format!("{}/{}", pair[0].namespace, pair[0].name);
        assert_eq!(pair[1].needs, [before], "{}", pair[1].name);
    }
    assert!(helmfile.releases[0].needs.is_empty());
}

#[test]
fn the_plan_does_what_the_contract_says() {
    let scratch = tempfile::TempDir::new().unwrap();
    hold_all(scratch.path());
    let ran = run(scratch.path(), &[]);
    assert!(ran.success, "{}", ran.stderr);
    let mut expected = of_contract(&Contract::embedded().unwrap());
    // The final audit of all.
    expected.push(words(["starform-verify"]));
    assert_eq!(comparable(ran.typed), expected);
}

#[test]
fn secrets_are_made_of_files_and_of_the_cluster_s_parameters() {
    let scratch = tempfile::TempDir::new().unwrap();
    let file = scratch.path().join("a file");
    fs::write(&file, "hush\n").unwrap();
    let environment = all_files(&file);
    assert_eq!(environment.len(), 7, "{environment:?}");
    let ran = run(scratch.path(), &environment);
    assert!(ran.success, "{}", ran.stderr);
    let made: Vec<&Vec<String>> = ran
        .typed
        .iter()
        .filter(|call| call.get(1).is_some_and(|word| word == "create"))
        .collect();
    assert_eq!(made.len(), 3);
    assert_eq!(
        made[0][..7],
        words([
            "kubectl",
            "create",
            "secret",
            "generic",
            "telemetry-stores",
            "--namespace",
            "telemetry"
        ])
    );
    assert_eq!(made[0][7], format!("--from-file=ca.crt={}", file.display()));
    assert!(
        made[2].contains(&format!("--from-literal=cluster-id={CLUSTER}"))
            && made[2].contains(&"--from-literal=region=fra1".to_owned())
    );
    // Without the line's end, and never in an argument.
    let secrets = fs::read_to_string(scratch.path().join("calls.secret")).unwrap();
    assert_eq!(secrets, "hush".repeat(6));
    assert!(!ran.typed.iter().flatten().any(|word| word.contains("hush")));
}

#[test]
fn a_secret_that_holds_what_is_given_is_left_alone() {
    let scratch = tempfile::TempDir::new().unwrap();
    hold_all(scratch.path());
    let file = scratch.path().join("a file");
    fs::write(&file, "hush\n").unwrap();
    let ran = run(scratch.path(), &all_files(&file));
    assert!(ran.success, "{}", ran.stderr);
    assert_eq!(patches(scratch.path()), Vec::<serde_json::Value>::new());
    assert_eq!(ran.stderr, "");
}

#[test]
fn a_secret_is_given_what_differs_and_nothing_of_it_is_shown() {
    let scratch = tempfile::TempDir::new().unwrap();
    hold_all(scratch.path());
    let shuttle = scratch.path().join("secrets/starform-system/shuttle");
    fs::write(shuttle.join("region"), "nyc3").unwrap();
    let file = scratch.path().join("a file");
    fs::write(&file, "quiet\n").unwrap();
    let given = |name: &str| {
        let mut files = all_files(&file);
        files.retain(|(variable, _)| variable == name);
        files
    };
    let token = "cXVpZXQ=";
    let ran = run(scratch.path(), &given("SHUTTLE_TOKEN"));
    assert!(ran.success, "{}", ran.stderr);
    let expected = [
        serde_json::json!({"data": {"region": "ZnJhMQ=="}}),
        serde_json::json!({"data": {"token": token}}),
    ];
    assert_eq!(patches(scratch.path()), expected);
    assert!(
        ran.stderr
            .contains("Key token of Secret shuttle in namespace starform-system held something else"),
        "{}",
        ran.stderr
    );
    let shown = ran.typed.iter().flatten().chain([&ran.stderr, &ran.stdout]);
    for text in shown {
        assert!(!text.contains("quiet") && !text.contains(token), "{text}");
    }
    fs::write(shuttle.join("region"), REGION).unwrap();
    fs::remove_file(scratch.path().join("calls.patch")).unwrap();

    // The other Secrets alike; a certificate as it is, with its line's end.
    let ran = run(scratch.path(), &given("TELEMETRY_STORES_CA_CRT"));
    assert!(ran.success, "{}", ran.stderr);
    let expected = [serde_json::json!({"data": {"ca.crt": "cXVpZXQK"}})];
    assert_eq!(patches(scratch.path()), expected);
}

#[test]
fn another_cluster_id_is_refused_before_anything_is_changed() {
    let scratch = tempfile::TempDir::new().unwrap();
    hold_all(scratch.path());
    let shuttle = scratch.path().join("secrets/starform-system/shuttle");
    fs::write(shuttle.join("cluster-id"), "other\u{1b}[2J").unwrap();
    let file = scratch.path().join("a file");
    fs::write(&file, "quiet\n").unwrap();
    let ran = run(scratch.path(), &all_files(&file));
    assert!(!ran.success);
    for part in [
        "says that this cluster is $'other\\E[2J', not 007",
        "kubectl config current-context",
        "kubectl --namespace starform-system delete secret shuttle",
    ] {
        assert!(ran.stderr.contains(part), "{}", ran.stderr);
    }
    assert_eq!(patches(scratch.path()), Vec::<serde_json::Value>::new());
    assert!(
        ran.typed.iter().all(|call| call[..2] == ["kubectl", "get"]),
        "{:?}",
        ran.typed
    );
}

#[test]
fn a_file_that_cannot_be_read_ends_the_plan_though_the_secret_is_there() {
    let scratch = tempfile::TempDir::new().unwrap();
    hold_all(scratch.path());
    let missing = scratch.path().join("missing");
    let ran = run(scratch.path(), &[("SHUTTLE_TOKEN".to_owned(), missing)]);
    assert!(!ran.success);
    assert!(
        ran.stderr
            .contains("SHUTTLE_TOKEN names no file: key token of Secret shuttle"),
        "{}",
        ran.stderr
    );
    assert_eq!(patches(scratch.path()), Vec::<serde_json::Value>::new());
}

#[test]
fn a_secret_that_cannot_be_made_ends_the_plan_before_its_step() {
    let scratch = tempfile::TempDir::new().unwrap();
    let ran = run(scratch.path(), &[]);
    assert!(!ran.success);
    assert!(
        ran.stderr
            .contains("TELEMETRY_STORES_CA_CRT names no file: key ca.crt of Secret telemetry-stores"),
        "{}",
        ran.stderr
    );
    assert!(
        !ran.typed
            .iter()
            .flatten()
            .any(|word| word == "fluent-bit" || word == "create")
    );
}

#[test]
fn the_plan_is_shell_that_holds_any_name() {
    for directory in ["manifests", "it's \"a\" $(dir)", "/a b/", "../x;y"] {
        let script = plan(Path::new(directory));
        let check = |program: &str, arguments: &[&str]| {
            let scratch = tempfile::NamedTempFile::new().unwrap();
            fs::write(scratch.path(), &script).unwrap();
            Command::new(program).args(arguments).arg(scratch.path()).output()
        };
        let output = check("bash", &["-n"]).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        if let Ok(output) = check("shellcheck", &["--shell=bash", "--exclude=SC2016"]) {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        }
    }
}
