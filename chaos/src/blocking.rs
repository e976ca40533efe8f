//! Waits for an answer with the blocking call (PROTOCOL A4): the same question with the same key is
//! the same answer.

use std::time::Duration;

use reqwest::{RequestBuilder, Response, StatusCode};
use tokio::time::{sleep, timeout};
use unbroken_protocol::{ChatRequest, ChatResponse, ErrorBody, StartRequest, path};

use crate::http::{SILENCE, plain};
use crate::reader::{Reader, Watched};
use crate::track::Ended;
use crate::world::{CALL, World};

const PAUSE: Duration = Duration::from_millis(300);
const CONVERSATION: &str = "x-conversation-id";

/// Asks, and goes away as soon as the head of the reply is there; it may be taken or not.
pub(crate) async fn ask(world: &World, question: &StartRequest) {
    drop(timeout(CALL, request(world, question).send()).await);
    world.tally.add("blocking calls", 1);
}

pub(crate) async fn read(watched: &Watched, reader: &Reader) {
    let Some(question) = &watched.request else {
        return reader.breaks("nothing can be asked again".into());
    };
    watched.world.tally.add("blocking calls", 1);
    while let Err(why) = one_call(watched, reader, question).await {
        watched.lost_connection(reader, &why);
        sleep(PAUSE).await;
    }
}

fn request(world: &World, question: &StartRequest) -> RequestBuilder {
    let body = ChatRequest { start: question.clone(), query_type: None };
    world.http.post(format!("{}{}", world.base(), path::CHAT)).json(&body)
}

async fn one_call(
    watched: &Watched,
    reader: &Reader,
    question: &StartRequest,
) -> Result<(), String> {
    let sent = timeout(SILENCE, request(&watched.world, question).send()).await;
    let response = sent.map_err(|e| e.to_string())?.map_err(plain)?;
    let status = response.status();
    let conversation = response.headers().get(CONVERSATION).cloned();
    let body = body(response).await?;
    if status != StatusCode::OK {
        let refusal: ErrorBody = serde_json::from_slice(&body).map_err(|e| e.to_string())?;
        if !refusal.retryable {
            reader.breaks(format!("the blocking call was refused: {}", refusal.message));
            return Ok(());
        }
        return Err(status.to_string());
    }
    let answer: ChatResponse = serde_json::from_slice(&body).map_err(|e| e.to_string())?;
    let ids = &watched.ids;
    if answer.generation_id != ids.generation
        || conversation.is_none_or(|id| id != ids.conversation.to_string())
    {
        reader.breaks(format!("the same key gave the answer {}", answer.generation_id));
    }
    let mut sight = reader.sight();
    sight.track.text = answer.response;
    let ended = if answer.code.is_some() { Ended::Interrupted } else { Ended::Well };
    watched.chronicle.say(format!("{} sees {ended:?} {:?}", sight.name, answer.code));
    sight.track.ended = Some(ended);
    Ok(())
}

async fn body(mut response: Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    loop {
        let piece = timeout(SILENCE, response.chunk()).await.map_err(|e| e.to_string())?;
        let Some(piece) = piece.map_err(plain)? else { return Ok(body) };
        body.extend_from_slice(&piece);
    }
}
