//! Codes and links: sending, checking, proving, verifying.

use crate::contract::FORMAT;
use crate::{Core, Refusal};
use dynoxide::AttributeValue;
use latchkey::domain::challenge::{Audience, ChallengeHandle, ChallengeKey, Lane, Purpose};
use latchkey::domain::code::CodeSeed;
use latchkey::domain::device::DeviceInfo;
use latchkey::domain::id::{UserId, hex};
use latchkey::domain::identifier::Identifier;
use latchkey::ports::Challenges as _;
use latchkey::ports::Recorder;
use latchkey::usecases::{
    CheckCode, Delivery, EnterByCode, EnterByCodeCommand, Entered, Guess, Presented,
    ProveRecipient, RecipientProof, RequestCode, RequestCodeCommand, ResendVerification,
    SessionOwner, Verification, VerifyLink, WalletPolicy,
};
use std::sync::Arc;

impl Core {
    pub(super) fn challenge(&self, purpose: Purpose, recipient: Identifier) -> ChallengeKey {
        ChallengeKey::new(self.realm.clone(), purpose, recipient)
    }

    pub(super) fn code_request(&self, purpose: Purpose, to: Identifier) -> RequestCodeCommand {
        RequestCodeCommand {
            key: self.challenge(purpose, to),
            audience: match purpose {
                Purpose::SignUp | Purpose::ChangePhone => Audience::Unregistered,
                Purpose::SignIn
                | Purpose::ResetPassword
                | Purpose::Verify
                | Purpose::DeleteAccount => Audience::Registered,
            },
            delivery: Delivery::Allowed,
            source: self.source.clone(),
            locale: "en".to_owned(),
        }
    }

    pub(super) fn sender(&self) -> RequestCode {
        RequestCode {
            gate: self.gate(),
            bill: self.bill(),
            accounts: Arc::clone(&self.store) as _,
            users: Arc::clone(&self.store) as _,
            code_keys: Arc::clone(&self.code_keys),
            basics: self.basics(),
            policy: self.rules.sends.clone(),
            account_notice: self.rules.account_notice,
            handles: self.rules.handles.then_some(|random| hex(random)),
        }
    }

    pub(super) fn resend_verification(&self) -> ResendVerification {
        ResendVerification {
            gate: self.gate(),
            accounts: Arc::clone(&self.store) as _,
            verification: Verification {
                code_keys: Arc::clone(&self.code_keys),
                policy: self.rules.sends.clone(),
                bill: self.bill(),
            },
            basics: self.basics(),
        }
    }

    pub(super) fn checker(&self) -> CheckCode {
        CheckCode {
            gate: self.gate(),
            challenges: Arc::clone(&self.store) as _,
            code_keys: Arc::clone(&self.code_keys),
            limits: self.rules.guesses,
            format: FORMAT,
            realm: self.realm.clone(),
            test_numbers: self.test_numbers.clone(),
        }
    }

    /// Asks for a code.
    pub async fn request_code(&self, purpose: Purpose, to: Identifier) -> Result<(), Refusal> {
        self.sender().run(self.code_request(purpose, to), &Recorder::NONE).await?;
        Ok(())
    }

    /// Asks for a code that every recipient gets, known or not. Returns the handle and the code.
    pub async fn requested_entry(&self, purpose: Purpose, to: Identifier) -> (String, String) {
        let command = self.code_request(purpose, to.clone());
        let command = RequestCodeCommand { audience: Audience::Everyone, ..command };
        let requested = self.sender().run(command, &Recorder::NONE).await.expect("a code");
        let handle = requested.handle.expect("a handle").expose().to_owned();
        (handle, self.code_of(purpose, to).await)
    }

    /// Makes as many wrong guesses as the source has, at targets that are linked to it.
    pub async fn use_up_guesses(&self) {
        let scratch = crate::number("+85260001111");
        self.request_code(Purpose::SignUp, scratch.clone()).await.expect("a code");
        let wrong = crate::wrong(&self.code_of(Purpose::SignUp, scratch.clone()).await);
        for _ in 0..self.rules.sources.guesses_per_hour.saturating_mul(2) {
            let refused = self.check_code(Purpose::SignUp, scratch.clone(), &wrong).await;
            assert!(refused.is_err());
        }
    }

