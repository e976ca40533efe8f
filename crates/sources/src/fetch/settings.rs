//! What an operator can say about fetching.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use url::Host;

use super::SettingsError;

/// How pages are fetched.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct FetchSettings {
    /// What may be fetched although it is not on the public internet: hosts, addresses, networks.
    pub allow: Vec<String>,
    /// Ports beside 80 and 443.
    pub ports: Vec<u16>,
    /// The largest page in bytes, as it is sent and unpacked.
    pub max_bytes: usize,
    /// How long a page may take, with everything that it takes.
    pub seconds: u64,
}

impl Default for FetchSettings {
    fn default() -> Self {
        Self { allow: Vec::new(), ports: Vec::new(), max_bytes: 5_000_000, seconds: 15 }
    }
}

/// The list `allow`, read.
#[derive(Clone, Debug, Default)]
pub(super) struct Allowed {
    hosts: Vec<String>,
    nets: Vec<IpNet>,
}

impl Allowed {
    pub(super) fn read(entries: &[String]) -> Result<Self, SettingsError> {
        let mut allowed = Self::default();
        for entry in entries {
            let bad = || SettingsError::BadAllow { entry: entry.clone() };
            let bare = entry.trim();
            if let Ok(net) = bare.parse::<IpNet>() {
                allowed.nets.push(net);
            } else if let Ok(address) = bare.parse::<IpAddr>() {
                allowed.nets.push(address.into());
            } else if let Ok(Host::Domain(host)) = Host::parse(bare) {
                allowed.hosts.push(name(&host).to_owned());
            } else {
                return Err(bad());
            }
        }
        Ok(allowed)
    }

    pub(super) fn has_host(&self, host: &str) -> bool {
        self.hosts.iter().any(|allowed| allowed == name(host))
    }

    pub(super) fn has_address(&self, address: IpAddr) -> bool {
        self.nets.iter().any(|net| net.contains(&address))
    }
}

/// A host's name without the dots that may end it.
pub(super) fn name(host: &str) -> &str {
    host.trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(entries: &[&str]) -> Result<Allowed, SettingsError> {
        Allowed::read(&entries.iter().map(|entry| (*entry).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn hosts_addresses_and_networks_are_allowed() {
        let allowed = allowed(&["Wiki.Intern.", "10.1.0.0/16", "fd00::/8", "127.0.0.2"]).unwrap();
        assert!(allowed.has_host("wiki.intern") && allowed.has_host("wiki.intern."));
        assert!(!allowed.has_host("intern") && !allowed.has_host("a.wiki.intern"));
        for (address, expected) in
            [("10.1.2.3", true), ("10.2.0.0", false), ("fd12::1", true), ("127.0.0.2", true)]
        {
            assert_eq!(allowed.has_address(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn an_entry_that_is_neither_is_named() {
        for entry in ["", "http://wiki.intern", "10.0.0.0/33", "a b", "wiki.intern:80"] {
            let error = allowed(&[entry]).map(drop).unwrap_err();
            assert_eq!(error, SettingsError::BadAllow { entry: entry.to_owned() });
        }
    }
}
