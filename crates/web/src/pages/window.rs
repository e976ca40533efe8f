//! The scrolling element of a conversation: keeps the rows near what is seen in the page, and what
//! is seen where it is.

use std::ops::Range;
use std::time::Duration;

use leptos::html::Div;
use leptos::prelude::*;
use leptos::task::spawn_local;
use unbroken_chat_view::scroll::{Extent, Scroll};
use unbroken_chat_view::window::{Anchor, Rows};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlDivElement, HtmlElement, ResizeObserver};

use crate::conversation::Row;
use crate::dom;
use crate::state::App;

/// So far from the first message, in heights of the window, those before it are loaded.
const TOO_NEAR: f64 = 2.0;
/// A message that was asked for stands so far below the upper edge.
const REVEALED_AT: f64 = 24.0;

/// What is in the page: some rows, and the heights of what is left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Shown {
    pub(crate) rows: Vec<Row>,
    pub(crate) above: i32,
    pub(crate) below: i32,
}

/// A handle on the scrolling element; copies are the same.
#[derive(Clone, Copy)]
pub(crate) struct Window {
    app: App,
    pub(crate) scroller: NodeRef<Div>,
    pub(crate) content: NodeRef<Div>,
    pub(crate) shown: RwSignal<Shown>,
    inner: StoredValue<Inner>,
}

#[derive(Default)]
struct Inner {
    scroll: Scroll,
    rows: Rows,
    range: Range<usize>,
    /// What was seen when the rows were last chosen.
    placed: Extent,
    /// What the upper edge cuts, while the person reads further up.
    anchor: Option<Anchor>,
    /// The row that was asked for and is not focused yet.
    asked: Option<u64>,
}

impl Window {
    pub(crate) fn new(app: App) -> Self {
        let window = Self {
            app,
            scroller: NodeRef::new(),
            content: NodeRef::new(),
            shown: RwSignal::default(),
            inner: StoredValue::new(Inner::default()),
        };
        Effect::new(move |was: Option<()>| {
            app.open.rows.track();
            match was {
                Some(()) => window.rows_changed(),
                None => window.begin(),
            }
        });
        Effect::new(move || {
            app.open.to_end.track();
            window.inner.update_value(|inner| inner.scroll.to_end());
            window.place();
            window.settle();
        });
        Effect::new(move || {
            if let Some(key) = app.open.revealed.get() {
                window.reveal(key);
            }
        });
        window.observe();
        window
    }

    /// The element was scrolled, by the person or by the page itself.
    pub(crate) fn scrolled(self) {
        let Some(scroller) = self.scroller.get_untracked() else { return };
        let extent = extent(&scroller);
        let is_own = self.inner.try_update_value(|inner| {
            let is_own = inner.scroll.has_seen(extent);
            // What is seen moves on; once the person leaves the end, their scroll sets another.
            inner.anchor.take_if(|_| is_own);
            is_own
        });
        if is_own == Some(true) {
            return;
        }
        self.measure();
        let origin = self.origin();
        self.inner.update_value(|inner| {
            inner.scroll.scrolled(extent);
            inner.anchor = inner.rows.anchor(extent.scroll_top - origin);
        });
        self.tell_away();
        self.place();
    }

    /// The person turned the wheel or pressed a key towards the beginning.
    pub(crate) fn pulled_away(self) {
        self.inner.update_value(|inner| inner.scroll.pulled_away());
        self.tell_away();
    }

    /// The first rows come after the page around them, and the last in a task of its own: what they
    /// run is not compiled yet.
    fn begin(self) {
        spawn_local(async move {
            for left_out in [1, 0] {
                dom::sleep(Duration::ZERO).await;
                let Some(there) = self.inner.try_with_value(|inner| inner.rows.len()) else {
                    return;
                };
                let all = self.app.open.rows.read_untracked().len();
                if there + left_out < all {
                    self.set_rows(all - left_out);
                }
            }
        });
    }

    /// `None` also once the page was left: a frame that was asked for comes all the same.
    fn scroller(self) -> Option<HtmlDivElement> {
        self.scroller.try_get_untracked().flatten()
    }

    fn rows_changed(self) {
        self.set_rows(usize::MAX);
    }

    fn set_rows(self, most: usize) {
        self.measure();
        let rows = self.app.open.rows.read_untracked();
        let keys = rows.iter().take(most).map(|row| row.key).collect();
        drop(rows);
        self.inner.update_value(|inner| inner.rows.set(keys));
        self.place();
    }

    /// Puts the rows around what is seen into the page.
    fn place(self) {
        let Some(scroller) = self.scroller() else { return };
        let (extent, origin) = (extent(&scroller), self.origin());
        let rows = self.app.open.rows.read_untracked();
        let placed = self.inner.try_update_value(|inner| {
            inner.placed = extent;
            let all = inner.rows.len();
            let top = match inner.anchor.and_then(|anchor| inner.rows.top_of(anchor)) {
                _ if inner.scroll.is_following() => {
                    inner.rows.height_of(0..all) - extent.client_height
                }
                Some(top) => top,
                None => extent.scroll_top - origin,
            };
            inner.range = inner.rows.window(&inner.range, top, extent.client_height);
            let shown = Shown {
                rows: rows.get(inner.range.clone()).unwrap_or_default().to_vec(),
                above: whole(inner.rows.height_of(0..inner.range.start)),
                below: whole(inner.rows.height_of(inner.range.end..all)),
            };
            (shown, top < TOO_NEAR * extent.client_height)
        });
        drop(rows);
        let Some((shown, near_first)) = placed else { return };
        if *self.shown.read_untracked() != shown {
            Self::keep_focus(&scroller, &shown);
            self.shown.set(shown);
            request_animation_frame(move || self.settle());
        }
        if near_first && self.app.open.earlier.get_untracked() {
            self.app.open.load_earlier(self.app);
        }
    }

