//! Does all the I/O and decides nothing.
