//! Which checks an audit makes.

use super::{CHECKS, Check, Code, check};
use crate::evidence::{RecordedSelection, SelectionRequest, Source, Vantage};
use crate::step::StepId;
use std::collections::BTreeSet;
use thiserror::Error;

/// The group of the checks that read Secrets: the agent reads none.
const READS_SECRETS: &str = "helm";

/// The checks of an audit, in the contract's order: those asked for and all that they stand behind.
#[derive(Clone, Debug)]
pub struct Selection {
    checks: Vec<&'static Check>,
    ignored: Vec<&'static Check>,
    /// Where it is judged from; `None` where that is not settled yet.
    vantage: Option<Vantage>,
    /// Sources that the caller puts into the evidence itself.
    injected: &'static [Source],
    /// Whether checks or groups were chosen or left out, and not whole steps.
    of_checks: bool,
    /// The steps that were asked for; empty where none was named, which asks for all.
    steps: Vec<StepId>,
    /// What was asked for, without what it stands behind.
    asked: BTreeSet<&'static str>,
    /// Whether files are judged, and no cluster.
    of_files: bool,
}

/// Why nothing could be selected.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SelectionError {
    /// No such check.
    #[error("there is no check {0:?}; `starform-verify explain --list` names them all")]
    NoSuchCheck(String),
    /// No such group.
    #[error("there is no group {0:?}; the groups are {1}")]
    NoSuchGroup(String, String),
    /// A step without checks was asked for.
    #[error("this version has no check for step {0}: it cannot say whether the step is kept")]
    StepWithoutChecks(StepId),
    /// What was asked for and what was ignored leave nothing.
    #[error("no check is left to make: what is selected is also ignored")]
    Empty,
    /// Evidence was recorded of something else.
    #[error("the evidence was recorded with `{0}`: nothing that is selected was asked for then")]
    NotRecorded(SelectionRequest),
}

// === impl Selection ===

impl Selection {
    /// Every check.
    #[must_use]
    pub fn all() -> Self {
        Self {
            checks: CHECKS.iter().collect(),
            ignored: Vec::new(),
            vantage: None,
            injected: &[],
            of_checks: false,
            steps: Vec::new(),
            asked: CHECKS.iter().map(|check| check.code).collect(),
            of_files: false,
        }
    }

    /// Every check, of files.
    #[must_use]
    pub(crate) fn of_files() -> Self {
        Self {
            of_files: true,
            ..Self::all()
        }
    }

    /// The checks that the agent judges: all that can be proved inside the cluster without reading a Secret, gating or
    /// not. Its own status is no source to collect: [`crate::evidence::Evidence::with_own_status`] puts it in.
    #[must_use]
    pub fn inside() -> Self {
        let reads_secrets = |check: &Check| check.groups.contains(&READS_SECRETS);
        Self {
            checks: CHECKS.iter().filter(|check| !reads_secrets(check)).collect(),
            injected: &[Source::ShuttleStatus],
            ..Self::all()
        }
        .seen_from(Vantage::Inside)
    }

    /// The checks that a request selects, closed over what they stand behind.
    ///
    /// An ignored check is still judged where another stands behind it, but it is neither reported nor counted.
    ///
    /// # Errors
    /// Names that do not exist, and a selection that is empty: an audit of nothing must not pass.
    pub fn new(request: &SelectionRequest) -> Result<Self, SelectionError> {
        let groups: BTreeSet<&str> = CHECKS.iter().flat_map(|check| check.groups).copied().collect();
        for group in request.groups.iter().chain(&request.ignored_groups) {
            if !groups.contains(group.as_str()) {
                let known = groups.into_iter().collect::<Vec<_>>().join(", ");
                return Err(SelectionError::NoSuchGroup(group.clone(), known));
            }
        }
        for step in &request.steps {
            if !CHECKS.iter().any(|check| check.step == *step) {
                return Err(SelectionError::StepWithoutChecks(*step));
            }
        }
        let mut names = request.checks.iter().chain(&request.ignored_checks);
        if let Some(name) = names.find(|name| check(name).is_none()) {
            return Err(SelectionError::NoSuchCheck(name.clone()));
        }
        Self::of(&[request]).ok_or(SelectionError::Empty)
    }

