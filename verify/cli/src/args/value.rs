//! Values that are typed.

use crate::render::Format;
use crate::values_files::manifest_check;
use jiff::SignedDuration;
use starform_verify::contract::StepId;
use starform_verify::evaluate::{self, CHECKS};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// A suggestion that is further off than this helps nobody.
const NEAR: f64 = 0.7;

/// `FORM` or `FORM=FILE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Output {
    /// The form.
    pub(crate) format: Format,
    /// Where to; `None` is stdout.
    pub(crate) file: Option<PathBuf>,
}

impl FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (format, file) = match text.split_once('=') {
            Some((_, "")) => return Err("no file stands behind the `=`".to_owned()),
            Some((format, file)) => (format, Some(PathBuf::from(file))),
            None => (text, None),
        };
        Ok(Self {
            format: format.parse()?,
            file: file.filter(|file| file.as_os_str() != "-"),
        })
    }
}

/// `30s`, `5m`, `1h30m`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("it has no unit; {text}s and {text}m have one"));
    }
    let duration: SignedDuration = text.parse().map_err(|_| "write it like 30s, 5m or 1h30m".to_owned())?;
    let duration = Duration::try_from(duration).map_err(|_| "it is negative".to_owned())?;
    if duration.is_zero() {
        Err("it is zero".to_owned())
    } else {
        Ok(duration)
    }
}

/// A step's id.
pub(super) fn step(text: &str) -> Result<StepId, String> {
    StepId::ALL
        .into_iter()
        .find(|step| step.as_str() == text)
        .ok_or_else(|| "the steps are 1, 2, 3, 4, 5, 6 and region".to_owned())
}

/// A check's code or slug; returns its code.
pub(super) fn check(text: &str) -> Result<String, String> {
    if let Some(check) = evaluate::check(text) {
        return Ok(check.code.to_owned());
    }
    if manifest_check(text).is_some() {
        return Err("it judges files, not a cluster: `starform-verify manifests DIR` makes it".to_owned());
    }
    let names = CHECKS.iter().flat_map(|check| [check.code, check.slug]);
    let suggestion = nearest(text, names).map(|name| format!("did you mean {name}? "));
    Err(format!(
        "no such check; {}`starform-verify explain --list` names them all",
        suggestion.unwrap_or_default()
    ))
}

/// The code or slug of a check that has a page; returns its code.
pub(super) fn explained(text: &str) -> Result<String, String> {
    match manifest_check(text) {
        Some(check) => Ok(check.code.to_owned()),
        None => check(text),
    }
}

/// A group of checks.
pub(super) fn group(text: &str) -> Result<String, String> {
    let groups: BTreeSet<&str> = CHECKS.iter().flat_map(|check| check.groups).copied().collect();
    if groups.contains(text) {
        return Ok(text.to_owned());
    }
    let known = groups.into_iter().collect::<Vec<_>>().join(", ");
    Err(format!("no such group; the groups are {known}"))
}

/// `NAMESPACE/NAME`.
pub(super) fn service_account(text: &str) -> Result<(String, String), String> {
    let (namespace, name) = text.split_once('/').ok_or("write it as NAMESPACE/NAME")?;
    Ok((object_name(namespace)?, object_name(name)?))
}

/// A name that an object of Kubernetes can have.
pub(super) fn object_name(text: &str) -> Result<String, String> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.';
    let ends_well = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let bytes = text.as_bytes();
    if text.len() <= 253
        && bytes.iter().copied().all(fits)
        && ends_well(bytes.first().copied())
        && ends_well(bytes.last().copied())
    {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "{text:?} is no name of an object: lower-case letters, digits, `-` and `.`"
        ))
    }
}

/// A cluster's ID: it is a label's value, a part of Starbase's addresses, and a value that Helm reads.
pub(super) fn cluster_id(text: &str) -> Result<String, String> {
    let fits = text.len() <= 63 && !text.contains('.') && object_name(text).is_ok();
    fits.then(|| text.to_owned())
        .ok_or_else(|| format!("{text:?} is no cluster ID: at most 63 lower-case letters, digits and `-`"))
}

/// A region of DigitalOcean's: `fra1`. It names a file.
pub(super) fn region(text: &str) -> Result<String, String> {
    let fits = !text.is_empty()
        && text.len() <= 16
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    fits.then(|| text.to_owned())
        .ok_or_else(|| format!("{text:?} is no region: lower-case letters and digits, as in fra1"))
}

/// A directory whose name can stand in a line of a script.
pub(super) fn directory(text: &str) -> Result<String, String> {
    let fits = !text.is_empty() && !text.starts_with('-') && !text.chars().any(char::is_control);
    fits.then(|| text.trim_end_matches('/').to_owned())
        .map(|text| if text.is_empty() { "/".to_owned() } else { text })
        .ok_or_else(|| "it is empty, begins with a dash, or holds a control character".to_owned())
}

/// The name that is nearest to what was typed.
fn nearest<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    names
        .map(|name| (strsim::jaro_winkler(&typed, &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness > NEAR)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("30s", Some(30))]
    #[case("5m", Some(300))]
    #[case("1h30m", Some(5400))]
    #[case("30", None)]
    #[case("0s", None)]
    #[case("-5s", None)]
    #[case("soon", None)]
    #[case("", None)]
    fn durations(#[case] text: &str, #[case] seconds: Option<u64>) {
        assert_eq!(duration(text).ok().map(|duration| duration.as_secs()), seconds);
    }

    #[rstest]
    #[case("SF324", Ok("SF324"))]
    #[case("sf324", Ok("SF324"))]
    #[case("state-metrics-allowlist", Ok("SF324"))]
    #[case("state-metrics-alowlist", Err("did you mean state-metrics-allowlist?"))]
    #[case("SF3240", Err("did you mean SF324?"))]
    fn checks(#[case] text: &str, #[case] code: Result<&str, &str>) {
        match (check(text), code) {
            (Ok(found), Ok(code)) => assert_eq!(found, code),
            (Err(error), Err(part)) => assert!(error.contains(part), "{error}"),
            (found, _) => panic!("{text}: {found:?}"),
        }
    }

    #[test]
    fn outputs() {
        let output = |text: &str| text.parse::<Output>();
        assert_eq!(output("json=-").map(|output| output.file), Ok(None));
        assert_eq!(
            output("junit=a/b.xml").map(|output| output.file),
            Ok(Some(PathBuf::from("a/b.xml")))
        );
        assert!(output("json=").is_err());
        assert!(output("yaml").is_err());
    }
}
