//! Reads the log over HTTP, as a stream and as a long poll (PROTOCOL B4).

use std::time::Duration;

use reqwest::{RequestBuilder, StatusCode};
use tokio::time::{sleep, timeout};
use unbroken_protocol::{Event, EventBatch, path};

use crate::reader::{Reader, Watched};
use crate::track::Ended;

/// A comment comes every 15 s.
pub(crate) const SILENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(200);
/// How long one step of a long poll waits, in seconds.
const WAIT: u64 = 4;

fn request(watched: &Watched, reader: &Reader) -> RequestBuilder {
    let path = path::GENERATION_EVENTS.replace("{id}", &watched.ids.generation.to_string());
    let at = reader.sight().track.at;
    // Both ways to say a position are used.
    let after = if at.seq.is_multiple_of(2) { at.seq.to_string() } else { at.to_string() };
    let url = format!("{}{path}", watched.world.base());
    watched.world.http.get(url).query(&watched.device.query()).query(&[("after", after)])
}

pub(crate) async fn stream(watched: &Watched, reader: &Reader) {
    while reader.sight().track.ended.is_none() {
        if let Err(why) = one_stream(watched, reader).await {
            watched.lost_connection(reader, &why);
        }
        sleep(PAUSE).await;
    }
    confirm_end(watched, reader).await;
}

async fn one_stream(watched: &Watched, reader: &Reader) -> Result<(), String> {
    let sent =
        timeout(SILENCE, request(watched, reader).send()).await.map_err(|e| e.to_string())?;
    let mut response = sent.map_err(plain)?;
    if response.status() == StatusCode::NO_CONTENT {
        reader.sight().track.ended = Some(Ended::Before);
        return Ok(());
    }
    if response.status() != StatusCode::OK {
        return Err(response.status().to_string());
    }
    let mut bytes = Vec::new();
    loop {
        let piece = timeout(SILENCE, response.chunk()).await.map_err(|_| "silence".to_owned())?;
        let Some(piece) = piece.map_err(plain)? else {
            return if reader.sight().track.ended.is_some() {
                Ok(())
            } else {
                Err("the end".into())
            };
        };
        bytes.extend_from_slice(&piece);
        while let Some(end) = bytes.windows(2).position(|two| two == b"\n\n") {
            let block: Vec<u8> = bytes.drain(..end + 2).collect();
            take_block(watched, reader, &String::from_utf8_lossy(&block));
        }
    }
}

fn take_block(watched: &Watched, reader: &Reader, block: &str) {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
    let Some(data) = field("data: ") else { return };
    match serde_json::from_str::<Event>(data) {
        Ok(event) => {
            let expected = event.record().map(|at| at.to_string());
            if field("id: ") != expected.as_deref() {
                reader.breaks(format!("the id of a stream's event is not its position: {block}"));
            }
            watched.take(reader, &event);
        }
        Err(error) => reader.breaks(format!("a stream's event is no event: {error}")),
    }
}

pub(crate) async fn poll(watched: &Watched, reader: &Reader) {
    while reader.sight().track.ended.is_none() {
        if let Err(why) = one_poll(watched, reader).await {
            watched.lost_connection(reader, &why);
            sleep(PAUSE).await;
        }
    }
    confirm_end(watched, reader).await;
}

async fn one_poll(watched: &Watched, reader: &Reader) -> Result<(), String> {
    let request = request(watched, reader)
        .query(&[("wait", WAIT)])
        .header("accept", "application/json")
        .timeout(Duration::from_secs(WAIT + 4));
    let response = request.send().await.map_err(plain)?;
    if response.status() == StatusCode::NO_CONTENT {
        reader.sight().track.ended = Some(Ended::Before);
        return Ok(());
    }
    if response.status() != StatusCode::OK {
        return Err(response.status().to_string());
    }
    let batch: EventBatch = response.json().await.map_err(plain)?;
    for event in &batch.events {
        watched.take(reader, event);
    }
    let at = reader.sight().track.at;
    if at.seq > 0 && batch.next_after != at.to_string() {
        reader.breaks(format!("next_after is {} for a reader at {at}", batch.next_after));
    }
    if batch.closed && reader.sight().track.ended.is_none() {
        reader.breaks("a poll says closed without an end".into());
    }
    Ok(())
}

/// An error without its address, which holds the session.
pub(crate) fn plain(error: reqwest::Error) -> String {
    error.without_url().to_string()
}

/// Nothing lies after the end (B4: 204).
async fn confirm_end(watched: &Watched, reader: &Reader) {
    loop {
        match timeout(SILENCE, request(watched, reader).send()).await {
            Ok(Ok(response)) if response.status() == StatusCode::NO_CONTENT => return,
            Ok(Ok(response)) if response.status().is_success() => {
                return reader.breaks("something lies after the end".into());
            }
            _ => sleep(PAUSE).await,
        }
    }
}