    /// The checks that a recording is judged by: what it was recorded with, or where `request` names something, that, for what
    /// is asked for is never left out: what of it was not recorded is unknown. Of a recording that does not say what it was
    /// recorded with all is judged.
    ///
    /// # Errors
    /// As [`Selection::new`], and where nothing that is selected was asked for when it was recorded.
    pub fn of_recording(
        recorded: Option<&RecordedSelection>,
        request: &SelectionRequest,
    ) -> Result<Self, SelectionError> {
        let alone = Self::new(request)?;
        let Some(recorded) = recorded.map(|recorded| &recorded.request) else {
            return Ok(alone);
        };
        let both = Self::of(&[recorded, request]).ok_or_else(|| SelectionError::NotRecorded(recorded.clone()))?;
        let names_checks = !request.checks.is_empty() || !request.groups.is_empty();
        if names_checks {
            return Ok(alone);
        }
        if request.steps.is_empty() {
            return Ok(both);
        }
        // Of whole steps, what was left out then stays so.
        let mut steps = request.clone();
        steps.ignored_checks.extend_from_slice(&recorded.ignored_checks);
        steps.ignored_groups.extend_from_slice(&recorded.ignored_groups);
        Self::of(&[&steps]).ok_or(SelectionError::Empty)
    }

    /// What every one of these requests selects, closed over what that stands behind; `None` where it is nothing. A name that
    /// no check and no group has, as a later version may have recorded it, selects nothing.
    fn of(requests: &[&SelectionRequest]) -> Option<Self> {
        let ignored = |check: &Check| {
            requests
                .iter()
                .any(|request| is_named(check, &request.ignored_checks) || is_in(check, &request.ignored_groups))
        };
        let asked = |check: &Check| {
            requests.iter().all(|request| {
                (request.steps.is_empty() || request.steps.contains(&check.step))
                    && (request.checks.is_empty() || is_named(check, &request.checks))
                    && (request.groups.is_empty() || is_in(check, &request.groups))
            })
        };
        let chosen: Vec<&'static Check> = CHECKS.iter().filter(|check| asked(check) && !ignored(check)).collect();
        if chosen.is_empty() {
            return None;
        }
        let closed = closure(&chosen);
        let is_closed = |check: &Check| closed.contains(check.code);
        let names = |request: &&SelectionRequest| {
            let SelectionRequest {
                steps: _,
                checks,
                ignored_checks,
                groups,
                ignored_groups,
            } = *request;
            ![checks, ignored_checks, groups, ignored_groups]
                .iter()
                .all(|names| names.is_empty())
        };
        let steps = |step: &StepId| {
            let mut stepped = requests.iter().filter(|request| !request.steps.is_empty()).peekable();
            stepped.peek().is_some() && stepped.all(|request| request.steps.contains(step))
        };
        Some(Self {
            checks: CHECKS
                .iter()
                .filter(|check| is_closed(check) && !ignored(check))
                .collect(),
            ignored: CHECKS.iter().filter(|check| asked(check) && ignored(check)).collect(),
            vantage: None,
            injected: &[],
            of_checks: requests.iter().any(names),
            steps: StepId::ALL.into_iter().filter(steps).collect(),
            asked: chosen.iter().map(|check| check.code).collect(),
            of_files: false,
        })
    }

    /// What of it can be proved from there. What is left may be empty: then the report says so.
    #[must_use]
    pub fn seen_from(mut self, vantage: Vantage) -> Self {
        self.checks.retain(|check| check.vantage.allows(vantage));
        self.vantage = Some(vantage);
        self
    }

    /// The checks, in the contract's order.
    #[must_use]
    pub fn checks(&self) -> &[&'static Check] {
        &self.checks
    }

    /// Of how many checks of a step these are some, where checks or groups were chosen or left out; `None` where whole steps
    /// were.
    #[must_use]
    pub(crate) fn of_checks(&self, step: StepId) -> Option<usize> {
        let is_of =
            |check: &&Check| check.step == step && self.vantage.is_none_or(|vantage| check.vantage.allows(vantage));
        self.of_checks.then(|| CHECKS.iter().filter(is_of).count())
    }

    /// Whether a step was asked for; of others only what those stand behind is judged.
    #[must_use]
    pub(crate) fn asks_for(&self, step: StepId) -> bool {
        self.steps.is_empty() || self.steps.contains(&step)
    }

    /// Whether a check was asked for itself.
    #[must_use]
    pub(crate) fn asks_for_check(&self, code: &str) -> bool {
        self.asked.contains(code)
    }

    /// Whether files are judged, and no cluster.
    #[must_use]
    pub(crate) fn is_of_files(&self) -> bool {
        self.of_files
    }

    /// The checks that were asked for and left out on request.
    #[must_use]
    pub(crate) fn ignored(&self) -> &[&'static Check] {
        &self.ignored
    }

