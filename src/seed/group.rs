//! The demo group: who and what there is.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::OpeningStock;
use crate::app::Identity;
use crate::domain::actor::Role;
use crate::domain::allocation::UnitTerms;
use crate::domain::ids::UnitId;
use crate::domain::intake::Channel;
use crate::domain::materials::ComponentWish;
use crate::domain::money::Currency;
use crate::domain::reference::{Capability, Contact, Customer, Licence, Product, ProductKind, Unit, UnitKind};
use crate::domain::rules::{
    ApprovalBand, AutomaticReview, CustomerField, Exchange, ExchangeRate, RequiredData, Restriction, ReviewRules,
    RuleSet,
};
use crate::domain::ticket::TicketType;
use crate::store::reference::{Person, ReferenceData};

/// Somebody to try the demo as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DemoPerson {
    /// Subject of the token.
    pub subject: &'static str,
    /// Name; none for those who are not staff.
    pub name: &'static str,
    /// The role.
    pub role: Role,
    /// Code of the unit in which, and below which, the role is held.
    pub unit: Option<&'static str>,
    /// Number of the customer acted for.
    pub customer: Option<&'static str>,
    /// Channel account acted for.
    pub channel: Option<&'static str>,
}

impl DemoPerson {
    /// What the person's token says.
    pub fn identity(&self) -> Identity {
        Identity {
            subject: self.subject.to_owned(),
            roles: vec![self.role.code().to_owned()],
            unit: self.unit.map(str::to_owned),
            customer: self.customer.map(str::to_owned),
            channel: self.channel.map(str::to_owned),
            order: None,
        }
    }
}

const fn staff(subject: &'static str, name: &'static str, role: Role, unit: &'static str) -> DemoPerson {
    DemoPerson { subject, name, role, unit: Some(unit), customer: None, channel: None }
}

/// Everybody of the demo group; the first of a role is the one a token is printed for.
pub const PEOPLE: &[DemoPerson] = &[
    DemoPerson {
        subject: "customer.c-1001",
        name: "",
        role: Role::Customer,
        unit: None,
        customer: Some("C-1001"),
        channel: None,
    },
    DemoPerson {
        subject: "shop.lumen",
        name: "",
        role: Role::Partner,
        unit: None,
        customer: None,
        channel: Some("lumen-shop"),
    },
    staff("sam.sales", "Sam Sandberg", Role::Sales, "AUR"),
    staff("rita.reviewer", "Rita Rahman", Role::Reviewer, "AUR"),
    staff("fiona.finance", "Fiona Feng", Role::FinanceApprover, "AUR"),
    staff("dan.dispatcher", "Dan Deng", Role::Dispatcher, "AUR"),
    staff("walt.warehouse", "Walt Wang", Role::Warehouse, "AUR-N"),
    staff("wendy.warehouse", "Wendy Wu", Role::Warehouse, "AUR-S"),
    staff("paul.procurement", "Paul Peng", Role::Procurement, "AUR"),
    staff("olga.operator", "Olga Ou", Role::Operator, "AUR-N"),
    staff("oscar.operator", "Oscar Oyang", Role::Operator, "AUR-S"),
    staff("otto.operator", "Otto Okafor", Role::Operator, "AUR-V"),
    staff("ines.inspector", "Ines Ito", Role::Inspector, "AUR"),
    staff("lars.logistics", "Lars Liu", Role::Logistics, "AUR"),
    staff("sara.service", "Sara Song", Role::ServiceAgent, "AUR"),
    staff("tom.trainer", "Tom Tang", Role::Trainer, "AUR"),
    staff("sue.supervisor", "Sue Sun", Role::Supervisor, "AUR"),
    staff("ada.admin", "Ada An", Role::Admin, "AUR"),
    staff("system", "The clock", Role::System, "AUR"),
];

/// The person a role is tried as.
pub fn person_for(role: Role) -> Option<&'static DemoPerson> {
    PEOPLE.iter().find(|person| person.role == role)
}

/// What the demo group begins with.
pub(super) struct DemoData {
    pub(super) reference: ReferenceData,
    pub(super) stock: Vec<OpeningStock>,
}

