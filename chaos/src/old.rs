//! Reads as an existing web client does: `stream_chat`, from the beginning, at every connection.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{sleep, timeout};
use unbroken_client::native::raw::{RawError, Socket};
use unbroken_protocol::Event;

use crate::reader::{Device, Ids, Reader, Watched};
use crate::track::Track;
use crate::world::World;

const CONNECT: Duration = Duration::from_secs(5);
/// An old client hears nothing between records; a model may be silent for this long.
const SILENCE: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(300);

/// Asks on a socket; `None` when it broke before the server said that it took the question.
pub(crate) async fn ask(world: &World, device: &Device, message: &str, model: &str) -> Option<Ids> {
    let mut socket = connect(world).await.ok()?;
    socket.send_json(&stream_chat(device, message, None, model)).await.ok()?;
    let started = socket.next_of("conversation_started", CONNECT).await.ok()?;
    let id = |name: &str| started[name].as_str().map(str::to_owned);
    Some(Ids {
        conversation: id("conversation_id")?.parse().ok()?,
        generation: id("generation_id")?.parse().ok()?,
        message: id("message_id")?.parse().ok()?,
    })
}

pub(crate) async fn read(watched: &Watched, reader: &Reader) {
    loop {
        let why = one_connection(watched, reader).await;
        if reader.sight().track.ended.is_some() {
            return;
        }
        watched.lost_connection(reader, &why);
        let before = {
            let mut sight = reader.sight();
            let before = sight.clone();
            sight.track = Track::of_text();
            before
        };
        if !before.track.text.is_empty() {
            watched.keep(before);
        }
        sleep(PAUSE).await;
    }
}

/// Reads until the connection is gone; why it went.
async fn one_connection(watched: &Watched, reader: &Reader) -> String {
    match all_events(watched, reader).await {
        Ok(()) => "the end".into(),
        Err(error) => error.to_string(),
    }
}

async fn all_events(watched: &Watched, reader: &Reader) -> Result<(), RawError> {
    let mut socket = connect(&watched.world).await?;
    let conversation = watched.ids.conversation.to_string();
    let again = stream_chat(&watched.device, "", Some(&conversation), "best");
    socket.send_json(&again).await?;
    loop {
        let value = socket.next_event(SILENCE).await?;
        if value["generation_id"] == watched.ids.generation.to_string() {
            match serde_json::from_value::<Event>(value) {
                Ok(event) => watched.take(reader, &event),
                Err(error) => reader.breaks(format!("an event is no event: {error}")),
            }
        } else if value["type"] == "stream_error" {
            return Err(RawError::Failed(value["error"].to_string()));
        }
    }
}

pub(crate) async fn connect(world: &World) -> Result<Socket, RawError> {
    let silent = RawError::Silent(CONNECT);
    timeout(CONNECT, Socket::connect(&world.socket(), &[])).await.unwrap_or(Err(silent))
}

fn stream_chat(device: &Device, message: &str, conversation: Option<&str>, model: &str) -> Value {
    json!({
        "routeKey": "stream_chat",
        "device_id": device.id,
        "session_id": device.session.reveal(),
        "message": message,
        "conversation_id": conversation,
        "request_type": "anonymous",
        "model_id": model,
        "query_type": "general",
        "interaction_mode": "type",
    })
}
