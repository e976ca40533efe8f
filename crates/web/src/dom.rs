//! Short names for what the browser offers: storage, timers, focus, the clipboard.

use std::time::Duration;

use leptos::ev::KeyboardEvent;
use leptos::html::Dialog;
use leptos::prelude::{Effect, Get, NodeRef, RwSignal, document, window};
use unbroken_chat_view::composer::KeyPress;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    FocusOptions, HtmlElement, HtmlInputElement, HtmlTextAreaElement, ScrollIntoViewOptions,
    ScrollLogicalPosition, ServiceWorkerContainer, Storage,
};

/// A value that outlives the page; `None` where storage is blocked or empty.
pub(crate) fn kept(key: &str) -> Option<String> {
    local_storage()?.get_item(key).ok()?
}

/// All values whose names begin like this, with their names.
pub(crate) fn all_kept(prefix: &str) -> Vec<(String, String)> {
    let Some(storage) = local_storage() else { return Vec::new() };
    let names = (0..storage.length().unwrap_or(0)).filter_map(|at| storage.key(at).ok()?);
    let ours = names.filter(|name| name.starts_with(prefix));
    ours.filter_map(|name| Some((name.clone(), kept(&name)?))).collect()
}

/// Keeps a value beyond the page. `false` where storage is full or blocked, which is no fault of the
/// person's.
pub(crate) fn keep(key: &str, value: &str) -> bool {
    local_storage().is_some_and(|storage| storage.set_item(key, value).is_ok())
}

/// Forgets a kept value.
pub(crate) fn forget(key: &str) {
    if let Some(storage) = local_storage() {
        let _ = storage.remove_item(key);
    }
}

/// Forgets the conversations that the service worker keeps for reading without a network.
pub(crate) fn forget_read() {
    // There is none where there are no service workers.
    if let Ok(caches) = window().caches()
        && !caches.is_undefined()
    {
        let _ = caches.delete("read");
    }
}

/// Forgets some of them, by their paths on the server.
pub(crate) fn forget_read_of(paths: impl Iterator<Item = String>) {
    let Some(worker) = service_worker().and_then(|all| all.controller()) else { return };
    let message = js_sys::Object::new();
    let paths: js_sys::Array = paths.map(JsValue::from).collect();
    if paths.length() > 0 && js_sys::Reflect::set(&message, &"gone".into(), &paths).is_ok() {
        let _ = worker.post_message(&message);
    }
}

/// `None` over plain HTTP from another machine.
pub(crate) fn service_worker() -> Option<ServiceWorkerContainer> {
    let workers = window().navigator().service_worker();
    (!workers.is_undefined()).then_some(workers)
}

/// Storage of this tab alone.
pub(crate) fn tab_storage() -> Option<Storage> {
    window().session_storage().ok()?
}

fn local_storage() -> Option<Storage> {
    window().local_storage().ok()?
}

/// Milliseconds since 1970 by the person's clock.
pub(crate) fn now() -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "a date fits for 290 million years")]
    let now = js_sys::Date::now() as i64;
    now
}

#[wasm_bindgen]
extern "C" {
    /// Milliseconds of the page's own clock, with parts of them.
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    pub(crate) fn clock() -> f64;
}

/// How many minutes local time is east of UTC now.
pub(crate) fn utc_offset() -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "whole minutes of at most a day")]
    let minutes = js_sys::Date::new_0().get_timezone_offset() as i32;
    -minutes
}

/// The element with that id.
pub(crate) fn element(id: &str) -> Option<HtmlElement> {
    document().get_element_by_id(id)?.dyn_into().ok()
}

/// Moves the focus, without scrolling.
pub(crate) fn focus(id: &str) {
    if let Some(element) = element(id) {
        let _ = element.focus();
    }
}

/// Whether the focus is in that element.
pub(crate) fn has_focus(id: &str) -> bool {
    document().active_element().is_some_and(|active| active.id() == id)
}

/// Whether the focus is in that element or in something in it.
pub(crate) fn focus_is_in(id: &str) -> bool {
    let active = document().active_element();
    active.is_some_and(|active| element(id).is_some_and(|element| element.contains(Some(&active))))
}

/// Whether nothing has the focus.
pub(crate) fn focus_is_lost() -> bool {
    document().active_element().is_none_or(|active| active.tag_name() == "BODY")
}

