//! Accounts: the ways to sign up, and what is stored of a user.

use super::Session;
use crate::{Core, Refusal, people};
use dynoxide::AttributeValue;
use latchkey::domain::attributes::Attributes;
use latchkey::domain::challenge::{Audience, ChallengeHandle, Purpose};
use latchkey::domain::client::ClientId;
use latchkey::domain::device::DeviceInfo;
use latchkey::domain::id::{IdFormat, Sequence, UserId};
use latchkey::domain::identifier::Identifier;
use latchkey::domain::source::Source;
use latchkey::domain::user::User;
use latchkey::ports::Recorder;
use latchkey::ports::Users;
use latchkey::usecases::{
    DeleteAccount, DeleteByCode, DeleteByPassword, Delivery, EnterByCodeCommand, Guess, Newcomer,
    Presented, Referrer, RequestCodeCommand, ResendSignUp, ResendSignUpCommand, ResendToKnown,
    SessionOwner, SignUpByPassword, SignUpCommand, SignUpUnverified, StartSignUp,
    StartSignUpCommand, Unproved, WalletPolicy,
};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// The names of the attributes that access tokens contain.
pub(super) const TOKEN_CLAIMS: &[&str] = &["plan"];

/// A sign-up in the shop of a client.
#[derive(Debug, Default)]
pub struct ShopSignUp {
    pub email: Option<Identifier>,
    pub phone: Option<Identifier>,
    pub referrer: Option<UserId>,
    /// The password, if it is not the usual one.
    pub password: Option<&'static str>,
}

/// Returns the text of a value with the members of objects in order. The items have theirs in any.
fn in_order(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| (name, in_order(value)));
            format!("{:?}", members.collect::<BTreeMap<_, _>>())
        }
        Value::Array(values) => values.iter().map(in_order).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

impl Core {
    fn sign_up_with(&self, unproved: Unproved) -> SignUpByPassword {
        SignUpByPassword {
            gate: self.gate(),
            accounts: Arc::clone(&self.store) as _,
            users: Arc::clone(&self.store) as _,
            passwords: Arc::clone(&self.passwords),
            ids: self.new_ids(self.rules.user_ids),
            unproved,
            basics: self.basics(),
        }
    }

    /// Signs up with a phone number and its code.
    pub async fn sign_up_by_code(&self, phone: Identifier, code: &str) -> Result<Session, Refusal> {
        let presented = Presented::Recipient(self.challenge(Purpose::SignUp, phone));
        let enter = self.enterer(Audience::Unregistered, None);
        let entered = enter.run(self.enter_command(presented, code), &Recorder::NONE).await?;
        Ok(entered.session.expect("a session").into())
    }

    /// Signs up with an e-mail address and a password.
    pub async fn sign_up_by_password(
        &self,
        email: Identifier,
        password: &str,
    ) -> Result<Session, Refusal> {
        let sign_up = self.sign_up_with(Unproved::Enters(self.sessions()));
        let command = SignUpCommand {
            realm: self.realm.clone(),
            identifiers: vec![email],
            password: people::password(password),
            attributes: self.rules.attributes.clone(),
            referrer: None,
            device: DeviceInfo::default(),
            source: self.source.clone(),
            locale: "en".to_owned(),
        };
        Ok(sign_up.run(command, &Recorder::NONE).await?.session.expect("a session").into())
    }

    /// Requests a code and signs up with it.
    pub async fn signed_up_by_code(&self, phone: Identifier) -> Session {
        let code = self.requested_code(Purpose::SignUp, phone.clone()).await;
        self.sign_up_by_code(phone, &code).await.expect("a session")
    }

    /// Asks for a code with which an unknown recipient becomes a user. Returns the handle.
    pub async fn sign_up_unverified(&self, recipient: Identifier) -> Result<String, Refusal> {
        self.sign_up_delivered(recipient, Delivery::Allowed).await
    }

    /// Does the same, but sends nothing.
    pub async fn sign_up_suppressed(&self, recipient: Identifier) -> Result<String, Refusal> {
        self.sign_up_delivered(recipient, Delivery::Suppressed).await
    }

