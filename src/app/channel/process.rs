//! What was kept is processed: an order is taken in, changed or cancelled. By whoever kept it, at once; by the
//! clock, if that did not come to an end; or by an administrator, again.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::app::command::{Command, Guarded, perform};
use crate::app::due::AT_ONCE;
use crate::app::review::Facts;
use crate::app::{App, Failure, Session, order as orders};
use crate::domain::actor::Act;
use crate::domain::channel::delivery::{DeliveryOutcome, read};
use crate::domain::channel::order::{ChannelOrder, Reading};
use crate::domain::channel::{CustomerPolicy, SalesChannel, channel_actor};
use crate::domain::event::EventKind;
use crate::domain::ids::{ChannelDeliveryId, ChannelOrderId, OrderId};
use crate::domain::intake::public_number;
use crate::domain::intake::received::{self, IntakeFault, IntakeFaultCode, Received};
use crate::domain::money::Currency;
use crate::domain::order::OrderStatus;
use crate::domain::permission::Action;
use crate::domain::reference::{Contact, Customer};
use crate::domain::review;
use crate::store::channel::{self, Settled};
use crate::store::intake::{self as facts, Named};
use crate::store::work::Tracked;
use crate::store::{Result, StoreError, Work, reference, review as cases};

/// The delivery a command acted on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnDelivery {
    /// The delivery.
    pub delivery_id: ChannelDeliveryId,
    /// The order it is about.
    pub order_id: Option<OrderId>,
}

/// Process something that a channel delivered, for the first time or again (R1.3).
#[derive(Clone, Debug, Serialize)]
pub struct ReplayChannelDelivery {
    /// The delivery.
    pub delivery_id: ChannelDeliveryId,
    /// Only if nobody has processed it yet.
    pub only_waiting: bool,
}

impl Command for ReplayChannelDelivery {
    const ACTION: Action = Action::ReplayChannelDelivery;
    type Answer = OnDelivery;

    async fn run(&self, work: &Work) -> Result<OnDelivery> {
        let delivery = channel::locked(work, self.delivery_id).await?;
        if self.only_waiting && delivery.outcome != DeliveryOutcome::Received {
            return Ok(OnDelivery { delivery_id: self.delivery_id, order_id: delivery.order_id });
        }
        let channel = channel::of_delivery(work, delivery.channel_id).await?;
        let body = channel::body_of(work.db().await?, self.delivery_id).await?.ok_or(StoreError::NotFound)?;
        let settled = match read(channel.kind, &delivery.topic, &body, &channel.settings) {
            Err(cause) => settled(DeliveryOutcome::Failed, Some(cause)),
            Ok(Reading::Ignored(cause)) => settled(DeliveryOutcome::Ignored, Some(cause)),
            Ok(Reading::Order(received)) => order(work, &channel, &received).await?,
        };
        channel::settle(work, self.delivery_id, &settled).await?;
        Ok(OnDelivery { delivery_id: self.delivery_id, order_id: settled.order_id })
    }
}

fn settled(outcome: DeliveryOutcome, remark: Option<String>) -> Settled {
    Settled { outcome, remark, reference: None, order_id: None }
}

/// Processes what a delivery says of an order.
async fn order(work: &Work, channel: &SalesChannel, received: &Received) -> Result<Settled> {
    let settled = if received.is_test {
        settled(DeliveryOutcome::Ignored, Some("It is a test of the channel and makes no order.".to_owned()))
    } else {
        match channel::known_order(work, channel.id, &received.reference).await? {
            Some(known) => follow(work, channel, received, known).await?,
            None => take_in(work, channel, received).await?,
        }
    };
    Ok(Settled { reference: Some(received.reference.clone()), ..settled })
}

fn skus(channel: &SalesChannel, received: &Received) -> Vec<String> {
    let named = received.lines.iter().filter_map(|line| line.sku.as_deref());
    named.map(|external| channel.settings.sku_of(external).to_owned()).collect()
}

/// A buyer as a customer of its own: the number follows from what tells the buyer from others at this channel.
fn buyer_number(channel: &SalesChannel, buyer: &str) -> String {
    let digest = Sha256::digest(format!("{}\n{}", channel.code, buyer.to_lowercase()));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    format!("{}-{}", channel.code.to_uppercase(), public_number(uuid::Uuid::from_bytes(bytes)))
}

