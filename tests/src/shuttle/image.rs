//! Shuttle's image, built by buildah from the Containerfile, and put on every node.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::authorities;
use crate::network::node_name;
use crate::up::NODES;
use crate::{Cluster, images, inside, paths, shared, steps};

/// As a team names it that has a registry; no registry answers here, so every node has it already.
pub const IMAGE: &str = concat!("registry.example.com/starform/shuttle:", env!("CARGO_PKG_VERSION"));
const ARCHIVE: &str = "shuttle.tar";
/// One that trusts a Starbase of the testbed too.
const TRUSTING: &str = concat!(
    "registry.example.com/starform/shuttle:",
    env!("CARGO_PKG_VERSION"),
    "-testbed"
);

/// What is built.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recipe<'a> {
    /// The image's name, with its registry.
    pub(crate) name: &'a str,
    /// An authority that it trusts besides Mozilla's, as PEM.
    pub(crate) authority: Option<&'a str>,
}

impl Cluster {
    /// Compiles Shuttle, builds its image and puts it on every node, as [`IMAGE`]. What is unchanged is not made again.
    ///
    /// # Errors
    ///
    /// When something of it fails; the error carries what the program said.
    pub fn build_shuttle_image(&self) -> Result<()> {
        self.import_shuttle(ARCHIVE, IMAGE, None)
    }

    /// The same image but for one thing: among the authorities in it is this one too, as PEM. Its name.
    ///
    /// # Errors
    ///
    /// When something of it fails; the error carries what the program said.
    pub fn build_trusting_shuttle_image(&self, authority: &str) -> Result<&'static str> {
        self.import_shuttle("shuttle-trusting.tar", TRUSTING, Some(authority))?;
        Ok(TRUSTING)
    }

    fn import_shuttle(&self, archive: &str, name: &str, authority: Option<&str>) -> Result<()> {
        let archive = home().join(archive);
        build(&Recipe { name, authority }, &archive)?;
        steps::step(format_args!("image {name} imported by every node"), || {
            let archive = archive.to_str().context("the cache's path is no UTF-8")?;
            for node in 1..=NODES {
                let words = ["ctr", "--namespace", "k8s.io", "images", "import", archive];
                inside::run_on_node(&self.state, node, &words)
                    .with_context(|| format!("{} takes no image", node_name(node)))?;
            }
            Ok(())
        })
    }
}

/// Makes the image that [`Cluster::build_shuttle_image`] puts on nodes.
pub(crate) fn prepare() -> Result<()> {
    let recipe = Recipe {
        name: IMAGE,
        authority: None,
    };
    build(&recipe, &home().join(ARCHIVE))
}

/// Writes the image as an OCI archive.
pub(crate) fn build(recipe: &Recipe<'_>, archive: &Path) -> Result<()> {
    let home = home();
    let context = home.join("context");
    fs::create_dir_all(&context).with_context(|| format!("{} cannot be created", context.display()))?;
    let lock = File::create(home.join("lock"))?;
    lock.lock().context("the image's lock cannot be taken")?;
    let parts = [
        steps::step("Shuttle compiled", compile)?,
        authorities::bundle(recipe.authority).into_bytes(),
        fs::read(containerfile()).context("the Containerfile cannot be read")?,
        recipe.name.as_bytes().to_vec(),
    ];
    let digest = images::digest(&parts.concat());
    let stamp = archive.with_extension("digest");
    if archive.exists() && fs::read_to_string(&stamp).is_ok_and(|made| made == digest) {
        return Ok(());
    }
    let [program, bundle, ..] = parts;
    fs::write(context.join("shuttle"), program)?;
    fs::set_permissions(context.join("shuttle"), fs::Permissions::from_mode(0o755))?;
    fs::write(context.join("ca-certificates.crt"), bundle)?;
    steps::step(format_args!("image {}", recipe.name), || {
        let built = bud(&home, &context, recipe.name, archive);
        // buildah's storage keeps every layer once more: nobody needs it again.
        let _ = fs::remove_dir_all(home.join("storage"));
        built
    })?;
    Ok(fs::write(stamp, digest)?)
}

/// Of this checkout: another one has another Shuttle.
fn home() -> PathBuf {
    paths::workspace().join("target/testbed/shuttle")
}

fn containerfile() -> PathBuf {
    paths::workspace().join("Containerfile")
}

/// Compiles the program as it is released: static, for FROM scratch there is no libc to load. Only the program itself is
/// told so, for its dependencies are the same either way, and compiled once with the auditor's.
fn compile() -> Result<Vec<u8>> {
    if shared::built() {
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| paths::workspace().join("target"), PathBuf::from);
        let program = target.join("release/shuttle");
        return fs::read(&program).with_context(|| format!("{} cannot be read", program.display()));
    }
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .current_dir(paths::workspace())
        .args([
            "rustc",
            "--release",
            "--locked",
            "--package=shuttle",
            "--bin=shuttle",
            "--message-format=json",
            "--",
            "-C",
            "target-feature=+crt-static",
        ])
        .stderr(Stdio::inherit());
    let output = command.output().context("cargo cannot be started")?;
    if !output.status.success() {
        bail!("shuttle does not build ({}); see above", output.status);
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let messages = said
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let mut programs = messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from));
    let program = programs.next_back().context("cargo names no program")?;
    fs::read(&program).with_context(|| format!("{} cannot be read", program.display()))
}

fn bud(home: &Path, context: &Path, name: &str, archive: &Path) -> Result<()> {
    let storage = home.join("storage");
    let buildah = |arguments: &[&str]| -> Result<()> {
        let output = Command::new("buildah")
            // The machine's own storage stays as it is; overlay within overlay does not work everywhere.
            .arg("--root")
            .arg(storage.join("root"))
            .arg("--runroot")
            .arg(storage.join("run"))
            .args(["--storage-driver", "vfs"])
            .args(arguments)
            .output()
            .context("buildah cannot be started: run tests/setup")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!(
                "`buildah {}` failed ({}): {}",
                arguments.join(" "),
                output.status,
                said.trim()
            );
        }
        Ok(())
    };
    let file = containerfile();
    let [file, context] = [file.as_path(), context].map(|path| path.to_str().context("a path is no UTF-8"));
    let [file, context] = [file?, context?];
    // Without a time of its own the image's digest is that of its content.
    buildah(&[
        "bud",
        "--isolation",
        "chroot",
        "--timestamp",
        "0",
        "--file",
        file,
        "--tag",
        name,
        context,
    ])?;
    let partial = archive.with_extension("partial");
    let _ = fs::remove_file(&partial);
    buildah(&["push", name, &format!("oci-archive:{}:{name}", partial.display())])?;
    fs::rename(&partial, archive).with_context(|| format!("{} cannot be moved into place", archive.display()))
}
