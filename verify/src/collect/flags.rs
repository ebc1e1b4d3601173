//! The flags of a program's command line, and of them those that the contract names. No other argument is kept.

use super::environment::Argument;
use crate::evidence::UnreadArgument;
use std::collections::BTreeMap;
use std::iter::Peekable;
use std::slice;

/// A flag whose values come from somewhere that is not read, of programs that read their command line as [`Syntax::Pflag`].
const CONFIG_FILE: &str = "--config";

/// How a program reads its command line. Both take `--flag=value` and `--flag value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    /// As `spf13/pflag`: one dash is the short form of another flag.
    Pflag,
    /// As Go's package `flag`, and Fluent Bit: one dash is as good as two.
    OneDash,
}

/// What a command line says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags {
    /// Each with its values in order; `""` for one without a value.
    pub(super) values: BTreeMap<String, Vec<String>>,
    /// The flag that names a configuration file.
    pub(super) unread: Option<String>,
    /// What a variable that was not read keeps from being known.
    pub(super) unread_arguments: Vec<UnreadArgument>,
}

/// A flag as it is given.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Given<'a> {
    /// Its name with two dashes, however many it had; `None` where a variable that was not read may be any flag.
    pub(super) flag: Option<String>,
    /// `""` for one without a value.
    pub(super) value: &'a str,
    /// Why the value is not known, where it is not.
    pub(super) unread: Option<&'a str>,
    /// Why the value is not known, where it is a word of its own of which nothing is: of a switch it is a flag.
    may_be_a_flag: Option<&'a str>,
}

/// The flags that the contract names, of the arguments of one container.
pub(super) fn read(arguments: &[Argument], named: &[String], syntax: Syntax) -> Flags {
    let mut flags = Flags::default();
    for given in given(arguments, syntax) {
        if syntax == Syntax::Pflag && given.flag.as_deref() == Some(CONFIG_FILE) {
            flags.unread = Some(CONFIG_FILE.to_owned());
        }
        if given.flag.as_ref().is_some_and(|flag| !named.contains(flag)) {
            // It may be a switch, and the word behind it then a flag of its own.
            if let Some(why) = given.may_be_a_flag.filter(|_| syntax == Syntax::Pflag) {
                flags.unread_arguments.push(UnreadArgument {
                    flag: None,
                    why: why.to_owned(),
                });
            }
            continue;
        }
        if let Some(why) = given.unread {
            flags.unread_arguments.push(UnreadArgument {
                flag: given.flag.clone(),
                why: why.to_owned(),
            });
        }
        if let Some(flag) = given.flag {
            flags.values.entry(flag).or_default().push(given.value.to_owned());
        }
    }
    flags
}

/// Every flag with its value, in order.
///
/// Which flags are switches is not known here, so an argument that begins with a dash is never taken as a value, and neither
/// is anything behind `--`.
pub(super) fn given(arguments: &[Argument], syntax: Syntax) -> impl Iterator<Item = Given<'_>> {
    Line {
        arguments: arguments.iter().peekable(),
        syntax,
    }
}

struct Line<'a> {
    arguments: Peekable<slice::Iter<'a, Argument>>,
    syntax: Syntax,
}

