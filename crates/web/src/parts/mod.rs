//! The parts that pages are made of.

pub(crate) mod announcer;
pub(crate) mod citation;
mod coming;
pub(crate) mod composer;
pub(crate) mod folder;
pub(crate) mod icons;
pub(crate) mod later;
pub(crate) mod list;
pub(crate) mod menu;
pub(crate) mod message;
pub(crate) mod picker;
pub(crate) mod prose;
pub(crate) mod search;
pub(crate) mod settings;
pub(crate) mod show;
pub(crate) mod sidebar;
pub(crate) mod status;
pub(crate) mod temporary;
pub(crate) mod toast;
