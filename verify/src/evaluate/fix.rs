//! What to type: commands with the real names in them, quoted for a POSIX shell.

use super::subject::Subject;
use crate::contract::Release;
use crate::report::{Fix, ObjectReference};

// === impl Subject ===

impl Subject<'_> {
    /// `kubectl …`, aimed at the cluster that was audited.
    pub(super) fn kubectl<I, S>(self, arguments: I) -> String
    where
        I: IntoIterator<Item = S>,
        S: AsRef<str>,
    {
        let mut words = self.aimed("kubectl", "--context");
        words.extend(arguments.into_iter().map(|word| word.as_ref().to_owned()));
        shell_words::join(words)
    }

    /// `helm …`, aimed at the cluster that was audited.
    pub(super) fn helm<I, S>(self, arguments: I) -> String
    where
        I: IntoIterator<Item = S>,
        S: AsRef<str>,
    {
        let mut words = self.aimed("helm", "--kube-context");
        words.extend(arguments.into_iter().map(|word| word.as_ref().to_owned()));
        shell_words::join(words)
    }

    /// The `helm upgrade --install` that brings a release back to what the contract says.
    pub(super) fn helm_upgrade(self, release: &Release, namespace: &str) -> String {
        let mut words = self.aimed("helm", "--kube-context");
        let upgrade = [
            "upgrade",
            "--install",
            &release.name,
            &release.chart,
            "--namespace",
            namespace,
        ];
        let to = ["--version", &release.version, "--values", &in_clone(&release.values)];
        words.extend(upgrade.into_iter().chain(to).map(str::to_owned));
        if release.per_cluster {
            // Whoever types it knows both; evidence of the one check at hand need not.
            let own = [
                "--values",
                &in_clone("regions/REGION.yaml"),
                "--set-string",
                "cluster.name=CLUSTER_ID",
            ];
            words.extend(own.map(str::to_owned));
        }
        words.push("--wait".to_owned());
        shell_words::join(words)
    }

    /// The beginning of a command for the cluster that was audited: it is named where the audit's command line named it.
    fn aimed(self, program: &str, context_flag: &str) -> Vec<String> {
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

    /// A fix by `helm upgrade` of the release of that name; `namespace` is where it stands, if it stands anywhere.
    pub(super) fn upgrade(self, release: &str, namespace: Option<&str>, summary: impl Into<String>) -> Fix {
        let commands = match self.contract.release(release) {
            Some(release) => vec![self.helm_upgrade(release, namespace.unwrap_or(&release.namespace))],
            None => Vec::new(),
        };
        Fix {
            summary: summary.into(),
            commands,
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

/// A fix of commands that are typed in order.
pub(super) fn fix(summary: impl Into<String>, commands: impl IntoIterator<Item = String>) -> Fix {
    Fix {
        summary: summary.into(),
        commands: commands.into_iter().collect(),
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
