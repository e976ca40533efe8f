//! Ids of what comes from elsewhere: the same for the same person and source, however often it is
//! brought in, and no one else's.

use sha2::{Digest, Sha256};
use unbroken_protocol::{ConversationId, GenerationId, MessageId, PrincipalId};

/// Whose, from where, and from which conversation there.
#[derive(Clone, Copy)]
pub(crate) struct Ids<'a> {
    pub(crate) principal: PrincipalId,
    pub(crate) source: &'static str,
    pub(crate) conversation: &'a str,
}

impl Ids<'_> {
    pub(crate) fn conversation(self) -> ConversationId {
        ConversationId::from_bytes(self.bytes("conversation", ""))
    }

    pub(crate) fn message(self, id: &str) -> MessageId {
        MessageId::from_bytes(self.bytes("message", id))
    }

    pub(crate) fn generation(self, id: &str) -> GenerationId {
        GenerationId::from_bytes(self.bytes("generation", id))
    }

    /// A UUID of version 8: the beginning of a SHA-256.
    fn bytes(self, kind: &str, id: &str) -> [u8; 16] {
        let mut hash = Sha256::new();
        hash.update(self.principal.as_bytes());
        for part in [self.source, self.conversation, kind, id] {
            // Lengths keep neighbours apart.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let digest = hash.finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        bytes[6] = bytes[6] & 0x0f | 0x80;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        bytes
    }
}
