//! The domain's enumerations as GraphQL enums: names, values and descriptions are the domain's own,
//! so that nothing is written twice.

use std::borrow::Cow;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::Field;
use async_graphql::registry::{Deprecation, MetaEnumValue, MetaType, MetaTypeId, Registry};
use async_graphql::{
    ContextSelectionSet, InputType, InputValueError, InputValueResult, Name, OutputType, Positioned, ServerResult,
    Value,
};

use crate::app::read::order::OrderSortField;
use crate::app::read::reference::ScopeKind;
use crate::app::read::review::ReviewQueueOrder;
use crate::domain::access::AccessRestrictionStatus;
use crate::domain::access_key::{AccessKeyKind, AccessKeyStatus};
use crate::domain::actor::Role;
use crate::domain::allocation::{AllocationRule, AllocationStatus, DecisionMode, Overdue, Weekday};
use crate::domain::change::{OrderChangeKind, OrderChangeStatus};
use crate::domain::channel::delivery::DeliveryOutcome;
use crate::domain::channel::reconcile::ReconciliationKind;
use crate::domain::channel::{ChannelKind, CustomerPolicy, SalesChannelStatus};
use crate::domain::delivery::{ConfirmationStatus, DeliveryMethod, DeliveryStatus, EvidenceKind, TrackingKind};
use crate::domain::event::{AggregateKind, EventKind};
use crate::domain::import::{ErrorPolicy, FileFormat, FileLayout, ImportStatus};
use crate::domain::inspection::InspectionResult;
use crate::domain::intake::received::IntakeFaultCode;
use crate::domain::intake::{Channel, Priority};
use crate::domain::inventory::{
    BackorderStatus, MovementKind, ReplenishmentReason, ReplenishmentStatus, ReservationStatus, StocktakeStatus,
    SupplyKind, TransferStatus, UnknownReason,
};
use crate::domain::materials::LateReason;
use crate::domain::order::{Coverage, OrderStatus, Stage};
use crate::domain::permission::Action;
use crate::domain::progress::MilestoneStatus;
use crate::domain::reference::{Capability, ProductKind, UnitKind};
use crate::domain::refusal::RefusalCode;
use crate::domain::review::{CheckKind, CheckOutcome, ReviewStatus};
use crate::domain::ticket::{TicketStatus, TicketType};
use crate::graphql::write::{Selected, Write, Written};
use crate::http::json;

macro_rules! graphql_enums {
    ($($domain:ident => $name:literal),+ $(,)?) => { $(
        impl InputType for $domain {
            type RawValueType = Self;

            fn type_name() -> Cow<'static, str> {
                Cow::Borrowed($name)
            }

            fn create_type_info(registry: &mut Registry) -> String {
                registry.create_input_type::<Self, _>(MetaTypeId::Enum, |_| {
                    let values = Self::ALL.iter().map(|one| (one.code(), one.description()));
                    meta($name, Self::DESCRIPTION, values)
                })
            }

            fn parse(value: Option<Value>) -> InputValueResult<Self> {
                let value = value.unwrap_or_default();
                let code = match &value {
                    Value::Enum(name) => name.as_str(),
                    // Variables come as strings.
                    Value::String(text) => text.as_str(),
                    _ => return Err(InputValueError::expected_type(value)),
                };
                code.parse().map_err(|_| {
                    InputValueError::custom(format!("{} has no value {code:?}.", $name))
                })
            }

            fn to_value(&self) -> Value {
                Value::Enum(Name::new(self.code()))
            }

            fn as_raw_value(&self) -> Option<&Self> {
                Some(self)
            }
        }

        impl OutputType for $domain {
            fn type_name() -> Cow<'static, str> {
                <Self as InputType>::type_name()
            }

            fn create_type_info(registry: &mut Registry) -> String {
                <Self as InputType>::create_type_info(registry)
            }

            async fn resolve(
                &self,
                _: &ContextSelectionSet<'_>,
                _: &Positioned<Field>,
            ) -> ServerResult<Value> {
                Ok(Value::Enum(Name::new(self.code())))
            }
        }

        impl Write for $domain {
            fn write(&self, _: &Selected<'_>, text: &mut String) -> Written {
                json::string(self.code(), text);
                Ok(())
            }
        }
    )+ };
}