pub(super) fn reference_data(new_id: &dyn Fn() -> Uuid) -> DemoData {
    let units = units(new_id);
    let people = PEOPLE
        .iter()
        .filter_map(|person| {
            let unit = units.iter().find(|unit| Some(unit.code.as_str()) == person.unit)?;
            Some(Person {
                id: new_id(),
                subject: person.subject.to_owned(),
                name: person.name.to_owned(),
                unit_id: unit.id,
                roles: vec![person.role],
            })
        })
        .collect();
    let team = |ticket_type| match ticket_type {
        TicketType::ProductQuality => "AUR-QT",
        TicketType::Technical => "AUR-TS",
        _ => "AUR-CS",
    };
    DemoData {
        reference: ReferenceData {
            units,
            people,
            customers: customers(new_id),
            products: products(new_id),
            bills: bills(),
            substitutes: substitutes(),
            rules: Some(rules(|ticket_type| team(ticket_type).to_owned())),
        },
        stock: stock(),
    }
}

/// The demo group's rules: what a group can make its own.
fn rules(team: impl Fn(TicketType) -> String) -> RuleSet {
    let reviewers = [Role::Reviewer, Role::FinanceApprover];
    let restriction = Restriction {
        sku: Some("LASER-4".to_owned()),
        category: None,
        customer_group: Some("RETAIL".to_owned()),
        region: None,
        valid_from: None,
        valid_to: None,
        licence: Some(LASER_LICENCE.to_owned()),
        reason: "class 4 lasers are sold to licensed businesses only".to_owned(),
    };
    let mut rules = super::rules::first(team, vec![restriction]);
    if let Some(allocation) = &mut rules.allocation {
        allocation.units = capacities();
    }
    rules.approval_bands = vec![
        ApprovalBand {
            automatic: true,
            rolling_up_to: Some(Decimal::from(20_000)),
            ..super::rules::band(Some(1_000), &reviewers)
        },
        ApprovalBand { rolling_up_to: Some(Decimal::from(400_000)), ..super::rules::band(Some(50_000), &reviewers) },
        super::rules::band(Some(300_000), &[Role::FinanceApprover]),
        ApprovalBand { further_levels: vec![vec![Role::FinanceApprover]], ..super::rules::band(None, &reviewers) },
    ];
    rules.review = ReviewRules {
        customer_data: vec![RequiredData {
            channel: Channel::PartnerReferral,
            fields: vec![CustomerField::CompanyName, CustomerField::ContactName, CustomerField::Phone],
        }],
        specified_categories: vec!["Signs".to_owned()],
        rolling_days: 30,
        exchange: Some(Exchange {
            base: yuan(),
            rates: [("EUR", 785), ("USD", 725)]
                .into_iter()
                .filter_map(|(code, hundredths)| {
                    let currency = Currency::from_code(code)?;
                    Some(ExchangeRate { currency, rate: Decimal::new(hundredths, 2) })
                })
                .collect(),
        }),
        automatic: Some(AutomaticReview { channels: vec![Channel::ECommerce], after_minutes: 10 }),
        ..ReviewRules::default()
    };
    rules
}

fn units(new_id: &dyn Fn() -> Uuid) -> Vec<Unit> {
    use Capability::{Distribution, Production, Service};
    type Row =
        (&'static str, &'static str, UnitKind, Option<&'static str>, &'static [Capability], &'static [&'static str]);
    let rows: &[Row] = &[
        ("AUR", "Aurora Group", UnitKind::Group, None, &[], &[]),
        ("AUR-N", "Aurora North Trading", UnitKind::Subsidiary, Some("AUR"), &[Distribution], &["NORTH", "EAST"]),
        ("AUR-S", "Aurora South Works", UnitKind::Subsidiary, Some("AUR"), &[Distribution, Production], &[]),
        ("AUR-V", "Aurora Services", UnitKind::Subsidiary, Some("AUR"), &[Service], &[]),
        ("AUR-N-OPS", "Order desk North", UnitKind::Department, Some("AUR-N"), &[], &[]),
        ("AUR-S-MFG", "Manufacturing South", UnitKind::Department, Some("AUR-S"), &[], &[]),
        ("AUR-V-FLD", "Field service", UnitKind::Department, Some("AUR-V"), &[], &[]),
        ("AUR-N-WH", "Warehouse North", UnitKind::Warehouse, Some("AUR-N"), &[], &[]),
        ("AUR-S-WH", "Warehouse South", UnitKind::Warehouse, Some("AUR-S"), &[], &[]),
        ("AUR-QT", "Quality team", UnitKind::ServiceTeam, Some("AUR"), &[], &[]),
        ("AUR-TS", "Technical support", UnitKind::ServiceTeam, Some("AUR"), &[], &[]),
        ("AUR-CS", "Customer care", UnitKind::ServiceTeam, Some("AUR"), &[], &[]),
    ];
    let mut units: Vec<Unit> = Vec::new();
    for (code, name, kind, parent, capabilities, regions) in rows {
        let parent_id = parent.and_then(|parent| units.iter().find(|unit| unit.code == parent).map(|unit| unit.id));
        units.push(Unit {
            id: UnitId(new_id()),
            parent_id,
            code: (*code).to_owned(),
            name: (*name).to_owned(),
            kind: *kind,
            capabilities: capabilities.to_vec(),
            regions: regions.iter().map(|region| (*region).to_owned()).collect(),
        });
    }
    units
}

