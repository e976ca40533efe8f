//! A browser, and what a person does in it: look for roles and names, type, press.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use fantoccini::elements::Element;
use fantoccini::key::Key;
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::DEADLINE;

/// A size of the window, in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u32, pub(crate) u32);

pub(crate) const DESKTOP: Size = Size(1440, 900);
pub(crate) const TABLET: Size = Size(820, 1180);
pub(crate) const PHONE: Size = Size(390, 844);

/// Keeps the last events of a page, for whoever waited in vain. In a block: a constant of the script
/// itself would hide what a test puts on the window under the same name.
const LISTEN: &str = "{
    const heard = window.heard = [];
    const hear = event => {
      const at = Math.round(performance.now());
      const on = event.target?.id || event.target?.ariaLabel || event.target?.tagName;
      heard.push([at, event.type, event.key ?? event.newState ?? '', on].join(' '));
      if (heard.length > 40) heard.shift();
    };
    for (const type of ['keydown', 'keypress', 'keyup', 'click', 'focusin', 'focusout',
                        'beforetoggle', 'toggle']) addEventListener(type, hear, true);
  }";

/// One Chromium with its driver and a profile of its own.
pub(crate) struct Browser {
    pub(crate) client: Client,
    driver: Child,
    _profile: TempDir,
}

impl Drop for Browser {
    /// Ends the driver with every process of its browser, also after a failed test.
    fn drop(&mut self) {
        let group = Pid::from_child(&self.driver);
        let _ = kill_process_group(group, Signal::KILL);
        let _ = self.driver.wait();
    }
}

impl Browser {
    pub(crate) async fn start(size: Size) -> Self {
        Self::start_in(size, "en-US,en").await
    }

