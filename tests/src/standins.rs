//! The stand-ins for programs of step 4 that no package registry carries, and the tests' own store of logs: Go programs
//! of the standard library alone.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::{go_binaries, images, paths, steps};

/// A program that stands in for the one of an image.
pub(crate) struct Standin {
    /// The folder in `standins/`, and the binary's name.
    pub(crate) name: &'static str,
    /// As the charts name it.
    pub(crate) image: &'static str,
    /// Where the real program lies in it.
    pub(crate) entry: &'static str,
    /// As whom the real image runs it.
    pub(crate) user: &'static str,
}

/// Those that run in clusters.
pub(crate) const STANDINS: [Standin; 4] = [
    Standin {
        name: "fluent-bit",
        image: "cr.fluentbit.io/fluent/fluent-bit:5.1.1",
        entry: "fluent-bit/bin/fluent-bit",
        user: "0:0",
    },
    Standin {
        name: "alloy",
        image: "docker.io/grafana/alloy:v1.18.1",
        entry: "bin/alloy",
        user: "0:0",
    },
    Standin {
        name: "alloy-operator",
        image: "ghcr.io/grafana/alloy-operator:1.11.1",
        entry: "manager",
        user: "1001:0",
    },
    Standin {
        name: "toolbox",
        image: "ghcr.io/grafana/helm-chart-toolbox-kubectl:0.1.2",
        entry: "toolbox",
        user: "4242:4242",
    },
];

const LOG_SINK: &str = "log-sink";

/// One compiled stand-in.
pub(crate) fn binary(cache: &Path, name: &str) -> PathBuf {
    cache.join("standins").join(name)
}

/// The store of logs that tests run.
pub(crate) fn log_sink() -> PathBuf {
    binary(&paths::cache(), LOG_SINK)
}

/// Compiles them if a source has changed.
pub(crate) fn build(cache: &Path) -> Result<()> {
    let module = paths::tests("standins");
    let out = cache.join("standins");
    let digest = images::digest(&sources(&module)?);
    let stamp = out.join("recipe");
    if fs::read_to_string(&stamp).is_ok_and(|made| made == digest) {
        return Ok(());
    }
    steps::step("stand-ins compiled", || {
        fs::create_dir_all(&out)?;
        let names = STANDINS.iter().map(|standin| standin.name).chain([LOG_SINK]);
        let packages: Vec<_> = names.map(|name| format!("./{name}")).collect();
        let packages: Vec<_> = packages.iter().map(String::as_str).collect();
        go_binaries::compile_packages(&module, "-s -w", &out, &packages, "the stand-ins")?;
        Ok(fs::write(&stamp, digest)?)
    })
}

/// Everything that is compiled, in one.
fn sources(module: &Path) -> Result<Vec<u8>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(module).with_context(|| format!("{} cannot be read", module.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            for inner in fs::read_dir(&path)? {
                files.push(inner?.path());
            }
        } else {
            files.push(path);
        }
    }
    files.sort();
    let mut all = Vec::new();
    for file in files {
        all.extend(file.display().to_string().into_bytes());
        all.extend(fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?);
    }
    Ok(all)
}
