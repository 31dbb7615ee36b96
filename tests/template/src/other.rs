//! The template of another team: its rules on the bus of this project, and their targets.
//!
//! The reader takes any template of `CloudFormation` and SAM. What it does not know, it leaves out,
//! and says so in a note.

#[cfg(test)]
mod tests;
mod values;

use crate::arn;
use crate::resolve::{references, text};
use crate::{EventBus, document};
use anyhow::{Context, ensure};
use serde_json::{Map, Value as Json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;
use values::Values;

/// The types of resources whose SAM events can be rules.
const WITH_EVENTS: [&str; 2] = ["AWS::Serverless::Function", "AWS::Serverless::StateMachine"];

/// The names of the SAM event of a rule.
const RULE_EVENTS: [&str; 2] = ["EventBridgeRule", "CloudWatchEvent"];

/// The rules of another team's template, and the queues that they deliver to.
#[derive(Debug, Clone, Default)]
pub struct OtherTemplate {
    /// The rules on the buses of this project.
    pub rules: Vec<Rule>,
    /// The queues of the template, and a queue for each target that cannot run here.
    pub queues: Vec<Queue>,
    /// What the reader left out, in sentences without a period.
    pub notes: Vec<String>,
}

/// A rule with an event pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The logical id, or `FUNCTION.EVENT` of a SAM event.
    pub name: String,
    /// The name of its bus; `None` if the template does not tell it.
    pub bus: Option<String>,
    pub pattern: Json,
    pub targets: Vec<Target>,
}

/// A target of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub id: String,
    /// The name of the queue that gets the events.
    pub queue: String,
    pub input: Input,
}

/// What a target gets of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    Event,
    /// The part of the event that a path such as `$.detail` names.
    Path(String),
    /// This text instead of the event.
    Constant(String),
    /// A text with variables, such as `{"user": <user>}`, and the path of each variable.
    Transformed {
        template: String,
        paths: BTreeMap<String, String>,
    },
}

/// A queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    pub name: String,
    pub visibility_timeout: Duration,
    /// The time after which a new message becomes visible.
    pub delay: Duration,
    /// The time after which a message is deleted.
    pub retention: Duration,
    /// How long a request for messages waits if it does not say so.
    pub wait: Duration,
    pub redrive: Option<Redrive>,
}

/// Where messages go that were received too often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redrive {
    /// The name of the dead letter queue.
    pub queue: String,
    /// How often a message is received before it goes there.
    pub after: u32,
}

impl Queue {
    /// Returns a queue with the defaults of SQS.
    #[must_use]
    pub const fn new(name: String) -> Self {
        Self {
            name,
            visibility_timeout: Duration::from_secs(30),
            delay: Duration::ZERO,
            retention: Duration::from_hours(96),
            wait: Duration::ZERO,
            redrive: None,
        }
    }

    /// Returns the ARN.
    #[must_use]
    pub fn arn(&self) -> String {
        arn::queue(&self.name)
    }
}

impl OtherTemplate {
    /// Reads a file. `buses` are those of this project.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is not a template, or has no rule on one of the buses.
    pub fn load(path: &Path, buses: &[EventBus]) -> anyhow::Result<Self> {
        let failed = || format!("failed to read the template {}", path.display());
        let content = std::fs::read_to_string(path).with_context(failed)?;
        Self::parse(&content, &stack_name(path), buses).with_context(failed)
    }

    /// Reads a template from its text. Its stack has this name.
    fn parse(content: &str, stack: &str, buses: &[EventBus]) -> anyhow::Result<Self> {
        let yaml = yaml_serde::from_str(content).context("not valid YAML or JSON")?;
        let document = document::plain_of_any(&yaml)?;
        let resources = document.get("Resources").and_then(Json::as_object);
        let resources = resources.context("it has no Resources")?;
        let values = Values::new(&document, stack);
        let mut reader = Reader { values, buses, resources, found: Self::default() };
        reader.read();
        let found = reader.found;
        ensure!(
            !found.rules.is_empty(),
            "it has no rule that takes events of this project: {}",
            if found.notes.is_empty() { "no rule at all".into() } else { found.notes.join("; ") }
        );
        Ok(found)
    }
}

/// Returns the name of the stack of a file: that of the file, or of its folder if the file has the
/// usual name. Names of queues begin with it.
fn stack_name(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let file = path.file_stem().unwrap_or_default();
    let folder = path.parent().and_then(Path::file_name).unwrap_or_default();
    let name = if file == "template" && !folder.is_empty() { folder } else { file };
    let allowed = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
    name.to_string_lossy().chars().map(allowed).collect()
}

/// A reader of one template, and what it has found.
struct Reader<'d> {
    values: Values<'d>,
    buses: &'d [EventBus],
    resources: &'d Map<String, Json>,
    found: OtherTemplate,
}

/// A rule as it is declared, by itself or as an event of a function.
struct Declared<'d> {
    name: String,
    properties: &'d Json,
    pattern: &'d str,
}

