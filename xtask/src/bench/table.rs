//! The results as a table.

use serde_json::Value;

const HEAD: [&str; 10] = [
    "scenario",
    "tokens/s",
    "µs/token",
    "nginx",
    "ratio",
    "start ms",
    "first ms",
    "token ms",
    "back ms",
    "peak MiB",
];

/// A row for each scenario. Spreads are p50, p99 and the maximum.
pub(super) fn text(report: &Value) -> String {
    let scenarios = report["scenarios"].as_array().map_or(&[][..], Vec::as_slice);
    let mut rows = vec![HEAD.map(str::to_owned)];
    rows.extend(scenarios.iter().map(row));
    format!("{}\n\n{}", aligned(&rows), beginnings(report))
}

/// The same as Markdown.
pub(super) fn markdown(report: &Value) -> String {
    let scenarios = report["scenarios"].as_array().map_or(&[][..], Vec::as_slice);
    let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
    let mut lines = vec![line(&HEAD.map(str::to_owned)), line(&HEAD.map(|_| "---".to_owned()))];
    lines.extend(scenarios.iter().map(|scenario| line(&row(scenario))));
    format!("{}\n\n{}", lines.join("\n"), beginnings(report))
}

/// Cold start and idle memory, as the scenario shows them that has both servers.
fn beginnings(report: &Value) -> String {
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

fn row(scenario: &Value) -> [String; 10] {
    let (ours, nginx) = (&scenario["ours"], &scenario["nginx"]);
    let cost = |of: &Value| of["steady"]["server_cpu_per_token"].as_f64();
    let ratio = cost(ours).zip(cost(nginx)).map(|(ours, nginx)| ours / nginx);
    let times = &ours["milliseconds"];
    [
        scenario["name"].as_str().unwrap_or_default().to_owned(),
        number(ours["steady"]["tokens_per_second"].as_f64(), 0),
        number(cost(ours), 1),
        number(cost(nginx), 1),
        number(ratio, 2),
        spread(&times["start"]),
        spread(&times["first_token"]),
        spread(&times["token"]),
        spread(&times["resume"]),
        number(ours["memory"]["peak"].as_f64().map(|bytes| bytes / 1_048_576.0), 0),
    ]
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

fn aligned(rows: &[[String; 10]]) -> String {
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
        let steady =
            |cost: f64| json!({ "tokens_per_second": 100.0, "server_cpu_per_token": cost });
        let token = json!({ "p50": 1.0, "p99": 2.5, "max": 3.0 });
        let ours = json!({ "steady": steady(30.0), "milliseconds": { "token": token } });
        let beside = json!({ "name": "a", "ours": ours, "nginx": { "steady": steady(12.0) } });
        let alone = json!({ "name": "b", "ours": ours, "nginx": null });
        let text = text(&json!({ "scenarios": [beside, alone] }));
        let rows: Vec<Vec<_>> = text.lines().map(|l| l.split_whitespace().collect()).collect();
        assert_eq!(rows[1], ["a", "100", "30.0", "12.0", "2.50", "1.0", "/", "2.5", "/", "3.0"]);
        assert_eq!(rows[2], ["b", "100", "30.0", "1.0", "/", "2.5", "/", "3.0"]);
    }
}
