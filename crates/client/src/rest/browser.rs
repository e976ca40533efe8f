//! Calls by `fetch`.

use js_sys::{Promise, Reflect, Uint8Array};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, Blob, Event, EventTarget, Headers, ReadableStreamDefaultReader, Request,
    RequestInit, Response, XmlHttpRequest,
};

use super::{Answer, Method, RestError};

#[derive(Clone, Copy, Debug)]
pub(super) struct Transport;

impl Transport {
    pub(super) fn new() -> Self {
        Self
    }

    pub(super) async fn call(
        self,
        method: Method,
        url: &str,
        body: Option<String>,
    ) -> Result<Answer, RestError> {
        call(method, url, body).await.map_err(|e| unreachable(&e))
    }

    /// Opens a stream of events: the status, and what follows.
    pub(super) async fn open(self, url: &str) -> Result<(u16, Pieces), RestError> {
        open(url).await.map_err(|e| unreachable(&e))
    }

    /// A file and its name, or what was answered instead.
    pub(super) async fn file(
        self,
        url: &str,
    ) -> Result<Result<(Blob, Option<String>), Answer>, RestError> {
        file(url).await.map_err(|e| unreachable(&e))
    }
}

/// A file on its way to the server. Not by `fetch`, which does not tell how far it is.
#[derive(Clone, Debug)]
pub struct Upload(XmlHttpRequest);

impl Upload {
    /// One that has not begun; `None` where the browser has no such calls.
    pub fn new() -> Option<Self> {
        Some(Self(XmlHttpRequest::new().ok()?))
    }

    /// Ends it. Whoever waits for it is told that the server cannot be reached.
    pub fn cancel(&self) {
        let _ = self.0.abort();
    }

    /// Sends a file as the body.
    pub(super) async fn send(
        &self,
        url: &str,
        file: &Blob,
        sent: impl Fn(f64) + 'static,
    ) -> Result<Answer, RestError> {
        self.carry(Method::Post, url, file, sent).await.map_err(|e| unreachable(&e))
    }

    /// Puts a piece of a file to its place.
    pub(super) async fn put(
        &self,
        url: &str,
        piece: &Blob,
        sent: impl Fn(f64) + 'static,
    ) -> Result<Answer, RestError> {
        self.carry(Method::Put, url, piece, sent).await.map_err(|e| unreachable(&e))
    }

    async fn carry(
        &self,
        method: Method,
        url: &str,
        body: &Blob,
        sent: impl Fn(f64) + 'static,
    ) -> Result<Answer, JsValue> {
        let Self(request) = self;
        request.open(method.as_str(), url)?;
        let progress = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
            sent(field(&event, "loaded").as_f64().unwrap_or_default());
        });
        let upload: EventTarget = field(request, "upload").unchecked_into();
        upload.add_event_listener_with_callback("progress", progress.as_ref().unchecked_ref())?;
        let ended = Promise::new(&mut |resolve, reject| {
            for (event, then) in [("load", &resolve), ("error", &reject), ("abort", &reject)] {
                let _ = request.add_event_listener_with_callback(event, then);
            }
        });
        // Not by its own name in the bindings, which has one for each kind of body.
        request.send_with_opt_blob(Some(body))?;
        JsFuture::from(ended).await?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a status has three digits"
        )]
        let status = field(request, "status").as_f64().unwrap_or_default() as u16;
        let body = field(request, "responseText").as_string().unwrap_or_default();
        Ok(Answer { status, body })
    }
}

/// A property by its name: the script of the first view names every other way to ask for one.
fn field(of: &JsValue, name: &str) -> JsValue {
    Reflect::get(of, &name.into()).unwrap_or_default()
}

/// A body, as it arrives. Dropping it ends the request.
pub(super) struct Pieces {
    /// `None` when there is no body.
    reader: Option<ReadableStreamDefaultReader>,
    _request: Abort,
}

impl Pieces {
    /// The next piece; `None` at the end. Not cancel safe: a stream polls it to its end.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>, RestError> {
        let Some(reader) = &self.reader else { return Ok(None) };
        read(reader).await.map_err(|e| unreachable(&e))
    }
}

/// Ends its request when it is dropped.
struct Abort(AbortController);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn call(method: Method, url: &str, body: Option<String>) -> Result<Answer, JsValue> {
    let init = RequestInit::new();
    init.set_method(method.as_str());
    let headers = Headers::new()?;
    headers.set("accept", "application/json")?;
    if let Some(body) = body {
        headers.set("content-type", "application/json")?;
        init.set_body(&JsValue::from_str(&body));
    }
    init.set_headers(&headers);
    let (response, _request) = fetch(url, &init).await?;
    let body = JsFuture::from(response.text()?).await?;
    Ok(Answer { status: response.status(), body: body.as_string().unwrap_or_default() })
}

async fn file(url: &str) -> Result<Result<(Blob, Option<String>), Answer>, JsValue> {
    let (response, _request) = fetch(url, &RequestInit::new()).await?;
    let status = response.status();
    if status != 200 {
        let body = JsFuture::from(response.text()?).await?.as_string().unwrap_or_default();
        return Ok(Err(Answer { status, body }));
    }
    let name = response.headers().get("content-disposition")?.as_deref().and_then(file_name);
    let blob = JsFuture::from(response.blob()?).await?;
    Ok(Ok((blob.unchecked_into(), name)))
}

/// The whole name in `Content-Disposition` (RFC 6266, RFC 8187).
fn file_name(disposition: &str) -> Option<String> {
    let (_, encoded) = disposition.split_once("filename*=UTF-8''")?;
    let mut pieces = encoded.split('%');
    let mut name = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        name.push(u8::from_str_radix(piece.get(..2)?, 16).ok()?);
        name.extend_from_slice(&piece.as_bytes()[2..]);
    }
    String::from_utf8(name).ok()
}

async fn open(url: &str) -> Result<(u16, Pieces), JsValue> {
    let headers = Headers::new()?;
    headers.set("accept", "text/event-stream")?;
    let init = RequestInit::new();
    init.set_headers(&headers);
    let (response, request) = fetch(url, &init).await?;
    let reader = response.body().map(|body| body.get_reader().unchecked_into());
    Ok((response.status(), Pieces { reader, _request: request }))
}

async fn fetch(url: &str, init: &RequestInit) -> Result<(Response, Abort), JsValue> {
    let abort = Abort(AbortController::new()?);
    init.set_signal(Some(&abort.0.signal()));
    let request = Request::new_with_str_and_init(url, init)?;
    let window = web_sys::window().ok_or("there is no window")?;
    let response = JsFuture::from(window.fetch_with_request(&request)).await?.dyn_into()?;
    Ok((response, abort))
}

async fn read(reader: &ReadableStreamDefaultReader) -> Result<Option<Vec<u8>>, JsValue> {
    let piece = JsFuture::from(reader.read()).await?;
    if Reflect::get(&piece, &"done".into())?.is_truthy() {
        return Ok(None);
    }
    let bytes: Uint8Array = Reflect::get(&piece, &"value".into())?.dyn_into()?;
    Ok(Some(bytes.to_vec()))
}

fn unreachable(error: &JsValue) -> RestError {
    RestError::Unreachable(words(error))
}

/// What a thrown value says of itself.
fn words(error: &JsValue) -> String {
    match error.dyn_ref::<js_sys::Error>() {
        Some(error) => String::from(error.message()),
        None => error.as_string().unwrap_or_else(|| "the call failed".to_owned()),
    }
}
