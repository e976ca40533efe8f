//! The texts of the views: those of `chat-view`, and what only a page needs to say.

pub(crate) use unbroken_chat_view::texts::*;
use unbroken_protocol::{ImportState, ImportView};

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
pub(crate) const SAVE: &str = "Save";

// The command palette, and the actions in it.
pub(crate) const COMMANDS: &str = "Commands";
pub(crate) const PALETTE: &str = "Command palette";
pub(crate) const PALETTE_FIELD: &str = "Find an action, a model or a conversation";
pub(crate) const PALETTE_PLACEHOLDER: &str = "Find anything";
pub(crate) const PALETTE_NOTHING: &str = "Nothing has these words.";
pub(crate) const RESULTS: &str = "Results";
pub(crate) const ACTIONS: &str = "Actions";
pub(crate) const IN_MESSAGES: &str = "Found in messages";
pub(crate) const SHORTCUTS: &str = "Keyboard shortcuts";
pub(crate) const SHORTCUTS_ABOUT: &str = "Those of one key work while you are not typing.";
pub(crate) const TEMPORARY_CHAT: &str = "New temporary chat";
pub(crate) const RENAME_THIS: &str = "Rename this conversation";
pub(crate) const PIN_THIS: &str = "Pin this conversation";
pub(crate) const UNPIN_THIS: &str = "Unpin this conversation";
pub(crate) const ARCHIVE_THIS: &str = "Archive this conversation";
pub(crate) const DELETE_THIS: &str = "Delete this conversation";
pub(crate) const GO_HISTORY: &str = "Go to history";
pub(crate) const WRITE: &str = "Write a message";
pub(crate) const SEND_MESSAGE: &str = "Send the message";
pub(crate) const BREAK_LINE: &str = "Begin a new line";
pub(crate) const EDIT_LAST: &str = "Edit the last message";
pub(crate) const COPY_LAST: &str = "Copy the last answer";
pub(crate) const REGENERATE_LAST: &str = "Regenerate the last answer";
pub(crate) const STOP_ANSWER: &str = "Stop the answer";
pub(crate) const CHOOSE_MODEL: &str = "Choose a model";
pub(crate) const LIGHT_APPEARANCE: &str = "Appearance: light";
pub(crate) const DARK_APPEARANCE: &str = "Appearance: dark";
pub(crate) const SYSTEM_APPEARANCE: &str = "Appearance: as the system";
pub(crate) const FOLD_SIDEBAR: &str = "Fold or unfold the sidebar";
pub(crate) const ASK_GUIDE: &str = "Open the guide";
pub(crate) const ANSWER_COPIED: &str = "The answer is on the clipboard.";
pub(crate) const NOT_COPIED: &str = "The browser does not let this page use the clipboard.";
/// A part of the app that comes when it is asked for did not come.
pub(crate) const PART_MISSING: &str =
    "This part of the app could not be loaded. The network may be down.";
pub(crate) const TRY_AGAIN: &str = "Try again";

pub(crate) const KEPT_FOR_LATER: &str = "Will be sent when the network is back";
pub(crate) const NOTIFICATIONS: &str = "Notifications";
pub(crate) const NOTIFY: &str = "Notify me when a long answer ends";
pub(crate) const ON: &str = "On";
pub(crate) const OFF: &str = "Off";
pub(crate) const ANSWER_READY: &str = "The answer is ready.";

/// The title of a tab in which so many answers ended unseen.
pub(crate) fn with_mark(ended: usize, title: &str) -> String {
    format!("({ended}) {title}")
}

pub(crate) const ANOTHER_MODEL: &str = "Ask another model";
pub(crate) const SIDE_BY_SIDE: &str = "Side by side";
pub(crate) const TWO_ANSWERS: &str = "Two answers";
pub(crate) const ANSWERS_OF: &str = "Answer to show";
pub(crate) const USE_THIS: &str = "Use this one";

pub(crate) fn use_named(model: &str) -> String {
    format!("{USE_THIS}: {model}")
}

pub(crate) fn stop_named(model: &str) -> String {
    format!("{STOP} {model}")
}

pub(crate) const NO_SUCH_CONVERSATION: &str = "This conversation does not exist, or is not yours.";

pub(crate) const GATE_TITLE: &str = "This server asks for an access code";
pub(crate) const GATE_ABOUT: &str =
    "Whoever runs it can tell you. This device remembers that you were let in.";
pub(crate) const ACCESS_CODE: &str = "Access code";
pub(crate) const OPEN: &str = "Open";
pub(crate) const DOWN_TITLE: &str = "The server does not answer";
pub(crate) const UNREACHABLE: &str =
    "The server cannot be reached. Your message is kept; try again when the network is back.";

