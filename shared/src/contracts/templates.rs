//! The messages of all contracts, for the relay.

use super::{CodePage, Contract, LinkTemplate};
use super::{messages::CodeOf, texts::Voice};
use crate::domain::challenge::ChallengeKey;
use crate::domain::code::{CodeFormat, OneTimeCode};
use crate::domain::id::UserId;
use crate::domain::identifier::Identifier;
use crate::domain::link::LinkToken;
use crate::domain::realm::Realm;
use crate::http::Brand;
use crate::ports::{MessageContent, MessageTemplates};
use std::collections::BTreeMap;
use std::time::Duration;

/// The messages of all contracts.
#[derive(Debug, Default)]
pub struct ContractTemplates {
    /// The host of the page that asks for the code, for contracts whose brand has none. If it is set, the
    /// last line of a text is `@host #code`, and phones offer the code on that page only (WICG Origin-bound
    /// one-time codes).
    pub code_host: Option<String>,
    /// The URL of the API as the recipients of mails reach it, for contracts whose brand has none. Links
    /// begin with it.
    pub public_url: String,
    /// The brands by contract.
    pub brands: BTreeMap<String, Brand>,
}

/// The brand of a contract that has none.
static PLAIN: Brand = Brand::PLAIN;

impl ContractTemplates {
    fn brand(&self, contract: &Contract) -> &Brand {
        self.brands.get(contract.profile.name).unwrap_or(&PLAIN)
    }

    /// Returns the whole link to a path of the API.
    fn link(&self, brand: &Brand, path: &str) -> String {
        let start = brand.public_url.as_deref().unwrap_or(&self.public_url);
        format!("{}{path}", start.trim_end_matches('/'))
    }
}

fn contract_of(realm: &Realm) -> Option<Contract> {
    super::CONTRACTS.into_iter().find(|contract| contract.profile.name == realm.contract())
}

/// Returns the voice of a contract. An empty locale is its first language.
pub(super) fn voice<'a>(contract: &Contract, locale: &str, brand: &'a Brand) -> Option<Voice<'a>> {
    Voice::new((contract.languages)(), locale, contract.product, brand)
}

/// Names the language of a message, unless it is the first one of the contract.
fn named(voice: &Voice<'_>, message: MessageContent) -> MessageContent {
    let variant =
        if voice.is_first() { String::new() } else { format!(".{}", voice.language.tag()) };
    MessageContent { variant, ..message }
}

impl MessageTemplates for ContractTemplates {
    fn code_format(&self, realm: &Realm) -> Option<CodeFormat> {
        contract_of(realm).map(|contract| contract.profile.code_format)
    }

    fn code_content(
        &self,
        challenge: &ChallengeKey,
        locale: &str,
        code: &OneTimeCode,
        lifetime: Duration,
    ) -> Option<MessageContent> {
        let ChallengeKey { realm, purpose, recipient, .. } = challenge;
        let contract = contract_of(realm)?;
        let brand = self.brand(&contract);
        let voice = voice(&contract, locale, brand)?;
        let host = brand.code_host.as_ref().or(self.code_host.as_ref());
        // Only an SMS has to be short.
        let has_host_line = host.is_some() && matches!(recipient, Identifier::Phone(_));
        let of = CodeOf { purpose: *purpose, code, lifetime, has_host_line };
        let mut message = match contract.code_page.filter(|page| page.purpose == *purpose) {
            Some(CodePage { path, message, .. }) => message(&voice, &of, &self.link(brand, path)),
            None => (contract.code_message)(&voice, &of),
        };
        message = named(&voice, message);
        if of.is_short(&voice) {
            message.variant.push_str(".short");
        }
        if let Some(host) = host {
            message.text = format!("{}\n\n@{host} #{}", message.text, code.expose());
        }
        Some(message)
    }

    fn account_notice(&self, realm: &Realm, locale: &str) -> Option<MessageContent> {
        let contract = contract_of(realm)?;
        let voice = voice(&contract, locale, self.brand(&contract))?;
        Some(named(&voice, contract.account_notice?(&voice)))
    }

    fn link_content(
        &self,
        realm: &Realm,
        locale: &str,
        user: &UserId,
        link: &LinkToken,
        lifetime: Duration,
    ) -> Option<MessageContent> {
        let contract = contract_of(realm)?;
        let brand = self.brand(&contract);
        let voice = voice(&contract, locale, brand)?;
        let LinkTemplate { path, message } = contract.verify_link?;
        Some(named(&voice, message(&voice, &self.link(brand, &path(user, link)), lifetime)))
    }
}
