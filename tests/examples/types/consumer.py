"""A consumer that uses the types of the events. They need no package: an event is a dictionary."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "shared" / "docs" / "events" / "types"))
import events  # noqa: E402


def reason(event: events.GotuAuthSessionRevokedEvent) -> str:
    return event["detail"]["reason"]


if __name__ == "__main__":
    optional = events.GotuAuthSessionRevoked.__optional_keys__
    assert optional == {"causedBy", "userVersion", "testNumber", "deviceId"}, optional
    assert "detail-type" in events.PosbytzCustomerCreatedEvent.__required_keys__
    assert reason({"detail": {"reason": "signed_out"}}) == "signed_out"
    names = [name for name in vars(events) if isinstance(getattr(events, name), type)]
    print(f"ok  {len(names)} types")
