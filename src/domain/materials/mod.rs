//! Bills of materials (R4.6): which parts a product needs, over as many levels as there are, and whether
//! they will be there in time.

mod availability;
mod explosion;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::Serialize;

use crate::domain::actor::{Act, Actor};
use crate::domain::event::{EventKind, Happening};
use crate::domain::ids::ProductId;
use crate::domain::intake::check_quantity;
use crate::domain::order::role_blockers;
use crate::domain::permission::Action;
use crate::domain::reference::Component;
use crate::domain::refusal::{Refusal, RefusalCode as Code, Refusals};

pub use availability::{Incoming, LateReason, Material, Supply, availability, available_on};
pub use explosion::{Explosion, ExplosionLine, Netted, Part, explode, net};

/// Levels a structure may have: more than any real product, few enough to walk.
pub const DEEPEST: u32 = 25;
/// Lines an explosion may have, and parts a structure.
pub const MOST_LINES: usize = 5_000;
/// Components of one product, over all the days they are in effect.
pub const MOST_COMPONENTS: usize = 500;

/// Products with the components they are made of.
#[derive(Clone, Debug, Default)]
pub struct Structure(BTreeMap<ProductId, Vec<Component>>);

impl Structure {
    /// The structure of these components, each with the product that needs it.
    pub fn new(components: impl IntoIterator<Item = (ProductId, Component)>) -> Self {
        let mut bills: BTreeMap<ProductId, Vec<Component>> = BTreeMap::new();
        for (product, component) in components {
            bills.entry(product).or_default().push(component);
        }
        bills.values_mut().for_each(|components| components.sort_by(by_sku));
        Self(bills)
    }

    /// What a product is made of, on whichever days.
    pub fn components(&self, product: ProductId) -> &[Component] {
        self.0.get(&product).map_or(&[], Vec::as_slice)
    }

    /// What one of a product is made of on a day.
    pub fn parts(&self, product: ProductId, day: NaiveDate) -> impl Iterator<Item = &Component> {
        self.components(product).iter().filter(move |component| component.is_effective(day))
    }

    /// Puts other components in the place of a product's own.
    pub fn replace(&mut self, product: ProductId, components: Vec<Component>) {
        self.0.insert(product, components);
    }

    /// Every product that is named, once, by SKU: what is made of others and what is not.
    pub fn parts_by_making(&self, day: NaiveDate) -> (BTreeMap<ProductId, String>, BTreeMap<ProductId, String>) {
        let named: BTreeMap<ProductId, String> =
            self.0.values().flatten().map(|component| (component.product_id, component.sku.clone())).collect();
        named.into_iter().partition(|(product, _)| self.parts(*product, day).next().is_some())
    }

    /// The SKU of a product that is, over some levels, a part of itself, on whichever days. Cycles are
    /// refused, so that every explosion ends.
    pub fn cycle(&self) -> Option<String> {
        let made = |product: &ProductId| self.0.contains_key(product);
        let children = |product: ProductId| self.components(product).iter().filter(|part| made(&part.product_id));
        let mut open: BTreeMap<ProductId, usize> = self.0.keys().map(|one| (*one, children(*one).count())).collect();
        let mut parents: BTreeMap<ProductId, Vec<ProductId>> = BTreeMap::new();
        for product in self.0.keys() {
            for part in children(*product) {
                parents.entry(part.product_id).or_default().push(*product);
            }
        }
        // Whatever is made of finished things only is finished; what is left leads into a cycle.
        let mut finished: Vec<ProductId> =
            open.iter().filter(|(_, count)| **count == 0).map(|(product, _)| *product).collect();
        while let Some(product) = finished.pop() {
            open.remove(&product);
            for parent in parents.get(&product).into_iter().flatten() {
                if let Some(count) = open.get_mut(parent) {
                    *count -= 1;
                    if *count == 0 {
                        finished.push(*parent);
                    }
                }
            }
        }
        let mut product = *open.keys().next()?;
        let mut sku = None;
        for _ in 0..open.len() {
            let next = self.components(product).iter().find(|part| open.contains_key(&part.product_id))?;
            product = next.product_id;
            sku = Some(next.sku.clone());
        }
        sku
    }

    /// Levels below a product, on whichever days; no more than one beyond [`DEEPEST`] is looked at.
    pub fn depth(&self, product: ProductId) -> u32 {
        let mut level: BTreeSet<ProductId> = BTreeSet::from([product]);
        for depth in 0..=DEEPEST {
            level = level.iter().flat_map(|one| self.components(*one)).map(|part| part.product_id).collect();
            if level.is_empty() {
                return depth;
            }
        }
        DEEPEST + 1
    }
}

