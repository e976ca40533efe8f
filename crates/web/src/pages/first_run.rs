//! Home of a server that has no model yet: what was found, how to add one, and the guide. It goes by
//! itself when a model appears.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::parts::message::COPIED_FOR;
use crate::state::App;
use crate::writing::GUIDE;
use crate::{dom, words};

/// How often the server is asked for models while there is none. It looks for them itself every
/// half a minute.
const AGAIN: Duration = Duration::from_secs(3);

/// What goes into `unbroken.toml`, by the name of the kind of server.
fn ways() -> [(&'static str, &'static str, &'static str); 3] {
    [
        (
            "Ollama",
            words::ollama_about(),
            "[[providers]]\nid = \"ollama\"\nname = \"Ollama\"\nbase_url = \"http://127.0.0.1:11434/v1\"\n",
        ),
        (
            "llama.cpp",
            words::llama_cpp_about(),
            "[[providers]]\nid = \"llama-cpp\"\nname = \"llama.cpp\"\nbase_url = \"http://127.0.0.1:8080/v1\"\n",
        ),
        (
            words::openai_compatible(),
            words::openai_compatible_about(),
            "[[providers]]\nid = \"office\"\nname = \"Office GPU\"\nbase_url = \"https://models.example.com/v1\"\napi_key_env = \"OFFICE_KEY\"\n",
        ),
    ]
}

/// Whether the catalogue is known and holds nothing but the guide.
pub(crate) fn is_needed(app: App) -> bool {
    let picker = app.picker.read();
    let mut models = picker.items().iter().skip(1).peekable();
    models.peek().is_some() && models.all(|model| model.id == GUIDE)
}

#[component]
pub(crate) fn FirstRun() -> impl IntoView {
    let app = App::get();
    let timer = set_interval_with_handle(move || look_again(app), AGAIN);
    on_cleanup(move || {
        if let Ok(timer) = timer {
            timer.clear();
        }
    });
    let ways = ways().map(|(name, about, lines)| view! { <Way name about lines /> });
    view! {
        <section class="first-run" aria-labelledby="first-run-title">
            <h2 id="first-run-title">{words::no_model_title()}</h2>
            <p role="status">{words::no_model_found_yet()}</p>
            <p>
                <button class="button primary" on:click=move |_| app.ask_guide(words::GUIDE_QUESTIONS[1])>
                    {words::try_guide()}
                </button>
            </p>
            <h3>{words::add_model()}</h3>
            <p>{words::add_model_about()}</p>
            {ways.into_iter().collect_view()}
        </section>
    }
}

#[component]
fn Way(name: &'static str, about: &'static str, lines: &'static str) -> impl IntoView {
    let copied = RwSignal::new(false);
    let copy = move |_| {
        spawn_local(async move {
            if dom::copy(lines).await {
                copied.set(true);
                dom::sleep(COPIED_FOR).await;
                copied.try_set(false);
            }
        });
    };
    view! {
        <div class="way">
            <h4>{name}</h4>
            <p>{about}</p>
            <div class="lines">
                <pre tabindex="0" role="region" aria-label=words::lines_for(name)>
                    <code>{lines}</code>
                </pre>
                <button class="button" aria-label=words::copy_lines_for(name) on:click=copy>
                    {move || if copied.get() { words::copied() } else { words::copy() }}
                </button>
            </div>
        </div>
    }
}

fn look_again(app: App) {
    let Some(rest) = app.rest().filter(|_| !document().hidden()) else { return };
    spawn_local(async move {
        if let Ok(list) = rest.models().await {
            app.picker.update(|picker| picker.set_models(list.models));
        }
    });
}