    /// Deletes the challenges and handles whose time to be purged has come, as the database does.
    pub fn purge_challenges(&self) {
        let now = self.now().as_seconds();
        for item in self.database.items("Challenges") {
            if let (Some(AttributeValue::S(id)), Some(AttributeValue::N(end))) =
                (item.get("challenge_id"), item.get("purge_at"))
                && end.parse::<i64>().expect("whole seconds") <= now
            {
                self.database.delete("Challenges", "challenge_id", id);
            }
        }
    }

    /// Makes every challenge one of a version that did not store its opener.
    pub fn forget_openers(&self) {
        self.database.strip("Challenges", "password_stated");
    }

    /// Asks for a code, and returns the handle to its challenge.
    pub async fn request_handle(
        &self,
        purpose: Purpose,
        to: Identifier,
    ) -> Result<String, Refusal> {
        let requested = self.sender().run(self.code_request(purpose, to), &Recorder::NONE).await?;
        Ok(requested.handle.expect("a handle").expose().to_owned())
    }

    /// Asks for a code that is not sent.
    pub async fn request_suppressed(
        &self,
        purpose: Purpose,
        to: Identifier,
    ) -> Result<(), Refusal> {
        let command = self.code_request(purpose, to);
        self.sender()
            .run(RequestCodeCommand { delivery: Delivery::Suppressed, ..command }, &Recorder::NONE)
            .await?;
        Ok(())
    }

    /// Asks for a code that is not sent, and returns the handle to its challenge.
    pub async fn request_suppressed_handle(&self, purpose: Purpose, to: Identifier) -> String {
        let command = self.code_request(purpose, to);
        let command = RequestCodeCommand { delivery: Delivery::Suppressed, ..command };
        let requested = self.sender().run(command, &Recorder::NONE).await.expect("a handle");
        requested.handle.expect("a handle").expose().to_owned()
    }

    /// Returns the code that was asked for in one lane.
    pub async fn code_in_lane(&self, lane: Lane, purpose: Purpose, to: Identifier) -> String {
        let key = self.challenge(purpose, to).in_lane(lane);
        let live = self.store.current(&key).await.expect("the challenge");
        let seed = live.expect("a code").seed;
        let code = self.code_keys.derive(&seed, FORMAT).await;
        code.expect("a code").expose().to_owned()
    }

    async fn seed_of(&self, purpose: Purpose, recipient: Identifier) -> Option<CodeSeed> {
        let key = self.challenge(purpose, recipient);
        for lane in [Lane::Device, Lane::Network, Lane::Strangers, Lane::Unsent] {
            let live = self.store.current(&key.in_lane(lane)).await.expect("the challenge");
            if let Some(live) = live {
                return Some(live.seed);
            }
        }
        None
    }

    /// Returns whether the challenge has a code, valid or expired, sent or not.
    pub async fn has_code(&self, purpose: Purpose, recipient: Identifier) -> bool {
        self.seed_of(purpose, recipient).await.is_some()
    }

    /// Returns the code of the challenge as the relay derives it, even if it is not sent.
    pub async fn code_of(&self, purpose: Purpose, recipient: Identifier) -> String {
        let seed = self.seed_of(purpose, recipient).await.expect("a code");
        self.code_keys.derive(&seed, FORMAT).await.expect("a code").expose().to_owned()
    }

    /// Asks for a code, and returns it as the relay derives it.
    pub async fn requested_code(&self, purpose: Purpose, to: Identifier) -> String {
        self.request_code(purpose, to.clone()).await.expect("a code");
        self.code_of(purpose, to).await
    }

    /// Returns the secret of the link that verifies the address, as the relay derives it.
    pub async fn link_of(&self, recipient: Identifier) -> String {
        let seed = self.seed_of(Purpose::Verify, recipient).await.expect("a link");
        self.code_keys.derive_link(&seed).await.expect("a link").expose().to_owned()
    }

    /// Checks a code and does not use it up.
    pub async fn check_code(
        &self,
        purpose: Purpose,
        recipient: Identifier,
        code: &str,
    ) -> Result<(), Refusal> {
        let guess = Guess { code, source: &self.source };
        let key = self.challenge(purpose, recipient);
        self.checker().of_recipient(key, &guess, self.now()).await?;
        Ok(())
    }