// The message that is being written.
pub(crate) const DICTATE: &str = "Dictate";
pub(crate) const DICTATE_ABOUT: &str =
    "Dictate. Your browser writes down what you say, and may use its maker's service for that.";
pub(crate) const LISTENING: &str = "Listening…";
pub(crate) const DICTATION_FAILED: &str =
    "The browser cannot listen. Allow it to use the microphone, and try again.";
pub(crate) const DROP_HERE: &str = "Drop text files here";

pub(crate) fn not_text(name: &str) -> String {
    format!(
        "“{name}” is not a text file. Only text can be sent for now: Markdown, CSV, source code \
         and the like."
    )
}

pub(crate) fn too_large(name: &str) -> String {
    format!("“{name}” does not fit: a message has at most 1 MiB. Send it in parts.")
}

pub(crate) fn unreadable(name: &str) -> String {
    format!("“{name}” could not be read. Try again.")
}

// Prompts.
pub(crate) const NO_PROMPTS: &str = "Keep a text here that you ask often";
pub(crate) const MANAGE_PROMPTS: &str = "Prompts…";
pub(crate) const MANAGE_PROMPTS_ABOUT: &str = "Make, change or delete them";
pub(crate) const PROMPTS_ABOUT: &str = "Texts that you ask often. Type / at the beginning of a \
    message to use one, on any of your devices.";
pub(crate) const NEW_PROMPT: &str = "New prompt";
pub(crate) const PROMPT_NAME: &str = "Name";
pub(crate) const PROMPT_TEXT: &str = "Text";
pub(crate) const PROMPT_EXAMPLE: &str = "Sum up {{text}} in three sentences.";
pub(crate) const VARIABLES_ABOUT: &str =
    "Write {{name}} for what changes. Tab goes from one to the next when you use it.";

pub(crate) fn asks_for(names: &[&str]) -> String {
    format!("Changes each time: {}.", names.join(", "))
}

pub(crate) fn delete_named(name: &str) -> String {
    format!("Delete {name}")
}

pub(crate) fn edit_named(name: &str) -> String {
    format!("Edit {name}")
}

// A server without a model.
pub(crate) const NO_MODEL_TITLE: &str = "This server has no language model yet";
pub(crate) const NO_MODEL_FOUND_YET: &str = "It looks for Ollama, llama.cpp, LM Studio and vLLM on \
    its own machine every half a minute and has found none. Start one, and this page goes by itself.";
pub(crate) const TRY_GUIDE: &str = "Ask the guide instead";
pub(crate) const ADD_MODEL: &str = "Add a model";
pub(crate) const ADD_MODEL_ABOUT: &str = "A model server at another port or on another machine goes \
    into unbroken.toml in the data folder. Restart Unbroken after a change.";
pub(crate) const OLLAMA_ABOUT: &str =
    "Found by itself at port 11434 of this machine. Elsewhere, change the address:";
pub(crate) const LLAMA_CPP_ABOUT: &str =
    "Found by itself at port 8080 of this machine. Elsewhere, change the address:";
pub(crate) const OPENAI_COMPATIBLE: &str = "Any OpenAI-compatible service";
pub(crate) const OPENAI_COMPATIBLE_ABOUT: &str =
    "The key comes from the environment variable that is named, and stays on the server:";

pub(crate) fn lines_for(name: &str) -> String {
    format!("Lines for {name}")
}

pub(crate) fn copy_lines_for(name: &str) -> String {
    format!("Copy the lines for {name}")
}

// The settings.
pub(crate) const SETTINGS_SECTIONS: &str = "Sections";
pub(crate) const ALL_SETTINGS: &str = "All settings";
pub(crate) const MODEL_AND_INSTRUCTIONS: &str = "Model and instructions";
pub(crate) const DEFAULT_MODEL: &str = "Default model";
pub(crate) const DEFAULT_MODEL_ABOUT: &str =
    "Answers everything you ask, on all your devices, until you choose another.";
pub(crate) const INSTRUCTIONS: &str = "Instructions for every answer";
pub(crate) const INSTRUCTIONS_EXAMPLE: &str = "Answer briefly. I write Rust and live in Madrid.";
pub(crate) const INSTRUCTIONS_ABOUT: &str = "Sent to the model with every new message as its system \
    prompt. Kept on this device only.";
pub(crate) const PROMPTS: &str = "Prompts";
pub(crate) const READING_ALOUD: &str = "Screen reader";
pub(crate) const DATA: &str = "Data";
pub(crate) const DATA_WHERE: &str = "Conversations, prompts and your default model are kept on the \
    server that you opened this page from, and nowhere else.";
