//! The base of every function: AWS clients, the store, the clock, random bytes, key rings.

use crate::adapters::answer_keys::RingAnswerKeys;
use crate::adapters::aws::Aws;
use crate::adapters::carrier_accounts::AwsCarrierAccounts;
use crate::adapters::code_keys::HmacCodeKeys;
use crate::adapters::dynamodb::{DynamoHistories, DynamoStore};
use crate::adapters::end_user_messaging::EndUserMessagingTexts;
use crate::adapters::key_ring::{KeyRing, KeyRingScope, read_secret};
use crate::adapters::person_hashes::RingPersonHashes;
use crate::adapters::ses::SesMail;
use crate::adapters::sns::SnsTexts;
use crate::adapters::system::{OsEntropy, SystemClock};
use crate::adapters::webhook::WebhookTexts;
use crate::domain::sender::{Senders, TextCarrier};
use crate::domain::test_numbers::TestNumbers;
use crate::http::Brand;
use crate::ports::{
    AnswerKeys, Clock, CodeKeys, DeliveryEvents, Entropy, Histories, Messages, PersonHashes, chain,
};
use crate::runtime::settings::{self, RingSource, SettingsError};
use crate::runtime::{Error, init_telemetry};
use crate::usecases::{DeliveryFacts, ReadHistory, SentMessages, WriteHistory};
use futures_util::future::join_all;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The time limit for AWS at the start. Lambda allows ten seconds for the whole start.
const WARM_UP_TIME: Duration = Duration::from_secs(3);

/// The base of every function, from the environment.
pub struct Bootstrap {
    /// Makes AWS clients.
    pub aws: Aws,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    store: Option<DynamoStore>,
    history: Option<WriteHistory>,
    rings: Vec<RegisteredRing>,
}

/// A key ring that [`Bootstrap::warm_up`] reads.
struct RegisteredRing {
    secret: String,
    scope: KeyRingScope,
    ring: Arc<KeyRing>,
}

