"""The local stack as a test double. `cargo run -- exec` sets LATCHKEY_URL."""

import os

import httpx
import pytest

URL = os.environ.get("LATCHKEY_URL") or pytest.exit(
    "LATCHKEY_URL is absent: run `cargo run -- --limits off exec -- pytest`", returncode=2)


class Latchkey:
    _http = httpx.Client(base_url=f"{URL}/_local", timeout=90)

    def _call(self, method, path, **options):
        answer = self._http.request(method, path, **options)
        assert answer.is_success, f"{method} {path}: {answer.text}"
        return answer.json() if answer.content else None

    def _first(self, path, **query):
        found = self._call("GET", path, params={"wait": "10s", **query})[path]
        assert found, f"nothing came in 10 seconds: {path} {query}"
        return found[0]

    def reset(self):
        """Deletes all data and faults, and sets the clock back to the real time."""
        self._call("DELETE", "state")

    def advance(self, time):
        """Puts the clock ahead, such as by `6m`."""
        self._call("POST", "clock", json={"advance": time})

    def fail(self, **fault):
        """Makes the next call of the functions to an AWS service fail."""
        self._call("POST", "faults", json=fault)

    def seed(self, contract, **person):
        """Signs a person up through the API, and returns its data and its tokens."""
        return self._call("POST", "seed", json={"people": [{"contract": contract, **person}]})["people"][0]

    def request(self):
        """Returns the newest request to the API, and what it caused."""
        return self._call("GET", "requests", params={"limit": 1})["requests"][0]

    def message(self, to, **query):
        """Returns the first message to a recipient, or the first `after` an id. Waits until it is there."""
        return self._first("messages", to=to, **query)

    def event(self, detail_type, **query):
        """Returns the first event of a type, or the first `after` an id. Waits until it is there."""
        return self._first("events", detailType=detail_type, **query)


@pytest.fixture
def latchkey():
    stack = Latchkey()
    stack.reset()
    return stack


@pytest.fixture
def browser(latchkey):
    """A client that sends Secure cookies over HTTP too, as browsers do to this machine."""

    def allow_http(_):
        for cookie in client.cookies.jar:
            cookie.secure = False

    with httpx.Client(base_url=URL, event_hooks={"response": [allow_http]}) as client:
        yield client


@pytest.fixture
def shop(latchkey):
    """The server of a shop, with a client's token of its store."""
    token = latchkey.seed("posbytz", store="SHOP1")["clientToken"]
    return httpx.Client(base_url=f"{URL}/ecommerce/v1", headers={"authorization": f"Bearer {token}"})