pub(crate) const DATA_DEVICE: &str =
    "Drafts, appearance and instructions are kept in this browser.";
pub(crate) const ABOUT_GUIDE: &str =
    "The guide is inside the app: the model “quotes” answers from it, with the passages.";
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

// Conversations that come in and go out.
pub(crate) const EXPORT: &str = "Export";
pub(crate) const EXPORT_MENU: &str = "Export…";
pub(crate) const SHARE_MENU: &str = "Share…";
pub(crate) const SHARE: &str = "Share";
pub(crate) const EXPORT_THIS: &str = "Export this conversation";
pub(crate) const SHARE_THIS: &str = "Share this conversation";
pub(crate) const EXPORT_ALL: &str = "Export everything";
pub(crate) const IMPORT_CHATS: &str = "Import conversations";
pub(crate) const SHARE_OR_EXPORT: &str = "Share or export";

pub(crate) const EXPORT_ALL_ABOUT: &str = "All your conversations, in one file.";
/// The name of a file for which the server gives none.
pub(crate) const EXPORT_FILE: &str = "conversations";
pub(crate) const EXPORT_FAILED: &str =
    "The file did not arrive as a whole. Try again when the network is back.";
pub(crate) const PREPARING: &str = "Preparing the file…";
pub(crate) const FORMATS: &str = "Format";
pub(crate) const JSON: &str = "JSON";
pub(crate) const JSON_ABOUT: &str = "All there is, other branches too. Can be imported again.";
pub(crate) const MARKDOWN: &str = "Markdown";
pub(crate) const MARKDOWN_ABOUT: &str = "Text to read and to edit: what you see now.";
pub(crate) const MARKDOWN_ALL_ABOUT: &str = "A ZIP with a text for each conversation.";
pub(crate) const HTML: &str = "HTML";
pub(crate) const HTML_ABOUT: &str = "A page to read and to print: what you see now.";
pub(crate) const HTML_ALL_ABOUT: &str = "A ZIP with a page for each conversation.";

pub(crate) fn export_as(format: &str) -> String {
    format!("Export as {format}")
}

pub(crate) const CHOOSE_FILE: &str = "Choose a file…";
pub(crate) const OR_DROP: &str = "or drop it here";
pub(crate) const IMPORT_ABOUT: &str = "An export of ChatGPT, Claude, Open WebUI, LibreChat or \
    Unbroken, as JSON or ZIP. What is here already is not changed, and nothing comes twice.";
pub(crate) const ONE_FILE: &str = "One file at a time, please. Several can be put into a ZIP.";
pub(crate) const IMPORTS: &str = "Imports";
pub(crate) const SENDING_FILE: &str = "Sending";
pub(crate) const SENT: &str = "Sent so far";
pub(crate) const IMPORTED_SO_FAR: &str = "Imported so far";
pub(crate) const IMPORT_GOES_ON: &str =
    "You can close this, reload, or leave: the server goes on by itself.";

pub(crate) fn not_sent(name: &str) -> String {
    format!(
        "“\u{2068}{name}\u{2069}” could not be sent. Try again when the network is back. A file of \
         more than 1 GiB has to be divided."
    )
}

/// A number of bytes, in megabytes.
pub(crate) fn megabytes(bytes: f64) -> String {
    format!("{} MB", decimal(bytes / 1e6))
}

pub(crate) fn sent_of(sent: f64, bytes: f64) -> String {
    format!("{} of {}", megabytes(sent), megabytes(bytes))
}

/// What an import is at.
pub(crate) fn import_state(import: &ImportView) -> &'static str {
    match import.state {
        ImportState::Waiting => "Waiting for its turn",
        ImportState::Running if import.total == 0 => "Counting the conversations",
        ImportState::Running => "Importing",
        ImportState::Done => "Imported",
        ImportState::Failed => "Not imported",
    }
}

/// How far an import is that is not over.
pub(crate) fn import_progress(import: &ImportView) -> String {
    if import.total == 0 {
        return String::new();
    }
    format!(
        "{} of {} looked at: {} and {} came in",
        number(import.done),
        conversations(import.total),
        conversations(import.conversations),
        messages(import.messages),
    )
}

/// What came in.
pub(crate) fn import_result(import: &ImportView) -> String {
    let came = match (import.conversations, import.messages) {
        (0, 0) => "Nothing new.".to_owned(),
        (0, new) => format!("{} came into conversations that were here.", messages(new)),
        (some, new) => format!("{} and {} came in.", conversations(some), messages(new)),
    };
    match import.unchanged {
        0 => came,
        1 => format!("{came} 1 conversation was here already, unchanged."),
        many => format!("{came} {} were here already, unchanged.", conversations(many)),
    }
}

