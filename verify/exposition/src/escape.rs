//! Escapes in label values and in quoted names.

use std::borrow::Cow;

/// Replaces `\\`, `\"` and `\n` and leaves every other backslash as it is, as Prometheus does (model/textparse,
/// promparse.go, `lvalReplacer`).
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    let Some(first) = memchr::memchr(b'\\', text.as_bytes()) else {
        return Cow::Borrowed(text);
    };
    let mut plain = String::with_capacity(text.len());
    plain.push_str(&text[..first]);
    let mut rest = &text[first..];
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        plain.push_str(&rest[..at]);
        let (replacement, taken) = match rest.as_bytes().get(at + 1) {
            Some(b'\\') => ('\\', 2),
            Some(b'"') => ('"', 2),
            Some(b'n') => ('\n', 2),
            _ => ('\\', 1),
        };
        plain.push(replacement);
        rest = &rest[at + taken..];
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::unescape;

    #[test]
    fn only_three_escapes_mean_something() {
        for (written, meant) in [
            ("", ""),
            ("plain", "plain"),
            (r"a\\b", r"a\b"),
            (r"a\nb", "a\nb"),
            (r#"\"a\""#, "\"a\""),
            (r"\\n", r"\n"),
            (r"\\\n", "\\\n"),
            (r"\t\é\", r"\t\é\"),
            (r"\t\\", r"\t\"),
        ] {
            assert_eq!(unescape(written), meant, "{written}");
        }
    }
}
