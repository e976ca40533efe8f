//! The JSON of chat completions, read leniently and in one pass: text is borrowed from the read
//! buffer, what is not needed is skipped, and what a server sends in another shape is not an error.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// One chunk of a stream, or the whole answer of a server that does not stream.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Chunk<'a> {
    #[serde(borrow)]
    pub(crate) choices: First<Choice<'a>>,
    pub(crate) usage: Option<Usage>,
    /// In a box like everything large that hardly any chunk has: all of them are moved about.
    #[serde(borrow)]
    pub(crate) error: Option<Box<Fault<'a>>>,
    /// vLLM says `"object": "error"` and keeps the fault's fields beside it.
    #[serde(borrow)]
    pub(crate) object: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Choice<'a> {
    #[serde(borrow)]
    pub(crate) delta: Option<Delta<'a>>,
    /// In place of `delta` where a server does not stream.
    #[serde(borrow)]
    pub(crate) message: Option<Box<Delta<'a>>>,
    #[serde(borrow)]
    pub(crate) finish_reason: Text<'a>,
    #[serde(borrow)]
    pub(crate) error: Option<Box<Fault<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Delta<'a> {
    #[serde(borrow)]
    pub(crate) content: Content<'a>,
    #[serde(borrow)]
    pub(crate) refusal: Text<'a>,
    /// As they stand there: nothing in them may make a chunk unreadable.
    #[serde(borrow)]
    pub(crate) tool_calls: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) executed_tools: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning_content: Text<'a>,
    #[serde(borrow)]
    reasoning: Text<'a>,
    #[serde(borrow)]
    reasoning_details: Details<'a>,
}

impl<'a> Delta<'a> {
    /// The reasoning of this piece, from the first field that holds any: servers repeat it.
    pub(crate) fn take_reasoning(&mut self) -> Cow<'a, str> {
        [
            &mut self.reasoning_content.0,
            &mut self.reasoning.0,
            &mut self.reasoning_details.0,
            &mut self.content.thinking,
        ]
        .into_iter()
        .find(|text| !text.is_empty())
        .map(std::mem::take)
        .unwrap_or_default()
    }
}

/// Tokens; some servers use the names of the Responses API, some use both.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Usage {
    #[serde(rename = "prompt_tokens")]
    prompt: Count,
    #[serde(rename = "completion_tokens")]
    completion: Count,
    #[serde(rename = "input_tokens")]
    input: Count,
    #[serde(rename = "output_tokens")]
    output: Count,
}

impl Usage {
    pub(crate) fn input(self) -> u64 {
        self.prompt.0.max(self.input.0)
    }

    pub(crate) fn output(self) -> u64 {
        self.completion.0.max(self.output.0)
    }
}

/// What a server says about a failure. Its `message` may quote the conversation or the key: it is
/// searched, never shown.
#[derive(Debug, Default)]
pub(crate) struct Fault<'a> {
    pub(crate) present: bool,
    pub(crate) message: Cow<'a, str>,
    /// A name, or an HTTP status as digits.
    pub(crate) code: Cow<'a, str>,
    pub(crate) kind: Cow<'a, str>,
    pub(crate) param: Cow<'a, str>,
}

impl Fault<'_> {
    /// The HTTP status, where `code` is one.
    pub(crate) fn status(&self) -> Option<u16> {
        self.code.parse().ok().filter(|status| (400..600).contains(status))
    }
}

/// Reads a chunk. Bytes that are not UTF-8 are replaced, not refused.
pub(crate) fn with_chunk<T>(data: &[u8], read: impl FnOnce(Option<Chunk<'_>>) -> T) -> T {
    if let Ok(mut chunk) = serde_json::from_slice::<Chunk<'_>>(data) {
        if chunk.object.0 == "error" && chunk.error.as_ref().is_none_or(|error| !error.present) {
            chunk.error = Some(Box::new(fault(data)));
        }
        return read(Some(chunk));
    }
    match String::from_utf8_lossy(data) {
        Cow::Owned(text) => read(serde_json::from_str(&text).ok()),
        Cow::Borrowed(_) => read(None),
    }
}

