//! Decides whether a Kubernetes cluster keeps Starform's install contract, and if not, which step broke first.
//!
//! Data flows one way:
//!
//! ```text
//! contract.yaml ─────────────────────────┐
//!                                        ▼
//! cluster ──► collect ──► Evidence ──► evaluate ──► Report
//!             (all I/O)   (plain data)  (pure)
//! ```
//!
//! [`collect`] does all the I/O and decides nothing; [`evaluate`] is a pure function of contract and evidence. Both
//! callers, the auditor `starform-verify` and the agent `shuttle`, use this library, so that they cannot disagree. What
//! they show of it is their own: here is only what makes it safe for a screen, [`printable`].
//!
//! From a kubeconfig to the code that a pipeline ends with:
//!
//! ```no_run
//! use starform_verify::collect::{ConnectOptions, Connection, Plan, Targets, collect};
//! use starform_verify::contract::Contract;
//! use starform_verify::evaluate::{Selection, evaluate};
//! use starform_verify::report::{ExitCode, FailOn, exit_code};
//! use std::time::Duration;
//!
//! async fn audit() -> Result<ExitCode, Box<dyn std::error::Error>> {
//!     let request_timeout = Duration::from_secs(10);
//!     let contract = Contract::embedded()?;
//!     let connection = Connection::from_kubeconfig(&ConnectOptions {
//!         request_timeout,
//!         ..ConnectOptions::default()
//!     })
//!     .await?;
//!     let targets = Targets::from(connection);
//!     let selection = Selection::all().seen_from(targets.target().vantage);
//!     let plan = Plan {
//!         releases: selection.releases(),
//!         sources: selection.collected(),
//!         timeout: Duration::from_secs(120),
//!         request_timeout,
//!         earlier: None,
//!         stop: tokio_util::sync::CancellationToken::new(),
//!     };
//!     // What cannot be seen is evidence too: it is no error here, and no pass below.
//!     let evidence = collect(&targets, &contract, &plan, |_| {}).await;
//!     let report = evaluate(&contract, &evidence, &selection);
//!     Ok(exit_code(&report, FailOn::Fail))
//! }
//! ```

mod checks;
pub mod collect;
pub mod contract;
pub mod evaluate;
pub mod evidence;
mod flow;
pub mod printable;
pub mod report;
mod scalar;
mod step;
pub mod values;
