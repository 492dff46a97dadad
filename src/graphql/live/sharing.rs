//! Which fields may be shared: the one place where speed could tell somebody what is not theirs.
//!
//! A result is shared between subscribers with equal roles, scope and language. A field may be part
//! of it only if it stands here, which says that it depends on nothing else of the caller. A field
//! that is missing here, such as one that was just added, costs speed and never a secret: whoever
//! selects it gets results of their own.

use std::collections::HashMap;
use std::sync::LazyLock;

use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet, TypeKind, TypeSystemDefinition};

use crate::graphql::sdl;

/// Fields that say the same to everybody of the same visibility.
const TO_ALL: &[(&str, &str)] = &[
    ("AcceptedQuantity", "allocationLineId quantity"),
    ("Address", "city countryCode postalCode regionName street"),
    (
        "Allocation",
        "acceptBy assignedAt backorders checklistItems decision declineReason escalationLevel id \
         inspections kind lines milestones order reservations status unit version warehouse",
    ),
    ("AllocationAbstention", "name reason rule"),
    ("AllocationAlert", "allocation cursor event order"),
    ("AllocationCandidate", "chosen eligible facts unit unitCode verdicts"),
    (
        "AllocationDecision",
        "abstentions candidates decidedAt decidedByRule id kind mode parts reason ruleSetVersion \
         unallocated",
    ),
    ("AllocationFacts", "allocationsToday available capabilities openAllocations openQuantity regions"),
    ("AllocationLine", "confirmed dispatched id orderLine passed planned produced product quantity reserved sku"),
    ("AllocationPart", "lineNumber quantity unitCode"),
    ("AllocationRemainder", "lineNumber quantity"),
    ("AllocationStock", "quantity sku"),
    ("AllocationVerdict", "name passed reason rule score"),
    ("Approval", "approvedAt automatic invalidation level reason valid waivers"),
    ("ApprovalInvalidation", "at reason"),
    ("ApprovalLevel", "level roles"),
    ("Backorder", "allocationLineId createdAt filled id priority product quantity status stockItem"),
    ("BillOfMaterialsComponent", "effectiveFrom effectiveUntil product quantity sku"),
    ("Cancellation", "reason requestedAt"),
    ("ChecklistAnswer", "item note passed"),
    ("Clarification", "answer answeredAt askedAt dueAt id question remindedAt"),
    ("ConfirmedQuantity", "deliveryLineId quantity"),
    ("ContactDetails", "companyName contactName email phone"),
    ("Customer", "contact creditLimit currencyCode group id licences number region"),
    ("CustomerContact", "contactedAt plan summary"),
    (
        "Delivery",
        "allocation appointment carrier confirmationStatus confirmations cost deliveredAt dispatchedAt \
         id lines method number options order plannedArrival plannedAt status trackingEvents \
         trackingNumber version",
    ),
    ("DeliveryConfirmation", "confirmedAt evidenceFileHash evidenceKind evidenceReference id quantities"),
    ("DeliveryLine", "allocationLineId confirmed id orderLine quantity"),
    ("DeliveryOption", "arrivesOn available cost inTime method reason"),
    ("Event", "action aggregateId aggregateKind changes cursor id kind note occurredAt order sequence unit"),
    ("EventChange", "field value"),
    ("EventConnection", "edges nodes pageInfo totalCount"),
    ("EventEdge", "cursor node"),
    ("Hold", "id placedAt reason"),
    (
        "ImportBatch",
        "account channel counts digest dryRun errorPolicy faults faultsUrl fileName finishedAt format \
         historical id layout reason size startedAt status uploadedAt version",
    ),
    ("ImportCounts", "duplicates faults handled orders refused rows taken"),
    ("ImportFault", "code column message row"),
    ("ImportFaultConnection", "edges nodes pageInfo totalCount"),
    ("ImportFaultEdge", "cursor node"),
    ("ImportProgress", "cursor event importBatch skipped"),
    ("Inspection", "accepted attempt checklist findings id inspectedAt result"),
    ("Licence", "code validFrom validTo"),
    (
        "LineQuantities",
        "allocated cancelled confirmed delivered dispatched open ordered passed produced reserved \
         returned",
    ),
    (
        "Milestone",
        "allocation blockCause blockMeasure code completedAt dueAt id name needsStock overdue \
         plannedStart produces sequence startedAt status",
    ),
    ("Money", "amount currencyCode"),
    (
        "Order",
        "account allocationStatus allocations cancellation channel clarifications completedAt \
         confirmationStatus contact currencyCode customer deliveries deliveryAddress externalReference \
         fulfillmentStatus holds id lines note number overdue priority region requiredBy review \
         ruleSetVersion settlement settlementStatus stage status submittedAt subtotal tickets timeline \
         total version",
    ),
    ("OrderEvent", "cursor event order"),
    (
        "OrderLine",
        "category description discountRate id kind lineNumber product quantities sku specification total \
         unitOfMeasure unitPrice",
    ),
    ("OrderProgress", "cursor event order"),
    ("PageInfo", "endCursor hasNextPage hasPreviousPage startCursor"),
    ("Person", "id name subject unit"),
    ("Product", "category components id kind listPrice name sku unitOfMeasure"),
    (
        "ReplenishmentRequest",
        "endedReason expectedAt id outstanding quantity reason received requestedAt status stockItem \
         supplier supplierReference version",
    ),
    ("Reservation", "allocationLineId consumed expiresAt id product quantity status stockItem"),
    ("ReviewAssessment", "amount automatic levels rollingTotal"),
    (
        "ReviewCase",
        "answerDueAt approvals assessment awaitedLevel checks clarifications decision id openedAt status \
         version waitingSince",
    ),
    ("ReviewCheck", "clause kind message outcome"),
    ("ReviewDecision", "approved automatic decidedAt reason ruleSetVersion waivers"),
    ("ReviewQueueEntry", "awaitedLevel openChecks order review waitingSince"),
    ("ReviewUpdate", "cursor entry event order"),
    ("SettlementRecord", "amount confirmationId deliveryId id orderLine quantity settledAt"),
    ("StockAlert", "cursor event replenishmentRequest stockItem"),
    (
        "StockItem",
        "available id incoming movements onHand product qualityHold reorderPoint reorderQuantity \
         reserved safetyStock sku version warehouse",
    ),
    ("StockLevel", "cursor event skipped stockItem"),
    ("StockMovement", "id kind movedAt note onHandChange order qualityHoldChange reservedChange transfer"),
    ("StockMovementConnection", "edges nodes pageInfo totalCount"),
    ("StockMovementEdge", "cursor node"),
    (
        "StockTransfer",
        "dispatchedAt endedReason expectedAt fromStockItem fromWarehouse id inTransit lost number \
         product quantity reason received requestedAt sku status toStockItem toWarehouse version",
    ),
    (
        "Ticket",
        "contacts customer description firstContactAt firstContactDue firstContactOverdue id number \
         occurredAt openedAt order orderLine resolution resolvedAt status subject team type version",
    ),
    ("TicketUpdate", "cursor event ticket"),
    ("TrackingEvent", "carrier carrierEventId id kind location occurredAt recordedAt"),
    ("Unit", "capabilities code id kind name parent regions"),
    ("Waiver", "check reason"),
];

