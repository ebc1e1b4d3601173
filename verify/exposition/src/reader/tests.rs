use super::{Format, Limits, Reader, RowErrorKind, Selection, Summary};

/// The rows' names and labels as text, and the summary, of a body that came in these chunks.
fn read(format: Format, selection: Selection<'_>, limits: Limits, chunks: &[&[u8]]) -> (Vec<String>, Summary) {
    let mut reader = Reader::new(format, selection, limits);
    let mut rows = Vec::new();
    for chunk in chunks {
        reader.push(chunk, &mut |row| {
            rows.push(format!("{}{:?}", row.name(), row.labels().collect::<Vec<_>>()));
        });
    }
    (rows, reader.finish())
}

#[test]
fn a_long_line_is_a_row_error_wherever_it_is_cut() {
    let long = "x".repeat(100);
    let body = format!("m{{a=\"{long}\"}} 1\nn{{a=\"{long}\"}} 1\n{{\"n\",a=\"{long} m\"}} 1\nm 1\n# {long}\n");
    let limits = Limits { line: 64, errors: 16 };
    for at in 0..=body.len() {
        let (one, two) = body.as_bytes().split_at(at);
        let (rows, summary) = read(Format::Text, Selection::Metric("m"), limits, &[one, two]);
        assert_eq!(rows, ["m[]"]);
        assert_eq!(
            (summary.row_errors, summary.errors[0].kind, summary.errors[0].offset),
            (1, RowErrorKind::TooLong, 0)
        );
        let (_, summary) = read(Format::Text, Selection::All, limits, &[one, two]);
        assert_eq!(
            (summary.rows, summary.row_errors, summary.bytes),
            (1, 3, body.len() as u64)
        );
    }
}

#[test]
fn a_line_without_end_takes_no_memory() {
    let mut reader = Reader::new(Format::Text, Selection::All, Limits::default());
    for _ in 0..1000 {
        reader.push(&[b'x'; 1 << 10], &mut |_| {});
    }
    assert!(reader.carry.capacity() <= 2 * Limits::default().line);
    let summary = reader.finish();
    assert!(summary.ended_mid_line && summary.bytes == 1000 << 10);
}

#[test]
fn all_errors_are_counted_and_the_first_are_kept() {
    let body = "m x\n".repeat(50);
    let (_, summary) = read(
        Format::Text,
        Selection::Metric("m"),
        Limits {
            errors: 3,
            ..Limits::default()
        },
        &[body.as_bytes()],
    );
    assert_eq!((summary.row_errors, summary.errors.len()), (50, 3));
    assert_eq!(
        (summary.errors[2].offset, summary.errors[2].excerpt.as_str()),
        (8, "m x")
    );
}

#[test]
fn errors_in_other_metrics_are_not_ours() {
    let body = b"n{a=\"\n{\"n\" m\n{\"n\",a=\"m\"} x\nm 1\n{\"m\"} x\n{m\n";
    let (rows, summary) = read(Format::Text, Selection::Metric("m"), Limits::default(), &[body]);
    assert_eq!(rows, ["m[]"]);
    // The second and the last line end before their names are told.
    let excerpts: Vec<_> = summary.errors.iter().map(|error| error.excerpt.as_str()).collect();
    assert_eq!(excerpts, ["{\"n\" m", "{\"m\"} x", "{m"]);
}

#[test]
fn only_the_last_line_marks_the_end() {
    // Body; whether the mark was the last line, whether something follows a mark, whether it ended within a line.
    for (body, saw, follows, mid_line) in [
        ("", false, false, false),
        ("# EOF\n", true, false, false),
        ("# EOF", true, false, false),
        ("m 1\n# EOF\n", true, false, false),
        ("m 1\n# EOF", true, false, false),
        ("m 1\n# EO", false, false, true),
        ("m 1\n", false, false, false),
        ("m 1", false, false, true),
        ("m 1\n# EOF\r\n", false, false, false),
        ("m 1\n# EOF \n", false, false, false),
        ("m 1\n # EOF\n", false, false, false),
        ("m 1\n## EOF\n", false, false, false),
        ("m 1\n# EOFm\n", false, false, false),
        ("m 1\n# EOF\n\n", false, true, false),
        ("m 1\n# EOF\nm 1\n", false, true, false),
        ("m 1\n# EOF\nm", false, true, true),
        ("m 1\n# EOF\n# EOF\n", true, true, false),
    ] {
        for selection in [Selection::All, Selection::Metric("m")] {
            for at in 0..=body.len() {
                let (one, two) = body.as_bytes().split_at(at);
                let (_, summary) = read(Format::OpenMetrics, selection, Limits::default(), &[one, two]);
                let ends = (summary.saw_eof, summary.content_after_eof, summary.ended_mid_line);
                assert_eq!(ends, (saw, follows, mid_line), "{body:?} cut at {at}");
                let (_, summary) = read(Format::Text, selection, Limits::default(), &[one, two]);
                assert!(!summary.saw_eof && !summary.content_after_eof, "text has no end mark");
            }
        }
    }
}
