//! What to type.
