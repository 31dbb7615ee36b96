//! Takes users over from another system.

use super::{Callers, LineProblem, Profile, UserLine};
use crate::domain::id::{IdFormat, UserId};
use crate::domain::identifier::{Identifier, IdentifierKind};
use crate::domain::realm::Realm;
use crate::domain::time::Timestamp;
use crate::domain::user::{Identifiers, KnownBy, User};
use crate::ports::{
    Arrivals, Clock, HashFormats, ImportPlace, Imports, MOST_IMPORTED_ITEMS, PortError,
};
use futures_util::future::try_join_all;
use ring::digest::{SHA256, digest};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The most transactions at the same time.
const AT_ONCE: usize = 5;
/// The highest integer id that is accepted. Half of all ids stay for later users.
const HIGHEST_NUMBER: u32 = 1 << 30;

/// Takes users over.
pub struct ImportUsers {
    pub store: Arc<dyn Imports>,
    pub formats: Arc<dyn HashFormats>,
    pub contracts: Vec<&'static Profile>,
    pub arrivals: Arrivals,
    pub clock: Arc<dyn Clock>,
}

/// Whether users are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportMode {
    Write,
    /// Nothing is written. The report is that of an import at this moment.
    DryRun,
}

/// What became of the lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    pub created: usize,
    /// The users that are there already, from the same line.
    pub present: usize,
    /// The lines that are not imported, by the index of the line, in their order.
    pub problems: Vec<(usize, LineProblem)>,
}

/// A user to be written, and the index of its line.
type Candidate = (usize, User);

impl ImportReport {
    fn count(&mut self, line: usize, place: ImportPlace) {
        match place {
            ImportPlace::Free => self.created = self.created.saturating_add(1),
            ImportPlace::Present => self.present = self.present.saturating_add(1),
            ImportPlace::IdTaken => self.problems.push((line, LineProblem::IdTaken)),
            ImportPlace::Taken(kind) => self.problems.push((line, LineProblem::Taken(kind))),
            ImportPlace::Departed => self.problems.push((line, LineProblem::Departed)),
        }
    }
}

impl ImportUsers {
    /// Imports users. An existing user is never changed, and a repetition changes nothing.
    ///
    /// # Errors
    /// The store failed. Some of the users may be written: the call can be repeated.
    pub async fn run(
        &self,
        lines: Vec<Result<UserLine, LineProblem>>,
        mode: ImportMode,
    ) -> Result<ImportReport, PortError> {
        let now = self.clock.now();
        let mut report = ImportReport::default();
        let mut candidates = Vec::new();
        for (index, line) in lines.into_iter().enumerate() {
            match line.and_then(|line| self.user(line, now)) {
                Ok(user) => candidates.push((index, user)),
                Err(problem) => report.problems.push((index, problem)),
            }
        }
        match mode {
            ImportMode::DryRun => self.try_out(&candidates, now, &mut report).await?,
            ImportMode::Write => self.write(candidates, now, &mut report).await?,
        }
        report.problems.sort_by_key(|(line, _)| *line);
        Ok(report)
    }

    /// Checks a line against the rules of its contract.
    fn user(&self, line: UserLine, now: Timestamp) -> Result<User, LineProblem> {
        let named = self.contracts.iter().find(|profile| profile.name == line.contract);
        let profile = named.ok_or(LineProblem::NoContract)?;
        let realm = match (profile.callers, &line.shop) {
            (Callers::People, None) => profile.realm(),
            (Callers::Servers, Some(shop)) => Realm::of_shop(profile.name, shop),
            (Callers::People, Some(_)) | (Callers::Servers, None) => {
                return Err(LineProblem::Store);
            }
        };
        check_identifiers(profile, &line.identifiers)?;
        let verified = line.identifiers.iter().filter_map(KnownBy::verified_at);
        let mut times = verified.chain(line.created_at).chain(line.banned_at);
        if times.any(|at| at > now || at < Timestamp::default()) {
            return Err(LineProblem::Time);
        }
        if line.password.as_ref().is_some_and(|hash| !self.formats.is_known(hash.expose())) {
            return Err(LineProblem::Hash);
        }
        let id = match (&line.id, line.identifiers.first()) {
            (Some(id), _) => stated_id(profile.user_ids, id).ok_or(LineProblem::Id)?,
            (None, Some(first)) => {
                let first = (&realm, &first.identifier);
                derived_id(profile.user_ids, first, line.created_at).ok_or(LineProblem::NoId)?
            }
            (None, None) => return Err(LineProblem::NoIdentifier),
        };
        Ok(User {
            id,
            realm,
            identifiers: Identifiers::new(line.identifiers),
            attributes: line.attributes,
            password: line.password,
            created_at: line.created_at.unwrap_or(now),
            expires_at: None,
            last_active_at: None,
            password_changed_at: None,
            sessions_since: None,
            session_kept: None,
            banned_at: line.banned_at,
        })
    }

