//! Frames that no server would send: the machine stays up, whatever it is told.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};
use unbroken_client::{Config, Hint, Input, Machine, Output, Target};
use unbroken_protocol::{Event, GenerationId, Position};

const IDS: [&str; 2] =
    ["00000000-0000-7000-8000-000000000001", "00000000-0000-7000-8000-000000000002"];

fn numbers() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0_u64..6, 1 => Just(u64::MAX)]
}

prop_compose! {
    fn events()(
        kind in prop::sample::select(vec![
            "connection_established", "hello_ok", "following", "snapshot", "stream_start",
            "content_chunk", "reasoning_chunk", "generation_state", "stream_complete",
            "stream_error", "heartbeat", "pong", "draining", "error", "ok", "what",
        ]),
        id in prop::sample::select(IDS.to_vec()),
        (seq, from, offset, req) in (numbers(), numbers(), numbers(), numbers()),
        epoch in 0_u32..3,
        yes in any::<bool>(),
    ) -> Event {
        let mut event = json!({
            "type": kind, "timestamp": "2026-11-20T09:30:00.250Z", "version": 1, "node": "n",
            "heartbeat_ms": 1, "max_frame": 1, "generation_id": id, "conversation_id": id,
            "message_id": id, "epoch": epoch, "seq": seq, "recovered": yes, "from_seq": from,
            "head_seq": seq, "offset": offset, "state": if yes { "running" } else { "completed" },
            "content": "ß🦀a", "model": "m", "chunk_id": seq, "full_response": "ß", "tokens": 1,
            "total_chunks": 1, "input_tokens": 1, "output_tokens": 0, "finish_reason": "stop",
            "status": if kind == "stream_error" { "failed" } else { "completed" },
            "content_chars": offset, "content_sha256": "", "error": "e", "retryable": yes,
            "code": if yes { "not_found" } else { "storage_unavailable" }, "message": "e",
            "t": 1, "heads": { id: seq }, "reconnect_after_ms": from, "req": req,
        });
        if yes {
            event["seq_from"] = Value::from(from);
        }
        serde_json::from_value(event).expect("each type finds its fields")
    }
}

fn inputs() -> impl Strategy<Value = Input> {
    let id = prop::sample::select(IDS.to_vec())
        .prop_map(|id| id.parse::<GenerationId>().expect("an id"));
    let target = (id.clone(), 0_u64..4, 0_u64..9).prop_map(|(id, seq, offset)| Target {
        conversation_id: None,
        generation_id: (offset < 8).then_some(id),
        after: Position::new(1, seq),
        offset,
    });
    prop_oneof![
        1 => Just(Input::Start),
        1 => Just(Input::Close),
        2 => Just(Input::Opened),
        20 => events().prop_map(Input::Frame),
        1 => prop::sample::select(vec![1006, 4401, 4403]).prop_map(|code| Input::Closed { code }),
        1 => Just(Input::Hint(Hint::Visible)),
        2 => Just(Input::Wake),
        3 => target.prop_map(Input::Follow),
        1 => id.clone().prop_map(Input::Unfollow),
        1 => id.prop_map(Input::Stop),
        1 => Just(Input::Credentials { device_id: None, session_id: None }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn anything_in_any_order_is_survived(
        inputs in prop::collection::vec((inputs(), 0_u64..20_000), 0..120),
    ) {
        let mut machine = Machine::new(Config::default());
        let mut now = Duration::ZERO;
        machine.handle(Input::Start, now);
        for (input, millis) in inputs {
            now += Duration::from_millis(millis);
            machine.handle(input, now);
            let mut ended = Vec::new();
            for output in std::iter::from_fn(|| machine.poll_output()) {
                if let Output::Update(id, update) = output {
                    prop_assert!(!ended.contains(&id), "nothing comes after the end");
                    if update.is_last() {
                        ended.push(id);
                    }
                }
            }
        }
    }
}
