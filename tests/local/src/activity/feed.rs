//! What happened, in order, for those who watch.

use crate::sync::lock;
use serde_json::Value as Json;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// The number of news that are kept for a watcher that connects again.
const KEPT: usize = 5000;

/// The news of a stack. They are kept only while someone watches.
#[derive(Debug)]
pub(crate) struct Feed {
    state: Mutex<State>,
    /// The number of the newest one.
    newest: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    kept: VecDeque<(u64, Arc<str>)>,
    last: u64,
}

/// The news after a number.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// Each with its number.
    These(Vec<(u64, Arc<str>)>),
    /// Some of them are not kept any more. The number is that of the newest one.
    Lost(u64),
}

impl Default for Feed {
    fn default() -> Self {
        Self { state: Mutex::default(), newest: watch::channel(0).0 }
    }
}

impl Feed {
    /// Returns a receiver that changes when there are news, and the number of the newest one.
    pub(crate) fn watch(&self) -> (watch::Receiver<u64>, u64) {
        let receiver = self.newest.subscribe();
        (receiver, lock(&self.state).last)
    }

    /// Adds news.
    pub(crate) fn add(&self, news: impl FnOnce() -> Json) {
        let mut state = lock(&self.state);
        state.last = state.last.saturating_add(1);
        if self.newest.receiver_count() == 0 {
            state.kept.clear();
            return;
        }
        if state.kept.len() >= KEPT {
            state.kept.pop_front();
        }
        let last = state.last;
        state.kept.push_back((last, news().to_string().into()));
        drop(state);
        self.newest.send_replace(last);
    }

    /// Returns the news after this number.
    pub(crate) fn after(&self, number: u64) -> News {
        let state = lock(&self.state);
        let first = state.last.saturating_sub(u64::try_from(state.kept.len()).unwrap_or(u64::MAX));
        // A number of the run before can be larger than the newest one.
        if number < first || number > state.last {
            return News::Lost(state.last);
        }
        News::These(state.kept.iter().filter(|(other, _)| *other > number).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(news: News) -> Vec<u64> {
        match news {
            News::These(these) => these.into_iter().map(|(number, _)| number).collect(),
            News::Lost(number) => panic!("lost until {number}"),
        }
    }

    #[test]
    fn news_are_kept_while_someone_watches() {
        let feed = Feed::default();
        feed.add(|| panic!("not made without a watcher"));
        let (receiver, last) = feed.watch();
        assert_eq!(last, 1);
        for _ in 0..3 {
            feed.add(|| "x".into());
        }
        assert_eq!(numbers(feed.after(2)), [3, 4]);
        assert_eq!(numbers(feed.after(4)), [0_u64; 0]);
        assert_eq!(feed.after(0), News::Lost(4));
        assert_eq!(feed.after(9), News::Lost(4));
        drop(receiver);
        feed.add(|| panic!("not made without a watcher"));
        assert_eq!(feed.after(4), News::Lost(5));
    }

    #[test]
    fn only_the_newest_are_kept() {
        let feed = Feed::default();
        let (_receiver, _) = feed.watch();
        for _ in 0..=KEPT {
            feed.add(|| "x".into());
        }
        assert_eq!(numbers(feed.after(1)).len(), KEPT);
        assert!(matches!(feed.after(0), News::Lost(_)));
    }
}
