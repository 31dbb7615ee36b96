//! Event patterns: the language in which a rule of EventBridge says which events it takes.
//!
//! It is the whole language of the page "Comparison operators for use in event patterns" of the
//! user guide of EventBridge. Where the page says nothing, AWS's open library Event Ruler decides.

use anyhow::{Context, bail, ensure};
use ipnet::IpNet;
use serde_json::{Map, Value as Json};
use std::net::IpAddr;

/// The key of alternatives.
const OR: &str = "$or";

/// The names of the operators. An object of `$or` that has one of them as a key makes `$or` the name
/// of a field.
const OPERATORS: [&str; 9] = [
    "anything-but",
    "cidr",
    "equals-ignore-case",
    "exact",
    "exists",
    "numeric",
    "prefix",
    "suffix",
    "wildcard",
];

/// A pattern. It takes an event if each field of the pattern takes the value of that field.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    /// The pattern as it was written.
    text: Json,
    node: Node,
}

/// What a pattern says about one object.
#[derive(Debug, Clone, PartialEq)]
struct Node {
    fields: Vec<(String, Field)>,
    /// Each `$or`: one of its objects must take the object.
    alternatives: Vec<Vec<Node>>,
}

#[derive(Debug, Clone, PartialEq)]
enum Field {
    Object(Node),
    /// One of the tests must hold.
    Value(Vec<Test>),
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    Exists,
    Absent,
    Is(Match),
    /// A value that none of these takes.
    AnythingBut(Vec<Match>),
}

/// A test of a value that exists.
#[derive(Debug, Clone, PartialEq)]
enum Match {
    /// A text, a truth value or null.
    Exactly(Json),
    Number(f64),
    IgnoringCase(String),
    Prefix(String),
    PrefixIgnoringCase(String),
    Suffix(String),
    SuffixIgnoringCase(String),
    /// The texts between the asterisks.
    Wildcard(Vec<String>),
    Numeric(Vec<(Comparison, f64)>),
    Cidr(IpNet),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Pattern {
    /// Reads a pattern from JSON text.
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        Self::new(serde_json::from_str(text).context("the event pattern is not JSON")?)
    }

    pub(crate) fn new(text: Json) -> anyhow::Result<Self> {
        let node = text.as_object().context("the event pattern is not an object");
        let node = Node::read(node?, "")?;
        Ok(Self { text, node })
    }

    pub(crate) const fn text(&self) -> &Json {
        &self.text
    }

    /// Tells whether the pattern takes an event, which is given with its envelope.
    pub(crate) fn takes(&self, event: &Json) -> bool {
        self.node.takes(Some(event))
    }
}

impl Node {
    fn read(object: &Map<String, Json>, path: &str) -> anyhow::Result<Self> {
        ensure!(!object.is_empty(), "an empty object in the event pattern{}", at(path));
        let mut node = Self { fields: Vec::new(), alternatives: Vec::new() };
        for (key, value) in object {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            if key == OR
                && let Some(objects) = alternatives(value)
            {
                let objects = objects.into_iter().map(|object| Self::read(object, &path));
                node.alternatives.push(objects.collect::<anyhow::Result<_>>()?);
                continue;
            }
            let field = match value {
                Json::Object(object) => Field::Object(Self::read(object, &path)?),
                Json::Array(values) => {
                    ensure!(!values.is_empty(), "an empty list in the event pattern{}", at(&path));
                    let tests = values.iter().map(Test::read).collect::<anyhow::Result<_>>();
                    Field::Value(tests.with_context(|| format!("a mistake{}", at(&path)))?)
                }
                _ => bail!("neither a list nor an object in the event pattern{}", at(&path)),
            };
            node.fields.push((key.clone(), field));
        }
        Ok(node)
    }

