//! When each alarm of `template.yaml` rings, and when it must be silent.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use cloudwatch::{Alarm, Data, EXTRA_POINTS, Metric, Missing, State};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use template::Template;

/// The minute at which the trouble of a scenario begins. The data begins at minute -60, so that no window is empty before.
const BEGIN: i64 = 60;
const END: i64 = 240;

fn template() -> Template {
    Template::load().unwrap()
}

/// The properties of an alarm, with the defaults of the parameters.
fn properties(template: &Template, id: &str) -> Value {
    let alarm = template.alarms.iter().find(|alarm| alarm.id == id);
    let alarm = alarm.unwrap_or_else(|| panic!("there is no alarm {id}"));
    template.resolve(&alarm.properties).unwrap().unwrap()
}

fn alarm(id: &str) -> Alarm {
    Alarm::read(&properties(&template(), id)).unwrap_or_else(|error| panic!("{id}: {error:#}"))
}

/// The first metric of an alarm with this name.
fn metric(alarm: &Alarm, name: &str) -> Metric {
    alarm.metrics().find(|metric| metric.name == name).unwrap().clone()
}

/// A data set for one alarm.
struct Scenario {
    alarm: Alarm,
    data: Data,
    late: i64,
}

impl Scenario {
    fn of(id: &str) -> Self {
        Self { alarm: alarm(id), data: Data::default(), late: 0 }
    }

    /// The data that is put from now on can be read so many minutes late.
    fn late(mut self, minutes: i64) -> Self {
        self.late = minutes;
        self
    }

    /// Puts a value in every so many minutes.
    fn every(
        mut self,
        minutes: usize,
        range: std::ops::Range<i64>,
        name: &str,
        value: f64,
    ) -> Self {
        let metric = metric(&self.alarm, name);
        for minute in range.step_by(minutes) {
            self.data.put_late(&metric, minute, value, self.late);
        }
        self
    }

    fn before(self, name: &str, value: f64) -> Self {
        self.every(1, -60..BEGIN, name, value)
    }

    fn after(self, name: &str, value: f64) -> Self {
        self.every(1, BEGIN..END, name, value)
    }

    /// Requires that the alarm is silent before the trouble begins, and rings so many minutes later at most.
    #[track_caller]
    fn rings_within(&self, minutes: i64) {
        let first = self.alarm.rings(&self.data, END);
        let first = first.unwrap_or_else(|| panic!("silent: {:?}", self.alarm));
        let latest = BEGIN.saturating_add(minutes);
        assert!((BEGIN..=latest).contains(&first), "rings at {first}: {:?}", self.alarm);
        assert!(self.alarm.is_silent(&self.data, BEGIN), "rings too early: {:?}", self.alarm);
    }

    #[track_caller]
    fn is_silent(&self) {
        assert!(self.alarm.is_silent(&self.data, END), "rings: {:?}", self.alarm);
    }

    /// Requires this state at the end.
    #[track_caller]
    fn ends(&self, state: State) {
        for extra in EXTRA_POINTS {
            let history = self.alarm.history(&self.data, END, extra);
            assert_eq!(history.last(), Some(&state), "{:?}", self.alarm);
        }
    }
}

#[test]
fn every_alarm_has_a_scenario_here() {
    let here = include_str!("alarms.rs");
    for alarm in template().alarms {
        assert!(here.contains(&format!("\"{}\"", alarm.id)), "{} has no scenario", alarm.id);
    }
}

/// A window of one minute is evaluated once: a value that comes a minute late is never seen as the newest one.
#[test]
fn an_alarm_with_windows_of_a_minute_looks_at_several() {
    let template = template();
    for declared in &template.alarms {
        let alarm = alarm(&declared.id);
        let rule = alarm.rule();
        assert!(alarm.period() > 1 || rule.periods > rule.to_alarm, "{}: {rule:?}", declared.id);
        let day = i64::try_from(rule.periods).unwrap() * alarm.period();
        assert!(day <= 24 * 60, "{} looks at more than a day", declared.id);
        let text = declared.properties.to_string();
        assert!(!text.contains("FILL("), "{} fills values that may only be late", declared.id);
        let heartbeat = declared.id.ends_with("HeartbeatAlarm");
        let missing = if heartbeat { Missing::Breaching } else { Missing::NotBreaching };
        assert_eq!(rule.missing, missing, "{}", declared.id);
    }
}

