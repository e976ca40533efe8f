//! The texts of the views: those of `chat-view`, and what only a page needs to say.

pub(crate) use unbroken_chat_view::texts::*;

pub(crate) const ASK: &str = "What would you like to know?";
pub(crate) const SUGGESTIONS: &str = "Suggestions";
pub(crate) const FIRST_QUESTIONS: [&str; 3] =
    ["What can you do?", "How do I add a model?", "Where is my data kept?"];
pub(crate) const HOME_LINK: &str = "Unbroken, home";
pub(crate) const HISTORY: &str = "History";
pub(crate) const OPEN_SIDEBAR: &str = "Open sidebar";
pub(crate) const CLOSE_SIDEBAR: &str = "Close sidebar";
pub(crate) const NOTHING_HERE: &str = "There is nothing at this address.";
pub(crate) const BEGIN: &str = "Begin a new chat.";
pub(crate) const QUEUE: &str = "Queue";
pub(crate) const NEXT: &str = "Next:";
pub(crate) const THEN: &str = "Then:";
pub(crate) const TRANSCRIPT: &str = "Transcript";
pub(crate) const ANSWERS: &str = "Answers, read aloud";
pub(crate) const SENDING: &str = "Sending…";
pub(crate) const CANCEL: &str = "Cancel";
/// A part of the app that comes when it is asked for did not come.
pub(crate) const PART_MISSING: &str =
    "This part of the app could not be loaded. The network may be down.";
pub(crate) const TRY_AGAIN: &str = "Try again";

pub(crate) const NO_SUCH_CONVERSATION: &str = "This conversation does not exist, or is not yours.";

pub(crate) const GATE_TITLE: &str = "This server asks for an access code";
pub(crate) const GATE_ABOUT: &str =
    "Whoever runs it can tell you. This device remembers that you were let in.";
pub(crate) const ACCESS_CODE: &str = "Access code";
pub(crate) const OPEN: &str = "Open";
pub(crate) const DOWN_TITLE: &str = "The server does not answer";
pub(crate) const UNREACHABLE: &str =
    "The server cannot be reached. Your message is kept; try again when the network is back.";

pub(crate) const ANNOUNCE: &str = "Screen reader hears the answer";
pub(crate) const ANNOUNCE_SENTENCES: &str = "By sentence";
pub(crate) const ANNOUNCE_END: &str = "At the end";
pub(crate) const ANNOUNCE_OFF: &str = "Never";
pub(crate) const ABOUT: &str = "About";
pub(crate) const ABOUT_TEXT: &str = "An answer is a log, not a connection: a reload, a lost network or a \
    restarted server neither loses nor doubles a word. Everything stays on the server that you \
    opened this page from.";

pub(crate) const SHOW: &str = "Show";
pub(crate) const ARCHIVED: &str = "Archive";

pub(crate) fn tokens(count: u64) -> String {
    match count {
        1 => "1 token".to_owned(),
        _ => format!("{count} tokens"),
    }
}
pub(crate) const BEST_SHORT: &str = "Best";
pub(crate) const FIND_MODEL: &str = "Find a model";
pub(crate) const EARLIER: &str = "Show earlier messages";
pub(crate) const THINKING_NOW: &str = "Thinking…";

/// Where a citation without an address comes from.
pub(crate) fn origin(source_type: &str) -> &'static str {
    match source_type {
        "guide" => "From Unbroken's guide",
        "file" => "From your file",
        _ => "",
    }
}

pub(crate) fn page(number: u32) -> String {
    format!("Page {number}")
}

pub(crate) const EDITING_BRANCH: &str =
    "Editing a message: it is asked again, and the old one stays.";
pub(crate) const EDITING_QUEUED: &str = "Editing a message that waits.";
pub(crate) const PREVIOUS: &str = "Previous version";
pub(crate) const FOLLOWING: &str = "Next version";
pub(crate) const DETAILS: &str = "Details";
pub(crate) const MODEL: &str = "Model";
pub(crate) const FIRST_TEXT: &str = "Time to first text";
pub(crate) const TOKENS: &str = "Tokens";
pub(crate) const SPEED: &str = "Tokens a second";
pub(crate) const RECORDS: &str = "Records";
pub(crate) const RUNS: &str = "Runs";
pub(crate) const RECONNECTS: &str = "Reconnects of this page";
pub(crate) const HASH: &str = "SHA-256 of the text";

pub(crate) fn branch((at, of): (usize, usize)) -> String {
    format!("{at}/{of}")
}

/// A time in milliseconds.
pub(crate) fn time(millis: f64) -> String {
    if millis < 1000.0 {
        format!("{} ms", fixed(millis, 0))
    } else {
        format!("{} s", decimal(millis / 1000.0))
    }
}

/// With one digit after the point.
pub(crate) fn decimal(number: f64) -> String {
    fixed(number, 1)
}

/// By the browser: what Rust brings along to write such numbers is 16 KB.
fn fixed(number: f64, digits: u8) -> String {
    js_sys::Number::from(number).to_fixed(digits).map(String::from).unwrap_or_default()
}
