//! What of an expression reaches the attribute that it stands at: text that stands in clear, or what a reference brings.

use super::syntax::Expression;
use std::collections::BTreeSet;

/// Words that say how a credential is meant, and are none.
const SCHEMES: [&str; 6] = ["basic", "bearer", "token", "apikey", "splunk", "digest"];

/// What a reference stands as in a text. No configuration has it: a control character is no part of a URL.
pub(super) const REFERENCE: char = '\u{1}';

/// What reaches an attribute.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Value {
    /// The texts, each with [`REFERENCE`] where a reference brings a part of it.
    pub(super) texts: Vec<String>,
    /// The environment variables that it is taken from, with [`REFERENCE`] in the name of one that is not known.
    pub(super) variables: BTreeSet<String>,
    /// The arguments of the enclosing `declare` that it is taken from.
    pub(super) arguments: BTreeSet<String>,
}

// === impl Value ===

impl Value {
    pub(super) fn of(expression: &Expression) -> Self {
        let mut value = Self::default();
        value.add(expression);
        value
    }

    /// Whether any part of it stands in clear. What only joins references, or names the scheme before one, is none.
    pub(super) fn is_in_clear(&self) -> bool {
        self.texts.iter().any(|text| {
            let mut parts = text.split(REFERENCE);
            let refers = text.contains(REFERENCE);
            parts.any(|part| {
                let word = part.trim();
                let joins = refers
                    && (!word.contains(char::is_alphanumeric)
                        || SCHEMES.iter().any(|scheme| word.eq_ignore_ascii_case(scheme)));
                !part.is_empty() && !joins
            })
        })
    }

    /// Whether a reference brings a part of it.
    pub(super) fn refers(&self) -> bool {
        self.texts.iter().any(|text| text.contains(REFERENCE))
    }

    fn add(&mut self, expression: &Expression) {
        match expression {
            Expression::Word => {}
            Expression::Text(_) | Expression::Number | Expression::Reference(_) | Expression::Joined(_) => {
                let text = self.text(expression);
                self.texts.push(text);
            }
            Expression::Call { function, arguments } => self.call(function, arguments),
            Expression::List(values) | Expression::Operands(values) => {
                for value in values {
                    self.add(value);
                }
            }
            Expression::Object(fields) => {
                for (_, value) in fields {
                    self.add(value);
                }
            }
        }
    }

    /// The one text that an expression comes to; what is no text is added beside it.
    fn text(&mut self, expression: &Expression) -> String {
        match expression {
            Expression::Text(text) => text.replace(REFERENCE, " "),
            // What it is does not matter: it stands there.
            Expression::Number => "0".to_owned(),
            Expression::Word => String::new(),
            Expression::Reference(path) => self.reference(path),
            Expression::Joined(parts) => parts.iter().map(|part| self.text(part)).collect(),
            other => {
                let mut inner = Self::default();
                inner.add(other);
                self.variables.append(&mut inner.variables);
                self.arguments.append(&mut inner.arguments);
                inner.texts.concat()
            }
        }
    }

    fn reference(&mut self, path: &str) -> String {
        let mut parts = path.split('.');
        if let (Some("argument"), Some(name)) = (parts.next(), parts.next()) {
            self.arguments.insert(name.to_owned());
        }
        // Alloy reads that ConfigMap: there it stands in clear.
        if path.starts_with("remote.kubernetes.configmap.") {
            return "a ConfigMap".to_owned();
        }
        REFERENCE.to_string()
    }

    /// By the standard library (`syntax/internal/stdlib`). Of a function that is not known, every argument reaches its value.
    fn call(&mut self, function: &str, arguments: &[Expression]) {
        let name = function.rsplit('.').next().unwrap_or_default();
        match (function, name) {
            ("env" | "sys.env", _) => {
                // Of a name that a reference brings a part of, it is not known which variable it is.
                let variable: String = arguments.iter().map(|argument| self.text(argument)).collect();
                self.variables.insert(variable);
                self.texts.push(REFERENCE.to_string());
            }
            // The others say what is taken away, or where to look.
            (
                _,
                "trim" | "trim_prefix" | "trim_suffix" | "trim_space" | "split" | "to_lower" | "to_upper" | "json_path",
            ) => arguments.iter().take(1).for_each(|argument| self.add(argument)),
            // What is looked for is taken away.
            (_, "replace") => {
                for argument in arguments.iter().take(1).chain(arguments.iter().skip(2)) {
                    self.add(argument);
                }
            }
            // A user's name before the password, as HTTP's scheme Basic has them (RFC 7617).
            (_, "to_base64") => {
                let text: String = arguments.iter().map(|argument| self.text(argument)).collect();
                let password = text.split_once(':').map(|(_, password)| password.to_owned());
                let referred = password.filter(|password| password.chars().all(|c| c == REFERENCE));
                self.texts
                    .push(referred.filter(|password| !password.is_empty()).unwrap_or(text));
            }
            (_, "format") => {
                let text = self.formatted(arguments);
                self.texts.push(text);
            }
            (_, "join") => {
                let text = self.listed(arguments);
                self.texts.push(text);
            }
            _ => arguments.iter().for_each(|argument| self.add(argument)),
        }
    }

