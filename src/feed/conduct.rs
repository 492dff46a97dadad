//! How a naive feed would behave. Tests switch one fault on and see that they fail on it; nothing
//! but a test can: no setting, no flag, no request leads here.

/// Faults, all off.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conduct {
    /// Follows the ids of events instead of their positions.
    pub order_by_id: bool,
    /// Reads what came before and registers only then.
    pub read_then_register: bool,
    /// Registers, reads what came before, and sends all of both.
    pub sends_both: bool,
    /// Leaves out what a slow subscriber has not taken.
    pub skip_when_lagging: bool,
    /// Tells of every change of a state, however many there are.
    pub tells_every_state: bool,
    /// Believes that every hint arrives.
    pub trust_hints: bool,
    /// Leaves the relay's office to a node that hangs.
    pub no_takeover: bool,
    /// Tells of events before they are committed.
    pub publish_before_commit: bool,
    /// Shares executions between those who see different things.
    pub share_across_classes: bool,
    /// Shows every event to every subscription.
    pub broadcast_to_all: bool,
    /// Takes any number for a cursor.
    pub trust_any_cursor: bool,
    /// Never looks at permissions again.
    pub trust_for_ever: bool,
}
