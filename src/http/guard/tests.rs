use std::fmt::Write;
use std::time::{Duration, Instant};

use super::*;

fn code_of(text: &str) -> &'static str {
    check(text, &Limits::default(), true).map_or_else(|refusal| refusal.code, |_| "accepted")
}

#[test]
fn accepts_ordinary_documents() {
    for text in [
        "{ a }",
        "\u{feff}query Q($x: [Int!]! = [1, -2.5e3]) @d { a(x: $x) { ...F ... on T { b } } } fragment F on T { c }",
        "{ a(text: \"}}}} # not a comment \\\" {{{\") } # ((((((",
        "{ a(text: \"\"\"block { \\\"\"\" [ ( \"\"\") }",
        "{ __typename }",
    ] {
        assert_eq!(code_of(text), "accepted", "{text}");
    }
}

#[test]
fn refuses_ten_megabytes_without_reading_them() {
    let text = "{ a }".repeat(2 * 1024 * 1024);
    let started = Instant::now();
    assert_eq!(code_of(&text), "DOCUMENT_TOO_LARGE");
    assert!(started.elapsed() < Duration::from_millis(20));
}

#[test]
fn refuses_too_many_tokens_and_aliases() {
    let mut aliases = String::from("{");
    for index in 0..2_000 {
        let _ = write!(aliases, "a{index}:__typename ");
    }
    aliases.push('}');
    assert_eq!(code_of(&aliases), "DOCUMENT_TOO_MANY_TOKENS");

    let roomy = Limits { document_tokens: 100_000, root_fields: 100_000, ..Limits::default() };
    let refusal = check(&aliases, &roomy, true).expect_err("2,000 aliases");
    assert_eq!(refusal.code, "DOCUMENT_TOO_MANY_ALIASES");

    let aliases_below: String = (0..51).map(|index| format!("a{index}:b ")).collect();
    assert_eq!(code_of(&format!("{{ a {{ {aliases_below} }} }}")), "DOCUMENT_TOO_MANY_ALIASES");
    assert_eq!(code_of(&format!("{{ {} }}", "a ".repeat(51))), "DOCUMENT_TOO_COMPLEX");
    assert_eq!(code_of(&format!("{{ {} }}", "a ".repeat(50))), "accepted");
}

#[test]
fn refuses_nesting_that_would_exhaust_the_stack() {
    for (open, close) in [("[", "]"), ("{a:", "}")] {
        let literal = format!("{}{}", open.repeat(5_000), close.repeat(5_000));
        let code = code_of(&format!("{{ a(x: {literal}) }}"));
        assert!(matches!(code, "DOCUMENT_TOO_DEEP" | "DOCUMENT_TOO_MANY_TOKENS"), "{code}");
    }
    let hidden = format!("{{ a(x: [\"\"\"x {} ]) }}", "[".repeat(3_000));
    assert_eq!(code_of(&hidden), "GRAPHQL_PARSE_FAILED");
    let hidden = format!("{{ a(x: \"\n{}) }}", "[".repeat(3_000));
    assert_eq!(code_of(&hidden), "GRAPHQL_PARSE_FAILED");
    let after_comment = format!("{{ a #\"\r{}", "[".repeat(3_000));
    assert_eq!(code_of(&after_comment), "DOCUMENT_TOO_DEEP");
    assert_eq!(code_of(&format!("{}a{}", "{a".repeat(16), "}".repeat(16))), "DOCUMENT_TOO_DEEP");
    assert_eq!(code_of(&format!("{}{}", "{a".repeat(15), "}".repeat(15))), "accepted");
}

#[test]
fn refuses_fragments_that_double() {
    let mut text = String::from("{ ...F0 }");
    for level in 0..40 {
        let next = level + 1;
        let _ = write!(text, " fragment F{level} on Query {{ ...F{next} ...F{next} }}");
    }
    text.push_str(" fragment F40 on Query { __typename }");
    let started = Instant::now();
    assert_eq!(code_of(&text), "DOCUMENT_TOO_COMPLEX");
    assert!(started.elapsed() < Duration::from_millis(500));
}

#[test]
fn refuses_unused_fragments_that_double() {
    let mut text = String::from("{ a }");
    for level in 0..20 {
        let next = level + 1;
        let _ = write!(text, " fragment F{level} on Query {{ x {{ ...F{next} }} y {{ ...F{next} }} }}");
    }
    text.push_str(" fragment F20 on Query { __typename }");
    assert_eq!(code_of(&text), "DOCUMENT_TOO_COMPLEX");
}

