"""Customers of UrbanFits sign up with a code that is mailed."""

PERSON = {"username": "ivan_1", "email": "ivan@example.com", "phone_prefix": "+971", "phone_number": "501234567",
          "password": "correct horse", "timezone": "Asia/Dubai", "accept_policies": True}


def sign_up(browser):
    return browser.post("/auth/signup", json=PERSON).raise_for_status().json()["otp_id"]


def enter(browser, otp_id, otp):
    return browser.post("/auth/signup/callback", json={"otp_id": otp_id, "otp": otp})


def test_the_code_of_the_mail_opens_a_session_and_publishes_the_user(latchkey, browser):
    otp_id = sign_up(browser)
    mail = latchkey.message(PERSON["email"])
    assert mail["link"].endswith("/auth/signup/verify-otp")
    enter(browser, otp_id, mail["code"]).raise_for_status()
    user = browser.get("/user/get/me").raise_for_status().json()["user"]
    assert latchkey.event("user.created")["detail"]["userId"] == user["_id"]


def test_a_code_that_has_ended_is_replaced(latchkey, browser):
    otp_id = sign_up(browser)
    old = latchkey.message(PERSON["email"])
    latchkey.advance("6m")
    assert enter(browser, otp_id, old["code"]).json()["msg"] == "The OTP has expired, please try again."
    browser.post("/auth/signup/resend", json={"otp_id": otp_id}).raise_for_status()
    new = latchkey.message(PERSON["email"], after=old["id"])
    assert enter(browser, otp_id, new["code"]).status_code == 200


def test_an_error_of_ses_delays_the_mail_and_fails_no_sign_up(latchkey, browser):
    latchkey.fail(service="ses", mode="error")
    otp_id = sign_up(browser)
    mail = latchkey.message(PERSON["email"])
    assert latchkey.request()["fault"] == "ses error"
    assert enter(browser, otp_id, mail["code"]).status_code == 200


def test_a_session_ends_with_the_sign_out(latchkey, browser):
    session = {"cookie": latchkey.seed("urbanfits")["cookie"]}
    assert browser.get("/user/get/me", headers=session).status_code == 200
    browser.post("/auth/logout", headers=session).raise_for_status()
    assert browser.get("/user/get/me", headers=session).status_code == 401
