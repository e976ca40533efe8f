//! The durable state of Unbroken: conversations, messages, generations, sessions, and the journal
//! of records.
//!
//! One [`Writer`] changes it, in explicit transactions; any number of clones of [`Store`] read.
//! What a record means and who is woken by it is the engine's business.

mod codec;
mod error;
mod folder;
mod read;
mod record;
mod row;
mod session;
mod write;

pub use codec::{decode_journal, decode_pack, encode_journal, encode_pack};
pub use error::StoreError;
pub use read::Store;
pub use record::{Body, JournalEntry, Record};
pub use row::{
    Conversation, ConversationCursor, ConversationRow, Generation, History, HistoryMessage, Message,
};
pub use session::{SecretHash, Session};
pub use write::{
    Durability, NewTurn, Place, Sealed, Settled, Transaction, Turn, TurnOutcome, Writer,
};