    /// Whether other rows may belong into the page. Not while the end is followed and has moved by
    /// little: there is more than that above what is seen.
    fn may_need_others(self) -> bool {
        let Some(scroller) = self.scroller.get_untracked() else { return false };
        let extent = extent(&scroller);
        let moved = |inner: &Inner| {
            let grown = (extent.scroll_height - inner.placed.scroll_height).abs();
            let resized = (extent.client_height - inner.placed.client_height).abs();
            !inner.scroll.is_following() || resized >= 1.0 || grown > extent.client_height / 2.0
        };
        self.inner.try_with_value(moved).unwrap_or(false)
    }

    /// A row that leaves the page hands the focus to the conversation, not to nobody.
    fn keep_focus(scroller: &HtmlElement, shown: &Shown) {
        let focused = document().active_element().and_then(|e| e.closest("[data-key]").ok()?);
        let Some(key) = focused.as_ref().and_then(key_of) else { return };
        if !shown.rows.iter().any(|row| row.key == key) {
            dom::focus_in_place(scroller);
        }
    }

    /// The content or the window has another size: the end stays in view, or else what is seen
    /// stays where it is.
    fn settle(self) {
        let Some(scroller) = self.scroller() else { return };
        self.measure();
        let (extent, origin) = (extent(&scroller), self.origin());
        let top = self.inner.try_update_value(|inner| {
            let end = inner.scroll.resized(extent);
            let kept = inner.anchor.and_then(|anchor| inner.rows.top_of(anchor));
            let kept = kept.map(|top| top + origin).filter(|_| !inner.scroll.is_following());
            end.or(kept.filter(|top| (top - extent.scroll_top).abs() >= 1.0))
        });
        if let Some(Some(top)) = top {
            scroller.set_scroll_top(whole(top.ceil()));
            let extent = self::extent(&scroller);
            self.inner.update_value(|inner| {
                inner.scroll.resized(extent);
            });
        }
        self.tell_away();
        self.focus_asked(&scroller);
    }

    /// Heights of the rows that are in the page, each with the gap to the next.
    fn measure(self) {
        let Some(content) = self.content.get_untracked() else { return };
        let children = content.children();
        let places: Vec<(Option<u64>, i32)> = (0..children.length())
            .filter_map(|at| children.item(at)?.dyn_into::<HtmlElement>().ok())
            .map(|element| (key_of(&element), element.offset_top()))
            .collect();
        self.inner.update_value(|inner| {
            for pair in places.windows(2) {
                if let [(Some(key), top), (_, next)] = pair {
                    inner.rows.measure(*key, f64::from(next - top));
                }
            }
        });
    }

    /// Where the first row would begin, counted from the content's top.
    fn origin(self) -> f64 {
        let origin = || {
            let content = self.content.get_untracked()?;
            let space: HtmlElement =
                content.query_selector(":scope > .space").ok()??.dyn_into().ok()?;
            Some(f64::from(space.offset_top() - content.offset_top()))
        };
        origin().unwrap_or_default()
    }

    fn reveal(self, key: u64) {
        self.inner.update_value(|inner| {
            inner.scroll.leave_end();
            inner.anchor = Some(Anchor { key, below: -REVEALED_AT });
            inner.asked = Some(key);
        });
        self.place();
        request_animation_frame(move || self.settle());
    }

    fn focus_asked(self, scroller: &Element) {
        let Some(Some(key)) = self.inner.try_update_value(|inner| inner.asked) else { return };
        let found = scroller.query_selector(&format!("[data-key='{key}']")).ok().flatten();
        if let Some(row) = found.and_then(|found| found.dyn_into::<HtmlElement>().ok()) {
            self.inner.update_value(|inner| inner.asked = None);
            let _ = row.set_attribute("tabindex", "-1");
            // Anew, also when it was found before.
            let _ = row.class_list().remove_1("found-here");
            let _ = row.class_list().add_1("found-here");
            dom::focus_in_place(&row);
        }
    }

    fn tell_away(self) {
        let away = self.inner.try_with_value(|inner| inner.scroll.shows_latest()).unwrap_or(false);
        if self.app.open.away.get_untracked() != away {
            self.app.open.away.set(away);
        }
    }

    /// Settles before the frame in which the window or the content has another size is shown.
    fn observe(self) {
        let resized = move || {
            self.settle();
            if self.may_need_others() {
                // What is in the page is changed in the next frame: this one is laid out.
                request_animation_frame(move || self.place());
            }
        };
        let callback = Closure::<dyn FnMut(JsValue)>::new(move |_| resized());
        let Ok(observer) = ResizeObserver::new(callback.as_ref().unchecked_ref()) else { return };
        let kept = StoredValue::new_local((observer, callback));
        Effect::new(move || {
            kept.with_value(|(observer, _)| {
                let both = [self.scroller, self.content];
                both.iter().filter_map(Get::get).for_each(|div| observer.observe(&div));
            });
        });
        on_cleanup(move || {
            kept.try_with_value(|(observer, _)| observer.disconnect());
        });
    }
}

fn key_of(element: &impl AsRef<Element>) -> Option<u64> {
    element.as_ref().get_attribute("data-key")?.parse().ok()
}

fn extent(scroller: &Element) -> Extent {
    Extent {
        scroll_top: f64::from(scroller.scroll_top()),
        client_height: f64::from(scroller.client_height()),
        scroll_height: f64::from(scroller.scroll_height()),
    }
}

fn whole(pixels: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "a page is not two billion pixels high")]
    let whole = pixels as i32;
    whole
}