    /// Reads what an import would meet. A line that repeats an earlier one counts as it would in an import.
    async fn try_out(
        &self,
        candidates: &[Candidate],
        now: Timestamp,
        report: &mut ImportReport,
    ) -> Result<(), PortError> {
        let users: Vec<_> = candidates.iter().map(|(_, user)| user).collect();
        let places = self.store.places(&users, self.arrivals, now).await?;
        let mut holders: HashMap<(&Realm, &Identifier), &UserId> = HashMap::new();
        let mut ids = HashMap::new();
        for ((line, user), place) in candidates.iter().zip(places) {
            let names = || user.identifiers.iter().map(|known| (&user.realm, &known.identifier));
            let place = match (place, ids.get(&user.id)) {
                (ImportPlace::Free, Some(realm)) => {
                    let mut names = names();
                    let is_own = names.all(|name| holders.get(&name) == Some(&&user.id));
                    let is_same = *realm == &user.realm && is_own;
                    if is_same { ImportPlace::Present } else { ImportPlace::IdTaken }
                }
                (ImportPlace::Free, None) => names()
                    .find(|name| holders.contains_key(name))
                    .map_or(ImportPlace::Free, |(_, taken)| ImportPlace::Taken(taken.kind())),
                (place, _) => place,
            };
            if place == ImportPlace::Free {
                holders.extend(names().map(|name| (name, &user.id)));
                ids.insert(&user.id, &user.realm);
            }
            report.count(*line, place);
        }
        Ok(())
    }

    async fn write(
        &self,
        candidates: Vec<Candidate>,
        now: Timestamp,
        report: &mut ImportReport,
    ) -> Result<(), PortError> {
        self.reserve_numbers(&candidates).await?;
        let (groups, later) = grouped(candidates, self.arrivals);
        for groups in groups.chunks(AT_ONCE) {
            let written = groups.iter().map(|group| self.write_group(group, now));
            for (line, place) in try_join_all(written).await?.into_iter().flatten() {
                report.count(line, place);
            }
        }
        // These share an id or an identifier with one before, so their order counts.
        for candidate in later {
            report.count(candidate.0, self.write_one(&candidate.1, now).await?);
        }
        Ok(())
    }

    /// Writes a group in one transaction, or else its users one by one.
    async fn write_group(
        &self,
        group: &[Candidate],
        now: Timestamp,
    ) -> Result<Vec<(usize, ImportPlace)>, PortError> {
        let users: Vec<_> = group.iter().map(|(_, user)| user).collect();
        if self.store.create(&users, self.arrivals, now).await? {
            return Ok(group.iter().map(|(line, _)| (*line, ImportPlace::Free)).collect());
        }
        // A condition that fails costs as much as a write, so the places are read before.
        let places = self.store.places(&users, self.arrivals, now).await?;
        let mut written = Vec::new();
        for ((line, user), place) in group.iter().zip(places) {
            let place = match place {
                ImportPlace::Free => self.write_one(user, now).await?,
                place => place,
            };
            written.push((*line, place));
        }
        Ok(written)
    }

    /// Writes a user. Returns [`ImportPlace::Free`] if it is written.
    async fn write_one(&self, user: &User, now: Timestamp) -> Result<ImportPlace, PortError> {
        const ACTION: &str = "import a user";
        if self.store.create(&[user], self.arrivals, now).await? {
            return Ok(ImportPlace::Free);
        }
        match self.store.places(&[user], self.arrivals, now).await?.first() {
            // What was in the way is gone.
            Some(ImportPlace::Free) | None => Err(PortError::contention(ACTION)),
            Some(place) => Ok(*place),
        }
    }

