//! The arguments of a Go or Fluent Bit program: `-flag=value`, `--flag=value`, `--flag value`.

use crate::collect::environment::Argument;
use std::iter::Peekable;
use std::slice;

/// A flag as it is given.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Given<'a> {
    /// Its name with two dashes, however many it had; `None` where a variable that was not read may be any flag.
    pub(super) flag: Option<String>,
    /// `""` for one without a value.
    pub(super) value: &'a str,
    /// Why the value is not known, where it is not.
    pub(super) unread: Option<&'a str>,
}

/// Reads a command line: every flag with its value, in order.
///
/// Go's `flag` package takes one dash or two. Which flags are switches is not known here, so that an argument that begins
/// with a dash is never taken as a value.
pub(super) fn read(arguments: &[Argument]) -> impl Iterator<Item = Given<'_>> {
    Flags {
        arguments: arguments.iter().peekable(),
    }
}

struct Flags<'a> {
    arguments: Peekable<slice::Iter<'a, Argument>>,
}

impl<'a> Iterator for Flags<'a> {
    type Item = Given<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let argument = self.arguments.next()?;
            let text = argument.text.as_str();
            if text == "--" {
                return None;
            }
            if let Some(why) = argument.hides_its_flag() {
                return Some(Given {
                    flag: None,
                    value: "",
                    unread: Some(why),
                });
            }
            let Some(name) = text.strip_prefix("--").or_else(|| text.strip_prefix('-')) else {
                continue;
            };
            if let Some((name, value)) = name.split_once('=') {
                return Some(Given {
                    flag: Some(format!("--{name}")),
                    value,
                    unread: argument.unread(),
                });
            }
            let value = self.arguments.next_if(|next| !next.text.starts_with('-'));
            return Some(Given {
                flag: Some(format!("--{name}")),
                value: value.map_or("", |argument| &argument.text),
                unread: value.and_then(Argument::unread),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::environment::{Environment, Others, Variable};

    fn arguments(line: &[&str]) -> Vec<Argument> {
        let variable = r#"{"name":"POD_NAME","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}}"#;
        let variable: Variable = serde_json::from_str(variable).unwrap();
        let environment = Environment::public([&variable], Others::default());
        line.iter().map(|text| environment.argument(text)).collect()
    }

    #[test]
    fn one_dash_or_two_with_or_without_an_equals_sign() {
        let line = ["/vmagent", "-a=1", "--b", "2", "--c", "-d", "--a=3=4", "--", "--e=5"];
        let line = arguments(&line);
        let flags: Vec<Given<'_>> = read(&line).collect();
        let expected = [("--a", "1"), ("--b", "2"), ("--c", ""), ("--d", ""), ("--a", "3=4")];
        assert_eq!(flags.len(), expected.len());
        for (given, expected) in flags.iter().zip(expected) {
            assert_eq!((given.flag.as_deref(), given.value), (Some(expected.0), expected.1));
            assert_eq!(given.unread, None);
        }
    }

    #[test]
    fn what_a_variable_keeps_from_being_known_is_told() {
        let line = arguments(&["-a=$(POD_NAME)", "-b", "$(POD_NAME)", "$(POD_NAME)", "-c=1"]);
        let flags: Vec<(Option<String>, bool)> =
            read(&line).map(|given| (given.flag, given.unread.is_some())).collect();
        let flag = |name: &str| Some(name.to_owned());
        let expected = [
            (flag("--a"), true),
            (flag("--b"), true),
            (None, true),
            (flag("--c"), false),
        ];
        assert_eq!(flags, expected);
    }
}
