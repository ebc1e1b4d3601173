//! How often Alloy scrapes.

use super::syntax::{Expression, Statement};
use crate::flow;

/// The component that scrapes, and its interval where it names none (Alloy v1.18.1: internal/component/prometheus/scrape).
const SCRAPE: &str = "prometheus.scrape";
const INTERVAL: &str = "scrape_interval";
const DEFAULT_MS: u64 = 60_000;

/// The longest interval of all that scrapes, in milliseconds; `None` where nothing does. One that cannot be read, as of an
/// argument, counts as one that is not named.
pub(super) fn longest(bodies: &[&[Statement]]) -> Option<u64> {
    bodies.iter().filter_map(|body| of_body(body)).max()
}

fn of_body(statements: &[Statement]) -> Option<u64> {
    let of_block = |statement: &Statement| match statement {
        Statement::Block { name, body, .. } if name == SCRAPE => Some(of_scrape(body)),
        Statement::Block { body, .. } => of_body(body),
        Statement::Attribute { .. } => None,
    };
    statements.iter().filter_map(of_block).max()
}

fn of_scrape(body: &[Statement]) -> u64 {
    let named = body.iter().find_map(|statement| match statement {
        Statement::Attribute {
            name,
            value: Expression::Text(text),
        } if name == INTERVAL => flow::milliseconds(text),
        _ => None,
    });
    named.unwrap_or(DEFAULT_MS)
}

#[cfg(test)]
mod tests {
    use super::super::syntax;
    use super::*;

    #[test]
    fn the_longest_interval_of_all_that_scrapes_counts() {
        let longest = |text: &str| longest(&[&syntax::read(text).0]);
        let scrape = |name: &str, interval: &str| format!("prometheus.scrape \"{name}\" {{\n  {interval}\n}}\n");
        assert_eq!(longest("loki.write \"a\" { }"), None);
        let one = scrape("a", "scrape_interval = \"30s\"");
        assert_eq!(longest(&one), Some(30_000));
        assert_eq!(
            longest(&format!("{one}{}", scrape("b", "job_name = \"b\""))),
            Some(60_000)
        );
        let module = format!(
            "declare \"feature\" {{\n{}}}\n",
            scrape("c", "scrape_interval = \"2m\"")
        );
        assert_eq!(longest(&format!("{one}{module}")), Some(120_000));
        assert_eq!(
            longest(&scrape("d", "scrape_interval = argument.interval.value")),
            Some(60_000)
        );
    }
}
