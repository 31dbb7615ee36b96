//! The two implementations of Argon2id, beside each other.

use crate::SeededEntropy;
use argon2::{Algorithm, Argon2, AssociatedData, ParamsBuilder, Version};
use latchkey::ports::Entropy as _;

/// The input of a hash, with its cost.
#[derive(Clone, Debug)]
pub struct HashCase {
    pub password: Vec<u8>,
    pub salt: Vec<u8>,
    pub secret: Vec<u8>,
    pub data: Vec<u8>,
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
    /// The length of the hash, in bytes.
    pub length: usize,
}

impl HashCase {
    /// Returns a case with random input and cost. Half of the cases have neither a secret nor data, as passwords here.
    #[must_use]
    pub fn random(entropy: &SeededEntropy) -> Self {
        let bytes = |length: usize| {
            let mut bytes = vec![0; length];
            entropy.fill(&mut bytes).expect("random bytes");
            bytes
        };
        let below = |limit: u32| {
            let bytes: [u8; 4] = bytes(4).try_into().expect("four bytes");
            u32::from_le_bytes(bytes).checked_rem(limit).expect("a limit")
        };
        let length = |least: u32, limit: u32| least.saturating_add(below(limit)) as usize;
        let is_plain = below(2) == 0;
        let lanes = below(4).saturating_add(1);
        Self {
            password: bytes(length(0, 130)),
            salt: bytes(length(8, 57)),
            secret: if is_plain { Vec::new() } else { bytes(length(0, 33)) },
            data: if is_plain { Vec::new() } else { bytes(length(0, 33)) },
            memory_kib: lanes.saturating_mul(8).saturating_add(below(120)),
            passes: below(3).saturating_add(1),
            lanes,
            length: length(4, 125),
        }
    }

    /// Returns the hash of the crate `argon2`.
    #[must_use]
    pub fn reference(&self) -> Vec<u8> {
        let params = ParamsBuilder::new()
            .m_cost(self.memory_kib)
            .t_cost(self.passes)
            .p_cost(self.lanes)
            .output_len(self.length)
            .data(AssociatedData::new(&self.data).expect("data"))
            .build()
            .expect("parameters");
        let hasher =
            Argon2::new_with_secret(&self.secret, Algorithm::Argon2id, Version::V0x13, params);
        let mut hash = vec![0; self.length];
        let hasher = hasher.expect("a secret");
        hasher.hash_password_into(&self.password, &self.salt, &mut hash).expect("a hash");
        hash
    }

    /// Returns the hash of the crate `argon2-rust`.
    #[must_use]
    pub fn fast(&self) -> Vec<u8> {
        use argon2_rust::params::{Memory, TagLen};
        use argon2_rust::{Algorithm, Argon2, Params, Version};
        let params = Params::builder()
            .memory(Memory::kib(self.memory_kib.into()))
            .passes(self.passes)
            .lanes(self.lanes)
            .tag_len(TagLen::bytes(self.length as u64))
            .build()
            .expect("parameters");
        let mut hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hasher();
        let mut hash = vec![0; self.length];
        let Self { password, salt, secret, data, .. } = self;
        hasher.hash_into_with_ad(password, salt, secret, data, &mut hash).expect("a hash");
        hash
    }
}