    /// One of a person who reads these languages, in this order.
    pub(crate) async fn start_in(size: Size, languages: &str) -> Self {
        let (driver, port) = start_driver();
        let profile = TempDir::new().unwrap();
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities(&profile, size, languages))
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("the driver opens a browser");
        let browser = Self { client, driver, _profile: profile };
        browser.devtools("Page.addScriptToEvaluateOnNewDocument", json!({"source": LISTEN})).await;
        browser.resize(size).await;
        browser
    }

    pub(crate) async fn open(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    pub(crate) async fn close(self) {
        let _ = self.client.clone().close().await;
    }

    /// Lays the page out as on a screen of this size; a phone has touch, too.
    pub(crate) async fn resize(&self, size: Size) {
        let Size(width, height) = size;
        let mobile = width < 600;
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}),
        )
        .await;
        self.devtools("Emulation.setTouchEmulationEnabled", json!({"enabled": mobile})).await;
    }

    /// Asks for `light` or `dark`, as the system's setting does.
    pub(crate) async fn prefer(&self, scheme: &str) {
        let feature = json!({"name": "prefers-color-scheme", "value": scheme});
        self.devtools("Emulation.setEmulatedMedia", json!({"features": [feature]})).await;
    }

    pub(crate) async fn devtools(&self, method: &'static str, params: Value) -> Value {
        let command = DriverCommand {
            path: "goog/cdp/execute",
            body: json!({"cmd": method, "params": params}),
        };
        self.client.issue_cmd(command).await.unwrap()
    }

    /// Everything that the page logged as an error so far.
    pub(crate) async fn console_errors(&self) -> Vec<String> {
        let entries = self.log_of_errors().await;
        entries.iter().map(|entry| entry["message"].to_string()).collect()
    }

    /// The same without what the browser itself says of a network that fails.
    pub(crate) async fn own_console_errors(&self) -> Vec<String> {
        let entries = self.log_of_errors().await;
        let is_network = |entry: &&Value| {
            let message = entry["message"].as_str().unwrap_or_default();
            entry["source"] == "network" || message.contains("WebSocket connection to 'ws://")
        };
        let own = entries.iter().filter(|entry| !is_network(entry));
        own.map(|entry| entry["message"].to_string()).collect()
    }

    async fn log_of_errors(&self) -> Vec<Value> {
        let command = DriverCommand { path: "se/log", body: json!({"type": "browser"}) };
        let entries = self.client.issue_cmd(command).await.unwrap();
        let mut entries = entries.as_array().cloned().unwrap_or_default();
        entries.retain(|entry| entry["level"] == "SEVERE");
        entries
    }

    pub(crate) async fn script(&self, script: &str) -> Value {
        self.client.execute(script, vec![]).await.unwrap()
    }

    /// Runs a script again at every frame of the page until it returns something true.
    pub(crate) async fn until(&self, what: &str, script: &str) -> Value {
        let polled = format!(
            "const done = arguments[0];
             const end = performance.now() + {};
             const test = () => {{ {script} }};
             const step = () => {{
               let value;
               try {{ value = test(); }} catch (error) {{ value = null; }}
               if (value) done(value);
               else if (performance.now() > end) done(null);
               else setTimeout(step, 5);
             }};
             step();",
            DEADLINE.as_millis() - 1000
        );
        let value = self.client.execute_async(&polled, vec![]).await.unwrap();
        assert!(
            !value.is_null(),
            "waited in vain for {what}; the focus is in {}; the page heard {}; it says: {}",
            self.script("return document.activeElement?.outerHTML.slice(0, 200)").await,
            self.script("return window.heard?.join('; ')").await,
            self.text().await
        );
        value
    }

    async fn text(&self) -> String {
        let script = "return document.body.innerText.slice(-2000) + '; its fields hold '
            + [...document.querySelectorAll('input, textarea')]
                .map(field => (field.id || field.name) + '=' + JSON.stringify(field.value));";
        self.script(script).await.to_string()
    }

    /// The visible element with this role and name.
    pub(crate) async fn find(&self, role: &str, name: &str) -> Element {
        self.until(
            &format!("{role} {name:?}"),
            &format!("{ROLES} return find({role:?}, {name:?});"),
        )
        .await;
        let script = format!("{ROLES} return find({role:?}, {name:?});");
        let found = self.client.execute(&script, vec![]).await.unwrap();
        let key = found.as_object().unwrap().values().next().unwrap().as_str().unwrap().to_owned();
        Element::from_element_id(self.client.clone(), key.into())
    }

    /// Whether a visible element with this role and name is there now.
    pub(crate) async fn has(&self, role: &str, name: &str) -> bool {
        let script = format!("{ROLES} return !!find({role:?}, {name:?});");
        self.script(&script).await == true
    }

    /// Waits until no such element is visible.
    pub(crate) async fn gone(&self, role: &str, name: &str) {
        let script = format!("{ROLES} return !find({role:?}, {name:?});");
        self.until(&format!("the end of {role} {name:?}"), &script).await;
    }

    pub(crate) async fn press(&self, role: &str, name: &str) {
        self.find(role, name).await.click().await.unwrap();
    }

    /// Types into whatever has the focus.
    pub(crate) async fn type_text(&self, text: &str) {
        self.client.active_element().await.unwrap().send_keys(text).await.unwrap();
    }

    pub(crate) async fn enter(&self) {
        self.type_text(&Key::Enter.to_string()).await;
    }

    /// Waits until the focus is in an element with this role and name.
    pub(crate) async fn focused(&self, role: &str, name: &str) {
        let script = format!("{ROLES} return find({role:?}, {name:?}) === document.activeElement;");
        self.until(&format!("the focus in {role} {name:?}"), &script).await;
    }

    /// The text of the last answer, as it is shown.
    pub(crate) async fn last_answer(&self) -> String {
        let text = self.script(&format!("{ANSWER} return shown();")).await;
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the last answer's text holds for `condition`, a JavaScript expression in `text`.
    pub(crate) async fn answer_when(&self, condition: &str) -> String {
        let script =
            format!("{ANSWER} const text = shown(); return ({condition}) && (text || ' ');");
        self.until(&format!("an answer with {condition}"), &script)
            .await
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Waits until the last answer is not being written any more, and returns its text.
    pub(crate) async fn answer_ended(&self) -> String {
        self.until(
            "the end of the answer",
            "const all = document.querySelectorAll('main article');
             return all.length > 1 && !document.querySelector('article[aria-busy=\"true\"]');",
        )
        .await;
        self.last_answer().await
    }

    /// The address of the page, without scheme and host.
    pub(crate) async fn place(&self) -> String {
        let place = self.script("return location.pathname + location.search").await;
        place.as_str().unwrap().to_owned()
    }

    pub(crate) async fn reload(&self) {
        self.client.refresh().await.unwrap();
    }

    pub(crate) async fn screenshot(&self) -> Vec<u8> {
        self.client.screenshot().await.unwrap()
    }
}

/// Finds visible elements by what a screen reader would say of them.
const ROLES: &str = r#"
const implicit = { BUTTON: 'button', TEXTAREA: 'textbox', NAV: 'navigation', ARTICLE: 'article',
  MAIN: 'main', DIALOG: 'dialog', A: 'link', OL: 'list', H1: 'heading', H2: 'heading', IMG: 'img' };
const roleOf = e => e.getAttribute('role') || implicit[e.tagName]
  || (e.tagName === 'INPUT' ? ({ search: 'searchbox', checkbox: 'checkbox', radio: 'radio' })[e.type] || 'textbox' : '');
const nameOf = e => {
  const by = e.getAttribute('aria-labelledby');
  if (by) return by.split(' ').map(id => document.getElementById(id)?.textContent || '').join(' ').trim();
  return (e.getAttribute('aria-label') || e.alt || (e.labels && e.labels[0]?.textContent) || e.textContent || '').trim();
};
const visible = e => e.checkVisibility({ visibilityProperty: true }) && e.getClientRects().length > 0;
const find = (role, name) => [...document.querySelectorAll('*')].find(
  e => roleOf(e) === role && nameOf(e) === name && visible(e)) || null;
"#;

/// The text of the last article: without the buttons and lines around it.
const ANSWER: &str = r"
const shown = () => {
  const all = document.querySelectorAll('main article');
  const last = all[all.length - 1];
  if (!last) return '';
  const prose = last.querySelector('.prose') || last;
  return prose.innerText.replace(/\s+/g, ' ').trim();
};
";

fn capabilities(profile: &TempDir, size: Size, languages: &str) -> Capabilities {
    let chromium = std::env::var("CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".into());
    let options = json!({
        "binary": chromium,
        "args": [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--disable-dev-shm-usage", "--hide-scrollbars",
            format!("--user-data-dir={}", profile.path().display()),
            format!("--window-size={},{}", size.0.max(500), size.1),
        ],
        "prefs": {"intl.accept_languages": languages},
    });
    let capabilities = json!({
        "browserName": "chrome",
        "goog:chromeOptions": options,
        "goog:loggingPrefs": {"browser": "ALL"},
        "timeouts": {"script": 30_000, "pageLoad": 30_000},
    });
    capabilities.as_object().unwrap().clone()
}

/// Starts the driver on a port that it chooses itself. It takes one that is free on IPv4 and then
/// the same on IPv6, where another may have it: then it ends, and is started again.
fn start_driver() -> (Child, u16) {
    (0..10).find_map(|_| try_driver()).expect("the driver finds a port")
}

fn try_driver() -> Option<(Child, u16)> {
    let driver = std::env::var("CHROMEDRIVER").unwrap_or_else(|_| "chromedriver".into());
    let mut process = Command::new(driver)
        .arg("--port=0")
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("chromedriver starts; `cargo xtask test` installs it");
    let mut output = BufReader::new(process.stdout.take().unwrap()).lines();
    let port = loop {
        let Some(line) = output.next() else {
            process.wait().unwrap();
            return None;
        };
        let line = line.unwrap();
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            break port.trim_end_matches('.').parse().unwrap();
        }
    };
    // What the driver says later must not block it.
    std::thread::spawn(move || for _ in output {});
    Some((process, port))
}

/// A command of the driver that WebDriver does not know.
#[derive(Debug)]
struct DriverCommand {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for DriverCommand {
    fn endpoint(
        &self,
        base_url: &url::Url,
        session_id: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        base_url.join(&format!("session/{}/{}", session_id.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}
