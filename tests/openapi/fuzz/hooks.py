"""What Schemathesis needs to know of the contracts: credentials, and texts that have a format.

The environment names the contract (FUZZ_CONTRACT) and the stack (LATCHKEY_URL).
"""

import itertools
import json
import os
import re
import urllib.request
import uuid
import zoneinfo

import schemathesis
from hypothesis import strategies as st

URL = os.environ["LATCHKEY_URL"]
CONTRACT = os.environ["FUZZ_CONTRACT"]
PASSWORD = "correct horse battery"
NUMBERS = itertools.count(1)

# The format `email`, as the contracts read it: visible ASCII, and a host name with a dot.
LABEL = "[a-z]([a-z0-9-]{0,8}[a-z0-9])?"
schemathesis.openapi.format("email", st.from_regex(rf"[a-z0-9]([a-z0-9+_-]{{0,12}}[a-z0-9])?@{LABEL}\.{LABEL}", fullmatch=True))
schemathesis.openapi.format("timezone", st.sampled_from(sorted(zoneinfo.available_timezones())))
schemathesis.openapi.format("password", st.from_regex(r"[a-z]{4} [a-z]{4} [a-z]{4}", fullmatch=True))


def send(method, path, body=None, headers=None):
    """Sends a request; returns the body and the headers of its answer."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json", **(headers or {})}
    request = urllib.request.Request(URL + path, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        text = answer.read()
        return json.loads(text) if text else None, answer.headers


def code(recipient):
    """Returns the code of the newest message to a recipient."""
    found, _ = send("GET", f"/_local/messages?to={recipient.replace('+', '%2B')}&wait=10s")
    return found["messages"][-1]["code"]


def gotu():
    body = {"type": "email", "email": f"fuzz{next(NUMBERS)}@example.com", "password": PASSWORD}
    return {"Authorization": "Bearer " + send("POST", "/users", body)[0]["data"]["accessToken"]}


def goodcity():
    mobile = f"+8525{next(NUMBERS):07}"
    user = {"mobile": mobile, "address_attributes": {"district_id": "1"}}
    key = send("POST", "/api/v1/auth/signup", {"user_auth": user})[0]["otp_auth_key"]
    verified, _ = send("POST", "/api/v1/auth/verify", {"otp_auth_key": key, "pin": code(mobile)})
    return {"Authorization": "Bearer " + verified["jwt_token"]}


def urbanfits():
    number = next(NUMBERS)
    body = {"username": f"fuzz_{number}", "email": f"fuzz{number}@example.com", "phone_prefix": "+92", "phone_number": "30142353150",
            "password": PASSWORD, "timezone": "Asia/Dubai", "accept_policies": True}
    waiting, _ = send("POST", "/auth/signup", body)
    entered = {"otp_id": waiting["otp_id"], "otp": code(body["email"])}
    _, headers = send("POST", "/auth/signup/callback", entered)
    return {"Cookie": re.search(r"session-token=[^;]+", headers["set-cookie"]).group()}


def posbytz():
    """A client and a customer of its shop."""
    payload = {"store": "FUZZ", "scopes": ["user:read", "user:write"]}
    client, _ = send("POST", "/2015-03-31/functions/posbytz-create-client/invocations", payload)
    grant = {"grant_type": "client_credentials", "client_id": client["clientId"], "client_secret": client["clientSecret"]}
    token = send("POST", "/ecommerce/oauth2/token", grant)[0]["access_token"]
    headers = {"X-Api-Authorization": token}
    mobile = {"code": "+91", "number": f"9962{next(NUMBERS):06}"}
    send("POST", "/ecommerce/v1/auth/signup", {"mobile": mobile, "password": PASSWORD}, headers)
    entered = {"mobile": mobile, "source": "mobile", "otp": int(code(mobile["code"] + mobile["number"]))}
    session, _ = send("POST", "/ecommerce/v1/auth/otp/verify", entered, headers)
    return {**headers, "Authorization": "Bearer " + session["data"]["accessToken"]}


SIGN_UP = {"gotu": gotu, "goodcity": goodcity, "urbanfits": urbanfits, "posbytz": posbytz}


@schemathesis.auth(refresh_interval=60)
class Credentials:
    """The credentials of a new user, for the operations that need some. A request may end the session, so they are renewed."""

    def get(self, case, context):
        return SIGN_UP[CONTRACT]()

    def set(self, case, data, context):
        if case.operation.definition.raw.get("security"):
            case.headers = {**(case.headers or {}), **data}


@schemathesis.hook
def before_call(context, case, kwargs):
    """Gives each request an idempotency key of its own: the generators reuse values, and a repetition gets the kept answer."""
    for name, value in (case.headers or {}).items():
        if name.lower() == "idempotency-key" and re.fullmatch(r"[!#-~]{1,200}", str(value)):
            case.headers[name] = str(uuid.uuid4())
