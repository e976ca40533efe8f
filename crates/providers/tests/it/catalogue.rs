use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use unbroken_protocol::FinishReason;
use unbroken_providers::{
    Catalogue, CatalogueSettings, Http, Provider, ProviderConfig, QUOTES, Quotes,
};
use unbroken_standin::{Options, Standin};

use crate::support::{ask, config, provider};

fn ids(catalogue: &Catalogue) -> Vec<String> {
    catalogue.models().into_iter().map(|info| info.id).collect()
}

#[tokio::test]
async fn models_are_read_from_the_server() {
    let standin = Standin::start().await;
    let listed = provider(&standin.base_url()).list().await.unwrap();
    assert_eq!(listed[0].info.id, "numbers");
    assert_eq!(listed[0].info.name, "Numbers");
    assert_eq!(listed[0].info.description, "200 numbered tokens, 50 a second");
    assert_eq!(listed[0].info.provider, standin.addr().to_string());
    assert_eq!(listed[0].owned_by, "standin");
}

#[tokio::test]
async fn a_local_server_is_found_when_it_starts_and_lost_when_it_stops() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let local =
        ProviderConfig { id: "local".into(), ..config(&format!("http://127.0.0.1:{port}/v1")) };
    let catalogue = Catalogue::new(vec![Arc::new(Quotes::new())], CatalogueSettings::default())
        .with_candidates(vec![local.open(&Http::new()).unwrap()]);
    catalogue.refresh().await;
    assert_eq!(ids(&catalogue), [QUOTES]);
    assert_eq!(catalogue.resolve("best", None).model, QUOTES);

    let standin = Standin::start_on(("127.0.0.1", port), Options::default()).await.unwrap();
    catalogue.refresh().await;
    let choice = catalogue.resolve("best", None);
    assert_eq!((choice.provider.id(), choice.model.as_str()), ("local", "numbers"));
    let answer = ask(choice.provider.as_ref(), "numbers:tokens=3,rate=0,first=0ms").await;
    assert_eq!(answer.finish, Some(FinishReason::Stop));

    standin.stop().await;
    catalogue.refresh().await;
    assert_eq!(ids(&catalogue), [QUOTES]);
}

#[tokio::test]
async fn another_program_at_a_usual_port_is_no_model_server() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/v1", listener.local_addr().unwrap());
    let routes = Router::new().route("/v1/models", get(|| async { r#"{"models":["a"]}"# }));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let other = provider(&base);
    assert!(other.models().await.is_err());
    let catalogue = Catalogue::new(Vec::new(), CatalogueSettings::default())
        .with_candidates(vec![Arc::new(other)]);
    catalogue.refresh().await;
    assert_eq!(ids(&catalogue), [""; 0]);
    assert!(catalogue.providers().is_empty());
}
