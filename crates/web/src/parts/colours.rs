//! The colours of code: asked of the server once a block has settled and is near the window.
//! Until they are there, and where there are none, the code is plain. A diagram is drawn instead.

use std::time::Duration;

use js_sys::Array;
use leptos::prelude::document;
use leptos::task::spawn_local;
use unbroken_protocol::limits::{HIGHLIGHT_BLOCKS, HIGHLIGHT_BYTES};
use unbroken_protocol::{Code, Colour, Spans};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{Element, IntersectionObserver, IntersectionObserverEntry, IntersectionObserverInit};

use super::diagrams;
use crate::calls::ask;
use crate::dom;
use crate::state::App;

/// Longer code stays plain: its spans would hold the page up. In bytes.
const LONGEST: usize = 32 * 1024;
/// How far outside of the window colours are asked for.
const NEAR: &str = "800px 0px";
const CODE: &str = "figure.code:not([data-lang=\"\"])";

/// Watches the code of one answer.
pub(crate) struct Colours {
    app: App,
    watch: Option<Watch>,
}

/// An observer and what it calls.
struct Watch {
    observer: IntersectionObserver,
    _seen: Closure<dyn FnMut(Array)>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.observer.disconnect();
    }
}

impl Colours {
    pub(crate) fn new(app: App) -> Self {
        Self { app, watch: None }
    }

    /// Colours the code in a block that has settled, once it is near.
    pub(crate) fn watch(&mut self, block: &Element) {
        if block.matches(CODE).unwrap_or(false) {
            self.observe(block);
        } else if let Ok(found) = block.query_selector_all(CODE) {
            for figure in (0..found.length()).filter_map(|at| found.item(at)?.dyn_into().ok()) {
                self.observe(&figure);
            }
        }
    }

    fn observe(&mut self, figure: &Element) {
        let app = self.app;
        if self.watch.is_none() {
            self.watch = watch(app, figure);
        }
        if let Some(watch) = &self.watch {
            watch.observer.observe(figure);
        }
    }
}

fn watch(app: App, figure: &Element) -> Option<Watch> {
    let seen = Closure::<dyn FnMut(Array)>::new(move |entries: Array| {
        let entries = entries.iter().map(JsCast::unchecked_into::<IntersectionObserverEntry>);
        let near = entries.filter(IntersectionObserverEntry::is_intersecting);
        let (diagrams, figures): (Vec<_>, Vec<_>) =
            near.map(|entry| entry.target()).partition(diagrams::is_diagram);
        diagrams.into_iter().for_each(diagrams::draw);
        if !figures.is_empty() {
            spawn_local(colour_all(app, figures));
        }
    });
    let options = IntersectionObserverInit::new();
    options.set_root_margin(NEAR);
    options.set_root(figure.closest(".transcript").ok()?.as_ref());
    let callback = seen.as_ref().unchecked_ref();
    let observer = IntersectionObserver::new_with_options(callback, &options).ok()?;
    Some(Watch { observer, _seen: seen })
}

/// Asks for several blocks in one call. One that comes by again has its colours, or is asked for
/// again.
async fn colour_all(app: App, figures: Vec<Element>) {
    let (mut places, mut blocks, mut bytes) = (Vec::new(), Vec::new(), 0);
    for figure in figures {
        let place = figure.query_selector("code:not(.coloured)").ok().flatten();
        let Some(place) = place else { continue };
        let code = place.text_content().unwrap_or_default();
        if code.len() > LONGEST {
            continue;
        }
        let language = figure.get_attribute("data-lang").unwrap_or_default();
        let size = code.len() + language.len();
        if bytes + size > HIGHLIGHT_BYTES || blocks.len() == HIGHLIGHT_BLOCKS {
            show(app, std::mem::take(&mut places), std::mem::take(&mut blocks)).await;
            bytes = 0;
        }
        bytes += size;
        place.set_class_name("coloured");
        places.push(place);
        blocks.push(Code { language, code });
    }
    show(app, places, blocks).await;
}

async fn show(app: App, places: Vec<Element>, blocks: Vec<Code>) {
    let Some(rest) = app.rest().filter(|_| !blocks.is_empty()) else { return };
    let Ok(answer) = ask(async || rest.highlight(blocks.clone()).await).await else {
        for place in &places {
            place.set_class_name("");
        }
        return;
    };
    for (place, spans) in places.iter().zip(answer.blocks) {
        paint(place, &spans);
        // Each in a task of its own.
        dom::sleep(Duration::ZERO).await;
    }
}

/// Puts the spans around the code's text; the text itself stays as it is.
fn paint(place: &Element, spans: &Spans) {
    let Some(text) = place.first_child().and_then(|text| text.dyn_into::<web_sys::Text>().ok())
    else {
        return;
    };
    let all: u32 = spans.spans.iter().map(|(length, _)| length).sum();
    if all == 0 || all > text.length() || text.next_sibling().is_some() {
        return;
    }
    let (parts, mut at) = (document().create_document_fragment(), 0);
    for (length, colour) in &spans.spans {
        let part = text.substring_data(at, *length).unwrap_or_default();
        at += length;
        let _ = match colour.and_then(class) {
            Some(class) => {
                let span = document().create_element("span").expect("a tag's name is valid");
                span.set_class_name(class);
                span.set_text_content(Some(&part));
                parts.append_child(&span)
            }
            None => parts.append_child(&document().create_text_node(&part)),
        };
    }
    let _ = text.delete_data(0, all);
    let _ = place.insert_before(&parts, Some(&text));
}

fn class(colour: Colour) -> Option<&'static str> {
    Some(match colour {
        Colour::Keyword => "hl-kw",
        Colour::Function => "hl-fn",
        Colour::Type => "hl-type",
        Colour::Text => "hl-str",
        Colour::Number => "hl-num",
        Colour::Comment => "hl-com",
        Colour::Tag => "hl-tag",
        Colour::Inserted => "hl-ins",
        Colour::Deleted => "hl-del",
        Colour::Else => return None,
    })
}
