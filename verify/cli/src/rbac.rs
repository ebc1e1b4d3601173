//! `rbac`: the least roles that an audit needs.

mod manifest;

use self::manifest::Grantee;
use super::args::{RbacArgs, SubjectArgs};
use super::failure::Failure;
use super::printer::Printer;
use crate::render::Shown;
use starform_verify::collect::rbac::{Rule, RuleOptions, rules};
use starform_verify::contract::{Contract, Release};
use starform_verify::evidence::Vantage;
use starform_verify::report::ExitCode;
use std::collections::BTreeSet;

/// Prints the roles and their bindings.
pub(crate) fn rbac(args: &RbacArgs, printer: Printer) -> Result<ExitCode, Failure> {
    let (contract, _) = args.contract.load()?;
    let selection = args.selection.select()?;
    let own = own_namespaces(&contract);
    for namespace in &args.namespace {
        let accepted = accepted_namespaces(&contract);
        if !accepted.contains(namespace.as_str()) {
            let accepted = accepted.into_iter().collect::<Vec<_>>().join(", ");
            return Err(Failure::usage(format!(
                "namespace {namespace:?} is none in which the contract accepts a component; it accepts {accepted}"
            )));
        }
    }
    let options = RuleOptions {
        vantage: Vantage::Outside,
        accepted_namespaces: !args.namespace.is_empty(),
        shards: args.sharded,
    };
    let is_granted = |rule: &Rule| {
        rule.namespace
            .as_ref()
            .is_none_or(|namespace| own.contains(namespace.as_str()) || args.namespace.contains(namespace))
    };
    let rules: Vec<Rule> = rules(&selection.sources(), &contract, options)
        .into_iter()
        .filter(is_granted)
        .collect();
    printer.print(&Shown::document(&manifest::yaml(
        &args.name,
        &grantee(&args.subject),
        &rules,
    )))?;
    Ok(ExitCode::Conforms)
}

fn grantee(subject: &SubjectArgs) -> Grantee<'_> {
    match subject {
        SubjectArgs {
            service_account: Some((namespace, name)),
            ..
        } => Grantee::ServiceAccount { namespace, name },
        SubjectArgs { user, .. } => Grantee::User(user.as_deref().unwrap_or_default()),
    }
}

/// Where the contract installs: the first of the namespaces that it accepts.
fn own_namespaces(contract: &Contract) -> BTreeSet<&str> {
    let components = &contract.components;
    [&components.metrics_server, &components.kube_state_metrics]
        .into_iter()
        .filter_map(|terms| terms.namespaces.first())
        .chain([&components.shuttle.namespace])
        .chain(
            contract
                .steps
                .iter()
                .flat_map(|step| &step.releases)
                .map(|release| &release.namespace),
        )
        .map(String::as_str)
        .collect()
}

fn accepted_namespaces(contract: &Contract) -> BTreeSet<&str> {
    let components = &contract.components;
    [&components.metrics_server, &components.kube_state_metrics]
        .into_iter()
        .flat_map(|terms| &terms.namespaces)
        .map(String::as_str)
        .chain(
            contract
                .steps
                .iter()
                .flat_map(|step| &step.releases)
                .flat_map(Release::namespaces),
        )
        .collect()
}
