//! The brand of a contract: what mails and pages show beside their texts, and where links lead.

use super::PageUrl;
use std::fmt;

/// The least contrast of a text to its background (WCAG 2.2, 1.4.3).
const LEAST_CONTRAST: f64 = 4.5;

/// What an operator sets for one contract. An absent part has the value of the whole stack, or does not
/// appear.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Brand {
    /// The name in texts, mails and pages; absent for the contract's own.
    pub name: Option<String>,
    pub colors: Option<BrandColors>,
    pub logo: Option<PageUrl>,
    pub links: BrandLinks,
    /// The host of the page that asks for the contract's codes.
    pub code_host: Option<String>,
    /// The URL of the API as the contract's users reach it.
    pub public_url: Option<String>,
    /// The address that mails come from.
    pub address: Option<String>,
    /// The name that mailboxes show for that address.
    pub sender: Option<String>,
    pub reply_to: Option<String>,
}

impl Brand {
    /// The brand of a contract for which nothing is set.
    pub const PLAIN: Self = Self {
        name: None,
        colors: None,
        logo: None,
        links: BrandLinks { sign_up: None, sign_in: None, shop: None, help: None },
        code_host: None,
        public_url: None,
        address: None,
        sender: None,
        reply_to: None,
    };
}

/// The pages that mails and pages lead to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrandLinks {
    pub sign_up: Option<PageUrl>,
    pub sign_in: Option<PageUrl>,
    pub shop: Option<PageUrl>,
    pub help: Option<PageUrl>,
}

/// The colour of buttons and of the head of a mail, and the colour of the text on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrandColors {
    accent: Color,
    text: Color,
}

impl BrandColors {
    /// Returns the colours. Without a text, it is white or black, whichever can be read better.
    ///
    /// # Errors
    /// The contrast of the two is below 4.5 to 1. Returns it, in hundredths.
    pub fn new(accent: Color, text: Option<Color>) -> Result<Self, u32> {
        let (white, black) = (Color([0xff; 3]), Color([0; 3]));
        let better = if accent.contrast(white) >= accent.contrast(black) { white } else { black };
        let colors = Self { accent, text: text.unwrap_or(better) };
        let contrast = accent.contrast(colors.text);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a contrast is between 1 and 21"
        )]
        if contrast < LEAST_CONTRAST { Err((contrast * 100.0) as u32) } else { Ok(colors) }
    }

    #[must_use]
    pub const fn accent(&self) -> Color {
        self.accent
    }

    #[must_use]
    pub const fn text(&self) -> Color {
        self.text
    }
}

/// A colour as red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color([u8; 3]);

impl Color {
    /// Reads `#rrggbb`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| {
            digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        })?;
        let [_, red, green, blue] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
        Some(Self([red, green, blue]))
    }

    /// The relative luminance (WCAG 2.2, 0 to 1).
    fn luminance(self) -> f64 {
        let channel = |value: u8| {
            let value = f64::from(value) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.0.map(channel);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// The contrast ratio to another colour (WCAG 2.2, 1 to 21).
    fn contrast(self, other: Self) -> f64 {
        let (one, other) = (self.luminance(), other.luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn color(text: &str) -> Color {
        Color::parse(text).unwrap()
    }

    #[test]
    fn contrasts_are_those_of_the_guideline() {
        // The examples that WCAG's techniques name.
        for (one, other, hundredths) in [
            ("#000000", "#ffffff", 2100.0),
            ("#777777", "#ffffff", 447.0),
            ("#767676", "#ffffff", 454.0),
            ("#ff0000", "#ffffff", 399.0),
        ] {
            let contrast = (color(one).contrast(color(other)) * 100.0).floor();
            assert!((contrast - hundredths).abs() < 1.0, "{one} {other}: {contrast}");
        }
    }

    #[test]
    fn colours_that_cannot_be_read_are_refused() {
        assert!(BrandColors::new(color("#777777"), Some(color("#ffffff"))).is_err());
        assert!(BrandColors::new(color("#767676"), Some(color("#ffffff"))).is_ok());
        // One of black and white can be read on every colour.
        for value in (0..=0xff_ffff).step_by(4_099) {
            let accent = color(&format!("#{value:06x}"));
            assert!(BrandColors::new(accent, None).is_ok(), "{accent}");
        }
    }

    #[test]
    fn a_colour_has_six_digits() {
        assert_eq!(color("#0A5c36").to_string(), "#0a5c36");
        for bad in ["", "#fff", "0a5c36", "#0a5c3g", "#0a5c3", "#0a5c366", "red", "#+a5c36"] {
            assert_eq!(Color::parse(bad), None, "{bad}");
        }
    }
}
