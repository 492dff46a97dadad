//! Results that were read from the log for somebody who came back, kept for a moment: after a restart
//! many come back to the same place at the same time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::time::Instant;

use super::execution::Frame;

/// How long a page is kept.
const KEPT: Duration = Duration::from_secs(5);
/// What all pages of a node may take; the oldest go first.
const MOST_BYTES: usize = 16 << 20;

/// The results of a group between two positions.
#[derive(Debug)]
pub struct Page {
    /// Where it begins: behind this position.
    pub after: i64,
    /// Where it ends: at this position.
    pub upto: i64,
    /// What happened in between, as the group's members are told it.
    pub frames: Vec<Frame>,
}

impl Page {
    fn bytes(&self) -> usize {
        let of = |frame: &Frame| size_of::<Frame>() + frame.body.len() + frame.cursor.len();
        size_of::<Self>() + self.frames.iter().map(of).sum::<usize>()
    }
}

/// The pages of one group that are still kept.
#[derive(Debug, Default)]
pub struct Shelf(Mutex<Vec<Weak<Page>>>);

impl Shelf {
    fn pages(&self) -> MutexGuard<'_, Vec<Weak<Page>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A page that leads on from a position; with `exactly` one that begins there.
    pub fn find(&self, position: i64, exactly: bool) -> Option<Arc<Page>> {
        let leads_on = |page: &Arc<Page>| match exactly {
            true => page.after == position,
            false => page.after <= position && position < page.upto,
        };
        self.pages().iter().filter_map(Weak::upgrade).find(leads_on)
    }

    fn add(&self, page: &Arc<Page>) {
        let mut pages = self.pages();
        pages.retain(|page| page.strong_count() > 0);
        pages.push(Arc::downgrade(page));
    }
}

/// What keeps the pages of all groups. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Keeper(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    /// Oldest first, each with its end.
    pages: VecDeque<(Instant, Arc<Page>)>,
    bytes: usize,
    is_swept: bool,
}

impl Keeper {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a page on a group's shelf for a while.
    pub fn keep(&self, shelf: &Shelf, page: &Arc<Page>) {
        shelf.add(page);
        let mut kept = self.kept();
        kept.bytes += page.bytes();
        kept.pages.push_back((Instant::now() + KEPT, page.clone()));
        while kept.bytes > MOST_BYTES && kept.drop_oldest() {}
        if !std::mem::replace(&mut kept.is_swept, true) {
            tokio::spawn(self.clone().sweep());
        }
    }

    /// Drops pages when their time has come, until there are none.
    async fn sweep(self) {
        loop {
            let next = {
                let mut kept = self.kept();
                let now = Instant::now();
                while kept.pages.front().is_some_and(|(end, _)| *end <= now) && kept.drop_oldest() {}
                match kept.pages.front() {
                    Some((end, _)) => *end,
                    None => {
                        *kept = Kept::default();
                        return;
                    }
                }
            };
            tokio::time::sleep_until(next).await;
        }
    }
}

impl Kept {
    fn drop_oldest(&mut self) -> bool {
        let Some((_, page)) = self.pages.pop_front() else { return false };
        self.bytes -= page.bytes();
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(after: i64, upto: i64, body: usize) -> Arc<Page> {
        let frame = Frame { position: upto, body: vec![b' '; body].into(), cursor: "c".into() };
        Arc::new(Page { after, upto, frames: vec![frame] })
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_is_found_for_a_while() {
        let (keeper, shelf) = (Keeper::default(), Shelf::default());
        keeper.keep(&shelf, &page(10, 20, 100));
        let ends = |position, exactly| shelf.find(position, exactly).map(|page| page.upto);
        assert_eq!(
            (ends(9, false), ends(10, false), ends(19, false), ends(20, false)),
            (None, Some(20), Some(20), None)
        );
        assert_eq!((ends(10, true), ends(11, true)), (Some(20), None));
        tokio::time::sleep(KEPT / 2).await;
        keeper.keep(&shelf, &page(20, 30, 100));
        tokio::time::sleep(KEPT * 3 / 4).await;
        assert_eq!((ends(10, false), ends(20, false)), (None, Some(30)));
        tokio::time::sleep(KEPT).await;
        assert_eq!(ends(20, false), None);
        assert_eq!(keeper.kept().bytes, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_make_room() {
        let (keeper, shelf) = (Keeper::default(), Shelf::default());
        for number in 0..5 {
            keeper.keep(&shelf, &page(number, number + 1, MOST_BYTES / 3));
        }
        let found: Vec<bool> = (0..5).map(|number| shelf.find(number, true).is_some()).collect();
        assert_eq!(found, [false, false, false, true, true]);
    }
}
