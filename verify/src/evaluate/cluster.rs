//! stub
use super::check::Subject;
use super::outcome::{Judge, Outcome};
pub(super) fn api_server_answers(_: Subject<'_>) -> Judge {
    Ok(Outcome::undetermined("not judged"))
}
pub(super) fn identity(_: Subject<'_>) -> Judge {
    Ok(Outcome::undetermined("not judged"))
}
pub(super) fn is_doks(_: Subject<'_>) -> Judge {
    Ok(Outcome::undetermined("not judged"))
}
pub(super) fn kubernetes_version(_: Subject<'_>) -> Judge {
    Ok(Outcome::undetermined("not judged"))
}
pub(super) fn nodes_in_one_region(_: Subject<'_>) -> Judge {
    Ok(Outcome::undetermined("not judged"))
}
pub(super) fn nodes_ready(_: Subject<'_>) -> Judge {
    Ok(Outcome::undetermined("not judged"))
}
