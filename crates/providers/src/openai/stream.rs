//! The bytes of one answer as [`Event`]s: a state machine without a clock and without a socket.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use unbroken_protocol::FinishReason;

use super::fault::{Endpoint, Refusal};
use super::think::{Piece, Splitter};
use super::tools::Tools;
use super::wire::{self, Chunk, Delta, Fault};
use crate::sse::{Decoder, EVENT_BYTES, SseEvent};
use crate::{Event, Failure, Usage};

/// How long the end of a stream may take after its finish reason: usage comes there.
const TAIL: Duration = Duration::from_secs(5);

/// How long a model server may say nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Before the first token; a comment counts as a sign of life.
    pub first_token: Duration,
    /// Between bytes after it.
    pub idle: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { first_token: Duration::from_mins(2), idle: Duration::from_mins(1) }
    }
}

/// One answer, from its first byte to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    body: Body,
    reading: Reading,
}

/// What kind of body it is shows its first byte, whatever its content type says.
#[derive(Debug)]
enum Body {
    Unknown,
    Events(Decoder),
    Document(Vec<u8>),
}

#[derive(Debug)]
struct Reading {
    endpoint: Arc<Endpoint>,
    model: String,
    think: Splitter,
    tools: Tools,
    usage: Option<Usage>,
    finish: Option<FinishReason>,
    begun: bool,
    over: bool,
    events: VecDeque<Result<Event, Failure>>,
}

impl Answer {
    pub(crate) fn new(endpoint: Arc<Endpoint>, model: String) -> Self {
        let reading = Reading {
            endpoint,
            model,
            think: Splitter::new(),
            tools: Tools::default(),
            usage: None,
            finish: None,
            begun: false,
            over: false,
            events: VecDeque::new(),
        };
        Self { body: Body::Unknown, reading }
    }

    /// The next event that is ready.
    pub(crate) fn next(&mut self) -> Option<Result<Event, Failure>> {
        self.reading.events.pop_front()
    }

    /// Nothing follows what [`Self::next`] still holds.
    pub(crate) fn is_over(&self) -> bool {
        self.reading.over
    }

    /// It is over, and came to the end that the model gave it.
    pub(crate) fn is_whole(&self) -> bool {
        self.reading.over && self.reading.finish.is_some()
    }

    /// How long the server may be silent now.
    pub(crate) fn silence(&self, patience: &Patience) -> Duration {
        if self.reading.finish.is_some() {
            patience.idle.min(TAIL)
        } else if self.reading.begun {
            patience.idle
        } else {
            patience.first_token
        }
    }

    pub(crate) fn bytes(&mut self, mut bytes: &[u8]) {
        if matches!(self.body, Body::Unknown) {
            bytes = bytes.trim_ascii_start();
            match bytes.first() {
                None => return,
                Some(b'<') => return self.reading.fail(self.reading.endpoint.web_page()),
                Some(b'{' | b'[') => self.body = Body::Document(Vec::new()),
                Some(_) => self.body = Body::Events(Decoder::new()),
            }
        }
        match &mut self.body {
            Body::Unknown => {}
            Body::Events(decoder) => {
                let reading = &mut self.reading;
                let taken = decoder.push(bytes, |event| reading.event(event, Part::Whole));
                if taken.is_err() {
                    reading.fail(reading.endpoint.unreadable());
                }
            }
            Body::Document(document) => {
                document.extend_from_slice(bytes);
                if document.len() > EVENT_BYTES {
                    self.reading.fail(self.reading.endpoint.unreadable());
                }
            }
        }
    }

    /// The stream ended, or its connection broke: the finish reason tells whether all of it came.
    pub(crate) fn end(&mut self) {
        let reading = &mut self.reading;
        match std::mem::replace(&mut self.body, Body::Unknown) {
            Body::Unknown => {}
            Body::Events(decoder) => decoder.end(|event| reading.event(event, Part::MayBeCut)),
            Body::Document(document) => reading.chunk(&document, Part::MayBeCut),
        }
        reading.end();
    }