    /// Every check to judge, in the contract's order: the selected ones, and ignored ones that others stand behind.
    #[must_use]
    pub fn judged(&self) -> Vec<&'static Check> {
        let codes = closure(&self.checks);
        let allowed = |check: &Check| self.vantage.is_none_or(|vantage| check.vantage.allows(vantage));
        CHECKS
            .iter()
            .filter(|check| codes.contains(check.code) && allowed(check))
            .collect()
    }

    /// The sources that these checks rest on: their own, those of the checks they stand behind, and those through
    /// which these are found.
    #[must_use]
    pub fn sources(&self) -> BTreeSet<Source> {
        self.less_injected(through(self.judged().iter().flat_map(|check| check.reads).copied()))
    }

    /// [`Selection::sources`], and those that advice is made from: what to collect.
    #[must_use]
    pub fn collected(&self) -> BTreeSet<Source> {
        let judged = self.judged();
        let reads = judged.iter().flat_map(|check| check.reads.iter().chain(check.advice));
        self.less_injected(through(reads.copied()))
    }

    /// The steps of whose Helm releases something is judged: of these alone Secrets are listed.
    #[must_use]
    pub fn releases(&self) -> BTreeSet<StepId> {
        let judged = self.judged().into_iter();
        let reading = judged.filter(|check| check.reads.contains(&Source::HelmReleases));
        let steps = reading.flat_map(|check| match check.id {
            // The order is that of all of them.
            Code::SF483 => StepId::ALL.to_vec(),
            _ => vec![check.step],
        });
        steps.collect()
    }

    fn less_injected(&self, mut sources: BTreeSet<Source>) -> BTreeSet<Source> {
        sources.retain(|source| !self.injected.contains(source));
        sources
    }
}

fn is_named(check: &Check, names: &[String]) -> bool {
    let is_it = |name: &String| check.code.eq_ignore_ascii_case(name) || check.slug.eq_ignore_ascii_case(name);
    names.iter().any(is_it)
}

fn is_in(check: &Check, groups: &[String]) -> bool {
    check.groups.iter().any(|group| groups.iter().any(|name| name == group))
}

/// The given sources and all through which they are found.
fn through(sources: impl Iterator<Item = Source>) -> BTreeSet<Source> {
    let mut open: Vec<Source> = sources.collect();
    let mut sources = BTreeSet::new();
    while let Some(source) = open.pop() {
        if sources.insert(source) {
            open.extend(source.found_through());
        }
    }
    sources
}

