//! `unbroken doctor` beside servers that are well and servers that are not.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use tempfile::TempDir;
use unbroken_standin::Standin;

use crate::support::{Process, unbroken};

/// Asserts that a line begins like this, and returns it.
fn line<'a>(said: &'a str, beginning: &str) -> &'a str {
    said.lines().find(|line| line.starts_with(beginning)).unwrap_or_else(|| panic!("{said}"))
}

#[tokio::test]
async fn a_server_that_is_well_is_found_well() {
    let folder = TempDir::new().unwrap();
    let standin = Standin::start().await;
    let process = Process::start(folder.path(), &standin.base_url()).await;
    let address = process.base().trim_start_matches("http://");
    let words = ["doctor", "--listen", address];
    let (code, said) = unbroken(folder.path(), &standin.base_url(), &words, &[]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("failed"), "{said}");
    line(&said, "ok       configuration: ");
    let held = format!("ok       data folder: A server holds it, process {}.", process.id());
    line(&said, &held);
    line(&said, "ok       store: ");
    line(&said, "ok       provider standin: Stand-in lists ");
    line(&said, &format!("ok       address: {} answers.", process.base()));
    line(&said, &format!("ok       socket: {}/ws opens and speaks.", process.base()));
}

/// The store can be looked through after an orderly end and after kill -9.
#[tokio::test]
async fn a_store_that_nobody_holds_is_looked_through() {
    let folder = TempDir::new().unwrap();
    let standin = Standin::start().await;
    let base_url = standin.base_url();
    for kills in [true, false] {
        let process = Process::start(folder.path(), &base_url).await;
        process.device("laptop").await;
        if kills {
            process.kill().await;
        } else {
            process.terminate();
            process.ended().await;
        }
        let (code, said) = unbroken(folder.path(), &base_url, &["doctor"], &[]).await;
        assert_eq!(code, Some(0), "{said}");
        line(&said, "ok       data folder: No server holds its lock.");
        line(&said, "ok       store: Nothing in it is damaged.");
        line(&said, "warning  address: No server runs on the data folder");
    }
}

#[tokio::test]
async fn what_is_broken_is_named_and_the_exit_code_is_1() {
    let folder = TempDir::new().unwrap();
    let standin = Standin::start().await;
    let gone = standin.base_url();
    standin.stop().await;
    std::fs::write(folder.path().join("unbroken.db"), "no database ".repeat(1_000)).unwrap();
    let (code, said) = unbroken(folder.path(), &gone, &["doctor"], &[]).await;
    assert_eq!(code, Some(1), "{said}");
    line(&said, "failed   store: The database cannot be read");
    line(&said, "failed   provider standin: ");

    let wrong = [("UNBROKEN__HTTP__LISTENS", "127.0.0.1:1")];
    let (code, said) = unbroken(folder.path(), &gone, &["doctor"], &wrong).await;
    assert_eq!(code, Some(1), "{said}");
    line(&said, "failed   configuration: ");
}

/// A proxy that answers pages and knows no sockets.
#[tokio::test]
async fn a_proxy_that_blocks_the_socket_is_found_with_what_to_mend() {
    let folder = TempDir::new().unwrap();
    let standin = Standin::start().await;
    let _process = Process::start(folder.path(), &standin.base_url()).await;
    let proxy = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", proxy.local_addr().unwrap());
    let pages = Router::new()
        .route("/health", get(|| async { r#"{"status":"ok","version":"0.1.0"}"# }))
        .route("/ws", get(|| async { StatusCode::BAD_REQUEST }));
    tokio::spawn(axum::serve(proxy, pages).into_future());

    let env = [("UNBROKEN__HTTP__PUBLIC_URL", url.as_str())];
    let (code, said) = unbroken(folder.path(), &standin.base_url(), &["doctor"], &env).await;
    assert_eq!(code, Some(1), "{said}");
    line(&said, &format!("ok       address: {url} answers."));
    let socket = line(&said, &format!("failed   socket: {url}/ws answers with 400"));
    assert!(socket.contains("proxy_set_header Upgrade $http_upgrade"), "{socket}");
}

#[tokio::test]
async fn an_address_that_leads_elsewhere_is_found() {
    let folder = TempDir::new().unwrap();
    let standin = Standin::start().await;
    let _process = Process::start(folder.path(), &standin.base_url()).await;
    // Nobody listens at the first, somebody else at the second.
    let other = standin.base_url();
    let other = other.strip_suffix("/v1").unwrap();
    for url in ["http://127.0.0.1:1", other] {
        let env = [("UNBROKEN__HTTP__PUBLIC_URL", url)];
        let (code, said) = unbroken(folder.path(), &standin.base_url(), &["doctor"], &env).await;
        assert_eq!(code, Some(1), "{said}");
        line(&said, "failed   address: ");
    }
}
