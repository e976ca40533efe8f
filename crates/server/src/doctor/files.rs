//! Reading files that people bring: a process of its own has to start and to answer.

use unbroken_documents::reader::Reader;

use super::Finding;
use crate::config::Config;

const FILES: &str = "files";

pub(super) async fn examine(config: &Config) -> Finding {
    let reader = match Reader::new(config.sources.limits(), 1) {
        Ok(reader) => reader,
        Err(error) => return failed(&error.to_string()),
    };
    match reader.read("doctor.txt", &b"Whales sing."[..]).await {
        Ok(Ok(_)) => Finding::ok(FILES, "A process to read them starts and answers."),
        Ok(Err(refusal)) => failed(refusal.code()),
        Err(error) => failed(&error.to_string()),
    }
}

fn failed(why: &str) -> Finding {
    Finding::failed(
        FILES,
        format!(
            "The process that reads them does not work ({why}): let this binary start itself, and \
             look at sources.read_memory_mb."
        ),
    )
}