/// Fields that name a person: the same to all staff, but people outside the group see only themselves.
const TO_STAFF: &[(&str, &str)] = &[
    ("Allocation", "acceptedBy"),
    ("AllocationDecision", "decidedBy"),
    ("Approval", "approvedBy"),
    ("ApprovalInvalidation", "by"),
    ("Cancellation", "requestedBy"),
    ("Clarification", "answeredBy askedBy"),
    ("CustomerContact", "contactedBy"),
    ("Delivery", "plannedBy"),
    ("DeliveryConfirmation", "confirmedBy"),
    ("Event", "actor"),
    ("Hold", "placedBy"),
    ("ImportBatch", "startedBy uploadedBy"),
    ("Inspection", "inspector"),
    ("Milestone", "responsible"),
    ("Order", "submittedBy"),
    ("ReplenishmentRequest", "decidedBy"),
    ("ReviewCase", "owner reviewer"),
    ("ReviewDecision", "decidedBy"),
    ("ReviewQueueEntry", "owner"),
    ("StockMovement", "movedBy"),
    ("StockTransfer", "dispatchedBy requestedBy"),
    ("Ticket", "openedBy"),
    ("TrackingEvent", "recordedBy"),
];

/// With whom the result of a document may be shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sharing {
    /// With everybody of the same visibility.
    All,
    /// With staff of the same visibility.
    Staff,
    /// With the same person only.
    Nobody,
}

/// The types that fields have, by type and field.
type Fields = HashMap<String, HashMap<String, String>>;

static FIELDS: LazyLock<Fields> = LazyLock::new(|| fields(&sdl()));

