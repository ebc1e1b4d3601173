//! The agent's registrar, as it is shipped, against the testbed's Starbase over TLS on loopback; and both against the
//! OpenAPI document.

mod bed;
mod conformance;
mod deregister;
mod document;
mod faults;
mod process;
mod registration;
mod tls;
