//! What to type: commands with the real names in them, quoted for a POSIX shell.
//!
//! A check advises ([`Advice`]) by what it has read. What is typed in the end depends on more: an installation is another's, is
//! stuck, or is taken back by whoever keeps it. That is added once, from all of the evidence (`typed.rs`).

use super::subject::Subject;
use crate::contract::Release;
use crate::report::{Fix, ObjectReference};

/// How something is mended, as a check advises it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// What to do, in a sentence.
    pub(super) summary: String,
    /// What to type, in order.
    pub(super) steps: Vec<Step>,
}

/// A part of what is typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// This.
    Type(Command),
    /// Whatever installs a release as the contract says.
    Install(Install),
}

/// A release to install.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Install {
    pub(super) release: String,
    pub(super) namespace: String,
    /// Whether the commands before it have mended the release's record.
    pub(super) is_mended: bool,
}

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Command {
    /// As it is typed.
    pub(super) line: String,
    /// Whether it changes something; else it only looks.
    pub(super) changes: bool,
}

// === impl Advice ===

impl Advice {
    /// Advice that no command gives.
    pub(super) fn of_words(summary: &str) -> Self {
        Self {
            summary: summary.to_owned(),
            steps: Vec::new(),
        }
    }

    /// Advice about files, which are changed by hand; the commands help with it.
    #[must_use]
    pub fn of_files(summary: &str, commands: Vec<String>) -> Self {
        let look = |line| Step::Type(Command { line, changes: false });
        Self {
            summary: summary.to_owned(),
            steps: commands.into_iter().map(look).collect(),
        }
    }

    /// The same, with a command to type before.
    pub(super) fn first(mut self, command: Command) -> Self {
        self.steps.insert(0, Step::Type(command));
        self
    }

    /// The same, with a command to type behind.
    pub(super) fn then(mut self, command: Command) -> Self {
        self.steps.push(Step::Type(command));
        self
    }

    /// As a report tells it where only what it says itself counts: of files.
    pub(super) fn words(&self) -> Fix {
        let commands = self.steps.iter().filter_map(|step| match step {
            Step::Type(command) => Some(command.line.clone()),
            Step::Install(_) => None,
        });
        Fix {
            summary: self.summary.clone(),
            commands: commands.collect(),
            changes: true,
            in_clone: false,
            proof: None,
        }
    }
}

// === impl Install ===

impl Install {
    /// `namespace` is where it stands, if it stands anywhere.
    pub(super) fn new(release: &Release, namespace: Option<&str>) -> Self {
        Self {
            release: release.name.clone(),
            namespace: namespace.unwrap_or(&release.namespace).to_owned(),
            is_mended: false,
        }
    }

    /// The same, behind commands that mend the release's record.
    pub(super) fn of_mended(release: &Release, namespace: &str) -> Self {
        Self {
            is_mended: true,
            ..Self::new(release, Some(namespace))
        }
    }
}

// === impl Command ===

impl Command {
    /// A command that changes something.
    pub(super) fn that_changes(line: String) -> Self {
        Self { line, changes: true }
    }

    /// A command that only looks.
    pub(super) fn that_looks(line: String) -> Self {
        Self { line, changes: false }
    }

    /// What it prints is given to another.
    pub(super) fn piped_into(self, other: &Self) -> Self {
        Self {
            line: format!("{} | {}", self.line, other.line),
            changes: self.changes || other.changes,
        }
    }

    /// Of a program's words: by its verb, the first word that is neither an option nor the namespace.
    fn of(words: &[String], looks: &[&str]) -> Self {
        let mut rest = words.iter().skip(1);
        let mut verb = "";
        while let Some(word) = rest.next() {
            match word.as_str() {
                "--namespace" | "--context" | "--kube-context" | "--kubeconfig" => {
                    rest.next();
                }
                word if word.starts_with("--") => {}
                word => {
                    verb = word;
                    break;
                }
            }
        }
        // `rollout restart` changes, `rollout status` looks.
        let of_rollout = |object: &str| verb == "rollout" && matches!(object, "status" | "history");
        let only_looks = looks.contains(&verb) || rest.next().is_some_and(|object| of_rollout(object));
        Self {
            line: shell_words::join(words),
            changes: !only_looks,
        }
    }
}

/// The verbs of kubectl that only look.
const KUBECTL_LOOKS: [&str; 6] = ["auth", "describe", "events", "get", "logs", "top"];
/// The verbs of Helm that only look.
const HELM_LOOKS: [&str; 5] = ["get", "history", "list", "show", "status"];

// === impl Subject ===

