//! Weighs a parsed document without expanding its fragments.

use std::collections::HashMap;

use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use async_graphql::{Name, Pos, Positioned};

use super::{Limits, Refusal};
use crate::http::error::code;

/// What a selection set amounts to once every spread in it is replaced by its fragment.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    fields: u64,
    aliases: u64,
    root_fields: u64,
    depth: usize,
    fragment_depth: usize,
    introspection_lists: usize,
    selects_schema: bool,
}

impl Cost {
    fn add(&mut self, other: &Self) {
        self.fields = self.fields.saturating_add(other.fields);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.root_fields = self.root_fields.saturating_add(other.root_fields);
        self.depth = self.depth.max(other.depth);
        self.fragment_depth = self.fragment_depth.max(other.fragment_depth);
        self.introspection_lists = self.introspection_lists.max(other.introspection_lists);
        self.selects_schema |= other.selects_schema;
    }
}

pub(super) fn check(document: &ExecutableDocument, limits: &Limits, introspection: bool) -> Result<(), Box<Refusal>> {
    if document.operations.iter().len() > limits.operations {
        return Err(refuse(
            code::DOCUMENT_TOO_COMPLEX,
            format!("The document has more than {} operations.", limits.operations),
        ));
    }

    let weigher = Weigher { limits, fragments: weigh_fragments(document, limits)? };
    // A fragment no operation uses still costs the validation a walk.
    let mut whole_document = Cost::default();
    for cost in weigher.fragments.values() {
        judge(cost, limits, introspection)?;
    }

    for (_, operation) in document.operations.iter() {
        weigher.directives(operation.node.directives.len(), operation.pos)?;
        for variable in &operation.node.variable_definitions {
            weigher.directives(variable.node.directives.len(), variable.pos)?;
        }
        let cost = weigher.selection_set(&operation.node.selection_set.node)?;
        judge(&cost, limits, introspection).map_err(|refusal| locate(refusal, operation.pos))?;
        if cost.root_fields > limits.root_fields {
            return Err(refuse(
                code::DOCUMENT_TOO_COMPLEX,
                format!("An operation selects more than {} root fields.", limits.root_fields),
            ));
        }
        whole_document.add(&cost);
    }
    judge_fields(&whole_document, limits)
}

fn judge_fields(cost: &Cost, limits: &Limits) -> Result<(), Box<Refusal>> {
    if cost.fields > limits.expanded_fields {
        return Err(refuse(
            code::DOCUMENT_TOO_COMPLEX,
            format!("The document selects more than {} fields.", limits.expanded_fields),
        ));
    }
    Ok(())
}

fn judge(cost: &Cost, limits: &Limits, introspection: bool) -> Result<(), Box<Refusal>> {
    if cost.selects_schema && !introspection {
        return Err(refuse(code::INTROSPECTION_DISABLED, "Introspection is switched off on this server.".to_owned()));
    }
    judge_fields(cost, limits)?;
    if cost.aliases > limits.aliases {
        return Err(refuse(
            code::DOCUMENT_TOO_MANY_ALIASES,
            format!("An operation uses more than {} aliases.", limits.aliases),
        ));
    }
    if cost.depth > limits.depth {
        return Err(refuse(
            code::DOCUMENT_TOO_DEEP,
            format!("Fields are nested more than {} levels deep.", limits.depth),
        ));
    }
    if cost.fragment_depth > limits.fragment_depth {
        return Err(refuse(
            code::DOCUMENT_TOO_DEEP,
            format!("Fragments spread each other more than {} levels deep.", limits.fragment_depth),
        ));
    }
    Ok(())
}

