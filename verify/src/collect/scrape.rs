//! A scrape: a page in one of the exposition formats, read row by row while it arrives. All of it, head and body, has the
//! contract's scrape timeout.

use super::access::Cluster;
use super::get::Get;
use super::obstacle::{Obstacle, unknown};
use super::request::send;
use super::status::bounded;
use crate::evidence::Reason;
use http::header;
use starform_exposition::{Format, Limits, Reader, Row, Selection, Summary};

/// What a page has to be.
pub(super) struct Page<'a> {
    pub(super) selection: Selection<'a>,
    /// The largest body, in bytes.
    pub(super) bound: u64,
    /// The format that a content type names, where it is one in which this page is served.
    pub(super) format: fn(&str) -> Option<Format>,
}

/// Reads one to its end. `push` gets each row that is selected; what it refuses, in words, is too large. Whether the page is whole is
/// the caller's to ask: see [`whole`].
pub(super) async fn read(
    cluster: &Cluster<'_>,
    get: &Get,
    page: Page<'_>,
    mut push: impl FnMut(&Row<'_>) -> Result<(), String>,
) -> Result<(Format, Summary), Obstacle> {
    let mut answer = send(cluster.client_of(get), get, cluster.scrape_timeout(), page.bound).await?;
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
    Ok((format, reader.finish()))
}

/// That a page is whole, as far as its format tells.
pub(super) fn whole(get: &Get, format: Format, summary: &Summary) -> Result<(), Obstacle> {
    match summary.incomplete(format) {
        Some(incomplete) => Err(unknown(get, incomplete.into(), &incomplete.to_string()).into()),
        None => Ok(()),
    }
}
