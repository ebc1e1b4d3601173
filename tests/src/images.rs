//! Images: one static binary each, written as OCI archives under the names that the charts use, so that the charts run
//! unchanged and nothing is ever pulled.
//!
//! The format is <https://github.com/opencontainers/image-spec/blob/main/image-layout.md>.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use aws_lc_rs::digest::{SHA256, digest as sum};
use serde_json::{Value, json};

use crate::network::node_name;
use crate::paths::{self, State};
use crate::recipes::RECIPES;
use crate::standins::{STANDINS, Standin};
use crate::up::NODES;
use crate::{go_binaries, inside, programs, standins, steps};

/// One image: its full name, and the binary that is all it holds.
pub(crate) struct Image {
    pub(crate) name: String,
    binary: PathBuf,
    /// Where the binary lies in it, without the first slash.
    entry: String,
    user: &'static str,
}

/// As in most of the real images; the charts name users of their own where they differ.
const NOBODY: &str = "65534:65534";

impl Image {
    /// One whose binary lies at its top, under its own name.
    fn plain(name: String, binary: PathBuf) -> Self {
        let entry = binary.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self {
            name,
            binary,
            entry,
            user: NOBODY,
        }
    }

    /// One of a stand-in, where a chart's command looks for it.
    fn standin(cache: &Path, standin: &Standin) -> Self {
        Self {
            name: standin.image.to_owned(),
            binary: standins::binary(cache, standin.name),
            entry: standin.entry.to_owned(),
            user: standin.user,
        }
    }

    fn archive(&self, cache: &Path) -> PathBuf {
        cache
            .join("images")
            .join(format!("{}.tar", self.name.replace(['/', ':'], "_")))
    }
}

/// The name of the pause image, for containerd's configuration.
pub(crate) const PAUSE: &str = "docker.io/library/pause:local";

/// Every image whose binary is in the cache, the ones that every node needs first.
pub(crate) fn images(cache: &Path) -> Result<Vec<Image>> {
    let mut images = vec![
        Image::plain(PAUSE.to_owned(), programs::program(cache, "pause")),
        Image::plain(
            "docker.io/starform/storefront:1".to_owned(),
            programs::program(cache, "storefront"),
        ),
    ];
    images.extend(STANDINS.iter().map(|standin| Image::standin(cache, standin)));
    for recipe in RECIPES {
        let version = recipe.version()?;
        let folder = go_binaries::folder(cache, recipe)?;
        for (binary, repository) in [
            ("coredns", "registry.k8s.io/coredns/coredns"),
            ("metrics-server", "registry.k8s.io/metrics-server/metrics-server"),
            (
                "kube-state-metrics",
                "registry.k8s.io/kube-state-metrics/kube-state-metrics",
            ),
            ("vmagent", "docker.io/victoriametrics/vmagent"),
        ] {
            let binary = folder.join(binary);
            if binary.exists() {
                images.push(Image::plain(format!("{repository}:{version}"), binary));
            }
        }
    }
    Ok(images)
}

/// What a running node has to import to have all images: archives with when they were made.
pub(crate) fn made(cache: &Path) -> Result<Vec<(PathBuf, i64)>> {
    let archives = archives(cache)?.into_iter();
    archives
        .map(|archive| {
            let made = fs::metadata(&archive).with_context(|| format!("{} is missing", archive.display()))?;
            let when = made.mtime();
            Ok((archive, when))
        })
        .collect()
}

/// The file of a cluster's state that says which archives its nodes have imported: what `made` returned.
pub(crate) const IMPORTED: &str = "images.json";