    async fn reserve_numbers(&self, candidates: &[Candidate]) -> Result<(), PortError> {
        for profile in self.contracts.iter().filter(|it| it.user_ids == IdFormat::Number) {
            let of_contract = candidates.iter().map(|(_, user)| user);
            let of_contract = of_contract.filter(|user| user.realm.contract() == profile.name);
            let highest = of_contract.filter_map(|user| user.id.as_str().parse().ok()).max();
            if let Some(highest) = highest {
                self.store.reserve_ids(&profile.realm(), highest).await?;
            }
        }
        Ok(())
    }
}

fn check_identifiers(profile: &Profile, known: &[KnownBy]) -> Result<(), LineProblem> {
    let kinds: Vec<_> = known.iter().map(|known| known.identifier.kind()).collect();
    let (required, optional) = (profile.identifiers.required, profile.identifiers.optional);
    let is_foreign = |kind: &&IdentifierKind| !required.contains(kind) && !optional.contains(kind);
    if let Some(kind) = kinds.iter().find(is_foreign) {
        return Err(LineProblem::Foreign(*kind));
    }
    let is_repeated =
        |kind: &&IdentifierKind| kinds.iter().filter(|other| other == kind).count() > 1;
    if let Some(kind) = kinds.iter().find(is_repeated) {
        return Err(LineProblem::Repeated(*kind));
    }
    if let Some(kind) = required.iter().find(|kind| !kinds.contains(kind)) {
        return Err(LineProblem::Missing(*kind));
    }
    if kinds.is_empty() { Err(LineProblem::NoIdentifier) } else { Ok(()) }
}

/// Reads an id that the other system gave.
fn stated_id(format: IdFormat, text: &str) -> Option<UserId> {
    let is_hex =
        |text: &str| text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let fits = match format {
        IdFormat::ObjectId => text.len() == 24 && is_hex(text),
        IdFormat::Uuid => {
            uuid::Uuid::try_parse(text).is_ok_and(|id| id.hyphenated().to_string() == text)
        }
        IdFormat::Number => text
            .parse()
            .is_ok_and(|id: u32| (1..=HIGHEST_NUMBER).contains(&id) && id.to_string() == text),
    };
    fits.then(|| UserId::from_stored(text))
}

/// Derives an id that is the same for a repetition of the line; `None` for counted ids. An `ObjectId` begins with
/// the time of the sign-up, or with zero.
fn derived_id(
    format: IdFormat,
    (realm, first): (&Realm, &Identifier),
    created_at: Option<Timestamp>,
) -> Option<UserId> {
    let shop = realm.shop().unwrap_or_default();
    let name = [realm.contract(), shop, first.kind().as_str(), first.as_str()].join("\0");
    let hash = digest(&SHA256, format!("import\0{name}").as_bytes());
    match format {
        IdFormat::ObjectId => {
            let at = created_at.unwrap_or_default();
            hash.as_ref().first_chunk().map(|bytes| UserId::object_id(at, *bytes))
        }
        IdFormat::Uuid => hash.as_ref().first_chunk().map(|bytes| UserId::uuid(*bytes)),
        IdFormat::Number => None,
    }
}

/// Puts users into groups that fit into one transaction each. The second list has those that share an id or an
/// identifier with an earlier one.
fn grouped(
    candidates: Vec<Candidate>,
    arrivals: Arrivals,
) -> (Vec<Vec<Candidate>>, Vec<Candidate>) {
    let more = usize::from(arrivals != Arrivals::Forgotten);
    let mut seen = HashSet::new();
    let (mut groups, mut later) = (Vec::new(), Vec::new());
    let (mut group, mut items) = (Vec::new(), 0_usize);
    for candidate in candidates {
        let user = &candidate.1;
        let names = user.identifiers.iter().map(|known| {
            let (kind, text) = (known.identifier.kind(), known.text());
            (Some((user.realm.clone(), kind)), text.to_owned())
        });
        let names: Vec<_> = names.chain([(None, user.id.as_str().to_owned())]).collect();
        if names.iter().any(|name| seen.contains(name)) {
            later.push(candidate);
            continue;
        }
        let own = names.len().saturating_add(more);
        if items.saturating_add(own) > MOST_IMPORTED_ITEMS {
            groups.push(std::mem::take(&mut group));
            items = 0;
        }
        items = items.saturating_add(own);
        seen.extend(names);
        group.push(candidate);
    }
    groups.push(group);
    groups.retain(|group| !group.is_empty());
    (groups, later)
}
