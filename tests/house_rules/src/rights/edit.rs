//! Inserts proposed rights into the text of `template.yaml`, so that its comments and its layout
//! stay as they are.

use super::Proposal;
use anyhow::{Context as _, Result};

/// The template with what functions lack. What they have in excess stays: to remove it is a decision
/// of the author.
///
/// # Errors
///
/// A function is not where the layout of the template has it.
pub fn with_proposals(template: &str, proposals: &[Proposal]) -> Result<String> {
    let mut lines: Vec<_> = template.lines().map(str::to_owned).collect();
    for proposal in proposals {
        insert(&mut lines, proposal).with_context(|| format!("failed to edit {}", proposal.id))?;
    }
    lines.push(String::new());
    Ok(lines.join("\n"))
}

fn insert(lines: &mut Vec<String>, proposal: &Proposal) -> Result<()> {
    let statements: Vec<_> = proposal
        .statements
        .iter()
        .flat_map(|statement| indented(12, &statement.to_string()))
        .collect();
    let references: Vec<_> =
        proposal.managed_policies.iter().map(|id| format!("        - !Ref {id}")).collect();
    if statements.is_empty() && references.is_empty() {
        return Ok(());
    }
    let function = block(lines, 0, lines.len(), &format!("  {}:", proposal.id))?;
    let properties = block(lines, function.start, function.end, "    Properties:")?;
    let policies = block(lines, properties.start, properties.end, "      Policies:");
    let policies = policies.unwrap_or_else(|_| {
        lines.insert(properties.end, "      Policies:".to_owned());
        Block { start: properties.end, end: properties.end.saturating_add(1) }
    });
    if !statements.is_empty() {
        let list = block(lines, policies.start, policies.end, "          Statement:");
        let head = ["        - Version: \"2012-10-17\"", "          Statement:"];
        let (at, head) = list.map_or((policies.end, &head[..]), |list| (list.end, &[]));
        let head = head.iter().map(|&line| line.to_owned());
        splice(lines, at, head.chain(statements).collect());
    }
    splice(lines, policies.start.saturating_add(1), references);
    Ok(())
}

/// A key and what is below it: the indices of its line and of the first line after it.
struct Block {
    start: usize,
    end: usize,
}

/// Finds the line of a key, with its indentation, between two indices.
fn block(lines: &[String], from: usize, to: usize, key: &str) -> Result<Block> {
    let start = (from..to)
        .find(|&index| lines.get(index).is_some_and(|line| line == key))
        .with_context(|| format!("no line `{}`", key.trim()))?;
    let indent = |line: &str| line.len().saturating_sub(line.trim_start().len());
    let own = indent(key);
    let after = lines.iter().enumerate().take(to).skip(start.saturating_add(1));
    let end = after
        .filter(|(_, line)| !line.trim().is_empty())
        .take_while(|(_, line)| indent(line) > own)
        .map(|(index, _)| index.saturating_add(1))
        .last();
    Ok(Block { start, end: end.unwrap_or_else(|| start.saturating_add(1)) })
}

fn splice(lines: &mut Vec<String>, at: usize, new: Vec<String>) {
    lines.splice(at..at, new);
}

fn indented(spaces: usize, text: &str) -> Vec<String> {
    text.lines().map(|line| format!("{}{line}", " ".repeat(spaces))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Proposed;
    use super::*;
    use template::Template;

    const TEMPLATE: &str = include_str!("../fixtures/template.yaml");

    fn proposal(id: &str, managed: &[&str]) -> Proposal {
        Proposal {
            id: id.to_owned(),
            managed_policies: managed.iter().map(|id| (*id).to_owned()).collect(),
            statements: vec![Proposed {
                sid: "PutItemBudgets".to_owned(),
                actions: vec!["dynamodb:PutItem".to_owned()],
                resources: vec!["!GetAtt Budgets.Arn".to_owned()],
            }],
            unused: vec![],
        }
    }

    /// The statements of a function after an edit, and the number of lines that it added.
    fn edited(function: &str, proposal: Proposal) -> (Vec<String>, usize) {
        let text = with_proposals(TEMPLATE, &[proposal]).unwrap();
        let template = Template::parse(&text).unwrap();
        let statements = &template.function(function).unwrap().statements;
        let added = text.lines().count().abs_diff(TEMPLATE.lines().count());
        (statements.iter().map(|statement| statement.sid.clone()).collect(), added)
    }

    #[test]
    fn a_statement_follows_those_that_a_function_has() {
        let (statements, added) = edited("gotu-post-otp", proposal("GotuPostOtpFunction", &[]));
        assert_eq!(statements, ["OpenChallenge", "PutItemBudgets"]);
        assert_eq!(added, 4);
    }

    #[test]
    fn a_function_without_policies_gets_them() {
        let (statements, added) = edited("gotu-get-me", proposal("GotuGetMeFunction", &["WarmUp"]));
        assert_eq!(statements, ["WarmUp", "PutItemBudgets"]);
        assert_eq!(added, 8);
    }

    #[test]
    fn a_function_with_managed_policies_alone_gets_a_document() {
        let (statements, added) = edited("rotate-keys", proposal("RotateKeysFunction", &[]));
        assert_eq!(statements, ["WarmUp", "PutItemBudgets"]);
        assert_eq!(added, 6);
    }

    #[test]
    fn nothing_else_changes() {
        assert_eq!(with_proposals(TEMPLATE, &[]).unwrap(), TEMPLATE);
        let error = with_proposals(TEMPLATE, &[proposal("Other", &[])]).unwrap_err();
        assert_eq!(format!("{error:#}"), "failed to edit Other: no line `Other:`");
    }
}
