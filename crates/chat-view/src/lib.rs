//! What the web app knows, free of any UI framework: the conversation on the screen, Markdown that
//! grows, the composer, the model picker, the list of conversations, scrolling, which rows are in
//! the page, when to show what has arrived and what to read aloud, and every text.
//!
//! A view holds these types, hands events to them, and shows what changed. Nothing here touches a
//! page, a clock or a network.

pub mod announcements;
pub mod attachments;
pub mod citing;
pub mod composer;
pub mod csv;
pub mod fold;
pub mod history;
pub mod insert;
pub mod keys;
pub mod language;
pub mod library;
pub mod markdown;
pub mod pace;
pub mod palette;
pub mod picker;
pub mod prompts;
pub mod reading;
pub mod scroll;
pub mod search;
pub mod texts;
pub mod transcript;
pub mod window;
