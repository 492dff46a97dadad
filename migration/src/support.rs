//! Shorthands the migrations share.

use sea_orm_migration::prelude::*;

/// A table to be created.
pub fn table(name: &'static str) -> TableCreateStatement {
    Table::create().table(name).take()
}

/// Creates an index over columns, named after them.
pub async fn index(
    manager: &SchemaManager<'_>,
    table: &'static str,
    columns: &[&'static str],
    unique: bool,
) -> Result<(), DbErr> {
    let mut statement = Index::create();
    statement.name(format!("{table}_{}_index", columns.join("_"))).table(table);
    for column in columns {
        statement.col(*column);
    }
    if unique {
        statement.unique();
    }
    manager.create_index(statement.to_owned()).await
}
