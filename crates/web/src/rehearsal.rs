//! A short conversation that nobody sees, played once while the first page stands still.
//!
//! A browser compiles each function of a module when it is called for the first time, and loads each
//! font when something is set in it. Opening a conversation calls over a thousand, and most of its
//! time was theirs.

use std::time::Duration;

use leptos::mount::mount_to;
use leptos::prelude::*;
use unbroken_chat_view::markdown::question;
use unbroken_client::Update;
use unbroken_protocol::{ClientMessageId, ConversationId, GenerationId, MessageId, StartResponse};
use wasm_bindgen::JsCast as _;

use crate::address::Place;
use crate::chunks::Make;
use crate::parts::prose::create;
use crate::state::App;
use crate::writing::Turn;
use crate::{dom, parser, words};

/// Long enough for a frame.
const FRAME: Duration = Duration::from_millis(50);

/// A little of everything that messages are made of.
const WORDS: &str = "# A\n\n*a* **b** `c` [d](https://example.com)\n\n- a\n- b\n\n1. a\n\n\
    | a | b |\n| - | - |\n| c | d |\n\n```rust\nlet a;\n```\n\n> a\n\na";

/// Who sends within this time has their own parsing to wait for.
const REST: Duration = Duration::from_secs(1);
/// So much is parsed at once, and so often, each time in a task of its own.
const REPEATS: usize = 16;
const ROUNDS: u32 = 16;

/// Opens a conversation behind the page and lets an answer begin in it. Each step is a task of its
/// own: the person may type meanwhile.
pub(crate) async fn play(app: App, chat: Make) {
    words::rehearse();
    dom::sleep(Duration::ZERO).await;
    let stage = app.stage();
    let (turn, response) = opening();
    stage.open.started(stage, &turn, &response);
    dom::sleep(Duration::ZERO).await;
    let place = create("div", "rehearsal");
    // Nobody hears or reaches it either.
    let _ = place.set_attribute("inert", "");
    let _ = place.set_attribute("aria-hidden", "true");
    let Some(body) = document().body() else { return };
    let _ = body.append_child(&place);
    let shown = mount_to(place.clone().unchecked_into(), move || {
        provide_context(stage);
        chat()
    });
    dom::sleep(FRAME).await;
    let id = response.generation_id;
    stage.open.update(id, Update::Started { model: response.model });
    stage.open.update(id, Update::Text { text: WORDS.to_owned() });
    dom::sleep(FRAME).await;
    drop(shown);
    place.remove();
    dom::sleep(REST).await;
    parse_often(app).await;
}

/// A browser compiles a function once more when it has run for a while, optimised, on other threads:
/// for the parser that is a fifth of a second of their time, which the beginning of the first answer
/// would have to share.
async fn parse_often(app: App) {
    let question = question(&WORDS.repeat(REPEATS));
    for _ in 0..ROUNDS {
        if app.place.get_untracked() != Place::Home {
            return;
        }
        parser::ask(&question);
        dom::sleep(Duration::ZERO).await;
    }
}

/// What is sent and what the server says, as for any first message.
fn opening() -> (Turn, StartResponse) {
    let turn = Turn {
        text: WORDS.to_owned(),
        sources: String::new(),
        conversation_id: None,
        parent_id: None,
        model_id: None,
        client_message_id: ClientMessageId::new(),
        temporary: false,
        options: None,
    };
    let response = StartResponse {
        conversation_id: ConversationId::new(),
        model: String::new(),
        model_name: String::new(),
        transaction_id: String::new(),
        status: String::new(),
        message: String::new(),
        websocket_route: String::new(),
        routing: None,
        generation_id: GenerationId::new(),
        message_id: MessageId::new(),
        user_message_id: MessageId::new(),
        epoch: 1,
        after_seq: 0,
        queued: None,
    };
    (turn, response)
}