impl<'a> Iterator for Line<'a> {
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
                    may_be_a_flag: None,
                });
            }
            let one_dash = || text.strip_prefix('-').filter(|_| self.syntax == Syntax::OneDash);
            let Some(name) = text.strip_prefix("--").or_else(one_dash) else {
                continue;
            };
            if let Some((name, value)) = name.split_once('=') {
                return Some(Given {
                    flag: Some(format!("--{name}")),
                    value,
                    unread: argument.unread(),
                    may_be_a_flag: None,
                });
            }
            let value = self.arguments.next_if(|next| !next.text.starts_with('-'));
            return Some(Given {
                flag: Some(format!("--{name}")),
                value: value.map_or("", |argument| &argument.text),
                unread: value.and_then(Argument::unread),
                may_be_a_flag: value.and_then(Argument::hides_its_flag),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::environment::{Environment, Others, Variable};

    /// As a container has them whose `POD_NAME` is not known.
    fn arguments<'a>(line: impl IntoIterator<Item = &'a str>) -> Vec<Argument> {
        let variable = r#"{"name":"POD_NAME","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}}"#;
        let variable: Variable = serde_json::from_str(variable).unwrap();
        let environment = Environment::public([&variable], Others::default());
        line.into_iter().map(|text| environment.argument(text)).collect()
    }

    fn read<'a>(line: impl IntoIterator<Item = &'a str>, named: &[String]) -> Flags {
        let arguments = arguments(line);
        super::read(&arguments, named, Syntax::Pflag)
    }

    fn named() -> Vec<String> {
        ["--metric-labels-allowlist", "--kubelet-insecure-tls", "--pod"]
            .map(str::to_owned)
            .to_vec()
    }

    #[test]
    fn both_forms_are_read_and_repeats_are_kept_in_order() {
        let flags = read(
            [
                "/metrics",
                "--metric-labels-allowlist=pods=[a]",
                "--metric-labels-allowlist",
                "nodes=[b]",
                "--kubelet-insecure-tls",
                "--pod=$(POD_NAME)",
                "--token=secret",
                "--",
                "--pod=c",
            ],
            &named(),
        );
        assert_eq!(flags.values["--metric-labels-allowlist"], ["pods=[a]", "nodes=[b]"]);
        assert_eq!(flags.values["--kubelet-insecure-tls"], [""]);
        assert_eq!(flags.values["--pod"], ["$(POD_NAME)"]);
        assert_eq!(flags.values.len(), 3);
        assert_eq!(flags.unread, None);
        let why = "variable POD_NAME comes from a field of the pod".to_owned();
        let flag = Some("--pod".to_owned());
        assert_eq!(flags.unread_arguments, [UnreadArgument { flag, why }]);
    }

    #[test]
    fn a_value_of_its_own_argument_and_a_flag_may_be_unread() {
        let unread = |arguments: &[&str]| -> Vec<Option<String>> {
            let flags = read(arguments.iter().copied(), &named());
            flags
                .unread_arguments
                .into_iter()
                .map(|argument| argument.flag)
                .collect()
        };
        assert_eq!(unread(&["--pod", "$(POD_NAME)"]), [Some("--pod".to_owned())]);
        assert_eq!(unread(&["--other=$(POD_NAME)", "--pod=a"]), []);
        assert_eq!(unread(&["$(POD_NAME)", "--pod=a"]), [None]);
        assert_eq!(unread(&["--", "$(POD_NAME)"]), []);
        // Of a flag that the contract does not name nobody knows whether it takes a value.
        assert_eq!(unread(&["--other", "$(POD_NAME)", "--pod=a"]), [None]);
        assert_eq!(unread(&["--other", "a-$(POD_NAME)", "--pod=a"]), []);
    }

    #[test]
    fn a_flag_at_the_end_or_before_another_has_no_value() {
        let flags = read(["--pod", "--metric-labels-allowlist"], &named());
        assert_eq!(flags.values["--pod"], [""]);
        assert_eq!(flags.values["--metric-labels-allowlist"], [""]);
    }

    #[test]
    fn a_configuration_file_is_told() {
        for arguments in [vec!["--config=/etc/ksm.yaml"], vec!["--config", "/etc/ksm.yaml"]] {
            assert_eq!(read(arguments, &named()).unread.as_deref(), Some("--config"));
        }
    }

    #[test]
    fn one_dash_or_two_with_or_without_an_equals_sign() {
        let line = arguments(["/vmagent", "-a=1", "--b", "2", "--c", "-d", "--a=3=4", "--", "--e=5"]);
        let flags: Vec<Given<'_>> = given(&line, Syntax::OneDash).collect();
        let expected = [("--a", "1"), ("--b", "2"), ("--c", ""), ("--d", ""), ("--a", "3=4")];
        assert_eq!(flags.len(), expected.len());
        for (given, expected) in flags.iter().zip(expected) {
            assert_eq!((given.flag.as_deref(), given.value), (Some(expected.0), expected.1));
            assert_eq!(given.unread, None);
        }
        // To pflag one dash is another flag's short form.
        let long: Vec<Option<String>> = given(&line, Syntax::Pflag).map(|given| given.flag).collect();
        let long: Vec<&str> = long.iter().flatten().map(String::as_str).collect();
        assert_eq!(long, ["--b", "--c", "--a"]);
    }

    #[test]
    fn what_a_variable_keeps_from_being_known_is_told() {
        let line = arguments(["-a=$(POD_NAME)", "-b", "$(POD_NAME)", "$(POD_NAME)", "-c=1"]);
        let flags = given(&line, Syntax::OneDash);
        let flags: Vec<(Option<String>, bool)> = flags.map(|given| (given.flag, given.unread.is_some())).collect();
        let flag = |name: &str| Some(name.to_owned());
        let expected = [
            (flag("--a"), true),
            (flag("--b"), true),
            (None, true),
            (flag("--c"), false),
        ];
        assert_eq!(flags, expected);
    }

    #[test]
    fn only_where_pflag_reads_it_config_is_a_file_of_flags() {
        let line = arguments(["--config=/fluent-bit/etc/conf/fluent-bit.conf"]);
        assert_eq!(super::read(&line, &named(), Syntax::OneDash).unread, None);
    }
}
