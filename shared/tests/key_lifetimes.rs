//! The lifetimes of keys in `template.yaml` against the lifetimes of what they sign.

use latchkey::domain::session::{IDLE_LIFETIME, REMEMBERED_LIFETIME};
use template::Template;

/// The interval itself, and the lifetimes that no key limits. Refresh tokens keep a session of Gotu
/// open. The current key derives each of them, and a token needs no key from then on.
const NOT_SIGNED: [&str; 2] = ["KeyRotationSeconds", "SessionSecondsGotu"];

#[test]
fn a_key_signs_for_longer_than_anything_that_it_signed_is_valid() {
    let template = Template::load().unwrap();
    let bound = |name: &str, bound: &str| {
        let parameter = template.parameter(name).unwrap();
        parameter.body[bound].as_u64().unwrap_or_else(|| panic!("{name} has no {bound}"))
    };
    let interval = bound("KeyRotationSeconds", "MinValue");
    assert!(interval > IDLE_LIFETIME.as_secs() && interval > REMEMBERED_LIFETIME.as_secs());
    let names = template.parameters.iter().map(|parameter| parameter.name.as_str());
    let lifetimes: Vec<_> =
        names.filter(|name| name.contains("Seconds") && !NOT_SIGNED.contains(name)).collect();
    assert!(lifetimes.len() >= 4, "{lifetimes:?}");
    for name in lifetimes {
        assert!(bound(name, "MaxValue") < interval, "{name}");
    }
}
