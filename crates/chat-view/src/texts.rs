//! Every text of the app, in English. Names that tests and screen readers rely on are those of the
//! design, word for word.

use unbroken_protocol::ErrorCode;

pub const APP: &str = "Unbroken";

// The composer.
pub const MESSAGE: &str = "Message";
pub const PLACEHOLDER_HOME: &str = "Ask anything";
pub const PLACEHOLDER_CHAT: &str = "Reply";
pub const SEND: &str = "Send";
pub const STOP: &str = "Stop";
pub const SOURCES: &str = "Sources";
pub const ATTACH: &str = "Attach";
pub const WEB: &str = "Web";
pub const ATTACH_NOT_YET: &str = "Attaching files is not available yet.";
pub const WEB_NOT_YET: &str = "Searching the web is not available yet.";
pub const HOME_TITLE: &str = "What can I help with?";

pub fn message_too_long(bytes: usize) -> String {
    format!("This message is {} too long. The limit is 1 MiB; shorten it or split it.", size(bytes))
}

pub fn near_context(tokens: u64, context: u64) -> String {
    let tokens = if tokens < 1000 { tokens.to_string() } else { format!("{}k", tokens / 1000) };
    format!(
        "This is about {tokens} of the {} that the model reads at once, earlier messages not \
         counted. Shorten it, or choose a model that reads more.",
        context_length(context)
    )
}

pub fn near_limit(bytes: usize) -> String {
    format!("This message has {} of at most 1 MiB. Shorten it or split it.", size(bytes))
}

// The model picker.
pub const MODELS: &str = "Models";
pub const SEARCH_MODELS: &str = "Search models";
pub const BEST: &str = "Best (automatic)";
pub const BEST_DESCRIPTION: &str = "Picks a model that suits the question.";
pub const NO_MODEL_FOUND: &str = "No model has that name.";
pub const OTHER_PROVIDER: &str = "Other";

pub fn model_button(name: &str) -> String {
    format!("Model: {name}")
}

pub fn context_length(tokens: u64) -> String {
    match tokens {
        0..1000 => format!("{tokens} tokens"),
        1000..1_000_000 => format!("{}k tokens", tokens / 1000),
        _ => format!("{}M tokens", tokens / 1_000_000),
    }
}

// Messages and answers.
pub const YOU: &str = "You";
pub const ASSISTANT: &str = "Answer";
pub const REGENERATE: &str = "Regenerate";
pub const REMOVE: &str = "Remove";
pub const SEAM: &str = "The answer went on here after a break";
pub const EDIT: &str = "Edit";
pub const CONTINUE: &str = "Continue";
pub const RETRY: &str = "Retry";
pub const CHANGE_MODEL: &str = "Change model";
pub const LATEST: &str = "Latest";
pub const QUEUED: &str = "Waiting for the answer before it";
pub const THINKING: &str = "Thinking";
pub const STREAMING: &str = "Answering";
pub const STOPPED: &str = "Stopped";
pub const INTERRUPTED: &str = "Interrupted";
pub const FAILED: &str = "No answer";
pub const REASONING: &str = "Reasoning";
pub const CUT_AT_LENGTH: &str = "The model reached its limit of output. Continue to read on.";
pub const CUT_BY_FILTER: &str = "The provider's content filter ended this answer.";
pub const INTERRUPTED_REASON: &str = "The answer broke off before its end.";
pub const FAILED_REASON: &str = "The answer failed. Try again.";

pub fn source(index: u32) -> String {
    format!("Source {index}")
}

/// What a person can do about an error that came without a sentence.
pub fn error(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::BadRequest => "The server did not understand the request. Reload the page.",
        ErrorCode::Unauthorized => "Your session has ended. Reload the page to begin a new one.",
        ErrorCode::Forbidden => "This session may not do that.",
        ErrorCode::NotFound => "This conversation does not exist, or is not yours.",
        ErrorCode::Conflict => "This message was sent before with another text.",
        ErrorCode::PayloadTooLarge => "This message is too long. Shorten it or split it.",
        ErrorCode::RateLimited => "Too many requests. Wait a moment and try again.",
        ErrorCode::QuotaExceeded => "Your quota is used up.",
        ErrorCode::ConversationBusy => {
            "Ten messages wait here already. Let some be answered first."
        }
        ErrorCode::ModelUnavailable => "This model cannot be reached. Try again or choose another.",
        ErrorCode::ContextLengthExceeded => {
            "The conversation is too long for this model. Choose another or begin a new one."
        }
        ErrorCode::ContentFiltered => "The provider refuses to answer this. Word it differently.",
        ErrorCode::ProviderAuth => "The provider refuses the server's key. Check it.",
        ErrorCode::ProviderRateLimited => "The provider gets too many requests. Try again later.",
        ErrorCode::ProviderOverloaded => "The provider is overloaded. Try again later.",
        ErrorCode::ProviderTimeout => "The provider did not answer in time. Try again.",
        ErrorCode::ProviderError => "The provider failed. Try again.",
        ErrorCode::ProviderTruncated => "The provider ended the answer in its middle. Try again.",
        ErrorCode::OwnerLost => "The server restarted while it was answering.",
        ErrorCode::StorageUnavailable => "The server cannot store anything now. Try again.",
        ErrorCode::Draining => "The server is about to restart. Try again in a moment.",
        ErrorCode::Internal => "Something went wrong on the server. Try again.",
    }
}

