//! The stored form of records: a version byte, then records with variable-length numbers.
//!
//! A journal row is `version, (generation id, count, record…)…`; a pack is zstd of
//! `version, record…`. A record is `kind, seq, epoch, milliseconds, length, bytes`. The form only
//! grows by new versions and kinds: what an older release wrote stays readable.

use std::cell::RefCell;

use unbroken_protocol::{GenerationId, Timestamp};

use crate::StoreError;
use crate::record::{Body, JournalEntry, Record};

const VERSION: u8 = 1;
const CONTENT: u8 = 1;
const REASONING: u8 = 2;
/// Everything that is neither: the body as JSON.
const JSON: u8 = 3;

/// zstd's fastest level that still halves prose; an answer is packed once.
const PACK_LEVEL: i32 = 3;
/// A pack that claims more than this is damaged, in bytes.
const PACK_LIMIT: usize = 1 << 30;

thread_local! {
    /// Made once: most packs are small, and making it costs more than using it.
    static COMPRESSOR: RefCell<zstd::bulk::Compressor<'static>> = RefCell::new(
        zstd::bulk::Compressor::new(PACK_LEVEL).expect("the level is one of zstd's"),
    );
}

/// One journal row for the records of one commit, in their order.
pub fn encode_journal(records: &[(GenerationId, &Record)]) -> Vec<u8> {
    let text: usize = records.iter().map(|(_, record)| size_hint(record) + 20).sum();
    let mut out = Vec::with_capacity(1 + text);
    out.push(VERSION);
    for entry in records.chunk_by(|(one, _), (next, _)| one == next) {
        out.extend_from_slice(entry[0].0.as_bytes());
        put_number(&mut out, entry.len() as u64);
        for (_, record) in entry {
            put_record(&mut out, record);
        }
    }
    out
}

/// The records of one journal row.
///
/// # Errors
/// [`StoreError::Damaged`] when the bytes are not what [`encode_journal`] writes.
pub fn decode_journal(bytes: &[u8]) -> Result<Vec<JournalEntry>, StoreError> {
    let mut input = Input::versioned(bytes)?;
    let mut entries = Vec::new();
    while !input.0.is_empty() {
        let id = input.take(16)?.try_into().map_err(|_| DAMAGED)?;
        let count = input.number()?;
        let mut records = Vec::new();
        for _ in 0..count {
            records.push(input.record()?);
        }
        entries.push(JournalEntry { generation: GenerationId::from_bytes(id), records });
    }
    Ok(entries)
}

/// One compressed row for a stretch of a generation's log.
pub fn encode_pack(records: &[Record]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(1 + records.iter().map(size_hint).sum::<usize>());
    plain.push(VERSION);
    for record in records {
        put_record(&mut plain, record);
    }
    COMPRESSOR
        .with_borrow_mut(|compressor| compressor.compress(&plain))
        .expect("compressing into memory does not fail")
}

/// The records of one pack.
///
/// # Errors
/// [`StoreError::Damaged`] when the bytes are not what [`encode_pack`] writes.
pub fn decode_pack(bytes: &[u8]) -> Result<Vec<Record>, StoreError> {
    let mut plain = Vec::new();
    let decoder = zstd::stream::read::Decoder::new(bytes).map_err(|_| DAMAGED)?;
    std::io::Read::read_to_end(&mut std::io::Read::take(decoder, PACK_LIMIT as u64), &mut plain)
        .map_err(|_| DAMAGED)?;
    let mut input = Input::versioned(&plain)?;
    let mut records = Vec::new();
    while !input.0.is_empty() {
        records.push(input.record()?);
    }
    Ok(records)
}

const DAMAGED: StoreError = StoreError::Damaged("a record cannot be read");

fn size_hint(record: &Record) -> usize {
    16 + match &record.body {
        Body::Content(text) | Body::Reasoning(text) => text.len(),
        Body::Tool(step) => 256 + step.bytes(),
        _ => 256,
    }
}

fn put_record(out: &mut Vec<u8>, record: &Record) {
    let json;
    let (kind, bytes) = match &record.body {
        Body::Content(text) => (CONTENT, text.as_bytes()),
        Body::Reasoning(text) => (REASONING, text.as_bytes()),
        body => {
            json = serde_json::to_vec(body).expect("a body is plain data");
            (JSON, json.as_slice())
        }
    };
    out.push(kind);
    put_number(out, record.seq);
    put_number(out, u64::from(record.epoch));
    put_number(out, record.at.as_millis().unsigned_abs());
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// LEB128: seven bits a byte, the lowest first.
fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(low_byte(number) | 0x80);
        number >>= 7;
    }
    out.push(low_byte(number));
}

