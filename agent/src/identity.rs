//! Which pod this process is.

/// This pod, from the downward API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its namespace: `starform-system`.
    pub namespace: String,
    /// Its name; also the holder of the Lease.
    pub pod: String,
    /// Its UID: an earlier pod of the same name is another one.
    pub uid: String,
    /// The node that it runs on.
    pub node: String,
}