/// How much the executing units take on at the same time: enough for all that is tried out with the demo.
fn capacities() -> Vec<UnitTerms> {
    let rows = [("AUR-N", 100_000), ("AUR-S", 100_000), ("AUR-V", 50_000)];
    rows.into_iter()
        .map(|(unit, open)| UnitTerms { unit: unit.to_owned(), open_allocations: Some(open), ..UnitTerms::default() })
        .collect()
}

fn yuan() -> Currency {
    Currency::from_code("CNY").unwrap_or_else(|| unreachable!("CNY is an ISO 4217 code"))
}

/// Lets a retail customer buy class 4 lasers.
const LASER_LICENCE: &str = "LASER-CLASS-4";

fn licence() -> Licence {
    Licence { code: LASER_LICENCE.to_owned(), valid_from: NaiveDate::default(), valid_to: None }
}

fn customers(new_id: &dyn Fn() -> Uuid) -> Vec<Customer> {
    let rows = [
        ("C-1001", "Bluebird Cafés", "Bo Chen", "RETAIL", "NORTH", 80_000),
        ("C-1002", "Harbour Hotels", "Hui Lin", "RETAIL", "EAST", 120_000),
        ("C-1003", "Maple Schools", "Mei Zhao", "RETAIL", "SOUTH", 60_000),
        ("C-1004", "Dr. Yun, Dentist", "Yun Qian", "RETAIL", "WEST", 20_000),
        ("C-2001", "Granite Labs", "Gao Min", "WHOLESALE", "NORTH", 400_000),
        ("C-2002", "Silverline Retail", "Si Ma", "WHOLESALE", "EAST", 300_000),
        ("C-2003", "Orchard Logistics", "Ouyang Fei", "WHOLESALE", "SOUTH", 250_000),
        ("C-2004", "Pioneer Machines", "Pan Wei", "WHOLESALE", "WEST", 500_000),
    ];
    rows.into_iter()
        .map(|(number, company, person, group, region, limit)| Customer {
            id: new_id().into(),
            number: number.to_owned(),
            contact: Contact {
                company_name: company.to_owned(),
                contact_name: person.to_owned(),
                email: Some(format!("orders@{}.example", number.to_lowercase())),
                phone: Some(format!("+86 10 5550 {}", &number[2..])),
            },
            group: group.to_owned(),
            region: region.to_owned(),
            currency: yuan(),
            credit_limit: Some(Decimal::from(limit)),
            // One of the retail customers may buy what the others may not.
            licences: if number == "C-1003" { vec![licence()] } else { Vec::new() },
        })
        .collect()
}