/// Whether the focus is shown, because the person uses the keyboard.
pub(crate) fn focus_is_seen() -> bool {
    let active = document().active_element();
    active.is_some_and(|active| active.matches(":focus-visible").unwrap_or(false))
}

/// Does what a click on the element with the focus does.
pub(crate) fn click_focused() {
    if let Some(active) = document().active_element().and_then(|a| a.dyn_into::<HtmlElement>().ok())
    {
        active.click();
    }
}

/// Marks all of the text in a field.
pub(crate) fn select_all(id: &str) {
    if let Some(field) = element(id).and_then(|field| field.dyn_into::<HtmlInputElement>().ok()) {
        field.select();
    }
}

/// Whether a link was clicked, or something in one.
pub(crate) fn is_in_link(event: &web_sys::MouseEvent) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    target.is_some_and(|target| matches!(target.closest("a"), Ok(Some(_))))
}

/// Which of several elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beside {
    First,
    Last,
    Next,
    Previous,
}

/// Moves the focus among the elements in `id` that match.
pub(crate) fn focus_beside(id: &str, matching: &str, to: Beside) {
    let Some(all) = element(id).and_then(|inside| inside.query_selector_all(matching).ok()) else {
        return;
    };
    let active = document().active_element();
    let here = (0..all.length()).find(|at| {
        all.get(*at)
            .is_some_and(|node| active.as_ref().is_some_and(|a| a.is_same_node(Some(&node))))
    });
    let last = all.length().saturating_sub(1);
    let at = match (to, here) {
        (Beside::First, _) | (Beside::Next, None) => 0,
        (Beside::Last, _) | (Beside::Previous, None) => last,
        (Beside::Next, Some(here)) => (here + 1).min(last),
        (Beside::Previous, Some(here)) => here.saturating_sub(1),
    };
    if let Some(found) = all.get(at).and_then(|node| node.dyn_into::<HtmlElement>().ok()) {
        let _ = found.focus();
    }
}

/// Moves the focus to an element that is wherever it is.
pub(crate) fn focus_in_place(element: &HtmlElement) {
    let options = FocusOptions::new();
    options.set_prevent_scroll(true);
    let _ = element.focus_with_options(&options);
}

/// Gives the composer the focus: the button that was pressed goes away, and must not take it along.
pub(crate) fn focus_composer() {
    if !coarse_pointer() {
        focus("message");
    }
}

/// Whether a finger is the main pointer: then the focus does not call the keyboard up unasked.
pub(crate) fn coarse_pointer() -> bool {
    media("(pointer: coarse)")
}

/// Whether the window is so narrow that the sidebar is a drawer.
pub(crate) fn narrow() -> bool {
    media("(max-width: 48rem)")
}

fn media(query: &str) -> bool {
    window().match_media(query).ok().flatten().is_some_and(|list| list.matches())
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = document, js_name = execCommand, catch)]
    fn exec_command(name: &str, ui: bool, value: &str) -> Result<bool, JsValue>;
}

/// Puts a text in place of what is selected, as one step that the browser's own undo takes back.
/// `false` when the browser cannot.
pub(crate) fn insert_text(field: &HtmlTextAreaElement, text: &str) -> bool {
    let _ = field.focus();
    // Old, and still the only way that undo knows of.
    exec_command("insertText", false, text).unwrap_or(false)
}

/// Puts a text on the clipboard; says whether that worked.
pub(crate) async fn copy(text: &str) -> bool {
    let clipboard = window().navigator().clipboard();
    if clipboard.is_undefined() {
        return copy_selected(text).unwrap_or(false);
    }
    wasm_bindgen_futures::JsFuture::from(clipboard.write_text(text)).await.is_ok()
}

/// The same where there is no clipboard: over plain HTTP browsers have one for nobody but this
/// machine. A field holds the text, is selected, and goes again.
fn copy_selected(text: &str) -> Result<bool, JsValue> {
    let document = document();
    let focused = document.active_element();
    // Outside an open dialog nothing can be selected.
    let dialog = document.query_selector("dialog:modal")?;
    let place = dialog.or_else(|| document.document_element()).ok_or(JsValue::NULL)?;
    let field: HtmlTextAreaElement = document.create_element("textarea")?.unchecked_into();
    field.set_class_name("hidden-visually");
    // No keyboard comes up on a phone.
    field.set_read_only(true);
    field.set_value(text);
    place.append_child(&field)?;
    focus_in_place(&field);
    field.select();
    let copied = exec_command("copy", false, "");
    field.remove();
    if let Some(focused) = focused.and_then(|focused| focused.dyn_into::<HtmlElement>().ok()) {
        focus_in_place(&focused);
    }
    copied
}