/// Refuses a structure that cannot be: a product that is a part of itself, or too many levels.
pub fn check_structure(structure: &Structure, made: impl IntoIterator<Item = ProductId>, refusals: &mut Refusals) {
    if let Some(sku) = structure.cycle() {
        refusals.push(
            Refusal::new(Code::BillOfMaterialsCycle, "R4.6", format!("{sku} would be a part of itself."))
                .at("components"),
        );
        return;
    }
    let deepest = made.into_iter().map(|product| structure.depth(product)).max().unwrap_or(0);
    refusals.require(deepest <= DEEPEST, || {
        Refusal::new(Code::StructureTooLarge, "R4.6", format!("At most {DEEPEST} levels.")).at("components")
    });
}

fn by_sku(one: &Component, other: &Component) -> std::cmp::Ordering {
    (&one.sku, one.effective_from).cmp(&(&other.sku, other.effective_from))
}

/// The bill of materials of a product as it was set last; its identity is the product's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BillOfMaterials {
    /// The product.
    pub id: ProductId,
    /// Counts the changes; 0 for what came with a catalogue.
    pub version: i64,
    /// What it is made of, by SKU and day.
    pub components: Vec<Component>,
    /// Who set it.
    pub set_by: String,
    /// When.
    pub set_at: DateTime<Utc>,
}

/// A component as it is wished for, by SKU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct ComponentWish {
    /// The part's SKU.
    pub sku: String,
    /// How much of it one unit needs.
    pub quantity: Decimal,
    /// The first day it is needed; none for always.
    pub effective_from: Option<NaiveDate>,
    /// The last day it is needed; none for no end.
    pub effective_until: Option<NaiveDate>,
}

/// The components that are wished for, with the products they name, or all that is wrong with them.
pub fn components(
    wishes: &[ComponentWish],
    known: &BTreeMap<String, ProductId>,
    refusals: &mut Refusals,
) -> Vec<Component> {
    refusals.require(wishes.len() <= MOST_COMPONENTS, || {
        Refusal::new(Code::TooMany, "R4.6", format!("At most {MOST_COMPONENTS} components.")).at("components")
    });
    let mut components: Vec<Component> = Vec::new();
    for (index, wish) in wishes.iter().enumerate().take(MOST_COMPONENTS) {
        let at = |field: &str| format!("components.{index}.{field}");
        check_quantity(refusals, &at("quantity"), wish.quantity);
        let ends_after_it_begins =
            !matches!((wish.effective_from, wish.effective_until), (Some(from), Some(until)) if until < from);
        refusals.require(ends_after_it_begins, || {
            Refusal::new(Code::Malformed, "R4.6", "The last day is not before the first.").at(at("effectiveUntil"))
        });
        let Some(product_id) = known.get(&wish.sku) else {
            refusals.push(Refusal::new(Code::UnknownSku, "R4.6", "No product has this SKU.").at(at("sku")));
            continue;
        };
        let component = Component {
            product_id: *product_id,
            sku: wish.sku.clone(),
            quantity: wish.quantity,
            effective_from: wish.effective_from,
            effective_until: wish.effective_until,
        };
        let overlaps = components.iter().any(|other| other.overlaps(&component));
        refusals.require(!overlaps, || {
            Refusal::new(Code::Repeated, "R4.6", "This part is named twice for the same days.").at(at("sku"))
        });
        components.push(component);
    }
    components.sort_by(by_sku);
    components
}

/// What stands between the actor and setting a bill of materials, apart from its components.
pub fn blockers(actor: &Actor) -> Refusals {
    role_blockers(Action::SetBillOfMaterials, actor)
}

/// Sets what a product is made of. `whole` is every bill of materials there is, this one as it was.
pub fn set(
    former: Option<&BillOfMaterials>,
    product: (ProductId, &str),
    wishes: &[ComponentWish],
    known: &BTreeMap<String, ProductId>,
    mut whole: Structure,
    act: &Act<'_>,
) -> Result<(BillOfMaterials, Happening), Refusals> {
    let (id, sku) = product;
    let mut refusals = blockers(act.actor);
    let components = components(wishes, known, &mut refusals);
    whole.replace(id, components.clone());
    // Those above may become too deep by it, too.
    let made: Vec<ProductId> = whole.0.keys().copied().collect();
    check_structure(&whole, made, &mut refusals);
    refusals.into_result()?;
    let bill = BillOfMaterials {
        id,
        version: former.map_or(0, |former| former.version),
        components,
        set_by: act.actor.subject.clone(),
        set_at: act.now,
    };
    let note = format!("{sku}: {} components", bill.components.len());
    Ok((bill, EventKind::BillOfMaterialsSet.because(note)))
}
