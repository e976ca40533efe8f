//! A model that runs in the process: a tiny one, made here, in the files of a real one.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::path::Path;

use candle_core::{Device, Tensor};
use serde_json::{Value, json};
use tempfile::TempDir;
use unbroken_sources::embed::{EmbedError, Embedder, EmbeddingsConfig};

const SIZE: usize = 8;
const INNER: usize = 16;
const LAYERS: usize = 2;
const POSITIONS: usize = 20;
const WORDS: [&str; 10] =
    ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "whale", "sea", "ship", "krill", "eat", "##s"];

/// Numbers between -0.5 and 0.5, the same at every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let bits = u16::try_from(self.0 >> 48).unwrap();
        f32::from(bits) / 65_536.0 - 0.5
    }

    fn tensor(&mut self, shape: &[usize]) -> Tensor {
        let numbers: Vec<_> = (0..shape.iter().product()).map(|_| self.next()).collect();
        Tensor::from_vec(numbers, shape, &Device::Cpu).unwrap()
    }
}

fn weights() -> HashMap<String, Tensor> {
    let (mut weights, mut numbers) = (HashMap::new(), Numbers(7));
    let mut put = |name: String, shape: &[usize]| {
        weights.insert(name, numbers.tensor(shape));
    };
    let tables = [("word", WORDS.len()), ("position", POSITIONS), ("token_type", 2)]
        .map(|(name, count)| (format!("embeddings.{name}_embeddings.weight"), count));
    for (name, count) in tables {
        put(name, &[count, SIZE]);
    }
    let mut norms = vec!["embeddings.LayerNorm".to_owned()];
    for layer in 0..LAYERS {
        let at = format!("encoder.layer.{layer}");
        for (name, from, to) in [
            ("attention.self.query", SIZE, SIZE),
            ("attention.self.key", SIZE, SIZE),
            ("attention.self.value", SIZE, SIZE),
            ("attention.output.dense", SIZE, SIZE),
            ("intermediate.dense", SIZE, INNER),
            ("output.dense", INNER, SIZE),
        ] {
            put(format!("{at}.{name}.weight"), &[to, from]);
            put(format!("{at}.{name}.bias"), &[to]);
        }
        norms.extend(["attention.output", "output"].map(|name| format!("{at}.{name}.LayerNorm")));
    }
    for norm in norms {
        put(format!("{norm}.weight"), &[SIZE]);
        put(format!("{norm}.bias"), &[SIZE]);
    }
    weights
}

fn tokenizer() -> Value {
    let vocab: serde_json::Map<_, _> =
        WORDS.iter().enumerate().map(|(id, word)| ((*word).to_owned(), json!(id))).collect();
    let special = |id: usize| {
        json!({ "id": id, "content": WORDS[id], "single_word": false, "lstrip": false,
            "rstrip": false, "normalized": false, "special": true })
    };
    let token = |word: &str| json!({ "SpecialToken": { "id": word, "type_id": 0 } });
    let known = |id: usize| json!({ "id": WORDS[id], "ids": [id], "tokens": [WORDS[id]] });
    json!({
        "version": "1.0",
        // As files do that were made for another use: what they say of lengths does not count.
        "truncation": { "max_length": 4, "strategy": "LongestFirst", "stride": 0 },
        "padding": { "strategy": { "Fixed": 128 }, "direction": "Right",
            "pad_to_multiple_of": null, "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]" },
        "added_tokens": (0..4).map(special).collect::<Vec<_>>(),
        "normalizer": { "type": "BertNormalizer", "clean_text": true,
            "handle_chinese_chars": true, "strip_accents": null, "lowercase": true },
        "pre_tokenizer": { "type": "BertPreTokenizer" },
        "post_processor": { "type": "TemplateProcessing",
            "single": [token("[CLS]"), { "Sequence": { "id": "A", "type_id": 0 } }, token("[SEP]")],
            "pair": [token("[CLS]"), { "Sequence": { "id": "A", "type_id": 0 } }, token("[SEP]"),
                { "Sequence": { "id": "B", "type_id": 1 } }],
            "special_tokens": { "[CLS]": known(2), "[SEP]": known(3) } },
        "decoder": null,
        "model": { "type": "WordPiece", "unk_token": "[UNK]",
            "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": vocab },
    })
}

