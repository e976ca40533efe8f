//! Files that answers look things up in (PROTOCOL B5).

use std::sync::Arc;

use axum::Json as JsonReply;
use axum::body::Body;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest as _, Multipart, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;
use unbroken_protocol::{
    DeviceId, ErrorCode, FileId, FileInfo, FileList, PassageList, PrincipalId, SessionId,
};

use crate::App;
use crate::auth::{self, Pair};
use crate::error::{ApiError, PathId, Query};
use crate::preamble::Preamble;
use crate::routes::exports::disposition;

/// The longest value of a field beside the file, in bytes.
const FIELD_BYTES: usize = 4096;
/// Nothing in a person's file acts in the name of this server.
const SANDBOX: HeaderValue =
    HeaderValue::from_static("sandbox; default-src 'none'; frame-ancestors 'none'");

/// `POST /ai/files`: the field `file` of a form. It goes to the disk as it comes.
pub(crate) async fn upload(
    State(app): State<App>,
    headers: HeaderMap,
    Query(mut pair): Query<Pair>,
    request: Request,
) -> Result<(StatusCode, JsonReply<FileInfo>), ApiError> {
    app.engine.takes_files()?;
    // Who is named in the address is known before anything of the body is read.
    if pair.session_id.as_ref().is_some_and(|id| !id.reveal().is_empty()) {
        auth::speaker(&app, &Method::POST, &headers, pair.clone()).await?;
    }
    let preamble = Arc::<Preamble>::default();
    let form = Multipart::from_request(preamble.guard(request), &()).await;
    let mut form = form.map_err(|_| {
        ApiError::bad_request("A file comes in a form: multipart/form-data with a field file.")
    })?;
    while let Some(field) = form.next_field().await.map_err(|error| misplaced(&preamble, &error))? {
        match field.name() {
            Some("file") => {
                preamble.end();
                let speaker = auth::speaker(&app, &Method::POST, &headers, pair).await?;
                return store(&app, speaker.principal, field).await;
            }
            Some("session_id") => pair.session_id = Some(SessionId::new(text(field).await?)),
            Some("device_id") => pair.device_id = Some(DeviceId(text(field).await?)),
            _ => drop(text(field).await?),
        }
    }
    Err(ApiError::bad_request("The form has no field file."))
}

fn misplaced(preamble: &Preamble, error: &MultipartError) -> ApiError {
    if preamble.is_too_long() {
        return ApiError::bad_request("The field file comes too late in the form. Send it first.");
    }
    broken(error)
}

async fn store(
    app: &App,
    principal: PrincipalId,
    mut field: Field<'_>,
) -> Result<(StatusCode, JsonReply<FileInfo>), ApiError> {
    let name = field.file_name().unwrap_or_default().to_owned();
    let mut upload = app.engine.upload(principal).await?;
    let mut beginning = Vec::new();
    while let Some(piece) = field.chunk().await.map_err(|error| broken(&error))? {
        if beginning.len() < IMAGE_BYTES {
            beginning.extend(piece.iter().take(IMAGE_BYTES));
        }
        upload.write(&piece).await?;
    }
    let media_type = media_type(&name, &beginning);
    let stored = app.engine.keep_file(upload, &name, &media_type).await?;
    let status = if stored.repeated { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, JsonReply(stored.file)))
}

/// What its first bytes say, or its name. What is in it is known when it was read.
pub(crate) fn media_type(name: &str, beginning: &[u8]) -> String {
    let guessed = || mime_guess::from_path(name).first_or_octet_stream().to_string();
    image(beginning).map_or_else(guessed, ToOwned::to_owned)
}

async fn text(mut field: Field<'_>) -> Result<String, ApiError> {
    let mut text = Vec::new();
    while let Some(piece) = field.chunk().await.map_err(|error| broken(&error))? {
        text.extend_from_slice(&piece);
        if text.len() > FIELD_BYTES {
            return Err(ApiError::bad_request("A field beside the file is too long."));
        }
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn broken(error: &MultipartError) -> ApiError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return ApiError::new(
            ErrorCode::PayloadTooLarge,
            "The file is too large. Send a smaller one.",
        );
    }
    ApiError::bad_request("The file did not arrive as a whole. Send it once more.")
}

