//! The statements that the server sends for one mutation, out of the database's log.

use std::collections::BTreeSet;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::database;
use crate::fill::Filled;
use crate::load::{self, Answers};
use crate::operation::writes::{Target, Write};
use crate::product::Product;
use crate::settings::Settings;

/// A statement and its parameters, as text; none is NULL.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    pub text: String,
    pub parameters: Vec<Option<String>>,
}

/// Statements of one mutation, and what it was about.
#[derive(Clone)]
pub struct Sample {
    pub target: Target,
    pub statements: Vec<Statement>,
}

/// In statements that the server sends by itself from time to time, however many mutations there are:
/// the hint for the relay, what the feed reads, whether access was taken away from somebody.
const BY_ITSELF: [&str; 4] = ["ordergraph_waiting", "event_log", "relay_lease", "FROM \"access_restriction\" LIMIT"];
/// Mutations before the ones that are looked at: caches are warm then.
const WARM: u64 = 4;
/// How long the log may lag behind.
const LAG: Duration = Duration::from_millis(150);
/// Attempts to see the same statements twice.
const ATTEMPTS: usize = 6;

/// Two samples with the same statements of each step of a write. The server is started for it, on a
/// database that logs everything.
pub async fn samples(settings: &Settings, filled: &Filled, write: Write) -> anyhow::Result<Vec<[Sample; 2]>> {
    let mut connection = database::connect(&settings.cluster).await?;
    database::run(&mut connection, "ALTER SYSTEM SET log_line_prefix = '@%p@ '").await?;
    database::run(&mut connection, "SELECT pg_reload_conf()").await?;
    let (name, all) = (&filled.name, "SET log_statement = 'all'");
    database::run(&mut connection, &format!("ALTER DATABASE {name} {all}")).await?;
    let from = std::fs::metadata(&settings.postgres_log)?.len();
    let product = Product::start(settings, Some(&filled.url), "data").await?;
    let outcome = async {
        let mut steps = Vec::new();
        let copies = match write.template(filled)? {
            Some(template) => filled.take(template, WARM + ATTEMPTS as u64),
            None => 0..WARM + ATTEMPTS as u64,
        };
        for step in 0..write.steps() {
            steps.push(step_samples(settings, filled, write, &product, step, copies.clone(), from).await?);
        }
        anyhow::Ok(steps)
    };
    let outcome = outcome.await;
    product.process.stop().await?;
    database::run(&mut connection, &format!("ALTER DATABASE {name} RESET log_statement")).await?;
    outcome
}

async fn step_samples(
    settings: &Settings,
    filled: &Filled,
    write: Write,
    product: &Product,
    step: u64,
    copies: std::ops::Range<u64>,
    from: u64,
) -> anyhow::Result<[Sample; 2]> {
    let mut samples: Vec<Sample> = Vec::new();
    for (index, copy) in copies.enumerate() {
        let target = Target { copy, step, run: 1 };
        tokio::time::sleep(LAG).await;
        let begin = std::fs::metadata(&settings.postgres_log)?.len();
        send(filled, write, product, target).await?;
        tokio::time::sleep(LAG).await;
        let statements = read(&settings.postgres_log, from, begin)?;
        if statements.is_empty() {
            bail!("the database's log shows no statement of {}", write.name());
        }
        if (index as u64) >= WARM {
            samples.push(Sample { target, statements });
        }
    }
    // Who the caller is, is looked up once a second; that is not the mutation's, and not in the shortest.
    samples.sort_by_key(|sample| sample.statements.len());
    let pair = samples.windows(2).find_map(|pair| Some([pair[0].clone(), in_order_of(&pair[0], pair[1].clone())?]));
    pair.with_context(|| {
        let counts: Vec<usize> = samples.iter().map(|sample| sample.statements.len()).collect();
        format!("{} sends other statements each time: {counts:?}", write.name())
    })
}

/// The second sample with its statements in the order of the first, if they are the same: what the
/// server asks at the same time is logged in any order.
fn in_order_of(first: &Sample, mut second: Sample) -> Option<Sample> {
    let mut ordered = Vec::new();
    for statement in &first.statements {
        let place = second.statements.iter().position(|other| other.text == statement.text)?;
        ordered.push(second.statements.remove(place));
    }
    second.statements.is_empty().then_some(Sample { target: second.target, statements: ordered })
}

