//! `cargo run -p unbroken-archive --example exports -- SOURCE CONVERSATIONS MESSAGES`: prints what
//! another chat (`chatgpt`, `claude`, `open-webui`, `librechat`) would export.
#![expect(clippy::cast_precision_loss, reason = "times of a test are small")]

mod shapes;

use std::io::{BufWriter, Write as _};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let [source, conversations, messages] = given.as_slice() else {
        return Err("give a source, how many conversations, and how many messages in each".into());
    };
    let (conversations, messages) = (conversations.parse::<usize>()?, messages.parse()?);
    let mut out = BufWriter::new(std::io::stdout().lock());
    for number in 0..conversations {
        out.write_all(if number == 0 { b"[" } else { b"," })?;
        serde_json::to_writer(&mut out, &shapes::conversation(source, number, messages))?;
    }
    out.write_all(b"]")?;
    Ok(out.flush()?)
}
