use std::fmt::Write as _;
use std::time::{Duration, Instant};

use super::*;

/// What a page would run, or fetch, if the picture were more than an image.
const NEVER: [&str; 7] =
    ["<script", "<foreignObject", "<img", " onerror=", "javascript:", "<image", "<iframe"];

fn both(source: &str) -> [Option<String>; 2] {
    [Scheme::Light, Scheme::Dark].map(|scheme| picture(source, scheme))
}

/// A picture with these words in it.
fn shows(source: &str, words: &[&str]) -> String {
    let [light, dark] = both(source).map(Option::unwrap);
    for picture in [&light, &dark] {
        assert!(picture.starts_with("<svg width=\"") && picture.ends_with("</svg>"), "{picture}");
        let missing = words.iter().filter(|word| !picture.contains(**word));
        assert_eq!(missing.collect::<Vec<_>>(), Vec::<&&str>::new(), "{picture}");
        let found = NEVER.iter().filter(|text| picture.contains(**text));
        assert_eq!(found.collect::<Vec<_>>(), Vec::<&&str>::new(), "{picture}");
    }
    assert_ne!(light, dark);
    light
}

#[test]
fn a_flowchart_becomes_a_picture_with_its_words() {
    let source = "flowchart TD\n  A[Start] --> B{Ready?}\n  B -->|yes| C[Go]\n  B -->|no| A\n";
    shows(source, &["Start", "Ready?", "yes", "Go"]);
}

#[test]
fn a_sequence_becomes_a_picture_with_its_words() {
    let source = "sequenceDiagram\n  participant B as Browser\n  B->>+Server: append\n  \
                  Server-->>-B: position 7\n  Note over B,Server: durable\n";
    shows(source, &["Browser", "append", "position 7", "durable"]);
}

#[test]
fn every_kind_that_models_write_becomes_a_picture() {
    for (source, word) in [
        ("classDiagram\n  Animal <|-- Duck\n  Duck : +swim()\n", "Duck"),
        ("stateDiagram-v2\n  [*] --> Still\n  Still --> Moving\n  Moving --> [*]\n", "Moving"),
        ("erDiagram\n  CUSTOMER ||--o{ ORDER : places\n", "places"),
        (
            "gantt\n  title Plan\n  dateFormat YYYY-MM-DD\n  section One\n  Build :a, 2026-01-01, 9d\n",
            "Build",
        ),
        ("pie title Pets\n  \"Dogs\" : 3\n  \"Cats\" : 2\n", "Dogs"),
        ("journey\n  title Day\n  section Work\n    Tea: 5: Me\n", "Tea"),
        ("gitGraph\n  commit\n  branch dev\n  commit\n  checkout main\n  merge dev\n", "dev"),
        ("mindmap\n  root((Log))\n    Append\n    Read\n", "Append"),
        ("timeline\n  title Years\n  2024 : First\n  2025 : Second\n", "Second"),
        (
            "quadrantChart\n  title Reach\n  x-axis Low --> High\n  y-axis Low --> High\n  A: [0.3, 0.6]\n",
            "Reach",
        ),
        ("xychart-beta\n  title \"Sales\"\n  x-axis [jan, feb]\n  bar [3, 5]\n", "Sales"),
    ] {
        shows(source, &[word]);
    }
}

#[test]
fn hostile_labels_are_text() {
    let source = "flowchart TD\n  A[\"<script>alert(1)</script>\"] --> \
                  B[\"<img src=x onerror=alert(1)>\"]\n  B --> C[\"<iframe src='https://a.example'>\"]\n  \
                  click A \"javascript:alert(1)\"\n  click B href \"javascript:alert(1)\"\n  \
                  style C fill:url(https://a.example/x.png)\n";
    for picture in both(source).into_iter().flatten() {
        let found = NEVER.iter().filter(|text| picture.contains(**text));
        assert_eq!(found.collect::<Vec<_>>(), Vec::<&&str>::new(), "{picture}");
        assert!(!picture.contains("a.example/x.png"), "{picture}");
    }
    let source = "sequenceDiagram\n  A->>B: <script>alert(1)</script>\n  \
                  link A: Here @ javascript:alert(1)\n";
    for picture in both(source).into_iter().flatten() {
        assert!(!picture.contains("<script") && !picture.contains("javascript:"), "{picture}");
    }
}

#[test]
fn what_is_no_diagram_has_no_picture() {
    for source in ["", "hello", "flowchart TD\n  A[Start --> B{\n", "fn main() {}"] {
        assert_eq!(both(source), [None, None], "{source}");
    }
}

#[test]
fn ten_thousand_nodes_are_refused_or_soon_drawn() {
    let mut long = String::from("flowchart TD\n");
    (0..10_000).for_each(|n| writeln!(long, "  n{n} --> n{}", n + 1).unwrap());
    let mut dense = String::from("flowchart TD\n");
    (0..1000).for_each(|n| writeln!(dense, " a{} --> a{}", n % 40, n * 7 % 41).unwrap());
    dense.truncate(SOURCE_BYTES);
    let begun = Instant::now();
    assert_eq!(picture(&long, Scheme::Light), None, "it is longer than the limit");
    assert!(begun.elapsed() < Duration::from_secs(1), "at once");
    let drawn = picture(&dense, Scheme::Light);
    assert!(drawn.is_none_or(|picture| picture.len() <= PICTURE_BYTES));
    assert!(begun.elapsed() < Duration::from_mins(1), "with nothing optimised");
}
