//! The results as a table.

use serde_json::Value;

use super::history;

const HEAD: [&str; 16] = [
    "scenario",
    "tokens/s",
    "µs/token",
    "nginx",
    "ratio",
    "whole run",
    "start ms",
    "first ms",
    "token ms",
    "back ms",
    "nginx token ms",
    "bytes/token",
    "peak MiB",
    "KiB/answer",
    "lost",
    "nginx lost",
];

/// A row for each scenario. Spreads are p50, p99 and the maximum.
pub(super) fn text(report: &Value) -> String {
    let scenarios = report["scenarios"].as_array().map_or(&[][..], Vec::as_slice);
    let mut rows = vec![HEAD.map(str::to_owned)];
    rows.extend(scenarios.iter().map(row));
    format!("{}\n\n{}", aligned(&rows), below(report))
}

/// Some columns of it as Markdown, for the scenarios that are wanted.
pub(super) fn markdown(
    report: &Value,
    columns: &[&str],
    is_wanted: impl Fn(&Value) -> bool,
) -> String {
    let scenarios = report["scenarios"].as_array().map_or(&[][..], Vec::as_slice);
    let line = |cells: &[String]| {
        let named = HEAD.iter().zip(cells);
        let cell = |column: &&str| named.clone().find(|(name, _)| *name == column);
        let cells = columns.iter().filter_map(cell).map(|(_, cell)| cell.as_str());
        format!("| {} |", cells.collect::<Vec<_>>().join(" | "))
    };
    let mut lines = vec![line(&HEAD.map(str::to_owned)), line(&HEAD.map(|_| "---".to_owned()))];
    let wanted = scenarios.iter().filter(|scenario| is_wanted(scenario));
    lines.extend(wanted.map(|scenario| line(&row(scenario))));
    lines.join("\n")
}

fn below(report: &Value) -> String {
    let history = &report["history"];
    let history = (!history.is_null()).then(|| history::text(history));
    let parts = [Some(beginnings(report)).filter(|text| !text.is_empty()), history];
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
}

/// Cold start and idle memory, as the scenario shows them that has both servers.
pub(super) fn beginnings(report: &Value) -> String {
    let scenarios = report["scenarios"].as_array().map_or(&[][..], Vec::as_slice);
    let beginning = |name: &str, of: &Value| {
        let (started, idle) = (of["started_ms"].as_f64()?, of["memory"]["idle"].as_f64()?);
        let idle = idle / 1_048_576.0;
        Some(format!("{name}: ready {started:.0} ms after its start, {idle:.1} MiB idle."))
    };
    let both = scenarios.iter().find(|scenario| !scenario["nginx"].is_null()).or(scenarios.first());
    let lines = both.map(|scenario| {
        [beginning("Unbroken", &scenario["ours"]), beginning("nginx", &scenario["nginx"])]
    });
    lines.into_iter().flatten().flatten().collect::<Vec<_>>().join("\n")
}

fn row(scenario: &Value) -> [String; 16] {
    let (ours, nginx) = (&scenario["ours"], &scenario["nginx"]);
    let ratio = |of: fn(&Value) -> Option<f64>| Some(of(ours)? / of(nginx)?);
    let times = &ours["milliseconds"];
    [
        scenario["name"].as_str().unwrap_or_default().to_owned(),
        number(span(ours)["tokens_per_second"].as_f64(), 0),
        number(cost(ours), 1),
        number(cost(nginx), 1),
        number(ratio(cost), 2),
        number(ratio(whole_cost), 2),
        spread(&times["start"]),
        spread(&times["first_token"]),
        spread(&times["token"]),
        spread(&times["resume"]),
        spread(&nginx["milliseconds"]["token"]),
        number(span(ours)["bytes_per_token"].as_f64(), 0),
        number(ours["memory"]["peak"].as_f64().map(|bytes| bytes / 1_048_576.0), 0),
        number(ours["memory"]["per_answer"].as_f64().map(|bytes| bytes / 1024.0), 1),
        losses(ours),
        losses(nginx),
    ]
}