impl Bootstrap {
    /// Starts logging and reads the settings of AWS. Opens no connection.
    ///
    /// # Errors
    /// A variable is missing; the error names it.
    pub fn from_env() -> Result<Self, SettingsError> {
        init_telemetry();
        Ok(Self {
            aws: Aws::new(settings::aws()?),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OsEntropy::default()),
            store: None,
            history: None,
            rings: Vec::new(),
        })
    }

    /// The store with the tables.
    pub fn store(&mut self) -> Result<DynamoStore, Error> {
        if let Some(store) = &self.store {
            return Ok(store.clone());
        }
        let store = DynamoStore::new(&self.aws, settings::tables()?, Arc::clone(&self.entropy))?;
        self.store = Some(store.clone());
        Ok(store)
    }

    /// The key ring of a secret. It is registered: [`Bootstrap::warm_up`] reads it.
    pub(super) fn key_ring(
        &mut self,
        source: &RingSource,
        scope: KeyRingScope,
    ) -> Result<Arc<KeyRing>, Error> {
        let known = |known: &&RegisteredRing| known.secret == source.secret && known.scope == scope;
        if let Some(known) = self.rings.iter().find(known) {
            return Ok(Arc::clone(&known.ring));
        }
        let clock = Arc::clone(&self.clock);
        let ring = Arc::new(if let Some(json) = &source.inline {
            KeyRing::inline(&source.name, json, clock)?
        } else {
            let lifetime = settings::key_ring_lifetime()?;
            KeyRing::of_secret(&self.aws, &source.secret, scope, lifetime, clock)
        });
        let secret = source.secret.clone();
        self.rings.push(RegisteredRing { secret, scope, ring: Arc::clone(&ring) });
        Ok(ring)
    }

    /// The keys that codes are derived with, or only their ids.
    pub fn code_keys(&mut self, scope: KeyRingScope) -> Result<Arc<dyn CodeKeys>, Error> {
        let ring = self.key_ring(&settings::code_key()?, scope)?;
        Ok(Arc::new(HmacCodeKeys::new(ring)))
    }

    /// The test numbers of all contracts, whose names and codes are not checked yet.
    pub fn test_numbers(&self) -> Result<TestNumbers, Error> {
        Ok(settings::test_numbers(self.clock.now())?)
    }

    /// The senders of the texts of these contracts.
    pub async fn senders(&self, contracts: &[&str]) -> Result<Senders, Error> {
        let rules = match settings::senders_secret() {
            Some(secret) => Some(read_secret(&self.aws, &secret).await?),
            None => None,
        };
        Ok(settings::senders(rules.as_deref(), contracts)?)
    }

    /// The brands of these contracts.
    pub async fn brands(&self, contracts: &[&str]) -> Result<BTreeMap<String, Brand>, Error> {
        let stated = match settings::brands_secret() {
            Some(secret) => Some(read_secret(&self.aws, &secret).await?),
            None => None,
        };
        Ok(settings::brands(stated.as_deref(), contracts)?)
    }

    /// The carriers of texts that some sender names.
    pub fn text_carriers(
        &mut self,
        senders: &Senders,
    ) -> Result<BTreeMap<TextCarrier, Arc<dyn Messages>>, Error> {
        let aws = match settings::sms_region() {
            Some(region) => self.aws.in_region(&region),
            None => self.aws.clone(),
        };
        let mut carriers: BTreeMap<_, Arc<dyn Messages>> = BTreeMap::new();
        for carrier in senders.all().flat_map(|sender| &sender.carriers) {
            if carriers.contains_key(carrier) {
                continue;
            }
            let texts: Arc<dyn Messages> = match carrier {
                TextCarrier::Sns => Arc::new(SnsTexts::new(&aws, settings::sms(), senders)),
                TextCarrier::EndUserMessaging => {
                    Arc::new(EndUserMessagingTexts::new(&aws, settings::sms(), senders))
                }
                TextCarrier::Webhook => {
                    let (url, key) = settings::sms_webhook()?;
                    let key = self.key_ring(&key, KeyRingScope::WithKeys)?;
                    Arc::new(WebhookTexts::new(url, key, Arc::clone(&self.clock))?)
                }
            };
            carriers.insert(*carrier, texts);
        }
        Ok(carriers)
    }

    /// The carrier of mails, with the senders of the brands.
    pub fn mail(&self, brands: &BTreeMap<String, Brand>) -> Result<Arc<dyn Messages>, Error> {
        let aws = match settings::ses_region() {
            Some(region) => self.aws.in_region(&region),
            None => self.aws.clone(),
        };
        let set = settings::ses_configuration_set();
        Ok(Arc::new(SesMail::new(&aws, settings::mail_senders(brands)?, set)))
    }

    /// What explains why a person gets no messages.
    pub fn delivery_facts(&mut self) -> Result<DeliveryFacts, Error> {
        let store = Arc::new(self.store()?);
        let aws = |region: Option<String>| match region {
            Some(region) => self.aws.in_region(&region),
            None => self.aws.clone(),
        };
        let (texts, mails) = (aws(settings::sms_region()), aws(settings::ses_region()));
        Ok(DeliveryFacts {
            history: ReadHistory {
                histories: self.histories()?,
                deliveries: Arc::clone(&store) as _,
                clock: Arc::clone(&self.clock),
            },
            standings: Arc::clone(&store) as _,
            deliveries: store,
            carriers: Arc::new(AwsCarrierAccounts::new(&texts, &mails)),
            policy: settings::send_policy()?,
            bill: settings::bill()?,
            reports: settings::delivery_reports()?,
        })
    }

    /// What the relay remembers of the messages that it sent, if carriers report what became of them.
    pub fn sent_messages(
        &mut self,
        events: Arc<dyn DeliveryEvents>,
    ) -> Result<Option<SentMessages>, Error> {
        if !settings::delivery_reports()? {
            return Ok(None);
        }
        let deliveries = Arc::new(self.store()?);
        Ok(Some(SentMessages { deliveries, events, prices: settings::prices()? }))
    }

    /// The histories of recipients and users.
    pub fn histories(&mut self) -> Result<Arc<dyn Histories>, Error> {
        let ring = self.key_ring(&settings::trace_key()?, KeyRingScope::WithKeys)?;
        Ok(Arc::new(DynamoHistories::new(self.store()?, ring)))
    }

    /// What writes histories, unless they are switched off.
    pub fn write_history(&mut self) -> Result<Option<WriteHistory>, Error> {
        if !settings::history()? {
            return Ok(None);
        }
        if self.history.is_none() {
            self.history = Some(WriteHistory::new(self.histories()?));
        }
        Ok(self.history.clone())
    }

    /// The keys that protect the answers to requests with idempotency keys.
    pub fn answer_keys(&mut self) -> Result<Arc<dyn AnswerKeys>, Error> {
        let ring = self.key_ring(&settings::trace_key()?, KeyRingScope::WithKeys)?;
        Ok(Arc::new(RingAnswerKeys::new(ring)))
    }

    /// The hashes that stand for people in log lines.
    pub fn person_hashes(&mut self) -> Result<Arc<dyn PersonHashes>, Error> {
        let ring = self.key_ring(&settings::trace_key()?, KeyRingScope::WithKeys)?;
        Ok(Arc::new(RingPersonHashes::new(ring)))
    }

    /// Opens the connection to the store and reads the registered key rings, all at the same time. A
    /// failure is logged, and the first request that needs the store or the ring tries again: a
    /// failure outside of the function does not stop the start.
    pub async fn warm_up(&self) {
        let store = async {
            if let Some(store) = &self.store {
                store.warm_up().await;
            }
        };
        let rings = join_all(self.rings.iter().map(|registered| registered.ring.ring()));
        let warmed = async { tokio::join!(store, rings) };
        let Ok(((), rings)) = tokio::time::timeout(WARM_UP_TIME, warmed).await else {
            tracing::warn!("the store or a key ring took too long while starting");
            return;
        };
        for error in rings.into_iter().filter_map(Result::err) {
            tracing::warn!(error = chain(&error), "failed to read a key ring while starting");
        }
    }
}