    async fn sign_up_delivered(
        &self,
        recipient: Identifier,
        delivery: Delivery,
    ) -> Result<String, Refusal> {
        let sign_up =
            SignUpUnverified { request_code: self.sender(), ids: self.new_ids(IdFormat::Number) };
        let numbered = &[("address_id", Sequence::Address)];
        let newcomer = Newcomer { attributes: self.rules.attributes.clone(), numbered };
        let command = self.code_request(Purpose::Verify, recipient);
        let command = RequestCodeCommand { delivery, ..command };
        let requested = sign_up.run(command, newcomer, &Recorder::NONE).await?;
        Ok(requested.handle.expect("a handle").expose().to_owned())
    }

    /// Stores a sign-up that waits for its code. Returns the handle.
    pub async fn start_sign_up(
        &self,
        email: Identifier,
        username: Identifier,
        password: &str,
    ) -> Result<String, Refusal> {
        let Identifier::Email(email) = email else { panic!("{email:?} is not an address") };
        let Identifier::Username(username) = username else {
            panic!("{username:?} is no username")
        };
        let start =
            StartSignUp { request_code: self.sender(), passwords: Arc::clone(&self.passwords) };
        let command = StartSignUpCommand {
            realm: self.realm.clone(),
            email,
            username,
            password: people::password(password),
            attributes: self.rules.attributes.clone(),
            source: self.source.clone(),
            locale: "en".to_owned(),
        };
        Ok(start.run(command, &Recorder::NONE).await?.handle.expect("a handle").expose().to_owned())
    }

    /// Sends the code of a sign-up that waits again.
    pub async fn resend_sign_up(&self, handle: &str) -> Result<(), Refusal> {
        let challenges = Arc::clone(&self.store) as _;
        let resend = ResendSignUp { request_code: self.sender(), challenges };
        let command = ResendSignUpCommand {
            realm: self.realm.clone(),
            handle: ChallengeHandle::new(handle),
            source: self.source.clone(),
            locale: "en".to_owned(),
        };
        let sent = resend.run(command, &Recorder::NONE).await?;
        assert_eq!(sent.handle.expect("a handle").expose(), handle);
        Ok(())
    }

    /// Completes a sign-up that waits. The wallet gets 25 points.
    pub async fn complete_sign_up(&self, handle: &str, code: &str) -> Result<User, Refusal> {
        let wallet =
            WalletPolicy { card_prefix: "705", card_digits: 17, points: 25, source: "welcome" };
        let without_sessions = self.ruled(|rules| rules.sessions = SessionOwner::Token);
        let enter = without_sessions.enterer(Audience::Unregistered, Some(wallet));
        let presented = Presented::Handle(ChallengeHandle::new(handle), Purpose::SignUp);
        let mut attributes = Attributes::default();
        attributes.insert("plan", "gold");
        let command = EnterByCodeCommand { attributes, ..self.enter_command(presented, code) };
        Ok(enter.run(command, &Recorder::NONE).await?.user)
    }

    /// Creates an account in the shop of a client, with the password "correct horse". Returns the
    /// user.
    pub async fn sign_up_to_verify(
        &self,
        client: &ClientId,
        sign_up: ShopSignUp,
    ) -> Result<UserId, Refusal> {
        let shop = self.from(Source::of_client(client.clone()));
        let (resend, attempts) = (shop.resend_verification(), shop.password_gate());
        let use_case =
            shop.sign_up_with(Unproved::Waits(Box::new(ResendToKnown { resend, attempts })));
        let command = SignUpCommand {
            realm: self.realm.clone(),
            identifiers: sign_up.email.into_iter().chain(sign_up.phone).collect(),
            password: people::password(sign_up.password.unwrap_or("correct horse")),
            attributes: self.rules.attributes.clone(),
            referrer: sign_up.referrer.map(|id| Referrer { id, attribute: "referrer" }),
            device: DeviceInfo::default(),
            source: shop.source.clone(),
            locale: "en".to_owned(),
        };
        Ok(use_case.run(command, &Recorder::NONE).await?.user.id)
    }

    /// Returns the user, if there is one with this id now.
    pub async fn user(&self, id: &UserId) -> Option<User> {
        let found = Users::find(&*self.store, id, self.now()).await;
        found.expect("a user")
    }

    /// Makes every user one of a version that did not store when its address was verified.
    pub fn forget_verification_times(&self) {
        self.database.strip("Users", "email_verified_at");
    }

    /// Removes the times at which refresh tokens were used, which a version before this one did not
    /// store.
    pub fn forget_times_of_use(&self) {
        self.database.strip("Sessions", "used_at");
    }

    /// Returns the number of sequences that ids were taken from.
    pub fn sequences(&self) -> usize {
        self.database.items("Sequences").len()
    }