    /// Tells whether the node takes a value, which can be absent. All fields must match in the same
    /// element of an array.
    fn takes(&self, value: Option<&Json>) -> bool {
        match value {
            Some(Json::Array(elements)) if elements.iter().any(is_container) => {
                let mut elements = elements.iter().filter(|element| is_container(element));
                // What must be absent must be absent everywhere.
                if self.takes(None) {
                    elements.all(|element| self.takes(Some(element)))
                } else {
                    elements.any(|element| self.takes(Some(element)))
                }
            }
            value => {
                let field = |(name, field): &(String, Field)| {
                    field.takes(value.and_then(|value| value.as_object()?.get(name)))
                };
                let one = |nodes: &Vec<Self>| nodes.iter().any(|node| node.takes(value));
                self.fields.iter().all(field) && self.alternatives.iter().all(one)
            }
        }
    }
}

impl Field {
    fn takes(&self, value: Option<&Json>) -> bool {
        match self {
            Self::Object(node) => node.takes(value),
            Self::Value(tests) => {
                let mut values = Vec::new();
                leaves(value, &mut values);
                tests.iter().any(|test| test.holds(&values))
            }
        }
    }
}

impl Test {
    fn read(value: &Json) -> anyhow::Result<Self> {
        let Json::Object(object) = value else { return Match::exactly(value).map(Self::Is) };
        let (name, argument) = only_member(object).context("expected one operator in an object")?;
        Ok(match (name, argument) {
            ("exists", Json::Bool(true)) => Self::Exists,
            ("exists", Json::Bool(false)) => Self::Absent,
            ("exists", _) => bail!("exists takes true or false"),
            ("anything-but", argument) => Self::AnythingBut(anything_but(argument)?),
            (name, argument) => Self::Is(Match::read(name, argument)?),
        })
    }

    fn holds(&self, values: &[&Json]) -> bool {
        match self {
            Self::Exists => !values.is_empty(),
            Self::Absent => values.is_empty(),
            Self::Is(test) => values.iter().any(|value| test.takes(value)),
            Self::AnythingBut(tests) => {
                values.iter().any(|value| !tests.iter().any(|test| test.takes(value)))
            }
        }
    }
}

impl Match {
    fn exactly(value: &Json) -> anyhow::Result<Self> {
        Ok(match value {
            Json::Number(_) => Self::Number(number(value)?),
            Json::Array(_) | Json::Object(_) => bail!("a list in a list"),
            value => Self::Exactly(value.clone()),
        })
    }

    fn read(name: &str, argument: &Json) -> anyhow::Result<Self> {
        let text = || text(name, argument);
        Ok(match name {
            "exact" => Self::Exactly(text()?.into()),
            "equals-ignore-case" => Self::IgnoringCase(text()?.to_lowercase()),
            "prefix" => match ignoring_case(argument) {
                Some(prefix) => Self::PrefixIgnoringCase(prefix),
                None => Self::Prefix(text()?),
            },
            "suffix" => match ignoring_case(argument) {
                Some(suffix) => Self::SuffixIgnoringCase(suffix),
                None => Self::Suffix(text()?),
            },
            "wildcard" => Self::Wildcard(wildcard(&text()?)?),
            "numeric" => Self::Numeric(comparisons(argument)?),
            "cidr" => {
                let block = text()?;
                Self::Cidr(block.parse().with_context(|| format!("no CIDR block: {block}"))?)
            }
            other => bail!("unknown operator {other}"),
        })
    }

