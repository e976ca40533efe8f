//! The processes that are measured, and the model server behind them. Each is ended when dropped.

use std::{
    fs::{self, File},
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use tokio::signal::unix::{SignalKind, signal};

use crate::command::{command, run, say, succeeds};

const PATIENCE: Duration = Duration::from_secs(30);

/// What runs now, to be ended when this program is told to end.
static RUNNING: Mutex<Vec<(u32, End)>> = Mutex::new(Vec::new());

/// How a program is ended.
#[derive(Clone, Copy)]
pub(super) enum End {
    /// At once.
    Kill,
    /// By itself: it has processes of its own.
    Tell,
}

/// From now on a signal that ends this program ends first what it has started.
pub(super) fn end_with_this() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let listen = |kind| {
        let _context = runtime.enter();
        signal(kind)
    };
    let (mut terminate, mut interrupt) =
        (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    std::thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        });
        // Held to the end: nothing is started any more.
        let running = running();
        for (id, end) in running.iter() {
            let signal = match end {
                End::Kill => "-KILL",
                End::Tell => "-TERM",
            };
            succeeds("kill", &[signal, &id.to_string()]);
        }
        std::process::exit(1);
    });
    Ok(())
}

fn running() -> MutexGuard<'static, Vec<(u32, End)>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Killed when it is dropped.
pub(super) struct Process {
    child: Child,
    /// Kept: a process that prints into a closed pipe dies.
    stdout: Option<BufReader<ChildStdout>>,
}

/// Starts a program that ends with this one.
pub(super) fn spawn(command: &mut Command, end: End) -> Result<Process> {
    let program = command.get_program().display().to_string();
    let mut running = running();
    let mut child = command.spawn().with_context(|| format!("cannot start {program}"))?;
    running.push((child.id(), end));
    let stdout = child.stdout.take().map(BufReader::new);
    Ok(Process { child, stdout })
}

impl Process {
    /// What it prints until its end.
    pub(super) fn output(mut self) -> Result<Vec<u8>> {
        let mut output = Vec::new();
        self.stdout.take().context("it is not read")?.read_to_end(&mut output)?;
        self.child.wait()?;
        Ok(output)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Its id may be another's from here on.
        running().retain(|(id, _)| *id != self.child.id());
    }
}

pub(super) struct Standin {
    /// `127.0.0.1:PORT`
    pub(super) address: String,
    _process: Process,
}

impl Standin {
    pub(super) fn start(binary: &Path) -> Result<Self> {
        let mut command = command(binary);
        command.args(["--listen", "127.0.0.1:0"]);
        let (process, line) = start_and_read(&mut command)?;
        let address = line.strip_prefix("The stand-in listens on http://");
        let address = address.and_then(|rest| rest.strip_suffix("/v1"));
        let address = address.with_context(|| format!("the stand-in said `{line}`"))?.to_owned();
        Ok(Self { address, _process: process })
    }
}

pub(super) struct Server {
    pub(super) address: String,
    /// Milliseconds until its first answer to a request.
    pub(super) started: f64,
    /// Of its process.
    pub(super) id: u32,
    _process: Process,
}

impl Server {
    pub(super) fn start(binary: &Path, folder: &Path, standin: &str) -> Result<Self> {
        Self::start_with(binary, folder, standin, &[])
    }

