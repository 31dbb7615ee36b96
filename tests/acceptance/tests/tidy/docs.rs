//! The documents against the code.

use super::{functions, read};
use latchkey::contracts::posbytz::{self, FieldErrors, TokenRefusal};
use latchkey::contracts::routes;
use latchkey::contracts::{goodcity, gotu, urbanfits};
use std::time::Duration;

#[test]
fn gotus_refusals_are_the_ones_of_its_document() {
    let document = read("shared/src/contracts/gotu/CONTRACT.md");
    let refusals = [
        gotu::Refusal::Body,
        gotu::Refusal::BodyTooLarge,
        gotu::Refusal::Invalid("otpCode is required".to_owned()),
        gotu::Refusal::PhoneTaken,
        gotu::Refusal::EmailTaken,
        gotu::Refusal::Code,
        gotu::Refusal::Verification,
        gotu::Refusal::NoSuchUser,
        gotu::Refusal::Password,
        gotu::Refusal::SamePassword,
        gotu::Refusal::RefreshToken,
        gotu::Refusal::AccessToken,
        gotu::Refusal::RequestToken,
        gotu::Refusal::Forbidden,
        gotu::Refusal::TooMany { retry_after: Duration::ZERO },
        gotu::Refusal::Internal,
    ];
    let spelled = refusals.map(|refusal| {
        let (status, text) = refusal.spelling();
        (format!("{refusal:?}"), status.as_u16(), text)
    });
    assert_table(&document, &spelled);
}

#[test]
fn goodcitys_refusals_are_the_ones_of_its_document() {
    let document = read("shared/src/contracts/goodcity/CONTRACT.md");
    let refusals = [
        goodcity::Refusal::Body,
        goodcity::Refusal::BodyTooLarge,
        goodcity::Refusal::Parameter("Missing parameter user_auth".to_owned()),
        goodcity::Refusal::Invalid("Address district is invalid"),
        goodcity::Refusal::InvalidHost,
        goodcity::Refusal::MobileBlank,
        goodcity::Refusal::MobileInvalid,
        goodcity::Refusal::Pin,
        goodcity::Refusal::InvalidToken,
        goodcity::Refusal::ExpiredToken,
        goodcity::Refusal::Platform,
        goodcity::Refusal::TooMany { retry_after: Duration::ZERO },
        goodcity::Refusal::Internal,
    ];
    let spelled = refusals.map(|refusal| {
        let (status, text) = refusal.rendered();
        (format!("{refusal:?}"), status, text)
    });
    assert_table(&document, &spelled);
}

#[test]
fn urbanfits_refusals_are_the_ones_of_its_document() {
    let document = read("shared/src/contracts/urbanfits/CONTRACT.md");
    let refusals = [
        urbanfits::Refusal::Parameters,
        urbanfits::Refusal::Invalid("Password should be at least 8 characters."),
        urbanfits::Refusal::Policies,
        urbanfits::Refusal::Taken,
        urbanfits::Refusal::Waiting,
        urbanfits::Refusal::CallbackParameters,
        urbanfits::Refusal::Expired,
        urbanfits::Refusal::Incorrect,
        urbanfits::Refusal::LoginParameters,
        urbanfits::Refusal::Provider,
        urbanfits::Refusal::Credentials,
        urbanfits::Refusal::Session,
        urbanfits::Refusal::Origin,
        urbanfits::Refusal::BodyTooLarge,
        urbanfits::Refusal::TooMany { retry_after: Duration::ZERO },
        urbanfits::Refusal::Internal,
    ];
    let spelled = refusals.map(|refusal| {
        let (status, text) = refusal.rendered();
        (format!("{refusal:?}"), status, text)
    });
    assert_table(&document, &spelled);
}

#[test]
fn posbytzs_refusals_are_the_ones_of_its_document() {
    let document = read("shared/src/contracts/posbytz/CONTRACT.md");
    let at_the_token_endpoint = [
        TokenRefusal::InvalidRequest,
        TokenRefusal::TooLarge,
        TokenRefusal::InvalidClient,
        TokenRefusal::UnauthorizedClient,
        TokenRefusal::UnsupportedGrantType,
        TokenRefusal::InvalidScope,
        TokenRefusal::ServerError,
    ];
    let of = |field: &'static str, text: &'static str| {
        let mut errors = FieldErrors::default();
        errors.add(field, vec![text]);
        errors
    };
    let elsewhere = [
        posbytz::Refusal::Body,
        posbytz::Refusal::BodyTooLarge,
        posbytz::Refusal::Invalid(of("email", "email must be an email")),
        posbytz::Refusal::NoClient,
        posbytz::Refusal::InsufficientScope,
        posbytz::Refusal::Taken(of("email", "Email already exists")),
        posbytz::Refusal::InvalidLink,
        posbytz::Refusal::Otp,
        posbytz::Refusal::Credentials,
        posbytz::Refusal::NotVerified,
        posbytz::Refusal::TooMany { retry_after: Duration::ZERO },
        posbytz::Refusal::Internal,
    ];
    let token = at_the_token_endpoint.map(|refusal| (format!("{refusal:?}"), refusal.rendered()));
    let other = elsewhere.map(|refusal| (format!("{refusal:?}"), refusal.rendered()));
    let spelled = token.into_iter().chain(other);
    let spelled: Vec<_> = spelled.map(|(name, (status, text))| (name, status, text)).collect();
    assert_table(&document, &spelled);
}

/// Requires that the document's table has a row for each refusal, and no other.
fn assert_table(document: &str, refusals: &[(String, u16, String)]) {
    let is_row =
        |line: &&str| line.starts_with("| `") && (line.contains("` | 4") || line.contains("` | 5"));
    assert_eq!(document.lines().filter(is_row).count(), refusals.len());
    for (name, status, text) in refusals {
        let name = name.split(['(', ' ']).next().unwrap();
        let row = format!("| `{name}` | {status} |");
        let line = document.lines().find(|line| line.starts_with(&row));
        let line = line.unwrap_or_else(|| panic!("no row {row}"));
        assert!(line.contains(&format!("`{text}`")), "{line} does not say {text}");
    }
}

#[test]
fn the_readme_names_every_route_function_and_variable() {
    let readme = read("README.md");
    for route in routes() {
        assert!(readme.contains(&format!("`{} {}`", route.method, route.path)), "{}", route.path);
    }
    for function in functions() {
        assert!(readme.contains(&function), "{function}");
    }
    let template = read("template.yaml");
    let variables = template.split("      Variables:\n").nth(1).unwrap();
    let variables = variables.lines().map_while(|line| line.strip_prefix("        "));
    let names = variables.filter_map(|line| line.split_once(": ")).map(|(name, _)| name);
    let names: Vec<_> = names.filter(|name| !name.starts_with('#')).collect();
    assert!(names.len() > 25, "{names:?}");
    for name in names {
        // The tables' names are one row.
        let documented = readme.contains(&format!("`{name}`")) || name.ends_with("_TABLE");
        assert!(documented, "{name} is not in the README");
    }
}

#[test]
fn every_endpoint_has_a_module_of_tests() {
    for route in routes() {
        let (contract, endpoint) = route.function.split_once('-').unwrap();
        let module = endpoint.replace('-', "_");
        read(&format!("tests/acceptance/tests/contracts/{contract}/{module}.rs"));
    }
}
