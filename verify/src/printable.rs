//! What comes from outside, made safe for a screen.

use std::borrow::Cow;
use std::fmt::Write;

/// The text with every character that acts on a screen written out, as `\u{1b}`: an object's message must not be able to move
/// the cursor, recolour a verdict, or hide a part of a name. What it was stays recognisable. The end of a line stays.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    replaced(text, |c| c != '\n' && acts(c), escape)
}

/// The same of a text that has to stand on one line: ends of a line are written out too.
#[must_use]
pub fn printable_line(text: &str) -> Cow<'_, str> {
    replaced(text, acts, escape)
}

/// JSON with every such character in it escaped as JSON has it, so that nothing is lost. Its strings hold no controls of
/// ASCII but the last any more: whoever wrote it has escaped these.
#[must_use]
pub fn printable_json(json: &str) -> Cow<'_, str> {
    replaced(
        json,
        |c| !matches!(c, '\n' | '\r' | '\t') && acts(c),
        |out, c| {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        },
    )
}

/// The text as one line: words with one blank between them.
#[must_use]
pub fn one_line(text: &str) -> String {
    printable(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a character does something instead of standing there: a control, a direction mark, an end of a line that is not
/// `\n`, or one that no screen shows (Unicode's `Default_Ignorable_Code_Point`, `DerivedCoreProperties.txt`: zero-width
/// blanks and joiners, fillers, soft hyphen, variation selectors, tags).
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

fn escape(out: &mut String, c: char) {
    let _ = write!(out, "{}", c.escape_unicode());
}

fn replaced(text: &str, is_replaced: impl Fn(char) -> bool, write: impl Fn(&mut String, char)) -> Cow<'_, str> {
    // Nearly every text is nothing but these, and to see that takes a fifth of the time.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    let Some((first, _)) = text.char_indices().find(|(_, c)| is_replaced(*c)) else {
        return Cow::Borrowed(text);
    };
    let (before, rest) = text.split_at(first);
    let mut out = before.to_owned();
    for c in rest.chars() {
        if is_replaced(c) {
            write(&mut out, c);
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::own("größe √ ‼ – …\nnext", "größe √ ‼ – …\nnext")]
    #[case::escape("\u{1b}[2J", "\\u{1b}[2J")]
    #[case::c0("a\u{0}\u{7}\u{8}\t\r\u{7f}", "a\\u{0}\\u{7}\\u{8}\\u{9}\\u{d}\\u{7f}")]
    #[case::c1("\u{9b}31m\u{85}", "\\u{9b}31m\\u{85}")]
    #[case::direction("\u{202e}x\u{2066}\u{200f}\u{61c}", "\\u{202e}x\\u{2066}\\u{200f}\\u{61c}")]
    #[case::zero_width("a\u{200b}b\u{feff}\u{2060}\u{ad}", "a\\u{200b}b\\u{feff}\\u{2060}\\u{ad}")]
    #[case::line_separators("\u{2028}\u{2029}", "\\u{2028}\\u{2029}")]
    #[case::tags("\u{e0041}", "\\u{e0041}")]
    fn what_acts_is_written_out(#[case] text: &str, #[case] shown: &str) {
        assert_eq!(printable(text), shown);
    }

    #[test]
    fn what_stands_on_one_line_cannot_begin_another() {
        assert_eq!(printable_line("a\n√ conforms\u{1b}"), "a\\u{a}√ conforms\\u{1b}");
        assert_eq!(one_line(" a\n\n√  conforms\r"), "a √ conforms\\u{d}");
    }

    #[test]
    fn in_json_it_is_escaped_and_nothing_is_lost() {
        let text = "größe\u{1b}\u{7f}\u{9b}31m\u{202e}\u{e0041}\u{fe0f}\n";
        let json = serde_json::to_string_pretty(&[text]).unwrap();
        let shown = printable_json(&json);
        assert!(!shown.chars().any(|c| c != '\n' && acts(c)), "{shown:?}");
        assert!(
            shown.contains("größe\\u001b\\u007f\\u009b31m\\u202e\\udb40\\udc41\\ufe0f\\n"),
            "{shown}"
        );
        assert_eq!(serde_json::from_str::<[String; 1]>(&shown).unwrap(), [text]);
    }
}
