//! Orders with what belongs to them, read at once.

mod mentioned;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::order::{OrderFilter, OrderKey, OrderSortField};
use super::reference::Person;
use super::{Keyset, allocation, readable};
use crate::app::{Failure, Session};
use crate::domain::reference::Unit;
use crate::store::tree::{self, Roots};

pub use crate::store::tree::{AllocationParts, Properties, Tree, Wanted};

/// What was read, with the names in it.
pub struct Found {
    /// The orders and what belongs to them.
    pub tree: Tree,
    /// The units that are named, with all above them.
    pub units: Vec<Arc<Unit>>,
    /// The people who are named, by subject; nothing for those who are not on record, or whom the
    /// caller learns nothing of.
    pub people: HashMap<String, Option<Arc<Person>>>,
}

/// One order, if it exists for the caller, with what is wanted of it.
pub async fn order(session: &Session, key: &OrderKey, wanted: &Wanted) -> Result<Found, Failure> {
    session.may_read("order")?;
    let found = read(session, &Roots::One(key.clone()), wanted).await?;
    if found.tree.orders.has_next {
        let message = "Several accounts of this channel use this number; name the account, too.";
        return Err(Failure::BadInput(message.to_owned()));
    }
    Ok(found)
}

/// A page of orders, with what is wanted of them.
pub async fn orders(
    session: &Session,
    filter: &OrderFilter,
    sort: (OrderSortField, bool),
    keyset: Keyset,
    wanted: &Wanted,
) -> Result<Found, Failure> {
    session.may_read("orders")?;
    read(session, &Roots::Page { filter: Box::new(filter.clone()), sort, keyset }, wanted).await
}

async fn read(session: &Session, roots: &Roots, wanted: &Wanted) -> Result<Found, Failure> {
    let (app, actor) = (&session.app, &session.actor);
    let tickets = readable(session, "tickets");
    let mut permitted = Cow::Borrowed(wanted);
    if wanted.tickets && !tickets {
        permitted.to_mut().tickets = false;
    }
    if wanted.decisions && actor.is_external() {
        permitted.to_mut().decisions = false;
    }
    let mut tree = tree::read(app.store(), actor, roots, &permitted).await?;
    tree.allocations = tree.allocations.map(|found| allocation::presentable(session, found));
    // What the caller learns nothing of is known to be empty.
    if wanted.tickets && !tickets {
        tree.tickets = Some(Vec::new());
    }
    if wanted.decisions && actor.is_external() {
        tree.decisions = Some(Vec::new());
    }

    let mut mentioned = mentioned::of(&tree);
    let people = match (wanted.people, actor.is_external()) {
        (false, _) => HashMap::new(),
        (true, true) => HashMap::from([(actor.subject.clone(), None)]),
        (true, false) => app.directory.people(app.store(), std::mem::take(&mut mentioned.subjects)).await?,
    };
    mentioned.units.extend(people.values().flatten().map(|person| person.unit_id));
    let units = match wanted.units {
        true => app.directory.units_by_ids(app.store(), mentioned.units).await?,
        false => Vec::new(),
    };
    Ok(Found { tree, units, people })
}