/// `GET /ai/files`
pub(crate) async fn list(
    State(app): State<App>,
    headers: HeaderMap,
    Query(pair): Query<Pair>,
) -> Result<JsonReply<FileList>, ApiError> {
    let speaker = auth::speaker(&app, &Method::GET, &headers, pair).await?;
    Ok(JsonReply(app.engine.files(speaker.principal).await?))
}

/// `GET /ai/files/{id}`
pub(crate) async fn get(
    State(app): State<App>,
    headers: HeaderMap,
    PathId(id): PathId,
    Query(pair): Query<Pair>,
) -> Result<JsonReply<FileInfo>, ApiError> {
    let speaker = auth::speaker(&app, &Method::GET, &headers, pair).await?;
    Ok(JsonReply(app.engine.file(speaker.principal, parse(&id)?).await?))
}

/// `DELETE /ai/files/{id}`
pub(crate) async fn remove(
    State(app): State<App>,
    headers: HeaderMap,
    PathId(id): PathId,
    Query(pair): Query<Pair>,
) -> Result<StatusCode, ApiError> {
    let speaker = auth::speaker(&app, &Method::DELETE, &headers, pair).await?;
    app.engine.delete_file(speaker.principal, parse(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Where a stretch of a file is.
#[derive(Debug, Deserialize)]
pub(crate) struct Place {
    around: Option<u32>,
}

/// `GET /ai/files/{id}/passages`
pub(crate) async fn passages(
    State(app): State<App>,
    headers: HeaderMap,
    PathId(id): PathId,
    Query(pair): Query<Pair>,
    Query(Place { around }): Query<Place>,
) -> Result<JsonReply<PassageList>, ApiError> {
    let speaker = auth::speaker(&app, &Method::GET, &headers, pair).await?;
    let id = parse(&id)?;
    Ok(JsonReply(app.engine.passages_around(speaker.principal, id, around).await?))
}

/// `GET /ai/files/{id}/content`: the bytes, for a browser to keep; pictures also to show.
pub(crate) async fn content(
    State(app): State<App>,
    headers: HeaderMap,
    PathId(id): PathId,
    Query(pair): Query<Pair>,
) -> Result<Response, ApiError> {
    let speaker = auth::speaker(&app, &Method::GET, &headers, pair).await?;
    let (info, place) = app.engine.file_content(speaker.principal, parse(&id)?).await?;
    let failed = |error: std::io::Error| {
        tracing::error!(error = %error, "failed to read the bytes of a file");
        ApiError::new(ErrorCode::StorageUnavailable, "The server cannot read this file now.")
    };
    let mut file = File::open(place).await.map_err(failed)?;
    let mut beginning = Vec::with_capacity(IMAGE_BYTES);
    (&mut file).take(IMAGE_BYTES as u64).read_to_end(&mut beginning).await.map_err(failed)?;
    file.rewind().await.map_err(failed)?;
    // What the bytes say: no browser runs a picture.
    let image = image(&beginning);
    let how = if image.is_some() { "inline" } else { "attachment" };
    let mut response = Response::new(Body::from_stream(ReaderStream::new(file)));
    let headers = response.headers_mut();
    let media_type = image.unwrap_or(&info.media_type);
    let plain = HeaderValue::from_static("application/octet-stream");
    headers.insert(CONTENT_TYPE, HeaderValue::from_str(media_type).unwrap_or(plain));
    headers.insert(CONTENT_LENGTH, info.bytes.into());
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(CONTENT_SECURITY_POLICY, SANDBOX);
    if let Some(disposition) = disposition(how, &info.name) {
        headers.insert(CONTENT_DISPOSITION, disposition);
    }
    Ok(response)
}

/// Bytes that tell a picture.
const IMAGE_BYTES: usize = 12;

/// The media type of a picture that browsers show, by its first bytes.
fn image(beginning: &[u8]) -> Option<&'static str> {
    match beginning {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

/// An id that is no id names nothing.
fn parse(id: &str) -> Result<FileId, ApiError> {
    id.parse().map_err(|_| ApiError::not_found("file"))
}
