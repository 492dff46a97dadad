//! The schema's history: append-only, the same on SQLite and on PostgreSQL. Never imports the
//! entities, so that a migration keeps its meaning when they change.

pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::*;

mod m0001_reference;
mod m0002_orders;
mod m0003_execution;
mod m0004_delivery;
mod m0005_log;
mod m0006_feed;
mod m0007_access;
mod m0008_reads;
mod m0009_access_keys;
mod m0010_channels;
mod m0011_imports;
mod m0012_review;
mod m0013_allocation;
mod m0014_stock;
mod m0015_changes;
mod m0016_import_pieces;
mod support;

/// Every migration, oldest first.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_reference::Migration),
            Box::new(m0002_orders::Migration),
            Box::new(m0003_execution::Migration),
            Box::new(m0004_delivery::Migration),
            Box::new(m0005_log::Migration),
            Box::new(m0006_feed::Migration),
            Box::new(m0007_access::Migration),
            Box::new(m0008_reads::Migration),
            Box::new(m0009_access_keys::Migration),
            Box::new(m0010_channels::Migration),
            Box::new(m0011_imports::Migration),
            Box::new(m0012_review::Migration),
            Box::new(m0013_allocation::Migration),
            Box::new(m0014_stock::Migration),
            Box::new(m0015_changes::Migration),
            Box::new(m0016_import_pieces::Migration),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_come_in_the_order_of_their_numbers() {
        let names: Vec<String> = Migrator::migrations().iter().map(|one| one.name().to_owned()).collect();
        assert!(names.is_sorted(), "{names:?}");
    }
}
