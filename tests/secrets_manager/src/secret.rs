//! One secret: its versions and their labels.

use crate::{Change, Refusal};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::fmt;

const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

/// The lengths that a client request token can have. The token becomes the version id.
const TOKEN_LENGTH: std::ops::RangeInclusive<usize> = 32..=64;

/// The versions of a secret. Each staging label is on at most one version.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Secret {
    created_ms: i64,
    /// The time at which a version or a label was last added or moved; 0 in the data folders of
    /// older stacks.
    #[serde(default)]
    changed_ms: i64,
    versions: BTreeMap<String, Version>,
    /// The version ids by label.
    labels: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
struct Version {
    value: String,
    created_ms: i64,
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Version").field("created_ms", &self.created_ms).finish_non_exhaustive()
    }
}

impl Secret {
    pub(super) fn new(value: Option<&str>, change: Change) -> Self {
        let Change { at, version: id } = change;
        let mut secret = Self {
            created_ms: at,
            changed_ms: at,
            versions: BTreeMap::new(),
            labels: BTreeMap::new(),
        };
        if let Some(value) = value {
            let version = Version { value: value.to_owned(), created_ms: at };
            secret.versions.insert(id.clone(), version);
            secret.labels.insert(CURRENT.to_owned(), id);
        }
        secret
    }

    /// Answers `GetSecretValue` for a version, for a label, for both if the label is on the
    /// version, or for `AWSCURRENT` if the request names neither.
    pub(super) fn value(
        &self,
        version: Option<&str>,
        stage: Option<&str>,
    ) -> Result<Json, Refusal> {
        let labelled = |stage: &str| self.labels.get(stage).map(String::as_str);
        let id = match (version, stage) {
            (Some(version), Some(stage)) => labelled(stage).filter(|id| *id == version),
            (Some(version), None) => Some(version),
            (None, stage) => labelled(stage.unwrap_or(CURRENT)),
        };
        let found = id.and_then(|id| self.versions.get_key_value(id));
        let (id, version) = found.ok_or_else(|| {
            Refusal::not_found("Secrets Manager can't find the specified secret value for the version or staging label.")
        })?;
        Ok(json!({
            "VersionId": id,
            "VersionStages": self.stages(id),
            "SecretString": version.value,
            "CreatedDate": seconds(version.created_ms),
        }))
    }

    /// Answers `DescribeSecret`.
    pub(super) fn describe(&self) -> Json {
        let mut stages = BTreeMap::<&str, Vec<&str>>::new();
        for (label, id) in &self.labels {
            stages.entry(id).or_default().push(label);
        }
        json!({
            "CreatedDate": seconds(self.created_ms),
            "LastChangedDate": seconds(self.changed_ms.max(self.created_ms)),
            "VersionIdsToStages": stages,
        })
    }

    /// Answers `ListSecretVersionIds`. A version without a label is deprecated.
    pub(super) fn list(&self, include_deprecated: bool) -> Json {
        let versions: Vec<_> = self
            .versions
            .iter()
            .map(|(id, version)| (id, version, self.stages(id)))
            .filter(|(_, _, stages)| include_deprecated || !stages.is_empty())
            .map(|(id, version, stages)| {
                let created = seconds(version.created_ms);
                json!({ "VersionId": id, "VersionStages": stages, "CreatedDate": created })
            })
            .collect();
        json!({ "Versions": versions })
    }

    /// Answers `PutSecretValue`: adds a version, which becomes the current one unless the request
    /// has labels for it.
    pub(super) fn put(
        &mut self,
        value: &str,
        token: Option<&str>,
        stages: &[String],
        change: Change,
    ) -> Result<Json, Refusal> {
        if token.is_some_and(|token| !TOKEN_LENGTH.contains(&token.len())) {
            return Err(Refusal::invalid("ClientRequestToken must have 32 to 64 characters."));
        }
        let id = token.map_or(change.version, str::to_owned);
        match self.versions.get(&id) {
            // A repeated request gets the same reply.
            Some(version) if version.value == value => {}
            Some(_) => {
                return Err(Refusal {
                    kind: "ResourceExistsException",
                    message: format!(
                        "You can't use ClientRequestToken {id} because that value is already in use for a version of this secret."
                    ),
                });
            }
            None => {
                let created_ms = change.at;
                self.changed_ms = created_ms;
                self.versions.insert(id.clone(), Version { value: value.to_owned(), created_ms });
                if stages.is_empty() {
                    self.label(CURRENT, &id);
                }
                for stage in stages {
                    self.label(stage, &id);
                }
            }
        }
        Ok(json!({ "VersionId": id, "VersionStages": self.stages(&id) }))
    }

