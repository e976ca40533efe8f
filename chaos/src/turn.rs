//! How a question is asked: where it stands, and over which of the ways that ask.

use unbroken_protocol::{
    ClientMessageId, ConversationId, ErrorCode, MessageId, StartRequest, StartResponse,
};

use crate::dice::Dice;
use crate::model::Model;
use crate::oracle::{Put, Stand};
use crate::reader::{Device, Ids};
use crate::world::{Refused, World};
use crate::{blocking, old};

/// A question of a person.
pub(crate) struct Turn {
    pub(crate) device: Device,
    pub(crate) place: Place,
    pub(crate) dice: Dice,
}

/// Where it stands.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// In a conversation of its own.
    New,
    /// At the end of the branch that is shown.
    Next(ConversationId),
    /// An edit or a branch: after an answer, or beside the first message.
    After(ConversationId, Option<MessageId>),
    /// The same question once more.
    Again { question: MessageId, text: String },
}

/// A question that was taken.
pub(crate) struct Asked {
    pub(crate) ids: Ids,
    pub(crate) stand: Stand,
    /// What may be sent again.
    pub(crate) request: Option<StartRequest>,
    pub(crate) waits: bool,
}

/// Asks. `None` when nobody knows whether it was taken: the audit finds it then.
pub(crate) async fn ask(
    world: &World,
    turn: &mut Turn,
    message: &str,
    model: &Model,
) -> Result<Option<Asked>, Refused> {
    let (device, dice) = (&turn.device, &mut turn.dice);
    let stand = stand(&turn.place, message);
    match &turn.place {
        Place::Again { question, .. } => again(world, device, *question, model, stand).await,
        Place::New if dice.chance(15) => {
            let ids = old::ask(world, device, message, &model.name).await;
            Ok(ids.map(|ids| Asked { ids, stand, request: None, waits: false }))
        }
        place => {
            let request = StartRequest {
                client_message_id: Some(ClientMessageId::new().to_string()),
                ..placed(place, device.ask(message, &model.name))
            };
            if dice.chance(20) {
                blocking::ask(world, &request).await;
            }
            match world.insist(|| device.rest.start(request.clone())).await {
                Ok(started) => Ok(Some(asked(&started, stand, Some(request)))),
                // A queue that is full is no failure.
                Err(refused) if refused.code == Some(ErrorCode::ConversationBusy) => Ok(None),
                Err(refused) => Err(refused),
            }
        }
    }
}

fn placed(place: &Place, request: StartRequest) -> StartRequest {
    match place {
        Place::New | Place::Again { .. } => request,
        Place::Next(id) => StartRequest { conversation_id: Some(id.to_string()), ..request },
        Place::After(id, parent) => StartRequest {
            conversation_id: Some(id.to_string()),
            parent_id: Some(parent.map_or_else(|| "root".to_owned(), |id| id.to_string())),
            ..request
        },
    }
}

fn stand(place: &Place, message: &str) -> Stand {
    match place {
        Place::New => Stand { texts: vec![message.to_owned()], put: Put::Root, ..Stand::default() },
        Place::Next(_) => Stand { texts: vec![message.to_owned()], ..Stand::default() },
        Place::After(_, parent) => {
            Stand { texts: vec![message.to_owned()], put: Put::after(*parent), ..Stand::default() }
        }
        Place::Again { question, text } => {
            Stand { texts: vec![text.clone()], question: Some(*question), ..Stand::default() }
        }
    }
}

fn asked(started: &StartResponse, stand: Stand, request: Option<StartRequest>) -> Asked {
    let ids = Ids {
        conversation: started.conversation_id,
        generation: started.generation_id,
        message: started.message_id,
    };
    let question = stand.question.or(Some(started.user_message_id));
    let stand = Stand { question, ..stand };
    Asked { ids, stand, request, waits: started.queued.is_some() }
}

/// Another answer to a question; `None` when others of the conversation are written all the time.
async fn again(
    world: &World,
    device: &Device,
    question: MessageId,
    model: &Model,
    stand: Stand,
) -> Result<Option<Asked>, Refused> {
    let key = ClientMessageId::new();
    let again = || device.rest.regenerate(question, Some(&model.name), key);
    match world.insist(again).await {
        Ok(started) => Ok(Some(asked(&started, stand, None))),
        Err(refused) if refused.code == Some(ErrorCode::ConversationBusy) => Ok(None),
        Err(refused) => Err(refused),
    }
}
