//! The parts that pages are made of.

pub(crate) mod announcer;
pub(crate) mod block_buttons;
pub(crate) mod citation;
pub(crate) mod colours;
pub(crate) mod composer;
pub(crate) mod icons;
pub(crate) mod message;
pub(crate) mod picker;
pub(crate) mod prose;
pub(crate) mod settings;
pub(crate) mod show;
pub(crate) mod sidebar;
pub(crate) mod status;
