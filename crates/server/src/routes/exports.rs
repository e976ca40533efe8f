//! Conversations as files (PROTOCOL B5).

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::Response;
use bytes::Bytes;
use serde::Deserialize;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use unbroken_archive::{Package, file_name, html_file, json, markdown};
use unbroken_engine::{Engine, Refusal};
use unbroken_protocol::{ArchivedConversation, PrincipalId};

use crate::App;
use crate::auth::{self, Pair};
use crate::crowd::{Crowd, Seat, Who};
use crate::error::{ApiError, PathId, Query};
use crate::routes::conversations::parse;

/// Pieces that wait for a slow reader.
const WAITING: usize = 4;
/// Bytes of a piece, about.
const PIECE: usize = 64 << 10;

#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    format: Format,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Format {
    #[default]
    Json,
    Markdown,
    Html,
}

impl Format {
    fn extension(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Markdown => "md",
            Self::Html => "html",
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Markdown => "text/markdown; charset=utf-8",
            Self::Html => "text/html; charset=utf-8",
        }
    }

    fn write(self, conversation: &ArchivedConversation) -> String {
        match self {
            Self::Json => json(conversation),
            Self::Markdown => markdown(conversation),
            Self::Html => html_file(conversation),
        }
    }
}

/// Exports of everything that one person may have at once.
const OF_A_PERSON: usize = 2;
/// The same of all people: each keeps a thread for as long as its reader takes.
const AT_ONCE: usize = 16;
/// How long it is worth to wait for the end of another.
const WAIT: Duration = Duration::from_secs(10);

/// The exports of everything that are being written.
pub(crate) struct Exports {
    crowd: Arc<Crowd>,
    places: Arc<Semaphore>,
}