/// What an import came to, in a line.
pub(crate) fn import_ended(import: &ImportView) -> String {
    match &import.error {
        Some(error) => format!("The import failed. {error}"),
        None => format!("The import is done. {}", import_result(import)),
    }
}

pub(crate) const NOT_IMPORTED: &str = "What came in before the fault stays. Mend the file, or export \
    it once more there, and choose it again: nothing comes twice.";
pub(crate) const NOTES: &str = "What did not come along as it was";

/// What was left out of an import, or changed in it.
pub(crate) fn import_note(what: &str, count: u64) -> String {
    let (one, many, then) = match what {
        "image" => ("image", "images", "a line in brackets stands in its place"),
        "file" => ("file", "files", "a line in brackets stands in its place"),
        "audio" => ("recording", "recordings", "a line in brackets stands in its place"),
        "tool" => ("use of a tool", "uses of tools", "kept as text, or left out"),
        "system" => ("hidden instruction", "hidden instructions", "left out"),
        "empty" => ("empty conversation", "empty conversations", "left out"),
        "unreadable" => ("piece", "pieces", "not a conversation that can be read: left out"),
        "too_large" => ("conversation", "conversations", "larger than 64 MiB: left out"),
        "shortened" => ("text", "texts", "too long: shortened"),
        _ => ("piece of another kind", "pieces of other kinds", "left out, or kept as text"),
    };
    format!("{} {}: {then}", number(count), if count == 1 { one } else { many })
}

/// Before titles of conversations.
pub(crate) const FOR_EXAMPLE: &str = "In";

pub(crate) const SHARE_ABOUT: &str = "Whoever has the link can read a copy of this conversation as it \
    is now, without an account. It does not say who you are, and what you write later is not in it.";
pub(crate) const KEEP_LINK: &str = "Keep the link when I delete the conversation";
pub(crate) const KEEP_LINK_ABOUT: &str =
    "Otherwise it goes with the conversation. You can revoke it at any time.";
pub(crate) const CREATE_LINK: &str = "Create link";
pub(crate) const COPY_LINK: &str = "Copy link";
pub(crate) const LINK_COPIED: &str = "Copied";
pub(crate) const REVOKE: &str = "Revoke";
pub(crate) const LINKS_HERE: &str = "Links to this conversation";
pub(crate) const LINKS: &str = "Shared links";
pub(crate) const LINKS_ABOUT: &str =
    "Whoever has one of these reads what the conversation said then.";
pub(crate) const NO_LINKS: &str = "You share nothing.";
pub(crate) const STAYS: &str = "stays when the conversation is deleted";

/// The id of the button that copies a link.
pub(crate) fn copy_id(share: &str) -> String {
    format!("copy-{share}")
}

pub(crate) const DELETE_ALL: &str = "Delete everything";
pub(crate) const DELETE_ALL_MENU: &str = "Delete everything…";
pub(crate) const DELETE_ALL_TITLE: &str = "Delete everything?";
pub(crate) const DELETE_ALL_ABOUT: &str = "For good, and on all your devices.";
pub(crate) const DELETE_ALL_GOES: &str = "What goes";
pub(crate) const DELETE_ALL_GOING: [&str; 5] = [
    "All conversations, also what is archived, in folders, or temporary",
    "Answers that are being written: they are stopped",
    "All links that you share, also those that were to stay",
    "Imports: those that run, and their reports",
    "In this browser: drafts in conversations, and copies for reading offline",
];
pub(crate) const DELETE_ALL_STAYS: &str = "What stays";
pub(crate) const DELETE_ALL_STAYING: [&str; 2] =
    ["Your prompts and your default model", "Appearance and instructions in this browser"];
/// What a person types to delete everything.
pub(crate) const DELETE_ALL_WORDS: &str = "delete everything";
pub(crate) const DELETE_ALL_TYPE: &str = "Type “delete everything” to confirm";

pub(crate) fn everything_deleted(count: u64) -> String {
    format!("Everything is deleted: {}.", conversations(count))
}

fn conversations(count: u64) -> String {
    match count {
        1 => "1 conversation".to_owned(),
        _ => format!("{} conversations", number(count)),
    }
}

fn messages(count: u64) -> String {
    match count {
        1 => "1 message".to_owned(),
        _ => format!("{} messages", number(count)),
    }
}

/// A whole number, as the person's language groups its digits.
fn number(number: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 of anything here")]
    let number = js_sys::Number::from(number as f64);
    number.to_locale_string("default").into()
}
