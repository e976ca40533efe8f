//! Whether the server is there, and whether it wants work (PROTOCOL A5).

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use unbroken_protocol::Health;

use crate::App;

/// `GET /health`: the journal is recovered, requests are answered.
pub(crate) async fn alive() -> Json<Health> {
    Json(health("ok"))
}

/// `GET /health/ready`: 503 while draining, and while the store refuses to write. While starting
/// nobody answers: who connects waits until the journal is recovered.
pub(crate) async fn ready(State(app): State<App>) -> (StatusCode, Json<Health>) {
    let trouble = if app.lifecycle.is_draining() {
        "draining"
    } else if app.engine.can_write() {
        return (StatusCode::OK, Json(health("ok")));
    } else {
        "storage"
    };
    (StatusCode::SERVICE_UNAVAILABLE, Json(health(trouble)))
}

fn health(status: &str) -> Health {
    Health { status: status.into(), version: env!("CARGO_PKG_VERSION").into() }
}
