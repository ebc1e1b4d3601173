//! Shuttle's image, built by buildah from the Containerfile, and put on every node.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::authorities;
use crate::network::node_name;
use crate::up::NODES;
use crate::{Cluster, images, inside, paths, steps};

/// As a team names it that has a registry; no registry answers here, so every node has it already.
pub const IMAGE: &str = concat!("registry.example.com/starform/shuttle:", env!("CARGO_PKG_VERSION"));
/// One that trusts a Starbase of the testbed too.
const TRUSTING: &str = concat!(
    "registry.example.com/starform/shuttle:",
    env!("CARGO_PKG_VERSION"),
    "-testbed"
);

/// What is built.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recipe<'a> {
    pub(crate) how: Build,
    /// The image's name, with its registry.
    pub(crate) name: &'a str,
    /// An authority that it trusts besides Mozilla's, as PEM.
    pub(crate) authority: Option<&'a str>,
}

/// How the program is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Build {
    /// As it is released.
    Release,
    /// Optimised, but not across crates: what link-time optimisation gains costs a test run minutes.
    Quick,
}

impl Cluster {
    /// Compiles Shuttle, builds its image and puts it on every node, as [`IMAGE`]. What is unchanged is not made again.
    ///
    /// # Errors
    ///
    /// When something of it fails; the error carries what the program said.
    pub fn build_shuttle_image(&self) -> Result<()> {
        self.import_shuttle("shuttle.tar", IMAGE, None)
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
        let how = Build::Quick;
        build(&Recipe { how, name, authority }, &archive)?;
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

/// Writes the image as an OCI archive.
pub(crate) fn build(recipe: &Recipe<'_>, archive: &Path) -> Result<()> {
    let home = home();
    let context = home.join("context");
    fs::create_dir_all(&context).with_context(|| format!("{} cannot be created", context.display()))?;
    let lock = File::create(home.join("lock"))?;
    lock.lock().context("the image's lock cannot be taken")?;
    let parts = [
        steps::step("Shuttle compiled", || compile(recipe.how))?,
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

/// Compiles the static program, in a target folder of its own: other flags would compile the workspace anew.
fn compile(how: Build) -> Result<Vec<u8>> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| paths::workspace().join("target"), PathBuf::from);
    let target = target.join("image");
    fs::create_dir_all(&target).with_context(|| format!("{} cannot be created", target.display()))?;
    // Two checkouts may share the folder, and the program in it is the last one's.
    let lock = File::create(target.join("testbed.lock"))?;
    lock.lock().context("the target folder's lock cannot be taken")?;
    let triple = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .current_dir(paths::workspace())
        .args([
            "build",
            "--release",
            "--locked",
            "--package=shuttle",
            "--bin=shuttle",
            "--message-format=json",
        ])
        .arg(format!("--target={triple}"))
        .arg("--target-dir")
        .arg(&target)
        // FROM scratch there is no libc to load.
        .env("RUSTFLAGS", "-C target-feature=+crt-static")
        // cargo's own, of the run that this may be part of.
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .stderr(Stdio::inherit());
    if how == Build::Quick {
        let lighter = ["lto=\"off\"", "codegen-units=16"].map(|setting| format!("profile.release.{setting}"));
        command.args(["--config", &lighter[0], "--config", &lighter[1]]);
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A release's image as it is deployed: a program that needs no library, an entry point, a user, authorities.
    #[test]
    fn the_image_is_one_static_program_and_the_authorities() {
        if !crate::shared::possible().unwrap() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join("shuttle.tar");
        let recipe = Recipe {
            how: Build::Quick,
            name: IMAGE,
            authority: None,
        };
        build(&recipe, &archive).unwrap();
        assert!(fs::metadata(&archive).unwrap().len() < 30_000_000);
        let unpacked = folder.path().join("image");
        tar::Archive::new(File::open(&archive).unwrap())
            .unpack(&unpacked)
            .unwrap();
        let blob = |digest: &serde_json::Value| {
            fs::read(unpacked.join("blobs").join(digest.as_str().unwrap().replace(':', "/"))).unwrap()
        };
        let json = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).unwrap();
        let index = json(&fs::read(unpacked.join("index.json")).unwrap());
        let manifest = json(&blob(&index["manifests"][0]["digest"]));
        let config = json(&blob(&manifest["config"]["digest"]));
        assert_eq!(config["config"]["User"], "65532:65532");
        assert_eq!(config["config"]["Entrypoint"], serde_json::json!(["/shuttle"]));
        let environment = config["config"]["Env"].as_array().unwrap().iter();
        let names: Vec<_> = environment.filter_map(|one| one.as_str()?.split('=').next()).collect();
        assert_eq!(
            names,
            ["PATH", "MALLOC_ARENA_MAX", "MALLOC_TRIM_THRESHOLD_"],
            "nothing that configures Shuttle"
        );
        let size: u64 = manifest["layers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|layer| layer["size"].as_u64().unwrap())
            .sum();
        assert!(size < 30_000_000, "{size} bytes");

        let context = home().join("context");
        let program = fs::read(context.join("shuttle")).unwrap();
        assert_eq!(&program[..4], b"\x7fELF");
        // PT_INTERP names the loader of a program that is not static.
        assert!(
            !program.windows(15).any(|window| window == b"/lib64/ld-linux"),
            "it needs a loader"
        );
        let bundle = fs::read_to_string(context.join("ca-certificates.crt")).unwrap();
        assert!(bundle.matches("BEGIN CERTIFICATE").count() > 100);
    }
}
