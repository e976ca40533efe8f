//! What stands before every route: request ids, security headers, and the rules for Host, Origin
//! and CORS (PROTOCOL B6).
//!
//! Who a person is, and what they may see, is the routes' business.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{
    AUTHORIZATION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderName, HeaderValue, ORIGIN,
    REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use http::uri::Authority;
use http::{HeaderMap, Method, StatusCode};
use tower_http::cors::{AllowCredentials, AllowOrigin, CorsLayer};
use unbroken_protocol::{ErrorBody, ErrorCode};

use crate::config::{Host, Http, Origin};

const CSP: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
     img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; manifest-src 'self'; \
     worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
/// The microphone is for dictation; nothing else of a device is of use here.
const PERMISSIONS: HeaderValue = HeaderValue::from_static(
    "camera=(), display-capture=(), geolocation=(), microphone=(self), midi=(), payment=(), usb=()",
);
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

const CROSS_ORIGIN_OPENER_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-opener-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const X_CONVERSATION_ID: HeaderName = HeaderName::from_static("x-conversation-id");
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Names a request in logs and in error bodies. In the extensions of every request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The client's own id, when it is short and harmless in a log; else a new one.
    fn new(headers: &HeaderMap) -> Self {
        let given = headers.get(X_REQUEST_ID).filter(|id| {
            (1..=64).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic)
        });
        Self(given.cloned().unwrap_or_else(|| {
            let random = getrandom::u64().expect("the system has random numbers");
            HeaderValue::from_str(&format!("{random:016x}")).expect("hexadecimal digits are valid")
        }))
    }

    pub fn as_str(&self) -> &str {
        self.0.to_str().expect("only visible ASCII is taken")
    }
}

/// Gives every request an id, and repeats it on the answer.
pub async fn request_id(mut request: Request, next: Next) -> Response {
    let id = RequestId::new(request.headers());
    request.extensions_mut().insert(id.clone());
    let mut response = next.run(request).await;
    response.headers_mut().insert(X_REQUEST_ID, id.0);
    response
}

/// Which security headers go on every answer.
#[derive(Clone, Copy, Debug)]
pub struct SecurityHeaders {
    /// Only when people come by https: a browser would not reach a plain server again for a year.
    strict_transport: bool,
}

impl SecurityHeaders {
    pub fn new(http: &Http) -> Self {
        Self { strict_transport: http.public_url.as_ref().is_some_and(Origin::is_https) }
    }
}

/// Puts the security headers on every answer, whatever the route did.
pub async fn security_headers(
    State(wanted): State<SecurityHeaders>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    // A page of its own may be stricter.
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(CSP);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CROSS_ORIGIN_OPENER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(PERMISSIONS_POLICY, PERMISSIONS);
    if wanted.strict_transport {
        headers.insert(STRICT_TRANSPORT_SECURITY, HSTS);
    }
    response
}

/// The names that this server answers to.
///
/// A page of `evil.example` can let its own name point to this server (DNS rebinding); its scripts
/// are then of the same origin as ours in the browser's eyes. What gives them away is `Host`, which
/// is `evil.example` still. An address instead of a name cannot be pointed elsewhere: so a server
/// that listens on all addresses takes any address, but a name only from `http.public_url`.
#[derive(Clone, Debug)]
pub struct HostRules {
    listen: IpAddr,
    public: Option<String>,
}

impl HostRules {
    pub fn new(http: &Http) -> Arc<Self> {
        let public = http.public_url.as_ref().map(|url| url.host().to_owned());
        Arc::new(Self { listen: http.listen.ip().to_canonical(), public })
    }

    fn allow(&self, host: &Host) -> bool {
        // Any port: a container or a tunnel maps it, and rebinding is about the name.
        let is_listening = |ip| self.listen.is_unspecified() || self.listen == ip;
        host.is_loopback()
            || self.public.as_ref() == Some(&host.name)
            || host.ip().is_some_and(is_listening)
    }
}

/// Refuses requests that are meant for another host: 421, or 400 when they name none.
pub async fn host(
    State(rules): State<Arc<HostRules>>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(named) = named_hosts(&request) else {
        let message = "The request does not say which host it is for: send one Host header.";
        return refuse(&request, StatusCode::BAD_REQUEST, message.to_owned());
    };
    if let Some(foreign) = named.iter().find(|host| !rules.allow(host)) {
        let message = format!(
            "This server does not answer to the name \"{}\": open it by its address, or set \
             http.public_url to the address that people type.",
            foreign.name
        );
        return refuse(&request, StatusCode::MISDIRECTED_REQUEST, message);
    }
    // HTTP/2 has `:authority` instead; what comes later reads one header.
    if let Some(authority) = request.uri().authority().map(Authority::as_str) {
        let value = HeaderValue::from_str(authority).expect("an authority is visible ASCII");
        request.headers_mut().entry(HOST).or_insert(value);
    }
    next.run(request).await
}

