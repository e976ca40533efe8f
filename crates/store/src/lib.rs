//! The durable state of Unbroken: conversations, messages, generations, sessions, and the journal
//! of records.
//!
//! One [`Writer`] changes it, in explicit transactions; any number of clones of [`Store`] read.
//! What a record means and who is woken by it is the engine's business.

mod codec;
mod error;
mod file;
mod folder;
mod imported;
mod keep;
pub mod memory;
mod query;
mod rank;
mod record;
mod row;
mod search;
mod session;
mod settled;
mod sources;
pub mod sqlite;
mod store;
mod terms;
mod turn;
mod vector;
mod words;
mod writer;

pub use codec::{decode_journal, decode_pack, encode_journal, encode_pack};
pub use error::StoreError;
pub use file::{
    Collected, Collection, CollectionChange, ContentHash, File, FileOutcome, Found, NewFile,
    Passage, ReadStep, Ready, Whose,
};
pub use imported::{Import, ImportStep, Imported, ImportedLog, ImportedMessage, Share, Which};
pub use keep::{Arrangement, Due, Shelf};
pub use memory::Memory;
pub use query::Query;
pub use rank::rank;
pub use record::{Body, JournalEntry, Record};
pub use row::{
    Conversation, ConversationCursor, ConversationRow, Generation, History, HistoryMessage, Message,
};
pub use search::{Hit, Indexed, NEWEST};
pub use session::{SecretHash, Session};
pub use settled::{Sealed, Settled};
pub use store::Store;
pub use terms::Terms;
pub use turn::{NewTurn, Place, Turn, TurnOutcome};
pub use vector::{ToEmbed, Vector, VectorStep};
pub use writer::{Durability, Transaction, Writer};