/// A cluster that came up before an image was made, or made anew, imports it.
pub(crate) fn import(state: &State) -> Result<()> {
    let made = made(&paths::cache())?;
    let stamp = state.path(IMPORTED);
    let imported: Vec<(PathBuf, i64)> = fs::read(&stamp)
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or_default();
    for (archive, _) in made.iter().filter(|one| !imported.contains(one)) {
        let path = archive.to_str().context("the cache's path is no UTF-8")?;
        for node in 1..=NODES {
            inside::run_on_node(state, node, &["ctr", "--namespace", "k8s.io", "images", "import", path])
                .with_context(|| format!("{} takes no image", node_name(node)))?;
        }
    }
    Ok(fs::write(stamp, serde_json::to_vec(&made)?)?)
}

/// The archives that the nodes import.
pub(crate) fn archives(cache: &Path) -> Result<Vec<PathBuf>> {
    Ok(images(cache)?.iter().map(|image| image.archive(cache)).collect())
}

/// Writes the archives that are missing or older than their binary.
pub(crate) fn build(cache: &Path) -> Result<()> {
    fs::create_dir_all(cache.join("images"))?;
    for image in images(cache)? {
        let archive = image.archive(cache);
        let binary = fs::metadata(&image.binary)
            .with_context(|| format!("{}: its binary {} is missing", image.name, image.binary.display()))?;
        if fs::metadata(&archive).is_ok_and(|made| made.mtime() >= binary.mtime()) {
            continue;
        }
        steps::step(format_args!("image {}", image.name), || {
            let partial = archive.with_extension("partial");
            write(&image, &partial).with_context(|| format!("{} cannot be written", partial.display()))?;
            Ok(fs::rename(&partial, &archive)?)
        })?;
    }
    Ok(())
}

fn write(image: &Image, archive: &Path) -> Result<()> {
    let config = json!({ "Entrypoint": [format!("/{}", image.entry)], "User": image.user });
    let bytes = fs::read(&image.binary)?;
    assemble(
        &image.name,
        [(image.entry.as_str(), 0o755, bytes.as_slice())],
        &config,
        archive,
    )
}

/// Writes an image of one layer: its files by path, mode and content, and how its containers run.
pub(crate) fn assemble<'file>(
    name: &str,
    files: impl IntoIterator<Item = (&'file str, u32, &'file [u8])>,
    config: &Value,
    archive: &Path,
) -> Result<()> {
    let mut layer = tar::Builder::new(Vec::new());
    for (path, mode, bytes) in files {
        append(&mut layer, path, mode, bytes)?;
    }
    let layer = layer.into_inner()?;
    let layer_digest = digest(&layer);
    let config = serde_json::to_vec(&json!({
        "architecture": if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" },
        "os": "linux",
        "config": config,
        "rootfs": { "type": "layers", "diff_ids": [layer_digest] },
    }))?;
    let manifest = serde_json::to_vec(&json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar", &layer)],
    }))?;
    let mut top = descriptor("application/vnd.oci.image.manifest.v1+json", &manifest);
    // What containerd's import reads the image's name of.
    top["annotations"] = json!({ "io.containerd.image.name": name });
    let index = serde_json::to_vec(&json!({ "schemaVersion": 2, "manifests": [top] }))?;

    let mut out = tar::Builder::new(File::create(archive)?);
    append(&mut out, "oci-layout", 0o644, br#"{"imageLayoutVersion":"1.0.0"}"#)?;
    append(&mut out, "index.json", 0o644, &index)?;
    for blob in [&manifest, &config, &layer] {
        append(
            &mut out,
            &format!("blobs/{}", digest(blob).replace(':', "/")),
            0o644,
            blob,
        )?;
    }
    Ok(out.into_inner()?.flush()?)
}

fn append(archive: &mut tar::Builder<impl Write>, name: &str, mode: u32, bytes: &[u8]) -> Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    header.set_mode(mode);
    Ok(archive.append_data(&mut header, name, bytes)?)
}

fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": digest(bytes), "size": bytes.len() })
}

pub(crate) fn digest(bytes: &[u8]) -> String {
    use std::fmt::Write;
    sum(&SHA256, bytes)
        .as_ref()
        .iter()
        .fold(String::from("sha256:"), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}
