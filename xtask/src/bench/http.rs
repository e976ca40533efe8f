//! Calls of the server's interface, each on a connection of its own.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

const BOUNDARY: &str = "the-end-of-a-part";

/// A person at a server.
pub(super) struct Person {
    address: String,
    session: String,
}

impl Person {
    pub(super) fn at(address: &str) -> Result<Self> {
        let mut person = Self { address: address.to_owned(), session: String::new() };
        let body = json!({ "device_id": "bench" });
        let session = person.send("POST", "/auth/device-session", &body)?;
        session["session_id"].as_str().context("no session came")?.clone_into(&mut person.session);
        Ok(person)
    }

    /// The same person after the server was started anew.
    pub(super) fn again(&self, address: &str) -> Self {
        Self { address: address.to_owned(), session: self.session.clone() }
    }

    pub(super) fn get(&self, path: &str) -> Result<Value> {
        self.call("GET", path, "application/json", &[])
    }

    pub(super) fn send(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let mut body = body.clone();
        if !self.session.is_empty() {
            body["session_id"] = json!(self.session);
        }
        self.call(method, path, "application/json", body.to_string().as_bytes())
    }

    /// Brings a file.
    pub(super) fn bring(&self, name: &str, bytes: &[u8]) -> Result<Value> {
        let name = name.replace(['"', '\r', '\n'], "_");
        let mut body = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(bytes);
        body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        self.call("POST", "/ai/files", &kind, &body)
    }

    fn call(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> Result<Value> {
        let mut stream = TcpStream::connect(&self.address)?;
        let and = if path.contains('?') { '&' } else { '?' };
        let (address, session, length) = (&self.address, &self.session, body.len());
        let session = if session.is_empty() { "" } else { &format!("{and}session_id={session}") };
        // By the older version of HTTP no answer comes in pieces.
        let head = format!(
            "{method} {path}{session} HTTP/1.0\r\nHost: {address}\r\n\
             Accept: application/json\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let answer = String::from_utf8(answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").context("half an answer")?;
        ensure!(head.starts_with("HTTP/1.0 2"), "{method} {path} was refused: {body}");
        if body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(body).with_context(|| format!("{method} {path} is no JSON: {body}"))
    }
}
