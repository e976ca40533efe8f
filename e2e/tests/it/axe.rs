//! axe-core: what a machine can find of what keeps people out.

use serde_json::Value;

use crate::browser::Browser;

/// Deque's axe-core 4.14.1, as it is published (MPL-2.0).
const AXE: &str = include_str!("../../vendor/axe.min.js");

/// Fails when axe finds a violation on the page as it is now.
pub(crate) async fn check(browser: &Browser, state: &str) {
    browser.client.execute(&format!("{AXE}; window.axe = axe;"), vec![]).await.unwrap();
    let script = "
        const done = arguments[0];
        axe.run(document, { resultTypes: ['violations'] })
          .then(result => done(result.violations.map(violation => [
            violation.id, violation.help,
            ...violation.nodes.map(node => node.html + ' -- ' + node.failureSummary),
          ].join('\\n'))))
          .catch(error => done(['axe itself failed: ' + error]));";
    let found = browser.client.execute_async(script, vec![]).await.unwrap();
    let found: Vec<&str> = found.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(found.is_empty(), "{state}: {}", found.join("\n\n"));
}
