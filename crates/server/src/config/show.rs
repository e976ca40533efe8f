//! The configuration as a person reads it: every value, where it comes from, no secret.

use toml::{Table, Value};

/// What stands for a secret.
pub(super) const HIDDEN: &str = "•••";

/// Replaces every secret. An empty one stays empty: so it is seen that there is none.
pub(super) fn hide_secrets(table: &mut Table) {
    for (name, value) in table.iter_mut() {
        hide(name, value);
    }
}

fn hide(name: &str, value: &mut Value) {
    match value {
        Value::String(text) if text.is_empty() => {}
        Value::String(text) if is_secret(name) => HIDDEN.clone_into(text),
        Value::String(text) => {
            hide_password(text);
            hide_parameters(text);
        }
        Value::Array(values) => values.iter_mut().for_each(|value| hide(name, value)),
        // Headers of a provider carry keys under any name.
        Value::Table(table) if name == "headers" => {
            table.iter_mut().for_each(|(_, value)| hide("secret", value));
        }
        Value::Table(table) => hide_secrets(table),
        _ => {}
    }
}

fn is_secret(name: &str) -> bool {
    ["access_code", "key", "token", "secret", "password"].iter().any(|end| name.ends_with(end))
}

/// `https://user:password@host` becomes `https://•••@host`.
fn hide_password(url: &mut String) {
    let Some(start) = url.find("://").map(|at| at + 3) else { return };
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |at| start + at);
    if let Some(at) = url[start..end].rfind('@') {
        url.replace_range(start..start + at, HIDDEN);
    }
}

/// `https://host/?key=…&q=x` becomes `https://host/?key=•••&q=x`.
fn hide_parameters(url: &mut String) {
    let Some((place, query)) = url.split_once('?').filter(|(place, _)| place.contains("://"))
    else {
        return;
    };
    let shown = query.split('&').map(|parameter| match parameter.split_once('=') {
        Some((name, value)) if is_secret(&name.to_ascii_lowercase()) && !value.is_empty() => {
            format!("{name}={HIDDEN}")
        }
        _ => parameter.to_owned(),
    });
    *url = format!("{place}?{}", shown.collect::<Vec<_>>().join("&"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_providers_are_hidden() {
        let mut table: Table = r#"
            providers = [{ id = "a", api_key = "sk-1", api_key_env = "KEY", headers = { x = "sk-2" } }]
            url = "https://me:sk-3@host/a@b"
            plain = "https://host/a@b"
            search = "https://host/?q={query}&apiKey=sk-4&n=3"
            question = "What is key=x? See https://host"
            token = ""
        "#
        .parse()
        .unwrap();
        hide_secrets(&mut table);
        let expected: Table = r#"
            providers = [{ id = "a", api_key = "•••", api_key_env = "KEY", headers = { x = "•••" } }]
            url = "https://•••@host/a@b"
            plain = "https://host/a@b"
            search = "https://host/?q={query}&apiKey=•••&n=3"
            question = "What is key=x? See https://host"
            token = ""
        "#
        .parse()
        .unwrap();
        assert_eq!(table, expected);
    }
}
