//! Breaks prose at the width of a screen.

use starform_verify::printable::printable;
use unicode_width::UnicodeWidthStr;

/// A paragraph that is to be broken into lines.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wrap {
    /// Columns there are.
    pub(crate) width: usize,
    /// Columns that are already taken on the first line.
    pub(crate) taken: usize,
    /// Columns to leave blank on every further line.
    pub(crate) indent: usize,
}

/// On a narrower screen a word a line would be worse than a broken line.
const LEAST: usize = 20;

impl Wrap {
    /// The paragraph, its lines joined by newlines. Spaces in a row become one. A word is only broken where it is
    /// longer than a line, and then only behind a comma.
    #[must_use]
    pub(crate) fn text(self, text: &str) -> String {
        let width = self.width.max(self.indent + LEAST);
        let mut lines = String::with_capacity(text.len());
        let mut column = self.taken;
        let mut fresh = true;
        let text = &*printable(text);
        let line = width - self.indent;
        for (word, glued) in text.split_whitespace().flat_map(|word| parts(word, line)) {
            let space = usize::from(!fresh && !glued);
            let needed = word.width() + space;
            if column + needed > width && !fresh {
                lines.push('\n');
                lines.extend(std::iter::repeat_n(' ', self.indent));
                column = self.indent;
                fresh = true;
            }
            if !fresh && !glued {
                lines.push(' ');
                column += 1;
            }
            lines.push_str(word);
            column += word.width();
            fresh = false;
        }
        lines
    }
}

/// A word, or where it is longer than a line its parts, each but the first glued to the one before.
fn parts(word: &str, line: usize) -> impl Iterator<Item = (&str, bool)> {
    let whole = word.width() <= line;
    let parts = word.split_inclusive(move |c| c == ',' && !whole);
    parts.enumerate().map(|(index, part)| (part, index > 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("one two three four", 0, 2, "one two three four")]
    #[case("one two three four five six", 0, 2, "one two three four\n  five six")]
    #[case("one two", 19, 2, "one\n  two")]
    #[case(
        "averyveryverylongwordthatdoesnotfit x",
        0,
        1,
        "averyveryverylongwordthatdoesnotfit\n x"
    )]
    #[case("a list[one,two,three,four,five] b", 0, 2, "a list[one,two,three,\n  four,five] b")]
    #[case("größe größe größe größe", 0, 0, "größe größe größe\ngröße")]
    fn breaks_between_words(#[case] text: &str, #[case] taken: usize, #[case] indent: usize, #[case] lines: &str) {
        let wrap = Wrap {
            width: 22,
            taken,
            indent,
        };
        assert_eq!(wrap.text(text), lines);
    }
}
