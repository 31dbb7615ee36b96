//! The languages of messages, and the brands of contracts, from the request to the carrier.

use super::new_indian_phone;
use acceptance::posbytz::{by_mobile, new_number};
use acceptance::urbanfits::new_person;
use acceptance::{
    NO_LIMITS, TestStack, code_in, goodcity, gotu, new_email, new_phone, posbytz, urbanfits,
    without_limits,
};
use serde_json::{Value, json};

const ACCEPT: &str = "accept-language";

/// The name of Indonesian in a request of a phone, before English.
const INDONESIAN: &str = "id-ID,id;q=0.9,en;q=0.8";

#[tokio::test]
async fn each_product_speaks_the_language_that_a_request_prefers() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let phone = new_phone();
    gotu(stack).ask_for_code(&phone, "sign_up").header(ACCEPT, INDONESIAN).await;
    let text = stack.text(&phone, 1).await;
    let code = code_in(&text);
    assert_eq!(
        text,
        format!(
            "{code} adalah kode Gotu Anda untuk mendaftar. Berlaku 5 menit. Bukan Anda? \
             Abaikan pesan ini."
        )
    );
    assert!(gotu(stack).sign_up_by_phone(&phone, &code).await.status < 300);

    let email = new_email();
    gotu(stack).ask_for_code(&email, "sign_up").header(ACCEPT, "en;q=0.1,id").await;
    let mail = stack.message(&email, 1).await;
    assert_eq!(mail["subject"], "Kode Gotu Anda untuk mendaftar");
    assert!(mail["html"].as_str().unwrap().starts_with("<!doctype html><html lang=\"id\"><body"));

    let mobile = goodcity::new_mobile();
    goodcity(stack).registered(&mobile).await;
    for (place, (accepted, word)) in [
        ("zh-CN", "分钟内有效"),
        ("zh-HK", "分鐘內有效"),
        ("zh;q=0.5,en;q=0.4", "分鐘內有效"),
        ("zh-TW;q=0,zh", "分钟内有效"),
        ("en;q=0.5,zh;q=0", "It works for 5 minutes"),
    ]
    .into_iter()
    .enumerate()
    {
        goodcity(stack).send_pin(&mobile).header(ACCEPT, accepted).await;
        let text = stack.text(&mobile, place + 2).await;
        assert!(text.contains(word), "{accepted}: {text}");
    }

    let (token, number) = (posbytz(stack).store_token("HINDI").await, new_number());
    let body = by_mobile("+91", &number);
    posbytz(stack).sign_up(&token, &body).header(ACCEPT, "hi-IN,hi;q=0.9,en;q=0.8").await;
    let text = stack.text(&format!("+91{number}"), 1).await;
    assert!(text.contains("नंबर की पुष्टि का कोड है। 5 मिनट तक मान्य।"), "{text}");

    let (username, email) = new_person();
    urbanfits(stack).sign_up(&username, &email).header(ACCEPT, "ar-AE").await;
    let mail = stack.message(&email, 1).await;
    assert_eq!(mail["subject"], "تأكيد بريدك الإلكتروني في UrbanFits");
    let html = mail["html"].as_str().unwrap();
    assert!(html.starts_with("<!doctype html><html lang=\"ar\" dir=\"rtl\">"), "{html}");
    let body = mail["body"].as_str().unwrap();
    assert!(
        body.contains("يعمل لمدة 5 دقائق ولمرة واحدة.") && !body.contains('\u{2068}'),
        "{body}"
    );
}

#[tokio::test]
async fn a_text_is_sent_in_the_language_that_is_registered() {
    for (ids, wanted, id) in [
        (json!({"gotu.sign_up": "1107"}), "is your Gotu code", "1107"),
        (json!({"gotu.sign_up": "1107", "gotu.sign_up.id": "1108"}), "adalah kode Gotu", "1108"),
    ] {
        let senders = json!([
            {"dialCode": "+91", "senderId": "GOTUIN", "entityId": "1101", "templateIds": ids},
        ]);
        let stack = &super::stack(&senders).await;
        let phone = new_indian_phone();
        gotu(stack).ask_for_code(&phone, "sign_up").header(ACCEPT, INDONESIAN).await;
        let sent = stack.message(&phone, 1).await;
        assert!(sent["body"].as_str().unwrap().contains(wanted), "{sent}");
        assert_eq!(sent["attributes"]["AWS.MM.SMS.TemplateId"], id);
    }
}

/// A stack with these brands.
async fn branded(brands: &Value) -> TestStack {
    TestStack::with(&without_limits(&[("BRANDS", &brands.to_string())])).await
}

