// The events on the bus, grouped by what caused them.

import { act, button, chip, count, empty, facts, h, json, search, select, setOptions, time, toast } from "./dom.js";
import { Window } from "./list.js";
import { requestLink } from "./inbox.js";
import { call, changed, load, state } from "./store.js";

/** The events whose JSON is open. */
const open = new Set();

const correlationOf = (event) => event.detail?.correlationId ?? event.detail?.metadata?.correlationId ?? null;

function validity({ problems }) {
  if (problems === undefined) return null;
  if (problems === null) return chip("no schema");
  return problems.length === 0 ? chip("valid", "good", "It fits its JSON schema.") : chip(count(problems.length, "problem"), "bad");
}

function eventItem(event) {
  const content = h("div", { class: "event-body" });
  const fill = () => {
    if (content.firstChild) return;
    content.append(
      ...(event.problems?.length > 0 ? [h("div", { class: "banner bad" }, h("p", null, "It does not fit its schema:"), h("ul", null, event.problems.map((problem) => h("li", null, problem))))] : []),
      facts([["Source", event.source], ["Bus", event.busName], ["Event id", event.detail?.eventId ?? event.id], ["Sequence", event.detail?.sequence]]),
      json(event.detail));
  };
  const details = h("details", { open: open.has(event.id), ontoggle: () => {
    if (details.open) {
      open.add(event.id);
      fill();
    } else {
      open.delete(event.id);
    }
  } }, h("summary", null, h("strong", { class: "type" }, event.detailType), h("span", { class: "soft source" }, event.source), validity(event), time(event.time)), content);
  if (details.open) fill();
  return h("li", null, details);
}

function groupCard(group) {
  const [first] = group.events;
  const request = group.events.find((event) => event.requestId)?.requestId;
  return h("li", { class: "card" },
    h("header", null, h("h2", null, group.correlation ? [h("span", { class: "soft" }, "Correlation "), h("code", null, group.correlation)] : "Without a correlation id"),
      time(first.time), requestLink(request)),
    h("ol", { class: "plain events" }, group.events.map(eventItem)));
}

export const title = "Events";

export function mount(root) {
  let wanted = null;
  const field = search("Search events", () => update());
  const type = select([["", "All types"]], { "aria-label": "Filter by type", onchange: () => update() });
  const tally = h("p", { class: "soft", role: "status" });
  const clear = button("Clear", () => act(clear, async () => {
    await call("DELETE", "events");
    state.events = [];
    changed();
    await load();
    toast("The events are cleared.");
  }), { mark: "trash" });
  const list = h("ul", { class: "cards", "aria-label": "Events by correlation id, newest first" });
  const nothing = h("div");
  const only = h("p", { class: "bar", hidden: true }, h("span", null), h("a", { class: "button", href: "#/events" }, "Show all events"));
  const page = new Window(list, 25, "groups of events", {
    key: (group) => group.key, signature: (group) => group.events.map((event) => event.id).join(), create: groupCard,
  });
  root.append(
    h("div", { class: "heading" }, h("h1", { tabindex: "-1" }, "Events"), tally),
    h("div", { class: "toolbar" }, field, type, h("span", { class: "grow" }), clear),
    only, nothing, list, page.controls);

  function update() {
    const types = [...new Set(state.events.map((event) => event.detailType))].sort();
    setOptions(type, [["", "All types"], ...types.map((name) => [name, name])]);
    const words = field.value.trim().toLowerCase();
    const groups = new Map();
    let shown = 0;
    for (const event of state.events) {
      const correlation = correlationOf(event);
      if (type.value !== "" && event.detailType !== type.value) continue;
      if (wanted !== null && event.id !== wanted && event.detail?.eventId !== wanted && correlation !== wanted) continue;
      if (words !== "" && !(event.words_ ??= JSON.stringify(event).toLowerCase()).includes(words)) continue;
      shown += 1;
      const key = correlation ?? event.id;
      if (!groups.has(key)) groups.set(key, { key, correlation, events: [] });
      groups.get(key).events.push(event);
    }
    const order = [...groups.values()].reverse();
    page.update(order);
    only.hidden = wanted === null;
    only.firstElementChild.textContent = `Only: ${wanted}`;
    const all = state.events.length;
    const text = !state.loaded ? "Loading" : shown === all ? count(all, "event") : `${shown} of ${count(all, "event")}`;
    if (tally.textContent !== text) tally.textContent = text;
    clear.disabled = all === 0;
    const reason = !state.loaded || shown > 0 ? "" : all > 0 ? "filter" : "new";
    if (nothing.dataset.reason !== reason) {
      nothing.dataset.reason = reason;
      nothing.replaceChildren(...(reason === "" ? [] : [reason === "filter" ? empty("Nothing fits", h("p", null, "No event fits the search and the filter."))
        : empty("No events yet", h("p", null, "A sign-up publishes events. They appear here in the order in which they were put, each checked against its JSON schema."), h("a", { class: "button primary", href: "#/people" }, "Sign up a test person"))]));
    }
  }

  return {
    show([id]) {
      wanted = id ?? null;
      if (wanted !== null) {
        for (const event of state.events) {
          if ([event.id, event.detail?.eventId].includes(wanted)) open.add(event.id);
        }
      }
      update();
      if (wanted !== null) for (const details of list.querySelectorAll("details")) details.open = true;
    },
    update,
  };
}
