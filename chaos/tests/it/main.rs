//! The short run: every fault at least once, and not a token lost or doubled (B8.3, B8.4, B8.20).

use unbroken_chaos::{Options, run};

#[tokio::test(flavor = "multi_thread")]
async fn a_short_run_loses_and_doubles_nothing() {
    let server = std::env::var_os("UNBROKEN_BIN").expect(
        "UNBROKEN_BIN names the server's binary; `cargo xtask test` builds it and sets the variable",
    );
    let options = Options { seed: 20, minutes: 0.1, clients: 4, server: server.into() };
    let report = run(options).await.unwrap();
    assert!(report.failures.is_empty(), "{report}");
    let mut faults = vec!["kills", "restarts", "pauses", "cuts", "stalls", "swallowed", "outages"];
    faults.extend(report.has_disk().then_some("full disks"));
    for fault in faults {
        assert!(report.count(fault) > 0, "{fault}: none in this run\n{report}");
    }
}
