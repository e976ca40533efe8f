//! The web app inside the binary: its files, pre-compressed, and `index.html` for every page.
//!
//! Which folder is embedded is decided by `build.rs`. A debug build reads it when asked, so a newly
//! built web app shows without building the server.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::Read as _;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use flate2::read::GzDecoder;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG,
    HeaderName, IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, Method, StatusCode};
use rust_embed::RustEmbed;
use sha2::{Digest as _, Sha256};

/// First segments of addresses that are never a page.
const NO_PAGES: [&str; 7] = ["ai", "auth", "api", "routing", "health", "share", "ws"];

#[derive(RustEmbed)]
#[folder = "$UNBROKEN_WEB_DIST"]
struct WebApp;

/// A file as it goes over the wire.
struct File {
    data: Cow<'static, [u8]>,
    sha256: [u8; 32],
}

/// Answers GET and HEAD for a file of the web app or for a page; `None` is for the caller's 404.
pub fn serve(method: &Method, path: &str, headers: &HeaderMap) -> Option<Response> {
    let find = |name: &str| {
        let file = WebApp::get(name)?;
        Some(File { sha256: file.metadata.sha256_hash(), data: file.data })
    };
    answer(find, method, path, headers)
}

fn answer(
    find: impl Fn(&str) -> Option<File>,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
) -> Option<Response> {
    if method != Method::GET && method != Method::HEAD {
        return None;
    }
    let is_there = |name: &&str| find(name).is_some() || find(&format!("{name}.gz")).is_some();
    let name = file_name(path)
        .filter(is_there)
        .or_else(|| is_page(path, headers).then_some("index.html").filter(is_there))?;
    let (encoding, file) = match best_encoding(headers, |suffix| find(&format!("{name}{suffix}"))) {
        Some((encoding, file)) => (Some(encoding), file),
        None => (None, find(name).or_else(|| unpacked(&find(&format!("{name}.gz"))?.data))?),
    };

    let etag = etag(&file.sha256);
    let cache =
        if has_content_hash(name) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let unchanged = is_known(headers, &etag);
    let mut response = Response::builder()
        .header(ETAG, etag)
        .header(CACHE_CONTROL, cache)
        .header(VARY, "Accept-Encoding");
    if unchanged {
        let response = response.status(StatusCode::NOT_MODIFIED).body(Body::empty());
        return Some(response.expect("the headers are valid"));
    }
    if let Some(encoding) = encoding {
        response = response.header(CONTENT_ENCODING, encoding);
    }
    let response = response
        .header(CONTENT_TYPE, content_type(name))
        .header(CONTENT_LENGTH, file.data.len())
        .body(if method == Method::HEAD { Body::empty() } else { body(file.data) });
    Some(response.expect("the headers are valid"))
}

/// The name of the file that an address asks for. Nothing hidden, nothing above the folder, and no
/// escapes: no file has a name that needs one.
fn file_name(path: &str) -> Option<&str> {
    let name = path.strip_prefix('/')?;
    let is_plain = |segment: &str| {
        !segment.is_empty() && !segment.starts_with('.') && !segment.contains(['\\', '%', '\0'])
    };
    // A compressed file is a form of another one, not a file of its own.
    let is_form = matches!(name.rsplit_once('.'), Some((_, "br" | "gz")));
    (name.split('/').all(is_plain) && !is_form).then_some(name)
}

/// An address of the app that a person can open: the app itself knows what is there.
fn is_page(path: &str, headers: &HeaderMap) -> bool {
    let Some((_, rest)) = path.split_once('/') else { return false };
    let (first, last) = (rest.split('/').next(), rest.rsplit('/').next());
    let is_call = first.is_some_and(|first| NO_PAGES.contains(&first));
    let has_extension = last.is_some_and(|last| last.contains('.'));
    let liking = quality(headers, &ACCEPT, |range| match range {
        "text/html" => 3,
        "text/*" => 2,
        "*/*" => 1,
        _ => 0,
    });
    let accepts = !headers.contains_key(ACCEPT) || liking.is_some_and(|liking| liking > 0.0);
    !is_call && !has_extension && accepts
}

/// A file of which there is only the compressed form, as modules are in a release, for the rare
/// client that takes none.
fn unpacked(gzip: &[u8]) -> Option<File> {
    let mut data = Vec::new();
    GzDecoder::new(gzip).read_to_end(&mut data).ok()?;
    Some(File { sha256: Sha256::digest(&data).into(), data: data.into() })
}

/// The compressed form that the client likes best, of those that there are; `None` when it likes
/// none better than the plain one (RFC 9110, section 12.5.3).
fn best_encoding(
    headers: &HeaderMap,
    find: impl Fn(&str) -> Option<File>,
) -> Option<(&'static str, File)> {
    let liking =
        |coding: &str| {
            quality(headers, &ACCEPT_ENCODING, |range| {
                if range == coding { 2 } else { u8::from(range == "*") }
            })
        };
    // Not named, it is still acceptable, but any other is meant to be taken first.
    let (mut most, mut best) = (liking("identity").unwrap_or(f32::MIN_POSITIVE), None);
    // Equal liking: the later one, which is the smaller.
    for (coding, suffix) in [("gzip", ".gz"), ("br", ".br")] {
        let liked = liking(coding).filter(|liking| *liking > 0.0 && *liking >= most);
        if let Some((liking, file)) = liked.and_then(|liking| Some((liking, find(suffix)?))) {
            (most, best) = (liking, Some((coding, file)));
        }
    }
    best
}

