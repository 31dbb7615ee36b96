//! The port that reads what decides about a request before anything is counted, hashed or written.

use super::{ChallengeState, PortError};
use crate::domain::budget::Budget;
use crate::domain::challenge::{ChallengeHandle, ChallengeKey, Lane};
use crate::domain::id::UserId;
use crate::domain::identifier::Identifier;
use crate::domain::known_sources::{Entrance, KnownSources, SourcePart, Tie};
use crate::domain::realm::Realm;
use crate::domain::source::Source;
use crate::domain::time::Timestamp;
use async_trait::async_trait;

/// What a request asks about.
#[derive(Debug, Default)]
pub struct StandingQuery<'a> {
    /// The budgets that the request would count in.
    pub budgets: Vec<&'a Budget>,
    /// The identifiers that it names.
    pub identifiers: Vec<(&'a Realm, &'a Identifier)>,
    /// The challenges that it opens or guesses at.
    pub challenges: Vec<&'a ChallengeKey>,
    /// The handle that it presents.
    pub handle: Option<&'a ChallengeHandle>,
}

/// The answers to a [`StandingQuery`], each in the order of the query.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// The used amounts of the budgets.
    pub used: Vec<i64>,
    /// The users that the identifiers belong to.
    pub holders: Vec<Option<Holder>>,
    /// The states of the challenges.
    pub challenges: Vec<ChallengeState>,
    /// The challenge of the handle, if it has a valid code, and the state of the handle.
    pub held: Option<(ChallengeKey, ChallengeState)>,
}

/// The user that an identifier belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    pub user: UserId,
    /// The sources that the account knows.
    pub known_sources: KnownSources,
    /// The time at which the identifier is free again unless it is verified before; `None` for
    /// never.
    pub reserved_until: Option<Timestamp>,
    /// Whether an operator banned the user.
    pub is_banned: bool,
}

impl Holder {
    /// Returns what the account knows of the source.
    #[must_use]
    pub fn tie(&self, source: &Source, now: Timestamp) -> Option<Tie> {
        self.known_sources.tie(&self.user, source, now)
    }

    /// Returns what the account that an identifier belongs to knows of the source. Without an account
    /// it takes as long.
    #[must_use]
    pub fn tie_of(holder: Option<&Self>, source: &Source, now: Timestamp) -> Option<Tie> {
        match holder {
            Some(holder) => holder.tie(source, now),
            None => KnownSources::default().tie(&UserId::placeholder(), source, now),
        }
    }

    /// Returns the lane of the source in the challenges of the account that an identifier belongs to.
    /// Only a source of a proved entrance has one of its own.
    #[must_use]
    pub fn lane_of(holder: Option<&Self>, source: &Source, now: Timestamp) -> Option<Lane> {
        let tie = Self::tie_of(holder, source, now);
        let tie = tie.filter(|tie| tie.entrance == Entrance::Proved)?;
        Some(match tie.by {
            SourcePart::Network => Lane::Network,
            SourcePart::Device => Lane::Device,
        })
    }
}

/// Reads of the state of everything that a request touches.
#[async_trait]
pub trait Standings: Send + Sync {
    /// Answers a query in one read. It reads as much for known as for unknown identifiers.
    async fn standing(
        &self,
        query: &StandingQuery<'_>,
        now: Timestamp,
    ) -> Result<Standing, PortError>;
}
