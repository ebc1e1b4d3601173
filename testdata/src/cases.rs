//! States of clusters that people reported in public, each as a small difference to the good answers: `cases/README.md`.

use crate::answers::{Answers, Route};
use crate::reply::Reply;
use crate::requests::{Asked, REQUESTS};
use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};
use std::fs;
use std::path::{Path, PathBuf};

/// A case that differs in what servers answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The name of its folder.
    pub name: String,
    folder: PathBuf,
}

/// Every case that differs in what servers answer, in order. Those of values and of regional stores have forms of their own.
///
/// # Errors
/// A folder that cannot be read.
pub fn all() -> Result<Vec<Case>> {
    let folder = folder();
    let mut cases = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let folder = entry?.path();
        if !folder.is_dir() {
            continue;
        }
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if folder.join("change.diff").exists() || !extras(&folder)?.is_empty() {
            cases.push(Case { name, folder });
        }
    }
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(cases)
}

/// The case of that name.
///
/// # Errors
/// None of that name; the error has those that there are.
pub fn case(name: &str) -> Result<Case> {
    let cases = all()?;
    let names: Vec<String> = cases.iter().map(|case| case.name.clone()).collect();
    let found = cases.into_iter().find(|case| case.name == name);
    found.with_context(|| format!("no case is called {name:?}; there are:\n  {}", names.join("\n  ")))
}

/// Where the cases are.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")
}

impl Case {
    /// The answers of its servers.
    ///
    /// # Errors
    /// A difference that does not apply to the good answers, or is about a file that none of them has; an answer whose first
    /// line names no request.
    pub fn answers(&self) -> Result<Answers> {
        let answers = Answers::good();
        let change = self.folder.join("change.diff");
        if change.exists() {
            let text = fs::read_to_string(&change)?;
            for (file, patch) in files(&text) {
                let asked = REQUESTS.iter().find(|asked| asked.file == file);
                let asked = asked.with_context(|| format!("{}: no answer is called {file}", change.display()))?;
                let body = apply(asked, patch).with_context(|| format!("{}: {file}", change.display()))?;
                answers.answer(asked.name, vec![(200, asked.content_type(), body)]);
            }
        }
        for extra in extras(&self.folder)? {
            let text = fs::read_to_string(&extra)?;
            answers.add(route(&text).with_context(|| extra.display().to_string())?);
        }
        Ok(answers)
    }
}

/// The files with further answers, in order.
fn extras(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut extras = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with("extra-") {
            extras.push(path);
        }
    }
    extras.sort();
    Ok(extras)
}

/// The parts of a difference, one a file, each with its file's name.
fn files(text: &str) -> Vec<(&str, &str)> {
    let mut starts: Vec<usize> = text.match_indices("\n--- ").map(|(newline, _)| newline + 1).collect();
    if text.starts_with("--- ") {
        starts.insert(0, 0);
    }
    // A removed line may begin like that too; only a file's first line has its second behind it.
    starts.retain(|start| {
        text[*start..]
            .lines()
            .nth(1)
            .is_some_and(|second| second.starts_with("+++ "))
    });
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let parts = starts.iter().zip(ends).map(|(start, end)| &text[*start..end]);
    let named = parts.map(|part| {
        let name = part.lines().next().unwrap_or_default().trim_start_matches("--- ");
        (name.split('\t').next().unwrap_or(name).trim(), part)
    });
    named.collect()
}

/// A good answer with a difference. JSON is compared as it is printed with one space of indentation and sorted keys.
fn apply(asked: &Asked, patch: &str) -> Result<String> {
    let good = if Path::new(asked.file)
        .extension()
        .is_some_and(|extension| extension == "json")
    {
        printed(&serde_json::from_str(asked.body())?)?
    } else {
        asked.body().to_owned()
    };
    let patch = diffy::Patch::from_str(patch)?;
    let changed = diffy::apply(&good, &patch).or_else(|error| {
        // Some compare the lines as they are split at each line feed: an empty one stands behind the last.
        let changed = diffy::apply(&format!("{good}\n"), &patch).map_err(|_| error)?;
        Ok::<_, diffy::ApplyError>(changed.strip_suffix('\n').unwrap_or(&changed).to_owned())
    })?;
    ensure!(changed != good, "it changes nothing");
    Ok(changed)
}

fn printed(value: &Value) -> Result<String> {
    let mut text = Vec::new();
    value.serialize(&mut Serializer::with_formatter(
        &mut text,
        PrettyFormatter::with_indent(b" "),
    ))?;
    text.push(b'\n');
    Ok(String::from_utf8(text)?)
}

/// `GET PATH* containing 'QUERY' -> STATUS CONTENT-TYPE`, and the body behind it.
fn route(text: &str) -> Result<Route> {
    let (line, body) = text.split_once('\n').context("it has one line only")?;
    let parts = || {
        let (request, answer) = line.strip_prefix("GET ")?.rsplit_once(" -> ")?;
        let (prefix, query) = request.split_once("* containing '")?;
        let (status, content_type) = answer.split_once(' ')?;
        Some((prefix, query.strip_suffix('\'')?, status.parse().ok()?, content_type))
    };
    let Some((prefix, query, status, content_type)) = parts() else {
        bail!("its first line is not GET PATH* containing 'QUERY' -> STATUS CONTENT-TYPE: {line}");
    };
    Ok(Route {
        prefix: prefix.to_owned(),
        query: query.to_owned(),
        // A blank line at the end of the file is none of the answer's.
        reply: Reply::new(
            status,
            content_type.to_owned(),
            format!("{}\n", body.trim_end_matches('\n')),
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_applies_to_the_good_answers() {
        let cases = all().unwrap();
        assert!(cases.len() >= 28, "{} cases", cases.len());
        for case in cases {
            case.answers().unwrap();
        }
    }

    #[test]
    fn a_case_that_is_not_there_is_told_with_those_that_are() {
        let error = case("helm-release-of-nobody").unwrap_err().to_string();
        assert!(error.contains("helm-release-other-name"), "{error}");
    }

    #[test]
    fn a_difference_that_does_not_apply_is_an_error() {
        let asked = crate::requests::asked("version");
        let patch = "--- version.json\n+++ version.json\n@@ -1,1 +1,1 @@\n-nothing like it\n+other\n";
        assert!(apply(asked, patch).is_err());
    }

    #[test]
    fn a_further_answer_without_its_request_is_an_error() {
        let error = route("GET /version\n{}").unwrap_err().to_string();
        assert!(error.contains("/version"), "{error}");
    }
}
