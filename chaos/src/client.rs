//! A person: one device, one question after the other.

use std::sync::{Arc, PoisonError};

use unbroken_client::Rest;
use unbroken_protocol::{DeviceId, DeviceSessionRequest};

use crate::answer;
use crate::dice::Dice;
use crate::list::List;
use crate::reader::Device;
use crate::turn::{Place, Turn};
use crate::world::World;

/// Asks until the run closes.
pub(crate) async fn live(world: Arc<World>, n: usize, mut dice: Dice) {
    let request = DeviceSessionRequest {
        device_id: Some(DeviceId(format!("chaos-{n}"))),
        ..DeviceSessionRequest::default()
    };
    let rest = Rest::new(&world.base());
    let Ok(session) = world.insist(|| rest.device_session(&request)).await else {
        return world.fail_run("a device gets no session");
    };
    let (id, session) = (session.device_id, session.session_id);
    let rest = rest.with_session(id.clone(), session.clone());
    let device = Device { id, session, rest };
    let list = List::new(device.clone());
    world.lists.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&list));
    // It is kept until the run has looked at it.
    tokio::spawn(list.keep(Arc::clone(&world), n as u64));
    while !world.closing.is_cancelled() {
        let turn = Turn { device: device.clone(), place: Place::New, dice: dice.fork() };
        answer::live(Arc::clone(&world), turn).await;
    }
}
