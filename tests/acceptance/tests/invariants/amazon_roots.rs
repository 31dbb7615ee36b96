//! The embedded certificate authorities.

use latchkey::adapters::aws::AMAZON_ROOTS;
use std::collections::BTreeSet;
use std::path::Path;
use x509_parser::pem::Pem;

/// The folder in which Debian's package `ca-certificates` keeps certificates.
const FOLDER: &str = "/usr/share/ca-certificates/mozilla";

/// The files of the embedded certificates in that folder.
const NAMES: [&str; 5] = [
    "Amazon_Root_CA_1.crt",
    "Amazon_Root_CA_2.crt",
    "Amazon_Root_CA_3.crt",
    "Amazon_Root_CA_4.crt",
    "Starfield_Services_Root_Certificate_Authority_-_G2.crt",
];

fn certificates(pem: &[u8]) -> BTreeSet<Vec<u8>> {
    Pem::iter_from_buffer(pem).map(|pem| pem.unwrap().contents).collect()
}

#[test]
fn they_are_valid_for_a_year_at_least() {
    let certificates = certificates(AMAZON_ROOTS.as_bytes());
    assert_eq!(certificates.len(), NAMES.len());
    for certificate in &certificates {
        let (_, certificate) = x509_parser::parse_x509_certificate(certificate).unwrap();
        let left = certificate.validity().time_to_expiration().unwrap();
        assert!(left.whole_days() > 365, "{}: {left}", certificate.subject());
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn they_are_those_that_debian_trusts() {
    if !Path::new(FOLDER).exists() {
        println!("skipped: the package ca-certificates is not installed");
        return;
    }
    let trusted = NAMES
        .iter()
        .flat_map(|name| certificates(&std::fs::read(Path::new(FOLDER).join(name)).unwrap()));
    assert_eq!(certificates(AMAZON_ROOTS.as_bytes()), trusted.collect());
}
