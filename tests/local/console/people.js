// The people of each contract, and the sign-up of test persons.

import { act, button, chip, confirm, contractsOf, copyButton, empty, facts, h, nameOf, search, select, setOptions, showDialog, time, toast } from "./dom.js";
import { Window, debounced } from "./list.js";
import { call, changed, onWork, operate, read, state } from "./store.js";

const contracts = () => contractsOf(state.health);

/** The contract that was chosen last. */
let chosen = "";

/** A choice of the contract and a button that signs a person up through the public API. */
export function seedForm() {
  const options = contracts();
  const field = select(options, { "aria-label": "Contract", onchange: () => { chosen = field.value; } });
  if (options.some(([name]) => name === chosen)) field.value = chosen;
  const go = button("Sign up a test person", () => act(go, async () => {
    const { people } = await call("POST", "seed", { people: [{ contract: field.value }] });
    state.signedUp = [...people, ...state.signedUp];
    changed();
    for (const person of people) {
      toast([`Signed up ${person.phone ?? person.email ?? person.id} in ${nameOf(person.contract)}. `, h("a", { href: "#/people" }, "Show the tokens")], "good");
    }
  }), { tone: "primary", mark: "user" });
  return h("div", { class: "seed" }, field, go);
}

const LABELS = { id: "User id", accessToken: "Access token", refreshToken: "Refresh token" };

const label = (name) => LABELS[name] ?? name.replace(/([A-Z])/g, " $1").replace(/_/g, " ").toLowerCase().replace(/^./, (first) => first.toUpperCase());

/** What the sign-up of a test person answered, each value with its copy button. */
function credentials(person) {
  const values = Object.entries(person).filter(([name, value]) => name !== "contract" && value !== null && value !== undefined && value !== "");
  return h("li", { class: "card" },
    h("header", null, h("h3", null, `${nameOf(person.contract)}: ${person.phone ?? person.email ?? person.id}`),
      button("Hide", () => {
        state.signedUp = state.signedUp.filter((other) => other !== person);
        changed();
      }, { tone: "quiet", "aria-label": `Hide ${person.phone ?? person.email ?? person.id}` })),
    h("dl", { class: "credentials" }, values.map(([name, value]) => {
      const text = typeof value === "object" ? JSON.stringify(value) : String(value);
      return h("div", null, h("dt", null, label(name)), h("dd", null, h("code", null, text), copyButton(text, "Copy", `Copy: ${label(name)}`)));
    })));
}

const nameIn = (profile = {}) => {
  const of = (...names) => names.map((name) => profile[name]).find((value) => typeof value === "string" && value !== "");
  const parts = [of("firstName", "first_name", "firstname"), of("lastName", "last_name", "lastname")].filter(Boolean).join(" ");
  return of("name", "username", "display_name") ?? (parts || null);
};

/** The identifier by which a developer knows a person. */
function mainOf({ identifiers = [], id }) {
  const kinds = ["phone", "email", "username"].map((kind) => identifiers.find((one) => one.kind === kind));
  return (kinds.find(Boolean) ?? identifiers[0])?.value ?? id;
}

/** The people whose details are open. */
const open = new Set();

const keyOf = (person) => `${person.contract}/${person.id}`;

function table(name, rows) {
  if (!rows?.length) return h("p", { class: "soft" }, `No ${name.toLowerCase()}.`);
  return h("ul", { class: "plain" }, rows.map((row) => h("li", null, facts(Object.entries(row)))));
}

