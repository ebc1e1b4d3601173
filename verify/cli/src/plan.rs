//! `plan`: the install sequence for a cluster, as a shell script, from the contract.

use super::args::PlanArgs;
use super::failure::Failure;
use super::printer::Printer;
use crate::render::Shown;
use starform_verify::contract::{Action, Contract, Entry, Release, SecretTerms, Step, StepId, typed_duration};
use starform_verify::report::ExitCode;
use std::fmt::Write;

/// Where `helmfile.yaml` stands, below the manifests.
const HELM: &str = "\"$manifests\"/helm";

/// What gives a Secret that is there another value. `kubectl apply` would leave it in an annotation, and arguments are seen by
/// everybody on the machine: the value passes through pipes only.
const UPDATE: &str = r#"
# Gives key $3 of Secret $1 in namespace $2 what is on stdin, where it holds something else.
update_secret() {
  local given held
  given=$(base64 | tr -d '\n')
  held=$(kubectl get secret "$1" --namespace "$2" --output "jsonpath={.data.${3//./\\.}}")
  if test "$given" != "$held"; then
    kubectl patch secret "$1" --namespace "$2" --type merge --patch-file <(printf '{"data":{"%s":"%s"}}' "$3" "$given")
    echo "Key $3 of Secret $1 in namespace $2 held something else. Pods that have it as a variable keep that until they are made anew." >&2
  fi
}
"#;

/// A script under construction.
struct Script<'a> {
    contract: &'a Contract,
    text: String,
}

/// Prints the script. It runs as it is; what only the user has, it asks for by variables.
pub(crate) fn plan(args: &PlanArgs, printer: Printer) -> Result<ExitCode, Failure> {
    let (contract, _) = args.contract.load()?;
    let mut script = Script {
        contract: &contract,
        text: String::new(),
    };
    script.head(args);
    script.repositories();
    for (step, entries) in contract.sequence() {
        script.step(step, &entries);
    }
    script
        .text
        .push_str("\n# The whole contract, once more.\nstarform-verify\n");
    printer.print(&Shown::document(&script.text))?;
    Ok(ExitCode::Conforms)
}

// === impl Script ===

