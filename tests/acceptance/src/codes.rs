//! One-time codes: the ones that were sent, and the ones that tests derive or guess.

use latchkey::adapters::code_keys::HmacCodeKeys;
use latchkey::adapters::key_ring::KeyRing;
use latchkey::adapters::system::SystemClock;
use latchkey::domain::challenge::{ChallengeKey, KeyId, Nonce};
use latchkey::domain::code::{CodeFormat, CodeSeed};
use latchkey::ports::CodeKeys as _;
use serde_json::Value;
use std::sync::Arc;

/// A key ring for codes (`OTP_KEY_RING`) whose key the tests know, for [`derived_code`].
pub const KNOWN_RING: &str =
    r#"{"v1":{"key":"a key that the tests know and nothing else","stage":"AWSCURRENT"}}"#;

/// The code in a message: its first run of four to six digits.
#[must_use]
pub fn code_in(text: &str) -> String {
    let numbers = text.split(|c: char| !c.is_ascii_digit());
    numbers.into_iter().find(|digits| (4..=6).contains(&digits.len())).expect("a code").to_owned()
}

/// A wrong code in the format of the right one.
#[must_use]
pub fn other_than(code: &str) -> String {
    guesses(code, 1).remove(0)
}

/// `count` different wrong codes in the format of the right one.
#[must_use]
pub fn guesses(right: &str, count: usize) -> Vec<String> {
    // No contract's lowest code is above this one.
    let lowest = 10_usize.pow(u32::try_from(right.len()).unwrap().saturating_sub(1));
    let codes = (lowest..).map(|number| number.to_string());
    codes.filter(|code| code != right).take(count).collect()
}

/// The code of a challenge item, derived as the functions derive it from [`KNOWN_RING`].
pub async fn derived_code(key: ChallengeKey, item: &Value, format: CodeFormat) -> String {
    known_keys().derive(&seed(key, item), format).await.unwrap().expose().to_owned()
}

/// The secret of the link of a challenge item, derived as the functions derive it from [`KNOWN_RING`].
pub async fn derived_link(key: ChallengeKey, item: &Value) -> String {
    known_keys().derive_link(&seed(key, item)).await.unwrap().expose().to_owned()
}

fn known_keys() -> HmacCodeKeys {
    let ring = KeyRing::inline("test", KNOWN_RING, Arc::new(SystemClock)).unwrap();
    HmacCodeKeys::new(Arc::new(ring))
}

fn seed(key: ChallengeKey, item: &Value) -> CodeSeed {
    let nonce = data_encoding::BASE64.decode(item["nonce"].as_str().unwrap().as_bytes()).unwrap();
    let key_id = KeyId::new(item["key_id"].as_str().unwrap());
    CodeSeed { key, nonce: Nonce::from_stored(&nonce).unwrap(), key_id }
}
