//! The lines of an object of S3, which is read in parts.

use anyhow::{Context as _, Result, bail, ensure};
use operator_account::{Account, Request, Response, endpoint};
use std::fmt::Write as _;
use std::time::Duration;

/// What the name of an object begins with.
const SCHEME: &str = "s3://";
/// The bytes of a part.
const PART: u64 = 8 * 1024 * 1024;
/// The tries at a part.
const TRIES: usize = 3;
/// The time limit of a try.
const PATIENCE: Duration = Duration::from_mins(1);

/// An object, read to some place.
pub(crate) struct Object {
    account: Account,
    url: String,
    /// The version that the first part belongs to.
    etag: Option<String>,
    /// The bytes that were read, and all bytes once they are known.
    read: u64,
    size: Option<u64>,
    /// What was read and is not in a line yet, from `at` on.
    buffer: Vec<u8>,
    at: usize,
}

/// Returns the bucket and the key of `s3://bucket/key`; `None` for the name of a file.
///
/// # Errors
/// The bucket or the key is missing.
pub(crate) fn location(name: &str) -> Result<Option<(&str, &str)>> {
    let Some(rest) = name.strip_prefix(SCHEME) else { return Ok(None) };
    match rest.split_once('/') {
        Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() && !key.ends_with('/') => {
            Ok(Some((bucket, key)))
        }
        _ => bail!("{name} must be s3://BUCKET/KEY"),
    }
}

/// The address of an object. A bucket with dots has no certificate as a host.
fn address(region: &str, own: Option<String>, (bucket, key): (&str, &str)) -> String {
    let key: String = key.bytes().fold(String::new(), |mut path, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                path.push(byte.into());
            }
            // Writing to a String cannot fail.
            _ => _ = write!(path, "%{byte:02X}"),
        }
        path
    });
    match own {
        Some(endpoint) => format!("{endpoint}/{bucket}/{key}"),
        None if bucket.contains('.') => {
            format!("https://s3.{region}.amazonaws.com/{bucket}/{key}")
        }
        None => format!("https://{bucket}.s3.{region}.amazonaws.com/{key}"),
    }
}

impl Object {
    /// Reads nothing yet. Region and credentials are those of the environment; the bucket must be in that region.
    pub(crate) fn open(location: (&str, &str)) -> Result<Self> {
        let account = Account::from_env()?;
        let url = address(&account.region, endpoint("S3"), location);
        Ok(Self { account, url, etag: None, read: 0, size: None, buffer: Vec::new(), at: 0 })
    }

    /// Reads the first part, unless it was read, and returns the version that it belongs to.
    pub(crate) async fn version(&mut self) -> Result<&str> {
        if self.size.is_none() {
            self.read_part().await?;
        }
        Ok(self.etag.as_deref().unwrap_or("empty"))
    }

    /// Returns the next line with its end; `None` after the last one.
    pub(crate) async fn line(&mut self) -> Result<Option<String>> {
        let mut searched = self.at;
        loop {
            let rest = self.buffer.get(searched..).unwrap_or_default();
            if let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let end = searched.saturating_add(end).saturating_add(1);
                return self.take(end).map(Some);
            }
            let is_whole = self.size.is_some_and(|size| self.read >= size);
            if is_whole && self.at >= self.buffer.len() {
                return Ok(None);
            }
            if is_whole {
                return self.take(self.buffer.len()).map(Some);
            }
            self.buffer.drain(..self.at);
            self.at = 0;
            searched = self.buffer.len();
            self.read_part().await?;
        }
    }

    fn take(&mut self, end: usize) -> Result<String> {
        let line = self.buffer.get(self.at..end).unwrap_or_default().to_vec();
        self.at = end;
        String::from_utf8(line).context("the object is not UTF-8")
    }

    async fn read_part(&mut self) -> Result<()> {
        let last = self.read.saturating_add(PART).saturating_sub(1);
        let range = format!("bytes={}-{last}", self.read);
        let mut headers = vec![("range", range.as_str())];
        // Another object under this name would give lines of two.
        headers.extend(self.etag.as_deref().map(|etag| ("if-match", etag)));
        let request = Request { method: "GET", url: &self.url, headers: &headers, body: &[] };
        let mut tries = 0_usize;
        let response = loop {
            tries = tries.saturating_add(1);
            let answered = tokio::time::timeout(PATIENCE, self.account.call("s3", request)).await;
            match answered.with_context(|| format!("{} took too long", self.url)).flatten() {
                Ok(response) if response.status < 500 || tries >= TRIES => break response,
                Err(error) if tries >= TRIES => return Err(error),
                Ok(_) | Err(_) => {}
            }
        };
        self.add(&response)
    }

    fn add(&mut self, response: &Response) -> Result<()> {
        let size = match response.status {
            206 => {
                let range = response.header("content-range").and_then(|it| it.rsplit_once('/'));
                range.and_then(|(_, size)| size.parse().ok())
            }
            // An object without a byte has no part.
            416 if self.read == 0 => Some(0),
            412 => bail!("{} was replaced while it was read", self.url),
            status => {
                let body = String::from_utf8_lossy(&response.body);
                bail!("{} answered {status}: {body}", self.url)
            }
        };
        let size: u64 = size.context("S3 did not say how long the object is")?;
        self.size = Some(size);
        if response.status == 206 {
            let bytes = u64::try_from(response.body.len())?;
            ensure!(bytes > 0, "{} has an empty part", self.url);
            self.read = self.read.saturating_add(bytes);
            self.buffer.extend_from_slice(&response.body);
            self.etag = response.header("etag").map(str::to_owned);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_the_scheme_is_an_object() {
        assert_eq!(location("users.jsonl").unwrap(), None);
        assert_eq!(location("-").unwrap(), None);
        assert_eq!(location("s3://b/a/users.jsonl").unwrap(), Some(("b", "a/users.jsonl")));
        for name in ["s3://", "s3://b", "s3://b/", "s3:///key", "s3://b/a/"] {
            assert!(location(name).is_err(), "{name}");
        }
    }

    #[test]
    fn an_address_escapes_the_key_once_and_has_the_bucket_as_host_or_path() {
        let of = |own: Option<&str>, bucket| {
            address("eu-west-1", own.map(str::to_owned), (bucket, "a b/ü+.jsonl"))
        };
        let key = "a%20b/%C3%BC%2B.jsonl";
        assert_eq!(of(None, "users"), format!("https://users.s3.eu-west-1.amazonaws.com/{key}"));
        assert_eq!(of(None, "a.b"), format!("https://s3.eu-west-1.amazonaws.com/a.b/{key}"));
        assert_eq!(of(Some("http://h:1"), "users"), format!("http://h:1/users/{key}"));
    }
}
