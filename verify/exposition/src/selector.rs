//! Finds the lines that are worth reading.

use memchr::arch::all::packedpair::HeuristicFrequencyRank;
use memchr::memmem::{Finder, FinderBuilder};
use memchr::{memchr, memrchr};

use super::bytes::{is_bare_name, is_blank, is_name_byte};
use super::{Selection, row::Text};

/// Which lines may be rows of what was asked for.
#[derive(Debug)]
pub(super) enum Selector {
    /// All that are not comments.
    All,
    /// Those of one metric.
    Metric(Metric),
}

/// The lines of one metric.
#[derive(Debug)]
pub(super) struct Metric {
    name: String,
    /// Finds the name. A name that needs quotes can be written in several ways, so that there is nothing to search.
    finder: Option<Box<Finder<'static>>>,
}

impl Selector {
    pub(super) fn new(selection: Selection<'_>) -> Self {
        match selection {
            Selection::All => Self::All,
            Selection::Metric(name) => {
                let finder = is_bare_name(name).then(|| Box::new(finder(name)));
                Self::Metric(Metric {
                    name: name.to_owned(),
                    finder,
                })
            }
        }
    }

    /// Whether the line that begins so may be a row that was asked for. It may turn out to be another metric's if the
    /// name is between the braces.
    pub(super) fn wants(&self, line: &[u8]) -> bool {
        let line = trim_blanks(line);
        match self {
            Self::All => !line.starts_with(b"#"),
            Self::Metric(metric) => match &metric.finder {
                _ if metric.begins(line) => true,
                Some(finder) => line.starts_with(b"{") && finder.find(line).is_some(),
                None => line.starts_with(b"{"),
            },
        }
    }

    /// Whether a row, or what could be read of it, has the name that was asked for.
    pub(super) fn is(&self, line: &str, name: Option<Text>) -> bool {
        match (self, name) {
            (Self::All, _) | (_, None) => true,
            (Self::Metric(metric), Some(name)) => name.is(line, &metric.name),
        }
    }

    /// The first line at or behind a place where a line begins that [`Selector::wants`]: where it begins and ends.
    /// The lines are whole ones.
    pub(super) fn next(&self, lines: &[u8], from: usize) -> Option<(usize, usize)> {
        let mut start = from;
        while start < lines.len() {
            // Rows of one metric mostly stand together: then there is nothing to search.
            if let Self::Metric(metric) = self
                && let Some(finder) = &metric.finder
                && !lines[start..].starts_with(metric.name.as_bytes())
            {
                let found = start + finder.find(&lines[start..])?;
                start += last_line(&lines[start..found]);
            }
            let end = memchr(b'\n', &lines[start..]).map_or(lines.len(), |length| start + length);
            if self.wants(&lines[start..end]) {
                return Some((start, end));
            }
            start = end + 1;
        }
        None
    }
}

/// Where the last of these lines begins.
fn last_line(lines: &[u8]) -> usize {
    memrchr(b'\n', lines).map_or(0, |feed| feed + 1)
}

impl Metric {
    /// Whether a line begins with this name and not with a longer one.
    fn begins(&self, line: &[u8]) -> bool {
        self.finder.is_some()
            && line
                .strip_prefix(self.name.as_bytes())
                .is_some_and(|rest| !rest.first().copied().is_some_and(is_name_byte))
    }
}

/// How rare a byte is taken to be: the rarer, the later it first occurs in the name.
struct EndIsRarest<'a>(&'a [u8]);

impl HeuristicFrequencyRank for EndIsRarest<'_> {
    fn rank(&self, byte: u8) -> u8 {
        let first = memchr(byte, self.0).and_then(|at| u8::try_from(at).ok());
        first.map_or(u8::MAX, |at| u8::MAX - at)
    }
}

/// Of the name, memchr looks for its two rarest bytes. By its own table of what is rare it takes two that all of
/// kube-state-metrics' names begin with, and stops at every line. Metrics are told apart by the ends of their names:
/// looking for these is twice as fast.
fn finder(name: &str) -> Finder<'static> {
    FinderBuilder::new()
        .build_forward_with_ranker(EndIsRarest(name.as_bytes()), name)
        .into_owned()
}

fn trim_blanks(line: &[u8]) -> &[u8] {
    &line[line.iter().position(|byte| !is_blank(*byte)).unwrap_or(line.len())..]
}

#[cfg(test)]
mod tests {
    use super::{Selection, Selector};

    fn wanted(name: &str, body: &str) -> Vec<String> {
        let selector = Selector::new(Selection::Metric(name));
        let mut lines = Vec::new();
        let mut from = 0;
        while let Some((start, end)) = selector.next(body.as_bytes(), from) {
            lines.push(body[start..end].to_owned());
            from = end + 1;
        }
        lines
    }

    #[test]
    fn a_line_is_found_by_its_beginning_only() {
        let body = "# HELP m x\n# TYPE m gauge\nm{} 1\nm 1\nmm 1\nxm{} 1\nm:a 1\n \tm{a=\"m{\"} 1\nx{a=\"\\nm{b\"} 1\nm\nm+1\n\n";
        assert_eq!(wanted("m", body), ["m{} 1", "m 1", " \tm{a=\"m{\"} 1", "m", "m+1"]);
        assert_eq!(wanted("absent", body), Vec::<String>::new());
    }

    #[test]
    fn a_name_between_braces_is_a_candidate() {
        let body = "{\"m\"} 1\n{a=\"b\",\"m\"} 1\n{\"x\",a=\"m\"} 1\n{\"x\"} 1\n";
        assert_eq!(
            wanted("m", body),
            ["{\"m\"} 1", "{a=\"b\",\"m\"} 1", "{\"x\",a=\"m\"} 1"]
        );
        assert_eq!(wanted("m.n", body).len(), 4);
    }
}
