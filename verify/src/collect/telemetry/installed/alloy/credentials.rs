//! The credentials in a text of Alloy's configuration: where each stands, and whether in clear. Never what it is.

use super::names::{Holds, holds, is_credential, is_credential_header};
use super::syntax::{Expression, Statement};
use super::token::Problem;
use super::url;
use super::value::{REFERENCE, Value};
use crate::collect::telemetry::installed::credentials::in_clear;
use crate::evidence::{AlloyCredential, CredentialKind};
use std::collections::{BTreeMap, BTreeSet};

/// Of each kind that many are told; of those in clear one is enough to fail.
const BOUND: usize = 200;
/// How often a module may hold a module.
const DEPTH: usize = 8;
/// Of a name that many characters are told.
const NAME: usize = 80;

/// The arguments of each `declare` that reach a credential, by its name.
pub(super) type Declared = BTreeMap<String, BTreeSet<String>>;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) credentials: Vec<AlloyCredential>,
    /// The environment variables that credentials are taken from.
    pub(super) variables: BTreeSet<String>,
    /// The line of a module in the text that cannot be read, and why.
    pub(super) problem: Option<Problem>,
}

/// Finds them.
pub(super) fn find(statements: &[Statement], declared: &Declared) -> Found {
    let mut search = Search {
        declared,
        blocks: Vec::new(),
        path: Vec::new(),
        modules: 0,
        found: Found::default(),
    };
    search.body(statements);
    search.found
}

/// The arguments that reach credentials, through as many modules as pass them on; those too of the modules that stand in a
/// text as text.
pub(super) fn declared(bodies: &[&[Statement]]) -> Declared {
    let mut embedded = Vec::new();
    for body in bodies {
        embed(body, 0, &mut embedded);
    }
    let mut declared = Declared::new();
    loop {
        let before: usize = declared.values().map(BTreeSet::len).sum();
        for body in bodies.iter().copied().chain(embedded.iter().map(Vec::as_slice)) {
            declare(body, &mut declared);
        }
        if declared.values().map(BTreeSet::len).sum::<usize>() == before {
            return declared;
        }
    }
}

/// Reads the modules that stand in a body as text (`import.string`), and those in them. Of one that stands too deep it is
/// told where credentials are looked for.
fn embed(statements: &[Statement], depth: usize, embedded: &mut Vec<Vec<Statement>>) {
    for statement in statements {
        let Statement::Block { name, body, .. } = statement else {
            continue;
        };
        for inner in body {
            if let Statement::Attribute { name: attribute, value } = inner
                && holds(std::slice::from_ref(name), attribute) == Holds::Module
                && depth < DEPTH
            {
                for text in Value::of(value).texts {
                    let (module, _) = super::syntax::read(&text);
                    embed(&module, depth + 1, embedded);
                    embedded.push(module);
                }
            }
        }
        embed(body, depth, embedded);
    }
}

fn declare(statements: &[Statement], declared: &mut Declared) {
    for statement in statements {
        let Statement::Block { name, label, body } = statement else {
            continue;
        };
        if let ("declare", Some(label)) = (name.as_str(), label) {
            let mut arguments = BTreeSet::new();
            reach(body, &mut Vec::new(), declared, &mut arguments);
            declared.entry(label.clone()).or_default().append(&mut arguments);
        }
        declare(body, declared);
    }
}

/// The arguments that reach credentials of a body.
fn reach(statements: &[Statement], blocks: &mut Vec<String>, declared: &Declared, arguments: &mut BTreeSet<String>) {
    for statement in statements {
        match statement {
            Statement::Attribute { name, value } => {
                if matches!(holds(blocks, name), Holds::Credential | Holds::Headers)
                    || passes_on(blocks, name, declared)
                {
                    arguments.append(&mut Value::of(value).arguments);
                }
            }
            Statement::Block { name, body, .. } => {
                blocks.push(name.clone());
                reach(body, blocks, declared, arguments);
                blocks.pop();
            }
        }
    }
}

/// Whether an attribute is an argument of a `declare` that reaches a credential.
fn passes_on(blocks: &[String], name: &str, declared: &Declared) -> bool {
    let of = blocks.last().and_then(|block| block.rsplit('.').next());
    of.and_then(|of| declared.get(of))
        .is_some_and(|arguments| arguments.contains(name))
}

struct Search<'a> {
    declared: &'a Declared,
    /// The names of the blocks around.
    blocks: Vec<String>,
    /// The same with their labels, as evidence has them.
    path: Vec<String>,
    modules: usize,
    found: Found,
}

// === impl Search ===

