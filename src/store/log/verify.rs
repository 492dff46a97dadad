//! Proves the log: dense positions, each event once, and a hash chain that nobody has touched.

use entity::{event, event_log, event_waiting};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect};

use super::{Placed, link, placed};
use crate::domain::event::chain::{self, ORIGIN};
use crate::domain::invariants::Findings;
use crate::store::error::Result;
use crate::store::event::event as read;

/// Events looked at together; bounds the memory.
const BATCH: u64 = 1_000;

/// Checks positions, chain and that no event is outside.
pub(in crate::store) async fn verify(db: &impl ConnectionTrait, findings: &mut Findings) -> Result<()> {
    let (mut position, mut last) = (0, ORIGIN);
    loop {
        let rows = placed()
            .filter(event_log::Column::Position.gt(position))
            .limit(BATCH)
            .into_model::<Placed>()
            .all(db)
            .await?;
        let full = rows.len() as u64 == BATCH;
        for row in rows {
            findings.expect(row.position == position + 1, "POSITIONS_WITHOUT_GAP", "event_log", row.position, || {
                format!("after position {position} comes {}", row.position)
            });
            let event = read(row.event, Some(row.position))?;
            let expected = chain::link(&last, row.position, &event);
            let found = link(&row.hash)?;
            findings.expect(found == expected, "CHAIN_UNBROKEN", "event_log", row.position, || {
                format!("event {} or one before it is not what it was when it got its position", event.id)
            });
            // What stands there, so that one broken link is told once.
            (position, last) = (row.position, found);
        }
        if !full {
            break;
        }
    }
    let events = event::Entity::find().count(db).await?;
    let places = event_log::Entity::find().count(db).await?;
    let waiting = event_waiting::Entity::find().count(db).await?;
    findings.expect(events == places + waiting, "EVERY_EVENT_ONCE", "event_log", "", || {
        format!("{events} events, but {places} have a position and {waiting} wait for one")
    });
    Ok(())
}
