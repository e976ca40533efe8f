//! The tool calls of an answer, put together from their steps.

use serde_json::Value;
use unbroken_protocol::ToolStep;

/// A tool call, as a line tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub call_id: String,
    pub name: String,
    /// What it was called with; JSON is laid out. Empty where there is nothing.
    pub arguments: String,
    /// What came of it, or why it failed.
    pub output: Option<String>,
    pub state: CallState,
    /// Some of the arguments or the output is missing: they were too long to be kept.
    pub cut: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallState {
    /// Nothing came of it so far. Once its answer has ended, the model only asked for it.
    Running,
    Done,
    Failed,
}

/// The calls that a list of steps makes.
pub(super) fn of(steps: Vec<ToolStep>) -> Vec<Call> {
    let mut calls = Vec::new();
    for step in steps {
        take(&mut calls, step);
    }
    calls
}

/// A further step of a call changes its line; the first one makes it.
pub(super) fn take(calls: &mut Vec<Call>, step: ToolStep) {
    let ToolStep { call_id, phase, name, data } = step;
    let (state, field) = match phase.as_str() {
        "call" => (CallState::Running, "arguments"),
        "result" => (CallState::Done, "output"),
        "error" => (CallState::Failed, "message"),
        // A step of a newer server.
        _ => return,
    };
    let known = calls.iter().position(|call| call.call_id == call_id);
    let at = known.unwrap_or(calls.len());
    if known.is_none() {
        let arguments = String::new();
        calls.push(Call {
            call_id,
            name: String::new(),
            arguments,
            output: None,
            state,
            cut: false,
        });
    }
    let (call, text, cut) = (&mut calls[at], text(&data[field]), data["cut"] == true);
    call.name = name;
    call.state = state;
    if state == CallState::Running {
        // What is called again has given nothing yet.
        (call.arguments, call.output, call.cut) = (text, None, cut);
    } else {
        call.output = Some(text);
        call.cut |= cut;
    }
}

/// How much is known of calls.
pub(super) fn known(calls: &[Call]) -> usize {
    calls.iter().map(|call| 1 + usize::from(call.output.is_some())).sum()
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        value => {
            let mut text = String::new();
            lay_out(value, 0, &mut text);
            text
        }
    }
}

/// Writes JSON with two spaces for a level: what `serde_json::to_string_pretty` does, without a
/// second serializer in the first view of the app.
fn lay_out(value: &Value, level: usize, out: &mut String) {
    let line = |out: &mut String, level| {
        out.push('\n');
        (0..level).for_each(|_| out.push_str("  "));
    };
    match value {
        Value::Array(values) if !values.is_empty() => {
            for (at, value) in values.iter().enumerate() {
                out.push(if at == 0 { '[' } else { ',' });
                line(out, level + 1);
                lay_out(value, level + 1, out);
            }
            line(out, level);
            out.push(']');
        }
        Value::Object(fields) if !fields.is_empty() => {
            for (at, (name, value)) in fields.iter().enumerate() {
                out.push(if at == 0 { '{' } else { ',' });
                line(out, level + 1);
                // As a value: the serializer of values is there already.
                out.push_str(&json(&Value::String(name.clone())));
                out.push_str(": ");
                lay_out(value, level + 1, out);
            }
            line(out, level);
            out.push('}');
        }
        value => out.push_str(&json(value)),
    }
}

fn json(value: &Value) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn step(call_id: &str, phase: &str, data: Value) -> ToolStep {
        let [call_id, phase, name] = [call_id, phase, "search"].map(str::to_owned);
        ToolStep { call_id, phase, name, data }
    }

    #[test]
    fn a_later_step_changes_the_line_of_its_call() {
        let mut calls = of(vec![
            step("a", "call", json!({"arguments": {"most": [1, {}]}})),
            step("b", "call", json!({"arguments": "plain", "cut": true})),
        ]);
        let laid_out = "{\n  \"most\": [\n    1,\n    {}\n  ]\n}";
        assert_eq!(calls[0].arguments, laid_out);
        assert_eq!((calls[0].state, calls[0].output.as_deref()), (CallState::Running, None));
        assert_eq!((calls[1].arguments.as_str(), calls[1].cut), ("plain", true));
        take(&mut calls, step("a", "result", json!({"output": "found"})));
        take(&mut calls, step("b", "error", json!({"message": "Gone."})));
        take(&mut calls, step("b", "dance", json!({"message": "?"})));
        let seen: Vec<_> = calls.iter().map(|call| (call.state, call.output.as_deref())).collect();
        let done = (CallState::Done, Some("found"));
        assert_eq!(seen, [done, (CallState::Failed, Some("Gone."))]);
        assert!(calls[1].cut && !calls[0].cut);
        take(&mut calls, step("a", "call", json!({"arguments": {}})));
        assert_eq!((calls[0].state, calls[0].output.as_deref()), (CallState::Running, None));
        assert_eq!((calls[0].arguments.as_str(), calls.len()), ("{}", 2));
    }

    proptest! {
        #[test]
        fn what_is_laid_out_is_the_same_json(value in values()) {
            let mut text = String::new();
            lay_out(&value, 0, &mut text);
            prop_assert_eq!(&serde_json::from_str::<Value>(&text).unwrap(), &value);
            prop_assert_eq!(text, serde_json::to_string_pretty(&value).unwrap());
        }
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(".{0,4}", inner, 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }
}
