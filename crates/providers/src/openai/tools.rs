//! The tool calls of one answer as [`ToolStep`]s: those that the model asks for, whose name and
//! arguments come in pieces, and those that a server ran by itself (`executed_tools`, as Groq's
//! compound models tell them).
//!
//! All of it comes from outside: what cannot be read is passed over, what is too long is cut, and
//! nothing ends the stream.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use unbroken_protocol::ToolStep;

use super::wire::{Count, Elements, Text};

/// Calls of one answer; more are dropped.
const CALLS: usize = 100;
/// Characters of a name or an id.
const NAME_CHARS: usize = 200;
/// Bytes of a call's arguments, and of its output.
const TEXT_BYTES: usize = 32 << 10;
/// Bytes of all calls of an answer, about: a reader who comes late gets all of them at once.
const ALL_BYTES: usize = 512 << 10;
/// Levels of JSON that is told as JSON. Whatever holds it, down to a file of exports, has to stay
/// readable, and readers of JSON stop at 128.
const LEVELS: usize = 32;

#[derive(Debug, Default)]
pub(crate) struct Tools {
    /// The call whose arguments are coming.
    open: Option<Open>,
    told: Vec<Told>,
    /// Bytes of all that was told.
    bytes: usize,
}

/// A call that the model asks for, as far as it came.
#[derive(Debug)]
struct Open {
    index: u64,
    /// Empty where the server gives none.
    id: String,
    name: String,
    arguments: Cut,
}

#[derive(Debug)]
struct Told {
    id: String,
    has_ended: bool,
}

/// A text up to its longest.
#[derive(Debug, Default)]
struct Cut {
    text: String,
    is_cut: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Piece<'a> {
    index: Option<Count>,
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    function: Option<Function<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Function<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
}

/// What Groq's API reference calls an executed tool. It comes once when the tool is called and
/// again, under the same index, with what it gave.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Executed<'a> {
    index: Option<Count>,
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    r#type: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
    #[serde(borrow)]
    output: Option<&'a RawValue>,
    #[serde(borrow)]
    search_results: Option<&'a RawValue>,
    #[serde(borrow)]
    code_results: Option<&'a RawValue>,
    #[serde(borrow)]
    browser_results: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

impl Tools {
    /// Takes `delta.tool_calls`. A call is told once the next one begins, or [`Self::close`] says
    /// that it is whole.
    pub(crate) fn asked(&mut self, calls: &RawValue, mut tell: impl FnMut(ToolStep)) {
        for piece in read(calls) {
            self.piece(piece, &mut tell);
        }
    }

    fn piece(&mut self, piece: Piece<'_>, tell: impl FnMut(ToolStep)) {
        let function = piece.function.unwrap_or_default();
        let (id, name) = (short(&piece.id.0), short(&function.name.0));
        let index = piece.index.map(|index| index.0);
        if self.open.as_ref().is_none_or(|open| !open.goes_on(index, id, name)) {
            if id.is_empty() && name.is_empty() {
                // The rest of a call that was told, or that never began.
                return;
            }
            self.close(tell);
            let index = index.unwrap_or(self.told.len() as u64);
            let (id, name) = (id.to_owned(), name.to_owned());
            self.open = Some(Open { index, id, name, arguments: Cut::default() });
        } else if let Some(open) = &mut self.open {
            if open.id.is_empty() {
                id.clone_into(&mut open.id);
            }
            // Some servers say the whole name again with every piece.
            if open.name != name {
                open.name.push_str(name);
                open.name = short(&open.name).to_owned();
            }
        }
        if let Some(open) = &mut self.open {
            open.arguments.push(&text_of(function.arguments));
        }
    }

    /// Tells the call whose arguments were coming: they are whole.
    pub(crate) fn close(&mut self, mut tell: impl FnMut(ToolStep)) {
        let Some(Open { index, mut id, name, arguments }) = self.open.take() else { return };
        if id.is_empty() {
            id = format!("call-{index}");
            if self.told.iter().any(|told| told.id == id) {
                // Where the server counts nothing, every call has the same index.
                id = format!("call-{}", self.told.len());
            }
        }
        if self.begin(&id) {
            tell(self.step(&id, "call", &name, arguments.of("arguments")));
        }
    }

