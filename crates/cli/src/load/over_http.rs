//! One answer over HTTP: as server-sent events or long polls of our protocol (PROTOCOL B4), or from
//! an endpoint of OpenAI's kind.

use std::rc::Rc;

use memchr::memchr;
use memchr::memmem::find;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::sleep_until;
use unbroken_protocol::{EventBatch, Position, RequestType, StartRequest, StartResponse, path};

use super::LoadError;
use super::Transport;
use super::chunk::string_end;
use super::clock::nanos;
use super::events::Reader;
use super::http::{Http, Request};
use super::person::Person;
use super::run::Run;
use super::tally::add;

const STREAM: &str = "text/event-stream";
const JSON: &str = "application/json";
/// Seconds that one poll waits.
const WAIT: u64 = 25;

/// Reads answer `number`. A failure is in the tally.
pub(super) async fn read(run: Rc<Run>, number: usize) {
    let mut reader = Reader::new(run.clone());
    let opened = open(&run, number).await;
    run.tally.step(&run.tally.ready);
    let read = match opened {
        Ok((http, person)) => {
            let turn = run.turn(number).await;
            sleep_until(turn).await;
            run.tally.late(Some(turn));
            reader.ask();
            let cuts = run.cuts();
            Answering { run: &run, http, person, reader: &mut reader, cuts }.read().await
        }
        Err(error) => Err(error),
    };
    if let Err(error) = read {
        if reader.answers.is_empty() {
            reader.ask();
        }
        reader.fail(&error);
    }
}

async fn open(run: &Run, number: usize) -> Result<(Http, Option<Person>), LoadError> {
    let person = match run.plan.transport {
        Transport::Openai => None,
        _ => Some(Person::new(run, number).await?),
    };
    Ok((Http::connect(&run.address).await?, person))
}

struct Answering<'a> {
    run: &'a Rc<Run>,
    http: Http,
    person: Option<Person>,
    reader: &'a mut Reader,
    cuts: watch::Receiver<bool>,
}

/// What came of reading a body.
enum Came {
    Bytes,
    End,
    Cut,
}

