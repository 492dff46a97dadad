//! Every root field of the schema, asked as every role and as nobody, against the table of
//! permissions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{TypeKind, TypeSystemDefinition};
use futures::future::join_all;
use ordergraph::app::Identity;
use ordergraph::domain::actor::Role;
use ordergraph::domain::ids::{
    AccessKeyId, AccessRestrictionId, AllocationId, ChangeOptionId, ChannelDeliveryId, DeliveryId, HoldId,
    ImportBatchId, MilestoneId, OrderChangeId, OrderId, ReplenishmentRequestId, SalesChannelId, StockItemId,
    StockTransferId, StocktakeId, TicketId, UnitId,
};
use ordergraph::domain::permission::{Action, READS, permitted, readers};
use ordergraph::graphql::ids::{GlobalId, encode};
use serde_json::{Value, json};

use crate::support::{Actor, World, on_both_databases};

/// The fields of each root type, read from the schema.
fn root_fields() -> BTreeMap<String, BTreeSet<String>> {
    let schema = parse_schema(ordergraph::graphql::sdl()).expect("a schema");
    let mut roots = BTreeMap::new();
    for definition in schema.definitions {
        let TypeSystemDefinition::Type(found) = definition else {
            continue;
        };
        let name = found.node.name.node.to_string();
        if let TypeKind::Object(object) = found.node.kind
            && ["Query", "Mutation", "Subscription"].contains(&name.as_str())
        {
            let fields = object.fields.iter().map(|field| field.node.name.node.to_string());
            roots.insert(name, fields.collect());
        }
    }
    roots
}

#[test]
fn every_root_field_has_its_row_in_the_table_and_every_row_its_field() {
    let roots = root_fields();
    let reads: BTreeSet<String> = roots["Query"].union(&roots["Subscription"]).cloned().collect();
    let rows: BTreeSet<String> = READS.iter().map(|row| row.field.to_owned()).collect();
    assert_eq!(reads, rows);
    let actions: BTreeSet<String> = Action::ALL.iter().map(|action| action.field_name()).collect();
    assert_eq!(roots["Mutation"], actions);
    let asked: BTreeSet<String> = QUERIES.iter().map(|(field, _)| (*field).to_owned()).collect();
    assert_eq!(roots["Query"], asked, "the queries of this test");
    let followed: BTreeSet<String> = SUBSCRIPTIONS.iter().map(|(field, _)| (*field).to_owned()).collect();
    assert_eq!(roots["Subscription"], followed, "the subscriptions of this test");
}

pub(super) const QUERIES: &[(&str, &str)] = &[
    ("accessKeys", "{ accessKeys(first: 1) { totalCount } }"),
    ("accessRestrictions", "{ accessRestrictions(first: 1) { totalCount } }"),
    ("allocations", "{ allocations(first: 1) { totalCount } }"),
    ("billOfMaterials", "{ billOfMaterials(sku: \"NO-1\") { depth } }"),
    ("channelDeliveries", "{ channelDeliveries(first: 1) { totalCount } }"),
    ("backorders", "{ backorders(first: 1) { totalCount } }"),
    ("customers", "{ customers(first: 1) { totalCount } }"),
    ("deliveries", "{ deliveries(first: 1) { totalCount } }"),
    ("eventCursor", "{ eventCursor }"),
    ("events", "{ events(first: 1) { cursor } }"),
    ("importBatch", "{ importBatch(id: \"SW1wb3J0QmF0Y2g6MDAwMDAwMDAwMDAwNzAwMDgwMDAwMDAwMDAwMDAwMDA\") { id } }"),
    ("importBatches", "{ importBatches(first: 1) { totalCount } }"),
    (
        "materialAvailability",
        "{ materialAvailability(sku: \"NO-1\", quantity: \"1\", date: \"2999-01-01\") { sufficient } }",
    ),
    (
        "inventoryReport",
        "{ inventoryReport(first: 1, from: \"2026-01-01T00:00:00Z\", to: \"2026-02-01T00:00:00Z\") { totalCount } }",
    ),
    ("node", "query($order: ID!) { node(id: $order) { id } }"),
    ("nodes", "query($order: ID!) { nodes(ids: [$order]) { id } }"),
    ("order", "query($order: ID!) { order(by: { id: $order }) { id } }"),
    ("orderChanges", "{ orderChanges(first: 1) { totalCount } }"),
    ("orders", "{ orders(first: 1) { totalCount } }"),
    ("productStock", "{ productStock(first: 1) { totalCount } }"),
    ("products", "{ products(first: 1) { totalCount } }"),
    (
        "reconcileChannel",
        "query($order: ID!) { reconcileChannel(input: { channelId: $order, from: \"2026-01-01T00:00:00Z\", \
         before: \"2026-01-02T00:00:00Z\", listing: [] }) { matched } }",
    ),
    (
        "replayAllocations",
        "{ replayAllocations(from: \"2026-01-01T00:00:00Z\", to: \"2026-01-02T00:00:00Z\") { orders } }",
    ),
    ("replenishmentRequests", "{ replenishmentRequests(first: 1) { totalCount } }"),
    ("salesChannels", "{ salesChannels(first: 1) { totalCount } }"),
    ("reviewQueue", "{ reviewQueue(first: 1) { totalCount } }"),
    ("serviceConfig", "{ serviceConfig { maxDepth } }"),
    (
        "simulateAllocation",
        "{ simulateAllocation(of: { draft: { region: \"NORTH\", channel: E_COMMERCE, customerGroup: \"RETAIL\", \
         lines: [{ sku: \"LAMP-1\", quantity: \"1\" }] } }) { ruleSetVersion } }",
    ),
    ("shortageOptions", "query($order: ID!) { shortageOptions(orderId: $order) { lines { missing } } }"),
    ("stockItems", "{ stockItems(first: 1) { totalCount } }"),
    ("stockTransfers", "{ stockTransfers(first: 1) { totalCount } }"),
    ("stocktakes", "{ stocktakes(first: 1) { totalCount } }"),
    ("tickets", "{ tickets(first: 1) { totalCount } }"),
    ("unallocatableOrders", "{ unallocatableOrders(first: 1) { totalCount } }"),
    ("units", "{ units { id } }"),
    ("viewer", "{ viewer { subject } }"),
];