impl Script<'_> {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn head(&mut self, args: &PlanArgs) {
        let _ = write!(
            self.text,
            "#!/usr/bin/env bash\n\
             # The install sequence for the cluster of the current kubeconfig context. Running it again changes only what differs.\n\
             # Written by starform-verify {} from the contract {}.\n\
             set -euo pipefail\n\n\
             cluster_id={}\n\
             region={}\n\
             manifests={}\n",
            env!("CARGO_PKG_VERSION"),
            self.contract.digest,
            shell_words::quote(&args.cluster_id),
            shell_words::quote(&args.region),
            shell_words::quote(&args.manifests),
        );
        self.secrets_to_fill_in();
        self.line("\nfor program in helm kubectl starform-verify; do");
        self.line("  command -v \"$program\" > /dev/null || { echo \"$program is not on PATH\" >&2; exit 1; }");
        self.line("done");
        let _ = writeln!(self.text, "test -f {HELM}/regions/\"$region\".yaml || {{");
        self.line("  echo \"no file $manifests/helm/regions/$region.yaml: Terraform's output region_values makes it\" >&2; exit 1");
        self.line("}");
        self.same_cluster();
        if self.secrets().next().is_some() {
            self.text.push_str(UPDATE);
        }
    }

    /// Ends where the cluster is another by its own word, before anything is changed.
    fn same_cluster(&mut self) {
        let secrets: Vec<SecretTerms> = self.secrets().cloned().collect();
        for secret in secrets {
            let Some(key) = &secret.cluster_id else {
                continue;
            };
            let named = shell_words::join([secret.name.as_str(), "--namespace", &secret.namespace]);
            let template = format!(
                "go-template={{{{with .data}}}}{{{{with index . \"{key}\"}}}}{{{{. | base64decode}}}}{{{{end}}}}{{{{end}}}}"
            );
            let template = shell_words::quote(&template);
            let _ = write!(
                self.text,
                "\n# A cluster keeps its ID: the telemetry of two would be one.\n\
                 is=$(kubectl get secret {named} --ignore-not-found --output {template})\n\
                 if test -n \"$is\" && test \"$is\" != \"$cluster_id\"; then\n  \
                 printf 'Secret {0} in namespace {1} says that this cluster is %q, not %q. Is it the one that you mean\\n' \"$is\" \"$cluster_id\" >&2\n  \
                 echo '(kubectl config current-context)? If its ID is to change, end its registration (shuttle deregister), then' >&2\n  \
                 echo 'kubectl --namespace {1} delete secret {0}, and run this again.' >&2\n  \
                 exit 1\n\
                 fi\n",
                secret.name, secret.namespace,
            );
        }
    }

    /// Names the variables that say where each Secret's files are.
    fn secrets_to_fill_in(&mut self) {
        let secrets: Vec<SecretTerms> = self.secrets().cloned().collect();
        if secrets.is_empty() {
            return;
        }
        self.line("\n# Fill in, or give in the environment: the files that these Secrets are made of. Of a Secret that is there already,");
        self.line("# the keys of which no file is given stay as they are.");
        for secret in secrets {
            let _ = writeln!(self.text, "# Secret {} in namespace {}", secret.name, secret.namespace);
            for key in secret.files.iter().chain(&secret.lines) {
                let _ = writeln!(self.text, "{}=${{{0}:-}}", variable(&secret, key));
            }
        }
    }

    fn secrets(&self) -> impl Iterator<Item = &SecretTerms> {
        let actions = self
            .contract
            .steps
            .iter()
            .flat_map(|step| step.before.iter().chain(&step.after));
        actions.filter_map(|action| match action {
            Action::Secret(secret) => Some(secret),
            _ => None,
        })
    }

    fn repositories(&mut self) {
        let repositories = self.contract.repositories();
        if repositories.is_empty() {
            return;
        }
        self.text.push('\n');
        for (alias, url) in repositories {
            let words = ["helm", "repo", "add", alias, url];
            self.line(&shell_words::join(words));
        }
        self.line("helm repo update");
    }

    fn step(&mut self, step: &Step, entries: &[Entry<'_>]) {
        if entries.is_empty() {
            return;
        }
        let _ = writeln!(self.text, "\n# Step {}: {}", step.id, step.title);
        for entry in entries {
            match entry {
                Entry::Action(action) => self.action(action),
                Entry::Release(release) => self.release(release),
                Entry::Gate(steps) => self.gate(steps),
            }
        }
    }

    fn action(&mut self, action: &Action) {
        match action {
            Action::Apply(path) => {
                let path = beside_helmfile(path);
                self.line(&format!("kubectl apply --filename {path}"));
            }
            Action::GatewayApiCrds(release) => {
                // The reader of the contract refuses one that no step has.
                if let Some(release) = self.contract.release(release) {
                    let chart = shell_words::join([&release.chart, &release.version]);
                    self.line(&format!("{HELM}/gateway-api-crds {chart}"));
                }
            }
            Action::Secret(secret) => self.secret(secret),
        }
    }

    fn secret(&mut self, secret: &SecretTerms) {
        let named = shell_words::join([secret.name.as_str(), "--namespace", &secret.namespace]);
        self.line(&format!(
            "found=$(kubectl get secret {named} --ignore-not-found --output name)"
        ));
        let mut command = format!("  kubectl create secret generic {named}");
        let mut create = String::new();
        let mut update = String::new();
        let place = shell_words::join([secret.name.as_str(), secret.namespace.as_str()]);
        for (key, variable) in [(&secret.cluster_id, "cluster_id"), (&secret.region, "region")] {
            if let Some(key) = key {
                let key = shell_words::quote(key);
                let _ = write!(command, " \\\n    --from-literal={key}=\"${variable}\"");
                let _ = writeln!(update, "  printf %s \"${variable}\" | update_secret {place} {key}");
            }
        }
        for key in secret.files.iter().chain(&secret.lines) {
            let variable = variable(secret, key);
            let is_line = secret.lines.iter().any(|line| line == key);
            let key = shell_words::quote(key);
            // Here and not in the command: a process substitution that fails ends no script.
            let readable = format!(
                "test -r \"${variable}\" || {{ echo \"{variable} names no file: key {key} of Secret {}\" >&2; exit 1; }}",
                secret.name
            );
            let _ = writeln!(create, "  {readable}");
            let read = if is_line { "tr -d '\\n'" } else { "cat" };
            let _ = if is_line {
                write!(command, " \\\n    --from-file={key}=<({read} < \"${variable}\")")
            } else {
                write!(command, " \\\n    --from-file={key}=\"${variable}\"")
            };
            let _ = write!(
                update,
                "  if test -n \"${variable}\"; then\n    {readable}\n    {read} < \"${variable}\" | update_secret {place} {key}\n  fi\n"
            );
        }
        let _ = write!(
            self.text,
            "if test -z \"$found\"; then\n{create}{command}\nelse\n{update}fi\n"
        );
    }

    fn release(&mut self, release: &Release) {
        let named = shell_words::join([
            "helm",
            "upgrade",
            "--install",
            &release.name,
            &release.chart,
            "--version",
            &release.version,
            "--namespace",
            &release.namespace,
        ]);
        let mut command = format!("{named} \\\n  --values {}", beside_helmfile(&release.values));
        if release.per_cluster {
            let _ = write!(
                command,
                " --values {HELM}/regions/\"$region\".yaml --set-string cluster.name=\"$cluster_id\""
            );
        }
        let timeout = typed_duration(self.contract.install.helm_timeout);
        self.line(&format!("{command} \\\n  --wait --timeout {timeout}"));
    }

    fn gate(&mut self, steps: &[StepId]) {
        let steps: Vec<&str> = steps.iter().map(|step| step.as_str()).collect();
        let wait = typed_duration(self.contract.install.gate_wait);
        self.line(&format!("starform-verify --step {} --wait {wait}", steps.join(",")));
    }
}

/// A path that the contract gives relative to `helmfile.yaml`.
fn beside_helmfile(path: &str) -> String {
    let (base, path) = match path.strip_prefix("../") {
        Some(path) => ("\"$manifests\"", path),
        None => (HELM, path),
    };
    format!("{base}/{}", shell_words::quote(path))
}

/// The variable that names the file of a key: `TELEMETRY_STORES_CA_CRT`.
fn variable(secret: &SecretTerms, key: &str) -> String {
    let name = format!("{}_{key}", secret.name);
    let letter = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        }
    };
    name.chars().map(letter).collect()
}