/// Sends one mutation.
async fn send(filled: &Filled, write: Write, product: &Product, target: Target) -> anyhow::Result<Answers> {
    let (role, subject) = write.person();
    let to = load::Target {
        address: product.address,
        headers: format!("authorization: Bearer {}\r\n", product.signer.token(role, subject)?),
        expected: write.expected(),
    };
    let body = write.body(filled, target)?;
    let once = |number: u64| (number == 0).then(|| body.clone());
    load::closed_loop(&to, 1, Duration::from_secs(30), &once).await.with_context(|| body.clone())
}

/// What sessions of the server said after a position of the log. Sessions of the relay, which were
/// seen at work since `from`, are left out: its work is not a mutation's.
fn read(log: &Path, from: u64, begin: u64) -> anyhow::Result<Vec<Statement>> {
    let mut file = std::fs::File::open(log)?;
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let skipped = usize::try_from(begin - from)?.min(bytes.len());
    let all = entries(&String::from_utf8_lossy(&bytes));
    let relay: BTreeSet<&str> = all
        .iter()
        .filter(|(_, text)| text.contains("relay_lease") || text.contains("LISTEN ") || text.contains("event_log\" ("))
        .map(|(process, _)| process.as_str())
        .collect();
    let new = entries(&String::from_utf8_lossy(&bytes[skipped..]));
    let mut statements: Vec<Statement> = Vec::new();
    // An entry's details follow it at once.
    let mut wanted = false;
    for (_, text) in new.iter().filter(|(process, _)| !relay.contains(process.as_str())) {
        if let Some(list) = text
            .strip_prefix("DETAIL:  ")
            .and_then(|text| text.strip_prefix("parameters: ").or_else(|| text.strip_prefix("Parameters: ")))
        {
            if let Some(last) = statements.last_mut().filter(|_| wanted) {
                last.parameters = parameters(list);
            }
            continue;
        }
        let Some(text) = text.strip_prefix("LOG:  ") else { continue };
        let statement = text
            .strip_prefix("statement: ")
            .or_else(|| text.strip_prefix("execute ")?.split_once(": ").map(|(_, statement)| statement));
        let statement = statement
            .map(str::trim)
            .filter(|statement| !statement.is_empty() && !BY_ITSELF.iter().any(|text| statement.contains(text)));
        wanted = statement.is_some();
        if let Some(statement) = statement {
            statements.push(Statement { text: statement.to_owned(), parameters: Vec::new() });
        }
    }
    Ok(statements)
}

/// Process and text of each entry; lines that go on begin with a tab.
fn entries(log: &str) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    for line in log.lines() {
        let entry = line.strip_prefix('@').and_then(|line| line.split_once("@ "));
        match (entry, all.last_mut()) {
            (Some((process, text)), _) => all.push((process.to_owned(), text.to_owned())),
            (None, Some((_, last))) => {
                last.push('\n');
                last.push_str(line.strip_prefix('\t').unwrap_or(line));
            }
            (None, None) => {}
        }
    }
    all
}

/// `$1 = 'a', $2 = NULL` and so on.
fn parameters(list: &str) -> Vec<Option<String>> {
    let (mut found, mut rest) = (Vec::new(), list);
    while let Some((_, value)) = rest.split_once(" = ") {
        let Some(quoted) = value.strip_prefix('\'') else {
            found.push(None);
            rest = value.strip_prefix("NULL").unwrap_or("");
            continue;
        };
        let (mut text, mut characters) = (String::new(), quoted.char_indices().peekable());
        let mut end = quoted.len();
        while let Some((at, character)) = characters.next() {
            if character != '\'' {
                text.push(character);
            } else if characters.next_if(|(_, next)| *next == '\'').is_some() {
                text.push('\'');
            } else {
                end = at + 1;
                break;
            }
        }
        found.push(Some(text));
        rest = &quoted[end..];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_as_they_were_written() {
        let found = parameters("$1 = 'a', $2 = NULL, $3 = 'it''s = $4', $4 = ''");
        assert_eq!(found, [Some("a".to_owned()), None, Some("it's = $4".to_owned()), Some(String::new())]);
    }

    #[test]
    fn entries_go_on_over_lines() {
        let found = entries("@1@ LOG:  statement: SELECT 1,\n\t2\n@2@ DETAIL:  parameters: $1 = 'x'\n");
        assert_eq!(found.len(), 2);
        assert_eq!(found[0], ("1".to_owned(), "LOG:  statement: SELECT 1,\n2".to_owned()));
    }
}