    /// Answers `UpdateSecretVersionStage`.
    pub(super) fn move_stage(
        &mut self,
        stage: &str,
        from: Option<&str>,
        to: Option<&str>,
        at: i64,
    ) -> Result<Json, Refusal> {
        if from.is_none() && to.is_none() {
            return Err(Refusal::invalid(
                "You must provide RemoveFromVersionId or MoveToVersionId.",
            ));
        }
        if [from, to].into_iter().flatten().any(|id| !self.versions.contains_key(id)) {
            return Err(Refusal::not_found("Secrets Manager can't find the specified version."));
        }
        // The caller must name the version that the label is on now.
        match (self.labels.get(stage).map(String::as_str), from) {
            (Some(holder), None) if Some(holder) != to => {
                return Err(Refusal::invalid(&format!(
                    "The parameter RemoveFromVersionId can't be empty. Staging label {stage} is currently attached to version {holder}, so you must explicitly reference that version in RemoveFromVersionId."
                )));
            }
            (holder, Some(from)) if holder != Some(from) => {
                return Err(Refusal::invalid(&format!(
                    "The staging label {stage} isn't attached to version {from}."
                )));
            }
            _ => {}
        }
        match to {
            Some(to) => self.label(stage, to),
            None if stage == CURRENT => {
                return Err(Refusal::invalid(
                    "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.",
                ));
            }
            None => drop(self.labels.remove(stage)),
        }
        self.changed_ms = at;
        Ok(json!({}))
    }

    /// Moves a label to a version. The version that was the current one becomes the previous one.
    fn label(&mut self, stage: &str, id: &str) {
        let before = self.labels.insert(stage.to_owned(), id.to_owned());
        if stage == CURRENT
            && let Some(before) = before.filter(|before| before != id)
        {
            self.labels.insert(PREVIOUS.to_owned(), before);
        }
    }

    fn stages(&self, id: &str) -> Vec<&str> {
        self.labels.iter().filter(|(_, on)| *on == id).map(|(label, _)| label.as_str()).collect()
    }
}