    /// As [`Self::start`], with further variables of the environment.
    pub(super) fn start_with(
        binary: &Path,
        folder: &Path,
        standin: &str,
        environment: &[(&str, &str)],
    ) -> Result<Self> {
        let provider = format!(
            "[{{ id = \"standin\", name = \"Stand-in\", base_url = \"http://{standin}/v1\" }}]"
        );
        let mut command = command(binary);
        command
            .args(["--listen", "127.0.0.1:0", "--data-dir"])
            .arg(folder.join("data"))
            .env_clear()
            .env("UNBROKEN__MODELS__DISCOVER", "false")
            .env("UNBROKEN__PROVIDERS", provider)
            .env("UNBROKEN__LIMITS__READERS_PER_PERSON", "2000")
            .env("UNBROKEN__LOG__LEVEL", "warn")
            .envs(environment.iter().copied())
            .stderr(File::create(folder.join("server.log"))?);
        let begin = Instant::now();
        let (process, line) = start_and_read(&mut command)?;
        let address = line.strip_prefix("Unbroken is at http://");
        let address = address.with_context(|| format!("the server said `{line}`"))?.to_owned();
        wait_for(&address)?;
        let started = begin.elapsed().as_secs_f64() * 1e3;
        Ok(Self { address, started, id: process.child.id(), _process: process })
    }
}

fn start_and_read(command: &mut Command) -> Result<(Process, String)> {
    let mut process = spawn(command.stdin(Stdio::null()).stdout(Stdio::piped()), End::Kill)?;
    let mut line = String::new();
    process.stdout.as_mut().context("it is not read")?.read_line(&mut line)?;
    Ok((process, line.trim().to_owned()))
}

pub(super) struct Nginx {
    pub(super) address: String,
    pub(super) started: f64,
    process: Process,
}

impl Drop for Nginx {
    /// A master that is killed leaves its workers behind; one that is told to stop does not.
    fn drop(&mut self) {
        let child = &mut self.process.child;
        if succeeds("kill", &[&child.id().to_string()]) {
            let _ = child.wait();
        }
    }
}

impl Nginx {
    pub(super) fn start(binary: &Path, folder: &Path, standin: &str) -> Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let file = folder.join("nginx.conf");
        fs::write(&file, configuration(&address, standin, folder))?;
        let mut command = command(binary);
        command.arg("-p").arg(folder).arg("-c").arg(&file);
        command.arg("-e").arg(folder.join("error.log")).stdin(Stdio::null());
        let begin = Instant::now();
        let process = spawn(&mut command, End::Tell)?;
        wait_for(&address)?;
        let started = begin.elapsed().as_secs_f64() * 1e3;
        Ok(Self { address, started, process })
    }
}

/// A relay that holds nothing back and keeps nothing.
fn configuration(address: &str, standin: &str, folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "daemon off;
worker_processes auto;
worker_rlimit_nofile 20000;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 20000; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream standin {{ server {standin}; keepalive 64; }}
  server {{
    listen {address} backlog=4096;
    location / {{
      proxy_pass http://standin;
      proxy_http_version 1.1;
      proxy_set_header Connection \"\";
      proxy_buffering off;
      proxy_read_timeout 600s;
    }}
  }}
}}
"
    )
}

/// Waits until a request is answered, whatever the answer says.
fn wait_for(address: &str) -> Result<()> {
    let begin = Instant::now();
    while let Err(error) = ask(address) {
        if begin.elapsed() > PATIENCE {
            return Err(error).with_context(|| format!("nothing answers on {address}"));
        }
        sleep(Duration::from_millis(1));
    }
    Ok(())
}

fn ask(address: &str) -> io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(format!("GET / HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes())?;
    stream.read_exact(&mut [0; 12])
}

/// Where nginx is; installed where that may be done without asking.
pub(super) fn nginx() -> Result<Option<PathBuf>> {
    if let Some(nginx) = find() {
        return Ok(Some(nginx));
    }
    let may_install = succeeds("apt-get", &["--version"]) && succeeds("test", &["-w", "/usr/sbin"]);
    if may_install {
        run(command("apt-get").args(["install", "--yes", "--no-install-recommends", "nginx"]))?;
    } else {
        say("there is no nginx: without it there are no ratios (Debian: apt-get install nginx)");
    }
    Ok(find())
}

fn find() -> Option<PathBuf> {
    let places = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/opt/homebrew/bin/nginx"];
    let on_path = succeeds("nginx", &["-v"]).then(|| PathBuf::from("nginx"));
    on_path.or_else(|| places.map(PathBuf::from).into_iter().find(|place| place.exists()))
}
