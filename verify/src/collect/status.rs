//! The API server's own words for a refusal: `metav1.Status`.

use super::protobuf;
use prost::Message;
use serde::Deserialize;

/// The longest text of a server that is passed on.
const TEXT_BOUND: usize = 300;

/// A `Status`. Only an answer of an API server has one: everything else in between answers in another form.
///
/// Its numbers in protobuf are those of `k8s.io/apimachinery`, `pkg/apis/meta/v1/generated.proto`.
#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Status {
    #[prost(string, tag = "4")]
    pub(super) reason: String,
    #[prost(string, tag = "3")]
    pub(super) message: String,
    #[prost(message, optional, tag = "5")]
    pub(super) details: Option<Details>,
}

/// What every object says of itself in JSON.
#[derive(Deserialize)]
struct Kind {
    kind: String,
}

/// What the refusal is about.
#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default)]
pub(super) struct Details {
    #[prost(string, tag = "3")]
    pub(super) kind: String,
    #[prost(string, tag = "1")]
    pub(super) name: String,
}

impl Status {
    /// The Status that a body is: of JSON, or of protobuf, in which whatever is asked for so is refused too.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        if let Some((kind, raw)) = protobuf::document(body) {
            let status = Self::decode(raw.as_slice()).ok()?;
            return (kind == "Status").then_some(status);
        }
        let told: Kind = serde_json::from_slice(body).ok()?;
        (told.kind == "Status")
            .then(|| serde_json::from_slice(body).ok())
            .flatten()
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
    fn a_status_in_protobuf_is_one() {
        // As 1.35 refuses a list of pods that was asked for in protobuf.
        let field = |number: u8, bytes: &[u8]| {
            let length = u8::try_from(bytes.len()).unwrap();
            [&[number << 3 | 2, length], bytes].concat()
        };
        let of = |kind: &str, fields: &[u8]| {
            let kind = [field(1, b"v1"), field(2, kind.as_bytes())].concat();
            let parts = [field(1, &kind), field(2, fields), field(3, b""), field(4, b"")];
            [b"k8s\0".as_slice(), &parts.concat()].concat()
        };
        let fields = b"\n\0\x12\x07Failure\x1a\x02no\"\x09Forbidden*\x0a\n\0\x12\0\x1a\x04pods0\x93\x03";
        let status = Status::parse(&of("Status", fields)).unwrap();
        assert_eq!((status.reason.as_str(), status.message.as_str()), ("Forbidden", "no"));
        assert_eq!(status.details.unwrap().kind, "pods");
        assert!(Status::parse(&of("PodList", fields)).is_none());
    }

    #[test]
    fn text_is_bounded_and_on_one_line() {
        assert_eq!(bounded("a\n\tb\u{1b}[31m c"), "a b [31m c");
        assert!(bounded(&"ü".repeat(1000)).len() <= TEXT_BOUND + "…".len());
        assert!(bounded(&"ab ".repeat(1000)).len() <= TEXT_BOUND + "…".len());
    }
}