impl Default for Exports {
    fn default() -> Self {
        Self { crowd: Arc::default(), places: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Exports {
    /// The place of one more, free again when it is dropped.
    fn begin(&self, principal: PrincipalId) -> Result<(Seat, OwnedSemaphorePermit), ApiError> {
        let seat = self.crowd.enter(Who::Principal(principal), OF_A_PERSON).ok_or_else(|| {
            let message = "Other exports of yours are under way. Wait for the end of one.";
            ApiError::too_many(message, WAIT)
        })?;
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| {
            let message = "Too many exports are under way on this server. Try again soon.";
            ApiError::too_many(message, WAIT)
        })?;
        Ok((seat, place))
    }
}

/// `GET /ai/conversations/{id}/export`
pub(crate) async fn one(
    State(app): State<App>,
    headers: HeaderMap,
    PathId(id): PathId,
    Query(pair): Query<Pair>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, ApiError> {
    let speaker = auth::speaker(&app, &Method::GET, &headers, pair).await?;
    let conversation = app.engine.export(speaker.principal, parse(&id)?).await?;
    let format = wanted.format;
    let name = format!("{}.{}", file_name(&conversation.title), format.extension());
    Ok(file(&name, format.content_type(), Body::from(format.write(&conversation))))
}

/// `GET /ai/export`: JSON as one array, the others as a ZIP with the files that the person brought.
/// In memory is one conversation.
pub(crate) async fn all(
    State(app): State<App>,
    headers: HeaderMap,
    Query(pair): Query<Pair>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, ApiError> {
    let speaker = auth::speaker(&app, &Method::GET, &headers, pair).await?;
    let place = app.exports.begin(speaker.principal)?;
    let (sender, receiver) = mpsc::channel(WAITING);
    let (engine, principal, format) = (app.engine.clone(), speaker.principal, wanted.format);
    let handle = Handle::current();
    app.tasks.spawn_blocking(move || {
        let mut output = Output { sender, waiting: Vec::with_capacity(PIECE) };
        let written = write_all(&engine, &handle, principal, format, &mut output);
        // Who gets an export that is not whole has to see that.
        if let Err(error) = written.and_then(|()| output.flush()) {
            let _ = output.sender.blocking_send(Err(error));
        }
        drop(place);
    });
    let body = Body::from_stream(ReceiverStream::new(receiver));
    Ok(match format {
        Format::Json => file("conversations.json", format.content_type(), body),
        Format::Markdown => file("conversations-markdown.zip", "application/zip", body),
        Format::Html => file("conversations-html.zip", "application/zip", body),
    })
}

fn write_all(
    engine: &Engine,
    handle: &Handle,
    principal: PrincipalId,
    format: Format,
    output: &mut Output,
) -> io::Result<()> {
    if format == Format::Json {
        let mut before = "[\n";
        each(engine, handle, principal, |conversation| {
            output.write_all(before.as_bytes())?;
            before = ",\n";
            output.write_all(json(conversation).as_bytes())
        })?;
        let end = if before == "[\n" { "[]\n" } else { "\n]\n" };
        return output.write_all(end.as_bytes());
    }
    let mut package = Package::new(output);
    each(engine, handle, principal, |conversation| {
        package.add(conversation, format.extension(), &format.write(conversation))
    })?;
    add_files(engine, handle, principal, &mut package)?;
    package.finish()
}

/// Adds the files that a person brought.
fn add_files(
    engine: &Engine,
    handle: &Handle,
    principal: PrincipalId,
    package: &mut Package<&mut Output>,
) -> io::Result<()> {
    let files = handle.block_on(engine.files(principal)).map_err(io::Error::other)?;
    for file in files.files {
        let found = match handle.block_on(engine.file_content(principal, file.file_id)) {
            Ok((_, place)) => File::open(place),
            Err(Refusal::NotFound(_)) => continue,
            Err(refusal) => return Err(io::Error::other(refusal)),
        };
        match found {
            Ok(mut content) => {
                package.add_file(&file.name, file.file_id, file.bytes, &mut content)?;
            }
            // It was deleted meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn each(
    engine: &Engine,
    handle: &Handle,
    principal: PrincipalId,
    mut take: impl FnMut(&ArchivedConversation) -> io::Result<()>,
) -> io::Result<()> {
    let mut after = None;
    loop {
        let page = engine.export_page(principal, after);
        let ids = handle.block_on(page).map_err(io::Error::other)?;
        let Some(last) = ids.last() else { return Ok(()) };
        after = Some(*last);
        for id in ids {
            match handle.block_on(engine.export(principal, id)) {
                Ok(conversation) => take(&conversation)?,
                // It was deleted meanwhile.
                Err(Refusal::NotFound(_)) => {}
                Err(refusal) => return Err(io::Error::other(refusal)),
            }
        }
    }
}

/// Goes to whoever reads, and waits for a slow reader.
struct Output {
    sender: mpsc::Sender<io::Result<Bytes>>,
    waiting: Vec<u8>,
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.waiting, Vec::with_capacity(PIECE));
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        self.sender.blocking_send(Ok(piece.into())).map_err(gone)
    }
}

/// An answer that a browser keeps as a file.
fn file(name: &str, content_type: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(disposition) = disposition("attachment", name) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    response
}

/// How a browser takes a file, and under which name: the plain one for old clients, and the whole
/// one (RFC 6266, RFC 8187).
pub(crate) fn disposition(how: &str, name: &str) -> Option<HeaderValue> {
    let is_plain = |char: char| char == ' ' || char.is_ascii_graphic() && !"\"\\".contains(char);
    let plain: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    let whole: String = name
        .bytes()
        .map(|byte| match byte {
            _ if byte.is_ascii_alphanumeric() || b".-_".contains(&byte) => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect();
    let disposition = format!("{how}; filename=\"{plain}\"; filename*=UTF-8''{whole}");
    HeaderValue::try_from(disposition).ok()
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    #[test]
    fn exports_are_bounded_for_a_person_and_altogether() {
        let exports = Exports::default();
        let me = PrincipalId::new();
        let begin = |principal| exports.begin(principal).map_err(|error| error.status);
        let mut mine = vec![begin(me).unwrap(), begin(me).unwrap()];
        assert_eq!(begin(me).err(), Some(StatusCode::TOO_MANY_REQUESTS));
        mine.pop();
        mine.push(begin(me).unwrap());
        let others: Vec<_> = (mine.len()..AT_ONCE).map(|_| begin(PrincipalId::new())).collect();
        assert!(others.iter().all(Result::is_ok));
        assert_eq!(begin(PrincipalId::new()).err(), Some(StatusCode::TOO_MANY_REQUESTS));
        drop(mine);
        assert!(begin(me).is_ok());
    }
}