/// The codes of the given checks, of all that they stand behind, and of those that tell what is present.
fn closure(checks: &[&'static Check]) -> BTreeSet<&'static str> {
    let mut codes = BTreeSet::new();
    let mut open: Vec<&'static str> = checks.iter().map(|check| check.code).collect();
    while let Some(code) = open.pop() {
        if codes.insert(code) {
            let check = check(code).into_iter();
            open.extend(
                check.flat_map(|check| check.requires.iter().chain(check.present.iter().map(|(_, code)| code))),
            );
        }
    }
    codes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Contract;

    #[test]
    fn the_agent_judges_every_gating_check_and_collects_no_status() {
        let contract = Contract::embedded().unwrap();
        let inside = Selection::inside();
        let judged: Vec<&str> = inside.checks().iter().map(|check| check.code).collect();
        for terms in contract
            .steps
            .iter()
            .flat_map(|step| &step.checks)
            .filter(|terms| terms.gates)
        {
            assert!(
                judged.contains(&terms.code.as_str()),
                "{} gates and is not judged inside",
                terms.code
            );
        }
        for check in inside.checks() {
            assert!(check.vantage.allows(Vantage::Inside), "{}", check.code);
        }
        assert!(!inside.collected().contains(&Source::ShuttleStatus));
        assert!(inside.collected().contains(&Source::StateMetricsScrape));
        assert!(inside.collected().is_superset(&inside.sources()));
    }

    #[test]
    fn a_selection_is_what_was_asked_for_and_what_it_stands_behind() {
        let request = SelectionRequest {
            checks: vec!["SF302".to_owned()],
            ..SelectionRequest::default()
        };
        let selection = Selection::new(&request).unwrap();
        let judged: Vec<&str> = selection.judged().iter().map(|check| check.code).collect();
        assert_eq!(judged, ["SF101", "SF301", "SF302"]);
        assert!(selection.sources().contains(&Source::MetricsApiService));
        assert!(!selection.sources().contains(&Source::Pods));
        assert_eq!(selection.ignored().len(), 0);

        let request = SelectionRequest {
            ignored_groups: vec!["helm".to_owned()],
            ..SelectionRequest::default()
        };
        let ignored = Selection::new(&request).unwrap();
        let codes: Vec<&str> = ignored.ignored().iter().map(|check| check.code).collect();
        assert!(codes.contains(&"SF280") && codes.contains(&"SF483"), "{codes:?}");
    }

    fn request(steps: &[StepId], checks: &[&str], ignored_groups: &[&str]) -> SelectionRequest {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        SelectionRequest {
            steps: steps.to_vec(),
            checks: owned(checks),
            ignored_groups: owned(ignored_groups),
            ..SelectionRequest::default()
        }
    }

    fn recorded(request: SelectionRequest) -> RecordedSelection {
        RecordedSelection {
            request,
            starbase: false,
            stores: false,
            terraform: false,
            named: crate::evidence::Named::default(),
        }
    }

    fn ignored(selection: &Selection) -> Vec<&'static str> {
        selection.ignored().iter().map(|check| check.code).collect()
    }

    /// All that the report is made from.
    fn facts(selection: &Selection) -> impl PartialEq + std::fmt::Debug + use<> {
        let codes = |checks: &[&'static Check]| checks.iter().map(|check| check.code).collect::<Vec<_>>();
        let Selection {
            checks,
            ignored,
            of_checks,
            steps,
            asked,
            ..
        } = selection.clone();
        (codes(&checks), codes(&ignored), of_checks, steps, asked)
    }

    #[test]
    fn without_a_selection_a_recording_is_judged_as_it_was_recorded() {
        let requests = [
            SelectionRequest::default(),
            request(&[StepId::Three], &[], &[]),
            request(&[], &["SF304", "metrics-api-available"], &["helm"]),
            request(&[StepId::Three, StepId::Four], &[], &["helm"]),
        ];
        let all = SelectionRequest::default();
        for request in requests {
            let live = Selection::new(&request).unwrap();
            let again = Selection::of_recording(Some(&recorded(request)), &all).unwrap();
            assert_eq!(facts(&again), facts(&live));
        }
        // Of one that does not say what it was recorded with all is judged.
        let again = Selection::of_recording(None, &all).unwrap();
        assert_eq!(facts(&again), facts(&Selection::new(&all).unwrap()));
    }

    #[test]
    fn with_one_it_is_judged_and_what_was_left_out_stays_so() {
        let three = recorded(request(&[StepId::Three, StepId::Four], &[], &["helm"]));
        let of = |request: &SelectionRequest| Selection::of_recording(Some(&three), request);
        let narrowed = of(&request(&[StepId::Four], &[], &[])).unwrap();
        assert!(narrowed.asks_for(StepId::Four) && !narrowed.asks_for(StepId::Three));
        assert!(narrowed.asks_for_check("SF401") && !narrowed.asks_for_check("SF501"));
        // What is asked for and was not recorded is judged too, and is unknown then.
        let wider = of(&request(&[StepId::Four, StepId::Five], &[], &[])).unwrap();
        assert!(wider.asks_for_check("SF401") && wider.asks_for_check("SF501"));
        let wider = of(&request(&[], &["SF302", "SF501", "SF480"], &[])).unwrap();
        assert!(
            ["SF302", "SF501", "SF480"]
                .iter()
                .all(|code| wider.asks_for_check(code))
        );
        // What was left out then stays so, and of nothing else that is said.
        assert!(ignored(&narrowed).contains(&"SF483") && !ignored(&narrowed).contains(&"SF380"));
        let mut without = request(&[], &[], &[]);
        without.ignored_checks = vec!["SF501".to_owned(), "SF302".to_owned()];
        let left_out = of(&without).unwrap();
        assert!(ignored(&left_out).contains(&"SF302") && !ignored(&left_out).contains(&"SF501"));
        assert_eq!(
            of(&request(&[StepId::Five], &[], &[])).unwrap_err(),
            SelectionError::NotRecorded(three.request.clone())
        );
        assert_eq!(
            of(&request(&[], &["SF999"], &[])).unwrap_err(),
            SelectionError::NoSuchCheck("SF999".to_owned())
        );
    }

    #[test]
    fn a_check_that_a_later_version_recorded_selects_no_other() {
        let later = recorded(request(&[], &["SF999"], &[]));
        let all = SelectionRequest::default();
        assert!(matches!(
            Selection::of_recording(Some(&later), &all),
            Err(SelectionError::NotRecorded(_))
        ));
    }

    #[test]
    fn what_can_be_proved_inside_stands_behind_nothing_that_cannot() {
        for check in Selection::inside().checks() {
            for required in check.requires {
                let required = super::check(required).unwrap();
                assert!(
                    required.vantage.allows(Vantage::Inside),
                    "{} requires {}",
                    check.code,
                    required.code
                );
            }
        }
    }
}
