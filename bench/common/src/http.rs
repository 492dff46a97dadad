//! Just enough of HTTP/1.1 for the loopback interface: one request at a time on a kept connection.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Value as Json, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

const PATIENCE: Duration = Duration::from_secs(30);

/// A connection to a server.
pub struct Http {
    address: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
}

/// What a server answered.
pub struct Answer {
    /// The status, such as 200.
    pub status: u16,
    /// The body, as text.
    pub body: String,
}

impl Http {
    /// A connection that is opened when it is first used, and again when the server closed it.
    pub fn to(address: SocketAddr) -> Self {
        Self { address, stream: None }
    }

    /// Asks for a page.
    pub async fn get(&mut self, path: &str) -> anyhow::Result<Answer> {
        self.request("GET", path, "", "").await
    }

    /// Sends a body.
    pub async fn post(&mut self, path: &str, body: &str) -> anyhow::Result<Answer> {
        self.request("POST", path, "content-type: application/json\r\n", body).await
    }

    /// Runs an operation, and returns its data. Errors, also of the user, are errors.
    pub async fn graphql(&mut self, token: &str, query: &str, variables: Json) -> anyhow::Result<Json> {
        let headers = format!("content-type: application/json\r\nauthorization: Bearer {token}\r\n");
        let body = json!({"query": query, "variables": variables}).to_string();
        let answer = self.request("POST", "/graphql", &headers, &body).await?;
        let mut answer: Json =
            serde_json::from_str(&answer.body).with_context(|| format!("status {}: {}", answer.status, answer.body))?;
        if !answer["errors"].is_null() {
            bail!("{query} was answered {answer}");
        }
        Ok(answer["data"].take())
    }

    async fn request(&mut self, method: &str, path: &str, headers: &str, body: &str) -> anyhow::Result<Answer> {
        let text = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\n{headers}content-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        // A kept connection may have been closed in the meantime; only a new one tells for certain.
        if let Some(mut stream) = self.stream.take()
            && let Ok(Ok(answer)) = tokio::time::timeout(PATIENCE, exchange(&mut stream, &text)).await
        {
            self.stream = Some(stream);
            return Ok(answer);
        }
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let mut stream = BufReader::new(stream);
        let answer = tokio::time::timeout(PATIENCE, exchange(&mut stream, &text)).await??;
        self.stream = Some(stream);
        Ok(answer)
    }
}

async fn exchange(stream: &mut BufReader<TcpStream>, request: &str) -> anyhow::Result<Answer> {
    stream.write_all(request.as_bytes()).await?;
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let status = line.split(' ').nth(1).and_then(|code| code.parse().ok()).context("no HTTP was answered")?;
    let (mut length, mut chunked) = (0_usize, false);
    loop {
        line.clear();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse()?,
            "transfer-encoding" => chunked = true,
            _ => {}
        }
    }
    let mut body = Vec::new();
    loop {
        if chunked {
            line.clear();
            stream.read_line(&mut line).await?;
            length = usize::from_str_radix(line.trim(), 16).context("a chunk has no length")?;
        }
        let start = body.len();
        body.resize(start + length, 0);
        stream.read_exact(&mut body[start..]).await?;
        if !chunked {
            break;
        }
        line.clear();
        stream.read_line(&mut line).await?;
        if length == 0 {
            break;
        }
    }
    Ok(Answer { status, body: String::from_utf8(body)? })
}

/// The sum of a metric over its labels, in a page of Prometheus' text format.
pub fn metric(page: &str, name: &str) -> Option<f64> {
    let values: Vec<f64> = page
        .lines()
        .filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{'])))
        .filter_map(|line| line.rsplit(' ').next()?.parse().ok())
        .collect();
    (!values.is_empty()).then(|| values.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::metric;

    #[test]
    fn a_metric_is_summed_over_its_labels() {
        let page = "# TYPE a counter\na{x=\"1\"} 2\na{x=\"2\"} 3\na_total 7\n";
        assert_eq!(metric(page, "a"), Some(5.0));
        assert_eq!(metric(page, "a_total"), Some(7.0));
        assert_eq!(metric(page, "b"), None);
    }
}
