//! The arguments of a Go or Fluent Bit program: `-flag=value`, `--flag=value`, `--flag value`.

use std::iter::Peekable;

/// Reads a command line: every flag with its value, in order. A flag is named with two dashes, however many it had; one
/// without a value has `""`.
///
/// Go's `flag` package takes one dash or two. Which flags are switches is not known here, so that an argument that begins
/// with a dash is never taken as a value.
pub(super) fn read<'a>(arguments: impl IntoIterator<Item = &'a str>) -> impl Iterator<Item = (String, &'a str)> {
    Flags {
        arguments: arguments.into_iter().peekable(),
    }
}

struct Flags<I: Iterator> {
    arguments: Peekable<I>,
}

impl<'a, I: Iterator<Item = &'a str>> Iterator for Flags<I> {
    type Item = (String, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let argument = self.arguments.next()?;
            if argument == "--" {
                return None;
            }
            let Some(name) = argument.strip_prefix("--").or_else(|| argument.strip_prefix('-')) else {
                continue;
            };
            if let Some((name, value)) = name.split_once('=') {
                return Some((format!("--{name}"), value));
            }
            let value = self.arguments.next_if(|next| !next.starts_with('-'));
            return Some((format!("--{name}"), value.unwrap_or_default()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_dash_or_two_with_or_without_an_equals_sign() {
        let line = ["/vmagent", "-a=1", "--b", "2", "--c", "-d", "--a=3=4", "--", "--e=5"];
        let flags: Vec<(String, &str)> = read(line).collect();
        let expected = [("--a", "1"), ("--b", "2"), ("--c", ""), ("--d", ""), ("--a", "3=4")];
        assert_eq!(flags.len(), expected.len());
        for ((name, value), expected) in flags.iter().zip(expected) {
            assert_eq!((name.as_str(), *value), expected);
        }
    }
}
