//! The binary as a user runs it.

mod document;
mod evidence;
mod exit_code;
mod explain;
mod live;
mod rbac;
mod run;
mod usage;
