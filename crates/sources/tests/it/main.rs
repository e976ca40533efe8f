//! Fetching, searching and embedding over real TCP.

mod embedding;
mod fetching;
mod local;
mod reranking;
mod searching;
mod site;
mod spellings;
mod ssrf;
