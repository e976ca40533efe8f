//! Fetching over real TCP.

mod fetching;
mod site;
mod spellings;
mod ssrf;
