//! Keeps one copy of a string that many pods share.

use crate::evidence::Shared;
use std::collections::HashSet;

/// How many different strings are kept. What comes beyond is not shared, so that a hostile cluster costs no more than
/// its own strings.
const BOUND: usize = 1 << 16;

/// Namespaces, nodes, statuses, label values.
#[derive(Debug, Default)]
pub(super) struct Interner(HashSet<Shared>);

impl Interner {
    /// The one copy.
    pub(super) fn share(&mut self, text: &str) -> Shared {
        if let Some(known) = self.0.get(text) {
            return Shared::clone(known);
        }
        let shared = Shared::from(text);
        if self.0.len() < BOUND {
            self.0.insert(Shared::clone(&shared));
        }
        shared
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn equal_strings_are_one() {
        let mut interner = Interner::default();
        let first = interner.share("kube-system");
        assert!(Arc::ptr_eq(&first, &interner.share("kube-system")));
        assert_eq!(&*interner.share("default"), "default");
    }
}
