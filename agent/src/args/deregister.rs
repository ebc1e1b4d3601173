//! `shuttle deregister`.

use super::Starbase;
use crate::deregister;
use std::path::PathBuf;
use tokio_util::sync::CancellationToken;
