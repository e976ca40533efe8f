//! A file on its way to the server, over a network that fails: after each failure the server says
//! how far it is, and the rest is sent.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use js_sys::{Function, Promise};
use leptos::prelude::*;
use leptos::task::spawn_local;
use unbroken_client::rest::Upload;
use unbroken_client::{Rest, RestError};
use unbroken_protocol::{ErrorCode, FileInfo};
use wasm_bindgen_futures::JsFuture;

use crate::calls::Patience;
use crate::dom;
use crate::files::Held;
use crate::state::App;
use crate::writing::{FIRST_WAIT, LONGEST_WAIT, TRIES};

/// From this size on the server is asked whether it takes the file before any byte goes out: a
/// browser does not hear a no while it sends.
const LARGE: f64 = 1_000_000.0;
/// Until the next attempt while the browser knows of no network, unless it finds one.
const OFFLINE: Duration = Duration::from_mins(1);
/// For so long nothing may move before a connection counts as dead.
const SILENCE: Duration = Duration::from_secs(30);

impl App {
    /// Sends a file until it is there. Gives up after a few attempts of which none got further.
    pub(crate) async fn send_whole(self, rest: &Rest, held: &Held) -> Result<FileInfo, RestError> {
        let (mut left, mut wait, mut patience) = (TRIES, FIRST_WAIT, Patience::new());
        let (mut at, mut furthest, mut is_begun) = (0.0, 0.0, held.is_begun);
        loop {
            let standing = patience.answer(stands(rest, held, is_begun)).await;
            let answer = match standing {
                Ok(stands) => {
                    at = stands;
                    self.send_rest(rest, held, at).await
                }
                Err(error) => Err(error),
            };
            let error = match answer {
                Ok(file) => return Ok(file),
                Err(error) => error,
            };
            is_begun = true;
            if at > furthest || self.is_offline() {
                (left, wait, furthest) = (TRIES, FIRST_WAIT, at);
            }
            left -= 1;
            if left == 0 || !goes_on(&error) || !self.is_wanted(held) {
                return Err(error);
            }
            pause(if self.is_offline() { OFFLINE } else { wait }).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    /// One attempt, from where the server stands.
    async fn send_rest(self, rest: &Rest, held: &Held, at: f64) -> Result<FileInfo, RestError> {
        let key = held.key;
        let (true, Some(upload)) = (self.is_wanted(held), Upload::new()) else {
            return Err(RestError::Unreachable("it is not sent any more".to_owned()));
        };
        let made = self.known_files();
        made.attachments.update(|all| all.sent(key, at));
        made.uploads.change(|uploads| uploads.insert(key, Some(upload.clone())));
        let moved = Rc::new(Cell::new(dom::now()));
        watch(&moved, upload.clone());
        let sent = move |bytes| {
            moved.set(dom::now());
            made.attachments.update(|all| all.sent(key, bytes));
        };
        let answer = rest.add_file(&upload, held.upload, &held.file, at, sent).await;
        made.uploads.change(|uploads| {
            if let Some(upload) = uploads.get_mut(&key) {
                *upload = None;
            }
        });
        answer
    }

    /// Whether nobody took it off the message.
    fn is_wanted(self, held: &Held) -> bool {
        self.known_files().uploads.read(|uploads| uploads.contains_key(&held.key))
    }
}

/// Where the server stands. It is asked when it may have a part of the file, and whether it takes a
/// large one.
async fn stands(rest: &Rest, held: &Held, is_begun: bool) -> Result<f64, RestError> {
    let (id, file) = (held.upload, &held.file);
    let received = match is_begun {
        true => rest.received(id).await?,
        false if file.size() > LARGE => {
            rest.begin_upload(id, &file.name(), file.size()).await?.received
        }
        false => 0,
    };
    #[expect(clippy::cast_precision_loss, reason = "no file has 2^53 bytes")]
    let received = received as f64;
    Ok(received)
}

/// Waits, but no longer than until the browser says that there is a network again.
async fn pause(time: Duration) {
    let back = Rc::new(Cell::new(None::<Function>));
    let told = Promise::new(&mut |resolve, _| {
        let _ = window().add_event_listener_with_callback("online", &resolve);
        let millis = i32::try_from(time.as_millis()).unwrap_or(i32::MAX);
        let _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, millis);
        back.set(Some(resolve));
    });
    let _ = JsFuture::from(told).await;
    if let Some(resolve) = back.take() {
        let _ = window().remove_event_listener_with_callback("online", &resolve);
    }
}

/// Ends an upload of which nothing moves: a connection may be dead and not say so.
fn watch(moved: &Rc<Cell<i64>>, upload: Upload) {
    let moved = Rc::downgrade(moved);
    spawn_local(async move {
        // It is gone with the attempt.
        while let Some(last) = moved.upgrade().map(|moved| moved.get()) {
            let still = Duration::from_millis((dom::now() - last).try_into().unwrap_or_default());
            if still >= SILENCE {
                return upload.cancel();
            }
            dom::sleep(SILENCE.saturating_sub(still)).await;
        }
    });
}

/// Whether the rest of the file may arrive after this.
fn goes_on(error: &RestError) -> bool {
    match error {
        // The server stands elsewhere, or the connection broke on its side.
        RestError::Refused(body) if body.code == ErrorCode::Conflict => true,
        error => error.retryable(),
    }
}