    /// Go's `fmt.Sprintf`: each verb is the next argument; those that are left over are added at the end.
    fn formatted(&mut self, arguments: &[Expression]) -> String {
        let Some((format, values)) = arguments.split_first() else {
            return String::new();
        };
        let format = self.text(format);
        let mut values = values.iter();
        let mut text = String::new();
        let mut characters = format.chars();
        while let Some(c) = characters.next() {
            if c != '%' {
                text.push(c);
                continue;
            }
            match characters.find(|c| c.is_alphabetic() || *c == '%') {
                Some('%') | None => text.push('%'),
                Some(_) => {
                    if let Some(value) = values.next() {
                        text.push_str(&self.text(value));
                    }
                }
            }
        }
        for value in values {
            text.push_str(&self.text(value));
        }
        text
    }

    fn listed(&mut self, arguments: &[Expression]) -> String {
        let [Expression::List(values), separator] = arguments else {
            return arguments.iter().map(|argument| self.text(argument)).collect();
        };
        let separator = self.text(separator);
        let values: Vec<String> = values.iter().map(|value| self.text(value)).collect();
        values.join(&separator)
    }
}

#[cfg(test)]
mod tests {
    use super::super::syntax::{Statement, read};
    use super::*;
    use rstest::rstest;

    fn value(expression: &str) -> Value {
        let (statements, problem) = read(&format!("a = {expression}"));
        assert_eq!(problem, None, "{expression}");
        match &statements[0] {
            Statement::Attribute { value, .. } => Value::of(value),
            Statement::Block { .. } => panic!("a block"),
        }
    }

    #[rstest]
    #[case(r#""hush""#)]
    #[case("`hush`")]
    #[case("1234")]
    #[case(r#""hu" + "sh""#)]
    #[case(r#""hush" + sys.env("A")"#)]
    #[case(r#"sys.env("A") + "hush""#)]
    #[case(r#"("hu" + ("sh"))"#)]
    #[case(r#"nonsensitive("hush")"#)]
    #[case(r#"convert.nonsensitive("hush")"#)]
    #[case(r#"encoding.from_base64("aHVzaA==")"#)]
    #[case(r#""Basic " + encoding.to_base64("user:hush")"#)]
    #[case(r#"string.format("%s", "hush")"#)]
    #[case(r#"string.format("hush%s", sys.env("A"))"#)]
    #[case(r#"format("Bearer %s", "hush")"#)]
    #[case(r#"string.join(["hu", "sh"], "")"#)]
    #[case(r#"string.join([sys.env("A"), sys.env("B")], "hush")"#)]
    #[case(r#"coalesce(sys.env("A"), "hush")"#)]
    #[case(r#"string.trim_space(" hush ")"#)]
    #[case(r#"string.replace("hxsh", "x", "u")"#)]
    #[case(r#"encoding.from_json("{\"a\":\"hush\"}")["a"]"#)]
    #[case(r#"["hush"]"#)]
    #[case(r#"{a = "hush"}"#)]
    #[case(r#"some.function(sys.env("A"), "hush")"#)]
    #[case(r#"true && "hush""#)]
    #[case(r#"remote.kubernetes.configmap.a.data["token"]"#)]
    #[case(r#""Bearer hush""#)]
    fn stands_in_clear(#[case] expression: &str) {
        assert!(value(expression).is_in_clear(), "{expression}");
    }

    #[rstest]
    #[case(r#"sys.env("A")"#)]
    #[case(r#"env("A")"#)]
    #[case(r#"remote.kubernetes.secret.a.data["hush"]"#)]
    #[case("local.file.a.content")]
    #[case("nonsensitive(remote.vault.a.data.b)")]
    #[case("argument.password.value")]
    #[case(r#""Bearer " + sys.env("A")"#)]
    #[case(r#"string.format("Bearer %s", sys.env("A"))"#)]
    #[case(r#"string.format("%[1]s:%5.2s", sys.env("A"), sys.env("B"))"#)]
    #[case(r#""Basic " + encoding.to_base64("12345:" + sys.env("A"))"#)]
    #[case(r#"string.trim_suffix(local.file.a.content, "\n")"#)]
    #[case(r#"string.replace(local.file.a.content, "word", "")"#)]
    #[case(r#"string.join([sys.env("A"), sys.env("B")], ":")"#)]
    #[case(r#"json_path(local.file.a.content, ".password")[0]"#)]
    #[case(r#"coalesce(sys.env("A"), "")"#)]
    fn is_a_reference(#[case] expression: &str) {
        let value = value(expression);
        assert!(!value.is_in_clear() && value.refers(), "{expression}");
    }

    #[rstest]
    #[case("null")]
    #[case("\"\"")]
    #[case("``")]
    #[case("{}")]
    #[case("false")]
    fn is_nothing(#[case] expression: &str) {
        let value = value(expression);
        assert!(!value.is_in_clear() && !value.refers(), "{expression}");
    }

    #[test]
    fn what_it_is_taken_from_is_named() {
        let value = value(r#"coalesce(sys.env("A"), "x" + env("B"), string.format("%s", argument.c.value))"#);
        assert_eq!(value.variables, ["A".to_owned(), "B".to_owned()].into());
        assert_eq!(value.arguments, ["c".to_owned()].into());
        let value = self::value(r#"sys.env("A" + string.format("_%s", "B")) + sys.env("A" + local.file.c.content)"#);
        assert_eq!(value.variables, ["A_B".to_owned(), format!("A{REFERENCE}")].into());
    }
}