impl<'d> Reader<'d> {
    fn read(&mut self) {
        self.read_queues();
        for (id, resource) in self.existing() {
            let properties = resource.get("Properties").unwrap_or(&Json::Null);
            if kind(resource) == "AWS::Events::Rule" {
                let rule = Declared { name: id.clone(), properties, pattern: "EventPattern" };
                if let Some((bus, pattern)) = self.rule(&rule) {
                    let targets = self.targets(id, properties);
                    self.found.rules.push(Rule { name: id.clone(), bus, pattern, targets });
                }
            } else if WITH_EVENTS.contains(&kind(resource)) {
                self.read_events(id, properties);
            }
        }
        self.read_queue_policies();
    }

    /// Returns the resources whose condition holds, or has no value here.
    fn existing(&self) -> Vec<(&'d String, &'d Json)> {
        let resources: &'d Map<String, Json> = self.resources;
        let exists = |resource: &Json| {
            let condition = resource.get("Condition").and_then(Json::as_str);
            condition.is_none_or(|name| self.values.condition(name).unwrap_or(true))
        };
        resources.iter().filter(|(_, resource)| exists(resource)).collect()
    }

    fn note(&mut self, sentence: String) {
        self.found.notes.push(sentence);
    }

    fn read_queues(&mut self) {
        let declared: BTreeMap<String, &Json> = (self.existing().into_iter())
            .filter(|(_, resource)| kind(resource) == "AWS::SQS::Queue")
            .map(|(id, resource)| (id.clone(), resource.get("Properties").unwrap_or(&Json::Null)))
            .collect();
        let arns: BTreeMap<_, _> = declared
            .keys()
            .map(|id| self.values.name(id))
            .map(|it| (arn::queue(&it), it))
            .collect();
        for (id, properties) in declared {
            let mut queue = Queue::new(self.values.name(&id));
            let seconds = |name: &str, default: Duration| {
                let value = properties.get(name).and_then(|value| self.values.number(value));
                value.map_or(default, Duration::from_secs)
            };
            queue.visibility_timeout = seconds("VisibilityTimeout", queue.visibility_timeout);
            queue.delay = seconds("DelaySeconds", queue.delay);
            queue.retention = seconds("MessageRetentionPeriod", queue.retention);
            queue.wait = seconds("ReceiveMessageWaitTimeSeconds", queue.wait);
            if properties.get("FifoQueue").is_some() {
                self.note(format!(
                    "the queue {} is served without the order and the deduplication of a FIFO queue",
                    queue.name
                ));
            }
            if let Some(policy) = properties.get("RedrivePolicy") {
                let letters = policy.get("deadLetterTargetArn");
                let letters = letters.and_then(|arn| self.values.text(arn).ok());
                let letters = letters.and_then(|arn| arns.get(&arn).cloned());
                let after = policy.get("maxReceiveCount");
                let after = after.and_then(|count| self.values.number(count));
                match (letters, after.map(u32::try_from)) {
                    (Some(letters), Some(Ok(after))) if after > 0 => {
                        queue.redrive = Some(Redrive { queue: letters, after });
                    }
                    _ => self.note(format!(
                        "the queue {} has no dead letter queue here: its RedrivePolicy names no queue of \
                         the template, or no maxReceiveCount",
                        queue.name
                    )),
                }
            }
            self.found.queues.push(queue);
        }
    }

    /// Returns the bus and the pattern of a rule that takes events of this project.
    fn rule(&mut self, rule: &Declared<'_>) -> Option<(Option<String>, Json)> {
        let Declared { name, properties, pattern: key } = rule;
        // A rule with a schedule alone has no pattern.
        let pattern = properties.get(*key)?;
        if properties.get("State").and_then(Json::as_str) == Some("DISABLED") {
            self.note(format!("the rule {name} is left out: it is disabled"));
            return None;
        }
        let Some(bus) = properties.get("EventBusName") else {
            self.note(format!("the rule {name} is left out: it is on the default bus"));
            return None;
        };
        // A bus that the template does not tell is given when it is deployed.
        let bus = self.values.text(bus).ok();
        let bus = bus.map(|bus| match bus.split_once(":event-bus/") {
            Some((_, name)) => name.to_owned(),
            None => bus,
        });
        if let Some(bus) = &bus
            && !self.buses.iter().any(|own| own.name == *bus)
        {
            self.note(format!("the rule {name} is left out: it is on another bus, {bus}"));
            return None;
        }
        let resolved = match self.values.resolve(pattern) {
            Ok(Some(Json::String(text))) => serde_json::from_str(&text).ok(),
            Ok(pattern) => pattern,
            Err(problem) => {
                self.note(format!(
                    "the rule {name} is left out: its pattern has no value here, because of {problem:#}"
                ));
                return None;
            }
        };
        let Some(pattern) = resolved else {
            self.note(format!("the rule {name} is left out: its pattern is not JSON"));
            return None;
        };
        Some((bus, pattern))
    }