    /// Takes `delta.executed_tools`.
    pub(crate) fn executed(&mut self, tools: &RawValue, mut tell: impl FnMut(ToolStep)) {
        self.close(&mut tell);
        for (place, tool) in read::<Executed<'_>>(tools).enumerate() {
            self.executed_one(place, &tool, &mut tell);
        }
    }

    fn executed_one(&mut self, place: usize, tool: &Executed<'_>, mut tell: impl FnMut(ToolStep)) {
        let name = short(if tool.name.0.is_empty() { &tool.r#type.0 } else { &tool.name.0 });
        let id = match short(&tool.id.0) {
            "" => {
                format!("executed-{}", tool.index.map_or(place as u64, |index| index.0))
            }
            id => id.to_owned(),
        };
        let is_known = self.told.iter().any(|told| told.id == id);
        if !is_known {
            if !self.begin(&id) {
                return;
            }
            let arguments = Cut::from(&text_of(tool.arguments));
            tell(self.step(&id, "call", name, arguments.of("arguments")));
        }
        let (phase, data) = if let Some(message) = tool.failure() {
            ("error", Cut::from(&message).of("message"))
        } else if let Some(output) = tool.output() {
            ("result", Cut::from(&output).of("output"))
        } else {
            return;
        };
        let has_room = self.bytes < ALL_BYTES;
        let told = self.told.iter_mut().find(|told| told.id == id && !told.has_ended);
        if let Some(told) = told.filter(|_| has_room) {
            told.has_ended = true;
            tell(self.step(&id, phase, name, data));
        }
    }

    /// Whether there is room for a call of that id.
    fn begin(&mut self, id: &str) -> bool {
        let has_room = self.told.len() < CALLS && self.bytes < ALL_BYTES;
        if has_room {
            self.told.push(Told { id: id.to_owned(), has_ended: false });
        }
        has_room
    }

    fn step(&mut self, id: &str, phase: &str, name: &str, data: Value) -> ToolStep {
        let name = if name.is_empty() { "tool" } else { name };
        let [call_id, phase, name] = [id, phase, name].map(str::to_owned);
        let step = ToolStep { call_id, phase, name, data };
        self.bytes += step.bytes();
        step
    }
}

impl Open {
    /// Whether a piece with these is one of this call.
    fn goes_on(&self, index: Option<u64>, id: &str, name: &str) -> bool {
        if index.is_some_and(|index| index != self.index) {
            return false;
        }
        if !id.is_empty() && !self.id.is_empty() {
            return id == self.id;
        }
        // Where there are no ids, a name behind whole arguments is that of another call.
        name.is_empty() || serde_json::from_str::<&RawValue>(&self.arguments.text).is_err()
    }
}

impl<'a> Executed<'a> {
    fn output(&self) -> Option<Cow<'a, str>> {
        let all = [self.output, self.search_results, self.code_results, self.browser_results];
        let mut texts = all.into_iter().map(text_of);
        texts.find(|text| !matches!(&**text, "" | "{}" | "[]"))
    }

    /// What the server says of a failure, if it says so.
    fn failure(&self) -> Option<Cow<'a, str>> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Fault<'a> {
            #[serde(borrow)]
            message: Text<'a>,
        }
        let text = text_of(self.error);
        if matches!(&*text, "" | "false" | "{}" | "[]") {
            return None;
        }
        let fault =
            self.error.and_then(|error| serde_json::from_str::<Fault<'_>>(error.get()).ok());
        match fault {
            Some(Fault { message }) if !message.0.is_empty() => Some(message.0),
            _ => Some(text),
        }
    }
}

impl Cut {
    fn from(text: &str) -> Self {
        let mut cut = Self::default();
        cut.push(text);
        cut
    }

    fn push(&mut self, text: &str) {
        let room = if self.is_cut { 0 } else { TEXT_BYTES - self.text.len() };
        let end = text.floor_char_boundary(room);
        self.text.push_str(&text[..end]);
        self.is_cut |= end < text.len();
    }

    /// A step's `data`: JSON as JSON, else the text.
    fn of(self, name: &str) -> Value {
        let mut data = Map::new();
        let json = if self.is_cut { None } else { json(&self.text) };
        data.insert(name.to_owned(), json.unwrap_or(Value::String(self.text)));
        if self.is_cut {
            data.insert("cut".to_owned(), Value::Bool(true));
        }
        Value::Object(data)
    }
}

/// The elements of a list that can be read.
fn read<'a, T: Deserialize<'a>>(list: &'a RawValue) -> impl Iterator<Item = T> {
    let elements = serde_json::from_str::<Elements<'_, { 2 * CALLS }>>(list.get());
    let elements = elements.unwrap_or_default().0.into_iter();
    elements.filter_map(|element| serde_json::from_str(element.get()).ok())
}

/// A string's text, and anything else as it stands there.
fn text_of(value: Option<&RawValue>) -> Cow<'_, str> {
    let Some(json) = value.map(RawValue::get) else { return Cow::Borrowed("") };
    let is_string = json.starts_with('"');
    let text = is_string.then(|| serde_json::from_str::<String>(json).ok()).flatten();
    text.map_or(Cow::Borrowed(json), Cow::Owned)
}

/// An object or a list; a bare number or word means more as the text that it is.
fn json(text: &str) -> Option<Value> {
    let has_shape = text.trim_start().starts_with(['{', '[']);
    let value = has_shape.then(|| serde_json::from_str(text).ok()).flatten()?;
    fits(&value, LEVELS).then_some(value)
}

fn fits(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(values) => levels > 0 && values.iter().all(|value| fits(value, levels - 1)),
        Value::Object(map) => levels > 0 && map.values().all(|value| fits(value, levels - 1)),
        _ => true,
    }
}

fn short(name: &str) -> &str {
    let end = name.char_indices().nth(NAME_CHARS).map_or(name.len(), |(at, _)| at);
    &name[..end]
}
