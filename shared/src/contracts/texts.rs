//! The catalogue of texts: Fluent files in `shared/texts/<product>/<locale>.ftl`, which are part of the
//! binary. A file is read when the first text of its language is asked for.

use crate::http::{Brand, nearest};
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentError, FluentResource, FluentValue};
use std::sync::OnceLock;
use unic_langid::LanguageIdentifier;

/// The languages that are written from right to left.
const RIGHT_TO_LEFT: [&str; 1] = ["ar"];

/// The texts of a product in one language.
pub struct Language {
    /// The tag (BCP 47), such as `zh-Hant`.
    tag: &'static str,
    source: &'static str,
    bundle: OnceLock<FluentBundle<FluentResource>>,
}

impl Language {
    /// A language with its tag and the content of its file.
    pub(super) const fn new(tag: &'static str, source: &'static str) -> Self {
        Self { tag, source, bundle: OnceLock::new() }
    }

    pub(super) const fn tag(&self) -> &'static str {
        self.tag
    }

    pub(super) fn is_right_to_left(&self) -> bool {
        RIGHT_TO_LEFT.contains(&self.tag)
    }

    #[cfg(test)]
    pub(super) const fn source(&self) -> &'static str {
        self.source
    }

    /// What is wrong with the syntax of the file; empty for nothing.
    #[cfg(test)]
    pub(super) fn errors(&self) -> String {
        let read = FluentResource::try_new(self.source.to_owned());
        read.err().map(|(_, errors)| format!("{errors:?}")).unwrap_or_default()
    }

    /// The file with its errors left out; the tests of the texts allow none.
    fn bundle(&self) -> &FluentBundle<FluentResource> {
        self.bundle.get_or_init(|| {
            let language: LanguageIdentifier = self.tag.parse().unwrap_or_default();
            let mut bundle = FluentBundle::new_concurrent(vec![language]);
            // Marks around values are characters of a text message, and phones show some of them.
            bundle.set_use_isolating(false);
            let (Ok(resource) | Err((resource, _))) =
                FluentResource::try_new(self.source.to_owned());
            if let Err(errors) = bundle.add_resource(resource) {
                tracing::error!(?errors, language = self.tag, "a text has two definitions");
            }
            bundle
        })
    }

    /// Returns a text, and what was wrong with it; `None` if there is none with this id. An id is the name
    /// of a message, or of its attribute after a dot.
    pub(super) fn format(
        &self,
        id: &str,
        values: &FluentArgs<'_>,
    ) -> Option<(String, Vec<FluentError>)> {
        let bundle = self.bundle();
        let (name, attribute) = id.split_once('.').map_or((id, None), |(id, of)| (id, Some(of)));
        let message = bundle.get_message(name)?;
        let pattern = match attribute {
            Some(attribute) => message.get_attribute(attribute)?.value(),
            None => message.value()?,
        };
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, Some(values), &mut errors).into_owned();
        Some((text, errors))
    }
}

/// A value in a text.
pub(super) type Value<'a> = (&'static str, FluentValue<'a>);

/// A value that is a text.
pub(super) fn word<'a>(name: &'static str, text: &'a str) -> Value<'a> {
    (name, FluentValue::from(text))
}

/// A value that is a number, which also chooses the plural.
pub(super) fn number<'a>(name: &'static str, number: u64) -> Value<'a> {
    (name, FluentValue::from(number))
}

/// How a product speaks to a person: in a language, with a brand.
pub struct Voice<'a> {
    pub(super) language: &'static Language,
    /// The first language of the product.
    first: &'static Language,
    pub(super) brand: &'a Brand,
    /// The name of the product.
    name: &'a str,
}

impl<'a> Voice<'a> {
    /// Returns the voice in the language of a tag, or in that which is nearest to it. `name` is that of a
    /// product whose brand has none.
    pub(super) fn new(
        languages: &'static [Language],
        tag: &str,
        name: &'static str,
        brand: &'a Brand,
    ) -> Option<Self> {
        let first = languages.first()?;
        let tags: Vec<_> = languages.iter().map(Language::tag).collect();
        let tag = nearest(tag, &tags);
        let language = languages.iter().find(|language| language.tag == tag).unwrap_or(first);
        Some(Self { language, first, brand, name: brand.name.as_deref().unwrap_or(name) })
    }

    pub(super) const fn name(&self) -> &'a str {
        self.name
    }

    /// Whether this is the first language of the product.
    pub(super) fn is_first(&self) -> bool {
        self.language.tag == self.first.tag
    }

    /// Returns whether the language has a text with this id.
    pub(super) fn has(&self, id: &str) -> bool {
        self.language.format(id, &FluentArgs::new()).is_some()
    }

    /// Returns a text. The name of the product is a value of every text.
    pub(super) fn say(&self, id: &str, values: &[Value<'_>]) -> String {
        let mut all: FluentArgs<'_> = values.iter().cloned().collect();
        all.set("name", self.name);
        let found = self.language.format(id, &all).or_else(|| self.first.format(id, &all));
        let Some((text, errors)) = found else {
            tracing::error!(id, language = self.language.tag, "there is no such text");
            return String::new();
        };
        if !errors.is_empty() {
            tracing::error!(id, ?errors, language = self.language.tag, "a text is not whole");
        }
        text
    }

    /// The attributes of the element `html`.
    pub(super) fn html_attributes(&self) -> String {
        let direction = if self.language.is_right_to_left() { " dir=\"rtl\"" } else { "" };
        format!("lang=\"{}\"{direction}", self.language.tag)
    }
}
