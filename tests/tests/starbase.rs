//! The agent's registrar, as it is shipped, against the testbed's Starbase over TLS on loopback; and both against the
//! OpenAPI document.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "clippy knows only those functions that are tests themselves"
)]

#[path = "starbase/bed.rs"]
mod bed;
#[path = "starbase/conformance.rs"]
mod conformance;
#[path = "starbase/deregister.rs"]
mod deregister;
#[path = "starbase/document.rs"]
mod document;
#[path = "starbase/faults.rs"]
mod faults;
#[path = "starbase/process.rs"]
mod process;
#[path = "starbase/registration.rs"]
mod registration;
#[path = "starbase/tls.rs"]
mod tls;
