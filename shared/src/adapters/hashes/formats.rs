//! The formats of hashes. [`Work`] says nothing of limits here; [`StoredHash::parse`] checks them.

use super::StoredHash;
use super::compute::Recipe;
use super::work::{Digest, Variant, Work};
use argon2::Version;
use argon2::password_hash::phc;
use data_encoding::{BASE64_NOPAD, BitOrder, Encoding, Specification};
use std::sync::LazyLock;

/// The base64 of bcrypt.
static BCRYPT_BASE64: LazyLock<Option<Encoding>> = LazyLock::new(|| {
    let mut specification = Specification::new();
    let symbols = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    specification.symbols.push_str(symbols);
    specification.check_trailing_bits = false;
    specification.encoding().ok()
});

/// The symbols of `PHPass`: of its base64, and of its cost.
const PHPASS_SYMBOLS: &str = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The base64 of `PHPass`, which writes the lowest bits first.
static PHPASS_BASE64: LazyLock<Option<Encoding>> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification.symbols.push_str(PHPASS_SYMBOLS);
    specification.bit_order = BitOrder::LeastSignificantFirst;
    specification.check_trailing_bits = false;
    specification.encoding().ok()
});

/// Reads a hash of a known format.
pub(super) fn parse(text: &str) -> Option<StoredHash> {
    let (scheme, rest) = match text.strip_prefix('$') {
        // Django writes its name for the algorithm first.
        None => text.split_once('$')?,
        Some(text) => return parse_modular(text),
    };
    let algorithm_of = |digest: &Digest| scheme == format!("pbkdf2_{}", digest.name());
    match scheme {
        "argon2" => argon2(&format!("${rest}")),
        "bcrypt" => bcrypt(rest.strip_prefix('$')?, Recipe::Plain),
        "bcrypt_sha256" => bcrypt(rest.strip_prefix('$')?, Recipe::OfSha256),
        "scrypt" => django_scrypt(rest),
        _ => django_pbkdf2(Digest::ALL.into_iter().find(algorithm_of)?, rest),
    }
}

/// Reads a hash that begins with `$`, without the `$`.
fn parse_modular(text: &str) -> Option<StoredHash> {
    let (scheme, rest) = text.split_once('$')?;
    match scheme {
        "argon2id" | "argon2i" | "argon2d" => argon2(&format!("${text}")),
        "2a" | "2b" | "2y" => bcrypt(text, Recipe::Plain),
        "scrypt" => phc_scrypt(rest),
        "firescrypt" => firebase(rest),
        // passlib's name of the variant with SHA-1.
        "pbkdf2" | "pbkdf2-sha1" => pbkdf2(Digest::Sha1, rest),
        "pbkdf2-sha256" => pbkdf2(Digest::Sha256, rest),
        "pbkdf2-sha512" => pbkdf2(Digest::Sha512, rest),
        "P" | "H" => phpass(rest),
        _ => None,
    }
}

/// Reads a PHC string of argon2. Without a version it is 0x10, as in the reference implementation.
fn argon2(text: &str) -> Option<StoredHash> {
    let hash = phc::PasswordHash::new(text).ok()?;
    let name = hash.algorithm.as_str();
    let variant = Variant::ALL.into_iter().find(|variant| variant.name() == name)?;
    let version = match hash.version {
        None => Version::V0x10,
        Some(version) => Version::try_from(version).ok()?,
    };
    let [mut memory_kib, mut passes, mut lanes] = [None; 3];
    for (name, value) in hash.params.iter() {
        let to = match name.as_str() {
            "m" => &mut memory_kib,
            "t" => &mut passes,
            "p" => &mut lanes,
            // The others, `keyid` and `data`, name a key that is not here.
            _ => return None,
        };
        *to = Some(value.decimal().ok()?);
    }
    let work = Work::Argon2 { variant, memory_kib: memory_kib?, passes: passes?, lanes: lanes? };
    let (salt, expected) = (hash.salt?.as_ref().to_vec(), hash.hash?.as_bytes().to_vec());
    Some(StoredHash { work, recipe: Recipe::Argon2(version), salt, expected })
}

/// Reads `2b$10$` and 53 characters: 16 bytes of salt and 23 of the hash.
fn bcrypt(text: &str, recipe: Recipe) -> Option<StoredHash> {
    let [version, cost, rest] = fields(text)?;
    let known = matches!(version, "2a" | "2b" | "2y") && cost.len() == 2;
    let (salt, hash) = rest.split_at_checked(22)?;
    if !known || hash.len() != 31 {
        return None;
    }
    let encoding = BCRYPT_BASE64.as_ref()?;
    let decode = |text: &str| encoding.decode(text.as_bytes()).ok();
    let work = Work::Bcrypt { cost: number(cost)? };
    Some(StoredHash { work, recipe, salt: decode(salt)?, expected: decode(hash)? })
}

