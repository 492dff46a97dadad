//! Who acts, and what of the world exists for them.

use super::codes::codes;
use super::ids::{CustomerId, OrderId, UnitId};

codes! {
    /// What a person or system may be in the order process.
    Role {
        /// A customer: sees and acts on own orders only, without staff names and internal notes.
        Customer = "CUSTOMER",
        /// A partner's or shop's system: submits and sees the orders of its own channel account.
        Partner = "PARTNER",
        /// Sales staff: submits orders for customers and answers for them.
        Sales = "SALES",
        /// Reviews orders within the ordinary amount band.
        Reviewer = "REVIEWER",
        /// Reviews orders of any amount.
        FinanceApprover = "FINANCE_APPROVER",
        /// Allocates orders to executing units.
        Dispatcher = "DISPATCHER",
        /// Receives and adjusts stock.
        Warehouse = "WAREHOUSE",
        /// Replenishes stock.
        Procurement = "PROCUREMENT",
        /// Executes the unit's share of an order and updates its milestones.
        Operator = "OPERATOR",
        /// Inspects before delivery what others produced.
        Inspector = "INSPECTOR",
        /// Plans and follows deliveries.
        Logistics = "LOGISTICS",
        /// Looks after customers once something was delivered.
        ServiceAgent = "SERVICE_AGENT",
        /// Trains staff.
        Trainer = "TRAINER",
        /// Supervises: reads everything, changes nothing of an order.
        Supervisor = "SUPERVISOR",
        /// Administers: may stop and cancel orders, and takes access away.
        Admin = "ADMIN",
        /// Bears a tracking link: sees one order as its customer does, and answers what is asked about it.
        LinkHolder = "LINK_HOLDER",
        /// The clock: deadlines and automatic steps.
        System = "SYSTEM",
    }
}

impl Role {
    /// Roles whose holders stand outside the group: no staff names, no internal notes.
    pub const fn is_external(self) -> bool {
        matches!(self, Self::Customer | Self::Partner | Self::LinkHolder)
    }
}

/// The part of the world that exists for an actor. Whatever is outside does not exist for them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Everything: staff of the group's head unit and the clock.
    All,
    /// Orders with a share in one of these units (a unit and all below it).
    Units(Vec<UnitId>),
    /// One customer's own orders.
    Customer(CustomerId),
    /// Orders that came over one partner's or shop's channel account.
    Account(String),
    /// One order.
    Order(OrderId),
    /// Nothing.
    Nothing,
}

/// Somebody who acts, with what they hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The stable subject of the token.
    pub subject: String,
    /// The roles held.
    pub roles: Vec<Role>,
    /// What exists for them.
    pub scope: Scope,
}

/// What decides which part of the world somebody sees, and how much of it: those with equal ones
/// are told the same, but for what bears their own name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Visibility {
    roles: Vec<Role>,
    scope: Scope,
}

impl Visibility {
    /// A text that is the same for equal ones only.
    pub fn name(&self) -> String {
        let mut name: Vec<String> = self.roles.iter().map(|role| role.code().to_owned()).collect();
        match &self.scope {
            Scope::All => name.push("all".to_owned()),
            Scope::Units(units) => name.extend(units.iter().map(|unit| format!("unit {unit}"))),
            Scope::Customer(id) => name.push(format!("customer {id}")),
            Scope::Order(id) => name.push(format!("order {id}")),
            // Last, and the only free text.
            Scope::Account(account) => name.push(format!("account {account}")),
            Scope::Nothing => name.push("nothing".to_owned()),
        }
        name.join("\n")
    }

    /// The roles held, each once, in order.
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// Somebody who sees this and has no name: whatever is asked as them bears nobody's.
    pub fn nobody(&self) -> Actor {
        Actor { subject: String::new(), roles: self.roles.clone(), scope: self.scope.clone() }
    }
}

impl Actor {
    /// What decides which part of the world the actor sees.
    pub fn visibility(&self) -> Visibility {
        let mut roles = self.roles.clone();
        roles.sort_unstable();
        roles.dedup();
        let mut scope = self.scope.clone();
        if let Scope::Units(units) = &mut scope {
            units.sort_unstable();
        }
        Visibility { roles, scope }
    }

    /// The clock.
    pub fn system() -> Self {
        Self { subject: "system".into(), roles: vec![Role::System], scope: Scope::All }
    }

    /// Does the actor hold this role?
    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Does the actor hold one of these roles?
    pub fn is_any(&self, roles: &[Role]) -> bool {
        self.roles.iter().any(|role| roles.contains(role))
    }

    /// Does the actor stand outside the group? A holder of any staff role does not.
    pub fn is_external(&self) -> bool {
        self.roles.iter().all(|role| role.is_external())
    }

    /// Does the unit exist for the actor?
    pub fn covers_unit(&self, unit: UnitId) -> bool {
        match &self.scope {
            Scope::All => true,
            Scope::Units(units) => units.contains(&unit),
            _ => false,
        }
    }
}

/// Somebody acting at a moment, with new identities at hand: what a decision must be told since
/// the domain has neither a clock nor randomness.
pub struct Act<'a> {
    /// Who acts.
    pub actor: &'a Actor,
    /// Now.
    pub now: chrono::DateTime<chrono::Utc>,
    /// Makes a new identity.
    pub new_id: &'a (dyn Fn() -> uuid::Uuid + Send + Sync),
}

impl Act<'_> {
    /// A new identity of the type that is wanted.
    pub fn id<T: From<uuid::Uuid>>(&self) -> T {
        T::from((self.new_id)())
    }
}

impl Actor {
    /// Tells whose submission it is: the same payload from another customer or account is another.
    pub fn scope_name(&self) -> String {
        match &self.scope {
            Scope::All | Scope::Units(_) => "group".to_owned(),
            Scope::Customer(id) => format!("customer {id}"),
            Scope::Account(account) => format!("account {account}"),
            Scope::Order(id) => format!("order {id}"),
            Scope::Nothing => String::new(),
        }
    }
}