    fn takes(&self, value: &Json) -> bool {
        match (self, value) {
            (Self::Exactly(expected), value) => expected == value,
            (Self::Number(expected), Json::Number(_)) => {
                number(value).is_ok_and(|value| Comparison::Equal.holds(value, *expected))
            }
            (Self::Numeric(comparisons), Json::Number(_)) => number(value).is_ok_and(|value| {
                comparisons.iter().all(|(comparison, bound)| comparison.holds(value, *bound))
            }),
            (Self::IgnoringCase(expected), Json::String(text)) => text.to_lowercase() == *expected,
            (Self::Prefix(prefix), Json::String(text)) => text.starts_with(prefix.as_str()),
            (Self::PrefixIgnoringCase(prefix), Json::String(text)) => {
                text.to_lowercase().starts_with(prefix.as_str())
            }
            (Self::Suffix(suffix), Json::String(text)) => text.ends_with(suffix.as_str()),
            (Self::SuffixIgnoringCase(suffix), Json::String(text)) => {
                text.to_lowercase().ends_with(suffix.as_str())
            }
            (Self::Wildcard(pieces), Json::String(text)) => fits(pieces, text),
            (Self::Cidr(block), Json::String(text)) => {
                text.parse::<IpAddr>().is_ok_and(|address| block.contains(&address))
            }
            _ => false,
        }
    }
}

impl Comparison {
    fn read(name: &str) -> Option<Self> {
        Some(match name {
            "=" => Self::Equal,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterOrEqual,
            _ => return None,
        })
    }

    fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Self::Equal => value.total_cmp(&bound).is_eq(),
            Self::Less => value < bound,
            Self::LessOrEqual => value <= bound,
            Self::Greater => value > bound,
            Self::GreaterOrEqual => value >= bound,
        }
    }
}

fn at(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!(" at {path}") }
}

/// Returns the objects of `$or`, or `None` if `$or` is the name of a field here: Event Ruler wants
/// two objects or more, without operators.
fn alternatives(value: &Json) -> Option<Vec<&Map<String, Json>>> {
    let objects: Vec<_> = value.as_array()?.iter().map(Json::as_object).collect::<Option<_>>()?;
    let has_operator =
        |object: &&Map<String, Json>| object.keys().any(|key| OPERATORS.contains(&key.as_str()));
    (objects.len() >= 2 && !objects.iter().any(has_operator)).then_some(objects)
}

fn is_container(value: &Json) -> bool {
    value.is_object() || value.is_array()
}

/// Adds the values of a field: of an array, those of all its elements. An object is no value.
fn leaves<'v>(value: Option<&'v Json>, values: &mut Vec<&'v Json>) {
    match value {
        None | Some(Json::Object(_)) => {}
        Some(Json::Array(elements)) => {
            for element in elements {
                leaves(Some(element), values);
            }
        }
        Some(value) => values.push(value),
    }
}

fn only_member(object: &Map<String, Json>) -> Option<(&str, &Json)> {
    let (name, value) = object.iter().next().filter(|_| object.len() == 1)?;
    Some((name.as_str(), value))
}

fn text(operator: &str, argument: &Json) -> anyhow::Result<String> {
    let text = argument.as_str().with_context(|| format!("{operator} takes a text"))?;
    Ok(text.to_owned())
}

fn number(value: &Json) -> anyhow::Result<f64> {
    // Not -0, which is another number in a total order.
    value.as_f64().map(|number| number + 0.0).context("not a number")
}

/// Reads the argument of `prefix` or `suffix` if it is `{"equals-ignore-case": …}`.
fn ignoring_case(argument: &Json) -> Option<String> {
    let (name, text) = only_member(argument.as_object()?)?;
    (name == "equals-ignore-case").then(|| text.as_str().map(str::to_lowercase))?
}

/// Reads the argument of `anything-but`: a text or a number, a list of them, or one of four
/// operators with a text or a list of texts.
fn anything_but(argument: &Json) -> anyhow::Result<Vec<Match>> {
    const ALLOWED: [&str; 4] = ["prefix", "suffix", "equals-ignore-case", "wildcard"];
    if let Json::Object(object) = argument {
        let (name, argument) = only_member(object).context("expected one operator in an object")?;
        ensure!(ALLOWED.contains(&name), "anything-but takes no {name}");
        return list(argument)?.iter().map(|argument| Match::read(name, argument)).collect();
    }
    let values = list(argument)?;
    let is_uniform = values.iter().all(Json::is_string) || values.iter().all(Json::is_number);
    ensure!(is_uniform, "anything-but takes texts or numbers, not both");
    values.iter().map(Match::exactly).collect()
}

