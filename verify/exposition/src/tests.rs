use super::{Format, Selection};
use crate::{Limits, Reader, RowErrorKind};

#[test]
fn the_format_is_told_by_the_media_type_alone() {
    for (header, format) in [
        ("text/plain; version=0.0.4; charset=utf-8", Some(Format::Text)),
        ("text/plain", Some(Format::Text)),
        (
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Some(Format::OpenMetrics),
        ),
        ("Application/OpenMetrics-Text ;version=1.0.0", Some(Format::OpenMetrics)),
        ("text/html", None),
        ("", None),
    ] {
        assert_eq!(Format::from_content_type(header), format, "{header}");
    }
}

#[test]
fn a_row_says_what_stands_there() {
    let body = b"{\"m\",a=\"x\\ny\",\"b.c\"=\"\"} 1.5 1790000000000\n";
    let mut reader = Reader::new(Format::Text, Selection::All, Limits::default());
    let mut rows = 0;
    reader.push(body, &mut |row| {
        rows += 1;
        assert_eq!(
            (row.name().as_ref(), row.value(), row.timestamp()),
            ("m", 1.5, Some(1_790_000_000_000))
        );
        assert_eq!(
            row.labels()
                .map(|(name, value)| format!("{name}={value}"))
                .collect::<Vec<_>>(),
            ["a=x\ny", "b.c="]
        );
        assert_eq!((row.labels().size_hint(), row.labels().len()), ((2, Some(2)), 2));
        assert_eq!(row.label("b.c").as_deref(), Some(""));
        assert_eq!(row.label("c"), None);
    });
    assert_eq!(rows, 1);
}

#[test]
fn a_line_of_blanks_is_a_fault_of_openmetrics_only() {
    for (format, errors) in [(Format::Text, vec![]), (Format::OpenMetrics, vec![RowErrorKind::Name])] {
        let mut reader = Reader::new(format, Selection::All, Limits::default());
        let mut rows = 0;
        reader.push(b"a 1\n \t\nb 2\n", &mut |_| rows += 1);
        let summary = reader.finish();
        let told: Vec<RowErrorKind> = summary.errors.iter().map(|error| error.kind).collect();
        assert_eq!((rows, told), (2, errors), "{format:?}");
    }
}
