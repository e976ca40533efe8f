//! Fetching and searching over real TCP.

mod fetching;
mod searching;
mod site;
mod spellings;
mod ssrf;
