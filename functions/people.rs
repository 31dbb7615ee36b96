//! No route (Latchkey): finds, bans, signs out, unlocks, erases, imports and exports people for an
//! operator.
//!
//! `shared/docs/people.md` describes the payloads. Whoever may invoke the function may use it.

use latchkey::adapters::hashes::KnownFormats;
use latchkey::contracts::{CONTRACTS, LatchkeyEvents, PeopleRequest};
use latchkey::ports::Arrivals;
use latchkey::runtime::{Error, serve_events, settings};
use latchkey::usecases::{ImportUsers, ManagePeople};
use latchkey::wiring::Bootstrap;
use serde_json::{Value, json};
use std::sync::Arc;

async fn people(manage: &ManagePeople, payload: Value) -> Result<Value, Error> {
    match PeopleRequest::read(&payload) {
        Ok(request) => Ok(request.run(manage).await?),
        // The mistake of an operator is no fault of the function.
        Err(rule) => Ok(json!({"refused": rule.to_string()})),
    }
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut base = Bootstrap::from_env()?;
    let store = Arc::new(base.store()?);
    let hashes = base.person_hashes()?;
    let delivery = base.delivery_facts()?;
    let contracts: Vec<_> = CONTRACTS.iter().map(|contract| contract.profile).collect();
    let import = ImportUsers {
        store: store.clone(),
        formats: Arc::new(KnownFormats),
        contracts: contracts.clone(),
        arrivals: if settings::has_old_system() { Arrivals::Kept } else { Arrivals::Forgotten },
        clock: base.clock.clone(),
    };
    let manage = ManagePeople {
        pages: store.clone(),
        people: store.clone(),
        users: store.clone(),
        accounts: store.clone(),
        sessions: store.clone(),
        devices: store.clone(),
        challenges: store.clone(),
        clients: store.clone(),
        audit: store,
        hashes,
        import,
        delivery,
        operator_events: Arc::new(LatchkeyEvents),
        contracts: contracts.iter().map(|profile| (profile.name, (profile.events)())).collect(),
        clock: base.clock.clone(),
        entropy: base.entropy.clone(),
    };
    base.warm_up().await;
    serve_events(module_path!(), manage, people).await
}
