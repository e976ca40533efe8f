//! The one set of cryptography that TLS uses here.

use std::sync::Once;

/// Makes ring the process's provider unless the program chose one.
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    // An error says that the program chose one before.
    ONCE.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
}
