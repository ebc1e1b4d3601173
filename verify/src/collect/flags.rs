//! The flags of a component's command line that the contract names. No other argument is kept.

use super::environment::Argument;
use crate::evidence::UnreadArgument;
use std::collections::BTreeMap;

/// Flags whose values come from somewhere that is not read.
const CONFIG_FILE: &str = "--config";

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

/// Reads the arguments of one container as pflag does: `--flag=value`, `--flag value`, `-flag` is something else.
///
/// A flag that the contract names as a switch has no value of its own: pflag gives a boolean the next argument only with
/// `=`. Which flags are switches is not known here, so an argument that begins with a dash is never taken as a value, and
/// neither is anything behind `--`.
pub(super) fn read(arguments: &[Argument], named: &[String]) -> Flags {
    let mut flags = Flags::default();
    let mut arguments = arguments.iter().peekable();
    while let Some(argument) = arguments.next() {
        if argument.text == "--" {
            break;
        }
        if let Some(why) = argument.hides_its_flag() {
            flags.unread_arguments.push(UnreadArgument {
                flag: None,
                why: why.to_owned(),
            });
            continue;
        }
        if !argument.text.starts_with("--") {
            continue;
        }
        let (flag, value) = match argument.text.split_once('=') {
            Some((flag, value)) => (flag, Some((value, argument))),
            None => (argument.text.as_str(), None),
        };
        if flag == CONFIG_FILE {
            flags.unread = Some(CONFIG_FILE.to_owned());
        }
        if !named.iter().any(|name| name == flag) {
            continue;
        }
        let value = value.or_else(|| {
            let next = arguments.next_if(|next| !next.text.starts_with('-'))?;
            Some((next.text.as_str(), next))
        });
        if let Some(why) = value.and_then(|(_, argument)| argument.unread()) {
            flags.unread_arguments.push(UnreadArgument {
                flag: Some(flag.to_owned()),
                why: why.to_owned(),
            });
        }
        let value = value.map_or("", |(value, _)| value);
        flags.values.entry(flag.to_owned()).or_default().push(value.to_owned());
    }
    flags
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::collect::environment::{Environment, Others, Variable};

    /// As a container has them whose `POD_NAME` is not known.
    fn read<'a>(arguments: impl IntoIterator<Item = &'a str>, named: &[String]) -> Flags {
        let variable = r#"{"name":"POD_NAME","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}}"#;
        let variable: Variable = serde_json::from_str(variable).unwrap();
        let environment = Environment::public([&variable], Others::default());
        let arguments: Vec<Argument> = arguments.into_iter().map(|text| environment.argument(text)).collect();
        super::read(&arguments, named)
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
}
