//! A model that runs in this process: loaded when it is first needed, kept from then on.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use tokio::sync::Mutex;

use super::EmbedError;
use super::bert::Bert;

/// The files of a model.
pub(super) const FILES: [&str; 3] = ["config.json", "tokenizer.json", "model.safetensors"];

pub(super) struct Local {
    folder: PathBuf,
    /// 0 is all processors but one: answers come first.
    threads: usize,
    /// Held while it works: one at a time, in the order in which they came.
    model: Arc<Mutex<Option<Loaded>>>,
}

struct Loaded {
    bert: Bert,
    threads: ThreadPool,
}

impl Local {
    pub(super) fn new(folder: PathBuf, threads: usize) -> Self {
        Self { folder, threads, model: Arc::default() }
    }

    pub(super) async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let (folder, threads, texts) = (self.folder.clone(), self.threads, texts.to_vec());
        let mut model = Arc::clone(&self.model).lock_owned().await;
        let work = move || {
            let loaded = match model.take() {
                Some(loaded) => loaded,
                None => load(&folder, threads)?,
            };
            let loaded = model.insert(loaded);
            loaded
                .threads
                .install(|| texts.par_iter().map(|text| loaded.bert.embed(text)).collect())
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or_else(|error| Err(error.to_string())).map_err(EmbedError::Model)
    }
}

fn load(folder: &Path, threads: usize) -> Result<Loaded, String> {
    let bert = Bert::load(folder)?;
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = match threads {
        0 => processors.saturating_sub(1).max(1),
        threads => threads.min(processors),
    };
    let threads = ThreadPoolBuilder::new().num_threads(threads).build();
    Ok(Loaded { bert, threads: threads.map_err(|error| error.to_string())? })
}
