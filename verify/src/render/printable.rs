//! What a cluster says, made safe for a terminal.

use std::borrow::Cow;

/// The text with every control character replaced, but for the end of a line: an object's message must not be able to
/// move the cursor, change the title, or recolour a verdict.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    let is_harmless = |c: char| c == '\n' || !(c.is_control() || is_direction(c));
    if text.chars().all(is_harmless) {
        return Cow::Borrowed(text);
    }
    let clean = |c: char| if is_harmless(c) { c } else { char::REPLACEMENT_CHARACTER };
    Cow::Owned(text.chars().map(clean).collect())
}

/// Whether a character reorders what stands around it.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_moves_the_cursor() {
        assert_eq!(printable("größe\nnext"), "größe\nnext");
        assert_eq!(
            printable("\u{1b}[2J\u{7}\u{202e}x\r"),
            "\u{fffd}[2J\u{fffd}\u{fffd}x\u{fffd}"
        );
    }
}
