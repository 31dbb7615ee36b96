//! Every order of the calls of two relays that deliver the same text, with an end of one of them before
//! each of its calls, and then a sweep: the text is sent once, or twice if the relay ended between the
//! answer of the carrier and the record of it; and nothing is lost.

use latchkey::domain::challenge::Purpose::SignUp;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{JoinHandle, LocalSet, spawn_local};
use usecases::{Core, Steps, number};

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    /// The first relay makes its next call.
    First,
    /// The second one does.
    Second,
    /// The first relay ends before its next call.
    End,
}

/// The choices of one run, each with the choices that were possible at that point and are not tried
/// yet.
#[derive(Default)]
struct Path(Vec<(Choice, Vec<Choice>)>);

impl Path {
    /// Returns the choice at this place: that of the path, or the first possible one.
    fn choose(&mut self, place: usize, possible: Vec<Choice>) -> Choice {
        if let Some((choice, _)) = self.0.get(place) {
            return *choice;
        }
        let mut others = possible;
        let first = others.remove(0);
        self.0.push((first, others));
        first
    }

    /// Moves on to the next path. Returns whether there is one.
    fn advance(&mut self) -> bool {
        while let Some((_, mut others)) = self.0.pop() {
            if !others.is_empty() {
                let next = others.remove(0);
                self.0.push((next, others));
                return true;
            }
        }
        false
    }
}

/// A relay in a process of its own.
struct Process {
    steps: Arc<Steps>,
    task: JoinHandle<()>,
    is_over: bool,
}

impl Process {
    fn start(core: &Core, ids: Vec<String>) -> Self {
        let steps = Steps::new();
        let relay = core.stepped_relay(&steps);
        let task = spawn_local(async move {
            relay.run(&ids).await.unwrap();
        });
        Self { steps, task, is_over: false }
    }

    /// Makes the next call.
    async fn step(&mut self) {
        self.steps.go_on();
        self.settle().await;
    }

    /// Waits until the relay is before a call, or over.
    async fn settle(&mut self) {
        tokio::select! {
            () = self.steps.waiting() => {}
            result = &mut self.task => {
                result.unwrap();
                self.is_over = true;
            }
        }
    }
}

/// Makes one run. Returns how many texts were sent, and whether a relay ended after it sent one.
async fn run(core: &Core, phone: &str, path: &mut Path) -> (usize, bool) {
    let recipient = number(phone);
    core.request_code(SignUp, recipient.clone()).await.unwrap();
    let ids = core.waiting();
    let (mut first, mut second) = (Process::start(core, ids.clone()), Process::start(core, ids));
    first.settle().await;
    second.settle().await;
    let mut may_end = true;
    for place in 0.. {
        let possible = [
            (!first.is_over, Choice::First),
            (!second.is_over, Choice::Second),
            (!first.is_over && may_end, Choice::End),
        ];
        let possible = possible.into_iter().filter_map(|(may, choice)| may.then_some(choice));
        let possible: Vec<_> = possible.collect();
        if possible.is_empty() {
            break;
        }
        match path.choose(place, possible) {
            Choice::First => first.step().await,
            Choice::Second => second.step().await,
            Choice::End => {
                first.task.abort();
                first.is_over = true;
                may_end = false;
            }
        }
    }
    // The relay ended with the text sent and the entry still there.
    let is_unrecorded = !core.texts.sent_to(&recipient).is_empty() && !core.waiting().is_empty();
    core.wait(Duration::from_secs(61));
    core.sweep().await;
    assert!(core.waiting().is_empty(), "nothing is left: {:?}", path.0);
    (core.texts.sent_to(&recipient).len(), is_unrecorded)
}

#[tokio::test]
async fn every_order_of_two_relays_and_an_end_sends_a_text_once() {
    let search = async {
        let core = Core::new().ruled(|rules| rules.sources.sends_per_hour = 0);
        let (mut path, mut runs, mut repeated) = (Path::default(), 0_u32, 0_u32);
        loop {
            let phone = format!("+8529{runs:07}");
            let (sent, is_unrecorded) = run(&core, &phone, &mut path).await;
            let expected = if is_unrecorded { 2 } else { 1 };
            assert_eq!(sent, expected, "{:?}", path.0);
            runs += 1;
            repeated += u32::from(is_unrecorded);
            if !path.advance() {
                break;
            }
        }
        assert!(runs > 50, "{runs} runs");
        assert!(repeated > 0, "the end after the answer of the carrier was tried");
    };
    LocalSet::new().run_until(search).await;
}
