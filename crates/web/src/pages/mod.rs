//! The pages, each one a content of the frame in `app`.

pub(crate) mod chat;
pub(crate) mod first_run;
pub(crate) mod gate;
pub(crate) mod history;
pub(crate) mod home;
pub(crate) mod window;
