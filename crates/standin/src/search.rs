//! A search engine in SearXNG's form, and the few pages that it finds.

use axum::{
    Json,
    extract::{Path, Query},
    http::{HeaderMap, StatusCode, header::HOST},
    response::{Html, IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::ApiError;

/// Name, title, and paragraphs of every page.
const PAGES: [(&str, &str, [&str; 2]); 5] = [
    (
        "lighthouses",
        "How lighthouses work",
        [
            "A lighthouse warns ships of rocks and shows them the way into a harbour. Its light is \
             gathered by a Fresnel lens, which is thinner and lighter than a lens of one piece.",
            "Each lighthouse has a rhythm of its own, so that a sailor can tell which one it is. \
             The list of lights names the rhythm, the colour and the range of every one.",
        ],
    ),
    (
        "tides",
        "Tides and the moon",
        [
            "The moon draws the water of the sea towards itself, and the turning earth carries the \
             coast through two high tides and two low tides on most days.",
            "When sun and moon stand in one line, at new moon and at full moon, the tides are \
             highest. Sailors call them spring tides, in whichever season they come.",
        ],
    ),
    (
        "knots",
        "Knots that sailors need",
        [
            "A bowline makes a loop that does not slip and can be untied after a heavy load. It is \
             the first knot that most sailors learn.",
            "A cleat hitch holds a boat at the pier, and a reef knot ties the two ends of one line \
             around a sail. It is not made to join two lines.",
        ],
    ),
    (
        "compass",
        "The compass on a ship",
        [
            "A magnetic compass points to the magnetic north, which is not where the north of the \
             chart is. The difference is called variation, and the chart says how large it is.",
            "Iron of the ship itself turns the needle too. This is called deviation, and a table \
             on board names it for every course of the ship.",
        ],
    ),
    (
        SHUT,
        "Anchors and chains",
        [
            "An anchor holds by its flukes and by the weight of its chain, of which a ship lets out \
             five times the depth of the water.",
            "In a storm a second anchor is let go at an angle to the first.",
        ],
    ),
];

/// A page that is found and lets nobody in.
const SHUT: &str = "anchors";

#[derive(Deserialize)]
pub(crate) struct Search {
    #[serde(default)]
    q: String,
    #[serde(default)]
    format: String,
}

/// Pages that hold a word of the question, those with the most of them first.
pub(crate) async fn find(
    headers: HeaderMap,
    Query(search): Query<Search>,
) -> Result<Json<Value>, ApiError> {
    if search.format != "json" {
        return Err(ApiError::bad_request("The stand-in searches with format=json only."));
    }
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let mut found: Vec<_> = PAGES.iter().map(|page| (matches(page, &search.q), page)).collect();
    found.retain(|(count, _)| *count > 0);
    // The sort is stable.
    found.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let results = found.into_iter().map(|(count, (name, title, paragraphs))| {
        json!({
            "title": title,
            "url": format!("http://{host}/pages/{name}"),
            "content": paragraphs[0],
            "engine": "standin",
            "score": count,
        })
    });
    let results: Vec<_> = results.collect();
    Ok(Json(json!({ "query": search.q, "number_of_results": results.len(), "results": results })))
}

/// How many words of the question, of at least four characters, the page holds.
fn matches((_, title, paragraphs): &(&str, &str, [&str; 2]), question: &str) -> usize {
    let text = format!("{title} {}", paragraphs.concat()).to_lowercase();
    let question = question.to_lowercase();
    let words = question.split(|c: char| !c.is_alphanumeric());
    words.filter(|word| word.chars().count() >= 4 && text.contains(word)).count()
}

/// A page with a menu and a footer around its text.
pub(crate) async fn page(Path(name): Path<String>) -> Response {
    if name == SHUT {
        return StatusCode::FORBIDDEN.into_response();
    }
    let Some((_, title, paragraphs)) = PAGES.iter().find(|(page, ..)| *page == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let text = paragraphs.join("</p>\n<p>");
    Html(format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         </head>\n<body><nav><a href=\"/\">Home</a> <a href=\"/shop\">Shop</a></nav>\n\
         <main><article><h1>{title}</h1>\n<p>{text}</p></article></main>\n\
         <footer>All rights reserved</footer></body></html>\n"
    ))
    .into_response()
}