/// Converts to the timestamps of the protocol, which are seconds.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of this age are exact in an f64")]
fn seconds(millis: i64) -> f64 {
    millis as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "a-token-of-at-least-32-characters";

    fn change(at: i64, version: &str) -> Change {
        Change { at, version: version.to_owned() }
    }

    /// A secret whose only version has its value as the id.
    fn new() -> Secret {
        Secret::new(Some("one"), change(1000, "one"))
    }

    /// Adds a version. Without a token, its id is its value.
    fn put(
        secret: &mut Secret,
        value: &str,
        token: Option<&str>,
        stages: &[String],
    ) -> Result<Json, Refusal> {
        secret.put(value, token, stages, change(2000, value))
    }

    fn move_stage(
        secret: &mut Secret,
        stage: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<Json, Refusal> {
        secret.move_stage(stage, from, to, 2000)
    }

    fn read(secret: &Secret, stage: &str) -> Option<String> {
        let value = secret.value(None, Some(stage)).ok()?;
        value.get("SecretString").and_then(Json::as_str).map(str::to_owned)
    }

    fn id(answer: &Json) -> String {
        answer.get("VersionId").unwrap().as_str().unwrap().to_owned()
    }

    #[test]
    fn a_new_value_is_current_and_the_old_one_previous() {
        let mut secret = new();
        put(&mut secret, "two", None, &[]).unwrap();
        put(&mut secret, "three", None, &[]).unwrap();
        assert_eq!(read(&secret, CURRENT).as_deref(), Some("three"));
        assert_eq!(read(&secret, PREVIOUS).as_deref(), Some("two"));
        let count = |all| secret.list(all).get("Versions").unwrap().as_array().unwrap().len();
        assert_eq!((count(false), count(true)), (2, 3));
    }

    #[test]
    fn a_rotation_goes_from_pending_to_current() {
        let mut secret = new();
        let first = id(&secret.value(None, None).unwrap());
        let second = id(&put(&mut secret, "two", Some(TOKEN), &["AWSPENDING".to_owned()]).unwrap());
        assert_eq!(second, TOKEN);
        assert_eq!(read(&secret, CURRENT).as_deref(), Some("one"));
        move_stage(&mut secret, CURRENT, Some(&first), Some(&second)).unwrap();
        move_stage(&mut secret, "AWSPENDING", Some(&second), None).unwrap();
        assert_eq!(read(&secret, CURRENT).as_deref(), Some("two"));
        assert_eq!(read(&secret, PREVIOUS).as_deref(), Some("one"));
        assert_eq!(read(&secret, "AWSPENDING"), None);
        let stages = secret.describe().get("VersionIdsToStages").unwrap().clone();
        assert_eq!(stages, json!({ first: [PREVIOUS], second: [CURRENT] }));
    }

    #[test]
    fn a_repeated_put_changes_nothing_and_another_value_is_refused() {
        let mut secret = new();
        put(&mut secret, "two", Some(TOKEN), &[]).unwrap();
        put(&mut secret, "two", Some(TOKEN), &[]).unwrap();
        assert_eq!(read(&secret, PREVIOUS).as_deref(), Some("one"));
        let refusal = put(&mut secret, "three", Some(TOKEN), &[]).unwrap_err();
        assert_eq!(refusal.kind, "ResourceExistsException");
        for token in ["short", &"x".repeat(65)] {
            let refusal = put(&mut secret, "three", Some(token), &[]).unwrap_err();
            assert_eq!(refusal.kind, "InvalidParameterException");
        }
        assert_eq!(read(&secret, CURRENT).as_deref(), Some("two"));
    }

    #[test]
    fn a_pending_label_moves_to_the_newest_version_and_can_stay_on_the_current_one() {
        let pending = ["AWSPENDING".to_owned()];
        let mut secret = new();
        let first = id(&secret.value(None, None).unwrap());
        put(&mut secret, "two", None, &pending).unwrap();
        let third = id(&put(&mut secret, "three", None, &pending).unwrap());
        assert_eq!(read(&secret, "AWSPENDING").as_deref(), Some("three"));
        move_stage(&mut secret, CURRENT, Some(&first), Some(&third)).unwrap();
        let stages = secret.describe().get("VersionIdsToStages").unwrap().clone();
        assert_eq!(stages, json!({ &*first: [PREVIOUS], &*third: [CURRENT, "AWSPENDING"] }));
        // The label has moved since the caller read it.
        let refusal = move_stage(&mut secret, CURRENT, Some(&first), Some(&third)).unwrap_err();
        assert_eq!(refusal.kind, "InvalidParameterException");
    }

    #[test]
    fn a_change_and_not_a_read_moves_the_date_of_the_last_change() {
        let mut secret = new();
        let date = |secret: &Secret| secret.describe().get("LastChangedDate").unwrap().as_f64();
        secret.changed_ms = 0;
        assert_eq!(date(&secret), Some(1.0), "not before its creation");
        let pending = ["AWSPENDING".to_owned()];
        secret.put("two", Some(TOKEN), &pending, change(2000, "unused")).unwrap();
        assert_eq!(date(&secret), Some(2.0));
        secret.put("two", Some(TOKEN), &[], change(3000, "unused")).unwrap();
        secret.put("three", Some(TOKEN), &[], change(3000, "unused")).unwrap_err();
        secret.move_stage(CURRENT, Some(TOKEN), Some("one"), 3000).unwrap_err();
        secret.value(None, None).unwrap();
        assert_eq!(date(&secret), Some(2.0), "nothing was changed");
        secret.move_stage(CURRENT, Some("one"), Some(TOKEN), 4000).unwrap();
        assert_eq!(date(&secret), Some(4.0));
    }

    #[test]
    fn a_label_moves_only_from_the_version_that_has_it() {
        let mut secret = new();
        let first = id(&secret.value(None, None).unwrap());
        let second = id(&put(&mut secret, "two", None, &["AWSPENDING".to_owned()]).unwrap());
        for (stage, from, to) in [
            (CURRENT, None, Some(&*second)),
            (CURRENT, Some(&*second), Some(&*first)),
            (CURRENT, Some(&*first), None),
            (CURRENT, None, None),
        ] {
            assert_eq!(
                move_stage(&mut secret, stage, from, to).unwrap_err().kind,
                "InvalidParameterException"
            );
        }
        let refusal = move_stage(&mut secret, CURRENT, Some(&first), Some("nowhere")).unwrap_err();
        assert_eq!(refusal.kind, "ResourceNotFoundException");
        assert_eq!(read(&secret, CURRENT).as_deref(), Some("one"));
    }

    #[test]
    fn a_label_must_be_on_the_requested_version() {
        let mut secret = new();
        let first = id(&secret.value(None, None).unwrap());
        put(&mut secret, "two", None, &[]).unwrap();
        assert!(secret.value(Some(&first), Some(PREVIOUS)).is_ok());
        assert!(secret.value(Some(&first), Some(CURRENT)).is_err());
        assert!(secret.value(Some("nowhere"), None).is_err());
    }

    #[test]
    fn debug_output_shows_no_value() {
        assert!(
            !format!("{:?}", Secret::new(Some("secret text"), change(1000, "one")))
                .contains("secret text")
        );
    }
}