/** What an operator does with a person, by the function `people`. */
function operatorActions(person, main, refresh) {
  const verb = (text, name, done, mark) => {
    const it = button(text, () => act(it, async () => {
      const answer = await operate(name, person);
      toast(done(answer));
      refresh();
    }), { mark, "aria-label": `${text}: ${main}` });
    return it;
  };
  const banned = person.status === "banned";
  const ban = banned ? verb("End the ban", "unban", () => `${main} can enter again.`, "user")
    : verb("Ban", "ban", () => `${main} is banned, and all sessions have ended.`, "ban");
  const erase = button("Erase", async () => {
    if (!(await confirm("Erase this person?", `Everything about ${main} in ${nameOf(person.contract)} will be erased, and consumers are told to do the same. This cannot be undone.`, "Erase"))) return;
    await act(erase, async () => {
      const { isComplete } = await operate("erase", person);
      toast(isComplete ? `${main} is erased.` : `${main} is erased, except what is being delivered. Erase again in a minute.`);
      refresh();
    });
  }, { tone: "danger", mark: "trash", "aria-label": `Erase ${main}` });
  const exported = button("Export", () => act(exported, async () => {
    const { stored } = await operate("export", person);
    const text = JSON.stringify(stored, null, 2);
    showDialog(`What is stored about ${main}`, h("pre", { tabindex: "0" }, text), [copyButton(text, "Copy", "Copy everything")]);
  }), { mark: "copy", "aria-label": `Export ${main}` });
  const explain = button("Why no message?", () => act(explain, async () => {
    const { explained } = await operate("explain", person);
    showDialog(`Why ${main} gets no message`, explained.map(({ recipient, findings }) => h("section", null, h("h3", null, recipient),
      h("ul", { class: "plain" }, findings.map(({ stops, sentence, next }) => h("li", null,
        h("p", { class: "inline" }, chip(stops ? "stops messages" : "known", stops ? "bad" : "good"), h("span", null, sentence)),
        h("p", { class: "soft" }, next)))))));
  }), { mark: "mail", "aria-label": `Why no message?: ${main}` });
  const past = button("What happened", () => act(past, async () => {
    const { history } = await operate("history", person);
    showDialog(`What happened to ${main} in 30 days`, history.length === 0 ? h("p", { class: "soft" }, "Nothing.")
      : h("ol", { class: "plain" }, history.map(({ at, ...rest }) => h("li", { class: "inline" }, time(at), facts(Object.entries(rest))))));
  }), { mark: "clock", "aria-label": `What happened: ${main}` });
  return h("section", null, h("h3", null, "As an operator"), h("div", { class: "actions" },
    explain, past, ban,
    verb("Sign out", "sign-out", ({ sessionsEnded }) => `Sessions ended: ${sessionsEnded}.`, "clock"),
    verb("Unlock", "unlock", () => `The pauses of ${main} have ended.`, "clock"),
    verb("Send again", "resend", ({ resent }) => `Sent again: ${resent.length}.`, "mail"),
    exported, erase));
}

function personCard(person, refresh) {
  const key = keyOf(person);
  const main = mainOf(person);
  const name = nameIn(person.profile);
  const path = `people/${encodeURIComponent(person.contract)}/${encodeURIComponent(person.id)}`;
  const expire = button("Expire codes and sessions", () => act(expire, async () => {
    await call("POST", `${path}/expire`);
    toast(`The codes and sessions of ${main} have ended.`);
    refresh();
  }), { mark: "clock" });
  const remove = button("Delete", async () => {
    if (!(await confirm("Delete this person?", `The items of ${main} in ${nameOf(person.contract)} will be deleted. This cannot be undone.`, "Delete"))) return;
    await act(remove, async () => {
      await call("DELETE", path);
      toast(`${main} is deleted.`);
      refresh();
    });
  }, { tone: "danger", mark: "trash", "aria-label": `Delete ${main}` });
  const details = h("details", { open: open.has(key), ontoggle: () => details.open ? open.add(key) : open.delete(key) },
    h("summary", null,
      h("span", { class: "who" }, h("h2", null, main), name && h("span", { class: "soft" }, name)),
      chip(nameOf(person.contract)), chip(person.status ?? "unknown", person.status === "verified" ? "good" : person.status === "banned" ? "bad" : "warn"),
      time(person.createdAt)),
    h("div", { class: "person" },
      h("section", null, h("h3", null, "Profile"), facts([["User id", person.id], ...Object.entries(person.profile ?? {})])),
      h("section", null, h("h3", null, "Identifiers"), person.identifiers?.length ? h("ul", { class: "plain" }, person.identifiers.map(({ kind, value, verified }) =>
        h("li", { class: "inline" }, h("span", { class: "soft" }, kind), h("span", null, value), verified === undefined || verified === null ? null : chip(verified ? "verified" : "not verified", verified ? "good" : "warn")))) : h("p", { class: "soft" }, "No identifiers.")),
      h("section", null, h("h3", null, "Sessions"), table("Sessions", person.sessions)),
      h("section", null, h("h3", null, "Devices"), table("Devices", person.devices)),
      h("section", null, h("h3", null, "History"), person.history?.length ? h("ol", { class: "plain" }, person.history.map(({ at, what, correlationId }) =>
        h("li", { class: "inline" }, time(at), h("span", null, what), correlationId && h("a", { href: `#/events/${encodeURIComponent(correlationId)}` }, "Events")))) : h("p", { class: "soft" }, "No history.")),
      operatorActions(person, main, refresh),
      h("div", { class: "actions" }, expire, remove)));
  return h("li", { class: "card" }, details);
}

