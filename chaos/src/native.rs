//! Reads with the real client, which follows by itself through everything.

use std::time::Duration;

use unbroken_client::native::Connection;
use unbroken_client::{Config, Hint, Output, Target, Update};
use unbroken_protocol::{At, Capability, CompleteStatus};

use crate::reader::{Device, Reader, Watched};
use crate::track::{Ended, Joined, Track};

/// What a device says of itself, and that it wants to hear everything.
pub(crate) fn config(device: &Device, seed: u64) -> Config {
    Config {
        device_id: Some(device.id.clone()),
        session_id: Some(device.session.clone()),
        capabilities: vec![Capability::Reasoning, Capability::Tools],
        interval: seed.is_multiple_of(2).then_some(Duration::from_millis(50)),
        seed,
    }
}

/// The rest of an answer for somebody who holds a part.
pub(crate) fn target(watched: &Watched, joined: &Joined) -> Target {
    Target::rest_of(watched.ids.generation, joined.at, &joined.text)
}

/// A number for the jitter of a client's back-off.
pub(crate) fn seed(watched: &Watched, joined: &Joined) -> u64 {
    u64::from(watched.ids.generation.as_bytes()[15]) + joined.at.seq
}

pub(crate) async fn read(watched: &Watched, reader: &Reader, joined: &Joined) {
    let config = config(&watched.device, seed(watched, joined));
    let mut connection = Connection::open(&watched.world.socket(), config);
    connection.follow(target(watched, joined)).await;
    let mut calm = watched.world.calm.subscribe();
    loop {
        tokio::select! {
            output = connection.recv() => match output {
                Some(Output::Update(id, update)) if id == watched.ids.generation => {
                    if let Err(rule) = take(watched, reader, &joined.text, update) {
                        watched.chronicle.say(format!("broken: {rule}"));
                        reader.breaks(rule);
                    }
                }
                Some(_) => {}
                None => return reader.breaks("the client ended by itself".into()),
            },
            Ok(()) = calm.changed() => connection.hint(Hint::Online).await,
        }
    }
}

fn take(watched: &Watched, reader: &Reader, before: &str, update: Update) -> Result<(), String> {
    let mut sight = reader.sight();
    if let Some(ended) = &sight.track.ended
        && !matches!(update, Update::Following { .. })
    {
        return Err(format!("{update:?} came after {ended:?}"));
    }
    let ended = match update {
        Update::Text { text } => {
            sight.track.text.push_str(&text);
            return Ok(());
        }
        Update::Reasoning { text, .. } => {
            sight.track.reasoning.push_str(&text);
            return Ok(());
        }
        Update::Replace { content, .. } => {
            return Err(format!("the text was replaced by one of {} bytes", content.len()));
        }
        Update::Lost { code, message } => return Err(format!("lost: {code:?} {message}")),
        Update::Complete(complete) => {
            if complete.full_response != format!("{before}{}", sight.track.text) {
                return Err("full_response is not the text that was shown".into());
            }
            end(watched, &mut sight.track, &complete.at)?;
            match complete.status {
                CompleteStatus::Completed => Ended::Completed,
                CompleteStatus::Stopped => Ended::Stopped,
            }
        }
        Update::Failed(error) => {
            let at = error.at.ok_or("a failure has no place")?;
            end(watched, &mut sight.track, &at)?;
            Ended::Failed
        }
        _ => return Ok(()),
    };
    watched.chronicle.say(format!("{} sees {ended:?}", sight.name));
    sight.track.ended = Some(ended);
    Ok(())
}

/// The end lies where it does for everybody.
fn end(watched: &Watched, track: &mut Track, at: &At) -> Result<(), String> {
    track.at = at.position();
    watched.log().saw(track.at, track.length())
}