/// What the project had before: values that come a minute late are replaced by 0 for ever.
#[test]
fn a_sum_of_filled_metrics_over_one_minute_never_rings_if_data_is_late() {
    let metric = |id: &str, function: &str| {
        json!({"Id": id, "ReturnData": false, "MetricStat": {"Period": 60, "Stat": "Sum", "Metric": {
            "Namespace": "AWS/Lambda", "MetricName": "Errors",
            "Dimensions": [{"Name": "FunctionName", "Value": function}]}}})
    };
    let with = |expression: &str, periods: u32| {
        let properties = json!({"Metrics": [{"Id": "errors", "Expression": expression},
            metric("e1", "one"), metric("e2", "two")],
            "EvaluationPeriods": periods, "DatapointsToAlarm": 1, "Threshold": 3,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold", "TreatMissingData": "notBreaching"});
        let alarm = Alarm::read(&properties).unwrap();
        Scenario { alarm, data: Data::default(), late: 1 }.after("Errors", 10.0)
    };
    with("SUM(FILL(METRICS(), 0))", 1).is_silent();
    with("SUM(FILL(METRICS(), 0))", 3).rings_within(3);
    with("SUM(METRICS())", 3).rings_within(3);
}

#[test]
fn the_api_rings_if_a_part_of_its_requests_fails_also_with_few_requests() {
    for late in [0, 3] {
        let api = |id: &str| Scenario::of(id).late(late);
        let busy = |share: f64| {
            let calm = api("ApiFaultsAlarm").before("Count", 1000.0).before("5xx", 0.0);
            calm.after("Count", 1000.0).after("5xx", 1000.0 * share)
        };
        busy(0.02).rings_within(3 + late);
        busy(0.002).is_silent();
        let down = |id: &str, minutes| {
            let calm = api(id).every(minutes, -60..BEGIN, "Count", 1.0);
            let calm = calm.every(minutes, -60..BEGIN, "5xx", 0.0);
            calm.every(minutes, BEGIN..END, "Count", 1.0).every(minutes, BEGIN..END, "5xx", 1.0)
        };
        down("ApiFaultsAlarm", 1).rings_within(5 + late);
        down("ApiFaultsAlarm", 5).is_silent();
        down("ApiFaultsSlowAlarm", 5).rings_within(12 + late);
        let once = |id: &str| api(id).before("Count", 1.0).before("5xx", 0.0).after("Count", 1.0);
        once("ApiFaultsAlarm").every(1, 100..101, "5xx", 1.0).is_silent();
        once("ApiFaultsSlowAlarm").every(1, 100..101, "5xx", 1.0).is_silent();
    }
}

#[test]
fn an_alarm_is_ok_again_after_the_trouble() {
    let api = Scenario::of("ApiFaultsAlarm").before("Count", 50.0).before("5xx", 0.0);
    let api = api.every(1, BEGIN..BEGIN + 10, "5xx", 50.0).after("Count", 50.0);
    api.rings_within(2);
    api.ends(State::Ok);
    let crashes = Scenario::of("GotuErrorsAlarm").every(1, BEGIN..BEGIN + 5, "Errors", 1.0);
    crashes.rings_within(4);
    crashes.ends(State::Ok);
}

/// Crashes of several functions, in several minutes, of which most have no data.
#[test]
fn three_crashes_in_a_quarter_of_an_hour_ring_and_two_do_not() {
    for id in [
        "GotuErrorsAlarm",
        "GoodcityErrorsAlarm",
        "UrbanfitsErrorsAlarm",
        "PosbytzErrorsAlarm",
        "PosbytzMoreErrorsAlarm",
        "SharedErrorsAlarm",
    ] {
        for late in [0, 4] {
            let mut scenario = Scenario::of(id);
            let metrics: Vec<_> = scenario.alarm.metrics().cloned().collect();
            for (metric, minute) in metrics.iter().cycle().zip([BEGIN, BEGIN + 5]) {
                scenario.data.put_late(metric, minute, 1.0, late);
            }
            scenario.is_silent();
            scenario.data.put_late(metrics.last().unwrap(), BEGIN + 9, 1.0, late);
            scenario.rings_within(10 + late);
        }
    }
}

#[test]
fn faults_and_error_lines_ring_by_their_number_in_a_quarter_of_an_hour() {
    Scenario::of("FaultsAlarm").late(2).every(6, BEGIN..END, "Faults", 1.0).rings_within(15);
    Scenario::of("FaultsAlarm").every(8, BEGIN..END, "Faults", 1.0).is_silent();
    // An entry that cannot be read is one line a minute.
    Scenario::of("ErrorLinesAlarm").late(2).after("ErrorLines", 1.0).rings_within(7);
    Scenario::of("ErrorLinesAlarm").every(4, BEGIN..END, "ErrorLines", 1.0).is_silent();
}

/// A stack with traffic: the streams invoke the relay all the time. The parts of the outbox are swept in these minutes.
fn swept(late: i64, in_minute: impl Fn(u8, i64) -> u8) -> Scenario {
    let mut scenario = Scenario::of("RelayHeartbeatAlarm").late(late);
    let one = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
    let invocations = Metric {
        namespace: "AWS/Lambda".to_owned(),
        name: "Invocations".to_owned(),
        dimensions: one("FunctionName", "relay"),
    };
    for minute in -60..END {
        scenario.data.put(&invocations, minute, 100.0);
        for part in 0..4 {
            let sweeps = Metric {
                namespace: "Latchkey/latchkey".to_owned(),
                name: "Sweeps".to_owned(),
                dimensions: one("Part", &part.to_string()),
            };
            for _ in 0..in_minute(part, minute) {
                scenario.data.put_late(&sweeps, minute, 1.0, late);
            }
        }
    }
    scenario
}

#[test]
fn sweeps_that_stop_ring_although_the_streams_invoke_the_relay() {
    for late in [0, 3] {
        swept(late, |_, minute| u8::from(minute < BEGIN)).rings_within(16 + late);
        for dead in 0..4 {
            let one = swept(late, |part, minute| u8::from(minute < BEGIN || part != dead));
            one.rings_within(8 + late);
        }
        swept(late, |_, _| 1).is_silent();
        // Sweeps that end shortly before and after a minute begins, by turns.
        let uneven =
            |part: u8, minute: i64| if (minute + i64::from(part)) % 2 == 0 { 2 } else { 0 };
        swept(late, uneven).is_silent();
        // One that is left out, as by a deployment.
        swept(late, |_, minute| u8::from(!(BEGIN..BEGIN + 2).contains(&minute))).is_silent();
        let mended = swept(late, |_, minute| u8::from(!(BEGIN..BEGIN + 40).contains(&minute)));
        mended.rings_within(16 + late);
        mended.ends(State::Ok);
    }
    // A part that was never swept.
    swept(0, |part, _| u8::from(part != 3)).ends(State::Alarm);
}

#[test]
fn a_rotation_that_does_not_run_rings() {
    for late in [0, 3] {
        let rotation = Scenario::of("RotationHeartbeatAlarm").late(late);
        let rotation = rotation.every(15, -60..BEGIN, "Invocations", 1.0);
        // The last invocation was a quarter of an hour before.
        rotation.rings_within(75 + late);
        rotation.every(15, BEGIN..END, "Invocations", 1.0).is_silent();
    }
}

/// Lambda repeats an asynchronous invocation that failed after one minute, and after two more.
#[test]
fn a_rotation_that_fails_with_its_repetitions_rings_and_a_single_failure_does_not() {
    let faults = |minutes: &[i64]| {
        let mut scenario = Scenario::of("RotationFailsAlarm");
        let metric = metric(&scenario.alarm, "Faults");
        for minute in minutes {
            scenario.data.put(&metric, *minute, 1.0);
        }
        scenario
    };
    faults(&[BEGIN, BEGIN + 1, BEGIN + 3]).rings_within(2);
    faults(&[BEGIN, BEGIN + 61]).is_silent();
}

#[test]
fn lambda_that_refuses_to_start_a_function_rings_also_late() {
    Scenario::of("ThrottlesAlarm")
        .late(3)
        .every(1, BEGIN..BEGIN + 1, "Throttles", 1.0)
        .rings_within(4);
    Scenario::of("ThrottlesAlarm").after("Throttles", 0.0).is_silent();
}

#[test]
fn slow_requests_ring_at_night_and_the_alarm_does_not_stick() {
    let day = |seconds: f64| {
        let mut day = Scenario::of("LatencyAlarm").before("Latency", 80.0);
        let latency = metric(&day.alarm, "Latency");
        for minute in BEGIN..BEGIN + 20 {
            (0..300).for_each(|_| day.data.put(&latency, minute, seconds * 1000.0));
        }
        // The night: one quick request in three minutes.
        day.every(3, BEGIN + 20..END, "Latency", 80.0)
    };
    day(4.0).rings_within(11);
    day(4.0).ends(State::Ok);
    day(0.3).is_silent();
    Scenario::of("LatencyAlarm")
        .every(3, -60..BEGIN, "Latency", 80.0)
        .every(3, BEGIN..END, "Latency", 4000.0)
        .rings_within(11);
    // As it was: with `ignore`, the alarm of the day stays until there are a hundred requests in a window again.
    let mut properties = properties(&template(), "LatencyAlarm");
    properties["EvaluateLowSampleCountPercentile"] = "ignore".into();
    let ignores = Scenario { alarm: Alarm::read(&properties).unwrap(), ..day(4.0) };
    ignores.ends(State::Alarm);
}

#[test]
fn deliveries_that_the_sweep_alone_makes_ring() {
    let relay = || Scenario::of("DeliveryLateAlarm").late(2).before("RelayLag", 200.0);
    relay().after("RelayLag", 60_000.0).rings_within(8);
    relay().every(3, BEGIN..END, "RelayLag", 60_000.0).rings_within(11);
    relay().after("RelayLag", 200.0).every(1, 100..101, "RelayLag", 600_000.0).is_silent();
    let stream = Scenario::of("RelayIteratorAgeAlarm").late(1).after("IteratorAge", 30_000.0);
    stream.rings_within(4);
    Scenario::of("RelayIteratorAgeAlarm").after("IteratorAge", 29_000.0).is_silent();
}

/// The pauses between two tries grow to ten minutes.
#[test]
fn an_effect_that_waits_keeps_its_alarm_between_two_tries() {
    let waits =
        Scenario::of("OutboxAgeAlarm").late(1).every(10, BEGIN..END, "OutboxAge", 200_000.0);
    waits.rings_within(3);
    waits.ends(State::Alarm);
    Scenario::of("OutboxAgeAlarm").after("OutboxAge", 60_000.0).is_silent();
}

#[test]
fn codes_that_are_not_used_ring_from_a_number_on() {
    let codes = |sent: f64, used: f64| {
        let codes = Scenario::of("CodesUnusedAlarm").every(10, BEGIN..END, "CodesSent", sent / 2.0);
        // What is used is known later than what is sent.
        codes.late(2).every(10, BEGIN..END, "CodesVerified", used / 2.0)
    };
    codes(50.0, 0.0).rings_within(12);
    codes(60.0, 8.0).rings_within(12);
    codes(48.0, 0.0).is_silent();
    let many =
        Scenario::of("CodesUnusedAlarm").before("CodesSent", 100.0).before("CodesVerified", 60.0);
    many.after("CodesSent", 100.0).after("CodesVerified", 60.0).is_silent();
    // No code is used at all: there is no such metric.
    Scenario::of("CodesUnusedAlarm").after("CodesSent", 10.0).rings_within(6);
}

#[test]
fn messages_that_are_refused_or_lost_ring_by_their_part() {
    for (id, bad, good, part) in [
        ("RecipientsRefusedAlarm", "RecipientsRefused", "CodesSent", 0.5),
        ("UndeliveredAlarm", "MessagesUndelivered", "MessagesDelivered", 0.3),
    ] {
        let messages = |all: f64, part: f64| {
            let messages = Scenario::of(id).late(1).after(bad, all * part);
            if part < 1.0 { messages.after(good, all * (1.0 - part)) } else { messages }
        };
        messages(10.0, part).rings_within(4);
        messages(2.0, 1.0).rings_within(12);
        messages(100.0, part - 0.02).is_silent();
        // Fewer than 20 in a quarter of an hour.
        messages(1.0, 1.0).is_silent();
    }
}

/// Alarms on one value: the metric, a value that is silent, a value that rings, and how often it is written.
#[test]
fn a_value_above_its_threshold_rings_also_if_it_is_late() {
    for (id, name, calm, trouble) in [
        ("BillAlarm", "BillUsed", 79.0, 80.0),
        ("TestNumbersAlarm", "TestNumbersOpen", 0.0, 1.0),
        ("IdSpaceAlarm", "IdSpaceUsed", 49.0, 50.0),
        ("SendersRefusedAlarm", "SendersRefused", 0.0, 1.0),
        ("SmsSpendAlarm", "SMSMonthToDateSpentUSD", 0.79, 0.8),
        ("MailBouncesAlarm", "Reputation.BounceRate", 0.03, 0.04),
        ("MailComplaintsAlarm", "Reputation.ComplaintRate", 0.0007, 0.0008),
        ("RelayDeadLettersAlarm", "ApproximateNumberOfMessagesVisible", 0.0, 1.0),
    ] {
        for late in [0, 3] {
            let value = Scenario::of(id).before(name, calm).late(late);
            value.every(1, BEGIN..BEGIN + 1, name, trouble).rings_within(1 + late);
        }
        Scenario::of(id).before(name, calm).after(name, calm).is_silent();
    }
}

/// The metric of a function among those of an alarm on releases.
fn of_function(alarm: &Alarm, name: &str, function: &str) -> Metric {
    find(alarm, name, function).unwrap_or_else(|| panic!("no {name} of {function}"))
}

fn find(alarm: &Alarm, name: &str, function: &str) -> Option<Metric> {
    let mut metrics = alarm.metrics().filter(|metric| metric.name == name);
    let is_of = |metric: &&Metric| metric.dimensions.values().any(|value| value == function);
    metrics.find(is_of).cloned()
}

/// A tenth of the requests goes to the new version, so a route with few requests shows few of its errors in the five minutes.
#[test]
fn a_new_version_that_crashes_rings_and_a_single_crash_does_not() {
    for (id, function) in [
        ("GotuReleaseAlarm", "gotu-post-otp"),
        ("GoodcityReleaseAlarm", "goodcity-signup"),
        ("UrbanfitsReleaseAlarm", "urbanfits-login"),
        ("PosbytzReleaseAlarm", "posbytz-signin"),
        ("FallbackReleaseAlarm", "fallback"),
    ] {
        let crashes = |minutes: &[i64]| {
            let mut scenario = Scenario::of(id);
            let errors = of_function(&scenario.alarm, "Errors", function);
            for minute in minutes {
                scenario.data.put_late(&errors, *minute, 1.0, 1);
            }
            scenario
        };
        crashes(&[BEGIN, BEGIN + 3]).rings_within(5);
        crashes(&[BEGIN]).is_silent();
        // What an older version does has another `ExecutedVersion`.
        let mut old = Scenario::of(id);
        let mut errors = of_function(&old.alarm, "Errors", function);
        errors.dimensions.insert("ExecutedVersion".to_owned(), "0".to_owned());
        (BEGIN..END).for_each(|minute| old.data.put(&errors, minute, 50.0));
        old.is_silent();
    }
}

/// A relay whose table is throttled, or an operator whose payload is refused, fails in every version.
#[test]
fn a_release_is_not_rolled_back_by_what_fails_in_every_version() {
    for (id, function) in
        [("SharedReleaseAlarm", "relay"), ("PosbytzMoreReleaseAlarm", "posbytz-create-client")]
    {
        let with = |faults: bool| {
            let mut scenario = Scenario::of(id);
            let errors = of_function(&scenario.alarm, "Errors", function);
            (BEGIN..END).for_each(|minute| scenario.data.put(&errors, minute, 4.0));
            if faults {
                // Faults are those of all versions, and are read from log lines, which takes longer.
                let faults = of_function(&scenario.alarm, "Faults", function);
                (BEGIN..END).for_each(|minute| scenario.data.put_late(&faults, minute, 40.0, 2));
            }
            scenario
        };
        with(true).is_silent();
        with(false).rings_within(4);
    }
}

/// In an outage of the store, all versions of the relay fail, and the newest one has a tenth of the invocations. That must hide
/// the crashes of no other function.
#[test]
fn what_fails_in_every_version_of_one_function_hides_no_crash_of_another() {
    for (id, function) in [
        ("SharedReleaseAlarm", "rotate-keys"),
        ("SharedReleaseAlarm", "people"),
        ("FallbackReleaseAlarm", "fallback"),
    ] {
        let mut scenario = Scenario::of(id);
        let crashes = of_function(&scenario.alarm, "Errors", function);
        for minute in BEGIN..END {
            for (name, count) in [("Errors", 4.0), ("Faults", 40.0)] {
                if let Some(metric) = find(&scenario.alarm, name, "relay") {
                    scenario.data.put(&metric, minute, count);
                }
            }
            scenario.data.put(&crashes, minute, 5.0);
        }
        scenario.rings_within(4);
    }
}

#[test]
fn the_defects_of_a_new_release_ring_and_those_of_another_do_not() {
    let defects = |release: &str| {
        let mut scenario = Scenario::of("DefectsReleaseAlarm");
        let mut defects = metric(&scenario.alarm, "Defects");
        defects.dimensions.insert("Release".to_owned(), release.to_owned());
        for minute in [BEGIN, BEGIN + 3] {
            scenario.data.put_late(&defects, minute, 2.0, 1);
        }
        scenario
    };
    defects("without-a-name").rings_within(5);
    defects("4f2a").is_silent();
}
