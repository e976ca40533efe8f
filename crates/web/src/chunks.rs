//! Parts of the app that are not in its first module: each is a chunk that comes when somebody asks
//! for it.
//!
//! `cargo xtask web` cuts a chunk at every function here: what only that function needs is in the
//! chunk, what two of them need in one that both load. A new chunk is a function here, and
//! `parts/later.rs` shows what it brings.

use std::pin::Pin;

use leptos::prelude::*;
use leptos::wasm_split::{SplitLoaderError, wasm_split};

use crate::pages::chat::Chat;
use crate::pages::first_run::FirstRun;
use crate::pages::history::History;
use crate::parts::above::Above;
use crate::parts::attachments::AttachmentList;
use crate::parts::dictation::Listener;
use crate::parts::folder::FolderDialog;
use crate::parts::library::LibraryDialog;
use crate::parts::menu::Entries;
use crate::parts::models::Models;
use crate::parts::moving::MovingDialog;
use crate::parts::palette::CommandPalette;
use crate::parts::prompt_menu::PromptList;
use crate::parts::rename::Rename;
use crate::parts::search::SearchDialog;
use crate::parts::settings::Settings;
use crate::parts::shortcuts::Shortcuts;
use crate::parts::toast::Toasts;

/// Makes the view. It is in the chunk.
pub(crate) type Make = fn() -> AnyView;

/// A chunk on its way.
pub(crate) type Coming = Pin<Box<dyn Future<Output = Result<Make, SplitLoaderError>>>>;

/// A function for each chunk, which brings the view of that name.
macro_rules! chunks {
    ($($name:ident: $View:ident,)*) => {
        $(pub(crate) fn $name() -> Coming {
            #[wasm_split($name, wasm_split_path = leptos::wasm_split, fallible)]
            fn bring() -> Result<Make, SplitLoaderError> {
                Ok(|| view! { <$View /> }.into_any())
            }
            Box::pin(bring())
        })*
    };
}

chunks! {
    // Most of the app, and nothing of it is on the home page.
    chat: Chat,
    above: Above,
    attachments: AttachmentList,
    settings: Settings,
    history: History,
    search: SearchDialog,
    folders: FolderDialog,
    library: LibraryDialog,
    listener: Listener,
    menu: Entries,
    models: Models,
    moving: MovingDialog,
    prompts: PromptList,
    rename: Rename,
    toasts: Toasts,
    palette: CommandPalette,
    shortcuts: Shortcuts,
    first_run: FirstRun,
}