    /// The call failed before its body.
    pub(crate) fn fail(&mut self, failure: Failure) {
        self.reading.fail(failure);
    }

    /// The server said nothing for too long.
    pub(crate) fn silent(&mut self, silence: Duration) {
        if self.reading.finish.is_some() {
            self.reading.end();
        } else {
            self.reading.fail(self.reading.endpoint.silent(silence));
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Whole,
    /// The last thing before the end: when it cannot be read, it is not there.
    MayBeCut,
}

impl Reading {
    fn event(&mut self, event: SseEvent<'_>, part: Part) {
        match event.data.trim_ascii() {
            _ if self.over => {}
            b"" => {}
            b"[DONE]" => self.end(),
            data if event.name == b"error" => {
                let fault = wire::fault(data);
                self.refused(fault);
            }
            data => self.chunk(data, part),
        }
    }

    fn chunk(&mut self, data: &[u8], part: Part) {
        wire::with_chunk(data, |chunk| match chunk {
            Some(chunk) => self.take(chunk),
            None if part == Part::MayBeCut => {}
            None => self.fail(self.endpoint.unreadable()),
        });
    }

    fn take(&mut self, chunk: Chunk<'_>) {
        if let Some(usage) = chunk.usage {
            self.usage = Some(Usage { input_tokens: usage.input(), output_tokens: usage.output() });
        }
        let error = chunk.error.filter(|error| error.present);
        let Some(choice) = chunk.choices.0 else {
            if let Some(error) = error {
                self.refused(*error);
            }
            return;
        };
        if let Some(delta) = choice.delta {
            self.delta(delta);
        } else if let Some(message) = choice.message {
            self.delta(*message);
        }
        if let Some(error) = error.or(choice.error.filter(|error| error.present)) {
            self.refused(*error);
        } else if choice.finish_reason.0 == "error" {
            self.refused(Fault::default());
        } else if let Some(reason) = finish_reason(&choice.finish_reason.0) {
            self.finish = Some(reason);
        }
    }

    fn delta(&mut self, mut delta: Delta<'_>) {
        let reasoning = delta.take_reasoning();
        if !reasoning.is_empty() {
            self.close_call();
            self.think.reasoning_came_apart();
            self.say(Event::Reasoning(reasoning.into_owned()));
        }
        let text =
            if delta.content.text.is_empty() { &delta.refusal.0 } else { &delta.content.text };
        if !text.trim_ascii().is_empty() {
            self.close_call();
        }
        let (events, begun) = (&mut self.events, &mut self.begun);
        self.think.push(text, |piece| {
            *begun = true;
            events.push_back(Ok(event_of(piece)));
        });
        // They do not begin the answer: a server that runs a tool may be silent as long as one
        // that loads a model.
        let tell = |step| events.push_back(Ok(Event::Tool(Box::new(step))));
        if let Some(tools) = delta.executed_tools {
            self.tools.executed(tools, tell);
        }
        if let Some(calls) = delta.tool_calls {
            self.tools.asked(calls, |step| events.push_back(Ok(Event::Tool(Box::new(step)))));
        }
    }

    /// The arguments that were coming are whole.
    fn close_call(&mut self) {
        let events = &mut self.events;
        self.tools.close(|step| events.push_back(Ok(Event::Tool(Box::new(step)))));
    }

    fn say(&mut self, event: Event) {
        self.begun = true;
        self.events.push_back(Ok(event));
    }

    fn end(&mut self) {
        match self.finish {
            Some(reason) => self.close(Ok(Event::Finish(reason))),
            None => self.close(Err(self.endpoint.truncated())),
        }
    }

    fn refused(&mut self, fault: Fault<'_>) {
        let failure = self.endpoint.refused(&Refusal {
            status: None,
            fault,
            is_web_page: false,
            retry_after: None,
            model: Some(&self.model),
        });
        self.fail(failure);
    }

    fn fail(&mut self, failure: Failure) {
        self.close(Err(failure));
    }

    fn close(&mut self, last: Result<Event, Failure>) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        let events = &mut self.events;
        if last.is_ok() {
            self.think.end(|piece| events.push_back(Ok(event_of(piece))));
            self.close_call();
        }
        // What is held of an answer that broke off may be half a marker, or half of a call's
        // arguments: whoever goes on with the answer says it again.
        let events = &mut self.events;
        events.extend(self.usage.take().map(|usage| Ok(Event::Usage(usage))));
        events.push_back(last);
    }
}

fn event_of(piece: Piece<'_>) -> Event {
    match piece {
        Piece::Content(text) => Event::Content(text.into_owned()),
        Piece::Reasoning(text) => Event::Reasoning(text.into_owned()),
    }
}

/// Some servers write an unfinished choice as "" or as the word "null".
fn finish_reason(name: &str) -> Option<FinishReason> {
    Some(match name {
        "" | "null" => return None,
        "stop" | "eos" | "eos_token" | "end_turn" | "stop_sequence" => FinishReason::Stop,
        "length" | "max_tokens" | "model_length" => FinishReason::Length,
        "content_filter" => FinishReason::ContentFilter,
        "tool_calls" | "function_call" => FinishReason::ToolCalls,
        _ => FinishReason::Other,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use unbroken_protocol::{ErrorCode, ToolStep};

    use super::*;

    fn read<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<Result<Event, Failure>> {
        let endpoint = Endpoint {
            shown: "http://127.0.0.1:1/v1".into(),
            key_source: "KEY".into(),
            has_key: false,
        };
        let mut answer = Answer::new(Arc::new(endpoint), "m".into());
        for part in parts {
            answer.bytes(part);
        }
        answer.end();
        assert!(answer.is_over());
        std::iter::from_fn(|| answer.next()).collect()
    }

    /// The events of a stream of these `data:` payloads.
    fn events(payloads: &[&str]) -> Vec<Result<Event, Failure>> {
        let lines: Vec<String> = payloads.iter().map(|data| format!("data: {data}\n\n")).collect();
        read([lines.concat().as_bytes()])
    }

    fn delta(json: &str) -> String {
        format!(r#"{{"choices":[{{"index":0,"delta":{json},"finish_reason":null}}]}}"#)
    }

    #[expect(clippy::unnecessary_wraps, reason = "compared with a stream's items")]
    fn content(text: &str) -> Result<Event, Failure> {
        Ok(Event::Content(text.into()))
    }

    #[expect(clippy::unnecessary_wraps, reason = "compared with a stream's items")]
    fn reasoning(text: &str) -> Result<Event, Failure> {
        Ok(Event::Reasoning(text.into()))
    }

    const FINISH: &str = r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#;
    const STOP: Result<Event, Failure> = Ok(Event::Finish(FinishReason::Stop));

    fn code(last: Option<&Result<Event, Failure>>) -> ErrorCode {
        last.unwrap().as_ref().unwrap_err().code
    }

    #[test]
    fn a_plain_stream_is_text_usage_and_finish() {
        let got = events(&[
            &delta(r#"{"role":"assistant","content":""}"#),
            &delta(r#"{"content":"Hel"}"#),
            &delta(r#"{"role":"assistant","content":"lo"}"#),
            &delta(r#"{"content":null}"#),
            FINISH,
            r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#,
            "[DONE]",
            &delta(r#"{"content":"after the end"}"#),
        ]);
        let usage = Usage { input_tokens: 3, output_tokens: 2 };
        assert_eq!(got, [content("Hel"), content("lo"), Ok(Event::Usage(usage)), STOP]);
    }

    #[test]
    fn done_may_be_missing() {
        assert_eq!(events(&[&delta(r#"{"content":"a"}"#), FINISH]), [content("a"), STOP]);
    }

    #[test]
    fn an_end_without_a_finish_reason_is_truncated() {
        for payloads in [&[][..], &[r#"{"choices":[]}"#], &["[DONE]"]] {
            let mut all = vec![delta(r#"{"content":"a"}"#)];
            all.extend(payloads.iter().map(|payload| (*payload).to_owned()));
            let got = events(&all.iter().map(String::as_str).collect::<Vec<_>>());
            assert_eq!(got[0], content("a"));
            assert_eq!(code(got.last()), ErrorCode::ProviderTruncated);
            assert_eq!(got.len(), 2);
        }
        assert_eq!(code(read([]).last()), ErrorCode::ProviderTruncated);
    }

    #[test]
    fn a_chunk_that_is_cut_by_the_end_is_truncation() {
        let text = format!("data: {}\n\ndata: {{\"choices\":[{{\"del", delta(r#"{"content":"a"}"#));
        let got = read([text.as_bytes()]);
        assert_eq!(got[0], content("a"));
        assert_eq!(code(got.last()), ErrorCode::ProviderTruncated);
    }

    #[test]
    fn usage_may_sit_anywhere_and_the_last_one_counts() {
        let usage = |n: u64| Ok(Event::Usage(Usage { input_tokens: 1, output_tokens: n }));
        let on = |finish: &str, n: u64| {
            format!(
                r#"{{"choices":[{{"delta":{{"content":"a"}},"finish_reason":{finish}}}],
                    "usage":{{"prompt_tokens":1,"completion_tokens":{n}}}}}"#
            )
            .replace('\n', "")
        };
        assert_eq!(
            events(&[&on("null", 1), &on("null", 2), &on("\"stop\"", 3)]),
            [content("a"), content("a"), content("a"), usage(3), STOP]
        );
        let got = events(&[&on("null", 1), r#"{"usage":null}"#]);
        assert_eq!(got[1], usage(1));
        assert_eq!(code(got.last()), ErrorCode::ProviderTruncated);
    }

    #[test]
    fn reasoning_is_read_from_every_field_and_only_once() {
        for json in [
            r#"{"reasoning_content":"hm"}"#,
            r#"{"reasoning":"hm"}"#,
            r#"{"reasoning":"hm","reasoning_details":[{"type":"reasoning.text","text":"hm"}]}"#,
            r#"{"reasoning_content":"hm","reasoning":"hm","content":""}"#,
            r#"{"content":null,"reasoning_details":[{"type":"reasoning.summary","summary":"h"},
                {"type":"reasoning.text","text":"m"},{"type":"reasoning.encrypted","data":"x"}]}"#,
            r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]}]}"#,
            r#"{"content":"<think>hm</think>"}"#,
        ] {
            let got =
                events(&[&delta(&json.replace('\n', "")), &delta(r#"{"content":"a"}"#), FINISH]);
            assert_eq!(got, [reasoning("hm"), content("a"), STOP], "{json}");
        }
    }

    #[test]
    fn half_a_marker_at_a_break_is_neither_text_nor_reasoning() {
        let broken = |text: &str| {
            let mut got = events(&[&delta(&format!(r#"{{"content":"{text}"}}"#))]);
            assert_eq!(code(got.pop().as_ref()), ErrorCode::ProviderTruncated);
            got
        };
        assert_eq!(broken("<thi"), []);
        assert_eq!(broken("<think>hm</th"), [reasoning("hm")]);
        // At its end an answer may say so.
        assert_eq!(events(&[&delta(r#"{"content":"<thi"}"#), FINISH]), [content("<thi"), STOP]);
    }

    const ASKED: Result<Event, Failure> = Ok(Event::Finish(FinishReason::ToolCalls));
    const ASKS: &str = r#"{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#;

    #[expect(clippy::unnecessary_wraps, reason = "compared with a stream's items")]
    fn told(call_id: &str, phase: &str, name: &str, data: Value) -> Result<Event, Failure> {
        let [call_id, phase, name] = [call_id, phase, name].map(str::to_owned);
        Ok(Event::Tool(Box::new(ToolStep { call_id, phase, name, data })))
    }

    fn call(call_id: &str, name: &str, arguments: Value) -> Result<Event, Failure> {
        told(call_id, "call", name, [("arguments".to_owned(), arguments)].into_iter().collect())
    }

    /// A delta with this list of pieces.
    fn asked(pieces: &Value) -> String {
        delta(&json!({ "tool_calls": pieces }).to_string())
    }

    fn executed(tools: &Value) -> String {
        delta(&json!({ "executed_tools": tools }).to_string())
    }

    fn read_all(payloads: &[String]) -> Vec<Result<Event, Failure>> {
        events(&payloads.iter().map(String::as_str).collect::<Vec<_>>())
    }

    #[test]
    fn a_call_that_comes_in_pieces_is_told_once_it_is_whole() {
        let got = read_all(&[
            delta(r#"{"content":"Let me see."}"#),
            asked(&json!([{"index": 0, "id": "a", "function": {"name": "wea", "arguments": ""}}])),
            asked(&json!([{"index": 0, "function": {"name": "ther", "arguments": "{\"in\":"}}])),
            asked(&json!([{"index": 0, "function": {"arguments": " \"Rome\"}"}},
                {"index": 1, "id": "b", "function": {"name": "clock", "arguments": "{}"}}])),
            delta(r#"{"content":" "}"#),
            delta(r#"{"content":"Well,"}"#),
            asked(&json!([{"index": 2, "function": {"name": "last", "arguments": "not JSON"}}])),
            ASKS.to_owned(),
        ]);
        let expected = [
            content("Let me see."),
            call("a", "weather", json!({"in": "Rome"})),
            content(" "),
            call("b", "clock", json!({})),
            content("Well,"),
            call("call-2", "last", json!("not JSON")),
            ASKED,
        ];
        assert_eq!(got, expected);
    }

    #[test]
    fn calls_without_an_index_or_an_id_are_told_apart() {
        // The whole name again with every piece.
        let got = read_all(&[
            asked(&json!([{"function": {"name": "f", "arguments": "{\"a\""}}])),
            asked(&json!([{"function": {"name": "f", "arguments": ":1}"}}])),
            asked(&json!([{"function": {"name": "f", "arguments": {"a": 2}}}])),
            ASKS.to_owned(),
        ]);
        let [one, two] =
            [call("call-0", "f", json!({"a": 1})), call("call-1", "f", json!({"a": 2}))];
        assert_eq!(got, [one, two, ASKED]);
        // Every one the first, by an index that is not counted.
        let whole =
            |id: &str| json!({"index": 0, "id": id, "function": {"name": "f", "arguments": "{}"}});
        let got = read_all(&[asked(&json!([whole("x"), whole("y")])), ASKS.to_owned()]);
        assert_eq!(got, [call("x", "f", json!({})), call("y", "f", json!({})), ASKED]);
        let got = read_all(&[asked(&json!([whole(""), whole("")])), ASKS.to_owned()]);
        assert_eq!(got, [call("call-0", "f", json!({})), call("call-1", "f", json!({})), ASKED]);
    }

    #[test]
    fn a_call_whose_arguments_broke_off_is_not_told() {
        let piece =
            json!([{"index": 0, "id": "a", "function": {"name": "f", "arguments": "{\"a"}}]);
        let got = read_all(&[asked(&piece)]);
        assert_eq!(got.len(), 1);
        assert_eq!(code(got.last()), ErrorCode::ProviderTruncated);
    }

    #[test]
    fn a_tool_that_the_server_ran_is_told_when_it_is_called_and_when_it_is_done() {
        let search = json!({"index": 0, "type": "search", "arguments": "{\"query\":\"whales\"}"});
        let mut found = search.clone();
        found["output"] = json!("Title: Whales");
        found["search_results"] = json!({"results": [{"title": "Whales"}]});
        let got = read_all(&[
            executed(&json!([search])),
            executed(&json!([found])),
            executed(&json!([{"index": 1, "type": "python", "arguments": "{}", "output": null,
                "code_results": [{"text": "4"}]},
                {"index": 2, "type": "mcp", "name": "visit", "id": "v", "error": {"message": "Gone."}}])),
            delta(r#"{"content":"So."}"#),
            // Once more, as some say everything at the end.
            executed(&json!([found])),
            FINISH.to_owned(),
        ]);
        let result = |id: &str, name: &str, output: Value| {
            told(id, "result", name, json!({ "output": output }))
        };
        let expected = [
            call("executed-0", "search", json!({"query": "whales"})),
            result("executed-0", "search", json!("Title: Whales")),
            call("executed-1", "python", json!({})),
            result("executed-1", "python", json!([{"text": "4"}])),
            call("v", "visit", json!("")),
            told("v", "error", "visit", json!({"message": "Gone."})),
            content("So."),
            STOP,
        ];
        assert_eq!(got, expected);
    }

    #[test]
    fn what_is_too_long_is_cut_and_what_is_too_much_is_dropped() {
        let long = "é".repeat(20 << 10);
        let name = "ñ".repeat(201);
        let got = read_all(&[
            executed(&json!([{"type": name, "arguments": long, "output": format!("x{long}")}])),
            FINISH.to_owned(),
        ]);
        let Ok(Event::Tool(call)) = &got[0] else { panic!("{:?}", got[0]) };
        assert_eq!(call.name.chars().count(), 200);
        assert_eq!(call.data, json!({"arguments": "é".repeat(16 << 10), "cut": true}));
        let Ok(Event::Tool(result)) = &got[1] else { panic!("{:?}", got[1]) };
        // Never within a character.
        let output = format!("x{}", "é".repeat((16 << 10) - 1));
        assert_eq!(result.data, json!({"output": output, "cut": true}));

        let many: Vec<Value> = (0..150)
            .map(|n| json!({"index": n, "function": {"name": "f", "arguments": "{}"}}))
            .collect();
        let got = read_all(&[
            asked(&json!(many)),
            executed(&json!([{"type": "search"}])),
            ASKS.to_owned(),
        ]);
        assert_eq!((got.len(), got.last()), (101, Some(&ASKED)));
    }

    #[test]
    fn json_that_no_reader_would_follow_is_a_text() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        for (arguments, is_json) in
            [(nested(32), true), (nested(33), false), (nested(9_000), false)]
        {
            let got = read_all(&[
                executed(&json!([{"type": "f", "arguments": arguments}])),
                FINISH.to_owned(),
            ]);
            let Ok(Event::Tool(step)) = &got[0] else { panic!("{:?}", got[0]) };
            assert_eq!(step.data["arguments"].is_array(), is_json);
            let stored = serde_json::to_string(&step.data).unwrap();
            assert_eq!(serde_json::from_str::<Value>(&stored).unwrap(), step.data);
        }
    }

    #[test]
    fn the_calls_of_an_answer_together_have_an_end() {
        let output = "x".repeat(40 << 10);
        let tool = |index: u64| {
            executed(&json!([{"index": index, "type": "search", "arguments": "{}",
                "output": output}]))
        };
        let told: Vec<_> = read_all(&(0..60).map(tool).collect::<Vec<_>>())
            .into_iter()
            .filter_map(|event| match event {
                Ok(Event::Tool(step)) => Some(step.bytes()),
                _ => None,
            })
            .collect();
        let bytes: usize = told.iter().sum();
        assert!((512 << 10..600 << 10).contains(&bytes), "{} steps of {bytes} bytes", told.len());
    }

    #[test]
    fn nothing_in_a_tool_call_ends_the_stream() {
        let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
        for odd in [
            "null",
            "7",
            "1e999",
            "\"x\"",
            "{}",
            "[null, 7, 1e999, [], \"x\", {}]",
            &deep,
            r#"[{"index": -1, "id": 5, "function": null}]"#,
            r#"[{"index": "x", "function": {"name": ["f"], "arguments": [1e999]}}]"#,
            r#"[{"id": "\ud800", "function": {"name": "\ud800", "arguments": "\ud800"}}]"#,
            r#"[{"index": 1e400, "type": {}, "name": 7, "error": [], "output": {}}]"#,
        ] {
            for field in ["tool_calls", "executed_tools"] {
                let payload = format!(r#"{{"{field}":{odd},"content":"a"}}"#);
                let got = read_all(&[delta(&payload), FINISH.to_owned()]);
                assert_eq!(got.last(), Some(&STOP), "{payload}");
                assert!(got.contains(&content("a")), "{payload}");
            }
        }
    }

    #[test]
    fn choices_may_be_missing_null_or_empty() {
        let got = events(&[
            r#"{"prompt_filter_results":[{}],"choices":[]}"#,
            r#"{"choices":null}"#,
            "{}",
            &delta("null"),
            r#"{"choices":[{}]}"#,
            FINISH,
        ]);
        assert_eq!(got, [STOP]);
    }

    #[test]
    fn finish_reasons_are_mapped_and_unknown_ones_are_other() {
        use FinishReason::*;
        for (name, reason) in [
            ("stop", Stop),
            ("length", Length),
            ("content_filter", ContentFilter),
            ("function_call", ToolCalls),
            ("insufficient_system_resource", Other),
        ] {
            let payload = format!(r#"{{"choices":[{{"finish_reason":"{name}"}}]}}"#);
            assert_eq!(events(&[&payload]), [Ok(Event::Finish(reason))], "{name}");
        }
        let unfinished = r#"{"choices":[{"finish_reason":"null"}]}"#;
        assert_eq!(code(events(&[unfinished]).last()), ErrorCode::ProviderTruncated);
    }

    #[test]
    fn an_error_in_the_middle_fails_after_what_was_said() {
        for (payload, expected) in [
            (
                r#"{"error":{"message":"x","type":"server_error","code":null}}"#,
                ErrorCode::ProviderError,
            ),
            (r#"{"error":"x"}"#, ErrorCode::ProviderError),
            (r#"{"object":"error","message":"x","code":503}"#, ErrorCode::ProviderOverloaded),
            (
                r#"{"id":"gen","error":{"code":429,"message":"x"},
                    "choices":[{"delta":{"content":""},"finish_reason":"error"}]}"#,
                ErrorCode::ProviderRateLimited,
            ),
            (r#"{"choices":[{"delta":{},"finish_reason":"error"}]}"#, ErrorCode::ProviderError),
            (
                r#"{"choices":[{"delta":{},"error":{"code":502,"message":"x"}}]}"#,
                ErrorCode::ProviderError,
            ),
        ] {
            let payload = payload.replace('\n', "");
            let got = events(&[&delta(r#"{"content":"a"}"#), &payload, FINISH, "[DONE]"]);
            assert_eq!(got.len(), 2, "{payload}");
            assert_eq!(got[0], content("a"));
            assert_eq!(code(got.last()), expected, "{payload}");
        }
        let named = b"event: error\ndata: {\"message\":\"overloaded\"}\n\n";
        assert_eq!(code(read([&named[..]]).last()), ErrorCode::ProviderOverloaded);
    }

    #[test]
    fn a_null_or_empty_error_is_none() {
        let payload = r#"{"error":null,"choices":[{"delta":{"content":"a"},"error":""}]}"#;
        assert_eq!(events(&[payload, FINISH]), [content("a"), STOP]);
    }

    #[test]
    fn a_server_that_does_not_stream_is_understood() {
        let json = br#" {"choices":[{"message":{"role":"assistant","reasoning":"hm",
            "content":"Four."},"finish_reason":"length"}],
            "usage":{"prompt_tokens":3,"completion_tokens":2}}"#;
        let expected = [
            reasoning("hm"),
            content("Four."),
            Ok(Event::Usage(Usage { input_tokens: 3, output_tokens: 2 })),
            Ok(Event::Finish(FinishReason::Length)),
        ];
        assert_eq!(read([&json[..]]), expected);
        assert_eq!(read(json.chunks(1)), expected);
        assert_eq!(code(read([&json[..40]]).last()), ErrorCode::ProviderTruncated);
    }

    #[test]
    fn a_web_page_is_told_from_a_stream() {
        let failure = read([&b"\n<!doctype html><p>Hi"[..]]).pop().unwrap().unwrap_err();
        assert_eq!(failure.code, ErrorCode::ProviderError);
        assert!(failure.message.contains("web page"), "{failure}");
    }

    #[test]
    fn what_is_not_json_fails() {
        let got = events(&[&delta(r#"{"content":"a"}"#), "{broken", FINISH]);
        assert_eq!(code(got.last()), ErrorCode::ProviderError);
        assert_eq!(got.len(), 2);
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_replaced() {
        let text = [
            b"data: {\"choices\":[{\"delta\":{\"content\":\"a\xff\"}}]}\n\ndata: ",
            FINISH.as_bytes(),
        ]
        .concat();
        assert_eq!(read([&text[..]]), [content("a\u{fffd}"), STOP]);
    }

    #[test]
    fn silence_after_the_finish_reason_is_an_end() {
        let endpoint = Endpoint { shown: String::new(), key_source: String::new(), has_key: false };
        let mut answer = Answer::new(Arc::new(endpoint), "m".into());
        let patience = Patience::default();
        assert_eq!(answer.silence(&patience), patience.first_token);
        answer.bytes(b": alive\n\n");
        assert_eq!(answer.silence(&patience), patience.first_token);
        answer.bytes(format!("data: {}\n\n", delta(r#"{"content":"a"}"#)).as_bytes());
        assert_eq!(answer.silence(&patience), patience.idle);
        answer.bytes(format!("data: {FINISH}\n\n").as_bytes());
        assert_eq!(answer.silence(&patience), TAIL);
        answer.silent(TAIL);
        assert_eq!([answer.next(), answer.next()], [Some(content("a")), Some(STOP)]);
    }

    /// What a person sees, whatever the sizes of the pieces.
    fn seen(
        events: Vec<Result<Event, Failure>>,
    ) -> (String, String, Option<Result<Event, Failure>>) {
        let (mut reasoning, mut content, mut last) = (String::new(), String::new(), None);
        for event in events {
            match event {
                Ok(Event::Reasoning(text)) => reasoning.push_str(&text),
                Ok(Event::Content(text)) => content.push_str(&text),
                other => last = Some(other),
            }
        }
        (reasoning, content, last)
    }

    proptest! {
        #[test]
        fn any_cut_of_the_bytes_gives_the_same_answer(
            texts in prop::collection::vec("[a-z中🦀\"\\\\\n ]{0,8}|</?think>", 0..8),
            end in prop_oneof![Just(FINISH), Just("[DONE]"), Just("{\"error\":\"x\"}"), Just("")],
            cut in 0usize..600,
        ) {
            let mut lines: Vec<String> = texts
                .iter()
                .map(|text| delta(&serde_json::json!({ "content": text }).to_string()))
                .map(|payload| format!(": alive\r\ndata:{payload}\r\n\r\n"))
                .collect();
            lines.push(format!("data: {end}\n\n"));
            let text = lines.concat();
            let bytes = text.as_bytes();
            let cut = cut.min(bytes.len());
            let whole = read([bytes]);
            prop_assert_eq!(&read([&bytes[..cut], &bytes[cut..]]), &whole);
            prop_assert_eq!(seen(read(bytes.chunks(1))), seen(whole));
        }
    }
}
