//! User and password in a URL.

use super::value::REFERENCE;

/// What a URL's user information may be made of: Go's `net/url` refuses the rest (`validUserinfo`).
const MARKS: &str = "-._:~!$&'()*+,;=%@";

/// Whether a URL in the text has a password in clear, or a user without one, which then is a token. A user's name before a
/// password that a reference brings is none.
pub(super) fn has_credential(text: &str) -> bool {
    text.match_indices("://").any(|(at, mark)| {
        let rest = text.get(at + mark.len()..).unwrap_or_default();
        let end = |c: char| matches!(c, '/' | '?' | '#' | '"' | '\\') || c.is_whitespace();
        let authority = rest.split(end).next().unwrap_or_default();
        authority.rsplit_once('@').is_some_and(|(user, _)| {
            let valid = |c: char| c == REFERENCE || c.is_ascii_alphanumeric() || MARKS.contains(c);
            let secret = user.split_once(':').map_or(user, |(_, password)| password);
            user.chars().all(valid) && secret.contains(|c| c != REFERENCE)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("https://u:hush@store/api", true)]
    #[case("https://hush@store/api", true)]
    #[case("see https://a/ and https://u:hush@b", true)]
    #[case("https://u:\u{1}@store/api", false)]
    #[case("https://\u{1}:\u{1}@store", false)]
    #[case("https://\u{1}@store", false)]
    #[case("https://u:a\u{1}@store", true)]
    #[case("https://u:@store", false)]
    #[case("https://store/a@b", false)]
    #[case("https://store?a=b@c", false)]
    #[case("https?://[^@]+@store", false)]
    #[case("a@b", false)]
    fn user_information(#[case] text: &str, #[case] clear: bool) {
        assert_eq!(has_credential(text), clear);
    }
}