#[test]
fn refuses_long_chains_of_spreads() {
    let mut text = String::from("{ ...F0 }");
    for level in 0..400 {
        let next = level + 1;
        let _ = write!(text, " fragment F{level} on Query {{ ...F{next} }}");
    }
    text.push_str(" fragment F400 on Query { a }");
    assert_eq!(code_of(&text), "DOCUMENT_TOO_DEEP");
}

#[test]
fn counts_depth_through_fragments() {
    let mut text = String::from("{ a { ...F0 } }");
    for level in 0..15 {
        let next = level + 1;
        let _ = write!(text, " fragment F{level} on T {{ a {{ ...F{next} }} }}");
    }
    text.push_str(" fragment F15 on T { a }");
    assert_eq!(code_of(&text), "DOCUMENT_TOO_DEEP");
}

#[test]
fn refuses_cycles() {
    for text in [
        "{ ...A } fragment A on Query { a { ...A } }",
        "{ ...A } fragment A on Query { ...B } fragment B on Query { ... { ...C } } fragment C on Query { ...A }",
        "{ a } fragment A on Query { ...A }",
    ] {
        assert_eq!(code_of(text), "GRAPHQL_VALIDATION_FAILED", "{text}");
    }
}

#[test]
fn refuses_many_operations_and_directives() {
    let operations: String = (0..11).map(|index| format!("query Q{index} {{ a }} ")).collect();
    assert_eq!(code_of(&operations), "DOCUMENT_TOO_COMPLEX");
    let directives = "@d ".repeat(9);
    for text in [
        format!("{{ a {directives} }}"),
        format!("query {directives} {{ a }}"),
        format!("query ($x: Int {directives}) {{ a }}"),
        format!("{{ ... {directives} {{ a }} }}"),
        format!("{{ ...F }} fragment F on Query {directives} {{ a }}"),
        format!("{{ ...F {directives} }} fragment F on Query {{ a }}"),
    ] {
        assert_eq!(code_of(&text), "DOCUMENT_TOO_COMPLEX", "{text}");
    }
}

#[test]
fn introspection_can_be_switched_off_and_is_bounded() {
    let limits = Limits::default();
    for text in [
        "{ __schema { queryType { name } } }",
        "{ alias: __type(name: \"T\") { name } }",
        "{ ...F } fragment F on Query { ... { __schema { queryType { name } } } }",
    ] {
        assert_eq!(code_of(text), "accepted");
        let refusal = check(text, &limits, false).expect_err(text);
        assert_eq!(refusal.code, "INTROSPECTION_DISABLED");
    }
    assert!(check("{ __typename a { __typename } }", &limits, false).is_ok());
    assert_eq!(
        code_of("{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }"),
        "DOCUMENT_TOO_COMPLEX"
    );
    assert_eq!(code_of("{ a { fields { fields { fields { fields { b } } } } } }"), "accepted");
}

#[test]
fn accepts_the_usual_introspection_query() {
    assert_eq!(code_of(include_str!("introspection.graphql")), "accepted");
}

#[test]
fn parse_errors_are_short_and_located() {
    let long_line = format!("{{ a {} % }}", "b ".repeat(1_000));
    let refusal = check(&long_line, &Limits::default(), true).expect_err("a percent sign");
    assert_eq!(refusal.code, "GRAPHQL_PARSE_FAILED");
    assert!(refusal.message.len() < 200, "{}", refusal.message);
    assert!(refusal.position.is_some());
}

#[test]
fn selects_the_operation_by_name() {
    let several = check("query A { a } mutation B { b }", &Limits::default(), true).expect("valid");
    let of = |name| several.operation(name).map(|operation| operation.ty);
    assert_eq!(of(Some("A")), Ok(OperationType::Query));
    assert_eq!(of(Some("B")), Ok(OperationType::Mutation));
    assert!(of(None).is_err());
    assert!(of(Some("C")).is_err());
    let single = check("mutation { b }", &Limits::default(), true).expect("valid");
    assert!(single.operation(Some("A")).is_err());
    assert_eq!(single.operation(None).map(|found| found.ty), Ok(OperationType::Mutation));
}
