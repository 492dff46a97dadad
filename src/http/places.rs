//! How many sockets or streams each caller has open here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::auth::Identity;

/// The places that callers take. Callers without a token take none.
#[derive(Debug, Default)]
pub(crate) struct Places {
    taken: Mutex<HashMap<Box<str>, usize>>,
}

/// One place, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    identity: Arc<Identity>,
}

impl Places {
    /// A place for the caller; nothing when it has `most` already.
    pub(crate) fn take(self: &Arc<Self>, identity: &Arc<Identity>, most: usize) -> Option<Place> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.get(identity.subject.as_str()).copied().unwrap_or(0) >= most {
            return None;
        }
        *taken.entry(identity.subject.as_str().into()).or_default() += 1;
        Some(Place { places: Arc::clone(self), identity: Arc::clone(identity) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(self.identity.subject.as_str()) {
            *count -= 1;
            if *count == 0 {
                taken.remove(self.identity.subject.as_str());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_per_caller_and_given_back() {
        let identity = |subject: &str| {
            Arc::new(Identity { subject: subject.to_owned(), expires_at: chrono::Utc::now(), ..Identity::default() })
        };
        let places = Arc::new(Places::default());
        let (ada, bob) = (identity("ada"), identity("bob"));
        let first = places.take(&ada, 2);
        let second = places.take(&identity("ada"), 2);
        assert!(first.is_some() && second.is_some() && places.take(&ada, 2).is_none());
        assert!(places.take(&bob, 2).is_some());
        drop(first);
        assert!(places.take(&ada, 2).is_some());
        drop(second);
        assert!(places.taken.lock().unwrap().is_empty());
        assert!(places.take(&ada, 0).is_none());
    }
}
