//! The small static programs of ours that containers run: the pause process of every pod, and the sample workload.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{paths, steps};

const PROGRAMS: &[&str] = &["pause", "storefront"];

/// Compiles them with rustc itself: a cargo build with other flags would compile every dependency again.
pub(crate) fn build(cache: &Path) -> Result<()> {
    for name in PROGRAMS {
        let source = paths::tests("images").join(format!("{name}.rs"));
        let text = fs::read_to_string(&source).with_context(|| format!("{} cannot be read", source.display()))?;
        let stamp = cache.join("programs").join(format!("{name}.recipe"));
        if fs::read_to_string(&stamp).is_ok_and(|made| made == text) {
            continue;
        }
        steps::step(format_args!("{name} compiled"), || {
            fs::create_dir_all(cache.join("programs"))?;
            let output = Command::new("rustc")
                .args(["--edition=2024", "-Copt-level=2", "-Cpanic=abort", "-Cstrip=symbols"])
                // FROM scratch there is no libc to load.
                .arg("-Ctarget-feature=+crt-static")
                .arg("-o")
                .arg(program(cache, name))
                .arg(&source)
                .output()
                .context("`rustc` cannot be started: is it on PATH?")?;
            if !output.status.success() {
                bail!(
                    "rustc {}: {}",
                    source.display(),
                    String::from_utf8_lossy(&output.stderr)
                );
            }
            Ok(fs::write(&stamp, &text)?)
        })?;
    }
    Ok(())
}

pub(crate) fn program(cache: &Path, name: &str) -> PathBuf {
    cache.join("programs").join(name)
}
