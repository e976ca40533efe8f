//! A sentence transformer of the BERT family: tokens in, one vector for each text out.
//!
//! Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers", 2019; Reimers and
//! Gurevych, "Sentence-BERT", 2019. Written with candle's tensors and not taken from
//! candle-transformers, whose hundred models have to be compiled for the one.

use std::path::Path;

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::{Embedding, LayerNorm, Linear, Module as _, VarBuilder, ops};
use serde::Deserialize;
use tokenizers::{Tokenizer, TruncationParams};

/// Tokens of a text that are looked at: what these models are trained with.
const TOKENS: usize = 256;

/// Numbers that are computed at once. What goes over more of them candle does with threads of its
/// own, which wait for one another without sleeping, whatever number of threads is wanted.
const BLOCK: usize = 65_535;

/// `config.json`, as far as it is needed.
#[derive(Deserialize)]
struct Shape {
    model_type: String,
    hidden_size: usize,
    intermediate_size: usize,
    num_attention_heads: usize,
    num_hidden_layers: usize,
    max_position_embeddings: usize,
    vocab_size: usize,
    type_vocab_size: usize,
    layer_norm_eps: f64,
    hidden_act: Act,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Act {
    Gelu,
    Relu,
}

/// `1_Pooling/config.json`, where there is one.
#[derive(Default, Deserialize)]
struct Pooling {
    #[serde(default)]
    pooling_mode_cls_token: bool,
}

pub(super) struct Bert {
    tokenizer: Tokenizer,
    words: Embedding,
    positions: Embedding,
    types: Embedding,
    norm: LayerNorm,
    layers: Vec<Layer>,
    /// The vector of the first token stands for the text, not the mean of all.
    is_first: bool,
}

struct Layer {
    heads: usize,
    query: Linear,
    key: Linear,
    value: Linear,
    attended: (Linear, LayerNorm),
    act: Act,
    inner: Linear,
    outer: (Linear, LayerNorm),
}

impl Bert {
    /// The model of a folder. An error is one sentence about what is wrong with it.
    pub(super) fn load(folder: &Path) -> std::result::Result<Self, String> {
        let file =
            |name: &str| std::fs::read(folder.join(name)).map_err(|e| format!("{name}: {e}"));
        let shape: Shape = serde_json::from_slice(&file("config.json")?)
            .map_err(|error| format!("config.json: {error}"))?;
        shape.check()?;
        let pooling = file("1_Pooling/config.json").ok();
        let pooling: Pooling =
            pooling.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        let tokenizer = Tokenizer::from_bytes(file("tokenizer.json")?)
            .and_then(|tokenizer| shape.prepare(tokenizer))
            .map_err(|error| format!("tokenizer.json: {error}"))?;
        let weights = file("model.safetensors")?;
        let weights = VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu)
            .and_then(|weights| {
                Self::of(&shape, tokenizer, pooling.pooling_mode_cls_token, &weights)
            });
        weights.map_err(|error| format!("model.safetensors: {error}"))
    }

    fn of(
        shape: &Shape,
        tokenizer: Tokenizer,
        is_first: bool,
        vb: &VarBuilder<'_>,
    ) -> Result<Self> {
        let is_inside = vb.contains_tensor("bert.embeddings.word_embeddings.weight");
        let vb = if is_inside { vb.pp("bert") } else { vb.clone() };
        let (size, at) = (shape.hidden_size, vb.pp("embeddings"));
        let table = |count, name: &str| candle_nn::embedding(count, size, at.pp(name));
        let layer = |number| Layer::of(shape, &vb.pp("encoder.layer").pp(number));
        Ok(Self {
            tokenizer,
            words: table(shape.vocab_size, "word_embeddings")?,
            positions: table(shape.max_position_embeddings, "position_embeddings")?,
            types: table(shape.type_vocab_size, "token_type_embeddings")?,
            norm: candle_nn::layer_norm(size, shape.layer_norm_eps, at.pp("LayerNorm"))?,
            layers: (0..shape.num_hidden_layers).map(layer).collect::<Result<_>>()?,
            is_first,
        })
    }

    /// The vector of a text, of length 1. One text at a time: filling shorter ones up to the longest
    /// would be work for nothing, and several threads have several texts.
    pub(super) fn embed(&self, text: &str) -> std::result::Result<Vec<f32>, String> {
        let encoded = self.tokenizer.encode(text, true).map_err(|error| error.to_string())?;
        self.forward(encoded.get_ids()).map_err(|error| error.to_string())
    }