fn config() -> Value {
    json!({ "model_type": "bert", "hidden_size": SIZE, "intermediate_size": INNER,
        "num_attention_heads": 2, "num_hidden_layers": LAYERS,
        "max_position_embeddings": POSITIONS, "vocab_size": WORDS.len(), "type_vocab_size": 2,
        "layer_norm_eps": 1e-12, "hidden_act": "gelu" })
}

fn write(folder: &Path, name: &str, value: &Value) {
    std::fs::write(folder.join(name), value.to_string()).unwrap();
}

fn model() -> TempDir {
    let folder = TempDir::new().unwrap();
    candle_core::safetensors::save(&weights(), folder.path().join("model.safetensors")).unwrap();
    write(folder.path(), "tokenizer.json", &tokenizer());
    write(folder.path(), "config.json", &config());
    folder
}

fn embedder(folder: &Path) -> Embedder {
    let config = json!({ "kind": "local", "path": folder });
    serde_json::from_value::<EmbeddingsConfig>(config).unwrap().open().unwrap()
}

fn is_near(one: &[f32], other: &[f32]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(a, b)| (a - b).abs() < 1e-5)
}

const TEXTS: [&str; 4] = ["Whales eat krill", "the ship", "", "sea sea sea ship whale eats"];

#[tokio::test]
async fn a_text_has_the_same_vector_alone_and_among_longer_ones() {
    let folder = model();
    let embedder = embedder(folder.path());
    let together = embedder.passages(&TEXTS).await.unwrap();
    let again = self::embedder(folder.path());
    for (text, vector) in TEXTS.iter().zip(&together) {
        let vector = vector.as_ref().unwrap();
        let alone = again.question(text).await.unwrap();
        assert!(is_near(vector, &alone), "{text}: {vector:?} {alone:?}");
        let length: f32 = vector.iter().map(|number| number * number).sum();
        assert!((length - 1.0).abs() < 1e-5, "{text}: {length}");
    }
    let vectors: Vec<_> = together.iter().flatten().collect();
    for (at, one) in vectors.iter().enumerate() {
        assert!(vectors[..at].iter().all(|other| !is_near(one, other)), "{}", TEXTS[at]);
    }
}

#[tokio::test]
async fn the_order_of_words_counts_and_what_comes_after_the_longest_text_does_not() {
    let folder = model();
    let embedder = embedder(folder.path());
    let embed = async |text: &str| embedder.question(text).await.unwrap();
    assert!(!is_near(&embed("whale ship").await, &embed("ship whale").await));
    assert!(is_near(&embed("WHALES").await, &embed("whales").await));
    let longest = "sea ".repeat(POSITIONS - 2);
    assert!(is_near(&embed(&longest).await, &embed(&format!("{longest} whale")).await));
    assert!(!is_near(&embed(&longest).await, &embed(&longest[4..]).await));
}

#[tokio::test]
async fn the_first_token_stands_for_the_text_where_the_model_says_so() {
    let folder = model();
    let mean = embedder(folder.path()).question("whale ship").await.unwrap();
    std::fs::create_dir(folder.path().join("1_Pooling")).unwrap();
    let pooling = json!({ "pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false });
    write(folder.path(), "1_Pooling/config.json", &pooling);
    let first = embedder(folder.path()).question("whale ship").await.unwrap();
    assert!(!is_near(&mean, &first));
}

#[tokio::test]
async fn a_model_that_cannot_be_used_is_said() {
    for (name, value, wrong) in [
        ("config.json", json!({ "model_type": "bert" }), "config.json: missing field"),
        ("config.json", changed("model_type", json!("gpt2")), "of type gpt2, not bert"),
        ("config.json", changed("num_attention_heads", json!(3)), "no multiple"),
        ("config.json", changed("hidden_size", json!(10)), "model.safetensors: shape mismatch"),
        ("config.json", changed("num_hidden_layers", json!(3)), "encoder.layer.2"),
        ("tokenizer.json", json!({}), "tokenizer.json: "),
        ("model.safetensors", json!({}), "model.safetensors: "),
    ] {
        let folder = model();
        write(folder.path(), name, &value);
        match embedder(folder.path()).question("whale").await {
            Err(EmbedError::Model(said)) => assert!(said.contains(wrong), "{said}"),
            other => panic!("{name} {value}: {other:?}"),
        }
    }
}

fn changed(key: &str, value: Value) -> Value {
    let mut config = config();
    config[key] = value;
    config
}
