//! The messages that MACs are computed over.

/// Returns the parts, each preceded by its length (32 bits, the most significant byte first). Two
/// different lists of parts therefore never give the same message.
pub(super) fn mac_message<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut message = Vec::new();
    for part in parts {
        let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
        message.extend_from_slice(&length.to_be_bytes());
        message.extend_from_slice(part);
    }
    message
}
