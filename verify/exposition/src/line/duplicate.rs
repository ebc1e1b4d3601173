//! Label names that occur twice in one row.

use super::super::row::{Label, Text};

/// Sees every label name of a row, in order, and whether one of them came before.
#[derive(Debug, Default)]
pub(super) struct Duplicates {
    /// The looks of the names so far. A name is compared with the others only if one of them looked the same.
    looks: u64,
    found: bool,
}

/// Up to so many labels comparing each with each is cheapest, above it sorting keeps a hostile row linear.
const FEW: usize = 48;

/// What the metric's name is among the labels.
const METRIC_NAME: &str = "__name__";

impl Duplicates {
    /// Takes the name of the label that follows these.
    #[inline]
    pub(super) fn see(&mut self, line: &str, before: &[Label], name: Text) {
        let look = look(line, name);
        if self.looks & look != 0 && before.len() < FEW {
            let name = name.read(line);
            self.found |= before.iter().any(|other| other.name.is(line, &name));
        }
        self.looks |= look;
    }

    /// Whether any two of these, all of which were seen, have the same name, or one that of the metric's own label.
    pub(super) fn any(&self, line: &str, labels: &[Label]) -> bool {
        let metric = Self::metric_name_look();
        if self.found || (self.looks & metric != 0 && labels.iter().any(|label| label.name.is(line, METRIC_NAME))) {
            return true;
        }
        labels.len() > FEW && {
            let mut names: Vec<_> = labels.iter().map(|label| label.name.read(line)).collect();
            names.sort_unstable();
            names.windows(2).any(|pair| pair[0] == pair[1])
        }
    }

    fn metric_name_look() -> u64 {
        look(METRIC_NAME, Text::new(0, METRIC_NAME.len(), false))
    }
}

/// A few bits of which two equal names share at least one, and two different ones seldom any.
#[inline]
fn look(line: &str, name: Text) -> u64 {
    if name.is_escaped() {
        // Written differently it can be the same as any.
        return u64::MAX;
    }
    let name = name.bytes(line);
    let last = name.last().copied().unwrap_or_default();
    let mixed = name.len().wrapping_mul(11) ^ usize::from(last);
    1 << (mixed & 63)
}

#[cfg(test)]
mod tests {
    use super::super::super::{Format, RowErrorKind};
    use super::super::Line;

    fn read(labels: &str) -> Option<RowErrorKind> {
        Line::new(&format!("a{{{labels}}} 1"), Format::Text, &mut Vec::new())
            .read()
            .err()
    }

    #[test]
    fn a_name_may_occur_once() {
        assert_eq!(read(r#"a="1",b="1",ab="1",ba="1",A="1""#), None);
        assert_eq!(read(r#"a="1",b="1",a="1""#), Some(RowErrorKind::DuplicateLabel));
        assert_eq!(read(r#"a="1","a"="2""#), Some(RowErrorKind::DuplicateLabel));
        assert_eq!(read(r#""a\"b"="1","a\"b"="2""#), Some(RowErrorKind::DuplicateLabel));
        assert_eq!(read(r#""a\\q"="1","a\q"="2""#), Some(RowErrorKind::DuplicateLabel));
        assert_eq!(read(r#""a\\q"="1",b="2""#), None);
        assert_eq!(read(r#"__name__="a""#), Some(RowErrorKind::DuplicateLabel));
    }

    #[test]
    fn among_many_too() {
        let many = (0..1000).map(|at| format!("l{at}=\"\"")).collect::<Vec<_>>().join(",");
        assert_eq!(read(&many), None);
        assert_eq!(read(&format!("{many},l500=\"\"")), Some(RowErrorKind::DuplicateLabel));
        assert_eq!(
            read(&format!("__name__=\"\",{many}")),
            Some(RowErrorKind::DuplicateLabel)
        );
    }
}
