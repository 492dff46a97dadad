//! Refusals: why a command was not carried out, by stable code and clause.

use serde::Serialize;

use super::codes::codes;

codes! {
    /// Why something was refused. Codes are stable: match on them, show the message to people.
    RefusalCode {
        /// The same idempotency key came before with other arguments.
        IdempotencyKeyReused = "IDEMPOTENCY_KEY_REUSED",
        /// The external reference belongs to another submission on this channel.
        ExternalReferenceConflict = "EXTERNAL_REFERENCE_CONFLICT",
        /// A required text is missing or blank.
        Required = "REQUIRED",
        /// A text is longer than allowed.
        TooLong = "TOO_LONG",
        /// A text has a form that is not accepted.
        Malformed = "MALFORMED",
        /// A list has too few entries.
        TooFew = "TOO_FEW",
        /// A list has too many entries.
        TooMany = "TOO_MANY",
        /// A value occurs more than once where it may occur only once.
        Repeated = "REPEATED",
        /// Exactly one of several alternatives must be given.
        ExactlyOneRequired = "EXACTLY_ONE_REQUIRED",
        /// No product has this SKU.
        UnknownSku = "UNKNOWN_SKU",
        /// No customer has this number, or it is not yours to name.
        UnknownCustomer = "UNKNOWN_CUSTOMER",
        /// No organizational unit has this code.
        UnknownUnit = "UNKNOWN_UNIT",
        /// No sales channel has this code.
        UnknownChannel = "UNKNOWN_CHANNEL",
        /// Nobody of the group is known by this subject.
        UnknownPerson = "UNKNOWN_PERSON",
        /// The line does not belong to the order, allocation or delivery that was named.
        UnknownLine = "UNKNOWN_LINE",
        /// The hold does not exist on this order or was released before.
        UnknownHold = "UNKNOWN_HOLD",
        /// The clarification does not exist or was answered before.
        UnknownClarification = "UNKNOWN_CLARIFICATION",
        /// The checklist has no such item.
        UnknownChecklistItem = "UNKNOWN_CHECKLIST_ITEM",
        /// An item of the checklist was not answered.
        ChecklistIncomplete = "CHECKLIST_INCOMPLETE",
        /// A quantity must be greater than zero.
        QuantityNotPositive = "QUANTITY_NOT_POSITIVE",
        /// A quantity has more decimals than its unit allows (three), or is out of range.
        QuantityPrecision = "QUANTITY_PRECISION",
        /// A quantity exceeds what is left to act on.
        QuantityExceeded = "QUANTITY_EXCEEDED",
        /// A price or rate is negative or otherwise out of range.
        AmountOutOfRange = "AMOUNT_OUT_OF_RANGE",
        /// The currency is not the one the product or the customer is priced in.
        CurrencyMismatch = "CURRENCY_MISMATCH",
        /// The date lies in the past.
        DateInPast = "DATE_IN_PAST",
        /// The date lies further ahead than is allowed.
        DateTooFar = "DATE_TOO_FAR",
        /// The channel is not open to the caller.
        ChannelNotAllowed = "CHANNEL_NOT_ALLOWED",
        /// The state of the thing acted on does not allow this action.
        IllegalTransition = "ILLEGAL_TRANSITION",
        /// A hold stops the order.
        OrderOnHold = "ORDER_ON_HOLD",
        /// The caller's role may not do this.
        RoleNotPermitted = "ROLE_NOT_PERMITTED",
        /// The caller acted on the other side of a four-eyes rule.
        SeparationOfDuties = "SEPARATION_OF_DUTIES",
        /// Only the person named responsible may do this.
        NotResponsible = "NOT_RESPONSIBLE",
        /// A review check failed and stands in the way.
        CheckFailed = "CHECK_FAILED",
        /// A review check needs a human decision: waive it with a reason.
        CheckNeedsDecision = "CHECK_NEEDS_DECISION",
        /// The check can never be waived.
        CheckNotWaivable = "CHECK_NOT_WAIVABLE",
        /// The order's amount needs an approver of a higher level.
        ApprovalLevelTooLow = "APPROVAL_LEVEL_TOO_LOW",
        /// The caller gave an earlier approval of the same order.
        ApprovedBefore = "APPROVED_BEFORE",
        /// Somebody is at work on the review already.
        ReviewTaken = "REVIEW_TAKEN",
        /// It is not yet time for this, or the rules do not foresee it.
        NotDue = "NOT_DUE",
        /// A unit has a share of the order.
        AlreadyAllocated = "ALREADY_ALLOCATED",
        /// A question to the customer is still open.
        ClarificationOpen = "CLARIFICATION_OPEN",
        /// Nothing of the order is left to allocate.
        NothingToAllocate = "NOTHING_TO_ALLOCATE",
        /// No executing unit can take this line.
        NoCapableUnit = "NO_CAPABLE_UNIT",
        /// These shares cannot become one.
        SharesDoNotFit = "SHARES_DO_NOT_FIT",
        /// A rule of a rule set is not usable as it is written.
        RuleNotUsable = "RULE_NOT_USABLE",
        /// The unit declined this share before or holds it already.
        UnitExcluded = "UNIT_EXCLUDED",
        /// An earlier milestone is not finished.
        MilestoneOrder = "MILESTONE_ORDER",
        /// Reserved stock or components are still missing.
        StockMissing = "STOCK_MISSING",
        /// The change would take away stock that is reserved, or make a count negative.
        StockReserved = "STOCK_RESERVED",
        /// A product would be a part of itself.
        BillOfMaterialsCycle = "BILL_OF_MATERIALS_CYCLE",
        /// A product's structure has too many levels or lines.
        StructureTooLarge = "STRUCTURE_TOO_LARGE",
        /// The stock item is being counted in another stocktake.
        AlreadyUnderCount = "ALREADY_UNDER_COUNT",
        /// Not everything was counted yet.
        CountIncomplete = "COUNT_INCOMPLETE",
        /// Nothing is left to inspect.
        NothingToInspect = "NOTHING_TO_INSPECT",
        /// Nothing that passed inspection is left to deliver.
        NothingToDeliver = "NOTHING_TO_DELIVER",
        /// The delivery method cannot be used here.
        MethodNotAvailable = "METHOD_NOT_AVAILABLE",
        /// Nothing delivered is left to confirm.
        NothingToConfirm = "NOTHING_TO_CONFIRM",
        /// The evidence is not acceptable for this delivery.
        EvidenceNotAcceptable = "EVIDENCE_NOT_ACCEPTABLE",
        /// Something has left the house: the order can no longer be cancelled.
        AlreadyDispatched = "ALREADY_DISPATCHED",
        /// Another change of the order is being negotiated.
        OrderChangeOpen = "ORDER_CHANGE_OPEN",
        /// The change cannot be done as things are.
        OrderChangeNotPossible = "ORDER_CHANGE_NOT_POSSIBLE",
        /// The order has moved on, so that the change would no longer do what was said.
        OrderChangeStale = "ORDER_CHANGE_STALE",
        /// The time to answer an offer is over.
        OrderChangeExpired = "ORDER_CHANGE_EXPIRED",
        /// The alternative does not belong to the offer.
        UnknownOption = "UNKNOWN_OPTION",
        /// The customer has not been contacted yet.
        ContactMissing = "CONTACT_MISSING",
        /// A spreadsheet has cut the digits of an identifier; it is never guessed.
        DigitsLost = "DIGITS_LOST",
        /// The channel does not wait for this order to be handled: it is unpaid, on its way, finished or closed.
        NotForHandling = "NOT_FOR_HANDLING",
        /// Something else has this code already.
        CodeTaken = "CODE_TAKEN",
        /// The same access is taken away already.
        AccessAlreadyRevoked = "ACCESS_ALREADY_REVOKED",
    }
}

