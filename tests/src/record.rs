//! Makes the recordings again that the auditor's tests replay: one evidence file per scenario, and raw scrapes of every
//! version of kube-state-metrics.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail};

use crate::components::{self, LABEL_KEYS, Versions, allow_list};
use crate::https::Client;
use crate::paths::{self, State};
use crate::recipes::RECIPES;
use crate::scenarios::Scenario;
use crate::{broken, go_binaries, healthy, inside, shared, shown, steps};

/// The exit codes with which an audit that ran ends: conforms, fails, unknown.
const AUDITED: [i32; 3] = [0, 3, 5];

/// The auditor's evidence, one file per scenario.
pub(crate) fn evidence(state: &State, scenarios: &[Scenario]) -> Result<()> {
    let auditor = auditor()?;
    let folder = paths::workspace().join("testdata/evidence");
    fs::create_dir_all(&folder)?;
    for scenario in scenarios {
        broken::break_(state, *scenario)?;
        let file = folder.join(format!("{}.json", scenario.name()));
        steps::step(format_args!("{} recorded", file.display()), || {
            let auditor = auditor.to_str().context("the target directory's path is no UTF-8")?;
            let file = file.to_str().context("the workspace's path is no UTF-8")?;
            // The steps that a scenario is about: Shuttle is in none of them.
            let mut words = vec![auditor, "audit", "--step", "1,3", "--record", file];
            if *scenario == Scenario::Healthy {
                // A cluster that has just come up is too young to be judged.
                words.extend(["--wait", "120s"]);
            }
            let output = inside::output(state, &words)?;
            if output.status.code().is_none_or(|code| !AUDITED.contains(&code)) {
                bail!(
                    "`{}` failed ({}): {}",
                    words.join(" "),
                    output.status,
                    String::from_utf8_lossy(&output.stderr).trim()
                );
            }
            Ok(())
        })?;
    }
    broken::mend(state)
}

/// The auditor of this workspace, as the tests have it; built, unless it is known to be.
///
/// # Errors
///
/// When it does not build.
pub fn auditor() -> Result<PathBuf> {
    static BUILT: Mutex<Option<PathBuf>> = Mutex::new(None);
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if built.is_none() {
        *built = Some(if shared::built() {
            shared::program()?.with_file_name("starform-verify")
        } else {
            // One package alone would be compiled with other features than by `cargo test --workspace`, and its dependencies
            // with it; so would programs without what examples depend on.
            build_auditor(&["--workspace", "--bins", "--examples"])?
        });
    }
    built.clone().context("the auditor was built")
}

/// Runs `cargo build` with these arguments, and returns the auditor that it has built.
pub(crate) fn build_auditor(arguments: &[&str]) -> Result<PathBuf> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(paths::workspace())
        .args(["build", "--message-format=json"])
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()
        .context("cargo cannot be started")?;
    let said = String::from_utf8_lossy(&output.stdout);
    let messages = said
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let mut binaries = messages
        .filter(|message| message["target"]["name"] == "starform-verify" && message["profile"]["test"] == false);
    let binary = binaries.find_map(|message| message["executable"].as_str().map(PathBuf::from));
    if !output.status.success() {
        bail!("the auditor does not build: run `cargo build {}`", arguments.join(" "));
    }
    binary.context("cargo built no binary `starform-verify`")
}

/// What each compiled version of kube-state-metrics says of the pods, in both formats.
pub(crate) fn scrapes(state: &State) -> Result<()> {
    let folder = paths::workspace().join("testdata/exposition");
    fs::create_dir_all(&folder)?;
    let all_labels = allow_list(&LABEL_KEYS);
    for recipe in RECIPES {
        let Some(version) = recipe.folder.strip_prefix("kube-state-metrics-") else {
            continue;
        };
        if !go_binaries::folder(&paths::cache(), recipe)?
            .join("kube-state-metrics")
            .exists()
        {
            continue;
        }
        steps::step(format_args!("kube-state-metrics {version} scraped"), || {
            components::kube_state_metrics(state, version, &["--set-json", &all_labels, "--wait"])?;
            healthy::until(state, "one process", 60, healthy::no_pod_is_leaving)?;
            healthy::until(state, "all labels", 60, healthy::labels_flow)?;
            for (extension, accept) in [
                ("om", "application/openmetrics-text; version=1.0.0"),
                ("txt", "text/plain; version=0.0.4"),
            ] {
                let file = folder.join(format!("kube-state-metrics-{version}.{extension}"));
                fs::write(&file, scrape(state, accept)?)
                    .with_context(|| format!("{} cannot be written", file.display()))?;
            }
            Ok(())
        })?;
    }
    let versions = Versions::of(state)?;
    components::kube_state_metrics(state, &versions.kube_state_metrics, &["--wait"])?;
    shown::wait(state, Scenario::Healthy)
}

fn scrape(state: &State, accept: &str) -> Result<Vec<u8>> {
    inside::within(state, || {
        let answer = Client::api_server(state)?.request("GET", healthy::SCRAPE, &[("Accept", accept)], b"")?;
        if answer.status != 200 {
            bail!("GET {}: HTTP {}", healthy::SCRAPE, answer.status);
        }
        Ok(answer.body)
    })
}
