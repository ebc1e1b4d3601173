//! Properties of the exposition reader: it does not matter where chunks are cut, a cut body never looks whole, nothing
//! makes it panic, one metric's rows are those among all rows, and on plain bodies prometheus-parse reads the same.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use proptest::prelude::*;
use starform_exposition::{Format, Limits, Reader, Row, Selection, Summary};
use testdata::kube_state_metrics;

/// A row with nothing borrowed: name, labels, value's bits, timestamp.
type Owned = (String, Vec<(String, String)>, u64, Option<i64>);

const FORMATS: [Format; 2] = [Format::Text, Format::OpenMetrics];

fn own(row: Row<'_>) -> Owned {
    let labels = row
        .labels()
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    (row.name().into_owned(), labels, row.value().to_bits(), row.timestamp())
}

fn read<'a>(
    format: Format,
    selection: Selection<'_>,
    limits: Limits,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Owned>, Summary) {
    let mut reader = Reader::new(format, selection, limits);
    let mut rows = Vec::new();
    for chunk in chunks {
        reader.push(chunk, &mut |row| rows.push(own(row)));
    }
    (rows, reader.finish())
}

/// Every file of testdata/exposition and a small generated scrape in both formats.
fn bodies() -> Vec<(Format, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/exposition");
    let mut bodies: Vec<_> = FORMATS
        .map(|format| (format, kube_state_metrics::body(3, format)))
        .into();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let format = match path.extension().and_then(std::ffi::OsStr::to_str) {
            Some("om") => Format::OpenMetrics,
            Some("txt") => Format::Text,
            _ => continue,
        };
        bodies.push((format, std::fs::read(path).unwrap_or_default()));
    }
    assert!(bodies.len() >= 4, "testdata/exposition is missing");
    bodies
}

#[test]
fn a_cut_anywhere_changes_nothing() {
    // It takes longest of all: each body's places are tried by whoever has nothing to do.
    let (bodies, next) = (bodies(), AtomicUsize::new(0));
    let work = || {
        while let Some((format, body)) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
            nothing_changes_by_a_cut(*format, body);
        }
    };
    let workers = thread::available_parallelism().map_or(2, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(work);
        }
    });
}

fn nothing_changes_by_a_cut(format: Format, body: &[u8]) {
    for at in 0..=body.len() {
        // Of a recorded scrape, whose places are too many, the beginning and the end.
        if at > 8_000 && at + 8_000 < body.len() {
            continue;
        }
        let part = &body[at.saturating_sub(300)..body.len().min(at + 300)];
        let (one, two) = part.split_at(at.min(300));
        for selection in [Selection::All, Selection::Metric(kube_state_metrics::LABELS)] {
            let whole = read(format, selection, Limits::default(), [part]);
            assert_eq!(
                read(format, selection, Limits::default(), [one, two]),
                whole,
                "cut at {at}"
            );
        }
    }
    let whole = read(format, Selection::All, Limits::default(), [body]);
    for size in [1, 7, 1000] {
        assert_eq!(
            read(format, Selection::All, Limits::default(), body.chunks(size)),
            whole,
            "chunks of {size}"
        );
    }
}

#[test]
fn a_cut_body_never_looks_whole() {
    for (format, body) in bodies() {
        let metric = Selection::Metric(kube_state_metrics::LABELS);
        assert_eq!(
            read(format, metric, Limits::default(), [&body[..]]).1.saw_eof,
            format == Format::OpenMetrics
        );
        // The last lines are enough of a recorded scrape: what comes before a line does not matter to it.
        let from = body.len().saturating_sub(10_000);
        let from = from
            + body[from..]
                .iter()
                .position(|byte| *byte == b'\n')
                .map_or(0, |feed| feed + 1);
        let body = &body[if body.len() > 10_000 { from } else { 0 }..];
        // Only the last line feed may be missing, as OpenMetrics lets it.
        for at in 0..body.len() - 1 {
            assert!(
                !read(format, metric, Limits::default(), [&body[..at]]).1.saw_eof,
                "cut at {at}"
            );
        }
    }
}

#[test]
fn one_metrics_rows_are_those_among_all_rows() {
    for (format, body) in bodies() {
        let (all, _) = read(format, Selection::All, Limits::default(), [&body[..]]);
        let mut by_name: BTreeMap<&str, Vec<&Owned>> = BTreeMap::new();
        for row in &all {
            by_name.entry(&row.0).or_default().push(row);
        }
        for (name, rows) in by_name {
            let (own, summary) = read(format, Selection::Metric(name), Limits::default(), body.chunks(1000));
            assert_eq!(own.iter().collect::<Vec<_>>(), rows, "{name}");
            assert_eq!((summary.rows, summary.bytes), (rows.len() as u64, body.len() as u64));
        }
    }
}

#[test]
fn hostile_rows_neither_vanish_nor_spread() {
    // How many rows and row errors of kube_pod_labels; what they are is held against Prometheus' parser in `testbed`.
    for (format, file, rows, errors) in [
        (Format::Text, "hostile.txt", 30, 47),
        (Format::OpenMetrics, "hostile.om", 27, 34),
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../testdata/exposition")
            .join(file);
        let body = std::fs::read(path).unwrap_or_default();
        let (read, summary) = read(
            format,
            Selection::Metric(kube_state_metrics::LABELS),
            Limits::default(),
            [&body[..]],
        );
        assert_eq!((read.len(), summary.row_errors), (rows, errors), "{file}");
        let pod = |row: &Owned| {
            row.1
                .iter()
                .find(|(name, _)| name == "pod")
                .map(|(_, value)| value.clone())
        };
        assert_eq!(read.last().and_then(pod).as_deref(), Some("last"), "{file}");
        assert!(!read.iter().any(|row| pod(row).as_deref() == Some("forged")), "{file}");
        let feed = read.iter().find(|row| pod(row).as_deref() == Some("line feed"));
        assert!(
            feed.is_some_and(|row| row.1[3].1.starts_with("a\nkube_pod_labels{pod=\"forged\"} 1\n")),
            "{file}"
        );
    }
}

