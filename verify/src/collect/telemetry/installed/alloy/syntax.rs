//! The blocks, attributes and expressions of Alloy's configuration syntax, as far as it matters which value reaches which
//! attribute (`syntax/parser` of grafana/alloy 1.18.1). More tolerant than Alloy: what it accepts, this accepts.

use super::token::{Problem, Token, Tokens};
use std::iter::Peekable;

/// How deep blocks and expressions may be nested: deeper than anybody writes, and far from the end of a stack.
const DEPTH: usize = 64;

/// A line of a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Statement {
    Attribute {
        name: String,
        value: Expression,
    },
    Block {
        /// `prometheus.remote_write`.
        name: String,
        label: Option<String>,
        body: Vec<Self>,
    },
}

/// What an attribute is set to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Expression {
    Text(String),
    Number,
    /// `null`, `true`, `false`: never a credential.
    Word,
    /// `remote.kubernetes.secret.a.data`; what it is indexed with is left out.
    Reference(String),
    Call {
        function: String,
        arguments: Vec<Self>,
    },
    /// `a + b`.
    Joined(Vec<Self>),
    /// Of any other operator, of which it is not told what becomes of its operands.
    Operands(Vec<Self>),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

// === impl Statement ===

impl Statement {
    pub(super) fn is_block(&self) -> bool {
        matches!(self, Self::Block { .. })
    }
}

/// Reads a text. What stands before a problem is there beside it.
pub(super) fn read(text: &str) -> (Vec<Statement>, Option<Problem>) {
    let mut parser = Parser {
        tokens: Tokens::new(text).peekable(),
        line: 1,
        depth: 0,
    };
    let mut statements = Vec::new();
    let end = parser.body(&mut statements, None);
    (statements, end.err())
}

struct Parser<'a> {
    tokens: Peekable<Tokens<'a>>,
    line: usize,
    depth: usize,
}

// === impl Parser ===

