//! The words of Alloy's configuration syntax, as `syntax/scanner` of grafana/alloy 1.18.1 tells them apart.

use std::iter::Peekable;
use std::str::CharIndices;

/// A word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Name(String),
    /// What a string stands for: without its quotes, its escapes resolved.
    Text(String),
    Number,
    /// One of `{ } ( ) [ ] , . =`.
    Mark(char),
    /// Any other operator; of those only `+` joins.
    Operator(&'static str),
    /// The end of a line at which a statement may end.
    End,
}

/// What cannot be read. Nothing of the text is in it: it may be a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) line: usize,
    pub(super) what: &'static str,
}

/// Reads the words one by one, each with its line. After a problem there is nothing more.
pub(super) struct Tokens<'a> {
    text: &'a str,
    characters: Peekable<CharIndices<'a>>,
    line: usize,
    /// Whether a statement may end where the line does.
    may_end: bool,
    broken: bool,
}

// === impl Tokens ===

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        // "byte order mark, permitted as very first character".
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self {
            text,
            characters: text.char_indices().peekable(),
            line: 1,
            may_end: false,
            broken: false,
        }
    }

    fn step(&mut self) -> Option<(usize, char)> {
        let next = self.characters.next();
        if let Some((_, '\n')) = next {
            self.line += 1;
        }
        next
    }

    fn peek(&mut self) -> Option<char> {
        self.characters.peek().map(|(_, c)| *c)
    }

    fn step_if(&mut self, wanted: char) -> bool {
        let there = self.peek() == Some(wanted);
        if there {
            self.step();
        }
        there
    }

    fn step_while(&mut self, belongs: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&belongs) {
            self.step();
        }
    }

    fn problem(&self, what: &'static str) -> Problem {
        Problem { line: self.line, what }
    }

    fn read(&mut self) -> Option<Result<Token, Problem>> {
        loop {
            let Some((start, c)) = self.step() else {
                return std::mem::take(&mut self.may_end).then_some(Ok(Token::End));
            };
            let token = match c {
                '\n' if self.may_end => Ok(Token::End),
                ' ' | '\t' | '\r' | '\n' => continue,
                '/' if self.peek() == Some('/') => {
                    self.step_while(|c| c != '\n');
                    continue;
                }
                '/' if self.step_if('*') => match self.block_comment() {
                    Ok(false) => continue,
                    Ok(true) => Ok(Token::End),
                    Err(problem) => Err(problem),
                },
                '"' => self.quoted().map(Token::Text),
                '`' => self.raw(start).map(Token::Text),
                c if c == '_' || c.is_alphabetic() => Ok(Token::Name(self.name(start))),
                '0'..='9' => Ok(self.number()),
                '.' if self.peek().is_some_and(|c| c.is_ascii_digit()) => Ok(self.number()),
                '=' if self.step_if('=') => Ok(Token::Operator("==")),
                '{' | '}' | '(' | ')' | '[' | ']' | ',' | '.' | '=' => Ok(Token::Mark(c)),
                _ => self.operator(c),
            };
            self.may_end = match &token {
                Ok(Token::Name(_) | Token::Text(_) | Token::Number | Token::Mark('}' | ')' | ']')) => true,
                Ok(Token::Mark(_) | Token::Operator(_) | Token::End) | Err(_) => false,
            };
            return Some(token);
        }
    }

    /// Whether it holds the end of a line at which a statement ends.
    fn block_comment(&mut self) -> Result<bool, Problem> {
        let begun = self.line;
        while let Some((_, c)) = self.step() {
            if c == '*' && self.step_if('/') {
                return Ok(self.may_end && self.line > begun);
            }
        }
        Err(self.problem("a comment that does not end"))
    }

    fn name(&mut self, start: usize) -> String {
        self.step_while(|c| c == '_' || c.is_alphanumeric());
        self.since(start).to_owned()
    }

    fn number(&mut self) -> Token {
        // A sign belongs to it after an exponent only; taken as an operator, it changes nothing.
        self.step_while(|c| c.is_ascii_alphanumeric() || c == '.');
        Token::Number
    }

    fn since(&mut self, start: usize) -> &'a str {
        let end = self.characters.peek().map_or(self.text.len(), |(end, _)| *end);
        self.text.get(start..end).unwrap_or_default()
    }

    fn operator(&mut self, first: char) -> Result<Token, Problem> {
        let operator = match first {
            '+' => "+",
            '-' => "-",
            '*' => "*",
            '/' => "/",
            '%' => "%",
            '^' => "^",
            '!' if self.step_if('=') => "!=",
            '!' => "!",
            '<' if self.step_if('=') => "<=",
            '<' => "<",
            '>' if self.step_if('=') => ">=",
            '>' => ">",
            '|' if self.step_if('|') => "||",
            '&' if self.step_if('&') => "&&",
            _ => return Err(self.problem("a character that has no meaning there")),
        };
        Ok(Token::Operator(operator))
    }

    fn raw(&mut self, start: usize) -> Result<String, Problem> {
        self.step_while(|c| c != '`');
        let text = self.since(start).trim_start_matches('`').replace('\r', "");
        if self.step_if('`') {
            Ok(text)
        } else {
            Err(self.problem("a string that does not end"))
        }
    }

    fn quoted(&mut self) -> Result<String, Problem> {
        let mut bytes = Vec::new();
        loop {
            let c = match self.step() {
                None | Some((_, '\n')) => return Err(self.problem("a string that does not end")),
                Some((_, '"')) => return Ok(String::from_utf8_lossy(&bytes).into_owned()),
                Some((_, '\\')) => match self.escape()? {
                    Escaped::Character(c) => c,
                    Escaped::Byte(byte) => {
                        bytes.push(byte);
                        continue;
                    }
                },
                Some((_, c)) => c,
            };
            bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }

    /// "The escape sequences supported by Alloy are the same as the escape sequences supported by Go, except that it is
    /// always valid to use \' in strings".
    fn escape(&mut self) -> Result<Escaped, Problem> {
        let unknown = self.problem("an escape that there is not");
        let (_, c) = self.step().ok_or(unknown)?;
        let character = match c {
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            '\\' | '\'' | '"' => c,
            'x' => return self.digits(0, 2, 16).and_then(byte).map(Escaped::Byte).ok_or(unknown),
            'u' => (self.digits(0, 4, 16).and_then(char::from_u32)).ok_or(unknown)?,
            'U' => (self.digits(0, 8, 16).and_then(char::from_u32)).ok_or(unknown)?,
            _ => {
                let first = c.to_digit(8).ok_or(unknown)?;
                return (self.digits(first, 2, 8).and_then(byte))
                    .map(Escaped::Byte)
                    .ok_or(unknown);
            }
        };
        Ok(Escaped::Character(character))
    }

    fn digits(&mut self, first: u32, count: u32, radix: u32) -> Option<u32> {
        (0..count).try_fold(first, |number, _| {
            let digit = self.peek()?.to_digit(radix)?;
            self.step();
            number.checked_mul(radix)?.checked_add(digit)
        })
    }
}

