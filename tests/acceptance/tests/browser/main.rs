//! The pages where a code is entered and a link is confirmed, and the console of the local stack, in a real browser. Without a
//! browser, each test is reported as ignored.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod browser;
mod console;
mod journeys;
mod languages;
mod links;
mod looks;
mod resends;
mod states;
mod try_page;

use acceptance::urbanfits::{new_person, otp_id};
use acceptance::{Reply, TestStack, route, say, urbanfits};
use libtest_mimic::{Arguments, Trial};
use serde_json::Value;
use std::process::ExitCode;

/// The tests of modules, each with its path as its name. A test that is in no module's list does not compile.
macro_rules! trials {
    ($($module:ident: $($test:ident),+;)+) => {
        vec![$($(Trial::test(concat!(stringify!($module), "::", stringify!($test)), || {
            run($module::$test());
            Ok(())
        })),+),+]
    };
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let tests: Vec<Trial> = trials! {
        journeys: the_code_makes_an_account_and_signs_in, the_other_prefix_and_the_keyboard_alone_do_as_well, another_customer_can_take_the_name_first;
        languages: the_code_page_speaks_arabic_from_right_to_left, the_pause_is_counted_in_the_plurals_of_arabic, the_pages_of_a_link_speak_hindi, mails_run_in_the_direction_of_their_language, a_brand_can_be_read_in_every_size_and_colour;
        links: the_button_confirms_the_address_once;
        looks: assistive_technology_is_told_what_there_is, it_can_be_read_and_hit_in_every_size_and_colour, field_and_button_fit_above_the_keyboard_of_a_phone_in_landscape, without_scripts_it_says_what_is_missing;
        resends: a_new_code_is_sent_after_the_pause, the_limit_of_the_address_has_to_be_waited_for, a_code_that_has_expired_is_replaced, a_failure_can_be_tried_again, the_page_of_the_mail_knows_the_sign_up_of_its_browser, a_confirmed_address_stays_confirmed, each_state_links_to_what_helps;
        states: a_wrong_code_is_typed_over, a_text_that_is_not_a_code_is_not_sent, a_code_may_be_pasted_with_the_text_around_it, a_code_that_was_guessed_too_often_is_over, a_code_that_was_used_is_over, a_sign_up_that_is_not_there_looks_the_same, a_link_without_its_id_asks_for_nothing, a_code_is_sent_once, too_many_guesses_have_to_wait, a_fault_keeps_the_code, no_network_keeps_the_code;
    };
    let installed = browser::is_installed();
    if !installed && !arguments.list {
        say(
            "browser tests are ignored: install chromium and chromedriver (Debian: chromium, chromium-driver)",
        );
    }
    // The console shows a stack of this machine.
    let console: Vec<Trial> = trials! {
        console: a_newcomer_signs_a_person_up_and_sees_what_it_caused, messages_are_searched_and_cleared, a_fault_is_added_and_cleared, the_clock_is_advanced_and_reset, ten_thousand_messages_are_shown_in_windows, two_tabs_show_the_same, the_keyboard_is_enough, no_page_is_wider_than_its_window, a_hostile_message_is_only_text, all_data_is_deleted_after_a_question, an_operator_bans_exports_and_erases_a_person, a_lost_connection_is_shown_and_comes_back, only_browsers_see_it_at_the_root;
        try_page: a_request_is_tried_on_the_page;
    };
    let axe: Vec<Trial> = trials! { console: axe_finds_nothing; };
    let (here, has_axe) = (!TestStack::is_in_account(), console::has_axe());
    if installed && !has_axe && !arguments.list {
        say("the test with axe-core is ignored: install axe-core with tests/acceptance/axe");
    }
    let ignored = |tests: Vec<Trial>, ignored: bool| {
        tests.into_iter().map(move |test| test.with_ignored_flag(ignored))
    };
    let tests = ignored(tests, !installed)
        .chain(ignored(console, !installed || !here))
        .chain(ignored(axe, !installed || !here || !has_axe));
    libtest_mimic::run(&arguments, tests.collect()).exit_code()
}

/// Runs a test on this thread, as `#[tokio::test]` does.
fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(test);
}

/// The path of the page, with a query.
fn page(query: &str) -> String {
    format!("{}{query}", route("urbanfits-verify-otp-page").path)
}

/// A sign-up that waits for its code.
struct Pending {
    email: String,
    username: String,
    otp_id: String,
    /// The path that the answer sends the browser to.
    redirect_url: String,
}

impl Pending {
    /// Signs a new customer up.
    async fn new(stack: &TestStack) -> Self {
        let (username, email) = new_person();
        Self::of(stack, email, username).await
    }

    async fn of(stack: &TestStack, email: String, username: String) -> Self {
        let reply = urbanfits(stack).sign_up(&username, &email).await;
        let otp_id = otp_id(&reply, &email);
        let redirect_url = reply.json()["redirect_url"].as_str().unwrap().to_owned();
        Self { email, username, otp_id, redirect_url }
    }

    /// The code, once it was mailed.
    async fn code(&self, stack: &TestStack) -> String {
        urbanfits(stack).code(&self.email, 1).await
    }

    /// Enters a code without the browser.
    async fn enter(&self, stack: &TestStack, otp: &str) -> Reply {
        urbanfits(stack).enter_code(&self.otp_id, otp).await
    }

    /// The accounts of this address.
    async fn accounts(&self, stack: &TestStack) -> Vec<Value> {
        stack.items_with("Users", &self.email).await
    }
}
