//! Reads with the real client, which follows by itself through everything.

use unbroken_client::native::Connection;
use unbroken_client::{Config, Hint, Output, Target, Update};
use unbroken_protocol::{Capability, CompleteStatus, Position};

use crate::reader::{Reader, Watched};
use crate::track::Ended;

pub(crate) async fn read(watched: &Watched, reader: &Reader, at: Position, text: &str) {
    let config = Config {
        device_id: Some(watched.device.id.clone()),
        session_id: Some(watched.device.session.clone()),
        capabilities: vec![Capability::Reasoning, Capability::Tools],
        seed: u64::from(watched.generation.as_bytes()[15]) + at.seq,
    };
    let mut connection = Connection::open(&watched.world.socket(), config);
    connection.follow(Target::rest_of(watched.generation, at, text)).await;
    let mut calm = watched.world.calm.subscribe();
    loop {
        tokio::select! {
            output = connection.recv() => match output {
                Some(Output::Update(id, update)) if id == watched.generation => {
                    if let Err(rule) = take(watched, reader, text, update) {
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
        Update::Replace { content, .. } => {
            return Err(format!("the text was replaced by one of {} bytes", content.len()));
        }
        Update::Lost { code, message } => return Err(format!("lost: {code:?} {message}")),
        Update::Complete(complete) => {
            if complete.full_response != format!("{before}{}", sight.track.text) {
                return Err("full_response is not the text that was shown".into());
            }
            match complete.status {
                CompleteStatus::Completed => Ended::Completed,
                CompleteStatus::Stopped => Ended::Stopped,
            }
        }
        Update::Failed(_) => Ended::Failed,
        _ => return Ok(()),
    };
    watched.chronicle.say(format!("{} sees {ended:?}", sight.name));
    sight.track.ended = Some(ended);
    Ok(())
}