fn products(new_id: &dyn Fn() -> Uuid) -> Vec<Product> {
    use ProductKind::{Goods, MadeToOrder, Service};
    let rows = [
        ("LAMP-1", "Desk lamp", Goods, "Lighting", "EA", 18_900),
        ("LAMP-2", "Floor lamp", Goods, "Lighting", "EA", 42_900),
        ("CABLE-5", "Power cable, 5 m", Goods, "Accessories", "EA", 3_990),
        ("PANEL-9", "LED panel 60×60", Goods, "Lighting", "EA", 26_000),
        ("LASER-4", "Alignment laser, class 4", Goods, "Laser devices", "EA", 580_000),
        ("WIRE-C", "Copper wire", Goods, "Materials", "M", 320),
        ("TOP-OAK", "Oak bench top", Goods, "Materials", "EA", 64_000),
        ("LEG-ST", "Steel leg", Goods, "Materials", "EA", 8_500),
        ("SCREW-8", "Screw M8", Goods, "Materials", "EA", 60),
        ("BENCH-X", "Workbench to measure", MadeToOrder, "Furniture", "EA", 245_000),
        ("PANEL-8", "LED panel 60×60, former series", Goods, "Lighting", "EA", 24_000),
        ("FRAME-H", "Desk frame", Goods, "Materials", "EA", 21_000),
        ("DESK-Y", "Writing desk to measure", MadeToOrder, "Furniture", "EA", 198_000),
        ("INSTALL", "Installation on site", Service, "Services", "HUR", 32_000),
        ("COURSE", "Online course", Service, "Services", "HUR", 18_000),
        ("SIGN-X", "Sign to your design", MadeToOrder, "Signs", "EA", 98_000),
    ];
    rows.into_iter()
        .map(|(sku, name, kind, category, unit, cents)| Product {
            id: new_id().into(),
            sku: sku.to_owned(),
            name: name.to_owned(),
            kind,
            category: category.to_owned(),
            unit_of_measure: unit.to_owned(),
            list_price: Decimal::new(cents, 2),
            currency: yuan(),
            components: Vec::new(),
        })
        .collect()
}

/// What is made of what: a desk on two levels, whose legs are put together from parts of their own.
fn bills() -> BTreeMap<String, Vec<ComponentWish>> {
    let rows: &[(&str, &[(&str, i64)])] = &[
        ("BENCH-X", &[("TOP-OAK", 1), ("LEG-ST", 4), ("SCREW-8", 16)]),
        ("DESK-Y", &[("TOP-OAK", 1), ("FRAME-H", 2), ("SCREW-8", 8)]),
        ("FRAME-H", &[("LEG-ST", 2), ("SCREW-8", 6)]),
    ];
    let wish = |(sku, quantity): &(&str, i64)| ComponentWish {
        sku: (*sku).to_owned(),
        quantity: Decimal::from(*quantity),
        effective_from: None,
        effective_until: None,
    };
    rows.iter().map(|(sku, parts)| ((*sku).to_owned(), parts.iter().map(wish).collect())).collect()
}

/// What may be delivered instead, best first.
fn substitutes() -> BTreeMap<String, Vec<String>> {
    let rows: &[(&str, &[&str])] = &[("PANEL-9", &["PANEL-8", "LAMP-2"]), ("LAMP-1", &["LAMP-2"])];
    rows.iter()
        .map(|(sku, instead)| ((*sku).to_owned(), instead.iter().map(|one| (*one).to_owned()).collect()))
        .collect()
}

fn stock() -> Vec<OpeningStock> {
    let rows = [
        ("LAMP-1", 400, 300, 20, 60),
        ("LAMP-2", 120, 90, 10, 30),
        ("CABLE-5", 900, 700, 50, 150),
        ("PANEL-9", 60, 24, 10, 30),
        ("LASER-4", 12, 0, 2, 4),
        ("WIRE-C", 2_000, 1_500, 200, 500),
        ("TOP-OAK", 0, 40, 4, 10),
        ("LEG-ST", 0, 160, 16, 40),
        ("SCREW-8", 0, 1_000, 100, 300),
        ("PANEL-8", 80, 0, 0, 0),
        ("FRAME-H", 0, 3, 0, 0),
    ];
    let mut stock = Vec::new();
    for (sku, north, south, safety, reorder) in rows {
        for (warehouse, on_hand) in [("AUR-N-WH", north), ("AUR-S-WH", south)] {
            stock.push(OpeningStock {
                sku: sku.to_owned(),
                warehouse: warehouse.to_owned(),
                on_hand: Decimal::from(on_hand),
                safety_stock: Decimal::from(if on_hand == 0 { 0 } else { safety }),
                reorder_point: Decimal::from(if on_hand == 0 { 0 } else { reorder }),
                reorder_quantity: Decimal::ZERO,
            });
        }
    }
    stock
}