fn fields(sdl: &str) -> Fields {
    let mut found = Fields::new();
    // The schema's own text is a schema; a test reads it.
    let Ok(document) = async_graphql::parser::parse_schema(sdl) else { return found };
    for definition in document.definitions {
        let TypeSystemDefinition::Type(definition) = definition else { continue };
        let fields = match definition.node.kind {
            TypeKind::Object(object) => object.fields,
            TypeKind::Interface(interface) => interface.fields,
            _ => continue,
        };
        let of_type = found.entry(definition.node.name.node.to_string()).or_default();
        for field in fields {
            let name = field.node.ty.node.to_string().replace(['[', ']', '!'], "");
            of_type.insert(field.node.name.node.to_string(), name);
        }
    }
    found
}

fn marked(table: &[(&str, &str)], of_type: &str, field: &str) -> bool {
    table.iter().any(|(name, fields)| *name == of_type && fields.split(' ').any(|one| one == field))
}

/// With whom the results of a subscription may be shared.
pub fn sharing(document: &ExecutableDocument, root: &SelectionSet) -> Sharing {
    root.items
        .iter()
        .map(|selection| match &selection.node {
            Selection::Field(field) => {
                match FIELDS.get("Subscription").and_then(|root| root.get(field.node.name.node.as_str())) {
                    Some(payload) => of_set(document, &field.node.selection_set.node, payload),
                    None => Sharing::Nobody,
                }
            }
            // The edge has put root fragments in their places.
            _ => Sharing::Nobody,
        })
        .max()
        .unwrap_or(Sharing::Nobody)
}

fn of_set(document: &ExecutableDocument, set: &SelectionSet, of_type: &str) -> Sharing {
    let all = set.items.iter().map(|selection| match &selection.node {
        Selection::Field(field) => {
            let name = field.node.name.node.as_str();
            if name == "__typename" {
                return Sharing::All;
            }
            let own = if marked(TO_ALL, of_type, name) {
                Sharing::All
            } else if marked(TO_STAFF, of_type, name) {
                Sharing::Staff
            } else {
                return Sharing::Nobody;
            };
            match FIELDS.get(of_type).and_then(|fields| fields.get(name)) {
                Some(below) => own.max(of_set(document, &field.node.selection_set.node, below)),
                None => Sharing::Nobody,
            }
        }
        Selection::InlineFragment(fragment) => {
            let condition = fragment.node.type_condition.as_ref();
            let on = condition.map_or(of_type, |condition| condition.node.on.node.as_str());
            of_set(document, &fragment.node.selection_set.node, on)
        }
        Selection::FragmentSpread(spread) => match document.fragments.get(&spread.node.fragment_name.node) {
            Some(fragment) => {
                let on = fragment.node.type_condition.node.on.node.as_str();
                of_set(document, &fragment.node.selection_set.node, on)
            }
            None => Sharing::Nobody,
        },
    });
    all.max().unwrap_or(Sharing::All)
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn of(text: &str) -> Sharing {
        let mut document = parse_query(text).unwrap();
        let root = super::super::document::selected(&mut document, None).unwrap().selection_set.node.clone();
        sharing(&document, &root)
    }

    #[test]
    fn what_is_marked_is_there() {
        for (table, of_people) in [(TO_ALL, false), (TO_STAFF, true)] {
            assert!(table.windows(2).all(|pair| pair[0].0 < pair[1].0), "sorted");
            for (of_type, fields) in table {
                for field in fields.split_whitespace() {
                    let found = FIELDS.get(*of_type).and_then(|known| known.get(field));
                    assert!(found.is_some(), "{of_type}.{field} is not in the schema");
                    assert_eq!(found.is_some_and(|name| name == "Person"), of_people, "{of_type}.{field}");
                }
            }
        }
    }

    #[test]
    fn what_differs_from_person_to_person_is_not_shared() {
        assert_eq!(
            of("subscription { orderEvents { cursor event { kind changes { field } } order { number } } }"),
            Sharing::All
        );
        assert_eq!(of("subscription { orderEvents { event { actor { name } } } }"), Sharing::Staff);
        assert_eq!(of("subscription { orderEvents { order { availableActions { action } } } }"), Sharing::Nobody);
        let fragments =
            "fragment F on OrderEvent { order { ...G } } fragment G on Order { number availableActions { action } }";
        assert_eq!(of(&format!("subscription {{ orderEvents {{ ...F }} }} {fragments}")), Sharing::Nobody);
        assert_eq!(of("subscription { orderEvents { ... on OrderEvent { order { __typename } } } }"), Sharing::All);
    }

    #[test]
    fn a_field_without_a_mark_is_not_shared() {
        assert_eq!(of("subscription { orderEvents { cursor brandNew } }"), Sharing::Nobody);
        assert_eq!(of("subscription { orderEvents { order { number brandNew } } }"), Sharing::Nobody);
        assert_eq!(of("subscription { brandNew { cursor } }"), Sharing::Nobody);
    }
}
