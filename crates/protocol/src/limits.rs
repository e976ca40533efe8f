//! Limits on what comes from outside, and the clocks of a connection (PROTOCOL B4, B6).

use std::time::Duration;

/// The longest message that a person may send, in bytes of UTF-8.
pub const MESSAGE_BYTES: usize = 1024 * 1024;
/// The largest frame that a client may send, in bytes.
pub const CLIENT_FRAME_BYTES: usize = 256 * 1024;
/// The largest frame that the server sends on purpose; a snapshot or a `stream_complete` holds a
/// whole answer and may be larger.
pub const SERVER_FRAME_BYTES: usize = 256 * 1024;
/// How much content one merged `content_chunk` holds at most, in bytes.
pub const MERGED_CHUNK_BYTES: usize = 32 * 1024;
/// How many generations one socket may follow at once.
pub const FOLLOWED_PER_SOCKET: usize = 64;
/// A follower that is further behind than this gets a snapshot instead of the records, in bytes.
pub const REPLAY_BYTES: usize = 8 * 1024 * 1024;
/// How many turns of a conversation may wait behind the one that runs.
pub const QUEUED_TURNS: usize = 10;
/// How much code one call of `highlight` may bring, in bytes.
pub const HIGHLIGHT_BYTES: usize = 256 * 1024;
/// How many blocks of code one call of `highlight` may bring.
pub const HIGHLIGHT_BLOCKS: usize = 64;
/// The longest title of a conversation, in Unicode scalar values.
pub const TITLE_CHARS: usize = 60;
/// The longest name of a folder, in Unicode scalar values.
pub const FOLDER_CHARS: usize = 60;
/// The longest device id, in bytes.
pub const DEVICE_ID_BYTES: usize = 256;

/// How many prompts a person may keep.
pub const PROMPTS: u32 = 200;
/// The longest name of a prompt, in Unicode scalar values.
pub const PROMPT_NAME_CHARS: usize = 60;
/// The longest text of a prompt, in bytes of UTF-8.
pub const PROMPT_BYTES: usize = 32 * 1024;

/// The longest address of a page that a message may name as a source.
pub const URL_BYTES: usize = 2048;

/// Files that one person may have.
pub const FILES: usize = 5000;

/// Files that one answer looks into: the first that its branch names, the newest message first.
pub const FILES_OF_AN_ANSWER: usize = 500;

/// Files that one person may have begun to send and not finished.
pub const UPLOADS: usize = 20;
/// How long what came of an unfinished file stays after its last byte.
pub const UPLOAD_KEPT: Duration = Duration::from_hours(24);

/// How many sources a turn may have.
pub const SOURCES: usize = 20;
/// The longest name of a file, in Unicode scalar values; a longer one is cut.
pub const FILE_NAME_CHARS: usize = 200;
/// How many collections a person may keep.
pub const COLLECTIONS: u32 = 200;
/// How many files a collection may hold.
pub const COLLECTED: u32 = 500;
/// How many addresses of pages a collection may hold.
pub const COLLECTION_URLS: usize = 20;
/// The longest name of a collection, in Unicode scalar values.
pub const COLLECTION_NAME_CHARS: usize = 60;

/// What `hello` may ask for as `interval_ms` at most: a longer one is this one.
pub const LONGEST_INTERVAL: Duration = Duration::from_secs(1);
/// Silence after which the server sends a `heartbeat`.
pub const HEARTBEAT: Duration = Duration::from_secs(15);
/// Silence after which a client gives a connection up.
pub const WATCHDOG: Duration = Duration::from_secs(35);
/// How long one send may block before the server closes with [`close::TOO_SLOW`].
pub const SEND_TIMEOUT: Duration = Duration::from_secs(20);

/// Close codes of the socket (PROTOCOL B6).
pub mod close {
    pub const GOING_AWAY: u16 = 1001;
    pub const ABNORMAL: u16 = 1006;
    pub const SERVER_ERROR: u16 = 1011;
    pub const RESTART: u16 = 1012;
    pub const TRY_AGAIN: u16 = 1013;
    pub const TOO_SLOW: u16 = 4008;
    pub const BINARY_FRAME: u16 = 4400;
    pub const SESSION_EXPIRED: u16 = 4401;
    pub const FORBIDDEN: u16 = 4403;
    pub const NO_PONG: u16 = 4408;
    pub const FRAME_TOO_LARGE: u16 = 4413;
    pub const TOO_MANY: u16 = 4429;

    /// Whether a client connects again by itself after this code.
    ///
    /// 1000 and 1005 count as a drop too: some browsers report a frozen page's lost socket so
    /// (an answer's end is its terminal event, never a close code).
    pub fn reconnects(code: u16) -> bool {
        !matches!(code, BINARY_FRAME | SESSION_EXPIRED | FORBIDDEN | FRAME_TOO_LARGE)
    }
}
