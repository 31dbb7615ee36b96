//! What the comparison of a password with a hash costs, and the limits of it.

use ring::pbkdf2;
use std::fmt;
use std::str::FromStr;

/// The most memory of one hash, in KiB: 128 MiB, the maximum of the parameter `Argon2MemoryKib`.
const MOST_MEMORY_KIB: u64 = 131_072;
/// The most memory times passes of argon2, in KiB: the maxima of the template. One to two seconds.
const MOST_ARGON2: u64 = 1_310_720;
/// The most lanes of argon2 and of scrypt.
const MOST_LANES: u32 = 16;
/// The costs of bcrypt: 4 is its least, and 14 takes about a second.
const BCRYPT_COSTS: std::ops::RangeInclusive<u32> = 4..=14;
/// The largest block of scrypt, in units of 128 bytes.
const MOST_SCRYPT_BLOCK: u32 = 32;
/// The most work of scrypt: N times r times p. About two seconds.
const MOST_SCRYPT: u64 = 1 << 22;
/// The most rounds of PBKDF2. About two seconds with SHA-512.
const MOST_PBKDF2: u32 = 2_000_000;
/// The costs of `PHPass` as powers of two: its least one, and about a third of a second.
const PHPASS_COSTS: std::ops::RangeInclusive<u32> = 7..=20;

/// A variant of argon2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    Argon2id,
    Argon2i,
    Argon2d,
}

/// A hash function of PBKDF2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digest {
    Sha1,
    Sha256,
    Sha512,
}

/// The work of one comparison. Two hashes with the same work take the same time. The text form is that of the parameter
/// `ImportedHashes`, for example `bcrypt:10`, `scrypt:14,8,1`, `pbkdf2-sha256:600000`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    Argon2 {
        variant: Variant,
        memory_kib: u32,
        passes: u32,
        lanes: u32,
    },
    Bcrypt {
        cost: u32,
    },
    Scrypt {
        log_n: u8,
        r: u32,
        p: u32,
    },
    /// The rounds, times the blocks of the output.
    Pbkdf2 {
        digest: Digest,
        rounds: u32,
    },
    /// The rounds as a power of two.
    Phpass {
        log_rounds: u32,
    },
}

impl Variant {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Argon2id => "argon2id",
            Self::Argon2i => "argon2i",
            Self::Argon2d => "argon2d",
        }
    }

    pub(super) const ALL: [Self; 3] = [Self::Argon2id, Self::Argon2i, Self::Argon2d];
}

impl Digest {
    pub(super) const ALL: [Self; 3] = [Self::Sha1, Self::Sha256, Self::Sha512];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    pub(super) fn algorithm(self) -> pbkdf2::Algorithm {
        match self {
            Self::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
            Self::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Self::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        }
    }

    /// The length of a block of the output, in bytes.
    pub(super) const fn block(self) -> u32 {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

impl Work {
    /// Returns whether memory and time of a comparison are below the limits, which do not depend on settings: a stored
    /// hash must not take the memory or the time of a function.
    pub(super) fn is_within_limits(self) -> bool {
        match self {
            Self::Argon2 { memory_kib, passes, lanes, .. } => {
                let memory = u64::from(memory_kib);
                // RFC 9106, section 3.1: at least eight blocks for each lane.
                (1..=MOST_LANES).contains(&lanes)
                    && memory >= u64::from(lanes).saturating_mul(8)
                    && memory <= MOST_MEMORY_KIB
                    && passes >= 1
                    && memory.saturating_mul(passes.into()) <= MOST_ARGON2
            }
            Self::Bcrypt { cost } => BCRYPT_COSTS.contains(&cost),
            Self::Scrypt { log_n, r, p } => {
                let Some(n) = 1_u64.checked_shl(log_n.into()) else { return false };
                let blocks = n.saturating_mul(r.into());
                n > 1
                    && (1..=MOST_SCRYPT_BLOCK).contains(&r)
                    && (1..=MOST_LANES).contains(&p)
                    && blocks <= MOST_MEMORY_KIB.saturating_mul(8)
                    && blocks.saturating_mul(p.into()) <= MOST_SCRYPT
            }
            Self::Pbkdf2 { rounds, .. } => (1..=MOST_PBKDF2).contains(&rounds),
            Self::Phpass { log_rounds } => PHPASS_COSTS.contains(&log_rounds),
        }
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argon2 { variant, memory_kib, passes, lanes } => {
                write!(f, "{}:{memory_kib},{passes},{lanes}", variant.name())
            }
            Self::Bcrypt { cost } => write!(f, "bcrypt:{cost}"),
            Self::Scrypt { log_n, r, p } => write!(f, "scrypt:{log_n},{r},{p}"),
            Self::Pbkdf2 { digest, rounds } => write!(f, "pbkdf2-{}:{rounds}", digest.name()),
            Self::Phpass { log_rounds } => write!(f, "phpass:{log_rounds}"),
        }
    }
}

/// The error for a text that names no work, or one above the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the work of a hash is an algorithm and its cost below the limits, such as bcrypt:10")]
pub struct UnknownWork;

impl FromStr for Work {
    type Err = UnknownWork;

    fn from_str(text: &str) -> Result<Self, UnknownWork> {
        let (name, costs) = text.split_once(':').ok_or(UnknownWork)?;
        let costs: Vec<u32> = costs
            .split(',')
            .map(|cost| cost.parse().map_err(|_| UnknownWork))
            .collect::<Result<_, _>>()?;
        let variant = Variant::ALL.into_iter().find(|variant| variant.name() == name);
        let digest = name
            .strip_prefix("pbkdf2-")
            .and_then(|name| Digest::ALL.into_iter().find(|digest| digest.name() == name));
        let work = match (variant, digest, name, costs.as_slice()) {
            (Some(variant), _, _, &[memory_kib, passes, lanes]) => {
                Self::Argon2 { variant, memory_kib, passes, lanes }
            }
            (_, Some(digest), _, &[rounds]) => Self::Pbkdf2 { digest, rounds },
            (_, _, "bcrypt", &[cost]) => Self::Bcrypt { cost },
            (_, _, "scrypt", &[log_n, r, p]) => {
                Self::Scrypt { log_n: log_n.try_into().map_err(|_| UnknownWork)?, r, p }
            }
            (_, _, "phpass", &[log_rounds]) => Self::Phpass { log_rounds },
            _ => return Err(UnknownWork),
        };
        if work.is_within_limits() { Ok(work) } else { Err(UnknownWork) }
    }
}
