//! `explain`: what a check is about.

mod terminal;

use super::args::ExplainArgs;
use super::failure::Failure;
use super::printer::Printer;
use crate::render::{Shown, pages, schema};
use crate::values_files::manifest_check;
use serde::Serialize;
use starform_verify::contract::Contract;
use starform_verify::evaluate;
use starform_verify::report::ExitCode;
use std::io::{self, IsTerminal};

/// Prints a page, a list of all, all pages, or the schema of a report.
pub(crate) fn explain(args: &ExplainArgs, printer: Printer) -> Result<ExitCode, Failure> {
    let contract = || Contract::embedded().map_err(|error| Failure::tool(error.to_string()));
    let text = if args.list {
        Shown::own(pages::list(&contract()?))
    } else if args.markdown {
        Shown::own(pages::book(&contract()?))
    } else if args.schema {
        pretty(&schema())?
    } else {
        let name = args.check.as_deref().unwrap_or_default();
        let page = match (evaluate::check(name), manifest_check(name)) {
            (Some(check), _) => pages::page(check, &contract()?),
            (None, Some(check)) => pages::manifest_page(check),
            (None, None) => return Err(Failure::usage(format!("there is no check {name:?}"))),
        };
        if io::stdout().is_terminal() {
            Shown::own(terminal::styled(&page, Printer::screen()))
        } else {
            Shown::own(page)
        }
    };
    printer.print(&text)?;
    Ok(ExitCode::Conforms)
}

/// A document as pretty JSON.
pub(crate) fn pretty(document: &impl Serialize) -> Result<Shown, Failure> {
    Shown::json(document).map_err(|error| Failure::tool(error.to_string()))
}