/// With a cursor that is none: whoever may follow is told so, at once.
pub(super) const SUBSCRIPTIONS: &[(&str, &str)] = &[
    ("allocationAlerts", "subscription { allocationAlerts(after: \"none\") { cursor } }"),
    ("importProgress", "subscription { importProgress(after: \"none\") { cursor } }"),
    ("orderEvents", "subscription { orderEvents(after: \"none\") { cursor } }"),
    ("orderProgress", "subscription($order: ID!) { orderProgress(orderId: $order) { cursor } }"),
    ("reviewUpdates", "subscription { reviewUpdates(after: \"none\") { cursor } }"),
    ("stockAlerts", "subscription { stockAlerts(after: \"none\") { cursor } }"),
    ("stockLevels", "subscription { stockLevels(after: \"none\") { cursor } }"),
    ("ticketUpdates", "subscription { ticketUpdates(after: \"none\") { cursor } }"),
];

pub(super) fn unknown<T: GlobalId>() -> String {
    encode(T::from(uuid::Uuid::now_v7())).to_string()
}

fn channel_settings() -> Value {
    json!({ "name": "X", "settings": { "customerNumber": "C-1001", "currencyCode": "CNY" } })
}

/// An input of the right form about things that do not exist.
pub(super) fn input(action: Action) -> Value {
    let order = json!({ "orderId": unknown::<OrderId>() });
    let with = |mut base: Value, more: Value| {
        for (name, value) in more.as_object().expect("fields") {
            base[name] = value.clone();
        }
        base
    };
    let allocation = json!({ "allocationId": unknown::<AllocationId>() });
    let milestone = json!({ "milestoneId": unknown::<MilestoneId>() });
    let change = json!({ "changeId": unknown::<OrderChangeId>() });
    let delivery = json!({ "deliveryId": unknown::<DeliveryId>() });
    let ticket = json!({ "ticketId": unknown::<TicketId>() });
    let stock = json!({ "stockItemId": unknown::<StockItemId>() });
    let request = json!({ "replenishmentRequestId": unknown::<ReplenishmentRequestId>() });
    let transfer = json!({ "transferId": unknown::<StockTransferId>() });
    let stocktake = json!({ "stocktakeId": unknown::<StocktakeId>() });
    let reason = json!({ "reason": "Just asking." });
    match action {
        Action::ImportOrders | Action::CancelImport => json!({ "importBatchId": unknown::<ImportBatchId>() }),
        Action::SubmitOrder => crate::support::story::submission(&[]),
        Action::StartReview
        | Action::TakeReview
        | Action::ReturnReview
        | Action::ReviewAutomatically
        | Action::RemindClarification
        | Action::ExpireClarification
        | Action::ApproveOrder
        | Action::AllocateOrder => order,
        Action::ReassignReview => with(with(order, reason), json!({ "to": "rita.reviewer" })),
        Action::AmendOrder => with(order, json!({ "note": "Urgent." })),
        Action::RequestClarification => with(order, json!({ "question": "Which?" })),
        Action::AnswerClarification => with(order, json!({ "answer": "This." })),
        Action::RejectOrder | Action::PlaceHold | Action::CancelOrder => with(order, reason),
        Action::ReleaseHold => with(order, json!({ "holdId": unknown::<HoldId>() })),
        Action::AnswerCancellation => with(order, json!({ "grant": false })),
        Action::OpenTicket => with(order, json!({ "type": "OTHER", "subject": "It", "description": "Hums." })),
        Action::ReassignAllocation => with(with(allocation, reason), json!({ "unitId": unknown::<UnitId>() })),
        Action::AllocateManually => with(with(order, reason), json!({ "shares": [] })),
        Action::SplitAllocation => {
            with(with(allocation, reason), json!({ "unitId": unknown::<UnitId>(), "parts": [] }))
        }
        Action::MergeAllocations => {
            with(with(allocation, reason), json!({ "otherAllocationId": unknown::<AllocationId>() }))
        }
        Action::AcceptAllocation | Action::EscalateAllocation | Action::PlanDelivery => allocation,
        Action::DeclineAllocation => with(allocation, reason),
        Action::RecordInspection => with(allocation, json!({ "checklist": [] })),
        Action::ReceiveStock => with(stock, json!({ "quantity": "1" })),
        Action::AdjustStock => with(with(stock, reason), json!({ "change": "1" })),
        Action::ProposeOrderChange => with(with(order, reason), json!({ "options": [{ "kind": "SPLIT_DELIVERY" }] })),
        Action::AcceptOrderChange => with(change, json!({ "optionId": unknown::<ChangeOptionId>() })),
        Action::DeclineOrderChange | Action::WithdrawOrderChange => with(change, reason),
        Action::ReviewOrderChange => with(change, json!({ "approve": true })),
        Action::SetBillOfMaterials => json!({ "sku": "NO-1", "components": [] }),
        Action::HoldStock | Action::ReleaseHeldStock | Action::ScrapHeldStock => {
            with(with(stock, reason), json!({ "quantity": "1" }))
        }
        Action::SetReorderPolicy => with(stock, json!({ "reorderPoint": "1", "safetyStock": "1" })),
        Action::ExpireReservations | Action::FillBackorders => stock,
        Action::ApproveReplenishment => request,
        Action::OrderReplenishment => with(request, json!({ "supplier": "Somebody" })),
        Action::RejectReplenishment | Action::CancelReplenishment | Action::CloseReplenishmentShort => {
            with(request, reason)
        }
        Action::RequestTransfer => json!({
            "fromStockItemId": unknown::<StockItemId>(), "toWarehouseId": unknown::<UnitId>(), "quantity": "1"
        }),
        Action::DispatchTransfer => transfer,
        Action::ReceiveTransfer => with(transfer, json!({ "quantity": "1" })),
        Action::CloseTransferShort | Action::CancelTransfer => with(transfer, reason),
        Action::OpenStocktake => json!({ "warehouseId": unknown::<UnitId>() }),
        Action::RecordCount => with(stocktake, json!({ "stockItemId": unknown::<StockItemId>(), "counted": "1" })),
        Action::FinishStocktake | Action::ApproveStocktake => stocktake,
        Action::RejectStocktake => with(stocktake, reason),
        Action::StartMilestone | Action::CompleteMilestone => milestone,
        Action::BlockMilestone => with(milestone, json!({ "cause": "Rain.", "measure": "Tent." })),
        Action::BookDelivery | Action::DispatchDelivery => delivery,
        Action::RecordTrackingEvent => with(
            delivery,
            json!({ "carrier": "X", "carrierEventId": "1", "kind": "PICKED_UP", "occurredAt": "2026-01-01T00:00:00Z" }),
        ),
        Action::ConfirmDelivery => {
            with(delivery, json!({ "evidence": { "kind": "CUSTOMER_RECEIPT", "reference": "1" } }))
        }
        Action::ContactCustomer => with(ticket, json!({ "summary": "Called." })),
        Action::ResolveTicket => with(ticket, json!({ "resolution": "Mended." })),
        Action::CreateSalesChannel => with(
            channel_settings(),
            json!({ "code": "x", "kind": "PARTNER", "channel": "PARTNER_REFERRAL", "unitId": unknown::<UnitId>() }),
        ),
        Action::UpdateSalesChannel => with(channel_settings(), json!({ "channelId": unknown::<SalesChannelId>() })),
        Action::RotateChannelSecret => {
            json!({ "channelId": unknown::<SalesChannelId>(), "secret": "a secret of some length" })
        }
        Action::DeactivateSalesChannel => with(reason, json!({ "channelId": unknown::<SalesChannelId>() })),
        Action::ActivateSalesChannel => json!({ "channelId": unknown::<SalesChannelId>() }),
        Action::ReplayChannelDelivery => json!({ "deliveryId": unknown::<ChannelDeliveryId>() }),
        Action::CreatePartnerKey => json!({ "account": " " }),
        Action::CreateTrackingLink => order,
        Action::RevokeAccessKey => with(reason, json!({ "accessKeyId": unknown::<AccessKeyId>() })),
        Action::RevokeAccess => json!({ "subject": "nobody", "reason": " " }),
        Action::RestoreAccess => with(reason, json!({ "restrictionId": unknown::<AccessRestrictionId>() })),
    }
}

