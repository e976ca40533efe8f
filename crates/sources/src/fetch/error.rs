//! Why a page is not fetched.

/// Each is one sentence that a person can act on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    #[error("This is no address of a web page: it should look like https://example.org/page.")]
    BadAddress,
    #[error("Only addresses with http:// or https:// can be fetched.")]
    Scheme,
    #[error("An address with a name and a password in it is not fetched: remove them.")]
    Credentials,
    #[error("Port {port} is not allowed: only the ports 80 and 443 are, unless settings say more.")]
    Port { port: u16 },
    #[error("{host} is not on the public internet, and settings do not allow it.")]
    NotPublic { host: String },
    #[error("There is no {host}: check the address.")]
    NoSuchHost { host: String },
    #[error("{host} cannot be reached now: try again later.")]
    Unreachable { host: String },
    #[error("{host} did not send the page in time: try again later.")]
    TooSlow { host: String },
    #[error("{host} answered with the status {status}: check the address.")]
    Status { host: String, status: u16 },
    #[error("The address leads on and on to other addresses: use the one where it should end.")]
    TooManyRedirects,
    #[error("The page is larger than {limit} bytes: use a shorter one.")]
    TooLarge { limit: usize },
    #[error("«{media_type}» is neither a page nor a text nor a PDF.")]
    MediaType { media_type: String },
    #[error("The page is damaged, or packed in a way that cannot be read.")]
    Damaged,
    #[error("{host} asks programs not to read this page (robots.txt).")]
    Robots { host: String },
    #[error("{host} does not say whether programs may read it (robots.txt): try again later.")]
    NoRobots { host: String },
}

/// Settings that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    #[error("«{entry}» in allow is neither a host, nor an address, nor a network like 10.0.0.0/8")]
    BadAllow { entry: String },
}
