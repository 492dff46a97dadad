//! Mutations: parse the input, let the application act, show what came of it. One file per
//! capability; every mutation takes one `input` and returns its own payload.

mod access;
mod access_key;
mod allocation;
mod amendment;
mod change;
mod channel;
mod delivery;
mod import;
mod inspection;
mod intake;
mod inventory;
mod materials;
mod order;
mod progress;
mod review;
mod ticket;

use async_graphql::{Context, ID, MergedObject, Result, SimpleObject};

use super::context::{Answer, failure, loaders, session};
use super::ids::{self, GlobalId};
use super::text;
use crate::app::{Answered, Command, Failure, Guarded, perform};
use crate::domain::refusal::{Refusal, RefusalCode};

/// Everything that can be done. Each mutation is one command of the order process: it either
/// happens as a whole or, with its reasons in `userErrors`, not at all.
#[derive(MergedObject, Default)]
pub struct Mutation(
    intake::IntakeMutation,
    import::ImportMutation,
    review::ReviewMutation,
    review::queue::ReviewQueueMutation,
    review::clock::ReviewClockMutation,
    amendment::AmendmentMutation,
    order::OrderMutation,
    allocation::AllocationMutation,
    change::ChangeMutation,
    inventory::InventoryMutation,
    materials::MaterialsMutation,
    inventory::HeldMutation,
    inventory::ReplenishmentMutation,
    inventory::TransferMutation,
    inventory::StocktakeMutation,
    inventory::QueueMutation,
    progress::ProgressMutation,
    inspection::InspectionMutation,
    delivery::DeliveryMutation,
    ticket::TicketMutation,
    access::AccessMutation,
    access_key::AccessKeyMutation,
    channel::ChannelMutation,
);

/// A reason why nothing was done. All reasons come at once.
#[derive(Clone, Debug, SimpleObject, macros::Written)]
pub struct UserError {
    /// Clause of the order regulation that asks for it, such as `R2.3`.
    clause: Option<String>,
    /// Stable code to match on.
    code: RefusalCode,
    /// What is wrong and what to do, for people.
    message: String,
    /// Where in the input the fault lies, outermost first; null when it is about no single field.
    path: Option<Vec<String>>,
}

impl From<Refusal> for UserError {
    fn from(refusal: Refusal) -> Self {
        Self {
            clause: refusal.clause.map(|clause| clause.to_string()),
            code: refusal.code,
            message: refusal.message,
            path: (!refusal.path.is_empty()).then_some(refusal.path),
        }
    }
}

/// What came of a command: an answer, or reasons.
type Outcome<A> = std::result::Result<A, Vec<UserError>>;

/// Performs a command. Refusals become user errors; everything else a top-level error.
async fn act<C: Command>(ctx: &Context<'_>, command: C, idempotency_key: Option<String>) -> Result<Outcome<C::Answer>> {
    Ok(answered(ctx, command, idempotency_key).await?.map(|answered| answered.answer))
}

/// The same, for those who must know whether it was answered before.
async fn answered<C: Command>(
    ctx: &Context<'_>,
    command: C,
    idempotency_key: Option<String>,
) -> Result<Outcome<Answered<C::Answer>>> {
    let idempotency_key = text::clean_optional("idempotencyKey", idempotency_key).answer(ctx)?;
    let outcome = perform(session(ctx)?, Guarded { command, idempotency_key }).await;
    loaders(ctx)?.forget();
    match outcome {
        Ok(mut answered) => {
            loaders(ctx)?.know_saved(std::mem::take(&mut answered.saved));
            Ok(Ok(answered))
        }
        Err(Failure::Refused(refusals)) => Ok(Err(refusals.0.into_iter().map(UserError::from).collect())),
        Err(other) => Err(failure(ctx, &other)),
    }
}

/// The identity behind an id of the input.
fn id<T: GlobalId>(ctx: &Context<'_>, id: &ID) -> Result<T> {
    ids::parse(id).answer(ctx)
}

/// A text of the input without control characters.
fn clean(ctx: &Context<'_>, name: &str, value: String) -> Result<String> {
    text::clean(name, value).answer(ctx)
}

/// The same for a text that may be absent.
fn clean_optional(ctx: &Context<'_>, name: &str, value: Option<String>) -> Result<Option<String>> {
    text::clean_optional(name, value).answer(ctx)
}

/// Declares a payload: what the command acted on, as it is now, and the reasons if it did not.
macro_rules! payload {
    ($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $field_doc:literal])+ $field:ident: $type:ty),+ $(,)? }) => {
        $(#[doc = $doc])+
        #[derive(async_graphql::SimpleObject, macros::Written)]
        pub struct $name {
            $($(#[doc = $field_doc])+ $field: Option<$type>,)+
            /// Why nothing was done; empty when it was.
            user_errors: Vec<$crate::graphql::mutation::UserError>,
        }

        impl $name {
            fn refused(user_errors: Vec<$crate::graphql::mutation::UserError>) -> Self {
                Self { $($field: None,)+ user_errors }
            }
        }
    };
}
use payload;