/// The cost of every fragment, each weighed once, after the fragments it spreads.
fn weigh_fragments<'document>(
    document: &'document ExecutableDocument,
    limits: &Limits,
) -> Result<HashMap<&'document Name, Cost>, Box<Refusal>> {
    let mut waiting_for: HashMap<&Name, usize> = HashMap::new();
    let mut used_by: HashMap<&Name, Vec<&Name>> = HashMap::new();
    let mut ready = Vec::new();
    for (name, fragment) in &document.fragments {
        let mut spreads = Vec::new();
        collect_spreads(&fragment.node.selection_set.node, &mut spreads);
        // Spreads of unknown fragments cost nothing; the validation refuses them.
        spreads.retain(|spread| document.fragments.contains_key(*spread));
        if spreads.is_empty() {
            ready.push(name);
        }
        waiting_for.insert(name, spreads.len());
        for spread in spreads {
            used_by.entry(spread).or_default().push(name);
        }
    }

    let mut weigher = Weigher { limits, fragments: HashMap::with_capacity(document.fragments.len()) };
    while let Some(name) = ready.pop() {
        let Some(fragment) = document.fragments.get(name) else {
            continue;
        };
        weigher.directives(fragment.node.directives.len(), fragment.pos)?;
        let cost = weigher.selection_set(&fragment.node.selection_set.node)?;
        weigher.fragments.insert(name, cost);
        for user in used_by.remove(name).unwrap_or_default() {
            if let Some(missing) = waiting_for.get_mut(user) {
                *missing -= 1;
                if *missing == 0 {
                    ready.push(user);
                }
            }
        }
    }
    if weigher.fragments.len() < document.fragments.len() {
        return Err(refuse(
            code::GRAPHQL_VALIDATION_FAILED,
            "Fragments must not spread themselves, directly or through others.".to_owned(),
        ));
    }
    Ok(weigher.fragments)
}

fn collect_spreads<'document>(set: &'document SelectionSet, spreads: &mut Vec<&'document Name>) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => {
                collect_spreads(&field.node.selection_set.node, spreads);
            }
            Selection::InlineFragment(fragment) => {
                collect_spreads(&fragment.node.selection_set.node, spreads);
            }
            Selection::FragmentSpread(spread) => spreads.push(&spread.node.fragment_name.node),
        }
    }
}

struct Weigher<'document, 'limits> {
    limits: &'limits Limits,
    fragments: HashMap<&'document Name, Cost>,
}

impl Weigher<'_, '_> {
    fn selection_set(&self, set: &SelectionSet) -> Result<Cost, Box<Refusal>> {
        let mut total = Cost::default();
        for Positioned { pos, node } in &set.items {
            self.directives(node.directives().len(), *pos)?;
            let cost = match node {
                Selection::Field(field) => {
                    let below = self.selection_set(&field.node.selection_set.node)?;
                    let name = field.node.name.node.as_str();
                    let selects_schema = matches!(name, "__schema" | "__type");
                    if selects_schema && below.introspection_lists > self.limits.introspection_lists {
                        return Err(locate(
                            refuse(
                                code::DOCUMENT_TOO_COMPLEX,
                                format!(
                                    "Introspection nests more than {} lists of the schema's parts.",
                                    self.limits.introspection_lists
                                ),
                            ),
                            *pos,
                        ));
                    }
                    let is_list = matches!(name, "fields" | "inputFields" | "interfaces" | "possibleTypes");
                    Cost {
                        fields: below.fields.saturating_add(1),
                        aliases: below.aliases.saturating_add(u64::from(field.node.alias.is_some())),
                        root_fields: 1,
                        depth: below.depth + 1,
                        fragment_depth: below.fragment_depth,
                        introspection_lists: below.introspection_lists + usize::from(is_list),
                        selects_schema: below.selects_schema || selects_schema,
                    }
                }
                Selection::InlineFragment(fragment) => self.selection_set(&fragment.node.selection_set.node)?,
                Selection::FragmentSpread(spread) => {
                    let mut cost = self.fragments.get(&spread.node.fragment_name.node).copied().unwrap_or_default();
                    cost.fields = cost.fields.saturating_add(1);
                    cost.fragment_depth += 1;
                    cost
                }
            };
            total.add(&cost);
        }
        Ok(total)
    }

    fn directives(&self, count: usize, position: Pos) -> Result<(), Box<Refusal>> {
        if count > self.limits.directives {
            return Err(locate(
                refuse(
                    code::DOCUMENT_TOO_COMPLEX,
                    format!("More than {} directives at one place.", self.limits.directives),
                ),
                position,
            ));
        }
        Ok(())
    }
}

fn refuse(code: &'static str, message: String) -> Box<Refusal> {
    Box::new(Refusal::new(code, message))
}

fn locate(mut refusal: Box<Refusal>, position: Pos) -> Box<Refusal> {
    refusal.position = Some(position);
    refusal
}