/// The fault in the body of a refusal, whatever its shape; empty when there is none.
pub(crate) fn fault(body: &[u8]) -> Fault<'_> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Body<'a> {
        #[serde(borrow)]
        error: Fault<'a>,
        #[serde(borrow)]
        detail: Text<'a>,
    }
    let parsed = if body.trim_ascii_start().starts_with(b"[") {
        // Gemini's compatible endpoint wraps it in a list.
        serde_json::from_slice::<First<Body<'_>>>(body).unwrap_or_default().0
    } else {
        serde_json::from_slice(body).ok()
    };
    let parsed = parsed.unwrap_or_default();
    if parsed.error.present {
        return parsed.error;
    }
    let flat = serde_json::from_slice::<Fault<'_>>(body).unwrap_or_default();
    if flat.message.is_empty() { Fault { message: parsed.detail.0, ..flat } } else { flat }
}

/// Text; null, a list or an object reads as empty, a number as its digits.
#[derive(Debug, Default)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

/// `content`: a string, or a list of parts of which some are the model's thinking (Mistral).
#[derive(Debug, Default)]
pub(crate) struct Content<'a> {
    pub(crate) text: Cow<'a, str>,
    thinking: Cow<'a, str>,
}

/// The texts of OpenRouter's `reasoning_details`; encrypted ones have none.
#[derive(Debug, Default)]
struct Details<'a>(Cow<'a, str>);

/// The first of a list; missing, null or empty is `None`.
#[derive(Debug)]
pub(crate) struct First<T>(pub(crate) Option<T>);

/// The first elements of a list as they stand there, at most so many; anything else has none.
#[derive(Debug)]
pub(crate) struct Elements<'a, const MOST: usize>(pub(crate) Vec<&'a RawValue>);

/// A number of tokens; anything else reads as zero.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count(pub(crate) u64);

impl<const MOST: usize> Default for Elements<'_, MOST> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Default for First<T> {
    fn default() -> Self {
        Self(None)
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Part<'a> {
    #[serde(borrow)]
    text: Text<'a>,
    #[serde(borrow)]
    summary: Text<'a>,
    #[serde(borrow)]
    thinking: Content<'a>,
}

fn append<'a>(to: &mut Cow<'a, str>, piece: Cow<'a, str>) {
    if to.is_empty() {
        *to = piece;
    } else if !piece.is_empty() {
        to.to_mut().push_str(&piece);
    }
}

/// A value that may come in any shape of JSON; what a kind does not expect gives its default.
trait Lenient<'a>: Default {
    fn text(_: Cow<'a, str>) -> Self {
        Self::default()
    }

    fn whole(_: u64) -> Self {
        Self::default()
    }

    fn list<A: SeqAccess<'a>>(mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }

    fn object<A: MapAccess<'a>>(mut object: A) -> Result<Self, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }
}

impl<'a> Lenient<'a> for Text<'a> {
    fn text(text: Cow<'a, str>) -> Self {
        Self(text)
    }

    fn whole(number: u64) -> Self {
        Self(Cow::Owned(number.to_string()))
    }
}

impl<'a> Lenient<'a> for Content<'a> {
    fn text(text: Cow<'a, str>) -> Self {
        Self { text, thinking: Cow::default() }
    }

    fn list<A: SeqAccess<'a>>(mut list: A) -> Result<Self, A::Error> {
        let mut content = Self::default();
        while let Some(part) = list.next_element::<Part<'a>>()? {
            append(&mut content.thinking, part.thinking.text);
            append(&mut content.text, part.text.0);
        }
        Ok(content)
    }
}

impl<'a> Lenient<'a> for Details<'a> {
    fn list<A: SeqAccess<'a>>(mut list: A) -> Result<Self, A::Error> {
        let mut text = Cow::default();
        while let Some(part) = list.next_element::<Part<'a>>()? {
            append(&mut text, part.text.0);
            append(&mut text, part.summary.0);
        }
        Ok(Self(text))
    }
}

impl Lenient<'_> for Count {
    fn whole(number: u64) -> Self {
        Self(number)
    }
}

impl<'a, T: Deserialize<'a>> Lenient<'a> for First<T> {
    fn list<A: SeqAccess<'a>>(mut list: A) -> Result<Self, A::Error> {
        let first = list.next_element()?;
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self(first))
    }
}

impl<'a, const MOST: usize> Lenient<'a> for Elements<'a, MOST> {
    fn list<A: SeqAccess<'a>>(mut list: A) -> Result<Self, A::Error> {
        let mut elements = Vec::new();
        while elements.len() < MOST
            && let Some(element) = list.next_element()?
        {
            elements.push(element);
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self(elements))
    }
}

