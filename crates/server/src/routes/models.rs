//! Models and what a person prefers (PROTOCOL A5).

use axum::Json as JsonReply;
use axum::extract::State;
use axum::http::{HeaderMap, Method};
use unbroken_engine::Speaker;
use unbroken_protocol::{ErrorCode, ModelList, PreferenceReply, PreferenceRequest, RoutingStats};

use crate::App;
use crate::auth::{self, Pair};
use crate::error::{ApiError, Json, OptionalJson, Query};

/// `GET /routing/models` and `GET /api/models`
pub(crate) async fn list(State(app): State<App>) -> JsonReply<ModelList> {
    let models = app.engine.catalogue().models();
    let web_search = app.engine.searches_web();
    JsonReply(ModelList { total_count: models.len() as u64, models, web_search })
}

/// `GET /routing/stats`: with a device id alone nobody is known, and nobody has a preference.
pub(crate) async fn stats(
    State(app): State<App>,
    headers: HeaderMap,
    Query(pair): Query<Pair>,
) -> Result<JsonReply<RoutingStats>, ApiError> {
    let pair = Pair::new(pair.session_id, pair.device_id);
    let device_alone = pair.device_id.is_some() && pair.session_id.is_none();
    let (preferred_model, usage_count) =
        match auth::speaker(&app, &Method::GET, &headers, pair).await {
            Ok(Speaker { principal, .. }) => {
                (app.engine.preference(principal).await?, app.engine.usage_count(principal).await?)
            }
            Err(error) if device_alone && error.code == ErrorCode::Unauthorized => (None, 0),
            Err(error) => return Err(error),
        };
    let models = app.engine.catalogue().models();
    Ok(JsonReply(RoutingStats {
        has_preference: preferred_model.is_some(),
        preference_type: preferred_model.as_ref().map(|_| "user_override".into()),
        preferred_model,
        usage_count,
        total_models: models.len() as u64,
        available_models: models.into_iter().map(|model| model.id).collect(),
    }))
}

/// `POST /routing/preferences`
pub(crate) async fn prefer(
    State(app): State<App>,
    headers: HeaderMap,
    Json(request): Json<PreferenceRequest>,
) -> Result<JsonReply<PreferenceReply>, ApiError> {
    let pair = Pair::new(request.session_id, request.device_id);
    let speaker = auth::speaker(&app, &Method::POST, &headers, pair).await?;
    let model = request.model_id.trim();
    if model.is_empty() {
        return Err(ApiError::bad_request(
            "The field model_id is empty. Name a model or \"best\".",
        ));
    }
    if model == "best" {
        return forget(&app, speaker.principal).await;
    }
    app.engine.set_preference(speaker.principal, Some(model.to_owned())).await?;
    Ok(JsonReply(PreferenceReply {
        success: true,
        message: format!("{model} answers from now on."),
        current_preference: Some(model.to_owned()),
    }))
}

/// `DELETE /routing/preferences`
pub(crate) async fn clear(
    State(app): State<App>,
    headers: HeaderMap,
    Query(in_query): Query<Pair>,
    OptionalJson(in_body): OptionalJson<Pair>,
) -> Result<JsonReply<PreferenceReply>, ApiError> {
    let pair = Pair::new(
        in_body.session_id.or(in_query.session_id),
        in_body.device_id.or(in_query.device_id),
    );
    let speaker = auth::speaker(&app, &Method::DELETE, &headers, pair).await?;
    forget(&app, speaker.principal).await
}

async fn forget(
    app: &App,
    principal: unbroken_protocol::PrincipalId,
) -> Result<JsonReply<PreferenceReply>, ApiError> {
    app.engine.set_preference(principal, None).await?;
    Ok(JsonReply(PreferenceReply {
        success: true,
        message: "The best model is chosen for each answer.".into(),
        current_preference: None,
    }))
}