/// Pieces that mean something, so that arbitrary bodies get further than their first byte.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "m", "{", "}", "\"", "\\", "=", ",", " ", "\t", "\n", "\n", "#", " # {", "# EOF", "1", "a=\"b\"", "\"m\"", "NaN", "é",
            "\nm{", "m{a=\"b\"} 1\n", "\0", "\r\n",
        ]).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// A body of what prometheus-parse reads without loss: names without a colon, values without special characters.
fn plain() -> impl Strategy<Value = Vec<(String, BTreeMap<String, String>, f64)>> {
    let labels = prop::collection::btree_map("[a-z_][a-z0-9_]{0,8}", "[a-zA-Z0-9 ./:_-]{1,12}", 1..5);
    prop::collection::vec(
        ("[a-z_][a-z0-9_]{0,12}", labels, any::<u32>().prop_map(f64::from)),
        0..20,
    )
}

/// A line, its name and its labels.
type Sample = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// Valid samples, each with a character that means something to a parser, and their labels.
const SEVEN: [Sample; 7] = [
    ("a{v=\"x\"} 1", "a", &[("v", "x")]),
    ("a{v=\"x,y\"} 1", "a", &[("v", "x,y")]),
    ("a{v=\"x=y\"} 1", "a", &[("v", "x=y")]),
    ("a{v=\"x}y\"} 1", "a", &[("v", "x}y")]),
    ("a{v=\"x\\\"y\"} 1", "a", &[("v", "x\"y")]),
    ("a{} 1", "a", &[]),
    ("a:b 1", "a:b", &[]),
];

#[test]
fn of_seven_valid_samples_each_is_read_with_its_labels() {
    for (line, name, labels) in SEVEN {
        let body = format!("{line}\n");
        let (rows, summary) = read(Format::Text, Selection::All, Limits::default(), [body.as_bytes()]);
        let labels = labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        assert_eq!(
            rows,
            [(name.to_owned(), labels.collect(), 1f64.to_bits(), None)],
            "{line}"
        );
        assert_eq!(summary.row_errors, 0, "{line}");
    }
}

/// Why it is an oracle for plain bodies only. Where this fails, what README says of it is no longer so.
#[test]
fn of_seven_valid_samples_prometheus_parse_returns_four_two_with_a_label_lost_or_cut() -> std::io::Result<()> {
    let mut returned = Vec::new();
    for (line, ..) in SEVEN {
        let peer = prometheus_parse::Scrape::parse([Ok(line.to_owned())].into_iter())?;
        returned.extend(
            peer.samples
                .iter()
                .map(|sample| (line, sample.labels.get("v").map(str::to_owned))),
        );
    }
    let expected = [
        ("a{v=\"x\"} 1", Some("x")),
        ("a{v=\"x,y\"} 1", Some("x")),
        ("a{v=\"x=y\"} 1", None),
        // As it stands in the text: it never takes an escape away.
        ("a{v=\"x\\\"y\"} 1", Some("x\\\"y")),
    ];
    assert_eq!(returned, expected.map(|(line, value)| (line, value.map(str::to_owned))));
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes_in_any_chunks_read_the_same(
        body in pieces(), cuts in prop::collection::vec(0_usize..200, 0..6), line in 1_usize..60,
    ) {
        for format in FORMATS {
            for selection in [Selection::All, Selection::Metric("m"), Selection::Metric("m\""), Selection::Metric("")] {
                for limits in [Limits::default(), Limits { line, errors: 2 }] {
                    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut % (body.len() + 1)).collect();
                    cuts.extend([0, body.len()]);
                    cuts.sort_unstable();
                    let chunks = cuts.windows(2).map(|pair| &body[pair[0]..pair[1]]);
                    prop_assert_eq!(read(format, selection, limits, chunks), read(format, selection, limits, [&body[..]]));
                }
            }
        }
    }

    #[test]
    fn prometheus_parse_agrees_on_plain_bodies(rows in plain()) {
        let line = |(name, labels, value): &(String, BTreeMap<String, String>, f64)| {
            let labels = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect::<Vec<_>>().join(",");
            format!("{name}{{{labels}}} {value}\n")
        };
        let body: String = rows.iter().map(line).collect();
        let peer = prometheus_parse::Scrape::parse(body.lines().map(|line| Ok(line.to_owned())))?;
        let peer: Vec<Owned> = peer.samples.iter().map(|sample| {
            let labels: BTreeMap<_, _> = sample.labels.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
            let value = match sample.value {
                prometheus_parse::Value::Untyped(value) => value,
                _ => f64::NAN,
            };
            (sample.metric.clone(), labels.into_iter().collect(), value.to_bits(), None)
        }).collect();
        let (own, summary) = read(Format::Text, Selection::All, Limits::default(), [body.as_bytes()]);
        prop_assert_eq!(own, peer);
        prop_assert_eq!(summary.row_errors, 0);
    }
}
