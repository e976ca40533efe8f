//! The browser tests are in `tests/it`; there is nothing to use from here.
