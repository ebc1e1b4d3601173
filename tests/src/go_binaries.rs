//! Compiles the tool modules, once per version, into the cache.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::recipes::{Needed, RECIPES, Recipe};
use crate::{images, paths, programs, standins, steps};

/// Compiles what is missing of all that is needed for it; then the images made of that.
pub(crate) fn build(needed: Needed) -> Result<()> {
    build_these(|recipe| recipe.needed <= needed)
}

/// The same of what every cluster needs, and of one recipe more.
pub(crate) fn build_with(more: &Recipe) -> Result<()> {
    build_these(|recipe| recipe.needed == Needed::Cluster || recipe.folder == more.folder)
}

fn build_these(wanted: impl Fn(&Recipe) -> bool) -> Result<()> {
    let cache = paths::cache();
    fs::create_dir_all(&cache).with_context(|| format!("{} cannot be created", cache.display()))?;
    // Two checkouts may share a cache; the second waits here and then finds everything made.
    let lock = fs::File::create(cache.join("lock")).context("the cache's lock cannot be created")?;
    lock.lock().context("the cache's lock cannot be taken")?;
    for recipe in RECIPES.iter().filter(|recipe| wanted(recipe)) {
        compile(&cache, recipe)?;
    }
    programs::build(&cache)?;
    standins::build(&cache)?;
    images::build(&cache)
}

/// Compiles what one recipe says, if it is missing: for what only some tests need.
pub(crate) fn ensure(recipe: &Recipe) -> Result<()> {
    let cache = paths::cache();
    fs::create_dir_all(&cache).with_context(|| format!("{} cannot be created", cache.display()))?;
    let lock = fs::File::create(cache.join("lock")).context("the cache's lock cannot be created")?;
    lock.lock().context("the cache's lock cannot be taken")?;
    compile(&cache, recipe)
}

/// The folder in the cache that holds a recipe's binaries.
pub(crate) fn folder(cache: &Path, recipe: &Recipe) -> Result<PathBuf> {
    let version = recipe.version()?;
    let name = recipe.folder;
    let versioned = name.ends_with(version.trim_start_matches('v'));
    Ok(if versioned {
        cache.join(name)
    } else {
        cache.join(format!("{name}-{}", version.trim_start_matches('v')))
    })
}

/// One binary of the default versions, such as `kubelet`.
pub(crate) fn binary(name: &str) -> Result<PathBuf> {
    let cache = paths::cache();
    let (default, others): (Vec<_>, Vec<_>) = RECIPES.iter().partition(|recipe| recipe.needed == Needed::Cluster);
    for recipe in default.into_iter().chain(others) {
        let path = folder(&cache, recipe)?.join(name);
        if path.exists() {
            return Ok(path);
        }
    }
    bail!(
        "the cache {} holds no `{name}`: run `cargo run -p testbed -- build`",
        cache.display()
    )
}

fn compile(cache: &Path, recipe: &Recipe) -> Result<()> {
    let version = recipe.version()?;
    let module = paths::tests("tools").join(recipe.folder);
    let flags = recipe.linker_flags(&version);
    let sums = module.join("go.sum");
    let pins = fs::read_to_string(&sums).with_context(|| format!("{} cannot be read", sums.display()))?;
    let sources = sources(&module)?;
    let stamp = format!("{flags}\n{}\n{pins}{sources}", recipe.packages.join("\n"));
    let out = folder(cache, recipe)?;
    if fs::read_to_string(out.join("recipe")).is_ok_and(|made| made == stamp) {
        return Ok(());
    }
    let what = format!("{} {version}", recipe.folder);
    steps::announce(format_args!(
        "compiling {what} (about {} s on two cores when cold)",
        recipe.seconds
    ));
    steps::step(format_args!("{what} compiled"), || {
        let partial = cache.join(format!("{}.partial", recipe.folder));
        let _ = fs::remove_dir_all(&partial);
        fs::create_dir_all(&partial)?;
        compile_packages(&module, &flags, &partial, recipe.packages, &what)?;
        fs::write(partial.join("recipe"), &stamp)?;
        let _ = fs::remove_dir_all(&out);
        fs::rename(&partial, &out).with_context(|| format!("{} cannot be moved into place", partial.display()))
    })
}

/// What the Go files of a module say, where it has some of its own.
fn sources(module: &Path) -> Result<String> {
    let mut files: Vec<PathBuf> = fs::read_dir(module)
        .with_context(|| format!("{} cannot be listed", module.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "go"))
        .collect();
    files.sort();
    let read = |file: PathBuf| fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()));
    files.into_iter().map(read).collect()
}

/// Compiles packages of a module into a folder, as static binaries.
pub(crate) fn compile_packages(module: &Path, flags: &str, out: &Path, packages: &[&str], what: &str) -> Result<()> {
    let mut command = Command::new("go");
    command
        .current_dir(module)
        .env("CGO_ENABLED", "0")
        .env("GOFLAGS", "-mod=readonly -buildvcs=false")
        .args(["build", "-trimpath", "-ldflags", flags, "-o"])
        .arg(format!("{}/", out.display()))
        .args(packages);
    go(&mut command, what).map(drop)
}

/// Runs the Go command; when it fails, the error carries the end of what it said and what to do about it.
fn go(command: &mut Command, what: &str) -> Result<String> {
    let tried = format!("{command:?}");
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => bail!("{what}: `go` cannot be started ({error}): install Go 1.26 or later and put it on PATH"),
    };
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<_> = said
        .lines()
        .filter(|line| !line.starts_with("go: downloading"))
        .collect();
    let end = lines[lines.len().saturating_sub(30)..].join("\n  ");
    let hint = if said.contains("is not available") || said.contains("Forbidden") || said.contains("Not Found") {
        "the Go module proxy does not serve that version: pin another one in go.mod"
    } else if said.contains("dial tcp") || said.contains("timeout") {
        "the Go module proxy cannot be reached: check GOPROXY and the network, then run it again"
    } else if said.contains("No space left") || said.contains("no space left") {
        "the disk is full: free some 10 GB, for instance with `go clean -cache`"
    } else {
        "run that command in that folder by hand; what was compiled so far is kept"
    };
    bail!(
        "{what} was not compiled.\n  tried: {tried}\n  in: {:?}\n  {end}\n  to do: {hint}",
        command.get_current_dir()
    )
}

/// The folder of a module's source in Go's module cache, downloaded if need be: two charts come from there.
pub(crate) fn module_source(recipe: &Recipe, module: &str) -> Result<PathBuf> {
    let mut command = Command::new("go");
    command
        .current_dir(paths::tests("tools").join(recipe.folder))
        .env("GOFLAGS", "-mod=readonly")
        .args(["list", "-m", "-f", "{{.Dir}}", module]);
    let dir = go(&mut command, &format!("the source of {module}"))?;
    Ok(PathBuf::from(dir.trim()))
}
