//! A scrape: a page in one of the exposition formats, read row by row while it arrives.

use super::access::Cluster;
use super::get::Get;
use super::obstacle::{Obstacle, unknown};
use super::status::bounded;
use crate::evidence::Reason;
use http::header;
use starform_exposition::{Format, Limits, Reader, Row, Selection, Summary};
use std::time::Duration;

/// What a page has to be.
pub(super) struct Page<'a> {
    pub(super) selection: Selection<'a>,
    /// The largest body, in bytes.
    pub(super) bound: u64,
    /// The format that a content type names, where it is one in which this page is served.
    pub(super) format: fn(&str) -> Option<Format>,
}

/// A page that was read to its end.
pub(super) struct Read {
    pub(super) format: Format,
    pub(super) summary: Summary,
    /// How long it took to begin.
    pub(super) head_after: Duration,
}

/// Reads one to its end. `push` gets each row that is selected; what it refuses, in words, is too large. Whether the page is whole is
/// the caller's to ask: see [`Read::whole`].
pub(super) async fn read(
    cluster: &Cluster<'_>,
    get: &Get,
    page: Page<'_>,
    mut push: impl FnMut(&Row<'_>) -> Result<(), String>,
) -> Result<Read, Obstacle> {
    let mut answer = cluster.send(get, page.bound).await?;
    let head_after = answer.head_after();
    let content_type = answer.header(header::CONTENT_TYPE).unwrap_or_default();
    let Some(format) = (page.format)(content_type) else {
        let message = bounded(&format!(
            "its content type is {content_type:?}, which is no exposition format"
        ));
        return Err(answer.unknown(Reason::Malformed, &message).into());
    };
    let mut reader = Reader::new(format, page.selection, Limits::default());
    let mut refused = None;
    while let Some(chunk) = answer.chunk().await? {
        reader.push(&chunk, &mut |row| {
            if refused.is_none() {
                refused = push(&row).err();
            }
        });
        if let Some(message) = &refused {
            return Err(answer.unknown(Reason::TooLarge, message).into());
        }
    }
    Ok(Read {
        format,
        summary: reader.finish(),
        head_after,
    })
}

// === impl Read ===

impl Read {
    /// That it is whole, as far as its format tells.
    pub(super) fn whole(&self, get: &Get) -> Result<(), Obstacle> {
        match self.summary.incomplete(self.format) {
            Some(incomplete) => Err(unknown(get, incomplete.into(), &incomplete.to_string()).into()),
            None => Ok(()),
        }
    }
}