/// Whether a dialog or popover lies over the page: Escape belongs to it.
pub(crate) fn something_open() -> bool {
    matches!(document().query_selector("dialog[open], :popover-open"), Ok(Some(_)))
}

/// Makes a field as high as its text, where the stylesheet's `field-sizing` does not.
pub(crate) fn fit_height(field: &HtmlTextAreaElement) {
    if web_sys::css::supports_with_value("field-sizing", "content").unwrap_or(false) {
        return;
    }
    let style = field.style();
    let _ = style.set_property("height", "auto");
    let _ = style.set_property("height", &format!("{}px", field.scroll_height()));
}

/// The address of the page's own server for a socket.
pub(crate) fn socket_url(path: &str) -> String {
    let location = window().location();
    let secure = location.protocol().is_ok_and(|protocol| protocol == "https:");
    let host = location.host().unwrap_or_default();
    format!("{}://{host}{path}", if secure { "wss" } else { "ws" })
}

/// A number that no other page has.
pub(crate) fn seed() -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "any number will do"
    )]
    let seed = (js_sys::Math::random() * 9e15) as u64;
    seed
}

/// Whether the keyboard has a ⌘.
pub(crate) fn is_apple() -> bool {
    let apple = ["Mac", "iPhone", "iPad"];
    window().navigator().platform().is_ok_and(|on| apple.iter().any(|name| on.starts_with(name)))
}

/// Reads a press of a key.
pub(crate) fn press<T>(event: &KeyboardEvent, read: impl FnOnce(&KeyPress<'_>) -> T) -> T {
    read(&KeyPress {
        key: &event.key(),
        code: &event.code(),
        key_code: event.key_code(),
        composing: event.is_composing(),
        shift: event.shift_key(),
        ctrl: event.ctrl_key(),
        alt: event.alt_key(),
        meta: event.meta_key(),
    })
}

/// Whether what has the focus takes letters.
pub(crate) fn is_typing() -> bool {
    let fields = "textarea, select, [role=listbox], input:not([type=radio], [type=checkbox])";
    let focused = document().active_element();
    focused.is_some_and(|element| element.matches(fields).unwrap_or(false))
}

/// Whether a dialog has the page for itself.
pub(crate) fn is_modal() -> bool {
    matches!(document().query_selector("dialog:modal"), Ok(Some(_)))
}

/// Waits.
pub(crate) async fn sleep(time: Duration) {
    let promise = js_sys::Promise::new(&mut |resolve, _| {
        let millis = i32::try_from(time.as_millis()).unwrap_or(i32::MAX);
        let _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, millis);
    });
    let _ = wasm_bindgen_futures::JsFuture::from(promise).await;
}

/// Scrolls the element's own scroller just as far as needed.
pub(crate) fn bring_into_view(id: &str) {
    scroll_to(id, ScrollLogicalPosition::Nearest);
}

/// Scrolls the element's own scroller until it begins there.
pub(crate) fn bring_to_top(id: &str) {
    scroll_to(id, ScrollLogicalPosition::Start);
}

fn scroll_to(id: &str, block: ScrollLogicalPosition) {
    if let Some(element) = element(id) {
        let options = ScrollIntoViewOptions::new();
        options.set_block(block);
        element.scroll_into_view_with_scroll_into_view_options(&options);
    }
}

/// Whether that popover is shown.
pub(crate) fn is_open(popover: &str) -> bool {
    element(popover).is_some_and(|element| element.matches(":popover-open").unwrap_or(false))
}

pub(crate) fn show_popover(id: &str) {
    if let Some(element) = element(id).filter(|_| !is_open(id)) {
        let _ = element.show_popover();
    }
}

pub(crate) fn hide_popover(id: &str) {
    if let Some(element) = element(id).filter(|_| is_open(id)) {
        let _ = element.hide_popover();
    }
}

/// Opens and closes a modal dialog as `open` says. Its own ways of closing must be told to `open`.
pub(crate) fn opens(dialog: NodeRef<Dialog>, open: RwSignal<bool>) {
    Effect::new(move || {
        let Some(dialog) = dialog.get() else { return };
        match (open.get(), dialog.open()) {
            (true, false) => drop(dialog.show_modal()),
            (false, true) => dialog.close(),
            _ => {}
        }
    });
}
