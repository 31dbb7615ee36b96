//! Hashes of other systems: published test vectors of every format, the limits of their cost, and texts that are no hashes.
//! The file `vectors.json` names the source of each vector.

use crate::models::compare;
use latchkey::adapters::argon2::{Argon2Passwords, Cost, Hasher};
use latchkey::adapters::hashes::Work;
use latchkey::domain::password::{Password, PasswordHash};
use latchkey::ports::{PasswordVerdict, Passwords as _};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;
use std::sync::Arc;
use usecases::SeededEntropy;

/// The verdict on a password that is right, with a hash that is not as new ones are.
const RIGHT: PasswordVerdict = PasswordVerdict::Right { outdated: true };

fn vectors() -> Vec<Value> {
    serde_json::from_str(include_str!("vectors.json")).unwrap()
}

/// Returns a text of a vector.
fn text<'a>(vector: &'a Value, name: &str) -> &'a str {
    vector[name].as_str().unwrap()
}

fn passwords() -> Argon2Passwords {
    let cost = Cost { memory_kib: 8, iterations: 1, parallelism: 1 };
    Argon2Passwords::new(cost, Hasher::Argon2, Arc::<SeededEntropy>::default()).unwrap()
}

/// Compares a password with a hash.
fn verdict(passwords: &Argon2Passwords, password: &str, hash: &str) -> PasswordVerdict {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let password = Password::parse(password, 0).unwrap();
    let hash = Some(PasswordHash::new(hash.to_owned()));
    runtime.block_on(passwords.verify(password, hash)).unwrap()
}

#[test]
fn the_published_vectors_of_every_format_are_verified() {
    let passwords = passwords();
    for vector in vectors() {
        let (password, hash) = (text(&vector, "password"), text(&vector, "hash"));
        let right = verdict(&passwords, password, hash);
        assert_eq!(right, RIGHT, "{vector}");
        let wrong = verdict(&passwords, &format!("_{password}"), hash);
        assert_eq!(wrong, PasswordVerdict::Wrong, "{vector}");
    }
}

#[test]
fn every_format_has_a_vector() {
    let vectors = vectors();
    for format in [
        "argon2id",
        "argon2i",
        "argon2d",
        "bcrypt 2a",
        "bcrypt 2b",
        "bcrypt 2y",
        "scrypt",
        "scrypt, Kratos",
        "firescrypt",
        "pbkdf2-sha1, passlib",
        "pbkdf2-sha256",
        "pbkdf2-sha256, passlib",
        "pbkdf2-sha512",
        "pbkdf2-sha512, passlib",
        "Django pbkdf2_sha256",
        "Django pbkdf2_sha1",
        "Django argon2",
        "Django bcrypt_sha256",
        "Django scrypt",
        "PHPass",
    ] {
        let count = vectors.iter().filter(|vector| text(vector, "format") == format).count();
        assert!(count >= 1, "{format}");
    }
}

