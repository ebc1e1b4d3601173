//! The files of the mounted Secret.

use super::{ClusterId, Parameters, Region, Token};
use secrecy::zeroize::Zeroizing;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// How large a file may be.
const BOUND: usize = 8 * 1_024;
/// kubelet puts the files into a folder of their own and swaps this link to it, so that all change at once.
/// Source: kubernetes `pkg/volume/util/atomic_writer.go`.
const LINK: &str = "..data";

/// Why the parameters cannot be read. Names the file and never its content.
#[derive(Debug, thiserror::Error)]
#[error(
    "{file}: {problem}; the Secret `shuttle` in the namespace `starform-system` has to have the keys cluster-id, region \
     and token",
    file = file.display()
)]
pub struct ParametersError {
    /// Which file.
    pub file: PathBuf,
    /// What is wrong with it.
    #[source]
    pub problem: Problem,
}

/// What is wrong with a parameter.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The file cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(io::Error),
    /// Nothing but a line's end.
    #[error("it is empty")]
    Empty,
    /// Larger than any parameter.
    #[error("it has {bytes} bytes or more, and {limit} are allowed")]
    TooLong {
        /// How many were seen.
        bytes: usize,
        /// How many may be.
        limit: usize,
    },
    /// Not UTF-8.
    #[error("it is not text")]
    NotText,
    /// Not the value of a label.
    #[error(
        "it cannot be a label's value: up to 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends"
    )]
    NotALabelValue,
    /// Something that cannot stand in an HTTP header.
    #[error(
        "it holds a character at byte {position} that is no visible ASCII: a space, or a line's end in the middle?"
    )]
    NotAToken {
        /// Where.
        position: usize,
    },
}

/// Reads the three files of a folder: `cluster-id`, `region` and `token`. One line's end behind each is left out. Where
/// the folder is a mounted Secret, all three are of the same version of it.
///
/// # Errors
/// Where one cannot be read or is not what it should be.
pub fn read(folder: &Path) -> Result<Parameters, ParametersError> {
    // Resolved once: a swap in between cannot mix two versions.
    let version = folder.join(LINK).canonicalize().unwrap_or_else(|_| folder.to_owned());
    Ok(Parameters {
        cluster_id: one(folder, &version, "cluster-id", ClusterId::new)?,
        region: one(folder, &version, "region", Region::new)?,
        token: one(folder, &version, "token", Token::new)?,
    })
}

fn one<T>(
    folder: &Path,
    version: &Path,
    name: &str,
    parse: impl FnOnce(&str) -> Result<T, Problem>,
) -> Result<T, ParametersError> {
    content(&version.join(name))
        .and_then(|bytes| {
            let text = std::str::from_utf8(&bytes).map_err(|_| Problem::NotText)?;
            let text = text.strip_suffix('\n').unwrap_or(text);
            parse(text.strip_suffix('\r').unwrap_or(text))
        })
        .map_err(|problem| ParametersError {
            file: folder.join(name),
            problem,
        })
}

/// Wiped when dropped, and never moved by growing: no copy of the token stays behind.
fn content(file: &Path) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let mut bytes = Zeroizing::new(vec![0; BOUND + 1]);
    let mut open = File::open(file).map_err(Problem::Unreadable)?;
    let mut length = 0;
    while let Some(rest) = bytes.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match open.read(rest) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Problem::Unreadable(error)),
        }
    }
    if length > BOUND {
        return Err(Problem::TooLong {
            bytes: length,
            limit: BOUND,
        });
    }
    bytes.truncate(length);
    Ok(bytes)
}