fn low_byte(number: u64) -> u8 {
    number.to_le_bytes()[0]
}

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn versioned(bytes: &'a [u8]) -> Result<Self, StoreError> {
        match bytes.split_first() {
            Some((&VERSION, rest)) => Ok(Self(rest)),
            Some(_) => Err(StoreError::Damaged("the records are of a newer version")),
            None => Err(DAMAGED),
        }
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], StoreError> {
        let (head, rest) = self.0.split_at_checked(len).ok_or(DAMAGED)?;
        self.0 = rest;
        Ok(head)
    }

    fn number(&mut self) -> Result<u64, StoreError> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(DAMAGED)
    }

    fn record(&mut self) -> Result<Record, StoreError> {
        let kind = self.take(1)?[0];
        let seq = self.number()?;
        let epoch = u32::try_from(self.number()?).map_err(|_| DAMAGED)?;
        let at = i64::try_from(self.number()?).map_err(|_| DAMAGED)?;
        let len = usize::try_from(self.number()?).map_err(|_| DAMAGED)?;
        let bytes = self.take(len)?;
        let text = || std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| DAMAGED);
        let body = match kind {
            CONTENT => Body::Content(text()?),
            REASONING => Body::Reasoning(text()?),
            JSON => serde_json::from_slice(bytes).map_err(|_| DAMAGED)?,
            _ => return Err(DAMAGED),
        };
        Ok(Record { epoch, seq, at: Timestamp::from_millis(at), body })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unbroken_protocol::{CompleteStatus, FinishReason, ToolStep};

    use super::*;

    fn body() -> impl Strategy<Value = Body> {
        prop_oneof![
            ".*".prop_map(Body::Content),
            ".*".prop_map(Body::Reasoning),
            (".*", ".*").prop_map(|(call_id, name)| Body::Tool(Box::new(ToolStep {
                call_id,
                phase: "call".into(),
                name,
                data: serde_json::json!({"arguments": [1, null]}),
            }))),
            any::<u64>().prop_map(|n| Body::Complete {
                status: CompleteStatus::Stopped,
                finish_reason: FinishReason::User,
                total_chunks: n,
                input_tokens: 1,
                output_tokens: 2,
                content_chars: n,
                content_sha256: "ab".into(),
                invented_marks: n % 3,
            }),
        ]
    }

    fn record() -> impl Strategy<Value = Record> {
        (any::<u32>(), any::<u64>(), 0..i64::MAX, body()).prop_map(|(epoch, seq, at, body)| {
            Record { epoch, seq, at: Timestamp::from_millis(at), body }
        })
    }

    fn parts(entries: &[JournalEntry]) -> Vec<(GenerationId, &Record)> {
        let parts = entries.iter().flat_map(|JournalEntry { generation, records }| {
            records.iter().map(|record| (*generation, record))
        });
        parts.collect()
    }

    proptest! {
        #[test]
        fn a_pack_reads_what_it_wrote(records in prop::collection::vec(record(), 0..20)) {
            prop_assert_eq!(decode_pack(&encode_pack(&records)).unwrap(), records);
        }

        #[test]
        fn a_journal_row_reads_what_it_wrote(
            entries in prop::collection::vec(prop::collection::vec(record(), 1..5), 0..5)
        ) {
            let entries: Vec<_> = entries
                .into_iter()
                .map(|records| JournalEntry { generation: GenerationId::new(), records })
                .collect();
            prop_assert_eq!(decode_journal(&encode_journal(&parts(&entries))).unwrap(), entries);
        }

        #[test]
        fn damaged_bytes_are_an_error_and_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode_journal(&bytes);
            let _ = decode_pack(&bytes);
            let mut versioned = vec![VERSION];
            versioned.extend(bytes);
            let _ = decode_journal(&versioned);
        }
    }

    /// What the first release wrote. If this fails, a stored answer became unreadable: add a
    /// version instead.
    #[test]
    fn the_first_version_stays_readable() {
        let id = GenerationId::from_bytes([7; 16]);
        let mut row = vec![1];
        row.extend([7; 16]);
        row.extend([2, CONTENT, 1, 1, 0xe8, 0x07, 3, b'a', b'b', b'c']);
        row.extend([REASONING, 0x80, 0x01, 2, 0, 1, b'r']);
        let entries = decode_journal(&row).unwrap();
        let expected = [
            Record {
                epoch: 1,
                seq: 1,
                at: Timestamp::from_millis(1000),
                body: Body::Content("abc".into()),
            },
            Record {
                epoch: 2,
                seq: 128,
                at: Timestamp::from_millis(0),
                body: Body::Reasoning("r".into()),
            },
        ];
        assert_eq!(entries, [JournalEntry { generation: id, records: expected.into() }]);
        assert_eq!(encode_journal(&parts(&entries)), row);
    }
}