graphql_enums! {
    AccessKeyKind => "AccessKeyKind",
    AccessKeyStatus => "AccessKeyStatus",
    AccessRestrictionStatus => "AccessRestrictionStatus",
    Action => "Action",
    AggregateKind => "AggregateKind",
    AllocationRule => "AllocationRule",
    AllocationStatus => "AllocationStatus",
    BackorderStatus => "BackorderStatus",
    Capability => "UnitCapability",
    Channel => "Channel",
    ChannelKind => "SalesChannelKind",
    CheckKind => "ReviewCheckKind",
    CheckOutcome => "ReviewCheckOutcome",
    ConfirmationStatus => "ConfirmationStatus",
    Coverage => "Coverage",
    CustomerPolicy => "CustomerPolicy",
    DecisionMode => "AllocationDecisionMode",
    DeliveryMethod => "DeliveryMethod",
    DeliveryOutcome => "ChannelDeliveryOutcome",
    DeliveryStatus => "DeliveryStatus",
    ErrorPolicy => "ImportErrorPolicy",
    EventKind => "EventKind",
    FileFormat => "ImportFileFormat",
    FileLayout => "ImportFileLayout",
    ImportStatus => "ImportStatus",
    EvidenceKind => "EvidenceKind",
    InspectionResult => "InspectionResult",
    LateReason => "MaterialLateReason",
    IntakeFaultCode => "IntakeFaultCode",
    MilestoneStatus => "MilestoneStatus",
    MovementKind => "StockMovementKind",
    OrderChangeKind => "OrderChangeKind",
    OrderChangeStatus => "OrderChangeStatus",
    OrderSortField => "OrderSortField",
    OrderStatus => "OrderStatus",
    Overdue => "OverdueAnswer",
    Priority => "Priority",
    ProductKind => "ProductKind",
    ReconciliationKind => "ReconciliationKind",
    RefusalCode => "RefusalCode",
    ReplenishmentReason => "ReplenishmentReason",
    ReplenishmentStatus => "ReplenishmentStatus",
    ReservationStatus => "ReservationStatus",
    ReviewQueueOrder => "ReviewQueueOrder",
    ReviewStatus => "ReviewStatus",
    Role => "Role",
    SalesChannelStatus => "SalesChannelStatus",
    ScopeKind => "ScopeKind",
    Stage => "OrderStage",
    StocktakeStatus => "StocktakeStatus",
    SupplyKind => "SupplyKind",
    TicketStatus => "TicketStatus",
    TicketType => "TicketType",
    TrackingKind => "TrackingEventKind",
    TransferStatus => "StockTransferStatus",
    UnitKind => "UnitKind",
    Weekday => "Weekday",
    UnknownReason => "UnknownFigureReason",
}

/// A doc comment as prose: each of its lines begins with a blank.
fn prose(doc: &str) -> Option<String> {
    Some(doc.trim().to_owned())
}

fn meta(name: &str, description: &str, values: impl Iterator<Item = (&'static str, &'static str)>) -> MetaType {
    let enum_values: IndexMap<String, MetaEnumValue> = values
        .map(|(code, description)| {
            let value = MetaEnumValue {
                name: code.to_owned(),
                description: prose(description),
                deprecation: Deprecation::default(),
                visible: None,
                inaccessible: false,
                tags: Vec::new(),
                directive_invocations: Vec::new(),
            };
            (code.to_owned(), value)
        })
        .collect();
    MetaType::Enum {
        name: name.to_owned(),
        description: prose(description),
        enum_values,
        visible: None,
        inaccessible: false,
        tags: Vec::new(),
        rust_typename: None,
        directive_invocations: Vec::new(),
        requires_scopes: Vec::new(),
    }
}