async fn take_in(work: &Work, channel: &SalesChannel, received: &Received) -> Result<Settled> {
    let own = match channel.settings.customer_policy {
        CustomerPolicy::PerBuyer => received.buyer.as_ref().map(|buyer| buyer_number(channel, buyer)),
        CustomerPolicy::Collective => None,
    };
    let named = Named {
        channel: channel.channel,
        account: Some(&channel.code),
        reference: Some(&received.reference),
        customer: (None, Some(own.as_ref().unwrap_or(&channel.settings.customer_number))),
        skus: skus(channel, received),
    };
    let facts = facts::facts(work, &named).await?;
    if let Some((order_id, _)) = facts.former {
        // Another delivery of the same order may have come to its end a moment ago.
        if let Some(known) = channel::known_order(work, channel.id, &received.reference).await? {
            return follow(work, channel, received, known).await;
        }
        let remark = "The channel's own system submitted it through the API.".to_owned();
        return Ok(Settled { order_id: Some(order_id), ..settled(DeliveryOutcome::Unchanged, Some(remark)) });
    }
    // The channel itself acts, whoever had it processed again.
    let actor = channel.actor();
    let act = Act { actor: &actor, ..work.act() };
    let draft = received::draft(received, channel, &facts.products, &act);
    let customer = match (facts.customer, &own) {
        (Some(customer), _) => customer,
        (None, Some(number)) => {
            let new = buyer(work, channel, number, &draft.contact, draft.currency);
            channel::add_customer(work, &new)?;
            new
        }
        (None, None) => {
            let remark = format!("The channel's customer {} does not exist.", channel.settings.customer_number);
            return Ok(settled(DeliveryOutcome::Failed, Some(remark)));
        }
    };
    let ties = draft.lines.clone();
    let (mut order, mut found) = draft.into_order(received, channel, &customer, facts.rule_set_version, &act);
    if channel.settings.customer_policy == CustomerPolicy::PerBuyer && own.is_none() {
        let message = "Nothing tells this buyer from others.";
        found.push(IntakeFault::new(IntakeFaultCode::BuyerUnknown, message).at("customerNumber"));
    }
    let told = ChannelOrder::new(received, channel, &ties, order.id, found, &act);
    let order_id = order.id;
    order = work.save(Tracked::new(order), EventKind::OrderSubmitted).await?;
    work.save(Tracked::new(told), EventKind::ChannelOrderReceived).await?;
    let mut outcome = DeliveryOutcome::TakenIn;
    if let Some(reason) = &received.cancelled {
        let mut order = work.order(order_id).await?;
        let happening = order.cancel(&actor, reason.clone(), work.now())?;
        work.save(order, happening).await?;
        outcome = DeliveryOutcome::Cancelled;
    }
    let remark = format!("Order {}.", order.number);
    Ok(Settled { order_id: Some(order_id), ..settled(outcome, Some(remark)) })
}

fn buyer(work: &Work, channel: &SalesChannel, number: &str, contact: &Contact, currency: Currency) -> Customer {
    Customer {
        id: work.id(),
        number: number.to_owned(),
        contact: contact.clone(),
        group: channel.settings.customer_group.clone(),
        region: channel.settings.region.clone().unwrap_or_default(),
        currency,
        credit_limit: None,
        licences: Vec::new(),
    }
}

async fn follow(
    work: &Work,
    channel: &SalesChannel,
    received: &Received,
    (known, order_id): (ChannelOrderId, OrderId),
) -> Result<Settled> {
    let mut order = work.order(order_id).await?;
    let mut told: Tracked<ChannelOrder> = work.find(known.0).await?;
    let skus = skus(channel, received);
    let products =
        if skus.is_empty() { BTreeMap::new() } else { reference::products_by_sku(work.reference(), &skus).await? };
    let actor = channel.actor();
    let act = Act { actor: &actor, ..work.act() };
    let draft = received::draft(received, channel, &products, &act);
    let reviewed = order.reviewed_content();
    let followed = told.follow(&mut order, received, draft, &act);
    if told.is_changed() {
        work.save(told, EventKind::ChannelOrderUpdated).await?;
    }
    if let Some(happening) = followed.happening {
        let is_cancelled = order.status == OrderStatus::Cancelled;
        let is_reviewed = matches!(order.status, OrderStatus::UnderReview | OrderStatus::ClarificationRequested);
        if is_reviewed && order.reviewed_content() != reviewed {
            let mut case = cases::of_order(work, order_id).await?;
            let facts = Facts::gather(work, &order).await?;
            let reason = "The channel that the order came over changed it.";
            let reopened = review::invalidate(&mut order, &mut case, &act, &facts.checks(), reason);
            work.save(case, reopened).await?;
        }
        work.save(order, happening).await?;
        if is_cancelled {
            orders::wind_up(work, order_id, Action::CancelOrder).await?;
        }
    }
    Ok(Settled { order_id: Some(order_id), ..settled(followed.outcome, followed.remark) })
}

/// Processes a delivery as its channel, unless somebody has done so. A failure is kept with the delivery: it is
/// tried again later if it may pass, and left to an administrator if not.
pub async fn process(app: &Arc<App>, id: ChannelDeliveryId, code: &str, request_id: &str) {
    let session = Session::of(app, channel_actor(code), request_id);
    let command = ReplayChannelDelivery { delivery_id: id, only_waiting: true };
    let Err(failure) = perform(&session, Guarded { command, idempotency_key: None }).await else {
        return;
    };
    let for_good =
        matches!(failure, Failure::Refused(_) | Failure::NotFound | Failure::Forbidden(_) | Failure::BadInput(_));
    tracing::warn!(request_id, channel = code, delivery = %id, cause = ?failure, "a delivery could not be processed");
    let cause = match &failure {
        Failure::Refused(refusals) => {
            refusals.0.iter().map(|refusal| refusal.message.as_str()).collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    };
    let (store, now) = (app.store().clone(), app.clock.now());
    // In a task of its own: whoever waits may leave.
    let noting = tokio::spawn(async move { channel::postpone(&store, id, &cause, for_good, now).await });
    match noting.await {
        Ok(Ok(())) => {}
        // It stays as it was kept, and the clock finds it again.
        Ok(Err(error)) => tracing::warn!(request_id, %error, "that could not be noted"),
        Err(error) => tracing::error!(request_id, %error, "that could not be noted"),
    }
}

/// A duty of the clock: processes what was kept and not processed, as after a crash. Returns how much.
///
/// # Errors
/// What waits cannot be found out.
pub async fn process_waiting(session: &Session) -> std::result::Result<usize, Failure> {
    let app = &session.app;
    let due = channel::due(app.store(), app.clock.now(), AT_ONCE).await?;
    for one in &due {
        process(app, one.id, &one.code, &session.request_id).await;
    }
    Ok(due.len())
}
