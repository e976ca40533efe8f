//! Somebody who asks: a device session of its own (PROTOCOL A1).

use serde_json::json;
use unbroken_protocol::{DeviceId, DeviceSession, DeviceSessionRequest, SessionId, path};

use super::LoadError;
use super::http::{Http, Request};
use super::run::Run;

#[derive(Clone)]
pub(super) struct Person {
    pub(super) device_id: DeviceId,
    pub(super) session_id: SessionId,
}

impl Person {
    pub(super) async fn new(run: &Run, number: usize) -> Result<Self, LoadError> {
        let device_id = DeviceId(format!("load-{}-{number}", std::process::id()));
        let asked = DeviceSessionRequest {
            device_id: Some(device_id),
            access_code: run.plan.key.clone(),
            ..Default::default()
        };
        let asked = json!(asked).to_string();
        let request = Request {
            method: "POST",
            path: path::DEVICE_SESSION,
            accept: "application/json",
            key: None,
            json: Some(&asked),
        };
        let reply = Http::connect(&run.address).await?.call(&run.address, &request).await?;
        let session: DeviceSession = serde_json::from_slice(&reply)
            .map_err(|_| LoadError::Strange("the answer to a device session"))?;
        Ok(Self { device_id: session.device_id, session_id: session.session_id })
    }

    /// The pair as a query; both are made of letters, digits and dashes.
    pub(super) fn query(&self) -> String {
        format!(
            "request_type=anonymous&session_id={}&device_id={}",
            self.session_id.reveal(),
            self.device_id
        )
    }
}
