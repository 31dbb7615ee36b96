"""Customers of PosBytz verify a mobile by a code and an address by a link."""

import httpx

MOBILE = {"code": "+91", "number": "9962794005"}
CUSTOMER = {"email": "harish@example.com", "mobile": MOBILE, "password": "correct horse"}


def test_the_code_of_the_text_verifies_the_mobile(latchkey, shop):
    first = latchkey.event("customer.mobile_verified")  # of the customer whom `shop` seeds
    customer = shop.post("/auth/signup", json=CUSTOMER).raise_for_status().json()["data"]
    otp = int(latchkey.message("+919962794005")["code"])
    proof = {"otp": otp, "source": "mobile", "mobile": MOBILE}
    assert shop.post("/auth/otp/verify", json=proof).json()["data"]["accessToken"]
    assert shop.post("/auth/otp/verify", json=proof).json()["message"] == "OTP invalid or expired"
    verified = latchkey.event("customer.mobile_verified", after=first["id"])
    assert verified["detail"]["userId"] == customer["_id"]


def test_the_link_of_the_mail_verifies_the_address_once(latchkey):
    customer = latchkey.seed("posbytz")
    link = latchkey.message(customer["email"])["link"]
    assert httpx.get(link).json() == {"statusCode": 200, "message": "Success"}
    assert latchkey.event("customer.email_verified")["detail"]["userId"] == customer["id"]
    assert httpx.get(link).json()["message"] == "Invalid token"


def test_a_link_ends_after_a_day(latchkey):
    link = latchkey.message(latchkey.seed("posbytz")["email"])["link"]
    latchkey.advance("25h")
    assert httpx.get(link).status_code == 401