enum Escaped {
    Character(char),
    Byte(u8),
}

fn byte(number: u32) -> Option<u8> {
    u8::try_from(number).ok()
}

impl Iterator for Tokens<'_> {
    type Item = Result<(Token, usize), Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.broken {
            return None;
        }
        let read = self.read()?;
        self.broken = read.is_err();
        Some(read.map(|token| (token, self.line)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn words(text: &str) -> Result<Vec<Token>, Problem> {
        Tokens::new(text).map(|read| read.map(|(token, _)| token)).collect()
    }

    #[rstest]
    #[case(r#""a\"b\\\x41\101\u00e4\U0001F600\n""#, "a\"b\\AAä😀\n")]
    #[case("`a\\n\"\r\n`", "a\\n\"\n")]
    #[case("``", "")]
    #[case("\"\"", "")]
    fn a_string_is_what_it_stands_for(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(words(text).unwrap()[0], Token::Text(expected.to_owned()));
    }

    #[rstest]
    #[case("\"a\nb\"")]
    #[case("\"a")]
    #[case("`a")]
    #[case("/* a")]
    #[case(r#""\q""#)]
    #[case(r#""\xg0""#)]
    #[case(r#""\777""#)]
    #[case("'a'")]
    #[case("a | b")]
    #[case("\0")]
    fn what_is_no_word_is_a_problem(#[case] text: &str) {
        assert!(words(text).is_err(), "{text}");
    }

    #[test]
    fn a_statement_ends_where_its_line_does() {
        let name = |name: &str| Token::Name(name.to_owned());
        let text = "a = // more\n  b /* \n */ c + // d\n e\n\n}";
        let expected = [
            name("a"),
            Token::Mark('='),
            name("b"),
            Token::End,
            name("c"),
            Token::Operator("+"),
            name("e"),
            Token::End,
            Token::Mark('}'),
            Token::End,
        ];
        assert_eq!(words(text).unwrap(), expected);
    }
}
