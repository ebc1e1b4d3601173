//! The API server's own words for a refusal: `metav1.Status`.

use serde::Deserialize;

/// The longest text of a server that is passed on.
const TEXT_BOUND: usize = 300;

/// A `Status`. Only an answer of an API server has one: everything else in between answers in another form.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Status {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    pub(super) reason: String,
    #[serde(default)]
    pub(super) message: String,
    #[serde(default)]
    pub(super) details: Option<Details>,
}

/// What the refusal is about.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Details {
    #[serde(default)]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) name: String,
}

impl Status {
    /// The Status that a body is.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let status: Self = serde_json::from_slice(body).ok()?;
        (status.kind == "Status").then_some(status)
    }

    /// Its message.
    pub(super) fn text(&self) -> String {
        bounded(&self.message)
    }
}

/// Text of a server, fit for one line of a report: cut at a bound, on one line, without control characters.
pub(super) fn bounded(text: &str) -> String {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if word.is_empty() {
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > TEXT_BOUND {
            let end = (0..=TEXT_BOUND).rev().find(|end| line.is_char_boundary(*end));
            line.truncate(end.unwrap_or_default());
            line.push('…');
            break;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_status_is_one() {
        assert!(Status::parse(br#"{"kind":"Status","apiVersion":"v1","reason":"NotFound"}"#).is_some());
        for other in [
            "{}",
            "404 page not found",
            r#"{"kind":"PodList"}"#,
            "<html></html>",
            "null",
        ] {
            assert!(Status::parse(other.as_bytes()).is_none(), "{other}");
        }
    }

    #[test]
    fn text_is_bounded_and_on_one_line() {
        assert_eq!(bounded("a\n\tb\u{1b}[31m c"), "a b [31m c");
        assert!(bounded(&"ü".repeat(1000)).len() <= TEXT_BOUND + "…".len());
        assert!(bounded(&"ab ".repeat(1000)).len() <= TEXT_BOUND + "…".len());
    }
}
