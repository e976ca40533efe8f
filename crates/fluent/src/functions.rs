//! The Rust that is made of the English messages.

use std::fmt::Write as _;

use crate::message::{Kind, Message};

/// Names that Rust keeps for itself.
const KEYWORDS: [&str; 14] = [
    "as", "break", "const", "continue", "else", "enum", "for", "if", "in", "loop", "match", "move",
    "return", "type",
];

/// A function for each message, by its id with `_` for `-`, and the key that a table must have.
pub(crate) fn write(key: &str, english: &[Message]) -> String {
    let mut out = format!("pub(crate) const KEY: &str = {key:?};\n");
    for (index, message) in english.iter().enumerate() {
        let names = message.names();
        let kinds = message.variables();
        let kind = |name: &String| kinds.get(name).copied().unwrap_or(Kind::Text);
        let (mut parameters, mut values) = (String::new(), String::new());
        for name in &names {
            let identifier = identifier(name);
            let (kind, value) = match kind(name) {
                Kind::Text => ("&str", "Text"),
                Kind::Number => ("u64", "Number"),
            };
            let _ = write!(parameters, "{identifier}: {kind}, ");
            let _ = write!(values, "Value::{value}({identifier}), ");
        }
        let pattern = message.pattern(&names);
        let english = format!("Message {{ index: {index}, english: {pattern:?} }}");
        let (inline, returned, body) = if names.is_empty() {
            // What returns two words is larger than a call of what returns one.
            ("#[inline(always)] ", "&'static str", format!("text(&{english})"))
        } else {
            ("", "String", format!("filled(&{english}, &[{values}])"))
        };
        let _ = writeln!(
            out,
            "/// `{id}` in `en.ftl`.\n{inline}pub fn {name}({parameters}) -> {returned} {{ {body} }}",
            id = message.id,
            name = identifier(&message.id),
            parameters = parameters.trim_end_matches(", "),
        );
    }
    out
}

/// A constant for each message, by its id in capitals.
pub(crate) fn places(english: &[Message]) -> String {
    let mut out = String::new();
    for (place, message) in english.iter().enumerate() {
        let name = message.id.replace('-', "_").to_ascii_uppercase();
        let _ = writeln!(out, "pub(super) const {name}: usize = {place};");
    }
    out
}

fn identifier(id: &str) -> String {
    let name = id.replace('-', "_");
    if KEYWORDS.contains(&name.as_str()) { format!("r#{name}") } else { name }
}
