//! `rbac`: the least roles that an audit needs.

mod manifest;

use self::manifest::Grantee;
use super::args::{RbacArgs, SubjectArgs};
use super::failure::Failure;
use super::printer::Printer;
use crate::render::Shown;
use starform_verify::collect::rbac::{Rule, RuleOptions, rules};
use starform_verify::evidence::Vantage;
use starform_verify::report::ExitCode;

/// Prints the roles and their bindings.
pub(crate) fn rbac(args: &RbacArgs, printer: Printer) -> Result<ExitCode, Failure> {
    let (contract, _) = args.contract.load()?;
    let selection = args.selection.select()?;
    let own = contract.own_namespaces();
    for namespace in &args.namespace {
        let accepted = contract.accepted_namespaces();
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
        releases: &selection.releases(),
    };
    let is_granted = |rule: &Rule| {
        rule.namespace
            .as_ref()
            .is_none_or(|namespace| own.contains(namespace.as_str()) || args.namespace.contains(namespace))
    };
    let rules: Vec<Rule> = rules(&selection.collected(), &contract, options)
        .into_iter()
        .filter(is_granted)
        .collect();
    if let Some(before) = manifest::before(&rules) {
        printer.note(&before);
    }
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
