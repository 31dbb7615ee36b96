//! The data, and the names that other stacks know them by.

use super::{Names, declared};
use anyhow::{Context as _, Result, bail};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use template::Template;

/// Where a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// In a variable of a function, which takes the name of a secret.
    Variable,
    /// Elsewhere: a policy needs the ARN.
    Elsewhere,
}

const ARN: &str = "arn:${AWS::Partition}";
const PLACE: &str = "${AWS::Region}:${AWS::AccountId}";

/// Whether a resource holds data.
pub(super) fn is_data(resource: &Json) -> bool {
    match resource.get("Type").and_then(Json::as_str).unwrap_or_default() {
        "AWS::SecretsManager::Secret" => {
            resource.pointer("/Properties/GenerateSecretString").is_some()
        }
        "AWS::DynamoDB::Table"
        | "AWS::Events::EventBus"
        | "AWS::Events::Archive"
        | "AWS::Events::EventBusPolicy" => true,
        _ => false,
    }
}

/// The logical ids of the data.
pub(super) fn ids(template: &Template) -> BTreeSet<String> {
    let data = declared(template).filter(|(_, resource)| is_data(resource));
    data.map(|(id, _)| id.clone()).collect()
}

/// Replaces each reference to data in a value by the name or the ARN that it has.
pub(super) fn name(value: &mut Json, template: &Template, names: &Names, place: Use) -> Result<()> {
    match value {
        Json::Array(items) => {
            for item in items {
                name(item, template, names, place)?;
            }
        }
        Json::Object(object) => {
            let text = |key: &str| object.get(key).and_then(Json::as_str).map(str::to_owned);
            let attribute = object.get("Fn::GetAtt").and_then(Json::as_array).cloned();
            let replaced = if let Some(id) = text("Ref") {
                reference(&id, template, names, place)?
            } else if let Some([Json::String(id), Json::String(attribute)]) = attribute.as_deref() {
                let known = kind(id, template).is_some();
                known.then(|| attribute_of(id, attribute, template, names)).transpose()?
            } else if let Some(pattern) = text("Fn::Sub") {
                Some(json!({ "Fn::Sub": substituted(&pattern, template, names)? }))
            } else {
                for (key, inner) in object.iter_mut() {
                    let place = if key == "Environment" { Use::Variable } else { place };
                    name(inner, template, names, place)?;
                }
                None
            };
            if let Some(replaced) = replaced {
                *value = replaced;
            }
        }
        _ => {}
    }
    Ok(())
}

/// Gives a table the name that it has after a restore.
pub(super) fn rename_table(resource: &mut Json, names: &Names) {
    let is_table = resource.get("Type").and_then(Json::as_str) == Some("AWS::DynamoDB::Table");
    let name = resource.pointer_mut("/Properties/TableName/Fn::Sub");
    if let Some(Json::String(name)) = name.filter(|_| is_table && names.tables != names.data) {
        *name = name.replace("${AWS::StackName}", &names.tables);
    }
}

/// The type of a resource of the data.
fn kind<'t>(id: &str, template: &'t Template) -> Option<&'t str> {
    let resource = template.document().get("Resources")?.get(id)?;
    resource.get("Type").filter(|_| is_data(resource))?.as_str()
}

/// The physical name of a resource of the data.
fn physical(id: &str, kind: &str, template: &Template, names: &Names) -> Result<String> {
    let (property, stack) = match kind {
        "AWS::DynamoDB::Table" => ("TableName", &names.tables),
        _ => ("Name", &names.data),
    };
    let pattern = template.document().pointer(&format!("/Resources/{id}/Properties/{property}"));
    let pattern = pattern.and_then(|name| name.get("Fn::Sub")).and_then(Json::as_str);
    let pattern = pattern.with_context(|| format!("{id} has no name made of the stack's"))?;
    Ok(pattern.replace("${AWS::StackName}", stack))
}

fn reference(id: &str, template: &Template, names: &Names, place: Use) -> Result<Option<Json>> {
    let Some(kind) = kind(id, template) else { return Ok(None) };
    let name = physical(id, kind, template, names)?;
    Ok(Some(if kind == "AWS::SecretsManager::Secret" && place == Use::Elsewhere {
        json!({ "Fn::Sub": arn(kind, &name)? })
    } else {
        name.into()
    }))
}

fn attribute_of(id: &str, attribute: &str, template: &Template, names: &Names) -> Result<Json> {
    let kind = kind(id, template).unwrap_or_default();
    let name = physical(id, kind, template, names)?;
    Ok(match (attribute, &names.stream) {
        ("Arn", _) => json!({ "Fn::Sub": arn(kind, &name)? }),
        ("StreamArn", Some(stream)) => stream.as_str().into(),
        ("StreamArn", None) => json!({ "Fn::ImportValue": format!("{}-{id}Stream", names.data) }),
        _ => bail!("{id}.{attribute} is not known in another stack"),
    })
}

/// The ARN of a resource of the data, as a pattern of `Fn::Sub`. Secrets Manager adds a hyphen and six
/// characters to the name of a secret.
fn arn(kind: &str, name: &str) -> Result<String> {
    Ok(match kind {
        "AWS::DynamoDB::Table" => format!("{ARN}:dynamodb:{PLACE}:table/{name}"),
        "AWS::Events::EventBus" => format!("{ARN}:events:{PLACE}:event-bus/{name}"),
        "AWS::SecretsManager::Secret" => {
            format!("{ARN}:secretsmanager:{PLACE}:secret:{name}-??????")
        }
        _ => bail!("the ARN of {name} is not known in another stack"),
    })
}

/// A pattern of `Fn::Sub` with the names and ARNs of data in it.
fn substituted(pattern: &str, template: &Template, names: &Names) -> Result<String> {
    let mut text = pattern.to_owned();
    for id in ids(template) {
        let kind = kind(&id, template).unwrap_or_default();
        let (by_name, by_arn) = (format!("${{{id}}}"), format!("${{{id}.Arn}}"));
        if text.contains(&by_arn) {
            text = text.replace(&by_arn, &arn(kind, &physical(&id, kind, template, names)?)?);
        }
        if text.contains(&by_name) {
            text = text.replace(&by_name, &physical(&id, kind, template, names)?);
        }
    }
    Ok(text)
}