impl Search<'_> {
    fn body(&mut self, statements: &[Statement]) {
        for statement in statements {
            match statement {
                Statement::Attribute { name, value } => self.attribute(name, value, statements),
                Statement::Block { name, label, body } => {
                    self.blocks.push(name.clone());
                    self.path.push(shown(name, label.as_deref()));
                    self.body(body);
                    self.path.pop();
                    self.blocks.pop();
                }
            }
        }
    }

    fn attribute(&mut self, name: &str, expression: &Expression, beside: &[Statement]) {
        let block = self.blocks.last().map(String::as_str);
        let holds = match (block, name) {
            // `otelcol.auth.headers`: a header's name stands beside its value.
            (Some("header"), "value") if may_be_a_credential(beside) => Holds::Credential,
            (Some("argument"), "default") if self.is_argument_of_a_credential() => Holds::Credential,
            _ if passes_on(&self.blocks, name, self.declared) => Holds::Credential,
            _ => holds(&self.blocks, name),
        };
        self.path.push(shown(name, None));
        match holds {
            Holds::Credential => self.credential(expression),
            Holds::Headers => self.fields(expression, &is_credential_header),
            Holds::Document => {
                self.document(expression);
                self.fields(expression, &is_credential);
            }
            Holds::Module => self.module(expression),
            Holds::Names | Holds::Pattern => {}
            Holds::Other => self.fields(expression, &is_credential),
        }
        if !matches!(holds, Holds::Credential | Holds::Pattern) {
            self.clear_parts(expression);
        }
        self.path.pop();
    }

    /// Whether the block `argument` names one that is called like a credential, or reaches one.
    fn is_argument_of_a_credential(&self) -> bool {
        let label = |block: Option<&String>| Some(block?.split_once('"')?.1.trim_end_matches('"').to_owned());
        let Some(argument) = label(self.path.last()) else {
            return false;
        };
        let around = self.path.len().checked_sub(2).and_then(|at| label(self.path.get(at)));
        let of = around.and_then(|of| self.declared.get(&of));
        is_credential(&argument) || of.is_some_and(|arguments| arguments.contains(&argument))
    }

    fn credential(&mut self, expression: &Expression) {
        let mut value = Value::of(expression);
        if value.variables.iter().any(|name| name.contains(REFERENCE)) {
            self.found.problem.get_or_insert(Problem {
                line: 1,
                what: "which variable a credential is taken from is not known before it runs",
            });
        }
        self.found.variables.append(&mut value.variables);
        if value.is_in_clear() {
            self.tell(CredentialKind::Literal, "");
        } else if value.refers() {
            self.tell(CredentialKind::Reference, "");
        }
    }

    /// The fields of the objects in a value, as far as they are called like credentials.
    fn fields(&mut self, expression: &Expression, called: &dyn Fn(&str) -> bool) {
        match expression {
            Expression::Object(fields) => {
                for (key, value) in fields {
                    self.path.push(shown(key, None));
                    if called(key) {
                        self.credential(value);
                    } else {
                        self.fields(value, called);
                    }
                    self.path.pop();
                }
            }
            Expression::List(values) | Expression::Joined(values) | Expression::Operands(values) => {
                for value in values {
                    self.fields(value, called);
                }
            }
            Expression::Call { arguments, .. } => {
                for value in arguments {
                    self.fields(value, called);
                }
            }
            Expression::Text(_) | Expression::Number | Expression::Word | Expression::Reference(_) => {}
        }
    }

    /// A document in a string: YAML, of which JSON is a part.
    fn document(&mut self, expression: &Expression) {
        for text in Value::of(expression).texts {
            let Ok(document) = serde_saphyr::from_str::<serde_json::Value>(&text) else {
                continue;
            };
            for place in in_clear("", &document) {
                self.tell(CredentialKind::Literal, &place);
            }
        }
    }

    fn module(&mut self, expression: &Expression) {
        if self.modules == DEPTH {
            let too_deep = Problem {
                line: 1,
                what: "a module is imported too deep to be read",
            };
            self.found.problem.get_or_insert(too_deep);
            return;
        }
        self.modules += 1;
        for text in Value::of(expression).texts {
            let (statements, problem) = super::syntax::read(&text);
            self.body(&statements);
            self.found.problem = self.found.problem.or(problem);
        }
        self.modules -= 1;
    }

    /// What is a credential wherever it stands: in a URL, or as a private key.
    fn clear_parts(&mut self, expression: &Expression) {
        let texts = Value::of(expression).texts;
        if texts.iter().any(|text| url::has_credential(text)) {
            self.tell(CredentialKind::Literal, " (in a URL)");
        }
        if texts.iter().any(|text| text.contains(super::PRIVATE_KEY)) {
            self.tell(CredentialKind::Literal, " (a private key)");
        }
    }

    fn tell(&mut self, kind: CredentialKind, more: &str) {
        let path = self.path.join(" > ") + more;
        let same = |told: &&AlloyCredential| told.kind == kind;
        let told = AlloyCredential { path, kind };
        if self.found.credentials.iter().filter(same).count() < BOUND && !self.found.credentials.contains(&told) {
            self.found.credentials.push(told);
        }
    }
}

/// Whether the header that stands in the same block carries a credential. Of one whose name is not told, that is not known.
fn may_be_a_credential(beside: &[Statement]) -> bool {
    let name = beside.iter().find_map(|statement| match statement {
        Statement::Attribute { name, value } if name == "key" => Some(value),
        _ => None,
    });
    match name {
        Some(Expression::Text(name)) => is_credential_header(name),
        _ => true,
    }
}

/// A name, as evidence has it: what no name of Alloy's or of HTTP's may have in it is left out.
fn shown(name: &str, label: Option<&str>) -> String {
    let clean = |text: &str| -> String {
        let is_of_names = |c: &char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        text.chars().filter(is_of_names).take(NAME).collect()
    };
    match label {
        Some(label) => format!("{} \"{}\"", clean(name), clean(label)),
        None => clean(name),
    }
}
