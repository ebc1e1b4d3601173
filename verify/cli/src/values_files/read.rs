//! Reads Helm values as they lie in files, before anything is installed: `helmfile.yaml`, the values files that the
//! contract names, and the regions' files. Decides nothing.

mod document;
mod keys;

use jiff::Timestamp;
use starform_verify::contract::Contract;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::time::Instant;

pub(crate) use self::document::{Document, Node};
pub(crate) use self::keys::chart_keys;

/// The file with the sequence.
pub(crate) const HELMFILE: &str = "helmfile.yaml";
/// The directory with a file for each region.
pub(crate) const REGIONS: &str = "regions";
/// The largest file that is read. Helm keeps values in a Secret, which ends at 1 MiB.
const BOUND: u64 = 4 << 20;

/// What lies in a directory.
#[derive(Debug)]
pub struct Manifests {
    /// The directory, as it was named.
    pub(crate) directory: String,
    /// The files that were looked for, by their name below the directory.
    pub(crate) files: BTreeMap<String, FileRead>,
    /// When they were read, by this machine's clock.
    pub(crate) collected: Timestamp,
    /// How long that took, in milliseconds.
    pub(crate) took_ms: u64,
}

/// What a file came to.
#[derive(Debug)]
pub(crate) enum FileRead {
    /// It is YAML.
    Read(Document),
    /// There is none.
    Missing,
    /// It could not be read, in words.
    Unreadable(String),
    /// It is no YAML, with the place. The parser's own words may quote a password and are left out.
    Malformed(String),
}

/// Reads a directory.
///
/// # Errors
/// Where it is no directory that can be read. What is wrong with a file, the report tells.
pub fn read(directory: &Path, contract: &Contract) -> io::Result<Manifests> {
    let begun = Instant::now();
    let collected = Timestamp::now();
    // That it is one, and can be read.
    fs::read_dir(directory)?;
    let mut names = vec![HELMFILE.to_owned()];
    let releases = contract.steps.iter().flat_map(|step| &step.releases);
    names.extend(releases.map(|release| release.values.clone()));
    names.extend(regions(&directory.join(REGIONS))?);
    let files = names.into_iter().map(|name| {
        let read = read_file(&directory.join(&name));
        (name, read)
    });
    Ok(Manifests {
        directory: directory.display().to_string(),
        files: files.collect(),
        collected,
        took_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
    })
}

/// The names of the regions' files.
fn regions(directory: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let is_yaml = Path::new(&name)
            .extension()
            .is_some_and(|extension| extension == "yaml" || extension == "yml");
        if is_yaml {
            names.push(format!("{REGIONS}/{name}"));
        }
    }
    Ok(names)
}

fn read_file(path: &Path) -> FileRead {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(BOUND + 1).read_to_string(&mut text));
    match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => FileRead::Missing,
        Err(error) => FileRead::Unreadable(error.to_string()),
        Ok(_) if text.len() as u64 > BOUND => FileRead::Unreadable(format!("it is larger than {BOUND} bytes")),
        Ok(_) => match Document::parse(&text) {
            Ok(document) => FileRead::Read(document),
            Err(place) => FileRead::Malformed(place),
        },
    }
}
