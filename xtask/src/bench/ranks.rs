//! Where the passage that answers a question stands among those that the answer is given.

use std::{collections::BTreeMap, fs, time::Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::{
    http::Person,
    sources::{Document, kind},
};
use crate::command::{Workspace, say};

/// A question and what answers it.
struct Pair {
    question: String,
    /// As in the manifest.
    file: String,
    /// What the right passage holds, whatever white space there is.
    phrase: String,
    /// What it tries: `plain`, `synonyms`, `table` …
    tries: String,
}

/// Asks every question that a document answers which is not left out, with all of these as its
/// source.
pub(super) fn measure(
    workspace: &Workspace,
    person: &Person,
    collection: &str,
    documents: &[Document],
) -> Result<Value> {
    let mut pairs = pairs(workspace)?;
    let is_left_out = |name: &str| documents.iter().any(|one| one.name == name && one.is_left_out);
    pairs.retain(|pair| !is_left_out(&pair.file));
    say(&format!("{} questions are asked", pairs.len()));
    let (mut results, mut times) = (Vec::new(), Vec::new());
    for pair in &pairs {
        let document = documents.iter().find(|document| document.name == pair.file);
        let document = document.with_context(|| format!("{} is not there", pair.file))?;
        let phrase = plain(&pair.phrase);
        let holding = document.passages.iter().filter(|text| plain(text).contains(&phrase)).count();
        ensure!(holding > 0, "`{}` is nowhere in {}", pair.phrase, pair.file);
        let begin = Instant::now();
        let citations = ask(person, collection, &pair.question)?;
        times.push(begin.elapsed().as_secs_f64() * 1e3);
        let is_right = |citation: &Value| {
            citation["file_id"] == document.file_id.as_str()
                && citation["quote"].as_str().is_some_and(|quote| plain(quote).contains(&phrase))
        };
        let rank = citations.iter().position(is_right).map(|place| place + 1);
        results.push(json!({
            "question": pair.question, "file": pair.file, "tries": pair.tries, "rank": rank,
            "citations": citations.len(),
        }));
    }
    times.sort_by(f64::total_cmp);
    let at = |part: usize| times[(times.len() * part / 100).min(times.len() - 1)];
    Ok(json!({
        "all": summary(&results, |_| true),
        "by_trial": by(&results, |one| one["tries"].as_str().unwrap_or_default().to_owned()),
        "by_format": by(&results, |one| kind(one["file"].as_str().unwrap_or_default()).to_owned()),
        "milliseconds": { "p50": at(50), "p99": at(99), "max": at(100) },
        "questions": results,
    }))
}

fn pairs(workspace: &Workspace) -> Result<Vec<Pair>> {
    let file = workspace.root.join("bench/sources/questions.json");
    let list: Value = serde_json::from_slice(&fs::read(file)?)?;
    let pair = |of: &Value| {
        let text = |name: &str| -> Result<String> {
            Ok(of[name].as_str().with_context(|| format!("a pair without {name}"))?.to_owned())
        };
        let [question, file, phrase] = ["question", "file", "phrase"].map(text);
        let tries = of["tries"].as_str().unwrap_or("plain").to_owned();
        Ok(Pair { question: question?, file: file?, phrase: phrase?, tries })
    };
    list["pairs"].as_array().context("there are no pairs")?.iter().map(pair).collect()
}

/// The citations of an answer in their order: all of them come before its first word.
fn ask(person: &Person, collection: &str, question: &str) -> Result<Vec<Value>> {
    let source = json!({ "type": "collection", "collection_id": collection });
    let start = json!({ "message": question, "model_id": "quotes", "sources": [source],
        "temporary": true });
    let started = person.send("POST", "/ai/chat/start", &start)?;
    let generation = started["generation_id"].as_str().context("no generation came")?;
    let (mut citations, mut after) = (Vec::new(), "0".to_owned());
    loop {
        let path = format!("/ai/generations/{generation}/events?after={after}&wait=25");
        let page = person.get(&path)?;
        for event in page["events"].as_array().context("no events came")? {
            match event["type"].as_str().unwrap_or_default() {
                "source_found" => citations.push(event["citation"].clone()),
                "content_chunk" | "stream_complete" => return Ok(citations),
                "stream_error" => anyhow::bail!("`{question}` was not answered: {event}"),
                _ => {}
            }
        }
        page["next_after"].as_str().context("no position came")?.clone_into(&mut after);
    }
}

/// Without case and with one blank for any white space.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

fn by(results: &[Value], name: impl Fn(&Value) -> String) -> Value {
    let mut groups = BTreeMap::new();
    for result in results {
        groups.entry(name(result)).or_insert(Value::Null);
    }
    for (group, value) in &mut groups {
        *value = summary(results, |result| name(result) == *group);
    }
    json!(groups)
}

/// Recall at 1, 5 and 12, and the mean reciprocal rank, in which what is not found counts 0.
#[expect(clippy::cast_precision_loss, reason = "there are some hundred questions")]
fn summary(results: &[Value], is_counted: impl Fn(&Value) -> bool) -> Value {
    let ranks = results.iter().filter(|result| is_counted(result));
    let ranks: Vec<_> = ranks.map(|result| result["rank"].as_u64()).collect();
    let share = |of: f64| of / ranks.len().max(1) as f64;
    let within =
        |most: u64| share(ranks.iter().flatten().filter(|rank| **rank <= most).count() as f64);
    let reciprocal = ranks.iter().flatten().map(|rank| 1.0 / *rank as f64).sum();
    json!({
        "questions": ranks.len(), "recall_at_1": within(1), "recall_at_5": within(5),
        "recall_at_12": within(12), "mrr": share(reciprocal),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_found_counts_nothing() {
        let results = [json!({ "rank": 1 }), json!({ "rank": 6 }), json!({ "rank": null })];
        let summary = summary(&results, |_| true);
        assert_eq!(summary["questions"], 3);
        let is = |name: &str, wanted: f64| (summary[name].as_f64().unwrap() - wanted).abs() < 1e-9;
        assert!(is("recall_at_1", 1.0 / 3.0) && is("recall_at_5", 1.0 / 3.0), "{summary}");
        assert!(is("recall_at_12", 2.0 / 3.0) && is("mrr", 7.0 / 18.0), "{summary}");
    }

    #[test]
    fn white_space_and_case_do_not_matter() {
        assert_eq!(plain(" The\n  Right\tone "), "the right one");
    }
}
