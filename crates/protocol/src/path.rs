//! Addresses of the REST calls and of the socket. `{id}` is filled by the caller.

pub const SOCKET: &str = "/ws";
pub const DEVICE_SESSION: &str = "/auth/device-session";
pub const DEVICE_SESSION_VALIDATE: &str = "/auth/device-session/validate";
pub const LINK: &str = "/auth/link";
pub const START: &str = "/ai/chat/start";
pub const CHAT: &str = "/ai/chat";
pub const CHAT_ALIAS: &str = "/api/chat";
pub const CONVERSATIONS: &str = "/ai/conversations";
pub const CONVERSATION: &str = "/ai/conversations/{id}";
pub const EXPORT_ONE: &str = "/ai/conversations/{id}/export";
pub const EXPORT_ALL: &str = "/ai/export";
pub const IMPORTS: &str = "/ai/imports";
pub const IMPORT: &str = "/ai/imports/{id}";
pub const SHARES_OF: &str = "/ai/conversations/{id}/shares";
pub const SHARES: &str = "/ai/shares";
pub const SHARE: &str = "/ai/shares/{id}";
/// What a share's link opens, without a session.
pub const SHARED: &str = "/share/{id}";
pub const SHARED_STYLE: &str = "/share/page.css";
pub const RESTORE: &str = "/ai/conversations/{id}/restore";
pub const SEARCH: &str = "/ai/search";
pub const REGENERATE: &str = "/ai/messages/{id}/generate";
pub const QUEUE: &str = "/ai/conversations/{id}/queue";
pub const QUEUED: &str = "/ai/conversations/{id}/queue/{queue_id}";
pub const GENERATION_STOP: &str = "/ai/generations/{id}/stop";
pub const GENERATION_CONTINUE: &str = "/ai/generations/{id}/continue";
pub const GENERATION_EVENTS: &str = "/ai/generations/{id}/events";
pub const EVENTS: &str = "/ai/events";
pub const MODELS: &str = "/routing/models";
pub const MODELS_ALIAS: &str = "/api/models";
pub const STATS: &str = "/routing/stats";
pub const PREFERENCES: &str = "/routing/preferences";
pub const HEALTH: &str = "/health";
pub const READY: &str = "/health/ready";
