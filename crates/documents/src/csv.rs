//! Tables as text: values with commas, semicolons, tabs or bars between them.

use csv::{ReaderBuilder, StringRecord};

use crate::blocks::Blocks;
use crate::{Document, Kind, Limits, Refusal, text};

/// Lines whose number of separators tells which it is.
const SAMPLE: usize = 20;

pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Result<Document, Refusal> {
    let source = text::decode(bytes);
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator(&source))
        .from_reader(source.as_bytes());
    let mut blocks = Blocks::new(limits);
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(|_| Refusal::Damaged)? {
        blocks.row(&record.iter().collect::<Vec<_>>())?;
    }
    blocks.finish(Kind::Csv, None)
}

/// The one that stands in every line, and most often.
fn separator(source: &str) -> u8 {
    let lines: Vec<_> = source.lines().filter(|line| !line.is_empty()).take(SAMPLE).collect();
    let least = |separator: u8| {
        let count = |line: &&str| line.bytes().filter(|byte| *byte == separator).count();
        lines.iter().map(count).min().unwrap_or_default()
    };
    let all = [b'|', b'\t', b';', b','];
    all.into_iter().max_by_key(|separator| least(*separator)).unwrap_or(b',')
}
