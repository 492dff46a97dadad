//! Quality holds: what lies there but may not be promised until somebody has looked at it.

use rust_decimal::Decimal;

use super::{MovementKind, StockItem, StockMovement};
use crate::domain::actor::Act;
use crate::domain::event::{EventKind, Happening};
use crate::domain::intake::{LONG_TEXT, check_quantity, text};
use crate::domain::permission::Action;
use crate::domain::refusal::{Refusal, RefusalCode as Code, Refusals};

/// What is done with stock whose quality is in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldStock {
    /// It is put aside.
    Hold,
    /// It is good after all.
    Release,
    /// It is thrown away.
    Scrap,
}

impl HeldStock {
    /// The action that does it.
    pub const fn action(self) -> Action {
        match self {
            Self::Hold => Action::HoldStock,
            Self::Release => Action::ReleaseHeldStock,
            Self::Scrap => Action::ScrapHeldStock,
        }
    }
}

impl StockItem {
    /// Puts stock aside, gives it free again, or throws away what was put aside. What is reserved is never
    /// put aside: whoever has it keeps it.
    pub fn handle_held(
        &mut self,
        act: &Act<'_>,
        what: HeldStock,
        quantity: Decimal,
        reason: String,
        journal: &mut Vec<StockMovement>,
    ) -> Result<Happening, Refusals> {
        let mut refusals = self.blockers(what.action(), act.actor);
        text(&mut refusals, "reason", Some(&reason), true, LONG_TEXT);
        check_quantity(&mut refusals, "quantity", quantity);
        let (limit, place) = match what {
            HeldStock::Hold => (self.available(), "available"),
            HeldStock::Release | HeldStock::Scrap => (self.quality_hold, "put aside"),
        };
        refusals.require(limit <= Decimal::ZERO || quantity <= limit, || {
            let message = format!("Only {} of it are {place}.", limit.normalize());
            Refusal::new(Code::QuantityExceeded, "R4.2", message).at("quantity")
        });
        refusals.into_result()?;
        let (kind, on_hand, held, happened) = match what {
            HeldStock::Hold => (MovementKind::QcHold, Decimal::ZERO, quantity, EventKind::StockHeld),
            HeldStock::Release => (MovementKind::QcRelease, Decimal::ZERO, -quantity, EventKind::StockHoldReleased),
            HeldStock::Scrap => (MovementKind::Scrap, -quantity, -quantity, EventKind::StockScrapped),
        };
        let mut movement = self.movement(act, kind, on_hand, Decimal::ZERO, None);
        movement.quality_hold_change = held;
        movement.note = Some(reason.clone());
        self.apply(movement, journal);
        Ok(happened.because(reason))
    }
}
