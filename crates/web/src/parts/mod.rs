//! The parts that pages are made of.

pub(crate) mod announcer;
pub(crate) mod citation;
pub(crate) mod composer;
pub(crate) mod dictation;
pub(crate) mod icons;
pub(crate) mod intake;
pub(crate) mod message;
pub(crate) mod palette;
pub(crate) mod picker;
pub(crate) mod prompt_menu;
pub(crate) mod prose;
pub(crate) mod said;
pub(crate) mod settings;
pub(crate) mod shortcuts;
pub(crate) mod show;
pub(crate) mod sidebar;
pub(crate) mod status;