    /// Checks the code of a handle and does not use it up.
    pub async fn check_held_code(
        &self,
        purpose: Purpose,
        handle: &str,
        code: &str,
    ) -> Result<(), Refusal> {
        let guess = Guess { code, source: &self.source };
        let handle = ChallengeHandle::new(handle);
        self.checker().of_handle(handle, purpose, &guess, self.now()).await?;
        Ok(())
    }

    /// Checks a code and uses it up.
    pub async fn prove(
        &self,
        purpose: Purpose,
        recipient: Identifier,
        code: &str,
    ) -> Result<RecipientProof, Refusal> {
        let prove = ProveRecipient {
            check_code: self.checker(),
            bill: self.bill(),
            accounts: Arc::clone(&self.store) as _,
            clock: self.clock_port(),
        };
        let key = self.challenge(purpose, recipient);
        Ok(prove.run(key, code, &self.source, &Recorder::NONE).await?)
    }

    /// The use case for codes. `audience` may enter.
    pub(super) fn enterer(&self, audience: Audience, wallet: Option<WalletPolicy>) -> EnterByCode {
        EnterByCode {
            check_code: self.checker(),
            bill: self.bill(),
            accounts: Arc::clone(&self.store) as _,
            users: Arc::clone(&self.store) as _,
            sessions: self.sessions(),
            ids: self.new_ids(self.rules.user_ids),
            audience,
            wallet,
            basics: self.basics(),
        }
    }

    pub(super) fn enter_command(&self, presented: Presented, code: &str) -> EnterByCodeCommand {
        EnterByCodeCommand {
            presented,
            code: code.to_owned(),
            attributes: self.rules.attributes.clone(),
            device: DeviceInfo::default(),
            source: self.source.clone(),
        }
    }

    /// Enters with a code, as [`Rules::audience`](crate::Rules) allows: known recipients sign in,
    /// unknown ones sign up.
    pub async fn enter_by_code(
        &self,
        purpose: Purpose,
        recipient: Identifier,
        code: &str,
    ) -> Result<Entered, Refusal> {
        let presented = Presented::Recipient(self.challenge(purpose, recipient));
        let enter = self.enterer(self.rules.audience, None);
        Ok(enter.run(self.enter_command(presented, code), &Recorder::NONE).await?)
    }

    /// Enters with a handle and its code, as [`Rules::audience`](crate::Rules) allows.
    pub async fn enter_by_handle(
        &self,
        purpose: Purpose,
        handle: &str,
        code: &str,
    ) -> Result<Entered, Refusal> {
        let presented = Presented::Handle(ChallengeHandle::new(handle), purpose);
        let enter = self.enterer(self.rules.audience, None);
        Ok(enter.run(self.enter_command(presented, code), &Recorder::NONE).await?)
    }

    /// Verifies an identifier with a handle and its code. Returns the user.
    pub async fn verify_by_handle(&self, handle: &str, code: &str) -> Result<UserId, Refusal> {
        let presented = Presented::Handle(ChallengeHandle::new(handle), Purpose::Verify);
        let without_sessions = self.ruled(|rules| rules.sessions = SessionOwner::Token);
        let enter = without_sessions.enterer(Audience::Registered, None);
        Ok(enter.run(self.enter_command(presented, code), &Recorder::NONE).await?.user.id)
    }

    /// Verifies a recipient with the code that was sent to it. Returns the user.
    pub async fn verify_by_code(
        &self,
        recipient: Identifier,
        code: &str,
    ) -> Result<UserId, Refusal> {
        let presented = Presented::Recipient(self.challenge(Purpose::Verify, recipient));
        let without_sessions = self.ruled(|rules| rules.sessions = SessionOwner::Token);
        let enter = without_sessions.enterer(Audience::Registered, None);
        Ok(enter.run(self.enter_command(presented, code), &Recorder::NONE).await?.user.id)
    }

    /// Verifies the e-mail address of a user with a link.
    pub async fn verify_by_link(&self, user: &UserId, secret: &str) -> Result<(), Refusal> {
        let verify = VerifyLink {
            accounts: Arc::clone(&self.store) as _,
            users: Arc::clone(&self.store) as _,
            challenges: Arc::clone(&self.store) as _,
            code_keys: Arc::clone(&self.code_keys),
            basics: self.basics(),
            contract: self.contract,
        };
        Ok(verify.run(user, secret).await?)
    }
}
