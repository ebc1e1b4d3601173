//! stub
use super::check::Subject;
use super::outcome::{Judge, Outcome};
pub(super) fn answers(_: Subject<'_>) -> Judge {
    Ok(Outcome::undetermined("not judged"))
}
pub(super) fn autoscalers(_: Subject<'_>) -> Judge {
    Ok(Outcome::undetermined("not judged"))
}
pub(super) fn available(_: Subject<'_>) -> Judge {
    Ok(Outcome::undetermined("not judged"))
}
pub(super) fn node_metrics_complete(_: Subject<'_>) -> Judge {
    Ok(Outcome::undetermined("not judged"))
}
pub(super) fn node_metrics_fresh(_: Subject<'_>) -> Judge {
    Ok(Outcome::undetermined("not judged"))
}
pub(super) fn pod_metrics_complete(_: Subject<'_>) -> Judge {
    Ok(Outcome::undetermined("not judged"))
}
pub(super) fn pod_metrics_fresh(_: Subject<'_>) -> Judge {
    Ok(Outcome::undetermined("not judged"))
}
pub(super) fn registered(_: Subject<'_>) -> Judge {
    Ok(Outcome::undetermined("not judged"))
}
pub(super) fn runs(_: Subject<'_>) -> Judge {
    Ok(Outcome::undetermined("not judged"))
}
pub(super) fn service(_: Subject<'_>) -> Judge {
    Ok(Outcome::undetermined("not judged"))
}
pub(super) fn verifies_kubelets(_: Subject<'_>) -> Judge {
    Ok(Outcome::undetermined("not judged"))
}
pub(super) fn version(_: Subject<'_>) -> Judge {
    Ok(Outcome::undetermined("not judged"))
}
