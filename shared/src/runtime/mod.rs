//! What every `main.rs` is put together with.

mod emf;
mod serve;
mod settings;
mod tally;
mod telemetry;

pub use serve::{serve, serve_events};
pub use settings::{
    CookieSettings, RotationSettings, Settings, SettingsError, TokenSettings, allowed_origins,
    refresh_key,
};
pub use telemetry::init as init_telemetry;

use crate::adapters::aws::Aws;
use crate::adapters::dynamodb::Store;
use crate::adapters::key_ring::{Contents, KeyRing};
use crate::adapters::system::{OsEntropy, SystemClock};
use crate::domain::code::CodeFormat;
use crate::ports::{Clock, Entropy, PortError, chain};
use std::sync::Arc;
use std::time::Duration;

/// How long a start waits for the world; Lambda allows ten seconds.
const WARM_UP_TIME: Duration = Duration::from_secs(3);

/// What every function starts from.
pub struct World {
    /// What the environment says.
    pub settings: Settings,
    /// Makes AWS clients.
    pub aws: Aws,
    /// The tables.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub entropy: Arc<dyn Entropy>,
}

/// Logs the risk that one recipient's code is guessed in a day (design.md): the guesses that the
/// limits allow, over the number of codes.
pub fn log_guess_risk(contract: &str, format: CodeFormat, settings: &Settings) {
    let codes = format.count;
    if let Some(guesses) = settings.sends.limits.guesses_per_day(settings.guesses.per_code) {
        let per_million = guesses.saturating_mul(1_000_000).checked_div(codes).unwrap_or(0);
        tracing::info!(
            contract,
            guesses_per_day = guesses,
            codes,
            risk_per_million = per_million,
            "the risk of one recipient's code being guessed in a day"
        );
    } else {
        tracing::warn!(contract, codes, "guesses per recipient and day have no limit");
    }
}

/// A secret's name and, for tools without Secrets Manager, its ring written out.
#[derive(Clone)]
pub struct RingSource {
    /// The secret's name or ARN.
    pub secret: String,
    /// The ring as [`KeyRing::inline`] reads it; it wins.
    pub inline: Option<String>,
}

impl World {
    /// Starts logging, reads the environment and prepares the clients; nothing is opened yet.
    ///
    /// # Errors
    /// The environment lacks something or holds nonsense; the error names the variable.
    pub fn from_env() -> Result<Self, SettingsError> {
        init_telemetry();
        let settings = Settings::from_env()?;
        let aws = Aws::new(settings.aws.clone());
        let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy::default());
        let store = Store::new(&aws, settings.tables.clone(), Arc::clone(&entropy));
        Ok(Self { settings, aws, store, clock: Arc::new(SystemClock), entropy })
    }

    /// A key ring, from the inline one if there is one.
    ///
    /// # Errors
    /// The inline ring cannot be read.
    pub fn key_ring(
        &self,
        source: &RingSource,
        contents: Contents,
    ) -> Result<Arc<KeyRing>, PortError> {
        let (clock, life) = (Arc::clone(&self.clock), self.settings.key_ring_life);
        Ok(Arc::new(match &source.inline {
            Some(json) => KeyRing::inline(json, clock)?,
            None => KeyRing::of_secret(&self.aws, &source.secret, contents, life, clock),
        }))
    }

    /// Opens the store's connection and reads the rings, all at once. What fails is logged, and
    /// tried again by the first request that needs it: a start never fails for a fault outside.
    pub async fn warm_up(&self, rings: &[&KeyRing]) {
        let rings = futures_util::future::join_all(rings.iter().map(|ring| ring.ring()));
        let warmed = async { tokio::join!(self.store.warm_up(), rings) };
        let Ok(((), rings)) = tokio::time::timeout(WARM_UP_TIME, warmed).await else {
            tracing::warn!("the store or a key ring took too long while starting");
            return;
        };
        for error in rings.into_iter().filter_map(Result::err) {
            tracing::warn!(error = chain(&error), "a key ring could not be read while starting");
        }
    }
}