impl Subject<'_> {
    /// `kubectl …`, aimed at the cluster that was audited.
    pub(super) fn kubectl<I, S>(self, arguments: I) -> Command
    where
        I: IntoIterator<Item = S>,
        S: AsRef<str>,
    {
        let mut words = self.aimed("kubectl", "--context");
        words.extend(arguments.into_iter().map(|word| word.as_ref().to_owned()));
        Command::of(&words, &KUBECTL_LOOKS)
    }

    /// `helm …`, aimed at the cluster that was audited.
    pub(super) fn helm<I, S>(self, arguments: I) -> Command
    where
        I: IntoIterator<Item = S>,
        S: AsRef<str>,
    {
        let mut words = self.aimed("helm", "--kube-context");
        words.extend(arguments.into_iter().map(|word| word.as_ref().to_owned()));
        Command::of(&words, &HELM_LOOKS)
    }

    /// The beginning of a command for the cluster that was audited: it is named where the audit's command line named it.
    pub(super) fn aimed(self, program: &str, context_flag: &str) -> Vec<String> {
        let target = &self.evidence.target;
        let mut words = vec![program.to_owned()];
        if let Some(kubeconfig) = &target.kubeconfig {
            words.extend(["--kubeconfig".to_owned(), kubeconfig.clone()]);
        }
        if let (true, Some(context)) = (target.context_named, &target.context) {
            words.extend([context_flag.to_owned(), context.clone()]);
        }
        words
    }

    /// Shows by its labels whose an object is; it is named as kubectl takes it.
    pub(super) fn labels_of(self, namespace: &str, object: &str) -> Command {
        self.kubectl(["--namespace", namespace, "get", object, "--show-labels"])
    }

    /// To see what becomes of a node.
    pub(super) fn describe_node(self, node: &str) -> Command {
        self.kubectl(["describe", "node", node])
    }

    /// Advice for a node that is just made or goes away.
    pub(super) fn look_at_node(self, node: &str) -> Advice {
        fix("see what becomes of the node", [self.describe_node(node)])
    }

    /// Applies the CRDs that come with a chart.
    pub(super) fn apply_crds(self, release: &Release) -> Command {
        let show = ["helm", "show", "crds"].map(str::to_owned).into_iter();
        let apply = self.kubectl(["apply", "--server-side", "--force-conflicts", "--filename", "-"]);
        Command::that_looks(shell_words::join(show.chain(release.chart_by_address()))).piped_into(&apply)
    }

    /// Advice to install the release of that name as the contract says; `namespace` is where it stands, if it stands anywhere.
    pub(super) fn upgrade(self, release: &str, namespace: Option<&str>, summary: impl Into<String>) -> Advice {
        let steps = match self.contract.release(release) {
            Some(release) => vec![Step::Install(Install::new(release, namespace))],
            None => Vec::new(),
        };
        Advice {
            summary: summary.into(),
            steps,
        }
    }
}

/// A path that the contract gives relative to `helmfile.yaml`, from where the printed commands are typed: the root of a clone
/// of the project, as `plan` assumes it.
pub(super) fn in_clone(path: &str) -> String {
    match path.strip_prefix("../") {
        Some(path) => format!("manifests/{path}"),
        None => format!("manifests/helm/{path}"),
    }
}

/// Advice of commands that are typed in order.
pub(super) fn fix(summary: impl Into<String>, commands: impl IntoIterator<Item = Command>) -> Advice {
    Advice {
        summary: summary.into(),
        steps: commands.into_iter().map(Step::Type).collect(),
    }
}

/// An object of a namespace.
pub(super) fn object(kind: &str, namespace: &str, name: &str) -> ObjectReference {
    ObjectReference {
        kind: kind.to_owned(),
        namespace: Some(namespace.to_owned()),
        name: name.to_owned(),
    }
}

/// An object of the cluster.
pub(super) fn cluster_object(kind: &str, name: &str) -> ObjectReference {
    ObjectReference {
        kind: kind.to_owned(),
        namespace: None,
        name: name.to_owned(),
    }
}

/// `1 pod`, `3 pods`.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

/// The first few names, and how many more there are.
pub(super) fn names<I>(names: I) -> String
where
    I: IntoIterator,
    I::Item: AsRef<str>,
{
    const SHOWN: usize = 3;
    let mut shown = String::new();
    let mut more = 0usize;
    for (i, name) in names.into_iter().enumerate() {
        match i {
            0 => shown.push_str(name.as_ref()),
            i if i < SHOWN => {
                shown.push_str(", ");
                shown.push_str(name.as_ref());
            }
            _ => more += 1,
        }
    }
    if more > 0 {
        format!("{shown} and {more} more")
    } else {
        shown
    }
}
