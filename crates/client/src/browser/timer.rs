//! Waiting: one timer whose time is put off again and again, and a plain sleep.

use std::cell::Cell;
use std::rc::Rc;
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
    /// What is set, and when it fires.
    set: Rc<Cell<Option<(i32, Duration)>>>,
}

impl Timer {
    pub(super) fn new(mut callback: impl FnMut() + 'static) -> Self {
        let set = Rc::new(Cell::new(None));
        let fired = Rc::clone(&set);
        let callback = Closure::new(move || {
            fired.set(None);
            callback();
        });
        Self { callback, set }
    }

    /// Fires at that time, or before: each frame that comes puts the time off, and one timer that
    /// fires too early costs less than a new one for every frame. `None` is never.
    pub(super) fn set(&mut self, at: Option<Duration>, now: Duration) {
        if at.zip(self.set.get()).is_some_and(|(at, (_, fires_at))| fires_at <= at) {
            return;
        }
        let Some(window) = web_sys::window() else { return };
        if let Some((handle, _)) = self.set.take() {
            window.clear_timeout_with_handle(handle);
        }
        let Some(at) = at else { return };
        // Rounded up, so that the moment has come when it fires.
        let millis = at.saturating_sub(now).as_millis().saturating_add(1);
        let millis = i32::try_from(millis).unwrap_or(i32::MAX);
        let callback = self.callback.as_ref().unchecked_ref();
        let handle = window.set_timeout_with_callback_and_timeout_and_arguments_0(callback, millis);
        self.set.set(handle.ok().map(|handle| (handle, at)));
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.set(None, Duration::ZERO);
    }
}