    fn forward(&self, tokens: &[u32]) -> Result<Vec<f32>> {
        let tokens = Tensor::new(tokens, &Device::Cpu)?;
        let places = Tensor::arange(0, u32::try_from(tokens.dim(0)?)?, &Device::Cpu)?;
        let types = tokens.zeros_like()?;
        let (length, size) = (tokens.dim(0)?, self.words.hidden_size());
        let mut hidden = by_rows(length, size, |from, count| {
            let words = self.words.forward(&tokens.narrow(0, from, count)?)?;
            let summed = (words + self.positions.forward(&places.narrow(0, from, count)?)?)?;
            let summed = (summed + self.types.forward(&types.narrow(0, from, count)?)?)?;
            self.norm.forward(&summed)
        })?;
        for layer in &self.layers {
            hidden = layer.forward(&hidden)?;
        }
        let pooled = if self.is_first { hidden.get(0)? } else { hidden.mean(0)? };
        let length = pooled.sqr()?.sum_all()?.sqrt()?;
        pooled.broadcast_div(&length)?.to_vec1()
    }
}

impl Shape {
    fn check(&self) -> std::result::Result<(), String> {
        let heads = self.num_attention_heads;
        if self.model_type != "bert" {
            return Err(format!("config.json: a model of type {}, not bert", self.model_type));
        }
        if heads == 0 || self.hidden_size == 0 || !self.hidden_size.is_multiple_of(heads) {
            return Err("config.json: hidden_size is no multiple of num_attention_heads".into());
        }
        if self.max_position_embeddings < 2 || self.type_vocab_size == 0 {
            return Err("config.json: there is no room for tokens".into());
        }
        Ok(())
    }

    /// Texts are cut and not filled up, whatever the file says.
    fn prepare(&self, mut tokenizer: Tokenizer) -> tokenizers::Result<Tokenizer> {
        let max_length = TOKENS.min(self.max_position_embeddings);
        let cut = TruncationParams { max_length, ..TruncationParams::default() };
        tokenizer.with_truncation(Some(cut))?;
        tokenizer.with_padding(None);
        Ok(tokenizer)
    }
}

impl Layer {
    fn of(shape: &Shape, vb: &VarBuilder<'_>) -> Result<Self> {
        let (size, inner) = (shape.hidden_size, shape.intermediate_size);
        let attention = vb.pp("attention");
        let own = |name: &str| candle_nn::linear(size, size, attention.pp("self").pp(name));
        let norm = |vb: VarBuilder<'_>| {
            candle_nn::layer_norm(size, shape.layer_norm_eps, vb.pp("LayerNorm"))
        };
        let after = attention.pp("output");
        Ok(Self {
            heads: shape.num_attention_heads,
            query: own("query")?,
            key: own("key")?,
            value: own("value")?,
            attended: (candle_nn::linear(size, size, after.pp("dense"))?, norm(after)?),
            act: shape.hidden_act,
            inner: candle_nn::linear(size, inner, vb.pp("intermediate.dense"))?,
            outer: (candle_nn::linear(inner, size, vb.pp("output.dense"))?, norm(vb.pp("output"))?),
        })
    }

    fn forward(&self, hidden: &Tensor) -> Result<Tensor> {
        let seen = self.attend(hidden)?;
        let (length, size) = hidden.dims2()?;
        by_rows(length, size.max(self.inner.weight().dim(0)?), |from, count| {
            let attended = self.attended.0.forward(&seen.narrow(0, from, count)?)?;
            let hidden = (attended + hidden.narrow(0, from, count)?)?;
            let hidden = self.attended.1.forward(&hidden)?;
            let inner = self.inner.forward(&hidden)?;
            let inner = match self.act {
                Act::Gelu => inner.gelu_erf()?,
                Act::Relu => inner.relu()?,
            };
            self.outer.1.forward(&(self.outer.0.forward(&inner)? + hidden)?)
        })
    }

    fn attend(&self, hidden: &Tensor) -> Result<Tensor> {
        let (length, size) = hidden.dims2()?;
        let each = size / self.heads;
        let split = |of: &Linear| {
            let of =
                by_rows(length, size, |from, count| of.forward(&hidden.narrow(0, from, count)?))?;
            of.reshape((length, self.heads, each))?.transpose(0, 1)?.contiguous()
        };
        let (query, key, value) = (split(&self.query)?, split(&self.key)?, split(&self.value)?);
        #[expect(clippy::cast_precision_loss, reason = "a head has some hundred numbers at most")]
        let query = (query / (each as f64).sqrt())?;
        let scores = query.matmul(&key.t()?)?;
        let seen = ops::softmax_last_dim(&scores)?.matmul(&value)?;
        seen.transpose(0, 1)?.contiguous()?.reshape((length, size))
    }
}

/// What `compute` makes of some rows after the other, from which and how many, below each other.
/// None of it is wider than `widest`.
fn by_rows(
    length: usize,
    widest: usize,
    compute: impl Fn(usize, usize) -> Result<Tensor>,
) -> Result<Tensor> {
    let rows = (BLOCK / widest).max(1);
    let blocks = (0..length).step_by(rows).map(|from| compute(from, rows.min(length - from)));
    Tensor::cat(&blocks.collect::<Result<Vec<_>>>()?, 0)
}
