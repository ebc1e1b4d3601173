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
    pub(crate) body: Cow<'static, str>,
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
}

impl Reply {
    pub(crate) fn new(
        status: u16,
        content_type: impl Into<Cow<'static, str>>,
        body: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            content_type: content_type.into(),
            location: None,
            body: body.into(),
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

    /// The first half of the body, as far as it consists of whole characters.
    pub(crate) fn half(&self) -> &str {
        let middle = self.body.len() / 2;
        let end = (0..=middle).rev().find(|end| self.body.is_char_boundary(*end));
        &self.body[..end.unwrap_or_default()]
    }
}
