//! What a check advises, as it is typed in the cluster that was audited.

use super::fix::{Advice, Step};
use super::subject::Subject;
use crate::checks::Check;
use crate::contract::typed_duration;
use crate::report::{Fix, Verdict};
use crate::step::StepId;

/// What paths begin with in the commands that are typed in the root of a clone of the project.
const CLONE: &str = "manifests/";

// === impl Advice ===

impl Advice {
    /// As it is typed in the cluster that was audited, and what proves it of the check that advises it.
    pub(super) fn typed(self, subject: Subject<'_>, check: &Check, verdict: Verdict) -> Fix {
        let mut summary = self.summary;
        let mut commands = Vec::new();
        let mut is_kept = false;
        for step in self.steps {
            match step {
                Step::Type(command) => commands.push(command),
                Step::Install(install) => {
                    let typed = install.typed(subject);
                    summary.push_str(&typed.note);
                    is_kept |= typed.is_kept;
                    commands.extend(typed.commands);
                }
            }
        }
        // What is kept by a repository is changed there: the commands only look.
        let changes = is_kept || commands.is_empty() || commands.iter().any(|command| command.changes);
        // What could not be seen for a reason of the auditor's own is asked again in another way.
        let is_provable = verdict != Verdict::Unknown || !commands.is_empty();
        let commands: Vec<String> = commands.into_iter().map(|command| command.line).collect();
        Fix {
            summary,
            in_clone: commands.iter().any(|command| names_a_file(command)),
            commands,
            changes,
            proof: (changes && is_provable).then(|| subject.proof(check, verdict)),
        }
    }
}

// === impl Subject ===

impl Subject<'_> {
    /// What proves that a check is as it should be: it waits for that, and ends with success.
    fn proof(self, check: &Check, verdict: Verdict) -> String {
        let mut words = self.aimed("starform-verify", "--context");
        let named = self.evidence.selection.as_ref().map(|selection| &selection.named);
        let mut option = |option: &str, value: Option<&String>| {
            if let Some(value) = value {
                words.extend([option.to_owned(), value.clone()]);
            }
        };
        option("--contract", named.and_then(|named| named.contract.as_ref()));
        if check.reads.iter().any(|source| source.is_of_starbase()) {
            option("--starbase", named.and_then(|named| named.starbase.as_ref()));
            option("--token-file", named.and_then(|named| named.token_file.as_ref()));
            option("--starbase-ca", named.and_then(|named| named.starbase_ca.as_ref()));
        }
        if check.step == StepId::Region {
            option("--stores", named.and_then(|named| named.stores.as_ref()));
            option("--terraform", named.and_then(|named| named.terraform.as_ref()));
        }
        words.extend(["--check".to_owned(), check.code.to_owned()]);
        if verdict == Verdict::Warn {
            words.extend(["--fail-on", "warning"].map(str::to_owned));
        }
        words.extend(["--wait".to_owned(), typed_duration(self.contract.install.gate_wait)]);
        shell_words::join(words)
    }
}

/// Whether a command names a file of the project.
fn names_a_file(command: &str) -> bool {
    let words = shell_words::split(command).unwrap_or_default();
    words.iter().any(|word| word.starts_with(CLONE))
}
