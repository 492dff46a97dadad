//! Who may call a root field, as the schema says it: a directive whose arguments are the permission
//! table's own.

use async_graphql::TypeDirective;

use crate::domain::actor::Role;
use crate::domain::permission::{Action, READS, permitted};

/// Who may call a field: holders of one of these roles, and what limits them beyond the role. Others
/// get the error FORBIDDEN.
#[TypeDirective(location = "FieldDefinition")]
pub fn access(roles: Vec<Role>, limit: Option<String>) {}

fn row(field: &str) -> (&'static [Role], &'static str) {
    if let Some(row) = READS.iter().find(|row| row.field == field) {
        return (row.roles, row.limit);
    }
    let action = Action::ALL.iter().find(|action| action.field_name() == field);
    action.map_or((&[], ""), |action| permitted(*action))
}

/// Who may call a root field.
pub fn roles(field: &str) -> Vec<Role> {
    row(field).0.to_vec()
}

/// What limits its callers beyond their roles.
pub fn limit(field: &str) -> Option<String> {
    let limit = row(field).1;
    (!limit.is_empty()).then(|| limit.to_owned())
}
