//! A server inside the test's process.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;

use reqwest::{Client, Method, RequestBuilder};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use unbroken_server::Server;
use unbroken_server::config::{Config, Flags};
use unbroken_server::patience::Patience;
use unbroken_standin::{Options, Standin};

use super::Device;

/// What a server is started with.
pub(crate) struct Given {
    pub(crate) folder: TempDir,
    env: Vec<(OsString, OsString)>,
    standin: Options,
    api_key: &'static str,
    goes_on: bool,
    /// What holds when nothing is said.
    patience: Option<Patience>,
}

impl Given {
    pub(crate) fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            env: Vec::new(),
            standin: Options::default(),
            api_key: "",
            goes_on: false,
            patience: None,
        }
    }

    /// Sets a key of the configuration: `auth.access_code`.
    pub(crate) fn set(mut self, key: &str, value: &str) -> Self {
        let name = format!("UNBROKEN__{}", key.replace('.', "__").to_uppercase());
        self.env.push((name.into(), value.into()));
        self
    }

    /// What the model server behind it does.
    pub(crate) fn standin(self, standin: Options) -> Self {
        Self { standin, ..self }
    }

    /// The key that is sent to the model server.
    pub(crate) fn api_key(self, api_key: &'static str) -> Self {
        Self { api_key, ..self }
    }

    /// Answers that break off go on by themselves.
    pub(crate) fn going_on(self) -> Self {
        Self { goes_on: true, ..self }
    }

    /// What the server bears from who connects.
    pub(crate) fn patience(self, patience: Patience) -> Self {
        Self { patience: Some(patience), ..self }
    }

    pub(crate) async fn start(mut self) -> TestServer {
        let options = std::mem::take(&mut self.standin);
        let standin = Standin::start_on(("127.0.0.1", 0), options).await.unwrap();
        self.env.extend(environment(&standin.base_url(), self.api_key));
        if self.goes_on {
            let (name, provider) = going_on(&standin.base_url());
            self.env.retain(|(key, _)| key != name);
            self.env.push((name.into(), provider.into()));
        }
        self.start_beside(standin).await
    }

    /// Starts with the providers that were set, if any.
    pub(crate) async fn start_without_standin(self) -> TestServer {
        self.set("models.discover", "false").start_beside(Standin::start().await).await
    }

    async fn start_beside(self, standin: Standin) -> TestServer {
        let Self { folder, env, patience, .. } = self;
        let flags = Flags {
            listen: Some(([127, 0, 0, 1], 0).into()),
            data_dir: Some(folder.path().to_owned()),
            config: None,
        };
        let config = Config::load(&flags, env).unwrap().config;
        let reader = Path::new(env!("CARGO_BIN_EXE_unbroken"));
        let server = Server::open_with_reader(config, reader).await.unwrap();
        let server = match patience {
            Some(patience) => server.with_patience(patience),
            None => server,
        };
        let address = server.address();
        let stop = CancellationToken::new();
        let told = stop.clone();
        tokio::spawn(async move { server.run(told.cancelled_owned()).await.unwrap() });
        let http = Client::builder().no_proxy().build().unwrap();
        TestServer { standin, address, http, stop, folder }
    }
}

/// The variables that make a model server the only provider, one that is never called to go on.
pub(super) fn environment(base_url: &str, api_key: &str) -> [(OsString, OsString); 2] {
    let key = if api_key.is_empty() { String::new() } else { format!(", api_key = \"{api_key}\"") };
    let providers = format!(
        "[{{ id = \"standin\", name = \"Stand-in\", base_url = \"{base_url}\", continuation = \"none\"{key} }}]"
    );
    [
        ("UNBROKEN__MODELS__DISCOVER".into(), "false".into()),
        ("UNBROKEN__PROVIDERS".into(), providers.into()),
    ]
}

/// The same provider, which goes on by the best means that it has.
pub(crate) fn going_on(base_url: &str) -> (&'static str, String) {
    let provider =
        format!("[{{ id = \"standin\", name = \"Stand-in\", base_url = \"{base_url}\" }}]");
    ("UNBROKEN__PROVIDERS", provider)
}

/// A running server with its model server.
pub(crate) struct TestServer {
    pub(crate) standin: Standin,
    pub(crate) address: SocketAddr,
    http: Client,
    stop: CancellationToken,
    folder: TempDir,
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Given::new().start().await
    }

    /// The folder with everything that it keeps.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A request to an address of this server, to be built further.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base()))
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.request(Method::POST, path)
    }

    /// A new device of a new principal.
    pub(crate) async fn device(&self, name: &str) -> Device {
        Device::new(&self.base(), name).await
    }

    /// Stops the model server, and returns once nobody listens there.
    pub(crate) async fn stop_standin(&mut self) {
        let other = Standin::start().await;
        std::mem::replace(&mut self.standin, other).stop().await;
    }

    /// Tells the server to stop, as a signal does.
    pub(crate) fn shut_down(&self) {
        self.stop.cancel();
    }
}
