//! The parts that pages are made of.

pub(crate) mod announcer;
pub(crate) mod another;
pub(crate) mod citation;
mod coming;
pub(crate) mod composer;
pub(crate) mod icons;
pub(crate) mod later;
pub(crate) mod message;
pub(crate) mod pair;
pub(crate) mod picker;
pub(crate) mod prose;
pub(crate) mod settings;
pub(crate) mod show;
pub(crate) mod sidebar;
pub(crate) mod status;