/// Reads `ln=14,r=8,p=1$salt$hash`. `ln` is the logarithm of N, as in a PHC string, or N itself, as Ory Kratos writes it.
fn phc_scrypt(text: &str) -> Option<StoredHash> {
    let [costs, salt, hash] = fields(text)?;
    let (work, recipe) = (scrypt_costs(costs)?, Recipe::Plain);
    Some(StoredHash { work, recipe, salt: base64(salt)?, expected: base64(hash)? })
}

/// Reads `ln=14,r=8,p=1$salt$hash$separator$key`, which is how Ory Kratos writes a hash of Firebase.
fn firebase(text: &str) -> Option<StoredHash> {
    let [costs, salt, hash, separator, key] = fields(text)?;
    let mut salt = base64(salt)?;
    salt.extend(base64(separator)?);
    let (work, recipe) = (scrypt_costs(costs)?, Recipe::Encrypts(base64(key)?));
    Some(StoredHash { work, recipe, salt, expected: base64(hash)? })
}

/// Reads `ln=14,r=8,p=1`.
fn scrypt_costs(text: &str) -> Option<Work> {
    let [ln, r, p] = split(text, ',')?;
    let n: u32 = number(ln.strip_prefix("ln=")?)?;
    let log_n = if n < u32::BITS { n } else { logarithm(n)? };
    let (r, p) = (number(r.strip_prefix("r=")?)?, number(p.strip_prefix("p=")?)?);
    Some(Work::Scrypt { log_n: log_n.try_into().ok()?, r, p })
}

/// Reads `16384$salt$8$1$hash`: N, the salt as text, r and p.
fn django_scrypt(text: &str) -> Option<StoredHash> {
    let [n, salt, r, p, hash] = fields(text)?;
    let log_n = logarithm(number(n)?)?.try_into().ok()?;
    let work = Work::Scrypt { log_n, r: number(r)?, p: number(p)? };
    let (recipe, salt) = (Recipe::Plain, salt.as_bytes().to_vec());
    Some(StoredHash { work, recipe, salt, expected: base64(hash)? })
}

/// Reads `i=600000,l=32$salt$hash` of a PHC string, in which `l` may be absent, or `600000$salt$hash` of passlib.
fn pbkdf2(digest: Digest, text: &str) -> Option<StoredHash> {
    let [costs, salt, hash] = fields(text)?;
    let expected = base64(hash)?;
    let rounds = match costs.strip_prefix("i=") {
        None => costs,
        Some(costs) => match costs.split_once(",l=") {
            None => costs,
            Some((rounds, length)) => {
                let length: usize = number(length)?;
                (length == expected.len()).then_some(rounds)?
            }
        },
    };
    with_pbkdf2(digest, number(rounds)?, base64(salt)?, expected)
}

/// Reads `600000$salt$hash`, with the salt as text.
fn django_pbkdf2(digest: Digest, text: &str) -> Option<StoredHash> {
    let [rounds, salt, hash] = fields(text)?;
    with_pbkdf2(digest, number(rounds)?, salt.as_bytes().to_vec(), base64(hash)?)
}

fn with_pbkdf2(
    digest: Digest,
    rounds: u32,
    salt: Vec<u8>,
    expected: Vec<u8>,
) -> Option<StoredHash> {
    let blocks = u32::try_from(expected.len()).ok()?.div_ceil(digest.block());
    let work = Work::Pbkdf2 { digest, rounds: rounds.checked_mul(blocks)? };
    Some(StoredHash { work, recipe: Recipe::Plain, salt, expected })
}

/// Reads one symbol of the cost, eight characters of salt, and 22 of the hash.
fn phpass(text: &str) -> Option<StoredHash> {
    let (cost, rest) = text.split_at_checked(1)?;
    let (salt, hash) = rest.split_at_checked(8)?;
    let log_rounds = u32::try_from(PHPASS_SYMBOLS.find(cost)?).ok()?;
    let expected = PHPASS_BASE64.as_ref()?.decode(hash.as_bytes()).ok()?;
    let (work, recipe) = (Work::Phpass { log_rounds }, Recipe::Plain);
    let is_md5 = expected.len() == 16;
    is_md5.then(|| StoredHash { work, recipe, salt: salt.as_bytes().to_vec(), expected })
}

/// Splits a text into exactly this many fields.
fn split<const N: usize>(text: &str, separator: char) -> Option<[&str; N]> {
    text.split(separator).collect::<Vec<_>>().try_into().ok()
}

fn fields<const N: usize>(text: &str) -> Option<[&str; N]> {
    split(text, '$')
}

/// Reads a number without a sign.
fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Returns the logarithm of a power of two.
fn logarithm(n: u32) -> Option<u32> {
    n.is_power_of_two().then(|| n.trailing_zeros())
}

/// Reads base64, with or without padding. passlib writes `.` instead of `+`.
fn base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=').replace('.', "+");
    BASE64_NOPAD.decode(text.as_bytes()).ok()
}