fn list(argument: &Json) -> anyhow::Result<&[Json]> {
    match argument {
        Json::Array(values) => {
            ensure!(!values.is_empty(), "an empty list");
            Ok(values)
        }
        value => Ok(std::slice::from_ref(value)),
    }
}

/// Reads the argument of `numeric`: an operator and a number, or a lower and an upper bound.
fn comparisons(argument: &Json) -> anyhow::Result<Vec<(Comparison, f64)>> {
    let terms = argument.as_array().context("numeric takes a list")?;
    let (pairs, rest) = terms.as_chunks::<2>();
    ensure!(
        rest.is_empty() && (1..=2).contains(&pairs.len()),
        "numeric takes one or two comparisons, each an operator and a number"
    );
    let read = |[name, bound]: &[Json; 2]| {
        let comparison = name.as_str().and_then(Comparison::read);
        let comparison = comparison.with_context(|| format!("unknown comparison {name}"))?;
        Ok((comparison, number(bound).with_context(|| format!("{name} takes a number"))?))
    };
    let comparisons = pairs.iter().map(read).collect::<anyhow::Result<Vec<_>>>()?;
    let is_range = match comparisons.as_slice() {
        [(lower, from), (upper, to)] => {
            matches!(lower, Comparison::Greater | Comparison::GreaterOrEqual)
                && matches!(upper, Comparison::Less | Comparison::LessOrEqual)
                && from < to
        }
        _ => true,
    };
    ensure!(is_range, "a range of numeric has a lower bound and then an upper bound");
    Ok(comparisons)
}

/// Splits a wildcard at its asterisks. A backslash makes an asterisk or a backslash plain.
fn wildcard(text: &str) -> anyhow::Result<Vec<String>> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    let mut after_asterisk = false;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        let is_asterisk = letter == '*';
        ensure!(!(is_asterisk && after_asterisk), "two asterisks in a row in the wildcard {text}");
        after_asterisk = is_asterisk;
        match letter {
            '*' => pieces.push(std::mem::take(&mut piece)),
            '\\' => match letters.next() {
                Some(plain @ ('*' | '\\')) => piece.push(plain),
                _ => bail!("a backslash before no asterisk or backslash in the wildcard {text}"),
            },
            letter => piece.push(letter),
        }
    }
    pieces.push(piece);
    Ok(pieces)
}

