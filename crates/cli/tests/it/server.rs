//! A load against a server of ours.

use std::ffi::OsString;

use tempfile::TempDir;
use tokio::task::spawn_blocking;
use tokio_util::sync::{CancellationToken, DropGuard};
use unbroken_cli::load::{Load, LoadError, Report, Transport};
use unbroken_server::Server;
use unbroken_server::config::{Config, Flags};
use unbroken_standin::Standin;

struct TestServer {
    standin: Standin,
    url: String,
    _stop: DropGuard,
    _folder: TempDir,
}

impl TestServer {
    async fn start() -> Self {
        Self::start_set(None).await
    }

    /// Starts one whose operator has set this, by its name in the environment.
    async fn start_set(set: Option<(OsString, OsString)>) -> Self {
        let standin = Standin::start().await;
        let folder = TempDir::new().unwrap();
        let flags = Flags {
            listen: Some(([127, 0, 0, 1], 0).into()),
            data_dir: Some(folder.path().to_owned()),
            config: None,
        };
        let base_url = standin.base_url();
        let provider =
            format!("[{{ id = \"standin\", name = \"Stand-in\", base_url = \"{base_url}\" }}]");
        let env: [(OsString, OsString); 2] = [
            ("UNBROKEN__MODELS__DISCOVER".into(), "false".into()),
            ("UNBROKEN__PROVIDERS".into(), provider.into()),
        ];
        let env = env.into_iter().chain(set);
        let server = Server::open(Config::load(&flags, env).unwrap().config).await.unwrap();
        let url = format!("http://{}", server.address());
        let stop = CancellationToken::new();
        let told = stop.clone().cancelled_owned();
        tokio::spawn(async move { server.run(told).await.unwrap() });
        Self { standin, url, _stop: stop.drop_guard(), _folder: folder }
    }

    async fn load(&self, load: Load) -> Report {
        let load = Load { target: self.url.clone(), starts: 1_000, ..load };
        spawn_blocking(move || load.run()).await.unwrap().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_transport_reads_whole_answers() {
    let server = TestServer::start().await;
    for transport in [Transport::Socket, Transport::Sse, Transport::Poll] {
        let load = Load { transport, answers: 12, tokens: 60, rate: 200, ..Load::default() };
        let report = server.load(load).await;
        assert!(report.is_whole(), "{report:?}");
        assert_eq!((report.readings.completed, report.tokens.read), (12, 720));
        let times = report.milliseconds;
        let counts = [times.start, times.first_token, times.token].map(|t| t.map(|t| t.count));
        assert_eq!(counts, [Some(12), Some(12), Some(720)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_asks_for_an_access_code_takes_the_key() {
    let code = "correct horse battery staple";
    let server =
        TestServer::start_set(Some(("UNBROKEN__AUTH__ACCESS_CODE".into(), code.into()))).await;
    for transport in [Transport::Socket, Transport::Sse, Transport::Poll] {
        let load = Load { transport, answers: 3, tokens: 20, rate: 0, ..Load::default() };
        let refused = server.load(load.clone()).await;
        assert_eq!(refused.readings.failed, 3, "{refused:?}");
        let report = server.load(Load { key: Some(code.into()), ..load }).await;
        assert!(report.is_whole(), "{report:?}");
        assert!(!serde_json::to_string(&report).unwrap().contains(code), "it tells nobody");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_carries_many_answers() {
    let server = TestServer::start().await;
    let load = Load { answers: 20, sockets: Some(3), tokens: 40, rate: 100, ..Load::default() };
    let report = server.load(load).await;
    assert!(report.is_whole(), "{report:?}");
    assert_eq!((report.readings.completed, report.tokens.read), (20, 800));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_sockets_read_one_answer_that_is_asked_for_once() {
    let server = TestServer::start().await;
    let load = Load { answers: 2, followers: 15, tokens: 40, rate: 100, ..Load::default() };
    let report = server.load(load).await;
    assert!(report.is_whole(), "{report:?}");
    assert_eq!((report.readings.completed, report.tokens.read), (30, 1200));
    assert_eq!(server.standin.calls().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_connections_come_back_without_a_loss() {
    let server = TestServer::start().await;
    for transport in [Transport::Socket, Transport::Sse, Transport::Poll] {
        let cut = true;
        let load = Load { transport, cut, answers: 8, tokens: 100, rate: 50, ..Load::default() };
        let report = server.load(load).await;
        assert!(report.is_whole(), "{report:?}");
        let resumed = report.milliseconds.resume.map_or(0, |times| times.count);
        assert!((1..=8).contains(&resumed), "{transport:?}: {resumed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_reloads_reads_it_all_again_without_a_loss() {
    let server = TestServer::start().await;
    let model = Some("numbers:tokens=100,rate=0,stall_at=50,stall=1s".to_owned());
    let load = Load { model, cut: true, reload: true, answers: 4, tokens: 100, ..Load::default() };
    let report = server.load(load).await;
    assert!(report.is_whole(), "{report:?}");
    assert!(report.tokens.read > 400, "{report:?}");
    assert!(report.milliseconds.resume.is_some_and(|times| times.count > 0), "{report:?}");
}

#[test]
fn what_cannot_be_done_is_refused_before_anything_begins() {
    for load in [
        Load { answers: 0, ..Load::default() },
        Load { transport: Transport::Sse, followers: 2, ..Load::default() },
        Load { transport: Transport::Openai, cut: true, ..Load::default() },
        Load { reload: true, ..Load::default() },
    ] {
        assert!(matches!(load.run(), Err(LoadError::Plan(_))), "{load:?}");
    }
}
