//! Up to where everything that was told is also handed out, over all groups of a node.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The first event of each group that is executed at the moment.
#[derive(Debug, Default)]
pub struct InFlight(Mutex<BTreeMap<i64, usize>>);

impl InFlight {
    /// A group has come from one event to another, or to the end of what it knows.
    pub fn moved(&self, from: &mut Option<i64>, to: Option<i64>) {
        if *from == to {
            return;
        }
        let mut positions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(position) = to {
            *positions.entry(position).or_default() += 1;
        }
        if let Some(position) = std::mem::replace(from, to)
            && let Some(count) = positions.get_mut(&position)
        {
            *count -= 1;
            if *count == 0 {
                positions.remove(&position);
            }
        }
    }

    /// Everything up to here is handed out, of what was told up to a position.
    pub fn settled(&self, told: i64) -> i64 {
        let positions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        positions.keys().next().map_or(told, |first| told.min(first - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_group_counts() {
        let all = InFlight::default();
        let (mut one, mut other) = (None, None);
        assert_eq!(all.settled(9), 9);
        all.moved(&mut one, Some(4));
        all.moved(&mut other, Some(6));
        assert_eq!(all.settled(9), 3);
        all.moved(&mut one, Some(7));
        assert_eq!(all.settled(9), 5);
        all.moved(&mut other, None);
        assert_eq!(all.settled(9), 6);
        all.moved(&mut one, None);
        assert_eq!((all.settled(9), one, other), (9, None, None));
    }
}
