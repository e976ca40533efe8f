//! The web app as a browser gets it. Without a built one its placeholder is served.

use crate::support::{Reply, TestServer};

#[tokio::test]
async fn every_page_is_html_with_a_strict_policy_and_a_tag() {
    let server = TestServer::start().await;
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    for path in ["/", "/chat", "/chat/x", "/chat?conversation_id=x", "/history"] {
        let first = Reply::of(server.get(path).header("accept", browser)).await;
        assert_eq!(first.status, 200, "{path}");
        assert!(first.header("content-type").starts_with("text/html"), "{path}");
        assert!(first.text.to_lowercase().contains("<html"), "{path}");
        let policy = first.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(!policy.contains("unsafe-inline"), "{policy}");
        assert_eq!(first.header("cache-control"), "no-cache");
        let tag = first.header("etag");
        assert!(tag.starts_with('"'), "{tag}");

        let again = server.get(path).header("accept", browser).header("if-none-match", tag);
        let again = Reply::of(again).await;
        assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""), "{path}");
        assert_eq!(again.header("etag"), tag);
    }
}

#[tokio::test]
async fn the_files_that_the_page_names_are_served() {
    let server = TestServer::start().await;
    let page = Reply::of(server.get("/")).await.text;
    let names = page.split('"').filter(|part| part.starts_with('/') && part.contains('.'));
    for name in names {
        assert_eq!(Reply::status_of(server.get(name)).await, 200, "{name}");
    }
    Reply::of(server.get("/no-such-file.js")).await.refused(404, "not_found");
}
