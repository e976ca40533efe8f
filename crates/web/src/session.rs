//! Who speaks: the device session, kept in `localStorage` as a pair (PROTOCOL A1).

use unbroken_client::{Rest, RestError};
use unbroken_protocol::{DeviceId, DeviceSession, DeviceSessionRequest, ErrorCode, SessionId};

use crate::dom;

const DEVICE: &str = "device_id";
const SESSION: &str = "session_id";

/// The two words by which the server knows this device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) device_id: DeviceId,
    pub(crate) session_id: SessionId,
}

impl Pair {
    /// The pair of an earlier visit.
    pub(crate) fn kept() -> Option<Self> {
        Some(Self {
            device_id: DeviceId(dom::kept(DEVICE)?),
            session_id: SessionId::new(dom::kept(SESSION)?),
        })
    }

    fn keep(session: DeviceSession) -> Self {
        dom::keep(DEVICE, &session.device_id.0);
        dom::keep(SESSION, session.session_id.reveal());
        Self { device_id: session.device_id, session_id: session.session_id }
    }

    /// Calls to the page's own server, in the name of this device.
    pub(crate) fn rest(&self) -> Rest {
        Rest::new("").with_session(self.device_id.clone(), self.session_id.clone())
    }
}

/// Why there is no session.
#[derive(Debug)]
pub(crate) enum NoSession {
    /// The operator asks for an access code; the sentence says what was wrong with the last one.
    AccessCode(Option<String>),
    Failed(RestError),
}

/// Renews the session of this device, or begins one. A session that is gone is replaced.
pub(crate) async fn open(access_code: Option<String>) -> Result<Pair, NoSession> {
    let code_given = access_code.is_some();
    let request = DeviceSessionRequest {
        device_id: Some(DeviceId(dom::kept(DEVICE).unwrap_or_else(new_device_id))),
        session_id: dom::kept(SESSION).map(SessionId::new),
        access_code,
        ..DeviceSessionRequest::default()
    };
    match Rest::new("").device_session(&request).await {
        Ok(session) => Ok(Pair::keep(session)),
        Err(RestError::Refused(body))
            if body.code == ErrorCode::Unauthorized
                && body
                    .details
                    .as_ref()
                    .and_then(|details| details.get("access_code_required"))
                    .is_some_and(|required| required.as_bool() != Some(false)) =>
        {
            Err(NoSession::AccessCode(code_given.then_some(body.message)))
        }
        Err(error) => Err(NoSession::Failed(error)),
    }
}

fn new_device_id() -> String {
    unbroken_protocol::ClientMessageId::new().to_string()
}