/// The quality value of the range that fits best; `rank` is 0 for one that does not fit. `None`
/// when nothing fits (RFC 9110, section 12.4.2).
fn quality(headers: &HeaderMap, name: &HeaderName, rank: impl Fn(&str) -> u8) -> Option<f32> {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    let mut best = (0, None);
    for member in lines.flat_map(|line| line.split(',')) {
        let member = member.to_ascii_lowercase();
        let mut parts = member.split(';').map(str::trim);
        let rank = parts.next().map_or(0, &rank);
        if rank > best.0 {
            let q = parts.find_map(|part| part.strip_prefix("q="));
            let q = q.map_or(Some(1.0), |q| q.parse().ok());
            best = (rank, Some(q.filter(|q| (0.0..=1.0).contains(q)).unwrap_or(0.0)));
        }
    }
    best.1
}

/// Strong: each form of a file has its own bytes, and so its own tag.
fn etag(sha256: &[u8; 32]) -> String {
    let hex = sha256.iter().take(16).fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a String takes any text");
        hex
    });
    format!("\"{hex}\"")
}

/// Whether the client holds these bytes (RFC 9110, section 13.1.2: weak comparison).
fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let lines = headers.get_all(IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
    let mut tags = lines.flat_map(|line| line.split(',')).map(str::trim);
    tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

/// `name-<hash>.ext` or `name.<hash>.ext`, the hash being eight or more hexadecimal digits.
fn has_content_hash(name: &str) -> bool {
    let stem = name.rsplit_once('.').map_or("", |(stem, _)| stem);
    let hash = stem.rsplit_once(['-', '.']).map_or("", |(_, hash)| hash);
    hash.len() >= 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn content_type(name: &str) -> String {
    let guess = mime_guess::from_path(name).first_or_octet_stream();
    if guess.type_() == mime_guess::mime::TEXT {
        format!("{guess}; charset=utf-8")
    } else {
        guess.to_string()
    }
}

fn body(data: Cow<'static, [u8]>) -> Body {
    Body::from(match data {
        Cow::Borrowed(data) => Bytes::from_static(data),
        Cow::Owned(data) => Bytes::from(data),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use axum::body::to_bytes;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use http::HeaderValue;

    use super::*;

    fn find(name: &str) -> Option<File> {
        let data: &[u8] = match name {
            "index.html" => b"<html>",
            "app-0123456789abcdef.js" | "app.01234567.css" => b"plain",
            "app-0123456789abcdef.js.br" => b"br",
            "app-0123456789abcdef.js.gz" => b"gzip",
            "a.wasm" | "a.svg" | "a.webmanifest" | "a.unheard" | "fonts/a.woff2" => b"x",
            _ => return None,
        };
        Some(File { data: Cow::Borrowed(data), sha256: Sha256::digest(data).into() })
    }

    fn get(path: &str, headers: &[(HeaderName, &str)]) -> Option<Response> {
        request(&Method::GET, path, headers)
    }

    fn request(method: &Method, path: &str, given: &[(HeaderName, &str)]) -> Option<Response> {
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        answer(find, method, path, &headers)
    }

    fn header(response: &Response, name: HeaderName) -> &str {
        response.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    async fn text(response: Response) -> String {
        let bytes = to_bytes(response.into_body(), 1024).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn the_form_that_the_client_likes_best_is_sent() {
        for (accepted, encoding, sent) in [
            (None, "", "plain"),
            (Some("gzip, deflate, br, zstd"), "br", "br"),
            (Some("gzip"), "gzip", "gzip"),
            (Some("br;q=0.5, gzip;q=0.8"), "gzip", "gzip"),
            (Some("BR; Q=1.0, gzip"), "br", "br"),
            (Some("br;q=0, gzip;q=0"), "", "plain"),
            (Some("*"), "br", "br"),
            (Some("*;q=0.1, br;q=0"), "gzip", "gzip"),
            (Some("gzip;q=0.5, identity"), "", "plain"),
            (Some("zstd"), "", "plain"),
            (Some("br;q=nan, gzip;q=7"), "", "plain"),
        ] {
            let headers: Vec<_> =
                accepted.map(|value| (ACCEPT_ENCODING, value)).into_iter().collect();
            let response = get("/app-0123456789abcdef.js", &headers).unwrap();
            assert_eq!(header(&response, CONTENT_ENCODING), encoding, "{accepted:?}");
            assert_eq!(header(&response, VARY), "Accept-Encoding");
            assert_eq!(header(&response, CONTENT_LENGTH), sent.len().to_string());
            assert!(header(&response, CONTENT_TYPE).starts_with("text/javascript"));
            assert_eq!(text(response).await, sent, "{accepted:?}");
        }
    }

    #[tokio::test]
    async fn what_there_is_only_compressed_is_unpacked_for_who_takes_nothing_else() {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(b"a module").unwrap();
        let gzip = gzip.finish().unwrap();
        let find = |name: &str| {
            let data = (name == "m.wasm.gz").then(|| Cow::Owned(gzip.clone()))?;
            Some(File { sha256: Sha256::digest(&data).into(), data })
        };
        let none = HeaderMap::new();
        let both = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("gzip, br"))]);
        let get = |headers| answer(find, &Method::GET, "/m.wasm", headers).unwrap();
        let (plain, packed) = (get(&none), get(&both));
        assert_eq!(header(&packed, CONTENT_ENCODING), "gzip");
        assert_ne!(header(&packed, ETAG), header(&plain, ETAG));
        assert_eq!(header(&plain, CONTENT_ENCODING), "");
        assert_eq!(header(&plain, CONTENT_TYPE), "application/wasm");
        assert_eq!(text(plain).await, "a module");
        assert!(answer(find, &Method::GET, "/n.wasm", &both).is_none());
    }

    #[test]
    fn what_the_client_holds_is_not_sent_again() {
        let path = "/app-0123456789abcdef.js";
        let plain = get(path, &[]).unwrap();
        let br = get(path, &[(ACCEPT_ENCODING, "br")]).unwrap();
        let (plain, br) = (header(&plain, ETAG), header(&br, ETAG));
        assert_ne!(plain, br);
        for (known, status) in [
            (plain.to_owned(), 304),
            (format!("\"x\", W/{plain}"), 304),
            ("*".to_owned(), 304),
            (br.to_owned(), 200),
            ("\"x\"".to_owned(), 200),
        ] {
            let response = get(path, &[(IF_NONE_MATCH, &known)]).unwrap();
            assert_eq!(response.status(), status, "{known}");
            assert_eq!(header(&response, ETAG), plain);
            assert!(header(&response, CACHE_CONTROL).contains("immutable"));
        }
    }

    #[test]
    fn only_a_name_with_a_hash_is_kept_for_ever() {
        for name in ["a-0123456789abcdef.js", "a.01234567.css", "b/a-ABCDEF01.woff2"] {
            assert!(has_content_hash(name), "{name}");
        }
        for name in ["index.html", "app-settings.js", "a-1234567.js", "01234567.js", "a-01234567"] {
            assert!(!has_content_hash(name), "{name}");
        }
        let response = get("/a.svg", &[]).unwrap();
        assert_eq!(header(&response, CACHE_CONTROL), "no-cache");
    }

    #[test]
    fn a_type_is_named_rightly() {
        for (path, expected) in [
            ("/index.html", "text/html; charset=utf-8"),
            ("/app-0123456789abcdef.js", "text/javascript; charset=utf-8"),
            ("/app.01234567.css", "text/css; charset=utf-8"),
            ("/a.wasm", "application/wasm"),
            ("/a.svg", "image/svg+xml"),
            ("/a.webmanifest", "application/manifest+json"),
            ("/fonts/a.woff2", "font/woff2"),
            ("/a.unheard", "application/octet-stream"),
        ] {
            assert_eq!(header(&get(path, &[]).unwrap(), CONTENT_TYPE), expected);
        }
    }

    #[tokio::test]
    async fn every_page_is_the_app() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        for path in ["/", "/chat", "/chat/0197-1", "/history", "/settings", "/aim", "/history/"] {
            let response = get(path, &[(ACCEPT, browser)]).unwrap();
            assert_eq!(header(&response, CACHE_CONTROL), "no-cache", "{path}");
            assert_eq!(text(response).await, "<html>");
            assert!(get(path, &[]).is_some() && get(path, &[(ACCEPT, "*/*")]).is_some());
            assert!(get(path, &[(ACCEPT, "application/json")]).is_none(), "{path}");
            assert!(get(path, &[(ACCEPT, "text/html;q=0, */*")]).is_none(), "{path}");
        }
        for path in ["/ai", "/ai/x", "/auth/x", "/api/x", "/routing/x", "/health", "/ws", "/x.png"]
        {
            assert!(get(path, &[(ACCEPT, browser)]).is_none(), "{path}");
        }
    }

    #[tokio::test]
    async fn head_has_the_headers_alone() {
        let response = request(&Method::HEAD, "/a.wasm", &[]).unwrap();
        assert_eq!(header(&response, CONTENT_LENGTH), "1");
        assert_eq!(text(response).await, "");
        assert!(request(&Method::POST, "/a.wasm", &[]).is_none());
    }

    #[test]
    fn nothing_outside_the_folder_has_a_name() {
        for path in [
            "",
            "/",
            "//a",
            "/../a",
            "/a/../b",
            "/a/./b",
            "/.env",
            "/a\\b",
            "/%2e%2e/a",
            "/a.js.br",
            "/a.js.gz",
            "a.js",
            "/a/",
        ] {
            assert_eq!(file_name(path), None, "{path}");
        }
    }

    #[test]
    fn something_is_embedded() {
        assert!(serve(&Method::GET, "/", &HeaderMap::new()).is_some());
    }
}
