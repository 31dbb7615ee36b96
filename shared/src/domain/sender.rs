//! Who sends a text: which carriers, and as whom, by contract and dial code.

use super::phone::PhoneNumber;
use std::collections::BTreeMap;

/// A carrier of texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TextCarrier {
    Sns,
    /// AWS End User Messaging SMS.
    EndUserMessaging,
    /// An HTTPS endpoint of the operator.
    Webhook,
}

impl TextCarrier {
    /// The name in settings and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sns => "sns",
            Self::EndUserMessaging => "end-user-messaging",
            Self::Webhook => "webhook",
        }
    }
}

/// How texts are sent to the numbers of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The carriers in the order in which they are tried; never empty.
    pub carriers: Vec<TextCarrier>,
    /// The sender that the phone shows, in countries that allow it.
    pub sender_id: Option<String>,
    /// The number or the short code that the text comes from.
    pub origination_number: Option<String>,
    /// What India's register (DLT) knows the sender and its texts by.
    pub register: Option<RegisteredTexts>,
    /// The AWS region that sends; `None` for the one of SMS.
    pub region: Option<String>,
}

/// The ids of a sender and of its texts in a country's register.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegisteredTexts {
    pub entity_id: String,
    /// The ids of the texts, by their names, such as `posbytz.verify`.
    pub template_ids: BTreeMap<String, String>,
}

impl RegisteredTexts {
    /// Returns the id of a text, or an empty one. A text without an id is not sent
    /// ([`Sender::unregistered`]).
    #[must_use]
    pub fn template_id(&self, text: &str) -> &str {
        self.template_ids.get(text).map(String::as_str).unwrap_or_default()
    }
}

/// Who mails come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailSender {
    pub address: String,
    /// The name that mailboxes show; printable ASCII without quotes and backslashes.
    pub name: Option<String>,
    /// The address that answers go to, if it is another one.
    pub reply_to: Option<String>,
}

impl MailSender {
    /// The sender as a header of a mail states it (RFC 5322, 3.4).
    #[must_use]
    pub fn header(&self) -> String {
        match &self.name {
            Some(name) => format!("\"{name}\" <{}>", self.address),
            None => self.address.clone(),
        }
    }
}

/// The senders of mails.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailSenders {
    pub default: MailSender,
    pub by_contract: BTreeMap<String, MailSender>,
}

impl MailSenders {
    /// Returns the sender of a contract's mails.
    #[must_use]
    pub fn of(&self, contract: &str) -> &MailSender {
        self.by_contract.get(contract).unwrap_or(&self.default)
    }
}

/// A sender for some contracts and numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SenderRule {
    /// `None` for every contract.
    pub contract: Option<String>,
    /// What the numbers begin with, such as `+91`; `None` for every number.
    pub dial_code: Option<String>,
    pub sender: Sender,
}

/// The senders of texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Senders {
    pub rules: Vec<SenderRule>,
    /// The sender where no rule applies.
    pub default: Sender,
}

impl Sender {
    /// Returns the sender that SNS sends for, with this sender ID.
    #[must_use]
    pub fn sns(sender_id: Option<String>) -> Self {
        let carriers = vec![TextCarrier::Sns];
        Self { carriers, sender_id, origination_number: None, register: None, region: None }
    }

    /// Returns what is wrong if a register wants an id of this text and there is none.
    #[must_use]
    pub fn unregistered(&self, text: &str) -> Option<String> {
        let register = self.register.as_ref()?;
        let is_known = register.template_ids.contains_key(text);
        (!is_known).then(|| format!("the text {text} has no template id"))
    }
}

impl Senders {
    /// The senders of all rules.
    pub fn all(&self) -> impl Iterator<Item = &Sender> {
        self.rules.iter().map(|rule| &rule.sender).chain([&self.default])
    }

    /// Returns the sender of a contract's texts to a number: that of the rule with the longest dial code,
    /// and of two such rules that of the contract's own.
    #[must_use]
    pub fn of(&self, contract: &str, phone: &PhoneNumber) -> &Sender {
        let applies = |rule: &&SenderRule| {
            let dial_code = rule.dial_code.as_deref().unwrap_or_default();
            rule.contract.as_deref().is_none_or(|own| own == contract)
                && phone.as_str().starts_with(dial_code)
        };
        let rank = |rule: &&SenderRule| {
            (rule.dial_code.as_ref().map(String::len), rule.contract.is_some())
        };
        let rule = self.rules.iter().filter(applies).max_by_key(rank);
        rule.map_or(&self.default, |rule| &rule.sender)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::identifier::Identifier;

    fn rule(contract: Option<&str>, dial_code: Option<&str>, sender_id: &str) -> SenderRule {
        SenderRule {
            contract: contract.map(str::to_owned),
            dial_code: dial_code.map(str::to_owned),
            sender: Sender::sns(Some(sender_id.to_owned())),
        }
    }

    #[test]
    fn the_longest_dial_code_wins_and_then_the_contract() {
        let rules = vec![
            rule(None, Some("+91"), "india"),
            rule(Some("posbytz"), Some("+91"), "posbytz-india"),
            rule(Some("posbytz"), None, "posbytz"),
            rule(None, Some("+9199"), "range"),
        ];
        let senders = Senders { rules, default: Sender::sns(None) };
        for (contract, number, wanted) in [
            ("gotu", "+919812345678", Some("india")),
            ("posbytz", "+919812345678", Some("posbytz-india")),
            ("posbytz", "+919912345678", Some("range")),
            ("posbytz", "+85291234567", Some("posbytz")),
            ("gotu", "+85291234567", None),
        ] {
            let Some(Identifier::Phone(phone)) = Identifier::from_parts("phone", number) else {
                panic!("{number} is not a phone number")
            };
            assert_eq!(senders.of(contract, &phone).sender_id.as_deref(), wanted, "{number}");
        }
    }

    #[test]
    fn a_contract_has_its_sender_of_mails_or_that_of_all() {
        let address =
            |address: &str| MailSender { address: address.to_owned(), ..MailSender::default() };
        let name = Some("Acme, the app".to_owned());
        let own = MailSender { name, ..address("hello@acme.example") };
        let by_contract = BTreeMap::from([("acme".to_owned(), own)]);
        let senders = MailSenders { default: address("no-reply@latchkey.example"), by_contract };
        assert_eq!(senders.of("acme").header(), "\"Acme, the app\" <hello@acme.example>");
        assert_eq!(senders.of("other").header(), "no-reply@latchkey.example");
    }
}