impl<'a> Lenient<'a> for Fault<'a> {
    fn text(message: Cow<'a, str>) -> Self {
        Self { present: !message.is_empty(), message, ..Self::default() }
    }

    fn object<A: MapAccess<'a>>(object: A) -> Result<Self, A::Error> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Fields<'a> {
            #[serde(borrow)]
            message: Text<'a>,
            #[serde(borrow)]
            code: Text<'a>,
            #[serde(borrow)]
            r#type: Text<'a>,
            #[serde(borrow)]
            param: Text<'a>,
        }
        let fields = Fields::deserialize(MapAccessDeserializer::new(object))?;
        Ok(Self {
            present: true,
            message: fields.message.0,
            code: fields.code.0,
            kind: fields.r#type.0,
            param: fields.param.0,
        })
    }
}

struct AnyShape<T>(PhantomData<T>);

impl<'de, T: Lenient<'de>> Visitor<'de> for AnyShape<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<T, E> {
        Ok(T::text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<T, E> {
        Ok(T::text(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<T, E> {
        Ok(T::whole(number))
    }

    fn visit_i64<E>(self, _: i64) -> Result<T, E> {
        Ok(T::default())
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count of tokens that some servers write as 12.0; the cast saturates"
    )]
    fn visit_f64<E>(self, number: f64) -> Result<T, E> {
        Ok(T::whole(number as u64))
    }

    fn visit_bool<E>(self, _: bool) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
        T::list(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<T, A::Error> {
        T::object(object)
    }
}

macro_rules! any_shape {
    ($($kind:ty),*) => {$(
        impl<'de: 'a, 'a> Deserialize<'de> for $kind {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(AnyShape(PhantomData))
            }
        }
    )*};
}

any_shape!(Text<'a>, Content<'a>, Details<'a>, Fault<'a>);

impl<'de: 'a, 'a, const MOST: usize> Deserialize<'de> for Elements<'a, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyShape(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyShape(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for First<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyShape(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(json: &str) -> String {
        let json = format!(r#"{{"choices":[{{"delta":{{"content":{json}}}}}]}}"#);
        with_chunk(json.as_bytes(), |chunk| {
            chunk.unwrap().choices.0.unwrap().delta.unwrap().content.text.into_owned()
        })
    }

    #[test]
    fn content_may_be_null_a_string_or_a_list() {
        assert_eq!(content("null"), "");
        assert_eq!(content(r#""""#), "");
        assert_eq!(content(r#""a\nb""#), "a\nb");
        assert_eq!(content(r#"[{"type":"text","text":"a"},{"type":"text","text":"b"}]"#), "ab");
        assert_eq!(content("[]"), "");
        assert_eq!(content(r#"{"odd":[1]}"#), "");
        assert_eq!(content("7.5"), "");
    }

    #[test]
    fn plain_text_is_borrowed() {
        let json = br#"{"choices":[{"delta":{"content":"plain"}}]}"#;
        with_chunk(json, |chunk| {
            let delta = chunk.unwrap().choices.0.unwrap().delta.unwrap();
            assert!(matches!(delta.content.text, Cow::Borrowed("plain")));
        });
    }

    #[test]
    fn a_fault_is_found_in_every_shape() {
        for body in [
            r#"{"error":{"message":"no","code":404,"type":"t"}}"#,
            r#"{"error":"no"}"#,
            r#"{"object":"error","message":"no","code":404}"#,
            r#"[{"error":{"message":"no"}}]"#,
            r#"{"detail":"no"}"#,
        ] {
            assert_eq!(fault(body.as_bytes()).message, "no", "{body}");
        }
        assert_eq!(fault(b"<html>").message, "");
        assert_eq!(fault(b"{\"error\":null}").message, "");
    }

    #[test]
    fn tokens_are_read_under_either_name() {
        for json in [
            r#"{"prompt_tokens":3,"completion_tokens":4}"#,
            r#"{"input_tokens":3.0,"output_tokens":4}"#,
            r#"{"prompt_tokens":3,"input_tokens":3,"completion_tokens":4,"output_tokens":null}"#,
        ] {
            let usage: Usage = serde_json::from_str(json).unwrap();
            assert_eq!((usage.input(), usage.output()), (3, 4), "{json}");
        }
    }
}