    /// Returns how far the sequences of integer ids are, in all.
    pub fn ids_taken(&self) -> u64 {
        let last = |item: HashMap<String, AttributeValue>| -> u64 {
            match item.get("last_id") {
                Some(AttributeValue::N(last)) => last.parse().expect("a number"),
                other => panic!("{other:?} is not a number"),
            }
        };
        self.database.items("Sequences").into_iter().map(last).sum()
    }

    /// Returns every item of every table, as a text that shows any change.
    pub fn everything_stored(&self) -> String {
        let tables = ["Users", "Identifiers", "Challenges", "Devices", "Sessions", "Budgets"];
        let tables =
            tables.into_iter().chain(["Ledger", "Clients", "Answers", "Outbox", "Sequences"]);
        let items = tables.flat_map(|table| self.database.items(table));
        let mut items: Vec<_> =
            items.map(|item| in_order(&serde_json::to_value(item).expect("an item"))).collect();
        items.sort();
        items.join("\n")
    }

    /// Stores a user of whom nothing but the id is known.
    pub fn put_user(&self, id: &UserId) {
        self.database.put("Users", &serde_json::json!({"user_id": {"S": id.as_str()}}));
    }

    fn account_deletion(&self) -> DeleteAccount {
        DeleteAccount {
            accounts: Arc::clone(&self.store) as _,
            users: Arc::clone(&self.store) as _,
            devices: Some(Arc::clone(&self.store) as _),
            basics: self.basics(),
        }
    }

    /// Deletes the account of a user who states the password.
    pub async fn delete_by_password(&self, id: &UserId, password: &str) -> Result<(), Refusal> {
        let (check, delete) = (self.check_password(), self.account_deletion());
        let password = people::password(password);
        let delete = DeleteByPassword { check, delete };
        Ok(delete.run(id, password, &self.source, &Recorder::NONE).await?)
    }

    /// Deletes the account of a user who sends the code of a recipient.
    pub async fn delete_by_code(
        &self,
        id: &UserId,
        recipient: Identifier,
        code: &str,
    ) -> Result<(), Refusal> {
        let key = self.challenge(Purpose::DeleteAccount, recipient);
        let (presented, guess) = (Presented::Recipient(key), Guess { code, source: &self.source });
        let (check_code, delete) = (self.checker(), self.account_deletion());
        let (bill, steady_for) = (self.bill(), Duration::from_hours(24));
        let delete = DeleteByCode { check_code, bill, steady_for, delete };
        Ok(delete.run(id, presented, &guess, &Recorder::NONE).await?)
    }

    /// Returns the tables that hold something of a user, by id.
    pub fn tables_with(&self, text: &str) -> Vec<&'static str> {
        let tables = ["Users", "Identifiers", "Devices", "Sessions", "Budgets", "Ledger"];
        let holds = |table: &&str| {
            let items = self.database.items(table).into_iter();
            let mut items = items.map(|item| serde_json::to_value(item).expect("an item"));
            items.any(|item| item.to_string().contains(text))
        };
        tables.into_iter().filter(holds).collect()
    }

    /// Deletes a user, as the database does some time after an unverified user has expired.
    pub fn delete_user(&self, id: &UserId) {
        self.database.delete("Users", "user_id", id.as_str());
    }

    /// Returns the user that the identifier belongs to now.
    pub async fn owner_of(&self, identifier: Identifier) -> Option<UserId> {
        let found = self.store.known_by(&self.realm, &identifier, self.now()).await;
        found.expect("an identifier").map(|holder| holder.user)
    }

    /// Returns whether the user has verified the identifier.
    pub async fn is_verified(&self, user: &UserId, identifier: &Identifier) -> bool {
        let user = self.user(user).await.expect("a user");
        let known = user.identifiers.iter().find(|known| known.identifier == *identifier);
        known.expect("an identifier of the user").is_verified()
    }

    /// Returns the points of every credit in the user's wallet.
    pub fn credits(&self, user: &UserId) -> Vec<u32> {
        let is_user = |value: &AttributeValue| matches!(value, AttributeValue::S(text) if text.as_str() == user.as_str());
        let items = self.database.items("Ledger").into_iter();
        let credits = items.filter(|item| item.get("user_id").is_some_and(is_user));
        let points = credits.map(|item| match item.get("points") {
            Some(AttributeValue::N(points)) => points.parse().expect("a number"),
            other => panic!("{other:?} is not a number"),
        });
        points.collect()
    }
}
