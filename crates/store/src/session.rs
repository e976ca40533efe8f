//! Device sessions as they are stored: without their secrets.

use sha2::{Digest, Sha256};
use unbroken_protocol::{DeviceId, PrincipalId, SessionId, Timestamp};

/// SHA-256 of a secret with at least 128 random bits; such a secret needs no slow hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    pub fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<&SessionId> for SecretHash {
    fn from(session: &SessionId) -> Self {
        Self::of(session.reveal())
    }
}

/// Who a session id stands for, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub device_id: DeviceId,
    pub principal_id: PrincipalId,
    pub expires_at: Timestamp,
}
