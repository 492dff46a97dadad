//! What a request has read before anybody asks for it.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;

/// Values by key, for keys of any type; nothing for a key whose value is known not to exist.
#[derive(Default)]
pub struct Known(Mutex<Kinds>);

/// By the type of the key.
type Kinds = HashMap<TypeId, Box<dyn Any + Send>, RandomState>;

/// All of one kind.
type Entries<K, V> = HashMap<K, Option<V>, RandomState>;

impl Known {
    fn kinds(&self) -> MutexGuard<'_, Kinds> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds what was read.
    pub fn add<K, V>(&self, entries: impl IntoIterator<Item = (K, Option<V>)>)
    where
        K: Eq + Hash + Send + 'static,
        V: Send + 'static,
    {
        let mut kinds = self.kinds();
        let known = kinds.entry(TypeId::of::<K>()).or_insert_with(|| Box::new(Entries::<K, V>::default()));
        if let Some(known) = known.downcast_mut::<Entries<K, V>>() {
            known.extend(entries);
        }
    }

    /// The value of a key, if anything is known of it.
    pub fn get<K, V>(&self, key: &K) -> Option<Option<V>>
    where
        K: Eq + Hash + 'static,
        V: Clone + 'static,
    {
        let kinds = self.kinds();
        let known = kinds.get(&TypeId::of::<K>())?.downcast_ref::<Entries<K, V>>()?;
        known.get(key).cloned()
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.kinds().clear();
    }
}
