// A consumer that uses the types of the events: source and type together say which detail an event has.
import type { GotuEvent, LatchkeyBusEvent, PosbytzEvent } from "../../../shared/docs/events/types/events.ts";

/** What the consumer keeps of a user. */
export interface Person {
  version: number;
  phone: string | null;
  isDeleted: boolean;
}

export function handle(person: Person, event: GotuEvent): Person {
  const version = event.detail.userVersion ?? 0;
  // A late event replaces nothing.
  if (version <= person.version) return person;
  switch (event["detail-type"]) {
    case "AUTH_USER_CREATED":
      return { ...person, version, phone: event.detail.phoneNumber ?? null };
    case "AUTH_PHONE_CHANGED":
      return { ...person, version, phone: event.detail.phoneNumber };
    case "AUTH_USER_DELETED":
      return { version, phone: null, isDeleted: true };
    default:
      return { ...person, version };
  }
}

export function mobile(event: PosbytzEvent): string | undefined {
  if (event["detail-type"] !== "customer.created") return undefined;
  return event.detail.mobile === null ? undefined : event.detail.mobile.code + event.detail.mobile.number;
}

export function subject(event: LatchkeyBusEvent): string {
  // Events about messages and test numbers are about no user.
  if (event["detail-type"] === "TEST_NUMBER_USED") return event.detail.phoneNumber;
  if ("messageId" in event.detail) return event.detail.messageId;
  return String(event.detail.userId);
}

export function wrong(event: GotuEvent): void {
  if (event["detail-type"] === "AUTH_SESSION_REVOKED") {
    // @ts-expect-error: there is no such reason.
    const isLost = event.detail.reason === "lost";
    // @ts-expect-error: the field may be absent.
    const device: number = event.detail.deviceId;
    void [isLost, device];
  }
}
