//! An answer, and how it ends.

use std::borrow::Cow;
use std::time::Duration;

/// When every answer was given, by the server's clock: that of the recordings.
pub(crate) const DATE: &str = "Sun, 22 Nov 2026 15:02:50 GMT";

/// Longer than any request may take.
pub(crate) const NEVER: Duration = Duration::from_hours(1);

/// An answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: Cow<'static, str>,
    /// Where a redirection leads.
    pub(crate) location: Option<&'static str>,
    pub(crate) body: Cow<'static, [u8]>,
    pub(crate) ends: Ends,
}

/// How an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    /// With its last byte.
    Well,
    /// In the middle of the body: the connection breaks.
    Cut,
    /// Never: it does not begin either.
    Hang,
    /// Never: it stops in the middle of the body.
    HangInBody,
    /// Before it begins: the connection is closed.
    Close,
    /// It is the body alone, which is no HTTP.
    NotHttp,
    /// With its last byte, in ten parts that come that long after each other.
    Slowly(Duration),
    /// With its last byte; it begins that late.
    Late(Duration),
}

impl Reply {
    pub(crate) fn new(
        status: u16,
        content_type: impl Into<Cow<'static, str>>,
        body: impl Into<Cow<'static, str>>,
    ) -> Self {
        let body: Cow<'static, str> = body.into();
        Self {
            status,
            content_type: content_type.into(),
            location: None,
            body: match body {
                Cow::Borrowed(text) => text.as_bytes().into(),
                Cow::Owned(text) => text.into_bytes().into(),
            },
            ends: Ends::Well,
        }
    }

    /// A redirection.
    pub(crate) fn to(location: &'static str) -> Self {
        Self {
            location: Some(location),
            ..Self::new(302, "text/html", "")
        }
    }

    /// The same, with another end.
    pub(crate) fn that(self, ends: Ends) -> Self {
        Self { ends, ..self }
    }

    /// The body, where it is text; empty where it is not.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or_default()
    }

    /// The body in ten parts.
    pub(crate) fn parts(&self) -> Vec<Vec<u8>> {
        let part = self.body.len().div_ceil(10).max(1);
        self.body.chunks(part).map(<[u8]>::to_vec).collect()
    }

    /// The first half of the body.
    pub(crate) fn half(&self) -> &[u8] {
        &self.body[..self.body.len() / 2]
    }
}