impl Parser<'_> {
    fn problem(&self, what: &'static str) -> Problem {
        Problem { line: self.line, what }
    }

    fn peek(&mut self) -> Result<Option<&Token>, Problem> {
        match self.tokens.peek() {
            Some(Ok((token, line))) => {
                self.line = *line;
                Ok(Some(token))
            }
            Some(Err(problem)) => Err(*problem),
            None => Ok(None),
        }
    }

    fn step(&mut self) -> Result<Option<Token>, Problem> {
        match self.tokens.next() {
            Some(Ok((token, line))) => {
                self.line = line;
                Ok(Some(token))
            }
            Some(Err(problem)) => Err(problem),
            None => Ok(None),
        }
    }

    fn step_if(&mut self, wanted: &Token) -> Result<bool, Problem> {
        let there = self.peek()? == Some(wanted);
        if there {
            self.step()?;
        }
        Ok(there)
    }

    fn mark(&mut self, mark: char) -> Result<bool, Problem> {
        self.step_if(&Token::Mark(mark))
    }

    fn ends(&mut self) -> Result<(), Problem> {
        while self.step_if(&Token::End)? {}
        Ok(())
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Problem>) -> Result<T, Problem> {
        if self.depth >= DEPTH {
            return Err(self.problem("it is nested too deep"));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    /// Statements until what closes them: a mark, or the end of the text.
    fn body(&mut self, statements: &mut Vec<Statement>, close: Option<char>) -> Result<(), Problem> {
        loop {
            self.ends()?;
            if let Some(close) = close
                && self.mark(close)?
            {
                return Ok(());
            }
            let Some(token) = self.step()? else {
                return close.map_or(Ok(()), |_| Err(self.problem("a block that does not end")));
            };
            let Token::Name(name) = token else {
                return Err(self.problem("neither an attribute nor a block begins there"));
            };
            self.statement(statements, name)?;
            let closes = close.map(Token::Mark);
            let next = self.peek()?.cloned();
            if next.is_some() && next != Some(Token::End) && next != closes {
                return Err(self.problem("a statement does not end where it should"));
            }
        }
    }

    fn statement(&mut self, statements: &mut Vec<Statement>, mut name: String) -> Result<(), Problem> {
        if self.mark('=')? {
            let value = self.expression()?;
            statements.push(Statement::Attribute { name, value });
            return Ok(());
        }
        while self.mark('.')? {
            let Some(Token::Name(part)) = self.step()? else {
                return Err(self.problem("a block's name does not end"));
            };
            name.push('.');
            name.push_str(&part);
        }
        let mut label = None;
        if let Some(Token::Text(text)) = self.peek()? {
            label = Some(text.clone());
            self.step()?;
        }
        if !self.mark('{')? {
            return Err(self.problem("neither an attribute nor a block stands there"));
        }
        let mut body = Vec::new();
        // What was read of a block that breaks off is kept.
        let read = self.deeper(|parser| parser.body(&mut body, Some('}')));
        statements.push(Statement::Block { name, label, body });
        read
    }

    fn expression(&mut self) -> Result<Expression, Problem> {
        self.deeper(|parser| {
            let mut operands = vec![parser.operand()?];
            let mut joins = true;
            while let Some(Token::Operator(operator)) = parser.peek()? {
                joins &= *operator == "+";
                parser.step()?;
                operands.push(parser.operand()?);
            }
            Ok(match operands.len() {
                1 => operands.remove(0),
                _ if joins => Expression::Joined(operands),
                _ => Expression::Operands(operands),
            })
        })
    }

    fn operand(&mut self) -> Result<Expression, Problem> {
        while let Some(Token::Operator("!" | "-")) = self.peek()? {
            self.step()?;
        }
        let mut operand = match self.step()? {
            Some(Token::Text(text)) => Expression::Text(text),
            Some(Token::Number) => Expression::Number,
            Some(Token::Name(name)) => match name.as_str() {
                "null" | "true" | "false" => Expression::Word,
                _ => Expression::Reference(name),
            },
            Some(Token::Mark('(')) => {
                self.ends()?;
                let inner = self.expression()?;
                self.ends()?;
                if !self.mark(')')? {
                    return Err(self.problem("a parenthesis is not closed"));
                }
                inner
            }
            Some(Token::Mark('[')) => Expression::List(self.list(']')?),
            Some(Token::Mark('{')) => Expression::Object(self.object()?),
            _ => return Err(self.problem("no value stands there")),
        };
        loop {
            if self.mark('.')? {
                let Some(Token::Name(part)) = self.step()? else {
                    return Err(self.problem("a name does not end"));
                };
                if let Expression::Reference(path) = &mut operand {
                    path.push('.');
                    path.push_str(&part);
                }
            } else if self.mark('[')? {
                self.list(']')?;
            } else if self.mark('(')? {
                let arguments = self.list(')')?;
                operand = match operand {
                    Expression::Reference(function) => Expression::Call { function, arguments },
                    called => Expression::Operands(std::iter::once(called).chain(arguments).collect()),
                };
            } else {
                return Ok(operand);
            }
        }
    }

    /// Values with commas between them, until what closes them.
    fn list(&mut self, close: char) -> Result<Vec<Expression>, Problem> {
        let mut values = Vec::new();
        loop {
            self.ends()?;
            if self.mark(close)? {
                return Ok(values);
            }
            values.push(self.expression()?);
            self.ends()?;
            if !self.mark(',')? && self.peek()? != Some(&Token::Mark(close)) {
                return Err(self.problem("a list does not end where it should"));
            }
        }
    }

    fn object(&mut self) -> Result<Vec<(String, Expression)>, Problem> {
        let mut fields = Vec::new();
        loop {
            self.ends()?;
            if self.mark('}')? {
                return Ok(fields);
            }
            let (Some(Token::Name(key) | Token::Text(key)), true) = (self.step()?, self.mark('=')?) else {
                return Err(self.problem("an object's key has no value"));
            };
            fields.push((key, self.expression()?));
            self.ends()?;
            if !self.mark(',')? && self.peek()? != Some(&Token::Mark('}')) {
                return Err(self.problem("an object does not end where it should"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn text(text: &str) -> Expression {
        Expression::Text(text.to_owned())
    }

    fn value(expression: &str) -> Expression {
        let (mut statements, problem) = read(&format!("a = {expression}\n"));
        assert_eq!(problem, None, "{expression}");
        match statements.remove(0) {
            Statement::Attribute { value, .. } => value,
            Statement::Block { .. } => panic!("a block"),
        }
    }

    #[test]
    fn values_of_every_kind() {
        let reference = |path: &str| Expression::Reference(path.to_owned());
        assert_eq!(
            value("remote.kubernetes.secret.a.data[\"b\"]"),
            reference("remote.kubernetes.secret.a.data")
        );
        assert_eq!(value("\"a\" +\n `b`"), Expression::Joined(vec![text("a"), text("b")]));
        let sum = Expression::Joined(vec![Expression::Number, Expression::Number]);
        assert_eq!(
            value("(1 + -.5e3) == 4"),
            Expression::Operands(vec![sum, Expression::Number])
        );
        assert_eq!(
            value("nonsensitive(\n  \"a\",\n)[0].b"),
            Expression::Call {
                function: "nonsensitive".to_owned(),
                arguments: vec![text("a")]
            }
        );
        assert_eq!(
            value("{ a = \"b\", \"c-d\" = [true, null], }"),
            Expression::Object(vec![
                ("a".to_owned(), text("b")),
                (
                    "c-d".to_owned(),
                    Expression::List(vec![Expression::Word, Expression::Word])
                ),
            ])
        );
    }

    #[test]
    fn blocks_in_blocks() {
        let (statements, problem) = read("a.b \"c\" { d { e = 1 } }\nf {\n}");
        assert_eq!(problem, None);
        let inner = vec![Statement::Attribute {
            name: "e".to_owned(),
            value: Expression::Number,
        }];
        let block = |name: &str, label: Option<&str>, body| Statement::Block {
            name: name.to_owned(),
            label: label.map(str::to_owned),
            body,
        };
        let expected = vec![
            block("a.b", Some("c"), vec![block("d", None, inner)]),
            block("f", None, Vec::new()),
        ];
        assert_eq!(statements, expected);
    }

    #[rstest]
    #[case("a = ", 1)]
    #[case("a = \"b\" c = 1", 1)]
    #[case("a {\n b = 1\n", 3)]
    #[case("a = [1 2]", 1)]
    #[case("a = {b}", 1)]
    #[case("a b", 1)]
    #[case("\n}", 2)]
    #[case("password: hush", 1)]
    fn what_is_not_of_the_syntax_is_a_problem_with_its_line(#[case] text: &str, #[case] line: usize) {
        assert_eq!(read(text).1.map(|problem| problem.line), Some(line), "{text}");
    }

    #[test]
    fn what_stands_before_a_problem_is_kept() {
        let (statements, problem) = read("a {\n b = 1\n c = '\n}");
        assert_eq!(problem.unwrap().line, 3);
        let Statement::Block { body, .. } = &statements[0] else {
            panic!("no block");
        };
        assert_eq!(body.len(), 1);
    }

    #[test]
    fn what_is_nested_too_deep_is_a_problem() {
        for (before, open) in [
            ("", "a {\n"),
            ("a = ", "("),
            ("a = ", "["),
            ("a = ", "{b="),
            ("a = ", "b("),
        ] {
            let text = before.to_owned() + &open.repeat(100_000);
            assert_eq!(read(&text).1.unwrap().what, "it is nested too deep", "{open}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*") {
            read(&text);
        }

        #[test]
        fn no_words_in_any_order_panic(words in prop::collection::vec(prop::sample::select(vec![
            "a", "b.c", "\"d\"", "`e`", "{", "}", "(", ")", "[", "]", ",", ".", "=", "==", "+", "-", "!", "1", "2.5e-3",
            "null", "\n", "// f\n", "/* g */", "/*", "\"", "`", "\\", "sys.env(\"H\")", "password",
        ]), 0..60)) {
            read(&words.concat());
            read(&words.join(" "));
        }
    }
}