/// A clause of the regulation, such as `R2.3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Clause(pub &'static str);

impl std::fmt::Display for Clause {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.0)
    }
}

/// One reason for a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The stable code.
    pub code: RefusalCode,
    /// What is wrong and what to do, in English.
    pub message: String,
    /// Where in the input the fault lies, outermost first; empty when it is not about one field.
    pub path: Vec<String>,
    /// The clause of the regulation that asks for the refusal, where one does.
    pub clause: Option<Clause>,
}

impl Refusal {
    /// A refusal without a place in the input.
    pub fn new(code: RefusalCode, clause: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), path: Vec::new(), clause: Some(Clause(clause)) }
    }

    /// The same refusal, pointing at a place in the input such as `lines.0.sku`.
    #[must_use]
    pub fn at(mut self, path: impl AsRef<str>) -> Self {
        self.path = path.as_ref().split('.').map(str::to_owned).collect();
        self
    }
}

/// All reasons at once: whoever gets them can mend everything in one go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusals(pub Vec<Refusal>);

impl Refusals {
    /// Adds a reason.
    pub fn push(&mut self, refusal: Refusal) {
        self.0.push(refusal);
    }

    /// Adds the reason unless the condition holds.
    pub fn require(&mut self, condition: bool, refusal: impl FnOnce() -> Refusal) {
        if !condition {
            self.0.push(refusal());
        }
    }

    /// Nothing to object to?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `Ok` when there is no reason to refuse.
    pub fn into_result(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl From<Refusal> for Refusals {
    fn from(refusal: Refusal) -> Self {
        Self(vec![refusal])
    }
}
