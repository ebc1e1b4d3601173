//! stub
use super::check::Subject;
use super::outcome::{Judge, Outcome};
pub(super) fn allowlist(_: Subject<'_>) -> Judge {
    Ok(Outcome::undetermined("not judged"))
}
pub(super) fn answers(_: Subject<'_>) -> Judge {
    Ok(Outcome::undetermined("not judged"))
}
pub(super) fn join(_: Subject<'_>) -> Judge {
    Ok(Outcome::undetermined("not judged"))
}
pub(super) fn labels_shown(_: Subject<'_>) -> Judge {
    Ok(Outcome::undetermined("not judged"))
}
pub(super) fn labels_unambiguous(_: Subject<'_>) -> Judge {
    Ok(Outcome::undetermined("not judged"))
}
pub(super) fn present(_: Subject<'_>) -> Judge {
    Ok(Outcome::undetermined("not judged"))
}
pub(super) fn rows_complete(_: Subject<'_>) -> Judge {
    Ok(Outcome::undetermined("not judged"))
}
pub(super) fn rows_current(_: Subject<'_>) -> Judge {
    Ok(Outcome::undetermined("not judged"))
}
pub(super) fn runs(_: Subject<'_>) -> Judge {
    Ok(Outcome::undetermined("not judged"))
}
pub(super) fn version(_: Subject<'_>) -> Judge {
    Ok(Outcome::undetermined("not judged"))
}
