//! Bodies to hold against the oracle: the recorded ones, damaged ones, and ones put together from the pieces of the
//! grammar. The same seed makes the same bodies.

use std::path::Path;

use anyhow::Result;
use starform_exposition::Format;

/// A body and the format that it is to be read in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Body {
    pub(crate) format: Format,
    pub(crate) bytes: Vec<u8>,
}

/// splitmix64: small, and the same everywhere.
pub(crate) struct Random(u64);

/// Every `.om` and `.txt` in testdata/exposition.
pub(crate) fn recorded() -> Result<Vec<Body>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/exposition");
    let mut paths = std::fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    paths.sort();
    let format = |path: &Path| match path.extension()?.to_str()? {
        "om" => Some(Format::OpenMetrics),
        "txt" => Some(Format::Text),
        _ => None,
    };
    let known = paths.into_iter().filter_map(|path| Some((format(&path)?, path)));
    known
        .map(|(format, path)| {
            Ok(Body {
                format,
                bytes: std::fs::read(path)?,
            })
        })
        .collect()
}

/// A few lines of a body with a few bytes changed, dropped, put in, or lines joined or mixed.
pub(crate) fn damaged(body: &Body, random: &mut Random) -> Body {
    let mut lines: Vec<&[u8]> = body.bytes.split(|byte| *byte == b'\n').collect();
    lines.pop();
    let first = random.below(lines.len().max(1));
    let mut bytes = lines[first..lines.len().min(first + 12)].join(&b'\n');
    bytes.push(b'\n');
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len().max(1));
        match random.below(6) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = random.piece().as_bytes()[0],
            2 => drop(bytes.drain(at..(at + 1 + random.below(3)).min(bytes.len()))),
            3 => drop(bytes.splice(at..at, random.piece().bytes())),
            4 => {
                let other = lines[random.below(lines.len())];
                let from = random.below(other.len() + 1);
                drop(bytes.splice(at..at, other[from..].iter().copied()));
            }
            _ => {
                let to = (at + 1 + random.below(20)).min(bytes.len());
                let copy = bytes[at..to].to_vec();
                let place = random.below(bytes.len());
                drop(bytes.splice(place..place, copy));
            }
        }
        if bytes.is_empty() {
            break;
        }
    }
    Body {
        format: body.format,
        bytes,
    }
}

/// Rows that are mostly sound, of pieces that are mostly in the right place.
pub(crate) fn generated(format: Format, random: &mut Random) -> Body {
    let mut text = String::new();
    for _ in 0..=random.below(6) {
        row(format, random, &mut text);
        text.push('\n');
    }
    Body {
        format,
        bytes: text.into_bytes(),
    }
}

fn row(format: Format, random: &mut Random, text: &mut String) {
    let braced = random.below(5) == 0;
    if !braced {
        text.push_str(random.of(&["a", "kube_pod_labels", "x:y", "_", "A9", "9", ":"]));
        blank(format, random, text);
    }
    if braced || random.below(4) > 0 {
        text.push('{');
        if braced {
            text.push_str(random.of(&["\"a.b\"", "\"kube_pod_labels\"", "\"\"", "\"\\\"\"", "a=\"b\""]));
            text.push_str(random.of(&[",", ",", ", ", ""]));
        }
        for _ in 0..random.below(4) {
            blank(format, random, text);
            text.push_str(random.of(&["a", "b", "c", "le", "label_x_conflict1", "\"d.e\"", "__name__", "f:g"]));
            blank(format, random, text);
            text.push('=');
            blank(format, random, text);
            text.push('"');
            for _ in 0..random.below(4) {
                text.push_str(random.of(VALUES));
            }
            text.push('"');
            blank(format, random, text);
            text.push_str(random.of(&[",", ",", ",", ",", "", ",,"]));
        }
        text.push_str(random.of(&["}", "}", "}", "}", "}", "} ", ""]));
    }
    text.push_str(random.of(&[" ", " ", " ", " ", "", "  ", "\t"]));
    text.push_str(random.of(NUMBERS));
    for (chance, pieces) in [(4, NUMBERS), (5, EXEMPLARS), (8, TRAILING)] {
        if random.below(chance) == 0 {
            text.push(' ');
            text.push_str(random.of(pieces));
        }
    }
    if random.below(6) == 0 {
        let mut at = random.below(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        text.insert_str(at, random.piece());
    }
}

fn blank(format: Format, random: &mut Random, text: &mut String) {
    let chance = if format == Format::Text { 6 } else { 60 };
    if random.below(chance) == 0 {
        text.push_str(random.of(&[" ", "\t", "  ", " \t "]));
    }
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below this one.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % end.max(1) as u64).unwrap_or_default()
    }

    fn of(&mut self, pieces: &[&'static str]) -> &'static str {
        pieces[self.below(pieces.len())]
    }

    fn piece(&mut self) -> &'static str {
        self.of(PIECES)
    }
}

/// What means something somewhere in the grammar, or is known to trip readers up.
const PIECES: &[&str] = &[
    "{",
    "}",
    "\"",
    "\\",
    "=",
    ",",
    " ",
    "\t",
    "#",
    ":",
    "\r",
    "\0",
    "\n",
    "1",
    ".",
    "-",
    "+",
    "_",
    "e",
    "p",
    "é",
    "\u{2028}",
    "\\n",
    "\\\\",
    "\\\"",
    " # {",
    " # {} 1",
    "{\"",
    "\"}",
    "\",\"",
    "=\"\"",
    "a=\"b\",",
    "NaN",
    "Inf",
    "0x1",
    "__name__",
    "# EOF",
    " 1",
    "  ",
    "kube_pod_labels",
    "\u{7f}",
    "\u{85}",
];
const VALUES: &[&str] = &[
    "v",
    "",
    ",",
    "=",
    "}",
    "{",
    "#",
    ":",
    " ",
    "\\\"",
    "\\\\",
    "\\n",
    "\\t",
    "é",
    "kube_pod_labels{",
    "} 1",
    "'",
    "\t",
];
const NUMBERS: &[&str] = &[
    "1",
    "0",
    "12",
    "-1",
    "+1",
    "1.5",
    "1e3",
    "1.790e+09",
    "NaN",
    "nan",
    "-NaN",
    "+Inf",
    "-Inf",
    "inf",
    "Infinity",
    "0x10",
    "0x1p4",
    "1_000",
    "1e999",
    "-1e999",
    "1e-999",
    ".5",
    "5.",
    ".",
    "",
    "1e",
    "0001",
    "9007199254740993",
    "1790000000123",
    "99999999999999999999",
    "4.9e-324",
    "0.1e1",
];
const EXEMPLARS: &[&str] = &[
    "# {} 1",
    "# {a=\"b\"} 1",
    "# {a=\"b\",} 1 2",
    "# {a=\"b\"}",
    "# {\"a\"=\"b\"} 1 1.5",
    "# {\"a\"} 1",
    "#{} 1",
    "# {a=\"b\"}  1",
    "# {a=\"b\"} 1 NaN",
    "# {a=\"b\" ,c=\"d\"} 1",
    "# {a=\"b\",a=\"b\"} 1",
];
const TRAILING: &[&str] = &["", " ", "\t", "\r", "x", "#", "# comment", "1", "{"];
