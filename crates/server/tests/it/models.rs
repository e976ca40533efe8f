//! Models, what a person prefers, and health (PROTOCOL A5).

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Reply, TestServer, fast};

#[tokio::test]
async fn models_are_listed_under_both_addresses() {
    let server = TestServer::start().await;
    let list = Reply::of(server.get("/routing/models")).await.ok();
    assert_eq!(Reply::of(server.get("/api/models")).await.ok(), list);
    let models = list["models"].as_array().unwrap();
    assert_eq!(list["total_count"], models.len());
    let ids: Vec<_> = models.iter().map(|model| model["id"].as_str().unwrap()).collect();
    assert_eq!((ids[0], *ids.last().unwrap()), ("numbers", "quotes"));
    assert_eq!(models[0]["name"], "Numbers", "the provider gives one");
    for field in ["name", "description", "speed", "cost"] {
        assert!(models.iter().all(|model| model[field].is_string()), "{field}");
    }
    assert!(models.iter().all(|model| model["best_for"].is_array()));
}

#[tokio::test]
async fn a_preference_is_kept_read_and_cleared() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let stats = async || Reply::of(server.get("/routing/stats").query(&device.query())).await.ok();
    let before = stats().await;
    assert_eq!(
        (&before["has_preference"], &before["preference_type"]),
        (&json!(false), &Value::Null)
    );
    assert_eq!((&before["preferred_model"], &before["usage_count"]), (&Value::Null, &json!(0)));
    let available = before["available_models"].as_array().unwrap();
    assert_eq!(before["total_models"], available.len());
    assert!(available.contains(&json!("numbers")));

    let mut body = device.pair();
    body["model_id"] = json!("echo");
    let set = Reply::of(server.post("/routing/preferences").json(&body)).await.ok();
    assert_eq!((&set["success"], &set["current_preference"]), (&json!(true), &json!("echo")));
    assert!(set["message"].is_string());
    device.start("Count!", &fast(3)).await;
    let after = stats().await;
    assert_eq!(
        (&after["has_preference"], &after["preferred_model"]),
        (&json!(true), &json!("echo"))
    );
    assert_eq!(
        (&after["preference_type"], &after["usage_count"]),
        (&json!("user_override"), &json!(1))
    );

    let clear = server.request(Method::DELETE, "/routing/preferences").query(&device.query());
    let cleared = Reply::of(clear).await.ok();
    assert_eq!((&cleared["success"], cleared.get("current_preference")), (&json!(true), None));
    assert_eq!(stats().await["has_preference"], false);
    body["model_id"] = json!("  ");
    let empty = Reply::of(server.post("/routing/preferences").json(&body)).await;
    empty.refused(400, "bad_request");
    // The pair of a DELETE may stand in its body.
    body["model_id"] = json!("echo");
    Reply::of(server.post("/routing/preferences").json(&body)).await.ok();
    let clear = server.request(Method::DELETE, "/routing/preferences").json(&device.pair());
    Reply::of(clear).await.ok();
    assert_eq!(stats().await["has_preference"], false);
}

#[tokio::test]
async fn a_device_id_alone_reads_no_preference_and_writes_none() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    device.rest.preferences(Some("echo")).await.unwrap();
    for query in ["device_id=laptop", "device_id=laptop&session_id="] {
        let stats = Reply::of(server.get(&format!("/routing/stats?{query}"))).await.ok();
        assert_eq!(stats["has_preference"], false);
    }
    let body = json!({"device_id": "laptop", "model_id": "numbers"});
    let write = Reply::of(server.post("/routing/preferences").json(&body)).await;
    write.refused(401, "unauthorized");
    let clear = server.request(Method::DELETE, "/routing/preferences?device_id=laptop");
    Reply::of(clear).await.refused(401, "unauthorized");
    // A session that is not valid is not a device id alone.
    let wrong = server.get("/routing/stats?device_id=laptop&session_id=nobody");
    Reply::of(wrong).await.refused(401, "unauthorized");
    Reply::of(server.get("/routing/stats")).await.refused(401, "unauthorized");
    assert_eq!(device.rest.stats().await.unwrap().preferred_model.as_deref(), Some("echo"));
}

#[tokio::test]
async fn health_says_ok_and_the_version() {
    let server = TestServer::start().await;
    for path in ["/health", "/health/ready"] {
        let health = Reply::of(server.get(path)).await.ok();
        assert_eq!(health, json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}));
    }
}
