//! What `template.yaml` declares of each function, in the order of the template.

use crate::project::Project;
use anyhow::{Context as _, Result, ensure};
use std::time::Duration;
use template::{Event, Template};

/// The path of the template.
pub const TEMPLATE: &str = template::FILE;

/// The declared functions.
#[derive(Clone, Debug)]
pub struct Declarations {
    /// The functions, in the order of the template.
    pub functions: Vec<Function>,
    /// The names of the contracts, sorted.
    pub contracts: Vec<String>,
}

/// A function as the template declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// The logical id of its resource: `GotuPostOtpFunction`.
    pub id: String,
    /// The name of its binary: `gotu-post-otp`.
    pub binary: String,
    /// The contract that it belongs to: `gotu`. `None` for one that serves every contract.
    pub contract: Option<String>,
    /// The name of the product in its description: `Gotu`, or `Latchkey`.
    pub product: String,
    /// The rest of its description: `sends a one-time code`.
    pub does: String,
    /// What invokes it; of several routes, the one with the shortest path first.
    pub triggers: Vec<Trigger>,
}

/// What invokes a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// Requests for one method and path.
    Route {
        /// The method.
        method: String,
        /// The path.
        path: String,
    },
    /// Requests that no other route serves.
    EveryOtherRequest,
    /// The stream of the table with this logical id.
    Stream(String),
    /// A schedule with this period.
    Schedule(Duration),
}

impl Declarations {
    /// Reads the declarations of a project.
    ///
    /// # Errors
    ///
    /// The template cannot be read, or a function in it lacks a part; the error names both.
    pub fn of(project: &Project) -> Result<Self> {
        Self::parse(&project.read(TEMPLATE)?, project.contracts()?)
    }

    /// Reads the text of a template.
    ///
    /// # Errors
    ///
    /// The text is not a template, or a function in it lacks a part; the error names it.
    pub fn parse(text: &str, contracts: Vec<String>) -> Result<Self> {
        let template = Template::parse(text).context(TEMPLATE)?;
        let functions = template.functions.iter().map(|function| {
            Function::read(function, &template, &contracts)
                .with_context(|| format!("{TEMPLATE}: {}", function.id))
        });
        Ok(Self { functions: functions.collect::<Result<_>>()?, contracts })
    }

    /// The functions of a contract; with `None` those that serve every contract.
    pub fn of_contract<'a>(
        &'a self,
        contract: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Function> {
        self.functions.iter().filter(move |function| function.contract.as_deref() == contract)
    }
}

impl Function {
    fn read(
        declared: &template::Function,
        template: &Template,
        contracts: &[String],
    ) -> Result<Self> {
        let description = &declared.description;
        let (product, does) = description.split_once(": ").with_context(|| {
            format!("the Description must read `<Contract>: <what it does>`, not `{description}`")
        })?;
        let binary = declared.name.clone();
        let contract = contracts.iter().find(|contract| {
            binary.strip_prefix(contract.as_str()).is_some_and(|rest| rest.starts_with('-'))
        });
        let expected = contract.map_or("latchkey", String::as_str);
        ensure!(
            product.to_lowercase() == expected,
            "the Description must begin with the name of the contract, not `{product}: `",
        );
        let mut triggers: Vec<_> =
            declared.events.iter().map(|event| Trigger::of(event, template)).collect();
        // The path without a prefix first: the template's reader does not keep the order of events.
        triggers.sort_by_key(|trigger| match trigger {
            Trigger::Route { path, .. } => path.len(),
            Trigger::EveryOtherRequest | Trigger::Stream(_) | Trigger::Schedule(_) => 0,
        });
        Ok(Self {
            id: declared.id.clone(),
            contract: contract.cloned(),
            product: product.to_owned(),
            does: does.trim_end_matches('.').to_owned(),
            triggers,
            binary,
        })
    }

    /// The routes: methods and paths.
    pub fn routes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.triggers.iter().filter_map(|trigger| match trigger {
            Trigger::Route { method, path } => Some((method.as_str(), path.as_str())),
            Trigger::EveryOtherRequest | Trigger::Stream(_) | Trigger::Schedule(_) => None,
        })
    }

    /// The name of its module: `post_otp`.
    #[must_use]
    pub fn module(&self) -> String {
        let contract = self.contract.as_deref().unwrap_or_default();
        let endpoint = self.binary.strip_prefix(contract).unwrap_or(&self.binary);
        endpoint.trim_start_matches('-').replace('-', "_")
    }

    /// The path of its source below `functions/`: `gotu/post_otp.rs`.
    #[must_use]
    pub fn source(&self) -> String {
        let module = self.module();
        match &self.contract {
            Some(contract) => format!("{contract}/{module}.rs"),
            None => format!("{module}.rs"),
        }
    }
}

impl Trigger {
    fn of(event: &Event, template: &Template) -> Self {
        match event {
            Event::Route { method, path } => {
                Self::Route { method: method.clone(), path: path.clone() }
            }
            Event::DefaultRoute => Self::EveryOtherRequest,
            Event::Stream(stream) => {
                let table = template.tables.iter().find(|table| table.name == stream.table);
                Self::Stream(table.map_or(&stream.table, |table| &table.id).clone())
            }
            Event::Schedule(schedule) => Self::Schedule(schedule.period),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = include_str!("fixtures/template.yaml");

    fn read(template: &str) -> Result<Declarations> {
        Declarations::parse(template, vec!["gotu".to_owned()])
    }

    fn error(from: &str, to: &str) -> String {
        format!("{:#}", read(&SMALL.replace(from, to)).unwrap_err())
    }

    #[test]
    fn functions_are_read_in_the_order_of_the_template() {
        let functions = read(SMALL).unwrap().functions;
        let binaries: Vec<_> = functions.iter().map(|function| function.binary.as_str()).collect();
        assert_eq!(binaries, ["gotu-post-otp", "gotu-get-me", "fallback", "rotate-keys"]);
        let post_otp = &functions[0];
        assert_eq!(post_otp.contract.as_deref(), Some("gotu"));
        assert_eq!((post_otp.product.as_str(), post_otp.does.as_str()), ("Gotu", "sends a code"));
        assert_eq!(post_otp.source(), "gotu/post_otp.rs");
        let routes: Vec<_> = functions[1].routes().collect();
        assert_eq!(routes, [("GET", "/me"), ("GET", "/api/me")]);
        assert_eq!(functions[2].triggers, [Trigger::EveryOtherRequest]);
        let triggers =
            [Trigger::Stream("Outbox".to_owned()), Trigger::Schedule(Duration::from_mins(1))];
        assert_eq!(functions[3].triggers, triggers);
        assert_eq!(functions[3].source(), "rotate_keys.rs");
    }

    #[test]
    fn a_description_names_the_contract_first() {
        let said = error("Gotu: sends a code", "sends a code");
        assert!(said.contains("GotuPostOtpFunction: the Description must read"), "{said}");
        let said = error("Gotu: sends a code", "Latchkey: sends a code");
        assert!(said.contains("must begin with the name of the contract"), "{said}");
        let said = error("Latchkey: replaces keys", "Gotu: replaces keys");
        assert!(said.contains("RotateKeysFunction: the Description must begin"), "{said}");
    }
}
