//! Access tokens as HS256 JWTs, made with the crate `jsonwebtoken` and a crypto provider on ring.

use super::key_ring::KeyRing;
use crate::domain::challenge::KeyId;
use crate::ports::{
    AccessTokens, CheckedToken, PortError, SignAccessToken, SignText, TextSignatures,
};
use async_trait::async_trait;
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::signature::{Error as SignatureError, Signer, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use ring::hmac;
use secrecy::ExposeSecret as _;
use serde_json::value::RawValue;
use std::sync::Arc;

/// HMAC-SHA-256 on ring: the only algorithm for signing and verifying. The providers of the crate
/// need aws-lc or the crate rsa.
static HS256_ON_RING: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| match algorithm {
        Algorithm::HS256 => Ok(Box::new(Hs256::new(key.as_bytes()))),
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    },
    verifier_factory: |algorithm, key: &DecodingKey| match algorithm {
        Algorithm::HS256 => Ok(Box::new(Hs256::new(key.try_get_as_bytes()?))),
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    },
    key_utils: KeyUtils::new_unimplemented(),
};

struct Hs256(hmac::Key);

impl Hs256 {
    fn new(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }
}

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, SignatureError> {
        Ok(hmac::sign(&self.0, message).as_ref().to_vec())
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), SignatureError> {
        hmac::verify(&self.0, message, signature).map_err(|_| SignatureError::new())
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

/// The access tokens of one contract, signed with the keys of its ring.
pub struct JwtAccessTokens {
    ring: Arc<KeyRing>,
}

impl JwtAccessTokens {
    #[must_use]
    pub fn new(ring: Arc<KeyRing>) -> Self {
        // The provider is global to the process. A second call finds it installed.
        _ = HS256_ON_RING.install_default();
        Self { ring }
    }
}

#[async_trait]
impl AccessTokens for JwtAccessTokens {
    async fn signer(&self) -> Result<Box<dyn SignAccessToken>, PortError> {
        let ring = self.ring.ring().await?;
        let key = ring.key(ring.current());
        let key = key.ok_or_else(|| PortError::new("sign a token", "the ring has no keys"))?;
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(ring.current().as_str().to_owned());
        let key = EncodingKey::from_secret(key.expose_secret().as_bytes());
        Ok(Box::new(JwtSigning { header, key }))
    }

    async fn check(&self, token: &str) -> Result<CheckedToken, PortError> {
        let Some(id) = jsonwebtoken::decode_header(token).ok().and_then(|header| header.kid) else {
            return Ok(CheckedToken::Forged);
        };
        let id = KeyId::new(&id);
        let ring = self.ring.ring_with_key(&id).await?;
        let Some(key) = ring.key(&id) else { return Ok(CheckedToken::Forged) };
        let key = DecodingKey::from_secret(key.expose_secret().as_bytes());
        // Only HS256 is accepted. The contract judges the claims with its own clock.
        let mut validation = Validation::new(Algorithm::HS256);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        Ok(match jsonwebtoken::decode::<Box<RawValue>>(token, &key, &validation) {
            Ok(data) => CheckedToken::Genuine(data.claims.get().to_owned()),
            Err(_) => CheckedToken::Forged,
        })
    }

    async fn sign_again(&self, signed: &str) -> Result<String, PortError> {
        const ACTION: &str = "sign a token again";
        let header = jsonwebtoken::decode_header(format!("{signed}."));
        let id = header.map_err(|error| PortError::new(ACTION, error))?.kid.unwrap_or_default();
        let id = KeyId::new(&id);
        let ring = self.ring.ring_with_key(&id).await?;
        let key = ring.key(&id);
        let key = key.ok_or_else(|| PortError::new(ACTION, "its key is not in the ring"))?;
        Ok(Hs256::new(key.expose_secret().as_bytes()).token_of(signed))
    }
}

impl Hs256 {
    /// Returns the token of its header and claims.
    fn token_of(&self, signed: &str) -> String {
        let signature = hmac::sign(&self.0, signed.as_bytes());
        format!("{signed}.{}", BASE64URL_NOPAD.encode(signature.as_ref()))
    }
}

/// Signatures of texts, made with the keys of a separate ring.
pub struct JwsTexts {
    ring: Arc<KeyRing>,
}

impl JwsTexts {
    #[must_use]
    pub const fn new(ring: Arc<KeyRing>) -> Self {
        Self { ring }
    }
}

#[async_trait]
impl TextSignatures for JwsTexts {
    async fn signer(&self) -> Result<Box<dyn SignText>, PortError> {
        let ring = self.ring.ring().await?;
        let key = ring.key(ring.current());
        let key = key.ok_or_else(|| PortError::new("sign a text", "the ring has no keys"))?;
        Ok(Box::new(Hs256::new(key.expose_secret().as_bytes())))
    }
}

impl SignText for Hs256 {
    fn sign(&self, text: &str) -> String {
        let [header, payload] =
            [r#"{"alg":"HS256"}"#, text].map(|part| BASE64URL_NOPAD.encode(part.as_bytes()));
        self.token_of(&format!("{header}.{payload}"))
    }
}

struct JwtSigning {
    header: Header,
    key: EncodingKey,
}

impl SignAccessToken for JwtSigning {
    fn sign(&self, claims: &str) -> Result<String, PortError> {
        // A raw value keeps the claims in the contract's order.
        let claims: &RawValue = serde_json::from_str(claims)
            .map_err(|error| PortError::new("read a token's claims", error))?;
        jsonwebtoken::encode(&self.header, &claims, &self.key)
            .map_err(|error| PortError::new("sign a token", error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::system::SystemClock;

    /// The key, input and signature are the HS256 example of RFC 7515, section A.1.
    #[test]
    fn hs256_matches_the_example_of_rfc_7515() {
        let base64 = BASE64URL_NOPAD;
        let key = base64
            .decode(
                b"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
            )
            .unwrap();
        let input = b"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let signature = Hs256::new(&key).try_sign(input).unwrap();
        assert_eq!(base64.encode(&signature), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert!(Hs256::new(&key).verify(input, &signature).is_ok());
        assert!(Hs256::new(b"other").verify(input, &signature).is_err());
    }

    #[test]
    fn a_text_is_signed_unchanged() {
        let signed = SignText::sign(&Hs256::new(b"key"), "PostmanRuntime/7.37.3");
        let (input, signature) = signed.rsplit_once('.').unwrap();
        assert_eq!(input, "eyJhbGciOiJIUzI1NiJ9.UG9zdG1hblJ1bnRpbWUvNy4zNy4z");
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
        assert!(Hs256::new(b"key").verify(input.as_bytes(), &signature).is_ok());
    }

    #[tokio::test]
    async fn a_token_names_its_key_and_keeps_the_order_of_its_claims() {
        let json = r#"{"v1":{"key":"a key of at least thirty-two bytes","stage":"AWSCURRENT"}}"#;
        let ring = KeyRing::inline("test", json, Arc::new(SystemClock)).unwrap();
        let tokens = JwtAccessTokens::new(Arc::new(ring));
        let token = tokens.signer().await.unwrap().sign(r#"{"z":1,"a":2}"#).unwrap();
        let part = |index: usize| {
            let part = token.split('.').nth(index).unwrap();
            let bytes = BASE64URL_NOPAD.decode(part.as_bytes()).unwrap();
            String::from_utf8(bytes).unwrap()
        };
        assert_eq!(part(0), r#"{"typ":"JWT","alg":"HS256","kid":"3bfc2695"}"#);
        assert_eq!(part(1), r#"{"z":1,"a":2}"#);
        let genuine = CheckedToken::Genuine(r#"{"z":1,"a":2}"#.to_owned());
        assert_eq!(tokens.check(&token).await.unwrap(), genuine);
        let (signed, _) = token.rsplit_once('.').unwrap();
        assert_eq!(tokens.sign_again(signed).await.unwrap(), token);
    }

    #[tokio::test]
    async fn a_token_of_another_key_or_algorithm_is_forged() {
        let tokens = |key: &str| {
            let json = format!(r#"{{"v1":{{"key":"{key:>32}","stage":"AWSCURRENT"}}}}"#);
            let ring = KeyRing::inline("test", &json, Arc::new(SystemClock)).unwrap();
            JwtAccessTokens::new(Arc::new(ring))
        };
        let token = tokens("one").signer().await.unwrap().sign(r#"{"a":1}"#).unwrap();
        let base64 = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
        let none = format!("{}.{}.", base64(r#"{"alg":"none","kid":"3bfc2695"}"#), base64("{}"));
        let mut parts = token.split('.');
        let (header, _, signature) =
            (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
        let changed = format!("{header}.{}.{signature}", base64(r#"{"a":2}"#));
        let no_kid = format!("{}.{}.x", base64(r#"{"alg":"HS256"}"#), base64("{}"));
        for forged in [none.as_str(), &changed, &no_kid, "", "a.b.c", &token[..token.len() - 1]] {
            assert_eq!(
                tokens("one").check(forged).await.unwrap(),
                CheckedToken::Forged,
                "{forged}"
            );
        }
        assert_eq!(tokens("other").check(&token).await.unwrap(), CheckedToken::Forged);
    }
}
