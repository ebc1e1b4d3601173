//! Values files, before anything is installed: read as they lie there, and judged by checks of their own.

mod judge;
mod read;

pub use self::judge::{MANIFEST_CHECKS, ManifestCheck, evaluate_manifests, manifest_check};
pub use self::read::{Manifests, read};
