//! The texts of the views: those of `chat-view`, what of them a page works out, and the language
//! that they are in.

use leptos::prelude::document;
use unbroken_chat_view::language::{Language, Rules};
pub(crate) use unbroken_chat_view::texts::*;
use unbroken_protocol::{FileInfo, ImportFault, ImportState, ImportView};
use wasm_bindgen::prelude::wasm_bindgen;

/// What the guide is asked. It is written in English, and finds only what is in it.
pub(crate) const GUIDE_QUESTIONS: [&str; 3] =
    ["What can you do?", "How do I add a model?", "Where is my data kept?"];

/// The languages that there are, each by its own name.
pub(crate) const LANGUAGES: [(&str, &str); 4] =
    [("en", "English"), ("de", "Deutsch"), ("es", "Español"), ("hi", "हिन्दी")];

// The language that `boot.js` found for the person. Numbers and dates are written by the browser:
// what Rust brings along to write them is 16 KB, and knows one language.
#[wasm_bindgen]
extern "C" {
    /// Its texts; none for English.
    #[wasm_bindgen(thread_local_v2, js_namespace = spoken, js_name = table)]
    static TABLE: Option<String>;
    #[wasm_bindgen(js_namespace = spoken)]
    fn plural(number: f64) -> String;
    #[wasm_bindgen(js_namespace = spoken)]
    fn number(number: f64, digits: u8) -> String;
    /// A month, counted from 1, with its year.
    #[wasm_bindgen(js_namespace = spoken)]
    pub(crate) fn month(year: i32, month: u8) -> String;
    #[wasm_bindgen(js_namespace = spoken, js_name = when)]
    fn moment(millis: f64) -> String;
}

/// Lets the browser load how the person's language writes numbers. The first one takes 20 ms, which
/// the end of the first answer would have to bear.
pub(crate) fn rehearse() {
    let _ = (number(0.0, 0), plural(0.0));
}

/// Every text is in the person's language from now on.
pub(crate) fn speak() {
    let rules = Rules {
        category: |count| plural(as_f64(count)),
        number: |count| number(as_f64(count), 0),
        right_to_left: document().dir() == "rtl",
    };
    let table = TABLE.with(Clone::clone);
    let language = table.and_then(|table| Language::read(table.leak(), rules));
    language.unwrap_or_else(|| Language::english(rules)).speak();
}

/// The title of a tab in which so many answers ended unseen.
pub(crate) fn with_mark(ended: usize, title: &str) -> String {
    format!("({ended}) {title}")
}

pub(crate) fn first_questions() -> [&'static str; 3] {
    [first_question_abilities(), first_question_model(), first_question_data()]
}

/// Where a citation without an address comes from.
pub(crate) fn origin(source_type: &str) -> &'static str {
    match source_type {
        "guide" => from_guide(),
        "file" => from_file(),
        _ => "",
    }
}

pub(crate) fn branch((at, of): (usize, usize)) -> String {
    format!("{at}/{of}")
}

/// A time in milliseconds.
pub(crate) fn time(millis: f64) -> String {
    if millis < 1000.0 {
        milliseconds(&number(millis, 0))
    } else {
        seconds(&decimal(millis / 1000.0))
    }
}

/// A point in time, in milliseconds since 1970: the time of today, else the date.
pub(crate) fn when(millis: i64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a date is far below 2^53")]
    let millis = millis as f64;
    moment(millis)
}

/// With one digit after the point.
pub(crate) fn decimal(value: f64) -> String {
    number(value, 1)
}

/// A whole number, as it is written.
pub(crate) fn whole(count: u64) -> String {
    number(as_f64(count), 0)
}

fn as_f64(count: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "what is counted here is far below 2^53")]
    let count = count as f64;
    count
}

/// A number of bytes, in megabytes.
fn in_megabytes(bytes: f64) -> String {
    megabytes(&decimal(bytes / 1e6))
}

/// How much of a file is sent; both in bytes.
pub(crate) fn sent_so_far(done: f64, bytes: f64) -> String {
    sent_of(&in_megabytes(done), &in_megabytes(bytes))
}

/// What an import is at.
pub(crate) fn import_state(import: &ImportView) -> &'static str {
    match import.state {
        ImportState::Waiting => import_waiting(),
        ImportState::Running if import.total == 0 => import_counting(),
        ImportState::Running => import_running(),
        ImportState::Done => import_done(),
        ImportState::Failed => import_failed(),
    }
}

/// How far an import is that is not over.
pub(crate) fn import_reached(import: &ImportView) -> String {
    match *import {
        ImportView { total: 0, .. } => String::new(),
        ImportView { done, total, conversations, messages, .. } => {
            import_progress(done, total, conversations, messages)
        }
    }
}

/// What came in.
pub(crate) fn import_result(import: &ImportView) -> String {
    let came = match (import.conversations, import.messages) {
        (0, 0) => import_nothing_new().to_owned(),
        (0, new) => import_came_into(new),
        (some, new) => import_came_in(some, new),
    };
    match import.unchanged {
        0 => came,
        some => format!("{came} {}", import_unchanged(some)),
    }
}

/// What an import came to, in a line.
pub(crate) fn import_ended(import: &ImportView) -> String {
    match import_problem(import) {
        Some(reason) => import_has_failed(&reason),
        None => import_is_done(&import_result(import)),
    }
}

/// Why an import failed, in a sentence.
pub(crate) fn import_problem(import: &ImportView) -> Option<String> {
    let sentence = match import.error_code.as_deref().and_then(ImportFault::of) {
        Some(ImportFault::NotJson) => fault_not_json(),
        Some(ImportFault::CutOff) => fault_cut_off(),
        Some(ImportFault::DamagedZip) => fault_damaged_zip(),
        Some(ImportFault::TooMuch) => fault_too_much(),
        Some(ImportFault::Unreadable) => fault_unreadable(),
        None => return import.error.clone(),
    };
    Some(sentence.to_owned())
}

/// What was left out of an import, or changed in it.
pub(crate) fn import_note(what: &str, count: u64) -> String {
    match what {
        "image" => note_image(count),
        "file" => note_file(count),
        "audio" => note_audio(count),
        "tool" => note_tool(count),
        "system" => note_system(count),
        "empty" => note_empty(count),
        "unreadable" => note_unreadable(count),
        "too_large" => note_too_large(count),
        "shortened" => note_shortened(count),
        "changed" => note_changed(count),
        _ => note_other(count),
    }
}

/// How large a file is.
pub(crate) fn file_size(bytes: u64) -> String {
    size(usize::try_from(bytes).unwrap_or(usize::MAX))
}

/// Why nothing can be read in a file, in a sentence.
pub(crate) fn file_reason(file: &FileInfo) -> String {
    let sentence = match file.reason_code.as_deref() {
        Some("empty") => file_empty(),
        Some("too_large") => file_unpacks(),
        Some("encrypted") => file_encrypted(),
        Some("scanned") => file_scanned(),
        Some("unsupported") => file_unsupported(),
        Some("damaged") => file_damaged(),
        Some("too_much_text") => file_too_much_text(),
        Some("out_of_time") => file_out_of_time(),
        Some("out_of_memory") => file_out_of_memory(),
        Some("unreadable") => file_unreadable(),
        _ => return file.reason.clone().unwrap_or_else(|| file_unreadable().to_owned()),
    };
    sentence.to_owned()
}
