//! Device sessions: people without an account (PROTOCOL A1).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use unbroken_protocol::{DeviceId, PrincipalId, SessionId, Timestamp, limits};
use unbroken_store::{SecretHash, Session};

use crate::Engine;
use crate::command::Command;
use crate::error::Refusal;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// How long a session lives after its last use.
const SESSION_MS: i64 = 400 * DAY_MS;
/// A session is moved at most this often.
const SLIDE_MS: i64 = DAY_MS;
/// How long a code for another device lives.
const LINK_MS: i64 = 5 * 60 * 1000;
/// Sessions that are remembered without asking the store.
const REMEMBERED: usize = 10_000;

/// Who speaks: a live session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Speaker {
    pub principal: PrincipalId,
    pub device: DeviceId,
}

/// Sessions looked up lately, so that a request costs no read.
#[derive(Default)]
pub(crate) struct Remembered(Mutex<HashMap<SecretHash, Session>>);

impl Remembered {
    fn get(&self, secret: SecretHash) -> Option<Session> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&secret).cloned()
    }

    fn put(&self, secret: SecretHash, session: Session) {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions.len() >= REMEMBERED {
            sessions.clear();
        }
        sessions.insert(secret, session);
    }
}

impl Engine {
    /// Opens a new session for a device: a new principal, or with a link code the one that made it.
    ///
    /// # Errors
    /// `bad_request` for a device id or a code that cannot be used.
    pub async fn open_session(
        &self,
        device: DeviceId,
        link_code: Option<&str>,
    ) -> Result<(SessionId, Session), Refusal> {
        if device.0.is_empty() || device.0.len() > limits::DEVICE_ID_BYTES {
            return Err(Refusal::BadRequest(format!(
                "A device_id has 1 to {} bytes.",
                limits::DEVICE_ID_BYTES
            )));
        }
        let principal_id = match link_code {
            None => self.clock().id(PrincipalId::from_bytes),
            Some(code) => {
                let code = SecretHash::of(&normalized(code));
                let now = self.clock().now();
                let taken = self.command(|reply| Command::TakeLinkCode(code, now, reply)).await?;
                taken.ok_or_else(|| {
                    Refusal::BadRequest(
                        "This code is not valid any more. Make a new one on the other device."
                            .into(),
                    )
                })?
            }
        };
        let session_id = SessionId::new(hex::encode(random::<32>()?));
        let session =
            Session { device_id: device, principal_id, expires_at: self.later(SESSION_MS) };
        self.put_session(SecretHash::from(&session_id), &session).await?;
        Ok((session_id, session))
    }

    /// The live session of a secret, its end moved on.
    pub async fn session(&self, session_id: &SessionId) -> Result<Option<Session>, Refusal> {
        let secret = SecretHash::from(session_id);
        let found = match self.remembered().get(secret) {
            Some(session) => Some(session),
            None => self.store().session(secret).await?,
        };
        let now = self.clock().now().as_millis();
        let Some(mut session) = found.filter(|session| session.expires_at.as_millis() > now) else {
            return Ok(None);
        };
        if session.expires_at.as_millis() < now + SESSION_MS - SLIDE_MS {
            session.expires_at = self.later(SESSION_MS);
            // A store that refuses to write does not lock people out.
            let _ = self.put_session(secret, &session).await;
        }
        self.remembered().put(secret, session.clone());
        Ok(Some(session))
    }

    /// Who speaks with this secret and, where it is named, this device.
    ///
    /// # Errors
    /// `unauthorized` when the session is not known, has expired, or is another device's.
    pub async fn authenticate(
        &self,
        session_id: &SessionId,
        device: Option<&DeviceId>,
    ) -> Result<Speaker, Refusal> {
        let session = self.session(session_id).await?.ok_or(Refusal::Unauthorized)?;
        match device {
            Some(device) if *device != session.device_id => Err(Refusal::Unauthorized),
            _ => Ok(Speaker { principal: session.principal_id, device: session.device_id }),
        }
    }

    /// A one-time code by which another device joins a principal, and when it expires.
    pub async fn link_code(&self, principal: PrincipalId) -> Result<(String, Timestamp), Refusal> {
        let code = readable_code()?;
        let expires_at = self.later(LINK_MS);
        let hash = SecretHash::of(&normalized(&code));
        self.command(|reply| Command::PutLinkCode(hash, principal, expires_at, reply)).await?;
        Ok((code, expires_at))
    }

    fn later(&self, millis: i64) -> Timestamp {
        Timestamp::from_millis(self.clock().now().as_millis() + millis)
    }

    async fn put_session(&self, secret: SecretHash, session: &Session) -> Result<(), Refusal> {
        let stored = session.clone();
        let now = self.clock().now();
        self.command(|reply| Command::PutSession(secret, stored, now, reply)).await?;
        self.remembered().put(secret, session.clone());
        Ok(())
    }
}

pub(crate) fn random<const N: usize>() -> Result<[u8; N], Refusal> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        tracing::error!(error = %error, "failed to read random bytes");
        Refusal::Internal
    })?;
    Ok(bytes)
}

/// Eighty random bits in letters that people can read out: no 0, 1, I, O.
fn readable_code() -> Result<String, Refusal> {
    const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let letters: Vec<u8> =
        random::<16>()?.iter().map(|byte| LETTERS[usize::from(byte % 32)]).collect();
    let groups: Vec<_> = letters.chunks(4).map(String::from_utf8_lossy).collect();
    Ok(groups.join("-"))
}

/// A code as people type it: small letters, blanks and hyphens do not matter.
fn normalized(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}
