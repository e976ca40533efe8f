//! Waiting: one timer that is set anew all the time, and a plain sleep.

use std::time::Duration;

use js_sys::Promise;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use wasm_bindgen_futures::JsFuture;

/// Returns after `delay`, or later: a hidden page's timers are late.
pub(super) async fn sleep(delay: Duration) {
    let millis = i32::try_from(delay.as_millis()).unwrap_or(i32::MAX);
    let promise = Promise::new(&mut |resolve, _| {
        let window = web_sys::window();
        let set = window.map(|window| {
            window.set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, millis)
        });
        // Without a window nothing is worth waiting for; neither is there anybody who waits.
        drop(set);
    });
    // It is never rejected.
    drop(JsFuture::from(promise).await);
}

/// `setTimeout` with one callback. A hidden page's timers are late, which the machine allows for.
pub(super) struct Timer {
    callback: Closure<dyn FnMut()>,
    handle: Option<i32>,
}

impl Timer {
    pub(super) fn new(callback: impl FnMut() + 'static) -> Self {
        Self { callback: Closure::new(callback), handle: None }
    }

    /// Fires once after `delay`; `None` is never. What was set before is forgotten.
    pub(super) fn set(&mut self, delay: Option<Duration>) {
        let Some(window) = web_sys::window() else { return };
        if let Some(handle) = self.handle.take() {
            window.clear_timeout_with_handle(handle);
        }
        let Some(delay) = delay else { return };
        // Rounded up, so that the moment has come when it fires.
        let millis = i32::try_from(delay.as_millis().saturating_add(1)).unwrap_or(i32::MAX);
        let callback = self.callback.as_ref().unchecked_ref();
        self.handle =
            window.set_timeout_with_callback_and_timeout_and_arguments_0(callback, millis).ok();
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.set(None);
    }
}