/// Tells whether a text has these pieces in their order, the first one at its beginning and the last
/// one at its end.
fn fits(pieces: &[String], text: &str) -> bool {
    let Some((first, rest)) = pieces.split_first() else { return false };
    let Some(mut text) = text.strip_prefix(first.as_str()) else { return false };
    let Some((last, between)) = rest.split_last() else { return text.is_empty() };
    for piece in between {
        match text.split_once(piece.as_str()) {
            Some((_, after)) => text = after,
            None => return false,
        }
    }
    text.ends_with(last.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn takes(pattern: &Json, event: &Json) -> bool {
        Pattern::new(pattern.clone()).unwrap().takes(event)
    }

    /// Each row: a pattern, the events that it takes, and those that it does not take.
    fn check(table: &[(Json, &[Json], &[Json])]) {
        for (pattern, taken, others) in table {
            for event in *taken {
                assert!(takes(pattern, event), "{pattern} must take {event}");
            }
            for event in *others {
                assert!(!takes(pattern, event), "{pattern} must not take {event}");
            }
        }
    }

    /// The event of the page "Creating Amazon EventBridge event patterns".
    fn terminated() -> Json {
        json!({
            "version": "0",
            "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
            "detail-type": "EC2 Instance State-change Notification",
            "source": "aws.ec2",
            "account": "111122223333",
            "time": "2017-12-22T18:43:48Z",
            "region": "us-west-1",
            "resources": ["arn:aws:ec2:us-west-1:123456789012:instance/i-1234567890abcdef0"],
            "detail": { "instance-id": "i-1234567890abcdef0", "state": "terminated" }
        })
    }

    #[test]
    fn every_field_of_the_pattern_must_match_one_of_its_values() {
        let event = terminated();
        for (pattern, expected) in [
            (json!({"source": ["aws.ec2"]}), true),
            (
                json!({
                    "source": ["aws.ec2"],
                    "detail-type": ["EC2 Instance State-change Notification"],
                    "detail": {"state": ["terminated"]}
                }),
                true,
            ),
            (json!({"detail": {"state": ["running", "terminated"]}}), true),
            (json!({"detail": {"state": ["running"]}}), false),
            (json!({"source": ["aws.ec2"], "detail": {"state": ["running"]}}), false),
            (json!({"Source": ["aws.ec2"]}), false),
            (json!({"source": ["AWS.ec2"]}), false),
            (json!({"detail": {"state": {"name": ["terminated"]}}}), false),
            (json!({"detail": ["terminated"]}), false),
            (
                json!({"resources": [
                    "arn:aws:ec2:us-west-1:123456789012:instance/i-1234567890abcdef0", "other"
                ]}),
                true,
            ),
            (json!({"resources": ["other"]}), false),
        ] {
            assert_eq!(takes(&pattern, &event), expected, "{pattern}");
        }
    }

    #[test]
    fn the_operators_match_as_documented() {
        check(&[
            (
                json!({"time": [{"prefix": "2017-10-02"}]}),
                &[json!({"time": "2017-10-02T18:43:48Z"})],
                &[json!({"time": "2017-10-03T18:43:48Z"}), json!({"time": 2017}), json!({})],
            ),
            (
                json!({"service": [{"prefix": {"equals-ignore-case": "EventB"}}]}),
                &[json!({"service": "EVENTBridge"}), json!({"service": "eventb"})],
                &[json!({"service": "event"})],
            ),
            (
                json!({"FileName": [{"suffix": ".png"}]}),
                &[json!({"FileName": "a.png"})],
                &[json!({"FileName": "a.PNG"}), json!({"FileName": "a.png.gz"})],
            ),
            (
                json!({"FileName": [{"suffix": {"equals-ignore-case": ".png"}}]}),
                &[json!({"FileName": "a.png"}), json!({"FileName": "a.PNG"})],
                &[json!({"FileName": "a.jpg"})],
            ),
            (
                json!({"detail-type": [{"equals-ignore-case":
                    "ec2 instance state-change notification"}]}),
                &[json!({"detail-type": "EC2 Instance State-change Notification"})],
                &[json!({"detail-type": "EC2 Instance State-change Notifications"})],
            ),
            (
                json!({"source-ip": [{"cidr": "10.0.0.0/24"}]}),
                &[json!({"source-ip": "10.0.0.255"})],
                &[json!({"source-ip": "10.0.1.0"}), json!({"source-ip": "a text"})],
            ),
            (
                json!({"source-ip": [{"cidr": "2001:db8::/32"}]}),
                &[json!({"source-ip": "2001:db8::1"})],
                &[json!({"source-ip": "2001:db9::1"}), json!({"source-ip": "10.0.0.1"})],
            ),
            (
                json!({"LastName": [""]}),
                &[json!({"LastName": ""})],
                &[json!({"LastName": null}), json!({})],
            ),
            (
                json!({"UserID": [null]}),
                &[json!({"UserID": null})],
                &[json!({"UserID": ""}), json!({"UserID": "null"}), json!({})],
            ),
            (
                json!({"ok": [true]}),
                &[json!({"ok": true}), json!({"ok": [false, true]})],
                &[json!({"ok": false}), json!({"ok": "true"})],
            ),
            (json!({"a": [{"exact": "x"}]}), &[json!({"a": "x"})], &[json!({"a": "X"})]),
        ]);
    }

    #[test]
    fn anything_but_takes_values_that_exist_and_differ() {
        check(&[
            (
                json!({"state": [{"anything-but": "initializing"}]}),
                &[json!({"state": "running"}), json!({"state": 1}), json!({"state": null})],
                &[json!({"state": "initializing"}), json!({})],
            ),
            (
                json!({"x-limit": [{"anything-but": 123}]}),
                &[json!({"x-limit": 124}), json!({"x-limit": "123"})],
                &[json!({"x-limit": 123}), json!({"x-limit": 123.0})],
            ),
            (
                json!({"state": [{"anything-but": ["stopped", "overloaded"]}]}),
                &[json!({"state": "running"}), json!({"state": ["stopped", "running"]})],
                &[json!({"state": "stopped"}), json!({"state": ["stopped", "overloaded"]})],
            ),
            (
                json!({"x-limit": [{"anything-but": [100, 200, 300]}]}),
                &[json!({"x-limit": 150})],
                &[json!({"x-limit": 200})],
            ),
            (
                json!({"state": [{"anything-but": {"prefix": "init"}}]}),
                &[json!({"state": "running"})],
                &[json!({"state": "initializing"})],
            ),
            (
                json!({"FileName": [{"anything-but": {"suffix": [".png", ".jpg"]}}]}),
                &[json!({"FileName": "a.gif"})],
                &[json!({"FileName": "a.png"}), json!({"FileName": "a.jpg"})],
            ),
            (
                json!({"state": [{"anything-but": {"equals-ignore-case":
                    ["initializing", "stopped"]}}]}),
                &[json!({"state": "running"})],
                &[json!({"state": "INITIALIZING"}), json!({"state": "Stopped"})],
            ),
            (
                json!({"FilePath": [{"anything-but": {"wildcard": ["*/lib/*", "*/bin/*"]}}]}),
                &[json!({"FilePath": "/etc/x"})],
                &[json!({"FilePath": "/usr/lib/x"}), json!({"FilePath": "/usr/bin/x"})],
            ),
        ]);
    }

    #[test]
    fn numbers_are_compared_by_their_value() {
        check(&[
            (
                json!({"c-count": [{"numeric": [">", 0, "<=", 5]}]}),
                &[json!({"c-count": 5}), json!({"c-count": 0.001})],
                &[json!({"c-count": 0}), json!({"c-count": 5.001}), json!({"c-count": "3"})],
            ),
            (
                json!({"d-count": [{"numeric": ["<", 10]}]}),
                &[json!({"d-count": -5e9}), json!({"d-count": 9})],
                &[json!({"d-count": 10}), json!({})],
            ),
            (
                json!({"x-limit": [{"numeric": ["=", 3.018e2]}]}),
                &[json!({"x-limit": 301.8})],
                &[json!({"x-limit": 301.81})],
            ),
            (
                json!({"n": [{"numeric": [">=", 2]}]}),
                &[json!({"n": 2}), json!({"n": [1, 3]})],
                &[json!({"n": 1})],
            ),
            (
                json!({"n": [300, 0]}),
                &[json!({"n": 300}), json!({"n": 300.0}), json!({"n": -0.0})],
                &[json!({"n": "300"}), json!({"n": 301})],
            ),
        ]);
    }

    #[test]
    fn a_wildcard_takes_any_text_for_an_asterisk() {
        let cases = [
            ("dir/*.png", "dir/a.png", true),
            ("dir/*.png", "dir/.png", true),
            ("dir/*.png", "dir/a.png.gz", false),
            ("*dir/*/end*", "x/dir/a/b/end", true),
            ("*dir/*/end*", "x/dir/end", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("*a*", "bab", true),
            ("*", "", true),
            ("plain", "plain", true),
            ("plain", "plainer", false),
            (r"Ends with asterisk\*", "Ends with asterisk*", true),
            (r"Ends with asterisk\*", "Ends with asterisk and more", false),
            (r"C:\\*", r"C:\dir", true),
            ("*é*", "café au lait", true),
        ];
        for (wildcard, text, expected) in cases {
            let pattern = json!({"a": [{"wildcard": wildcard}]});
            assert_eq!(takes(&pattern, &json!({"a": text})), expected, "{wildcard} {text}");
        }
    }

    #[test]
    fn exists_looks_at_values_and_not_at_objects() {
        let exists = |flag: bool| json!({"detail": {"c-count": [{"exists": flag}]}});
        check(&[
            (
                exists(true),
                &[json!({"detail": {"c-count": 100}}), json!({"detail": {"c-count": null}})],
                &[json!({"detail": {}}), json!({"detail": {"c-count": {"c1": 100}}}), json!({})],
            ),
            (
                exists(false),
                &[
                    json!({"detail": {"state": "initializing"}}),
                    json!({"detail": {"c-count": {"c1": 100}}}),
                    json!({"detail": {"c-count": []}}),
                    json!({"detail": "a text"}),
                    json!({}),
                ],
                &[json!({"detail": {"c-count": 100}}), json!({"detail": {"c-count": [null]}})],
            ),
            (
                json!({"detail": {"c-count": [{"exists": false}, 3]}}),
                &[json!({"detail": {}}), json!({"detail": {"c-count": 3}})],
                &[json!({"detail": {"c-count": 4}})],
            ),
        ]);
    }

    #[test]
    fn one_object_of_or_must_match() {
        let pattern = json!({
            "source": ["aws.cloudwatch"],
            "$or": [
                {"metricName": ["CPUUtilization", "ReadLatency"]},
                {
                    "metricType": ["MetricType"],
                    "namespace": ["AWS/EC2", "AWS/ES"],
                    "$or": [{"metricId": [1234]}, {"spaceId": [1000]}]
                },
                {"detail": {"scope": [{"prefix": "Serv"}]}}
            ]
        });
        let event = |more: Json| {
            let mut event = json!({"source": "aws.cloudwatch"});
            let members = event.as_object_mut().unwrap();
            members.extend(more.as_object().unwrap().clone());
            event
        };
        check(&[(
            pattern,
            &[
                event(json!({"metricName": "ReadLatency"})),
                event(json!({"metricType": "MetricType", "namespace": "AWS/ES", "spaceId": 1000})),
                event(json!({"detail": {"scope": "Service"}})),
            ],
            &[
                event(json!({})),
                event(json!({"metricType": "MetricType", "namespace": "AWS/ES", "spaceId": 1})),
                event(json!({"metricType": "MetricType", "spaceId": 1000})),
                json!({"source": "aws.s3", "metricName": "ReadLatency"}),
            ],
        )]);
        // Two $or at different depths both count.
        let parallel = json!({
            "$or": [{"a": [1]}, {"b": [1]}],
            "detail": {"$or": [{"c": [1]}, {"d": [1]}]}
        });
        check(&[(
            parallel,
            &[json!({"b": 1, "detail": {"c": 1}})],
            &[json!({"b": 1, "detail": {"e": 1}}), json!({"detail": {"c": 1}})],
        )]);
        // A field can have this name.
        check(&[(
            json!({"$or": {"a": ["x"]}}),
            &[json!({"$or": {"a": "x"}})],
            &[json!({"a": "x"})],
        )]);
    }

    #[test]
    fn fields_match_in_one_element_of_an_array() {
        let event = json!({"employees": [
            {"firstName": "John", "lastName": "Doe"},
            [{"firstName": "Anna", "lastName": "Smith"}],
            {"firstName": "Peter", "lastName": "Jones"}
        ]});
        for (pattern, expected) in [
            (json!({"employees": {"firstName": ["Anna"]}}), true),
            (json!({"employees": {"firstName": ["Anna"], "lastName": ["Smith"]}}), true),
            (json!({"employees": {"firstName": ["Anna"], "lastName": ["Jones"]}}), false),
            (json!({"employees": {"firstName": ["Anna"], "age": [{"exists": false}]}}), true),
            (json!({"employees": {"firstName": [{"exists": false}]}}), false),
            (json!({"employees": {"age": [{"exists": false}]}}), true),
        ] {
            assert_eq!(takes(&pattern, &event), expected, "{pattern}");
        }
    }

    #[test]
    fn the_example_of_all_operators_takes_its_event() {
        let pattern = json!({
            "time": [{"prefix": "2017-10-02"}],
            "detail": {
                "state": [{"anything-but": "initializing"}],
                "c-count": [{"numeric": [">", 0, "<=", 5]}],
                "d-count": [{"numeric": ["<", 10]}],
                "x-limit": [{"anything-but": [100, 200, 300]}],
                "source-ip": [{"cidr": "10.0.0.0/8"}]
            }
        });
        let detail = json!({"state": "running", "c-count": 5, "d-count": 9, "x-limit": 301.8,
            "source-ip": "10.0.0.33"});
        let event = json!({"time": "2017-10-02T18:43:48Z", "detail": detail});
        assert!(takes(&pattern, &event));
        for (field, value) in
            [("state", json!("initializing")), ("c-count", json!(6)), ("d-count", Json::Null)]
        {
            let mut event = event.clone();
            event["detail"][field] = value;
            assert!(!takes(&pattern, &event), "{event}");
        }
    }

    #[test]
    fn a_mistake_is_told_with_its_place() {
        for (pattern, expected) in [
            ("{", "the event pattern is not JSON: "),
            ("[]", "the event pattern is not an object"),
            ("{}", "an empty object in the event pattern"),
            (r#"{"a":"x"}"#, "neither a list nor an object in the event pattern at a"),
            (r#"{"a":{"b":[]}}"#, "an empty list in the event pattern at a.b"),
            (r#"{"a":{"b":{}}}"#, "an empty object in the event pattern at a.b"),
            (r#"{"a":[["x"]]}"#, "a mistake at a: a list in a list"),
            (r#"{"a":[{"prefix":"x","suffix":"y"}]}"#, "expected one operator in an object"),
            (r#"{"a":[{"begins":"x"}]}"#, "unknown operator begins"),
            (r#"{"a":[{"prefix":1}]}"#, "prefix takes a text"),
            (r#"{"a":[{"exists":"yes"}]}"#, "exists takes true or false"),
            (r#"{"a":[{"anything-but":["x",1]}]}"#, "anything-but takes texts or numbers"),
            (r#"{"a":[{"anything-but":true}]}"#, "anything-but takes texts or numbers"),
            (r#"{"a":[{"anything-but":[]}]}"#, "an empty list"),
            (r#"{"a":[{"anything-but":{"cidr":"10.0.0.0/8"}}]}"#, "anything-but takes no cidr"),
            (r#"{"a":[{"numeric":[">"]}]}"#, "numeric takes one or two comparisons"),
            (r#"{"a":[{"numeric":["!",1]}]}"#, "unknown comparison \"!\""),
            (r#"{"a":[{"numeric":["<","1"]}]}"#, "\"<\" takes a number"),
            (r#"{"a":[{"numeric":["<",1,">",0]}]}"#, "a range of numeric has a lower bound"),
            (r#"{"a":[{"cidr":"10.0.0.0"}]}"#, "no CIDR block: 10.0.0.0"),
            (r#"{"a":[{"wildcard":"a**b"}]}"#, "two asterisks in a row in the wildcard a**b"),
            (r#"{"a":[{"wildcard":"a\\b"}]}"#, "a backslash before no asterisk or backslash"),
        ] {
            let message = format!("{:#}", Pattern::parse(pattern).unwrap_err());
            assert!(message.contains(expected), "{pattern}: {message}");
        }
    }
}