export const title = "People";

export function mount(root) {
  let people = null;
  const field = search("Search people", () => update());
  const contract = select([["", "All contracts"]], { "aria-label": "Filter by contract", onchange: () => update() });
  const tally = h("p", { class: "soft", role: "status" });
  const fresh = h("section", { "aria-label": "Signed up just now" });
  const list = h("ul", { class: "cards", "aria-label": "People" });
  const nothing = h("div");
  const page = new Window(list, 50, "people", { key: keyOf, signature: JSON.stringify, create: (person) => personCard(person, refresh) });
  const seed = h("div");
  root.append(
    h("div", { class: "heading" }, h("h1", { tabindex: "-1" }, "People"), tally),
    h("div", { class: "toolbar" }, field, contract, h("span", { class: "grow" }), seed),
    fresh, nothing, list, page.controls);

  async function refresh() {
    try {
      ({ people } = await read("people"));
    } catch (problem) {
      people ??= [];
      toast(problem.message, "bad");
    }
    update();
  }

  function update() {
    if (seed.dataset.contracts !== JSON.stringify(contracts())) {
      seed.dataset.contracts = JSON.stringify(contracts());
      seed.replaceChildren(seedForm());
      setOptions(contract, [["", "All contracts"], ...contracts()]);
    }
    if (fresh.shown !== state.signedUp) {
      fresh.shown = state.signedUp;
      fresh.replaceChildren(...(state.signedUp.length === 0 ? [] : [h("h2", null, "Signed up just now"), h("ul", { class: "cards" }, state.signedUp.map(credentials))]));
    }
    if (people === null) return;
    const words = field.value.trim().toLowerCase();
    const order = contracts().map(([name]) => name);
    const shown = people.filter((person) => (contract.value === "" || person.contract === contract.value) && (words === "" || JSON.stringify(person).toLowerCase().includes(words)))
      .sort((a, b) => order.indexOf(a.contract) - order.indexOf(b.contract) || (a.createdAt < b.createdAt ? 1 : -1));
    page.update(shown);
    const by = order.map((name) => [nameOf(name), people.filter((person) => person.contract === name).length]).filter(([, number]) => number > 0);
    const text = people.length === 0 ? "No people" : by.map(([name, number]) => `${name} ${number}`).join(", ");
    if (tally.textContent !== text) tally.textContent = text;
    const reason = shown.length > 0 ? "" : people.length > 0 ? "filter" : "new";
    if (nothing.dataset.reason !== reason) {
      nothing.dataset.reason = reason;
      nothing.replaceChildren(...(reason === "" ? [] : [reason === "filter" ? empty("Nothing fits", h("p", null, "No person has this text and this contract."))
        : empty("No people yet", h("p", null, "Choose a contract above and press “Sign up a test person”. The person signs up through the public API, so a message, events and requests appear as well."))]));
    }
  }

  refresh();
  const stop = onWork(debounced(refresh));
  return { show() {}, update, unmount: stop };
}

