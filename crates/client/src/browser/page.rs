//! What the page says about network and visibility.

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{EventTarget, PageTransitionEvent, VisibilityState};

use crate::io::Hint;

type Callback = Closure<dyn FnMut(web_sys::Event)>;

/// Listeners, for as long as this lives.
pub(super) struct Page(Vec<(EventTarget, &'static str, Callback)>);

impl Page {
    pub(super) fn listen(on_hint: impl Fn(Hint) + Clone + 'static) -> Self {
        let mut page = Self(Vec::new());
        let Some(window) = web_sys::window() else { return page };
        for name in ["online", "offline", "pageshow"] {
            page.add(window.as_ref(), name, on_hint.clone());
        }
        if let Some(document) = window.document() {
            page.add(document.as_ref(), "visibilitychange", on_hint);
        }
        page
    }

    fn add(&mut self, target: &EventTarget, name: &'static str, on_hint: impl Fn(Hint) + 'static) {
        let callback = Callback::new(move |event| hint(&event).into_iter().for_each(&on_hint));
        let function = callback.as_ref().unchecked_ref();
        if target.add_event_listener_with_callback(name, function).is_ok() {
            self.0.push((target.clone(), name, callback));
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        for (target, name, callback) in self.0.drain(..) {
            let function = callback.as_ref().unchecked_ref();
            // It fails only where there is nothing to remove.
            drop(target.remove_event_listener_with_callback(name, function));
        }
    }
}

fn hint(event: &web_sys::Event) -> Option<Hint> {
    match event.type_().as_str() {
        "online" => Some(Hint::Online),
        "offline" => Some(Hint::Offline),
        // The first `pageshow` of a page is no return.
        "pageshow" => event
            .dyn_ref::<PageTransitionEvent>()
            .is_some_and(PageTransitionEvent::persisted)
            .then_some(Hint::Restored),
        _ => match web_sys::window()?.document()?.visibility_state() {
            VisibilityState::Visible => Some(Hint::Visible),
            VisibilityState::Hidden => Some(Hint::Hidden),
            _ => None,
        },
    }
}
