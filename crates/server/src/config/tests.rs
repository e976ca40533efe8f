use std::fs;

use tempfile::TempDir;

use super::*;

/// A folder with files, an environment and flags, as they are put together.
struct Given {
    folder: TempDir,
    env: Vec<(OsString, OsString)>,
    flags: Flags,
}

impl Given {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let flags = Flags { data_dir: Some(folder.path().to_owned()), ..Flags::default() };
        Self { folder, env: Vec::new(), flags }
    }

    fn file(self, name: &str, text: &str) -> Self {
        fs::write(self.path(name), text).unwrap();
        self
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    fn listen(mut self, address: &str) -> Self {
        self.flags.listen = Some(address.parse().unwrap());
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn load(&self) -> Result<Loaded, ConfigError> {
        Config::load(&self.flags, self.env.iter().cloned())
    }

    fn ok(&self) -> Loaded {
        self.load().unwrap()
    }

    /// The error's text, with `@` for the folder.
    fn error(&self) -> String {
        let folder = self.folder.path().to_str().unwrap();
        self.load().unwrap_err().to_string().replace(folder, "@")
    }
}

#[test]
fn a_later_layer_wins_and_is_named() {
    let given = Given::new();
    let place = |loaded: &Loaded| loaded.provenance["http.listen"].to_string();
    let listens = |loaded: &Loaded| loaded.config.http.listen.port();
    assert_eq!((listens(&given.ok()), place(&given.ok()).as_str()), (8484, "default"));

    let given = given.file("unbroken.toml", "http.listen = '127.0.0.1:1'\nlog.level = 'debug'");
    let file = given.path("unbroken.toml").display().to_string();
    assert_eq!((listens(&given.ok()), place(&given.ok())), (1, file));

    let given = given
        .env("UNBROKEN_ENV", "uat")
        .file("unbroken.uat.toml", "[http]\nlisten = '127.0.0.1:2'");
    let file = given.path("unbroken.uat.toml").display().to_string();
    assert_eq!((listens(&given.ok()), place(&given.ok())), (2, file));

    let given = given.env("UNBROKEN__HTTP__LISTEN", "127.0.0.1:3");
    let loaded = given.ok();
    assert_eq!((listens(&loaded), place(&loaded).as_str()), (3, "UNBROKEN__HTTP__LISTEN"));

    let given = given.listen("127.0.0.1:4");
    let loaded = given.ok();
    assert_eq!((listens(&loaded), place(&loaded).as_str()), (4, "--listen"));
    assert_eq!(loaded.config.log.level, LogLevel::Debug, "a layer hides only its own keys");
}

#[test]
fn a_variable_is_read_as_toml_and_else_as_text() {
    let loaded = Given::new()
        .env("UNBROKEN__AUTH__OPEN", "true")
        .env("UNBROKEN__AUTH__ACCESS_CODE", "12345678")
        .env("UNBROKEN__MODELS__DEFAULT", "'quoted'")
        .env("UNBROKEN__SHUTDOWN__DRAIN_SECONDS", "5")
        .env("UNBROKEN__HTTP__WORKERS", "1000")
        .env("UNBROKEN__HTTP__CORS_ORIGINS", "['https://a.example', 'http://b.example:8080']")
        .env(
            "UNBROKEN__PROVIDERS",
            "[{ id = 'x', name = 'X', base_url = 'http://127.0.0.1:1/v1' }]",
        )
        .ok();
    let Config { auth, models, shutdown, http, providers, .. } = &loaded.config;
    assert!(auth.open);
    assert_eq!(auth.access_code.as_ref().map(Secret::reveal), Some("12345678"));
    assert_eq!(models.default.as_deref(), Some("quoted"));
    assert_eq!(shutdown.drain(), Duration::from_secs(5));
    assert_eq!(http.cors_origins.len(), 2);
    assert_eq!(http.workers(), 64);
    assert_eq!(providers.len(), 1);
}

#[test]
fn the_file_is_looked_for_where_the_variable_says() {
    let mut given = Given::new().file("unbroken.toml", "models.default = 'found'");
    given.flags = Flags::default();
    let folder = given.folder.path().to_str().unwrap().to_owned();
    let given = given.env("UNBROKEN__STORE__DATA_DIR", &folder);
    assert_eq!(given.ok().config.models.default.as_deref(), Some("found"));
}

#[test]
fn a_named_file_stands_for_the_one_in_the_data_folder() {
    let mut given = Given::new()
        .file("unbroken.toml", "models.default = 'wrong'")
        .file("other.toml", "models.default = 'right'");
    given.flags.config = Some(given.path("other.toml"));
    assert_eq!(given.ok().config.models.default.as_deref(), Some("right"));

    given.flags.config = Some(given.path("none.toml"));
    assert!(given.error().starts_with("cannot read @/none.toml: "));
}

#[test]
fn an_unknown_key_is_an_error_wherever_it_stands() {
    assert_eq!(
        Given::new().file("unbroken.toml", "[http]\nlisten_on = ''").error(),
        "unknown key http.listen_on in @/unbroken.toml: did you mean http.listen?"
    );
    assert_eq!(
        Given::new().file("unbroken.toml", "listen = ''").error(),
        "unknown key listen in @/unbroken.toml: did you mean http.listen?"
    );
    assert_eq!(
        Given::new().file("unbroken.toml", "[telemetry]\na = 1").error(),
        "unknown key telemetry in @/unbroken.toml"
    );
    assert_eq!(
        Given::new().env("UNBROKEN__AUTH__ACESS_CODE", "x").error(),
        "unknown key auth.acess_code in UNBROKEN__AUTH__ACESS_CODE: did you mean auth.access_code?"
    );
    assert_eq!(
        Given::new().env("UNBROKEN__HTTP__LISTEN__PORT", "1").error(),
        "unknown key http.listen.port in UNBROKEN__HTTP__LISTEN__PORT: did you mean http.listen?"
    );
}

#[test]
fn a_wrong_value_names_key_place_and_what_is_expected() {
    let error = |line: &str| Given::new().file("unbroken.toml", line).error();
    assert_eq!(
        error("http.listen = 8484"),
        "http.listen in @/unbroken.toml: expected a text in quotes, found a whole number"
    );
    assert_eq!(
        error("http.listen = 'localhost:8484'"),
        "http.listen in @/unbroken.toml: expected an IP address and a port, such as \
         \"127.0.0.1:8484\""
    );
    assert_eq!(
        error("http = 'x'"),
        "http in @/unbroken.toml: expected a table, found a text in quotes"
    );
    assert_eq!(
        error("http.public_url = 'https://a.example/chat'"),
        "http.public_url in @/unbroken.toml: expected scheme and host without a path, such as \
         \"https://chat.example.com\""
    );
    assert_eq!(
        error("store.durability = 'none'"),
        "store.durability in @/unbroken.toml: unknown variant `none`, expected `process` or `power`"
    );
    assert_eq!(
        error("limits.starts_per_minute = -1"),
        "limits.starts_per_minute in @/unbroken.toml: invalid value: integer `-1`, expected u32"
    );
    assert_eq!(
        Given::new().env("UNBROKEN__MODELS__DISCOVER", "maybe").error(),
        "models.discover in UNBROKEN__MODELS__DISCOVER: expected true or false, found a text in \
         quotes"
    );
    assert_eq!(
        Given::new().env("UNBROKEN_ENV", "../x").error(),
        "UNBROKEN_ENV is \"../x\": expected letters, digits, - and _, such as \"production\""
    );
}

#[test]
fn a_broken_file_is_located_without_its_text() {
    let given = Given::new().file("unbroken.toml", "[auth]\naccess_code = hunter2hunter2\n");
    let error = given.error();
    assert!(error.starts_with("@/unbroken.toml, line 2: "), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn listening_beyond_loopback_needs_a_code_or_a_word() {
    let given = Given::new().listen("0.0.0.0:8484");
    assert_eq!(
        given.error(),
        "other machines can reach http.listen = \"0.0.0.0:8484\" (from --listen): set \
         auth.access_code to a code that people type once, or auth.open = true if everyone who \
         reaches it may use it"
    );
    given.env("UNBROKEN__AUTH__OPEN", "true").ok();
    Given::new().listen("[::]:8484").env("UNBROKEN__AUTH__ACCESS_CODE", "open sesame").ok();
    Given::new().listen("127.9.9.9:8484").ok();
    assert!(Given::new().listen("[::]:0").env("UNBROKEN__AUTH__ACCESS_CODE", " ").load().is_err());
}

#[test]
fn no_secret_is_shown() {
    let loaded = Given::new()
        .file("unbroken.toml", "[[providers]]\nid = 'a'\nname = 'A'\nbase_url = 'http://127.0.0.1:1/v1'\napi_key = 'sk-secret'")
        .env("UNBROKEN__AUTH__ACCESS_CODE", "open sesame")
        .ok();
    let shown = loaded.show();
    assert!(shown.contains("auth.access_code = \"•••\"  # UNBROKEN__AUTH__ACCESS_CODE"), "{shown}");
    assert!(shown.contains("api_key = \"•••\""), "{shown}");
    assert!(!shown.contains("sesame") && !shown.contains("sk-secret"), "{shown}");
    assert!(!format!("{:?}", loaded.config.auth).contains("sesame"));
}

#[test]
fn embeddings_are_a_section_of_their_own() {
    let section = "[sources.embeddings]\nkind = 'openai'\nbase_url = 'https://a.example/v1'\n";
    let given = |more: &str| Given::new().file("unbroken.toml", &format!("{section}{more}"));
    let loaded = given("model = 'm'\napi_key = 'sk-secret'").ok();
    let embeddings = loaded.config.sources.embeddings.as_ref().unwrap();
    assert_eq!(embeddings.model.as_deref(), Some("m"));
    assert!(embeddings.open().is_ok());
    let shown = loaded.show();
    assert!(shown.contains("sources.embeddings = {") && !shown.contains("sk-secret"), "{shown}");
    assert!(!format!("{:?}", loaded.config.sources).contains("sk-secret"));
    assert!(Given::new().ok().config.sources.embeddings.is_none());
    let error = given("modell = 'm'").error();
    assert!(error.contains("sources.embeddings") && error.contains("modell"), "{error}");
    let variable = "{ kind = 'ollama', base_url = 'http://127.0.0.1:11434', model = 'm' }";
    let loaded = Given::new().env("UNBROKEN__SOURCES__EMBEDDINGS", variable).ok();
    assert!(loaded.config.sources.embeddings.is_some());
}

#[test]
fn a_reranker_is_a_section_of_its_own() {
    let section = "[sources.reranker]\nbase_url = 'https://a.example/v1'\napi_key = 'sk-secret'\n";
    let loaded = Given::new().file("unbroken.toml", section).ok();
    assert!(loaded.config.sources.reranker.as_ref().unwrap().open().is_ok());
    let shown = loaded.show();
    assert!(shown.contains("sources.reranker = {") && !shown.contains("sk-secret"), "{shown}");
    assert!(Given::new().ok().config.sources.reranker.is_none());
    let variable = "{ base_url = 'http://127.0.0.1:8012/v1' }";
    let loaded = Given::new().env("UNBROKEN__SOURCES__RERANKER", variable).ok();
    assert!(loaded.config.sources.reranker.is_some());
}

#[test]
fn what_is_shown_is_the_same_configuration_again() {
    let mut given = Given::new();
    given.flags = Flags::default();
    let shown = given.ok().show();
    let given = given.file("again.toml", &shown);
    let again = Flags { config: Some(given.path("again.toml")), ..Flags::default() };
    let again = Config::load(&again, []).unwrap();
    let values = |shown: &str| shown.parse::<Table>().unwrap();
    assert_eq!(values(&again.show()), values(&shown));
}

#[test]
fn what_is_unwise_is_said() {
    let keys = |given: &Given| -> Vec<_> { given.ok().check().iter().map(|w| w.key).collect() };
    assert_eq!(keys(&Given::new()), [""; 0]);
    assert_eq!(keys(&Given::new().env("UNBROKEN_ENV", "uat")), ["UNBROKEN_ENV"]);
    let given = Given::new()
        .listen("0.0.0.0:1")
        .env("UNBROKEN__AUTH__OPEN", "true")
        .env("UNBROKEN__AUTH__ACCESS_CODE", "short");
    assert_eq!(keys(&given), ["auth.access_code", "auth.open", "http.public_url"]);
    let given = Given::new().env("UNBROKEN__HTTP__PUBLIC_URL", "http://chat.example.com");
    assert_eq!(keys(&given), ["http.public_url"]);
}

#[test]
fn every_key_of_the_default_file_is_documented() {
    let lines: Vec<_> = DEFAULT.lines().collect();
    let is_key = |line: &str| line.contains(" = ") && !line.starts_with('#');
    let documented = lines.windows(2).filter(|two| two[0].starts_with("# ") && is_key(two[1]));
    assert_eq!(documented.count(), layer::leaves(&DEFAULT.parse().unwrap()).len());
}