#[tokio::test]
async fn a_brand_is_in_texts_mails_and_pages_of_its_contract_alone() {
    let stack = &branded(&json!({
        "gotu": {"name": "Go & Too", "codeHost": "app.gotoo.example", "sender": "Go, Too",
                 "replyTo": "care@gotoo.example"},
        "goodcity": {"codeHost": "goodcity.example"},
        "urbanfits": {"color": "#0a5c36", "publicUrl": "https://fits.example",
                      "links": {"help": "https://fits.example/help"}},
    }))
    .await;
    let (phone, email) = (new_phone(), new_email());
    gotu(stack).ask_for_code(&phone, "sign_up").await;
    let text = stack.text(&phone, 1).await;
    let code = code_in(&text);
    assert!(text.starts_with(&format!("{code} is your Go & Too code to sign up.")), "{text}");
    assert!(text.ends_with(&format!("\n\n@app.gotoo.example #{code}")), "{text}");
    gotu(stack).ask_for_code(&email, "sign_up").await;
    let mail = stack.message(&email, 1).await;
    assert_eq!(mail["from"], "\"Go, Too\" <no-reply@latchkey.example>");
    assert_eq!(mail["attributes"]["ReplyToAddresses"], json!(["care@gotoo.example"]));
    assert!(mail["html"].as_str().unwrap().contains("Your Go &amp; Too code to sign up:"));

    // Beside the host there is room for a short text only.
    let mobile = goodcity::new_mobile();
    goodcity(stack).sign_up(&mobile).header(ACCEPT, "zh-HK").await;
    let text = stack.text(&mobile, 1).await;
    let code = code_in(&text);
    let short = format!("{code} GoodCity 驗證碼，5 分鐘內有效\n\n@goodcity.example #{code}");
    assert_eq!(text, short);

    let (username, email) = new_person();
    urbanfits(stack).sign_up(&username, &email).await;
    let mail = stack.message(&email, 1).await;
    assert_eq!(mail["from"], "no-reply@latchkey.example");
    let html = mail["html"].as_str().unwrap();
    for part in [
        "background:#0a5c36;color:#ffffff\">UrbanFits</p>",
        "href=\"https://fits.example/auth/signup/verify-otp\"",
        "<a href=\"https://fits.example/help\">Help</a>",
    ] {
        assert!(html.contains(part), "{html}");
    }
    let page = urbanfits(stack).verify_otp_page().await.body;
    assert!(page.contains("--accent: #0a5c36") && page.contains("https://fits.example/help"));
}

#[tokio::test]
async fn a_brand_that_cannot_be_used_stops_the_functions_that_show_it() {
    let brands = json!({"urbanfits": {"color": "#777777", "textColor": "#ffffff"}});
    let stack = &branded(&brands).await;
    for (function, starts) in [
        ("urbanfits-verify-otp-page", false),
        ("posbytz-email-verify", false),
        ("urbanfits-get-me", true),
        ("gotu-delete-sessions", true),
    ] {
        let reply = stack.call(function).json(&json!({})).await;
        assert_eq!(reply.status < 500, starts, "{function}: {reply:?}");
    }
    let error = "the brand of urbanfits in BRANDS: color and textColor have a contrast of 4.47";
    let logged = || async { stack.logs().iter().any(|line| line.contains(error)).then_some(()) };
    stack.wait_for("the rule in the log", logged).await;
    gotu(stack).ask_for_code(&new_phone(), "sign_up").await.expect_text(204, "");
}

#[tokio::test]
async fn a_page_has_the_language_of_its_browser() {
    let stack = TestStack::shared().await;
    let page = |accepted: &'static str| urbanfits(stack).verify_otp_page().header(ACCEPT, accepted);
    for (accepted, language, start) in [
        ("ar-AE,ar;q=0.9,en;q=0.8", "ar", "<!doctype html>\n<html lang=\"ar\" dir=\"rtl\">"),
        ("en-GB,en;q=0.9,ar;q=0.8", "en", "<!doctype html>\n<html lang=\"en\">"),
        ("fr", "en", "<!doctype html>\n<html lang=\"en\">"),
    ] {
        let page = page(accepted).await;
        assert_eq!(page.header("content-language"), language, "{accepted}");
        assert_eq!(page.header("vary"), "accept-language");
        assert!(page.body.starts_with(start), "{accepted}");
    }
    let link = posbytz(stack).verify_email("1", "2").header("accept", "text/html");
    let page = link.header(ACCEPT, "hi").await;
    assert_eq!((page.status, page.header("content-language")), (401, "hi"));
    assert!(page.body.contains("यह लिंक अब काम नहीं करता"));
}
