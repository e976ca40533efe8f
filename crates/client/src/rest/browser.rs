//! Calls by `fetch`.

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, Request, RequestInit, Response};

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
        fetch(method, url, body).await.map_err(|e| RestError::Unreachable(words(&e)))
    }
}

async fn fetch(method: Method, url: &str, body: Option<String>) -> Result<Answer, JsValue> {
    let init = RequestInit::new();
    init.set_method(method.as_str());
    if let Some(body) = body {
        let headers = Headers::new()?;
        headers.set("content-type", "application/json")?;
        init.set_headers(&headers);
        init.set_body(&JsValue::from_str(&body));
    }
    let request = Request::new_with_str_and_init(url, &init)?;
    let window = web_sys::window().ok_or("there is no window")?;
    let response: Response =
        JsFuture::from(window.fetch_with_request(&request)).await?.dyn_into()?;
    let body = JsFuture::from(response.text()?).await?;
    Ok(Answer { status: response.status(), body: body.as_string().unwrap_or_default() })
}

/// What a thrown value says of itself.
fn words(error: &JsValue) -> String {
    match error.dyn_ref::<js_sys::Error>() {
        Some(error) => String::from(error.message()),
        None => error.as_string().unwrap_or_else(|| "the call failed".to_owned()),
    }
}
