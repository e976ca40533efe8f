//! Parts of the app that are not in its first module: each is a chunk that comes when somebody asks
//! for it.
//!
//! `cargo xtask web` cuts a chunk at every function here: what only that function needs is in the
//! chunk, what two of them need in one that both load. A new chunk is a function here, and
//! `parts/later.rs` shows what it brings.
#![expect(clippy::unnecessary_wraps, reason = "an error is how the macro says that none came")]

use std::pin::Pin;

use leptos::prelude::*;
use leptos::wasm_split::{SplitLoaderError, wasm_split};

use crate::pages::chat::Chat;
use crate::pages::first_run::FirstRun;
use crate::pages::history::History;
use crate::parts::folder::FolderDialog;
use crate::parts::palette::CommandPalette;
use crate::parts::search::SearchDialog;
use crate::parts::settings::Settings;
use crate::parts::shortcuts::Shortcuts;

/// Makes the view. It is in the chunk.
pub(crate) type Make = fn() -> AnyView;

/// A chunk on its way.
pub(crate) type Coming = Pin<Box<dyn Future<Output = Result<Make, SplitLoaderError>>>>;

/// A conversation: most of the app, and nothing of it is on the home page.
pub(crate) fn chat() -> Coming {
    #[wasm_split(chat, wasm_split_path = leptos::wasm_split, fallible)]
    fn bring() -> Result<Make, SplitLoaderError> {
        Ok(|| view! { <Chat /> }.into_any())
    }
    Box::pin(bring())
}

pub(crate) fn settings() -> Coming {
    #[wasm_split(settings, wasm_split_path = leptos::wasm_split, fallible)]
    fn bring() -> Result<Make, SplitLoaderError> {
        Ok(|| view! { <Settings /> }.into_any())
    }
    Box::pin(bring())
}

pub(crate) fn history() -> Coming {
    #[wasm_split(history, wasm_split_path = leptos::wasm_split, fallible)]
    fn bring() -> Result<Make, SplitLoaderError> {
        Ok(|| view! { <History /> }.into_any())
    }
    Box::pin(bring())
}

pub(crate) fn search() -> Coming {
    #[wasm_split(search, wasm_split_path = leptos::wasm_split, fallible)]
    fn bring() -> Result<Make, SplitLoaderError> {
        Ok(|| view! { <SearchDialog /> }.into_any())
    }
    Box::pin(bring())
}

pub(crate) fn folders() -> Coming {
    #[wasm_split(folders, wasm_split_path = leptos::wasm_split, fallible)]
    fn bring() -> Result<Make, SplitLoaderError> {
        Ok(|| view! { <FolderDialog /> }.into_any())
    }
    Box::pin(bring())
}

pub(crate) fn palette() -> Coming {
    #[wasm_split(palette, wasm_split_path = leptos::wasm_split, fallible)]
    fn bring() -> Result<Make, SplitLoaderError> {
        Ok(|| view! { <CommandPalette /> }.into_any())
    }
    Box::pin(bring())
}

pub(crate) fn shortcuts() -> Coming {
    #[wasm_split(shortcuts, wasm_split_path = leptos::wasm_split, fallible)]
    fn bring() -> Result<Make, SplitLoaderError> {
        Ok(|| view! { <Shortcuts /> }.into_any())
    }
    Box::pin(bring())
}

pub(crate) fn first_run() -> Coming {
    #[wasm_split(first_run, wasm_split_path = leptos::wasm_split, fallible)]
    fn bring() -> Result<Make, SplitLoaderError> {
        Ok(|| view! { <FirstRun /> }.into_any())
    }
    Box::pin(bring())
}