// Markdown.
pub const COPY: &str = "Copy";
pub const COPIED: &str = "Copied";
pub const WRAP: &str = "Wrap";
pub const CODE: &str = "Code";
pub const TABLE: &str = "Table";
pub const COPY_CSV: &str = "Copy as CSV";
pub const FORMULA: &str = "Formula";
pub const FORMULA_AS_WRITTEN: &str = "This formula is shown as it was written";
pub const IMAGE: &str = "Image";
pub const TASK: &str = "Task";

pub fn footnote(number: usize) -> String {
    format!("Footnote {number}")
}

pub fn back_to_reference(number: usize) -> String {
    format!("Back to reference {number}")
}

// The connection.
pub const CONNECTION: &str = "Connection";
pub const RECONNECTING: &str = "Reconnecting…";
pub const OFFLINE: &str = "Offline";
pub const SESSION_EXPIRED: &str = "Session ended";
pub const REFUSED: &str = "The server refuses this page";
pub const RELOAD: &str = "Reload";

// The list of conversations.
pub const CONVERSATIONS: &str = "Conversations";
pub const NEW_CHAT: &str = "New chat";
pub const NO_CONVERSATIONS: &str = "Nothing here yet";
pub const UNTITLED: &str = "New conversation";
pub const RUNNING: &str = "Answering";
pub const LOAD_MORE: &str = "Load more";
pub const RENAME: &str = "Rename";
pub const DELETE: &str = "Delete";
pub const PINNED: &str = "Pinned";
pub const PIN: &str = "Pin";
pub const UNPIN: &str = "Unpin";
pub const ARCHIVE: &str = "Archive";
pub const UNARCHIVE: &str = "Unarchive";
pub const MOVE: &str = "Move to folder…";
pub const NO_ARCHIVED: &str =
    "Nothing is archived. What you archive leaves the sidebar and stays here.";
pub const DELETED: &str = "Deleted.";
pub const UNDO: &str = "Undo";
pub const NOT_RESTORED: &str = "This conversation could not be brought back.";

pub fn more_about(title: &str) -> String {
    format!("More: {title}")
}

// Folders.
pub const FOLDER: &str = "Folder";
pub const FOLDER_TITLE: &str = "Move to folder";
pub const FOLDER_ABOUT: &str = "Choose a folder, or name a new one.";
pub const NO_FOLDER: &str = "No folder";
pub const NEW_FOLDER: &str = "New folder";
pub const MOVE_THERE: &str = "Move";

// The search.
pub const SEARCH: &str = "Search";
pub const SEARCH_CONVERSATIONS: &str = "Search conversations";
pub const SEARCH_HINT: &str =
    "Type a word, or a phrase in quotes. Titles and messages are searched.";
pub const SEARCH_FAILED: &str = "The search did not work. Try again.";
pub const SEARCHING: &str = "Searching…";
pub const TITLE_FOUND: &str = "Title";

pub fn nothing_found(query: &str) -> String {
    format!("No message holds “{query}”.")
}

// Temporary chats.
pub const TEMPORARY: &str = "Temporary";
pub const TEMPORARY_ABOUT: &str =
    "This chat is in no list and no search, and is erased a day after its last message.";

pub const TODAY: &str = "Today";
pub const YESTERDAY: &str = "Yesterday";
pub const PREVIOUS_7_DAYS: &str = "Previous 7 days";
pub const PREVIOUS_30_DAYS: &str = "Previous 30 days";
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// `month` counts from 1.
pub fn month(year: i64, month: u8) -> String {
    let name = MONTHS.get(usize::from(month).wrapping_sub(1)).copied().unwrap_or_default();
    format!("{name} {year}")
}

// The frame of the page.
pub const MENU: &str = "Menu";
pub const CLOSE: &str = "Close";
pub const COLLAPSE_SIDEBAR: &str = "Collapse sidebar";
pub const EXPAND_SIDEBAR: &str = "Expand sidebar";
pub const SETTINGS: &str = "Settings";
pub const APPEARANCE: &str = "Appearance";
pub const LIGHT: &str = "Light";
pub const DARK: &str = "Dark";
pub const SYSTEM: &str = "System";
pub const SKIP_TO_CONTENT: &str = "Skip to content";
pub const LOADING: &str = "Loading";
pub const NOT_FOUND: &str = "There is no page at this address.";
pub const HOME: &str = "Home";

/// The title of the browser's tab.
pub fn page_title(conversation: Option<&str>) -> String {
    match conversation.filter(|title| !title.is_empty()) {
        Some(title) => format!("{title} · {APP}"),
        None => APP.to_owned(),
    }
}

fn size(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{} KiB", bytes.div_ceil(1024)),
        _ => format!("{} MiB", bytes.div_ceil(1_048_576)),
    }
}
