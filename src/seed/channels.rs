//! Two shops to try webhooks with, and a partner whose own system calls the API: docs/channels.md says how.

use std::sync::Arc;

use super::{person_for, session};
use crate::app::channel::CreateSalesChannel;
use crate::app::{App, Failure, Guarded, perform};
use crate::domain::actor::Role;
use crate::domain::channel::{ChannelKind, ChannelSettings, CustomerPolicy, NewChannel, SecretKey, SkuMapping};
use crate::domain::intake::Channel;
use crate::domain::money::Currency;
use crate::store::reference;

/// Code, name, what is at the other end, and the secret, which is anything but one.
const SHOPS: [(&str, &str, ChannelKind, Option<&str>); 3] = [
    ("demo-shopify", "Aurora on Shopify", ChannelKind::Shopify, Some("demo-shopify-secret")),
    ("demo-woocommerce", "Aurora on WooCommerce", ChannelKind::Woocommerce, Some("demo-woocommerce-secret")),
    ("lumen-shop", "Lumen's own shop", ChannelKind::Partner, None),
];

/// Opens them, as the demo group's administrator.
pub(super) async fn open(app: &Arc<App>) -> Result<(), Failure> {
    let admin = person_for(Role::Admin).ok_or(Failure::NotFound)?;
    let session = session(app, admin).await?;
    let units = reference::all_units(app.store().reader()).await?;
    let head = units.iter().find(|unit| unit.parent_id.is_none()).ok_or(Failure::NotFound)?;
    let currency = Currency::from_code("CNY").ok_or(Failure::NotFound)?;
    for (code, name, kind, secret) in SHOPS {
        let channel = NewChannel {
            code: code.to_owned(),
            name: name.to_owned(),
            kind,
            channel: if kind.has_webhooks() { Channel::ECommerce } else { Channel::PartnerReferral },
            unit_id: head.id,
            secret: secret.map(|secret| SecretKey(secret.to_owned())),
            settings: ChannelSettings {
                customer_policy: CustomerPolicy::PerBuyer,
                customer_number: "C-1001".to_owned(),
                customer_group: "RETAIL".to_owned(),
                region: Some("NORTH".to_owned()),
                currency,
                lead_time_days: 7,
                utc_offset_minutes: 8 * 60,
                sku_mappings: vec![SkuMapping { external_sku: "desk-lamp".to_owned(), sku: "LAMP-1".to_owned() }],
            },
        };
        perform(&session, Guarded { command: CreateSalesChannel { channel }, idempotency_key: None }).await?;
    }
    Ok(())
}
