//! Helpers for texts: code without comments, sections between marker lines, wrapped paragraphs.

use anyhow::{Result, bail, ensure};

/// The lines of a Rust source before its unit tests, with their numbers from 1, without lines that
/// are empty or hold only a comment.
pub fn code_lines(source: &str) -> impl Iterator<Item = (usize, &str)> {
    let before_tests = source.lines().take_while(|line| line.trim() != "#[cfg(test)]");
    (1..).zip(before_tests).filter(|(_, line)| {
        let line = line.trim_start();
        !line.is_empty() && !line.starts_with("//")
    })
}

/// A part of a file that a program writes: the lines between two marker lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section {
    /// The index of the first line after the opening marker.
    pub start: usize,
    /// The index of the closing marker.
    pub end: usize,
    /// The number of spaces before the opening marker.
    pub indent: usize,
}

/// The sections of a text between lines that are `open` and the next line that is `close`.
///
/// # Errors
///
/// An opening marker has no closing one.
pub fn sections(text: &str, open: &str, close: &str) -> Result<Vec<Section>> {
    let mut found = Vec::new();
    let mut opened: Option<(usize, usize)> = None;
    for (index, line) in text.lines().enumerate() {
        let content = line.trim();
        if content == open {
            ensure!(
                opened.is_none(),
                "line {} opens `{open}` a second time",
                index.saturating_add(1)
            );
            let indent = line.len().saturating_sub(line.trim_start().len());
            opened = Some((index.saturating_add(1), indent));
        } else if content == close
            && let Some((start, indent)) = opened.take()
        {
            found.push(Section { start, end: index, indent });
        }
    }
    if opened.is_some() {
        bail!("the line `{open}` has no line `{close}` after it");
    }
    Ok(found)
}

/// The text with the lines of each section replaced. The lines get the section's indentation.
#[must_use]
pub fn replace_sections(text: &str, replacements: &[(Section, Vec<String>)]) -> String {
    let mut result = String::with_capacity(text.len());
    for (index, line) in text.split_inclusive('\n').enumerate() {
        for (section, lines) in replacements {
            if section.end == index {
                for line in lines {
                    let indent = if line.is_empty() { 0 } else { section.indent };
                    result.extend(std::iter::repeat_n(' ', indent));
                    result.push_str(line);
                    result.push('\n');
                }
            }
        }
        let replaced =
            replacements.iter().any(|(section, _)| (section.start..section.end).contains(&index));
        if !replaced {
            result.push_str(line);
        }
    }
    result
}

/// The text with the lines of its only section between two markers replaced.
///
/// # Errors
///
/// There is no such section, or there are several.
pub fn replace_section(
    path: &str,
    text: &str,
    (open, close): (&str, &str),
    lines: Vec<String>,
) -> Result<String> {
    match sections(text, open, close)?.as_slice() {
        [section] => Ok(replace_sections(text, &[(*section, lines)])),
        [] => bail!("{path} has no line `{open}` that says where the generated lines begin"),
        _ => bail!("{path} has several lines `{open}`; one is enough"),
    }
}

/// A paragraph in lines of at most `width` characters, each after a prefix. A word that is too long
/// has a line of its own.
#[must_use]
pub fn wrapped(paragraph: &str, prefix: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = prefix.to_owned();
    for word in paragraph.split_whitespace() {
        let length = line.chars().count().saturating_add(word.chars().count());
        if length > width && line.len() > prefix.len() {
            lines.push(line.trim_end().to_owned());
            prefix.clone_into(&mut line);
        }
        line.push_str(word);
        line.push(' ');
    }
    lines.push(line.trim_end().to_owned());
    lines
}

/// The number of the first line, from 1, in which two texts differ.
#[must_use]
pub fn first_difference(left: &str, right: &str) -> usize {
    let equal = left.lines().zip(right.lines()).take_while(|(left, right)| left == right);
    equal.count().saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_ends_at_the_unit_tests_and_has_no_comments() {
        let source = "//! Module.\n\nuse a;\n// why\nfn f() {}\n#[cfg(test)]\nmod tests {}\n";
        let lines: Vec<_> = code_lines(source).collect();
        assert_eq!(lines, [(3, "use a;"), (5, "fn f() {}")]);
    }

    #[test]
    fn a_section_is_replaced_with_its_indentation() {
        let text = "a:\n  # open\n  - 1\n  - 2\n  # close\n- b\n";
        let wanted = "a:\n  # open\n  - 3\n  # close\n- b\n";
        let lines = vec!["- 3".to_owned()];
        assert_eq!(replace_section("f", text, ("# open", "# close"), lines).unwrap(), wanted);
    }

    #[test]
    fn an_empty_section_is_filled_and_a_full_one_emptied() {
        let empty = "# open\n# close\n";
        let full = "# open\nx\n# close\n";
        let markers = ("# open", "# close");
        assert_eq!(replace_section("f", empty, markers, vec!["x".to_owned()]).unwrap(), full);
        assert_eq!(replace_section("f", full, markers, vec![]).unwrap(), empty);
    }

    #[test]
    fn markers_that_are_absent_repeated_or_not_closed_are_errors() {
        let error = |text: &str| {
            replace_section("f", text, ("# open", "# close"), vec![]).unwrap_err().to_string()
        };
        assert!(error("a\n").contains("f has no line `# open`"));
        assert!(error("# open\n").contains("no line `# close`"));
        assert!(error("# open\n# open\n# close\n").contains("line 2 opens"));
        assert!(error("# open\n# close\n# open\n# close\n").contains("several"));
    }

    #[test]
    fn a_paragraph_is_wrapped_between_words() {
        let lines = wrapped("one two three", "// ", 10);
        assert_eq!(lines, ["// one two", "// three"]);
        assert_eq!(wrapped("unbreakable", "// ", 5), ["// unbreakable"]);
    }

    #[test]
    fn the_first_difference_is_a_line_number() {
        assert_eq!(first_difference("a\nb\nc\n", "a\nx\nc\n"), 2);
        assert_eq!(first_difference("a\n", "a\nb\n"), 2);
    }
}
