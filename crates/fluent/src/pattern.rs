//! The form in which a text is kept: as it is, with control characters where values come.
//!
//! ```text
//! PLACE digit                              the value of that number
//! SELECT digit (key IS pattern NEXT)* END  the pattern whose key fits that value, or the last
//! ```

use crate::message::{Element, Message};

pub(crate) const PLACE: char = '\u{1}';
pub(crate) const SELECT: char = '\u{2}';
pub(crate) const IS: char = '\u{3}';
pub(crate) const NEXT: char = '\u{4}';
pub(crate) const END: char = '\u{5}';

impl Message {
    /// Its pattern, where values come in the order of these names.
    pub(crate) fn pattern(&self, names: &[String]) -> String {
        let mut pattern = String::new();
        write(&mut pattern, &self.elements, names);
        pattern
    }
}

fn write(out: &mut String, elements: &[Element], names: &[String]) {
    let digit = |name: &String| {
        let at = names.iter().position(|known| known == name).unwrap_or_default();
        char::from_digit(u32::try_from(at).unwrap_or_default(), 10).unwrap_or('9')
    };
    for element in elements {
        match element {
            Element::Text(text) => out.push_str(text),
            Element::Place { variable, .. } => out.extend([PLACE, digit(variable)]),
            Element::Select { variable, variants } => {
                out.extend([SELECT, digit(variable)]);
                for (key, elements) in variants {
                    out.push_str(key);
                    out.push(IS);
                    write(out, elements, names);
                    out.push(NEXT);
                }
                out.push(END);
            }
        }
    }
}
