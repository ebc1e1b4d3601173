//! Label names that occur twice in one row.

use super::super::row::Label;

/// Up to so many labels comparing each with each is cheapest, above it a sorted list keeps a hostile row linear.
const FEW: usize = 48;

/// Whether any two labels have the same name, or one has the name of the metric's own label.
pub(super) fn any(line: &str, labels: &[Label]) -> bool {
    if labels.len() > FEW {
        let mut names: Vec<_> = labels.iter().map(|label| label.name.read(line)).collect();
        names.sort_unstable();
        return names.windows(2).any(|pair| pair[0] == pair[1]) || names.iter().any(|name| *name == METRIC_NAME);
    }
    // A name is compared with the others only if one before it looked the same: most rows compare none.
    let mut looks: u64 = 0;
    labels.iter().enumerate().any(|(at, label)| {
        let name = label.name;
        let look = 1 << if name.is_escaped() { 0 } else { look(name.bytes(line)) };
        // Two that are written differently can still be the same.
        let seen = looks & (look | 1) != 0 || (name.is_escaped() && looks != 0);
        looks |= look;
        let own = if name.is_escaped() {
            name.is(line, METRIC_NAME)
        } else {
            name.bytes(line) == METRIC_NAME.as_bytes()
        };
        own || (seen && labels[..at].iter().any(|other| other.name.is(line, &name.read(line))))
    })
}

/// What the metric's name is among the labels.
const METRIC_NAME: &str = "__name__";

/// A number below 64 that two equal names share and two different ones seldom do.
fn look(name: &[u8]) -> u32 {
    let end = [name.len().wrapping_sub(1), name.len() / 2].map(|at| name.get(at).copied().unwrap_or_default());
    let mixed = u32::from(end[0]).wrapping_mul(31) ^ u32::from(end[1]).wrapping_mul(7);
    #[allow(clippy::cast_possible_truncation, reason = "only the lowest bits count")]
    let length = name.len() as u32;
    // Bit 0 is for the ones that cannot be told by their looks.
    (mixed ^ length.wrapping_mul(13)) % 63 + 1
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