    fn targets(&mut self, rule: &str, properties: &Json) -> Vec<Target> {
        let declared = properties.get("Targets").and_then(Json::as_array).into_iter().flatten();
        let mut targets = Vec::new();
        for (index, target) in declared.enumerate() {
            let id = target.get("Id").and_then(|id| self.values.text(id).ok());
            let id = id.unwrap_or_else(|| index.to_string());
            let arn = target.get("Arn").and_then(|arn| self.values.text(arn).ok());
            let arn = arn.unwrap_or_default();
            let known = self.found.queues.iter().find(|queue| queue.arn() == arn);
            let known = known.map(|queue| queue.name.clone());
            let queue = known.unwrap_or_else(|| {
                let name = match arn.split_once(":function:") {
                    Some((_, function)) => function.to_owned(),
                    None => self.values.in_stack(&[rule, &id]),
                };
                self.stand_in(&name, &format!("the target {id} of the rule {rule}"))
            });
            let input = self.input(&format!("{id} of the rule {rule}"), target);
            targets.push(Target { id, queue, input });
        }
        targets
    }

    /// Adds a queue for a target that cannot run here, and returns its name.
    fn stand_in(&mut self, name: &str, what: &str) -> String {
        if !self.found.queues.iter().any(|queue| queue.name == name) {
            self.note(format!(
                "{what} does not run here: read the events from the queue {name}, which takes its place"
            ));
            self.found.queues.push(Queue::new(name.to_owned()));
        }
        name.to_owned()
    }

    fn input(&mut self, target: &str, properties: &Json) -> Input {
        let input = |name: &str| {
            let value = properties.get(name)?;
            self.values.resolve(value).ok().flatten()
        };
        let as_text = |value: Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if let Some(path) = input("InputPath") {
            return Input::Path(as_text(path));
        }
        if let Some(constant) = input("Input") {
            return Input::Constant(as_text(constant));
        }
        if properties.get("InputTransformer").is_none() {
            return Input::Event;
        }
        let transformer = input("InputTransformer").unwrap_or_default();
        let Some(template) = transformer.get("InputTemplate").cloned().map(as_text) else {
            self.note(format!(
                "the target {target} gets whole events: its InputTransformer has no value here"
            ));
            return Input::Event;
        };
        let paths = transformer.get("InputPathsMap").and_then(Json::as_object);
        let paths = paths.into_iter().flatten();
        let paths = paths.filter_map(|(name, path)| Some((name.clone(), text(path)?))).collect();
        Input::Transformed { template, paths }
    }

    /// Reads the events of a function. Its code does not run, so a queue takes its place.
    fn read_events(&mut self, id: &str, properties: &Json) {
        let events = properties.get("Events").and_then(Json::as_object).into_iter().flatten();
        for (event_id, event) in events {
            let kind = kind(event);
            let properties = event.get("Properties").unwrap_or(&Json::Null);
            if kind == "SQS" {
                let queue = properties.get("Queue").and_then(|arn| self.values.text(arn).ok());
                let queue = queue.and_then(|arn| {
                    let queue = self.found.queues.iter().find(|queue| queue.arn() == arn)?;
                    Some(queue.name.clone())
                });
                if let Some(queue) = queue {
                    self.note(format!(
                        "the function {id} does not run here: read the queue {queue} instead of it"
                    ));
                }
            }
            if !RULE_EVENTS.contains(&kind) {
                continue;
            }
            let name = format!("{id}.{event_id}");
            let rule = Declared { name: name.clone(), properties, pattern: "Pattern" };
            if let Some((bus, pattern)) = self.rule(&rule) {
                let function = self.values.name(id);
                let queue = self.stand_in(&function, &format!("the function {id}"));
                let input = self.input(&name, properties);
                let targets = vec![Target { id: id.to_owned(), queue, input }];
                self.found.rules.push(Rule { name, bus, pattern, targets });
            }
        }
    }

    /// Notes the queues that EventBridge may not send to on AWS.
    fn read_queue_policies(&mut self) {
        let policies = self.existing().into_iter();
        let policies = policies.filter(|(_, resource)| kind(resource) == "AWS::SQS::QueuePolicy");
        let with_policy: BTreeSet<String> = policies
            .filter_map(|(_, resource)| resource.pointer("/Properties/Queues"))
            .flat_map(references)
            .map(|id| self.values.name(&id))
            .collect();
        let declared: BTreeSet<String> = (self.existing().into_iter())
            .filter(|(_, resource)| kind(resource) == "AWS::SQS::Queue")
            .map(|(id, _)| self.values.name(id))
            .collect();
        let targets = self.found.rules.iter().flat_map(|rule| &rule.targets);
        let targets: BTreeSet<String> = targets.map(|target| target.queue.clone()).collect();
        for queue in targets.intersection(&declared).filter(|queue| !with_policy.contains(*queue)) {
            self.found.notes.push(format!(
                "the queue {queue} has no AWS::SQS::QueuePolicy: on AWS, EventBridge may not send to it"
            ));
        }
    }
}

fn kind(resource: &Json) -> &str {
    resource.get("Type").and_then(Json::as_str).unwrap_or_default()
}