/// What did not arrive as it was sent: tokens, and answers without their end.
fn losses(of: &Value) -> String {
    let tokens =
        ["lost", "doubled", "disordered", "strange"].map(|harm| of["tokens"][harm].as_u64());
    let tokens = tokens.into_iter().sum::<Option<u64>>();
    tokens.zip(of["readings"]["failed"].as_u64()).map_or_else(String::new, |harm| match harm {
        (0, 0) => "0".to_owned(),
        (tokens, answers) => format!("{tokens} tokens, {answers} answers"),
    })
}

/// Microseconds of CPU for each token.
pub(super) fn cost(of: &Value) -> Option<f64> {
    span(of)["server_cpu_per_token"].as_f64()
}

/// The same over the whole run, with what answers cost to begin and to end.
fn whole_cost(of: &Value) -> Option<f64> {
    of["whole"]["server_cpu_per_token"].as_f64()
}

/// The steady time; the whole run where that was too short for a clock that ticks a hundred times a
/// second.
fn span(of: &Value) -> &Value {
    const SHORTEST: f64 = 2.0;
    let is_long = of["steady"]["seconds"].as_f64().is_some_and(|seconds| seconds >= SHORTEST);
    if is_long { &of["steady"] } else { &of["whole"] }
}

fn spread(times: &Value) -> String {
    if times.is_null() {
        return String::new();
    }
    let parts = ["p50", "p99", "max"].map(|part| number(times[part].as_f64(), 1));
    parts.join(" / ")
}

fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(String::new, |value| format!("{value:.digits$}"))
}

fn aligned(rows: &[[String; 16]]) -> String {
    let width = |column: usize| {
        rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<_> = (0..HEAD.len()).map(width).collect();
    let lines = rows.iter().map(|row| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_has_the_ratio_to_nginx_where_nginx_was_measured() {
        let steady = |cost: f64| json!({ "seconds": 5.0, "tokens_per_second": 100.0, "server_cpu_per_token": cost });
        let token = json!({ "p50": 1.0, "p99": 2.5, "max": 3.0 });
        let whole = |cost: f64| json!({ "server_cpu_per_token": cost });
        let times = json!({ "token": token });
        let ours = json!({ "steady": steady(30.0), "whole": whole(36.0), "milliseconds": times });
        let nginx = json!({ "steady": steady(12.0), "whole": whole(12.0) });
        let beside = json!({ "name": "a", "ours": ours, "nginx": nginx });
        let alone = json!({ "name": "b", "ours": ours, "nginx": null });
        let text = text(&json!({ "scenarios": [beside, alone] }));
        let rows: Vec<Vec<_>> = text.lines().map(|l| l.split_whitespace().collect()).collect();
        assert_eq!(
            rows[1],
            ["a", "100", "30.0", "12.0", "2.50", "3.00", "1.0", "/", "2.5", "/", "3.0"]
        );
        assert_eq!(rows[2], ["b", "100", "30.0", "1.0", "/", "2.5", "/", "3.0"]);
    }

    #[test]
    fn what_nginx_loses_stands_beside_what_we_lose() {
        let of = |lost: u64, failed: u64| {
            let tokens = json!({ "lost": lost, "doubled": 1, "disordered": 0, "strange": 0 });
            json!({ "tokens": tokens, "readings": { "failed": failed } })
        };
        assert_eq!(losses(&of(41, 2)), "42 tokens, 2 answers");
        assert_eq!(losses(&json!(null)), "");
        let scenario = json!({ "name": "a", "ours": of(0, 0), "nginx": of(7, 3) });
        let text = text(&json!({ "scenarios": [scenario] }));
        assert!(text.contains("1 tokens, 0 answers  8 tokens, 3 answers"), "{text}");
    }

    #[test]
    fn a_steady_time_that_is_too_short_to_measure_gives_way_to_the_whole_run() {
        let span = |seconds, cost| json!({ "seconds": seconds, "server_cpu_per_token": cost });
        let whole = span(4.0, 3.0);
        assert_eq!(cost(&json!({ "steady": span(2.0, 1.0), "whole": whole })), Some(1.0));
        assert_eq!(cost(&json!({ "steady": span(0.2, 1.0), "whole": whole })), Some(3.0));
        assert_eq!(cost(&json!({ "steady": null, "whole": whole })), Some(3.0));
        assert_eq!(cost(&json!(null)), None);
    }
}
