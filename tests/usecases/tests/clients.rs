//! Managing clients, and granting tokens to them.

use latchkey::domain::client::{ClientId, ClientSecret, ClientStatus, WhichSecret};
use usecases::{Core, Refusal};

#[tokio::test]
async fn a_client_gets_a_token_with_its_scopes() {
    let core = Core::new().in_shop("one");
    let client = core.create_client(&["read", "write"]).await;
    let grant = core.grant_token(&client.id, &client.secret, None).await.unwrap();
    assert_eq!((&grant.client, grant.issued_at), (&client.id, core.now()));
    assert_eq!(grant.realm.shop(), Some("one"));
    assert_eq!(grant.scopes.iter().collect::<Vec<_>>(), ["read", "write"]);
    let again = core.grant_token(&client.id, &client.secret, None).await.unwrap();
    assert_ne!(grant.id, again.id);
}

#[tokio::test]
async fn a_client_may_ask_for_some_of_its_scopes() {
    let core = Core::new();
    let client = core.create_client(&["read", "write"]).await;
    let ask = async |wanted: &'static [&'static str]| {
        core.grant_token(&client.id, &client.secret, Some(wanted)).await
    };
    assert_eq!(ask(&["read"]).await.unwrap().scopes.into_iter().collect::<Vec<_>>(), ["read"]);
    assert!(ask(&[]).await.unwrap().scopes.is_empty());
    assert_eq!(ask(&["delete"]).await.unwrap_err(), Refusal::ScopeRefused);
    assert_eq!(ask(&["read", "delete"]).await.unwrap_err(), Refusal::ScopeRefused);
}

#[tokio::test]
async fn an_unknown_client_and_a_wrong_secret_are_refused_alike() {
    let core = Core::new();
    let client = core.create_client(&[]).await;
    let other = ClientSecret::new(&[7; 32]);
    let unknown = ClientId::new(&[7; 16]);
    for (id, secret) in
        [(&client.id, &other), (&unknown, &client.secret), (&ClientId::presented("x"), &other)]
    {
        let refused = core.grant_token(id, secret, None).await.unwrap_err();
        assert_eq!(refused, Refusal::ClientRefused);
    }
    let elsewhere = core.of_contract("another");
    let refused = elsewhere.grant_token(&client.id, &client.secret, None).await.unwrap_err();
    assert_eq!(refused, Refusal::ClientRefused);
}

#[tokio::test]
async fn both_secrets_of_a_client_work_until_one_is_retired() {
    for (retired, old_works) in [(WhichSecret::Old, false), (WhichSecret::New, true)] {
        let core = Core::new();
        let client = core.create_client(&[]).await;
        let new = core.add_secret(&client.id).await.unwrap();
        core.grant_token(&client.id, &client.secret, None).await.unwrap();
        core.grant_token(&client.id, &new, None).await.unwrap();
        core.retire_secret(&client.id, retired).await.unwrap();
        assert_eq!(core.grant_token(&client.id, &client.secret, None).await.is_ok(), old_works);
        assert_eq!(core.grant_token(&client.id, &new, None).await.is_ok(), !old_works);
    }
}

#[tokio::test]
async fn a_client_has_one_secret_or_two() {
    let core = Core::new();
    let client = core.create_client(&[]).await.id;
    let retire = async || core.retire_secret(&client, WhichSecret::Old).await;
    assert_eq!(retire().await, Err(Refusal::OneSecret));
    core.add_secret(&client).await.unwrap();
    assert_eq!(core.add_secret(&client).await.unwrap_err(), Refusal::TwoSecrets);
    assert_eq!(retire().await, Ok(()));
    assert_eq!(retire().await, Err(Refusal::OneSecret));
}

#[tokio::test]
async fn a_suspended_client_gets_no_token_until_it_is_activated() {
    let core = Core::new();
    let client = core.create_client(&[]).await;
    core.set_client_status(&client.id, ClientStatus::Suspended).await.unwrap();
    let refused = core.grant_token(&client.id, &client.secret, None).await.unwrap_err();
    assert_eq!(refused, Refusal::ClientSuspended);
    // Only a caller with the right secret learns this.
    let other = ClientSecret::new(&[7; 32]);
    let refused = core.grant_token(&client.id, &other, None).await.unwrap_err();
    assert_eq!(refused, Refusal::ClientRefused);
    core.set_client_status(&client.id, ClientStatus::Active).await.unwrap();
    core.grant_token(&client.id, &client.secret, None).await.unwrap();
}

#[tokio::test]
async fn an_unknown_client_cannot_be_changed() {
    let core = Core::new();
    let client = core.create_client(&[]).await.id;
    let unknown = ClientId::new(&[7; 16]);
    for (core, client) in [(core.clone(), &unknown), (core.of_contract("another"), &client)] {
        assert_eq!(core.add_secret(client).await.unwrap_err(), Refusal::UnknownClient);
        let retired = core.retire_secret(client, WhichSecret::New).await;
        assert_eq!(retired, Err(Refusal::UnknownClient));
        let suspended = core.set_client_status(client, ClientStatus::Suspended).await;
        assert_eq!(suspended, Err(Refusal::UnknownClient));
    }
}
