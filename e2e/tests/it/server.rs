//! The binary `unbroken` on a folder of its own, with a stand-in as its model server.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;
use unbroken_standin::{Options, Standin};

/// The name of the model that answers when nobody has chosen one.
const MODEL: &str = "test-model";

/// Who may read a filled folder, and its long conversation.
pub(crate) struct Filled {
    pub(crate) session: String,
    pub(crate) long: String,
}

/// A running server. Killed when it is dropped.
pub(crate) struct Server {
    process: Child,
    pub(crate) address: String,
    pub(crate) standin: Standin,
    folder: TempDir,
}

impl Server {
    /// The same on a folder as years of use leave it, with one long conversation.
    pub(crate) async fn start_with_history(messages: usize) -> (Self, Filled) {
        let folder = TempDir::new().unwrap();
        let fill = binary().with_file_name("examples").join("fill");
        let filled = Command::new(fill)
            .arg(folder.path())
            .args(["20", &messages.to_string()])
            .output()
            .expect("the build of the tests makes the example `fill`");
        let filled: Value = serde_json::from_slice(&filled.stdout).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let filled = Filled { session: text(&filled["sessions"][0]), long: text(&filled["long"]) };
        (Self::start_in(folder, json!({ MODEL: "numbers:tokens=20,rate=0" })).await, filled)
    }

    /// Starts a server whose best model is one of the stand-in's, by name and parameters
    /// or by its steps.
    pub(crate) async fn start(model: impl Into<Value>) -> Self {
        Self::start_with(json!({ MODEL: model.into() })).await
    }

    /// Starts a server with several models of the stand-in's.
    pub(crate) async fn start_with(models: Value) -> Self {
        Self::start_in(TempDir::new().unwrap(), models).await
    }

    async fn start_in(folder: TempDir, models: Value) -> Self {
        let standin = standin(&models).await;
        let (process, address) = spawn(&folder, &standin, "127.0.0.1:0");
        Self { process, address, standin, folder }
    }

    /// Starts one that has nothing but the built-in guide.
    pub(crate) async fn start_without_a_model() -> Self {
        let standin = Standin::start_on("127.0.0.1:0", Options::default()).await.unwrap();
        let folder = TempDir::new().unwrap();
        let mut command = command(&folder, "127.0.0.1:0");
        let (process, address) = run(command.env("UNBROKEN__MODELS__DISCOVER", "false"));
        Self { process, address, standin, folder }
    }

    /// Starts one whose operator has set this, by its name in the environment.
    pub(crate) async fn start_set(model: impl Into<Value>, name: &str, value: &str) -> Self {
        let standin = standin(&json!({ MODEL: model.into() })).await;
        let folder = TempDir::new().unwrap();
        let mut command = command(&folder, "127.0.0.1:0");
        let command = command
            .env("OPENAI_BASE_URL", standin.base_url())
            .env("UNBROKEN__MODELS__DEFAULT", MODEL)
            .env(name, value);
        let (process, address) = run(command);
        Self { process, address, standin, folder }
    }

    /// Starts one without a model that searches the stand-in's pages.
    pub(crate) async fn start_searching() -> Self {
        let standin = Standin::start_on("127.0.0.1:0", Options::default()).await.unwrap();
        let folder = TempDir::new().unwrap();
        let address = standin.addr();
        let engine = format!("[{{ engine = \"searxng\", url = \"http://{address}\" }}]");
        let mut command = command(&folder, "127.0.0.1:0");
        let command = command
            .env("UNBROKEN__MODELS__DISCOVER", "false")
            .env("UNBROKEN__WEB__SEARCH", engine)
            .env("UNBROKEN__WEB__ALLOW", "[\"127.0.0.1\"]")
            .env("UNBROKEN__WEB__PORTS", format!("[{}]", address.port()));
        let (process, address) = run(command);
        Self { process, address, standin, folder }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The folder with everything that it keeps.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Kills the process as a crash would, and starts another one on the same folder and address.
    pub(crate) fn crash_and_restart(&mut self) {
        self.process.kill().unwrap();
        self.start_again();
    }

    /// The same with another model server, which has these models.
    pub(crate) async fn restart_with(&mut self, models: Value) {
        self.standin = standin(&models).await;
        self.restart();
    }

    /// Ends the process in order, and starts another one on the same folder and address.
    pub(crate) fn restart(&mut self) {
        kill_process(Pid::from_child(&self.process), Signal::TERM).unwrap();
        self.start_again();
    }

    fn start_again(&mut self) {
        self.process.wait().unwrap();
        let (process, address) = spawn(&self.folder, &self.standin, &self.address);
        assert_eq!(address, self.address);
        self.process = process;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn standin(models: &Value) -> Standin {
    let scripts = models.to_string().parse().unwrap();
    let options = Options { scripts, ..Options::default() };
    Standin::start_on("127.0.0.1:0", options).await.unwrap()
}

fn spawn(folder: &TempDir, standin: &Standin, listen: &str) -> (Child, String) {
    let mut command = command(folder, listen);
    run(command.env("OPENAI_BASE_URL", standin.base_url()).env("UNBROKEN__MODELS__DEFAULT", MODEL))
}

fn command(folder: &TempDir, listen: &str) -> Command {
    let mut command = Command::new(binary());
    command
        .args(["serve", "--listen", listen, "--data-dir"])
        .arg(folder.path())
        .env_remove("OPENAI_API_KEY")
        // An answer that waits at a gate would hold a restart up for as long as this.
        .env("UNBROKEN__SHUTDOWN__DRAIN_SECONDS", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    command
}

fn run(command: &mut Command) -> (Child, String) {
    let mut process = command.spawn().expect("the server starts");
    let output = BufReader::new(process.stdout.take().unwrap());
    let line = output.lines().next().expect("the server says where it is").unwrap();
    let address = line.rsplit("http://").next().unwrap().trim().trim_end_matches('/').to_owned();
    (process, address)
}

fn binary() -> PathBuf {
    std::env::var_os("UNBROKEN_BIN")
        .map(PathBuf::from)
        .expect("UNBROKEN_BIN names the server: run these tests with `cargo xtask test`")
}
