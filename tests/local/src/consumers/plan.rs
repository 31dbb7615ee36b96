//! The consumers that the options name.

use super::pattern::Pattern;
use super::{Consumer, Place};
use crate::options::Options;
use anyhow::{Context, anyhow, bail, ensure};
use reqwest::Url;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Mutex;
use template::{EventBus, Input, OtherTemplate, Queue};

/// The consumers and queues of a stack, before it starts.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(super) consumers: Vec<Consumer>,
    pub(super) queues: Vec<Queue>,
    /// What a developer must know about them.
    pub(super) notes: Vec<String>,
}

/// A consumer that gets events by HTTP, in the form `URL[=PATTERN]`: the pattern, which is an event
/// pattern of EventBridge, begins at the first `={`.
#[derive(Debug, Clone)]
pub struct WebConsumer {
    url: Url,
    pattern: Option<Json>,
}

impl FromStr for WebConsumer {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        // The command line shows an error without its causes.
        Self::read(text).map_err(|error| anyhow!("{error:#}"))
    }
}

impl WebConsumer {
    fn read(text: &str) -> anyhow::Result<Self> {
        let start = text.find("={");
        let (url, pattern) = match start.and_then(|start| text.split_at_checked(start)) {
            Some((url, pattern)) => (url, pattern.strip_prefix('=')),
            None => (text, None),
        };
        let url: Url = url.parse().with_context(|| format!("{url} is not a URL"))?;
        match url.scheme() {
            "http" => {}
            "https" => {
                bail!("the local stack speaks no TLS; expected a URL that begins with http://")
            }
            _ => bail!("expected a URL that begins with http://"),
        }
        let pattern = pattern.map(Pattern::parse).transpose()?;
        Ok(Self { url, pattern: pattern.map(|pattern| pattern.text().clone()) })
    }
}

impl Plan {
    /// Reads what the options name. `buses` are those of the stack.
    pub(crate) fn read(options: &Options, buses: &[EventBus]) -> anyhow::Result<Self> {
        let mut plan = Self::default();
        for consumer in &options.consumers {
            let pattern = consumer.pattern.clone().map(Pattern::new).transpose()?;
            plan.consumers.push(Consumer {
                name: consumer.url.to_string(),
                rule: String::new(),
                bus: None,
                pattern,
                place: Place::Url(consumer.url.clone()),
                input: Input::Event,
                counts: Mutex::default(),
            });
        }
        let mut owners = BTreeMap::new();
        for path in &options.with {
            let other = OtherTemplate::load(path, buses)?;
            let file = path.display();
            plan.notes.extend(other.notes.iter().map(|note| format!("{file}: {note}")));
            for queue in other.queues {
                let other = owners.insert(queue.name.clone(), file.to_string());
                if let Some(other) = other {
                    bail!("the queue {} is in both {other} and {file}", queue.name);
                }
                plan.queues.push(queue);
            }
            for rule in other.rules {
                let mistake = || format!("the rule {} of {file} has a mistake", rule.name);
                let pattern = Pattern::new(rule.pattern).with_context(mistake)?;
                for target in rule.targets {
                    let name = format!("{file}: {} to {}", rule.name, target.id);
                    plan.notes.push(format!("{name}: events go to the queue {}", target.queue));
                    plan.consumers.push(Consumer {
                        name,
                        rule: rule.name.clone(),
                        bus: rule.bus.clone(),
                        pattern: Some(pattern.clone()),
                        place: Place::Queue(target.queue),
                        input: target.input,
                        counts: Mutex::default(),
                    });
                }
            }
        }
        ensure!(
            options.account.is_none() || plan.consumers.is_empty(),
            "consumers are for the local stack; in an account, EventBridge delivers"
        );
        Ok(plan)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_consumer_is_a_url_and_an_optional_pattern() {
        let read = |text: &str| {
            let consumer: WebConsumer = text.parse().unwrap();
            (consumer.url.to_string(), consumer.pattern)
        };
        let url = "http://127.0.0.1:4000/hook?key=a=b";
        assert_eq!(read(url), (url.to_owned(), None));
        let pattern = json!({"detail-type": ["UserSignedUp"]});
        assert_eq!(read(&format!("{url}={pattern}")), (url.to_owned(), Some(pattern)));
    }

    #[test]
    fn a_bad_consumer_is_refused_in_a_sentence() {
        for (text, expected) in [
            ("hook", "hook is not a URL: relative URL without a base"),
            ("http://", "http:// is not a URL: empty host"),
            ("https://example.com/", "the local stack speaks no TLS"),
            ("file:///tmp/x", "expected a URL that begins with http://"),
            (r#"http://127.0.0.1/={"source":"#, "the event pattern is not JSON: EOF"),
            (r#"http://127.0.0.1/={"source":"x"}"#, "neither a list nor an object"),
        ] {
            let message = WebConsumer::from_str(text).unwrap_err().to_string();
            assert!(message.contains(expected), "{text}: {message}");
        }
    }

    #[test]
    fn a_stack_in_an_account_has_no_consumers() {
        let consumers = vec!["http://127.0.0.1:4000/".parse().unwrap()];
        let local = Options { consumers, ..Options::default() };
        assert_eq!(Plan::read(&local, &[]).unwrap().consumers.len(), 1);
        let deployed = Options { account: Some(vec!["deploy".to_owned()]), ..local };
        let message = Plan::read(&deployed, &[]).unwrap_err().to_string();
        assert!(message.starts_with("consumers are for the local stack"), "{message}");
    }
}
