//! Serves the answers on loopback, so that anyone can look at a state by hand.

use crate::answers::Answers;
use crate::cases;
use crate::mock::Mock;
use anyhow::Result;

/// Servers of canned answers, to look at with `starform-verify` or kubectl.
#[derive(Debug, clap::Parser)]
#[command(name = "testdata")]
pub enum Command {
    /// Serves a healthy cluster, or a case, on loopback until it is interrupted, and prints the kubeconfig.
    Serve {
        /// The name of a folder in `testdata/cases`.
        case: Option<String>,
    },
    /// Lists the cases that can be served.
    Cases,
}

impl Command {
    /// Does it.
    ///
    /// # Errors
    /// A case that is not there, or that does not apply to the good answers.
    pub async fn run(self) -> Result<()> {
        match self {
            Self::Serve { case } => serve(case.as_deref()).await,
            Self::Cases => {
                for case in cases::all()? {
                    anstream::println!("{}", case.name);
                }
                Ok(())
            }
        }
    }
}

async fn serve(case: Option<&str>) -> Result<()> {
    let answers = match case {
        Some(name) => cases::case(name)?.answers()?,
        None => Answers::good(),
    };
    answers.complete();
    let mock = Mock::of(answers).await;
    let name = case.unwrap_or("healthy");
    anstream::print!("{}", kubeconfig(&format!("http://{}", mock.address), name));
    anstream::eprintln!("Serving {name} until interrupted. With the lines above in a file:");
    anstream::eprintln!("  starform-verify --kubeconfig FILE");
    anstream::eprintln!("  kubectl --kubeconfig FILE get pods --all-namespaces");
    tokio::signal::ctrl_c().await?;
    Ok(())
}

fn kubeconfig(server: &str, name: &str) -> String {
    format!(
        "apiVersion: v1
kind: Config
current-context: {name}
clusters: [{{name: {name}, cluster: {{server: \"{server}\"}}}}]
contexts: [{{name: {name}, context: {{cluster: {name}, user: nobody}}}}]
users: [{{name: nobody, user: {{}}}}]
"
    )
}
