//! The units and people of the group, kept in memory for a moment: nearly every answer names some of
//! them, and they hardly ever change.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::domain::ids::UnitId;
use crate::domain::reference::Unit;
use crate::store::reference::{self, Person};
use crate::store::{Result, Store};

/// A name may be out of date for so long. Who may do what does not depend on it.
const FRESH: Duration = Duration::from_secs(5);
/// So many people are kept at most; then all are read anew as they are asked for.
const MOST_PEOPLE: usize = 10_000;

/// Every unit of the group.
type Units = Arc<[Arc<Unit>]>;

/// Units and people, as they were a moment ago.
#[derive(Default)]
pub struct Directory {
    units: RwLock<Option<Kept<Units>>>,
    /// By subject; nothing for those who are not on record.
    people: RwLock<HashMap<String, Kept<Option<Arc<Person>>>>>,
}

#[derive(Clone)]
struct Kept<T> {
    value: T,
    until: Instant,
}

impl<T: Clone> Kept<T> {
    fn new(value: T) -> Self {
        Self { value, until: Instant::now() + FRESH }
    }

    fn fresh(&self) -> Option<T> {
        (Instant::now() < self.until).then(|| self.value.clone())
    }
}

impl Directory {
    /// Every unit of the group, by code.
    pub async fn units(&self, store: &Store) -> Result<Units> {
        let known = self.units.read().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(Kept::fresh);
        if let Some(units) = known {
            return Ok(units);
        }
        let units: Units = reference::all_units(store.reader()).await?.into_iter().map(Arc::new).collect();
        *self.units.write().unwrap_or_else(PoisonError::into_inner) = Some(Kept::new(units.clone()));
        Ok(units)
    }

    /// Units by id, with all that are above them.
    pub async fn units_by_ids(&self, store: &Store, ids: BTreeSet<UnitId>) -> Result<Vec<Arc<Unit>>> {
        let mut found: BTreeSet<UnitId> = BTreeSet::new();
        let mut chosen = Vec::new();
        if ids.is_empty() {
            return Ok(chosen);
        }
        let units = self.units(store).await?;
        for id in ids {
            let mut next = Some(id);
            while let Some(unit) = next.and_then(|id| units.iter().find(|unit| unit.id == id)) {
                if !found.insert(unit.id) {
                    break;
                }
                next = unit.parent_id;
                chosen.push(unit.clone());
            }
        }
        Ok(chosen)
    }

    /// People by subject; nothing for each who is not on record.
    pub async fn people(
        &self,
        store: &Store,
        subjects: BTreeSet<String>,
    ) -> Result<HashMap<String, Option<Arc<Person>>>> {
        let mut found = HashMap::with_capacity(subjects.len());
        let mut missing = Vec::new();
        {
            let known = self.people.read().unwrap_or_else(PoisonError::into_inner);
            for subject in subjects {
                match known.get(&subject).and_then(Kept::fresh) {
                    Some(person) => {
                        found.insert(subject, person);
                    }
                    None => missing.push(subject),
                }
            }
        }
        if missing.is_empty() {
            return Ok(found);
        }
        let read = reference::people(store.reader(), &missing).await?;
        let mut read: HashMap<String, Arc<Person>> =
            read.into_iter().map(|person| (person.subject.clone(), Arc::new(person))).collect();
        let mut known = self.people.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() + missing.len() > MOST_PEOPLE {
            known.clear();
        }
        for subject in missing {
            let person = read.remove(&subject);
            known.insert(subject.clone(), Kept::new(person.clone()));
            found.insert(subject, person);
        }
        Ok(found)
    }
}
