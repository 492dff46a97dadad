//! What is refused before a document reaches the executor.
//!
//! Two stages. The first walks the bytes of the document once, before the parser, because the
//! parser's stack depth follows the nesting of the text. The second then weighs the parsed
//! document fragment by fragment, so that fragments which spread each other are never expanded.

mod cost;
mod documents;
mod root;
mod select;
mod text;
mod used;

use std::any::Any;
use std::sync::{Arc, OnceLock};

use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType};
use async_graphql::parser::{self, parse_query};
use async_graphql::{Pos, ServerError};
use serde::Deserialize;

pub use documents::Documents;

use super::error::{self, code};

/// How large a document may be. Every count is a maximum that is still accepted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Length of the document text in bytes of UTF-8.
    pub document_bytes: usize,
    /// Lexical tokens in the document; comments, commas and white space do not count.
    pub document_tokens: usize,
    /// Brackets of any kind that are open at the same time.
    pub bracket_nesting: usize,
    /// Fields selected by all operations together after every fragment is put in its place.
    /// A spread counts as one field, so that empty chains of spreads are not free.
    pub expanded_fields: u64,
    /// Aliases in one operation after every fragment is put in its place.
    pub aliases: u64,
    /// Fields at the root of one operation after every fragment is put in its place.
    pub root_fields: u64,
    /// Operations in one document.
    pub operations: usize,
    /// Directives at one place: a field, a spread, a fragment, a variable or an operation.
    pub directives: usize,
    /// Levels of fields below each other, the leaves included.
    pub depth: usize,
    /// Spreads that follow each other from fragment to fragment.
    pub fragment_depth: usize,
    /// List fields of the introspection types (`fields`, `inputFields`, `interfaces`,
    /// `possibleTypes`) below each other within one `__schema` or `__type`; each level multiplies
    /// the answer by the size of the schema.
    pub introspection_lists: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            document_bytes: 64 * 1024,
            document_tokens: 4_000,
            bracket_nesting: 64,
            expanded_fields: 5_000,
            aliases: 50,
            root_fields: 50,
            operations: 10,
            directives: 8,
            depth: 15,
            fragment_depth: 32,
            introspection_lists: 2,
        }
    }
}

/// Why a document was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The stable code that goes into `extensions.code`.
    pub code: &'static str,
    /// An English sentence for people.
    pub message: String,
    /// Where in the document, if one place is to blame.
    pub position: Option<Pos>,
}

impl Refusal {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), position: None }
    }
}

impl From<Refusal> for ServerError {
    fn from(refusal: Refusal) -> Self {
        let mut server_error = error::coded(refusal.code, refusal.message);
        server_error.locations.extend(refusal.position);
        server_error
    }
}

/// A document that passed both stages.
#[derive(Debug)]
pub struct CheckedDocument {
    /// The parsed document.
    pub document: ExecutableDocument,
    /// What the backend has found out about it, if all of it is one query.
    pub notes: OnceLock<Arc<dyn Any + Send + Sync>>,
}

impl CheckedDocument {
    /// The document to execute: without what the selected operation does not need, and a
    /// subscription with its one field at the root.
    ///
    /// # Errors
    /// `GRAPHQL_VALIDATION_FAILED` when a subscription selects no field at its root, or several.
    pub fn selected(
        &self,
        operation_name: Option<&str>,
        variables: &serde_json::Value,
    ) -> Result<ExecutableDocument, Box<Refusal>> {
        let mut document = self.document.clone();
        select::select(&mut document, operation_name);
        root::flatten(&mut document, operation_name, variables)?;
        Ok(document)
    }

    /// The operation that `operation_name` selects.
    ///
    /// # Errors
    /// `OPERATION_RESOLUTION_FAILURE` when there is no such operation, or when no name is given and
    /// the document has several operations.
    pub fn operation(&self, operation_name: Option<&str>) -> Result<&OperationDefinition, Box<Refusal>> {
        let found = match (&self.document.operations, operation_name) {
            (DocumentOperations::Single(operation), None) => Ok(operation),
            (DocumentOperations::Multiple(operations), None) if operations.len() > 1 => {
                Err("The document has several operations: operationName must select one.")
            }
            (DocumentOperations::Multiple(operations), None) => {
                operations.values().next().ok_or("The document has no operation.")
            }
            (DocumentOperations::Multiple(operations), Some(name)) => {
                operations.get(name).ok_or("The document has no operation of the name given in operationName.")
            }
            (DocumentOperations::Single(_), Some(_)) => {
                Err("The document has no operation of the name given in operationName.")
            }
        };
        found
            .map(|operation| &operation.node)
            .map_err(|message| Box::new(Refusal::new(code::OPERATION_RESOLUTION_FAILURE, message)))
    }
}

/// Checks, parses and weighs a document.
///
/// `introspection` tells whether `__schema` and `__type` may be selected; `__typename` always may.
///
/// # Errors
/// The first [`Refusal`] that applies. The work done before a refusal is linear in the length of
/// the text, whatever the text says.
pub fn check(text: &str, limits: &Limits, introspection: bool) -> Result<CheckedDocument, Box<Refusal>> {
    text::check(text, limits)?;
    let document = parse_query(text).map_err(|parse_error| syntax_refusal(&parse_error))?;
    cost::check(&document, limits, introspection)?;
    Ok(CheckedDocument { document, notes: OnceLock::new() })
}

/// The name of an operation type in GraphQL's own words.
pub fn operation_word(operation_type: OperationType) -> &'static str {
    match operation_type {
        OperationType::Query => "query",
        OperationType::Mutation => "mutation",
        OperationType::Subscription => "subscription",
    }
}

fn syntax_refusal(parse_error: &parser::Error) -> Box<Refusal> {
    let message = match parse_error {
        // The parser's own text repeats the whole line of the document.
        parser::Error::Syntax { message, .. } => {
            let expectation = message
                .lines()
                .rev()
                .find_map(|line| line.trim_start().strip_prefix("= "))
                .unwrap_or("the document could not be read");
            format!("Syntax error: {expectation}.")
        }
        other => format!("Syntax error: {other}."),
    };
    let mut refusal = Refusal::new(code::GRAPHQL_PARSE_FAILED, message);
    refusal.position = parse_error.positions().next();
    Box::new(refusal)
}

#[cfg(test)]
mod tests;
