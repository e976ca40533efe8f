//! Where results are in an engine's answer.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::{Found, RESULTS};

/// Places in an answer, as JSON pointers (RFC 6901).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// The array of results, in the answer.
    pub list: String,
    /// In each result.
    pub title: String,
    pub url: String,
    pub snippet: String,
}

impl Shape {
    pub(super) fn new(list: &str, title: &str, url: &str, snippet: &str) -> Self {
        let [list, title, url, snippet] = [list, title, url, snippet].map(str::to_owned);
        Self { list, title, url, snippet }
    }

    pub(super) fn is_readable(&self) -> bool {
        let is_pointer = |pointer: &String| pointer.is_empty() || pointer.starts_with('/');
        [&self.list, &self.title, &self.url, &self.snippet].into_iter().all(is_pointer)
    }

    /// The results that lead somewhere, each once; `None` if this is no answer of the engine.
    pub(super) fn read(&self, answer: &Value) -> Option<Vec<Found>> {
        let list = answer.pointer(&self.list)?.as_array()?;
        let mut found: Vec<Found> = Vec::new();
        for result in list.iter().filter_map(|result| self.result(result)) {
            if found.len() < RESULTS && found.iter().all(|other| other.url != result.url) {
                found.push(result);
            }
        }
        Some(found)
    }

    fn result(&self, result: &Value) -> Option<Found> {
        let text = |pointer: &str| result.pointer(pointer).and_then(Value::as_str);
        let mut url = Url::parse(text(&self.url)?).ok()?;
        if !matches!(url.scheme(), "http" | "https") {
            return None;
        }
        url.set_fragment(None);
        let title = text(&self.title).unwrap_or_default().trim().to_owned();
        let snippet = text(&self.snippet).unwrap_or_default().trim().to_owned();
        Some(Found { title, url, snippet })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shape() -> Shape {
        Shape::new("/results", "/title", "/url", "/content")
    }

    #[test]
    fn each_page_is_found_once_and_only_pages_are() {
        let answer = json!({ "results": [
            { "title": " A ", "url": "https://a.example/#x", "content": "about A" },
            { "title": "A again", "url": "https://a.example/" },
            { "title": "B", "url": "javascript:alert(1)" },
            { "title": 7, "url": "http://c.example" },
            "nothing",
            { "title": "no address" },
        ] });
        let found = shape().read(&answer).unwrap();
        let urls: Vec<_> = found.iter().map(|found| found.url.as_str()).collect();
        assert_eq!(urls, ["https://a.example/", "http://c.example/"]);
        assert_eq!((&*found[0].title, &*found[0].snippet), ("A", "about A"));
        assert_eq!((&*found[1].title, &*found[1].snippet), ("", ""));
    }

    #[test]
    fn no_more_than_eight_are_kept() {
        let result = |i: usize| json!({ "url": format!("https://{i}.example") });
        let answer = json!({ "results": (0..20).map(result).collect::<Vec<_>>() });
        assert_eq!(shape().read(&answer).unwrap().len(), RESULTS);
    }

    #[test]
    fn an_answer_without_the_list_is_none() {
        assert_eq!(shape().read(&json!({ "results": [] })), Some(vec![]));
        for answer in [json!({}), json!([]), json!({ "results": {} }), json!("x")] {
            assert_eq!(shape().read(&answer), None);
        }
    }
}
