//! What goes into the machine and what comes out of it.

use std::time::Duration;

use unbroken_protocol::{
    Capability, Citation, ClientMessageId, ConversationId, DeviceId, Epoch, ErrorCode, Event,
    GenerationId, GenerationState, Incoming, Means, MessageId, Position, Seq, SessionId,
    StreamComplete, StreamError, Timestamp, ToolEvent, ToolStep,
};

/// Who speaks, and what it wants to be sent.
#[derive(Clone, Debug, Default)]
pub struct Config {
    pub device_id: Option<DeviceId>,
    pub session_id: Option<SessionId>,
    /// `heartbeat` is always asked for: without it silence says nothing.
    pub capabilities: Vec<Capability>,
    /// What is written live need not come more often than this.
    pub interval: Option<Duration>,
    /// Where the jitter of the back-off comes from; any number, another one for every client.
    pub seed: u64,
}

/// Something happened outside.
#[derive(Clone, Debug)]
pub enum Input {
    /// Connect, and stay connected from now on.
    Start,
    /// Disconnect, and stay so. What is followed is kept for another `Start`.
    Close,
    /// The transport that [`Output::Connect`] asked for is open.
    Opened,
    /// The server sent this. A text that is no event of ours goes in as [`Event::Unknown`].
    Frame(Event),
    /// The transport closed or could not be opened (1006). Never said of one that
    /// [`Output::Disconnect`] gave up.
    Closed {
        code: u16,
    },
    /// Another transport is open in the place of the one that was in use, and the server has not
    /// spoken on it yet.
    Moved,
    Hint(Hint),
    /// The time of [`Machine::next_wake`](crate::Machine::next_wake) has come.
    Wake,
    /// Follow from here; replaces an earlier follow of the same generation.
    Follow(Target),
    Unfollow(GenerationId),
    Stop(GenerationId),
    /// Let an answer go on. Under one key a sibling is made once.
    Continue(GenerationId, ClientMessageId),
    /// Sends a ping; its pong comes back as a notice.
    Ping {
        t: u64,
    },
    /// Another pair to speak with: connects at once.
    Credentials {
        device_id: Option<DeviceId>,
        session_id: Option<SessionId>,
    },
}

/// What the system says about network and page; it may be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    Online,
    Offline,
    Visible,
    Hidden,
    /// The page came back out of the back-forward cache.
    Restored,
}

/// What to follow, and from where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    pub conversation_id: Option<ConversationId>,
    /// `None` is the newest generation of the conversation, from its beginning.
    pub generation_id: Option<GenerationId>,
    /// What the caller holds already. The default is nothing.
    pub after: Position,
    /// The visible text that the caller holds, in Unicode scalar values.
    pub offset: u64,
}

impl Target {
    /// A generation from its beginning.
    pub fn start_of(generation_id: GenerationId) -> Self {
        Self { generation_id: Some(generation_id), ..Self::default() }
    }

    /// A generation of which the caller shows `text` already, up to `after`.
    pub fn rest_of(generation_id: GenerationId, after: Position, text: &str) -> Self {
        let offset = text.chars().count() as u64;
        Self { conversation_id: None, generation_id: Some(generation_id), after, offset }
    }

    /// The newest generation of a conversation, from its beginning.
    pub fn newest_of(conversation_id: ConversationId) -> Self {
        Self { conversation_id: Some(conversation_id), ..Self::default() }
    }
}

/// Something to do or to show.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Open a transport; whatever was open before is dropped.
    Connect,
    /// Drop the transport, and say nothing more of it.
    Disconnect,
    /// Send this frame.
    Send(Incoming),
    /// The connection's state, whenever it changes.
    Status(Status),
    /// Progress of a followed generation.
    Update(GenerationId, Update),
    /// Not about a followed generation: conversation, queue, generation started, draining, pong, a
    /// refusal, or a trouble that passes by itself.
    Notice(Event),
}

/// What a person may want to know about the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Connecting,
    Live,
    /// Was live and is not. Said at once; a view waits a second before it shows it.
    Reconnecting,
    /// The system says that there is no network. Connecting goes on nevertheless.
    Offline,
    /// Waits for other credentials.
    SessionExpired,
    /// The server does not want this client. Waits for other credentials.
    Refused,
}

/// Progress of a followed generation. Text comes in order, without gap and without doubling.
#[derive(Clone, Debug, PartialEq)]
pub enum Update {
    /// The server follows up. Comes again after every reconnect.
    Following {
        conversation_id: ConversationId,
        message_id: MessageId,
        state: GenerationState,
        head_seq: Seq,
    },
    /// The model that answers.
    Started { model: String },
    /// Append to the visible text.
    Text { text: String },
    /// Append to the reasoning, which was written at this time.
    Reasoning { text: String, at: Timestamp },
    /// Replace what is shown. `None` leaves that part as it is.
    Replace {
        content: String,
        reasoning: Option<String>,
        citations: Vec<Citation>,
        tool_events: Option<Vec<ToolStep>>,
        state: GenerationState,
    },
    /// A passage that the answer may cite.
    Source(Citation),
    /// A step of a tool call.
    Tool(ToolEvent),
    /// A run began or broke off.
    State {
        /// Of the run; above 1 it goes on with what another one wrote.
        epoch: Epoch,
        state: GenerationState,
        code: Option<ErrorCode>,
        message: Option<String>,
        can_continue: bool,
        means: Option<Means>,
    },
    /// Last: the answer ended well or was stopped. The text shown equals `full_response`.
    Complete(StreamComplete),
    /// Last: the answer failed.
    Failed(StreamError),
    /// Last: the generation cannot be followed, for a reason that does not pass.
    Lost { code: ErrorCode, message: String },
}

impl Update {
    /// Whether this is the last update of its generation.
    pub fn is_last(&self) -> bool {
        matches!(self, Self::Complete(_) | Self::Failed(_) | Self::Lost { .. })
    }
}