#[test]
fn a_hash_above_a_limit_is_unknown_and_the_one_at_the_limit_is_not() {
    let (salt, hash) = ("c29tZXNhbHQ", "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc");
    let django =
        "ECMIUp+LMxMSK8xB/IVyba+KYGTI7FTnet025q/1f/vBAVnnP3hdYqJuRi+mJn6ji6ze3Fbb7JEFPKGpuEf5vw==";
    let key =
        "YE0dO4bwD4JnJafh6lZZfkp1MtKzuKAXQcDCJNJNyeCHairWHKENOkbh3dzwaCdizzOspwr/FITUVlnOAwPKyw==";
    let argon2 = |costs: &str| format!("$argon2id$v=19${costs}${salt}${hash}");
    let scrypt = |costs: &str| format!("$scrypt${costs}${salt}${hash}");
    let mut unknown = vec![
        argon2("m=131073,t=1,p=1"),
        argon2("m=131072,t=11,p=1"),
        argon2("m=4294967295,t=4294967295,p=1"),
        argon2("m=65536,t=2,p=17"),
        argon2("m=15,t=2,p=2"),
        argon2("m=65536,t=0,p=1"),
        argon2("m=65536,t=2,p=0"),
        format!("$argon2id$v=18$m=65536,t=2,p=1${salt}${hash}"),
        format!("argon2$argon2id$v=19$m=131073,t=1,p=1${salt}${hash}"),
        scrypt("ln=18,r=8,p=1"),
        scrypt("ln=17,r=9,p=1"),
        scrypt("ln=17,r=8,p=5"),
        scrypt("ln=10,r=33,p=1"),
        scrypt("ln=10,r=8,p=17"),
        scrypt("ln=0,r=8,p=1"),
        scrypt("ln=10,r=0,p=1"),
        scrypt("ln=262144,r=8,p=1"),
        scrypt("ln=16385,r=8,p=1"),
        format!("$firescrypt$ln=18,r=8,p=1${salt}${key}$Bw==${key}"),
        format!("scrypt$262144$seasalt$8$1${django}"),
        format!("$pbkdf2-sha256$i=2000001,l=32${salt}${hash}"),
        format!("$pbkdf2-sha256$i=0,l=32${salt}${hash}"),
        // The blocks of the output count.
        format!("$pbkdf2-sha256$i=1000001${salt}${}", key.trim_end_matches('=')),
        format!("pbkdf2_sha256$2000001$seasalt${hash}="),
        // An output that can be met by chance.
        format!("$pbkdf2-sha256$i=1000${salt}$AAAA"),
        "$P$J12345678LIjjb6PhecupozNBmDndU0".to_owned(),
        "$P$412345678LIjjb6PhecupozNBmDndU0".to_owned(),
    ];
    for cost in ["03", "15", "31", "99"] {
        unknown.push(format!("$2b${cost}$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"));
    }
    let passwords = passwords();
    for hash in unknown {
        let verdict = verdict(&passwords, "password", &hash);
        assert_eq!(verdict, PasswordVerdict::UnknownHash, "{hash}");
    }
    for (work, above) in [
        ("argon2id:131072,10,4", "argon2id:131072,11,4"),
        ("argon2i:8,1,1", "argon2i:7,1,1"),
        ("bcrypt:14", "bcrypt:15"),
        ("scrypt:17,8,4", "scrypt:17,8,5"),
        ("pbkdf2-sha512:2000000", "pbkdf2-sha512:2000001"),
        ("phpass:20", "phpass:21"),
    ] {
        assert_eq!(work.parse::<Work>().unwrap().to_string(), work);
        assert!(above.parse::<Work>().is_err(), "{above}");
    }
}

/// A text that looks like a hash: a vector with some of its characters changed, or its fields in another order.
fn nearly_a_hash() -> impl Strategy<Value = String> {
    let known: Vec<String> = vectors().iter().map(|it| text(it, "hash").to_owned()).collect();
    let parts = || select(known.clone());
    let changed =
        (parts(), any::<prop::sample::Index>(), any::<char>()).prop_map(|(hash, at, to)| {
            let at = at.index(hash.len());
            let rest = hash.chars().skip(at).skip(1);
            hash.chars().take(at).chain([to]).chain(rest).collect::<String>()
        });
    let cut = (parts(), any::<prop::sample::Index>()).prop_map(|(hash, at)| {
        let at = at.index(hash.len());
        hash.chars().take(at).collect::<String>()
    });
    let mixed = (parts(), parts(), any::<prop::sample::Index>()).prop_map(|(one, other, at)| {
        let one: Vec<&str> = one.split('$').collect();
        let at = at.index(one.len());
        let other = other.split('$').skip(at);
        one.iter().take(at).copied().chain(other).collect::<Vec<_>>().join("$")
    });
    prop_oneof![changed, cut, mixed]
}

/// Any text, and one of the characters and words that hashes are written with.
fn no_hash() -> impl Strategy<Value = String> {
    const WORDS: [&str; 19] = [
        "$",
        "argon2id",
        "argon2",
        "2b",
        "scrypt",
        "firescrypt",
        "pbkdf2-sha256",
        "P",
        "v=19",
        "m=8,t=1,p=1",
        "ln=4,r=8,p=1",
        "i=1",
        "10",
        "0",
        "9",
        ",",
        "=",
        "c29tZXNhbHQ",
        "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    ];
    let written = vec(select(&WORDS[..]), 0..14).prop_map(|words| words.concat());
    let any = vec(any::<char>(), 0..200).prop_map(String::from_iter);
    prop_oneof![any, written]
}

#[test]
fn no_text_makes_the_verifier_fail() {
    let texts = prop_oneof![no_hash(), nearly_a_hash()];
    let passwords = passwords();
    compare(&texts, async |text| {
        let password = Password::parse("a password of none of them", 0).unwrap();
        let verdict = passwords.verify(password, Some(PasswordHash::new(text))).await.unwrap();
        prop_assert!(verdict != RIGHT);
        Ok(())
    });
}