/// Somebody to ask as, with the code that refuses them and the roles they hold.
struct Asker {
    actor: Actor,
    refusal: &'static str,
    role: Option<Role>,
}

impl Asker {
    fn expects(&self, roles: &[Role], allowed: &str) -> String {
        match self.role {
            Some(role) if roles.contains(&role) => allowed.to_owned(),
            _ => self.refusal.to_owned(),
        }
    }
}

fn askers(world: &Arc<World>) -> Vec<Asker> {
    let asker = |actor, refusal, role| Asker { actor, refusal, role };
    let mut askers: Vec<Asker> =
        Role::ALL.iter().map(|role| asker(world.actor(*role), "FORBIDDEN", Some(*role))).collect();
    let stranger = Identity {
        subject: "stranger".to_owned(),
        roles: vec!["CARETAKER".to_owned()],
        unit: Some("AUR".to_owned()),
        ..Identity::default()
    };
    askers.push(asker(world.bearer(stranger), "FORBIDDEN", None));
    askers.push(asker(world.anonymous(), "UNAUTHENTICATED", None));
    askers
}

on_both_databases!(reads_are_for_those_the_table_names, |world| async move {
    let variables = json!({ "order": unknown::<OrderId>() });
    for asker in askers(&world) {
        let answers = join_all(QUERIES.iter().map(|(_, document)| {
            let needed = if document.contains("$order") { variables.clone() } else { json!({}) };
            asker.actor.query(document, needed)
        }));
        for ((field, _), answer) in QUERIES.iter().zip(answers.await) {
            // The id of an order is none of a channel.
            let allowed = if *field == "reconcileChannel" { "BAD_USER_INPUT" } else { "" };
            assert_eq!(
                answer.code(),
                asker.expects(readers(field), allowed),
                "{field} as {}",
                asker.actor.identity.subject
            );
        }
    }
});

