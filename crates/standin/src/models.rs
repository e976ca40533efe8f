//! The models that `GET /v1/models` lists.

use serde_json::{Value, json};

use crate::script::Scripts;

/// The first one is what a client without a choice takes.
const DEMONSTRATIONS: [(&str, &str, &str); 15] = [
    ("numbers", "Numbers", "200 numbered tokens, 50 a second"),
    ("markdown", "Markdown", "A document with every kind of Markdown"),
    ("reasoning", "Reasoning", "Thinks first, then counts"),
    ("echo", "Echo", "Repeats the last message"),
    ("slow", "Slow", "Waits 3 seconds, then 2 tokens a second"),
    ("numbers:tokens=4000,rate=0,first=0", "Numbers, fast", "4,000 tokens as fast as possible"),
    ("numbers:utf8=1,split=1", "Numbers, split", "Multi-byte text, one byte in each TCP piece"),
    ("numbers:cut_at=60", "Numbers, cut", "The connection is lost after 60 tokens"),
    ("numbers:status=429,retry_after=2", "Rate limit", "Refuses every call with the status 429"),
    ("vllm-numbers", "Numbers, vLLM", "Continues a beginning that comes with vLLM's flags"),
    ("llama-numbers", "Numbers, llama.cpp", "Continues a beginning"),
    ("repeating-numbers", "Numbers, repeating", "Says a beginning again before it goes on"),
    ("refusing-numbers", "Numbers, refusing", "Refuses a beginning with the status 400"),
    ("plain-numbers", "Numbers, plain", "Goes on when it is asked in words, with an overlap"),
    ("streams-numbers", "Numbers, kept running", "An answer with a name can be read again"),
];

pub(crate) fn list(scripts: &Scripts) -> Value {
    let demonstrations = DEMONSTRATIONS
        .iter()
        .filter(|(id, ..)| scripts.names().all(|scripted| scripted != *id))
        .map(|(id, name, description)| model(scripts, id, name, description));
    let scripted = scripts.names().map(|id| model(scripts, id, id, "From the script"));
    json!({ "object": "list", "data": demonstrations.chain(scripted).collect::<Vec<_>>() })
}

fn model(scripts: &Scripts, id: &str, name: &str, description: &str) -> Value {
    let owned_by = scripts.spec(id).map_or("standin", |spec| spec.owned_by);
    json!({
        "id": id,
        "object": "model",
        "created": 0,
        "owned_by": owned_by,
        "name": name,
        "description": description,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_model_exists_and_the_first_is_the_plain_one() {
        let scripts = Scripts::default();
        for (id, ..) in DEMONSTRATIONS {
            assert!(scripts.spec(id).is_ok(), "{id}");
        }
        assert_eq!(list(&scripts)["data"][0]["id"], "numbers");
    }
}