impl Answering<'_> {
    async fn read(mut self) -> Result<(), LoadError> {
        let Some(person) = self.person.clone() else { return self.complete().await };
        self.start(&person).await?;
        while !self.reader.has_ended() {
            match self.run.plan.transport {
                Transport::Poll => self.poll(&person).await?,
                _ => self.stream(&person).await?,
            }
        }
        Ok(())
    }

    async fn start(&mut self, person: &Person) -> Result<(), LoadError> {
        let start = json!(StartRequest {
            message: "Count, please.".into(),
            model_id: Some(self.run.model.clone()),
            request_type: Some(RequestType::Anonymous),
            session_id: Some(person.session_id.clone()),
            device_id: Some(person.device_id.clone()),
            ..StartRequest::default()
        });
        let start = start.to_string();
        let request = Request {
            method: "POST",
            path: path::START,
            accept: JSON,
            key: None,
            json: Some(&start),
        };
        let reply = self.http.call(&self.run.address, &request).await?;
        let reply: StartResponse = serde_json::from_slice(&reply)
            .map_err(|_| LoadError::Strange("the answer to a start"))?;
        let now = nanos();
        for answer in &mut self.reader.answers {
            answer.started(now, &self.run.tally);
            answer.generation = reply.generation_id.to_string();
        }
        Ok(())
    }

    /// The address of the log, from where the answer stands.
    fn events(&self, person: &Person) -> String {
        let Some(answer) = self.reader.answers.first() else { return String::new() };
        let path = path::GENERATION_EVENTS.replace("{id}", &answer.generation);
        let after = Position::new(answer.epoch, answer.seq);
        let after = if answer.seq == 0 { "0".to_owned() } else { after.to_string() };
        format!("{path}?after={after}&{}", person.query())
    }

    async fn poll(&mut self, person: &Person) -> Result<(), LoadError> {
        let path = format!("{}&wait={WAIT}", self.events(person));
        let request = Request { method: "GET", path: &path, accept: JSON, key: None, json: None };
        let before = self.http.bytes;
        let batch = tokio::select! {
            batch = self.http.call(&self.run.address, &request) => batch?,
            () = cut(&mut self.cuts) => return self.come_back().await,
        };
        let now = nanos();
        add(&self.run.tally.bytes, self.http.bytes - before);
        let batch: EventBatch =
            serde_json::from_slice(&batch).map_err(|_| LoadError::Strange("a batch"))?;
        for event in batch.events {
            add(&self.run.tally.events, 1);
            self.reader.event(event, now);
        }
        Ok(())
    }

    /// Reads the stream to its end, or until it is cut.
    async fn stream(&mut self, person: &Person) -> Result<(), LoadError> {
        let path = self.events(person);
        let request = Request { method: "GET", path: &path, accept: STREAM, key: None, json: None };
        self.open_stream(&request).await?;
        let mut waiting = Vec::new();
        loop {
            match self.more(&mut waiting).await? {
                Came::Bytes => {}
                Came::End if self.reader.has_ended() => return Ok(()),
                Came::End => return Err(LoadError::NoEnd),
                Came::Cut => return self.come_back().await,
            }
            let now = nanos();
            lines(&mut waiting, |data| self.reader.take(data, now))?;
        }
    }

    /// Asks an endpoint of OpenAI's kind, and reads its whole answer. It cannot be cut: nobody could
    /// go on reading it.
    async fn complete(&mut self) -> Result<(), LoadError> {
        let question = json!({
            "model": self.run.model,
            "messages": [{ "role": "user", "content": "Count, please." }],
            "stream": true,
        });
        let question = question.to_string();
        let request = Request {
            method: "POST",
            path: "/chat/completions",
            accept: STREAM,
            key: self.run.plan.key.as_deref(),
            json: Some(&question),
        };
        self.open_stream(&request).await?;
        for answer in &mut self.reader.answers {
            answer.started(nanos(), &self.run.tally);
        }
        let mut waiting = Vec::new();
        while !self.reader.has_ended() {
            if matches!(self.more(&mut waiting).await?, Came::End | Came::Cut) {
                return Err(LoadError::NoEnd);
            }
            let now = nanos();
            lines(&mut waiting, |data| {
                for answer in &mut self.reader.answers {
                    add(&self.run.tally.events, 1);
                    match meaning(data) {
                        Delta::Text(text) => answer.text(text, now, &self.run.tally),
                        Delta::Nothing => {}
                        Delta::Error => return Err(said(data)),
                        Delta::Done => answer.complete(None, &self.run.tally),
                    }
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    async fn open_stream(&mut self, request: &Request<'_>) -> Result<(), LoadError> {
        match self.http.open(&self.run.address, request).await? {
            200 => Ok(()),
            status => Err(self.http.refused(request.path, status).await),
        }
    }

    async fn more(&mut self, waiting: &mut Vec<u8>) -> Result<Came, LoadError> {
        let before = self.http.bytes;
        let came = tokio::select! {
            came = self.http.read(waiting) => came?,
            () = cut(&mut self.cuts), if self.person.is_some() => return Ok(Came::Cut),
        };
        add(&self.run.tally.bytes, self.http.bytes - before);
        Ok(if came { Came::Bytes } else { Came::End })
    }

    async fn come_back(&mut self) -> Result<(), LoadError> {
        let now = nanos();
        for answer in &mut self.reader.answers {
            answer.cut(now);
        }
        self.http = Http::connect(&self.run.address).await?;
        Ok(())
    }
}

/// Returns once, when everything is to be cut.
async fn cut(cuts: &mut watch::Receiver<bool>) {
    loop {
        if cuts.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        if *cuts.borrow_and_update() {
            return;
        }
    }
}

/// Hands every whole `data:` line to `take` and removes the whole lines.
fn lines(
    waiting: &mut Vec<u8>,
    mut take: impl FnMut(&[u8]) -> Result<(), LoadError>,
) -> Result<(), LoadError> {
    let mut from = 0;
    while let Some(length) = memchr(b'\n', &waiting[from..]) {
        let line = &waiting[from..from + length];
        from += length + 1;
        if let Some(data) = line.strip_prefix(b"data:") {
            take(data.trim_ascii())?;
        }
    }
    waiting.drain(..from);
    Ok(())
}

/// What a chunk of a completion brings.
#[derive(Debug, PartialEq, Eq)]
enum Delta<'a> {
    Text(&'a [u8]),
    Nothing,
    Error,
    Done,
}

fn meaning(data: &[u8]) -> Delta<'_> {
    if data == b"[DONE]" {
        return Delta::Done;
    }
    let content = find(data, br#""content":"#).map(|at| data[at + 10..].trim_ascii_start());
    let inside = content.and_then(|content| content.strip_prefix(b"\""));
    match inside.and_then(|inside| Some((inside, string_end(inside)?))) {
        Some((inside, end)) => Delta::Text(&inside[..end]),
        None if find(data, br#""error":"#).is_some() => Delta::Error,
        None => Delta::Nothing,
    }
}

fn said(data: &[u8]) -> LoadError {
    LoadError::Said(String::from_utf8_lossy(data).chars().take(200).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_of_a_completion_is_text_error_end_or_nothing() {
        let text = |text: &'static str| Delta::Text(text.as_bytes());
        for (data, expected) in [
            (r#"{"choices":[{"delta":{"content":"17 "},"finish_reason":null}]}"#, text("17 ")),
            (r#"{"choices": [{"delta": {"content": "a\"b"}}]}"#, text(r#"a\"b"#)),
            (r#"{"choices":[{"delta":{"role":"assistant","content":null}}]}"#, Delta::Nothing),
            (r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#, Delta::Nothing),
            (r#"{"error":{"message":"no"}}"#, Delta::Error),
            ("[DONE]", Delta::Done),
        ] {
            assert_eq!(meaning(data.as_bytes()), expected, "{data}");
        }
    }

    #[test]
    fn half_a_line_waits_for_its_other_half() {
        let mut waiting = b"id: 1\r\ndata: a\r\n\r\n: here\n\ndata: b".to_vec();
        let mut seen = Vec::new();
        let mut take = |data: &[u8]| {
            seen.push(String::from_utf8_lossy(data).into_owned());
            Ok(())
        };
        lines(&mut waiting, &mut take).unwrap();
        assert_eq!(waiting, b"data: b");
        waiting.extend(b"c\n");
        lines(&mut waiting, &mut take).unwrap();
        assert_eq!(seen, ["a", "bc"]);
    }
}