on_both_databases!(streams_are_for_those_the_table_names, |world| async move {
    let variables = json!({ "order": unknown::<OrderId>() });
    for asker in askers(&world) {
        for (field, document) in SUBSCRIPTIONS {
            let needed = if document.contains("$order") { variables.clone() } else { json!({}) };
            let answer = asker.actor.subscribe(document, needed).await.answer().await;
            let errors = if answer.is_array() { &answer } else { &answer["errors"] };
            let allowed = if *field == "orderProgress" { "NOT_FOUND" } else { "CURSOR_INVALID" };
            assert_eq!(
                errors[0]["extensions"]["code"],
                asker.expects(readers(field), allowed),
                "{field} as {}: {answer}",
                asker.actor.identity.subject
            );
        }
    }
});

on_both_databases!(writes_are_for_those_the_table_names, |world| async move {
    let before = world.state().await;
    for asker in askers(&world) {
        let answers = join_all(Action::ALL.iter().map(|action| {
            let actor = asker.actor.clone();
            async move { actor.act(&action.field_name(), input(*action)).await }
        }));
        for (action, answer) in Action::ALL.iter().zip(answers.await) {
            // An order without lines, a blank reason and an unknown SKU are refused by the rules; what does not
            // exist is not found.
            let by_rules = [
                Action::SubmitOrder,
                Action::RevokeAccess,
                Action::CreatePartnerKey,
                Action::CreateSalesChannel,
                Action::SetBillOfMaterials,
            ]
            .contains(action);
            let allowed = if by_rules { "" } else { "NOT_FOUND" };
            assert_eq!(
                answer.code(),
                asker.expects(permitted(*action).0, allowed),
                "{action} as {}: {}",
                asker.actor.identity.subject,
                answer.text
            );
        }
    }
    assert_eq!(before, world.state().await, "none of it left a trace");
});