/// Every host that the request names: in `Host`, and in its target (HTTP/2, or the absolute form).
/// `None` when there is none, or one that cannot be read.
fn named_hosts(request: &Request) -> Option<Vec<Host>> {
    let mut headers = request.headers().get_all(HOST).iter();
    let (header, second) = (headers.next(), headers.next());
    if second.is_some() {
        return None;
    }
    let header = header.map(|value| value.to_str().ok()?.parse().ok());
    let target = request.uri().authority().cloned().map(Some);
    let authorities = header.into_iter().chain(target).collect::<Option<Vec<Authority>>>()?;
    let hosts: Vec<_> = authorities.iter().map(Host::new).collect::<Option<_>>()?;
    (!hosts.is_empty()).then_some(hosts)
}

fn refuse(request: &Request, status: StatusCode, message: String) -> Response {
    let id = request.extensions().get::<RequestId>();
    let body = ErrorBody {
        error: ErrorCode::BadRequest.as_str().to_owned(),
        message,
        status_code: status.as_u16(),
        code: ErrorCode::BadRequest,
        retryable: false,
        request_id: id.map(|id| id.as_str().to_owned()).unwrap_or_default(),
        details: None,
    };
    (status, Json(body)).into_response()
}

/// Whose pages may act for a person.
#[derive(Clone, Debug)]
pub struct OriginRules {
    public: Option<Origin>,
    listed: Vec<Origin>,
}

impl OriginRules {
    pub fn new(http: &Http) -> Self {
        Self { public: http.public_url.clone(), listed: http.cors_origins.clone() }
    }

    fn allow(&self, origin: &Origin, host: Option<&Host>) -> bool {
        // This server speaks no TLS, so the scheme of its own pages is http; what a proxy before it
        // makes of that, only `http.public_url` knows, and then that alone counts for that name.
        let is_public =
            |host: &&Host| self.public.as_ref().is_some_and(|url| url.host() == host.name);
        let own = host.filter(|host| !is_public(host)).map(Origin::plain);
        Some(origin) == own.as_ref()
            || Some(origin) == self.public.as_ref()
            || self.listed.contains(origin)
    }
}

/// Whether a request that changes something, or opens a socket, comes from a page that may do so.
///
/// A browser adds a cookie whoever sends the request, and `Origin` says who does; a program that is
/// no browser has neither. Expects the `Host` that [`host`] has checked.
pub fn origin_allowed(headers: &HeaderMap, cookie_identifies: bool, rules: &OriginRules) -> bool {
    let mut origins = headers.get_all(ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (None, _) => !cookie_identifies,
        (Some(origin), None) => {
            let origin = origin.to_str().ok().and_then(|origin| origin.parse().ok());
            let host = headers.get(HOST).and_then(|host| host.to_str().ok()?.parse().ok());
            let host = host.and_then(|host| Host::new(&host));
            origin.is_some_and(|origin| rules.allow(&origin, host.as_ref()))
        }
        (Some(_), Some(_)) => false,
    }
}

