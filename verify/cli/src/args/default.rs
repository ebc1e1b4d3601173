//! `audit` is the command where none is named.

use std::ffi::OsString;

/// Inserts `audit` where the first argument that is not a global option is another option, or where there is none.
///
/// A first argument without a dash stays as it is: it is a command, or a misspelt one, and the parser says so.
pub(crate) fn with_default_command(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let mut rest = arguments
        .iter()
        .skip(1)
        .map(|argument| argument.to_str().unwrap_or_default());
    let inserts = loop {
        match rest.next() {
            None => break true,
            Some("--color") => {
                rest.next();
            }
            Some("--help" | "-h" | "--version" | "-V") => break false,
            Some(argument) if is_global(argument) => {}
            Some(argument) => break argument.starts_with('-'),
        }
    };
    if inserts {
        let at = arguments.len().min(1);
        arguments.insert(at, OsString::from("audit"));
    }
    arguments
}

fn is_global(argument: &str) -> bool {
    let letters = argument.strip_prefix('-').unwrap_or_default();
    let is_cluster = !letters.is_empty() && letters.chars().all(|letter| letter == 'v' || letter == 'q');
    is_cluster || argument.starts_with("--color=") || matches!(argument, "--verbose" | "--quiet")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("x", "x audit")]
    #[case("x --context c", "x audit --context c")]
    #[case("x -v -o json", "x audit -v -o json")]
    #[case("x -vv", "x audit -vv")]
    #[case("x --color never explain SF101", "x --color never explain SF101")]
    #[case("x --color=never explain SF101", "x --color=never explain SF101")]
    #[case("x -q audit", "x -q audit")]
    #[case("x explian SF101", "x explian SF101")]
    #[case("x --help", "x --help")]
    #[case("x -o json --help", "x audit -o json --help")]
    #[case("x -V", "x -V")]
    fn audit_is_the_default(#[case] typed: &str, #[case] meant: &str) {
        let split = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        assert_eq!(with_default_command(split(typed)), split(meant));
    }
}
