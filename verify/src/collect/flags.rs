//! The flags of a component's command line that the contract names. No other argument is kept.

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
}

/// Reads the arguments of one container as pflag does: `--flag=value`, `--flag value`, `-flag` is something else.
///
/// A flag that the contract names as a switch has no value of its own: pflag gives a boolean the next argument only with
/// `=`. Which flags are switches is not known here, so an argument that begins with a dash is never taken as a value, and
/// neither is anything behind `--`.
pub(super) fn read<'a>(arguments: impl IntoIterator<Item = &'a str>, named: &[String]) -> Flags {
    let mut flags = Flags::default();
    let mut arguments = arguments.into_iter().peekable();
    while let Some(argument) = arguments.next() {
        if argument == "--" {
            break;
        }
        if !argument.starts_with("--") {
            continue;
        }
        let (flag, value) = match argument.split_once('=') {
            Some((flag, value)) => (flag, Some(value)),
            None => (argument, None),
        };
        if flag == CONFIG_FILE {
            flags.unread = Some(CONFIG_FILE.to_owned());
        }
        if !named.iter().any(|name| name == flag) {
            continue;
        }
        let value = match value {
            Some(value) => value,
            None => arguments.next_if(|next| !next.starts_with('-')).unwrap_or_default(),
        };
        flags.values.entry(flag.to_owned()).or_default().push(value.to_owned());
    }
    flags
}

#[cfg(test)]
mod tests {
    use super::*;

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
