//! A configuration of Fluent Bit, in whichever form it was written.

/// What one file, or all of them, say.
#[derive(Default)]
pub(super) struct Document {
    pub(super) sections: Vec<Section>,
    /// `@SET` and `env`.
    pub(super) variables: Vec<(String, String)>,
    /// Files that it includes.
    pub(super) includes: Vec<String>,
    /// Included files that were not read.
    pub(super) unread: Vec<String>,
}

/// A section. Its entries may be credentials: it is never printed.
pub(super) struct Section {
    pub(super) kind: Kind,
    /// In order; keys are lower-case, for Fluent Bit does not mind their case.
    pub(super) entries: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Service,
    Input,
    Filter,
    Output,
}

impl Kind {
    /// The kind of a section of that name; `None` for parsers and the like.
    pub(super) fn of(name: &str) -> Option<Self> {
        match name.to_lowercase().as_str() {
            "service" => Some(Self::Service),
            "input" | "inputs" => Some(Self::Input),
            "filter" | "filters" => Some(Self::Filter),
            "output" | "outputs" => Some(Self::Output),
            _ => None,
        }
    }
}

/// Whether a name matches a pattern in which `*` stands for anything.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = name.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}