/// Lets the pages of `http.cors_origins` call, with a person's session, and nobody else's.
pub fn cors(http: &Http) -> CorsLayer {
    let listed: Vec<HeaderValue> = http
        .cors_origins
        .iter()
        .map(|origin| HeaderValue::from_str(&origin.to_string()).expect("an origin is ASCII"))
        .collect();
    let with_session = listed.clone();
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(listed))
        .allow_credentials(AllowCredentials::predicate(move |origin, _| {
            with_session.contains(origin)
        }))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([CONTENT_TYPE, AUTHORIZATION, LAST_EVENT_ID, X_REQUEST_ID])
        .expose_headers([X_CONVERSATION_ID, X_REQUEST_ID])
        .max_age(Duration::from_hours(1))
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::middleware::{from_fn, from_fn_with_state};
    use axum::routing::get;
    use axum::{Extension, Router};
    use http::header::ACCESS_CONTROL_ALLOW_ORIGIN;
    use tower::ServiceExt;

    use super::*;

    fn http(listen: &str, public_url: &str, cors_origins: &[&str]) -> Http {
        let text = format!(
            "listen = '{listen}'\npublic_url = '{public_url}'\ncors_origins = {cors_origins:?}\n\
             workers = 0"
        );
        toml::from_str(&text).unwrap()
    }

    fn app(http: &Http) -> Router {
        let id = |Extension(id): Extension<RequestId>| async move { id.as_str().to_owned() };
        Router::new()
            .route("/", get(id))
            .layer(cors(http))
            .layer(from_fn_with_state(HostRules::new(http), host))
            .layer(from_fn_with_state(SecurityHeaders::new(http), security_headers))
            .layer(from_fn(request_id))
    }

    async fn call(http: &Http, uri: &str, headers: &[(&str, &str)]) -> Response {
        send(http, Method::GET, uri, headers).await
    }

    async fn send(http: &Http, method: Method, uri: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        app(http).oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    fn value<'a>(response: &'a Response, name: &str) -> &'a str {
        response.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    async fn text(response: Response) -> String {
        let bytes = to_bytes(response.into_body(), 4096).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn a_request_keeps_a_sane_id_and_gets_one_otherwise() {
        let http = http("127.0.0.1:8484", "", &[]);
        let longest = "x".repeat(64);
        for id in ["abc-123", &longest] {
            let response = call(&http, "/", &[("host", "localhost"), ("x-request-id", id)]).await;
            assert_eq!(value(&response, "x-request-id"), id);
            assert_eq!(text(response).await, id);
        }
        let too_long = "x".repeat(65);
        for id in ["", "a b", "a\tb", &too_long] {
            let response = call(&http, "/", &[("host", "localhost"), ("x-request-id", id)]).await;
            let given = value(&response, "x-request-id").to_owned();
            assert_eq!(given.len(), 16, "{id}");
            assert_eq!(text(response).await, given);
        }
    }

    #[tokio::test]
    async fn every_answer_carries_the_security_headers() {
        let plain = http("127.0.0.1:8484", "", &[]);
        for (uri, host) in [("/", "localhost"), ("/none", "localhost"), ("/", "evil.example")] {
            let response = call(&plain, uri, &[("host", host)]).await;
            assert_eq!(
                value(&response, "content-security-policy"),
                "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
                 img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; \
                 manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; \
                 frame-ancestors 'none'"
            );
            assert_eq!(value(&response, "x-content-type-options"), "nosniff");
            assert_eq!(value(&response, "referrer-policy"), "no-referrer");
            assert_eq!(value(&response, "cross-origin-opener-policy"), "same-origin");
            assert!(value(&response, "permissions-policy").contains("camera=()"));
            assert_eq!(value(&response, "strict-transport-security"), "");
        }
        let secure = http("127.0.0.1:8484", "https://chat.example.com", &[]);
        let response = call(&secure, "/", &[("host", "chat.example.com")]).await;
        assert_eq!(value(&response, "strict-transport-security"), "max-age=31536000");
    }

    #[tokio::test]
    async fn a_foreign_host_is_misdirected() {
        let listening = |listen: &str| http(listen, "https://chat.example.com", &[]);
        let (local, lan, all) =
            (listening("127.0.0.1:8484"), listening("10.0.0.1:8484"), listening("0.0.0.0:8484"));
        for (http, host, status) in [
            (&local, "localhost:8484", 200),
            (&local, "127.0.0.1", 200),
            (&local, "127.3.2.1:99", 200),
            (&local, "[::1]:8484", 200),
            (&local, "a.localhost", 200),
            (&local, "Chat.Example.com.", 200),
            (&local, "chat.example.com:8443", 200),
            (&local, "evil.example", 421),
            (&local, "10.0.0.1", 421),
            (&lan, "10.0.0.1:8484", 200),
            (&lan, "10.0.0.2:8484", 421),
            (&lan, "localhost", 200),
            (&all, "10.0.0.2:8484", 200),
            (&all, "[fe80::1]", 200),
            (&all, "evil.example", 421),
            (&all, "10.0.0.2.evil.example", 421),
            (&listening("[::]:8484"), "10.0.0.2", 200),
            (&local, "user@localhost", 400),
            (&local, "localhost:x", 400),
            (&local, "", 400),
        ] {
            assert_eq!(call(http, "/", &[("host", host)]).await.status(), status, "{host}");
        }
    }

    #[tokio::test]
    async fn a_refusal_says_what_to_do() {
        let http = http("127.0.0.1:8484", "", &[]);
        let headers = [("host", "evil.example"), ("x-request-id", "r1")];
        let body: ErrorBody =
            serde_json::from_str(&text(call(&http, "/", &headers).await).await).unwrap();
        assert_eq!((body.status_code, body.code), (421, ErrorCode::BadRequest));
        assert_eq!(body.request_id, "r1");
        assert_eq!(
            body.message,
            "This server does not answer to the name \"evil.example\": open it by its address, or \
             set http.public_url to the address that people type."
        );
    }

    #[tokio::test]
    async fn the_target_of_a_request_names_a_host_too() {
        let http = http("127.0.0.1:8484", "", &[]);
        let status = async |uri: &str, headers: &[(&str, &str)]| {
            call(&http, uri, headers).await.status().as_u16()
        };
        assert_eq!(status("http://localhost/", &[]).await, 200);
        assert_eq!(status("http://evil.example/", &[]).await, 421);
        assert_eq!(status("http://evil.example/", &[("host", "localhost")]).await, 421);
        assert_eq!(status("/", &[]).await, 400);
        assert_eq!(status("/", &[("host", "localhost"), ("host", "localhost")]).await, 400);
    }

    /// Host, Origin, whether a cookie identifies.
    fn allowed(rules: &OriginRules, host: &str, origin: Option<&str>, cookie: bool) -> bool {
        let mut headers = HeaderMap::from_iter([(HOST, HeaderValue::from_str(host).unwrap())]);
        if let Some(origin) = origin {
            headers.insert(ORIGIN, HeaderValue::from_str(origin).unwrap());
        }
        origin_allowed(&headers, cookie, rules)
    }

    #[test]
    fn an_absent_origin_is_allowed_unless_a_cookie_identifies() {
        let rules = OriginRules::new(&http("127.0.0.1:8484", "", &[]));
        assert!(allowed(&rules, "localhost:8484", None, false));
        assert!(!allowed(&rules, "localhost:8484", None, true));
    }

    #[test]
    fn an_origin_is_the_own_one_or_a_listed_one() {
        let plain = OriginRules::new(&http("0.0.0.0:8484", "", &["https://intranet.example"]));
        let proxied = OriginRules::new(&http("127.0.0.1:8484", "https://chat.example.com", &[]));
        for (rules, host, origin, expected) in [
            (&plain, "localhost:8484", "http://localhost:8484", true),
            (&plain, "10.0.0.1", "http://10.0.0.1", true),
            (&plain, "[::1]:8484", "http://[::1]:8484", true),
            (&plain, "localhost:8484", "https://intranet.example", true),
            (&plain, "localhost:8484", "http://intranet.example", false),
            (&plain, "localhost:8484", "http://localhost:3000", false),
            (&plain, "localhost:8484", "https://localhost:8484", false),
            (&plain, "localhost:8484", "http://127.0.0.1:8484", false),
            (&plain, "localhost:8484", "https://evil.example", false),
            (&plain, "localhost:8484", "null", false),
            (&plain, "localhost:8484", "", false),
            (&proxied, "chat.example.com", "https://chat.example.com", true),
            (&proxied, "127.0.0.1:8484", "https://chat.example.com", true),
            (&proxied, "127.0.0.1:8484", "http://127.0.0.1:8484", true),
            (&proxied, "chat.example.com", "http://chat.example.com", false),
            (&proxied, "chat.example.com", "https://chat.example.com.evil.example", false),
        ] {
            for cookie in [false, true] {
                assert_eq!(allowed(rules, host, Some(origin), cookie), expected, "{host} {origin}");
            }
        }
    }

    #[test]
    fn two_origins_are_none() {
        let rules = OriginRules::new(&http("127.0.0.1:8484", "", &[]));
        let own = HeaderValue::from_static("http://localhost");
        let mut headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static("localhost"))]);
        headers.append(ORIGIN, own.clone());
        assert!(origin_allowed(&headers, true, &rules));
        headers.append(ORIGIN, own);
        assert!(!origin_allowed(&headers, false, &rules));
    }

    #[tokio::test]
    async fn only_a_listed_origin_may_read_answers() {
        let http = http("127.0.0.1:8484", "", &["https://intranet.example"]);
        let from = async |method: Method, origin: &str| {
            let headers = [
                ("host", "localhost"),
                ("origin", origin),
                ("access-control-request-method", "POST"),
                ("access-control-request-headers", "content-type"),
            ];
            send(&http, method, "/", &headers).await
        };
        let preflight = from(Method::OPTIONS, "https://intranet.example").await;
        assert_eq!(preflight.status(), 200);
        assert_eq!(value(&preflight, "access-control-allow-origin"), "https://intranet.example");
        assert_eq!(value(&preflight, "access-control-allow-credentials"), "true");
        assert_eq!(value(&preflight, "access-control-allow-methods"), "GET,POST,PUT,PATCH,DELETE");
        assert_eq!(
            value(&preflight, "access-control-allow-headers"),
            "content-type,authorization,last-event-id,x-request-id"
        );
        let answer = from(Method::GET, "https://intranet.example").await;
        assert_eq!(
            value(&answer, "access-control-expose-headers"),
            "x-conversation-id,x-request-id"
        );
        for method in [Method::OPTIONS, Method::GET] {
            let response = from(method, "https://evil.example").await;
            assert!(!response.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
            assert!(!response.headers().contains_key("access-control-allow-credentials"));
        }
    }
}
