//! What every answer has to mind, in the person's words: kept on this device, and sent with every
//! message as `options.system` (PROTOCOL B1).

use unbroken_protocol::Options;

use crate::dom;

const INSTRUCTIONS: &str = "instructions";
/// In UTF-16 units, as a text field counts.
pub(crate) const LONGEST: u32 = 8000;

pub(crate) fn kept() -> String {
    dom::kept(INSTRUCTIONS).unwrap_or_default()
}

pub(crate) fn keep(text: &str) {
    if text.trim().is_empty() {
        dom::forget(INSTRUCTIONS);
    } else {
        dom::keep(INSTRUCTIONS, text);
    }
}

/// The options of a turn; `None` when there is nothing to mind.
pub(crate) fn options() -> Option<Options> {
    let system = dom::kept(INSTRUCTIONS)?;
    Some(Options { system: Some(system), ..Options::default() })
}
