// The inbox: texts, mails and withheld codes.

import { act, button, chip, command, copyButton, count, country, empty, facts, h, icon, nameOf, plain, search, time, toast } from "./dom.js";
import { Window } from "./list.js";
import { seedForm } from "./people.js";
import { call, changed, load, state } from "./store.js";

const KINDS = [["", "All"], ["text", "Texts"], ["mail", "Mails"], ["withheld", "Withheld"]];

/** The number of entries in the document. */
const SIZE = 50;

/** The example of an empty inbox. */
const example = () =>
  `curl -s ${state.health?.api ?? location.origin}/otp \\\n  -d '{"identifier":"+6282243350992","otpType":"sign_up"}'`;

const link = (item) => `#/inbox/${encodeURIComponent(item.id)}`;

export const requestLink = (id, text = "Request") =>
  id && h("a", { class: "button quiet", href: `#/requests/${encodeURIComponent(id)}` }, text);

/** Only addresses of the web can be opened: a mail could name a script. */
const isWeb = (address) => /^https?:\/\//i.test(address);

function actions(message) {
  return h("div", { class: "actions" },
    message.code && copyButton(message.code, message.code, `Copy the code ${message.code}`, "big"),
    message.link && [
      isWeb(message.link) && h("a", { class: "button accent", href: message.link, target: "_blank", rel: "noreferrer noopener" }, icon("open"), h("span", null, "Open link")),
      copyButton(message.link, "Copy link", "Copy link"),
    ]);
}

/** The text of a message, with its code marked. */
function marked(text, code) {
  const at = code ? text.indexOf(code) : -1;
  return at < 0 ? [text] : [text.slice(0, at), h("mark", null, code), text.slice(at + code.length)];
}

function place(message) {
  const name = country(message.country);
  return name && h("span", { class: "place" }, chip(message.country), ` ${name}`);
}

const encoding = (message) =>
  message.segments !== null && message.segments !== undefined && `${count(message.segments, "segment")}${message.encoding ? `, ${message.encoding}` : ""}`;

function card({ kind, item }) {
  if (kind === "withheld") return withheldCard(item);
  const isMail = kind === "mail";
  const text = isMail ? item.body.replace(/\s+/g, " ").slice(0, 180) : item.body;
  return h("li", { class: `card message ${kind}`, "data-id": item.id },
    h("header", null, icon(isMail ? "mail" : "text"),
      h("h2", null, h("a", { href: link(item) }, h("span", { class: "sr" }, isMail ? "Mail to " : "Text to "), item.to)),
      place(item), time(item.sentAt)),
    h("div", { class: "content" },
      h("div", null,
        isMail && h("p", { class: "subject" }, item.subject ?? "(no subject)"),
        h("p", { class: isMail ? "excerpt" : "bubble" }, marked(text, item.code))),
      actions(item)),
    h("footer", null,
      item.from && h("span", null, h("span", { class: "soft" }, "From "), item.from),
      item.carrier && chip(item.carrier),
      !isMail && encoding(item) && h("span", { class: "soft" }, encoding(item)),
      h("span", { class: "grow" }),
      isMail && h("a", { class: "button quiet", href: link(item) }, "Show mail"),
      requestLink(item.requestId)));
}

const purposeOf = (purpose) => String(purpose ?? "").replace(/_/g, " ");

function withheldCard(item) {
  return h("li", { class: "card message withheld", "data-id": item.id },
    h("header", null, icon("ban"), h("h2", null, h("span", { class: "sr" }, "Withheld code to "), item.to),
      chip("withheld", "warn"), time(item.at)),
    h("p", null, "No code was sent to ", purposeOf(item.purpose), ": ", h("strong", null, item.reason), "."),
    h("footer", null, chip(nameOf(item.contract)), h("span", { class: "grow" }), requestLink(item.requestId)));
}

/** The whole message. */
function detail({ kind, item }) {
  const isMail = kind === "mail";
  return [
    h("header", { class: "bar" }, h("a", { class: "button quiet", href: "#/inbox" }, icon("back"), h("span", null, "Back to the list")), requestLink(item.requestId, "Show its request")),
    h("h2", { tabindex: "-1" }, isMail ? item.subject ?? "(no subject)" : `Text to ${item.to}`),
    facts([
      ["To", item.to], ["From", item.from], ["Sent", time(item.sentAt)],
      ["Country", country(item.country) && `${country(item.country)} (${item.country})`],
      ["Length", !isMail && encoding(item) || null], ["Carrier", item.carrier],
    ]),
    actions(item),
    isMail ? mail(item) : h("p", { class: "bubble" }, marked(item.body, item.code)),
    item.attributes && [h("h3", null, "Attributes"), facts(Object.entries(item.attributes).map(([name, value]) =>
      [name, plain(value?.StringValue ?? value?.stringValue ?? value)]))],
    facts([["Message id", item.id], ["Correlation id", item.correlationId]]),
  ];
}

/** How wide a mail is shown; it stays from one mail to the next. */
let view = "phone";

function mail(item) {
  const stage = h("div", { class: "stage" });
  const views = [["phone", "Phone"], ["desktop", "Desktop"], ["plain", "Plain text"]].filter(([name]) => item.html || name === "plain");
  const show = () => {
    const shown = item.html ? view : "plain";
    stage.className = `stage ${shown}`;
    if (shown === "plain") {
      stage.replaceChildren(h("pre", { class: "letter" }, item.body));
    } else if (stage.firstElementChild?.tagName !== "IFRAME") {
      stage.replaceChildren(h("iframe", { sandbox: "", src: `/_local/messages/${encodeURIComponent(item.id)}/html`, title: `The mail “${item.subject ?? ""}”`, referrerpolicy: "no-referrer" }));
    }
  };
  const choice = segments("Show the mail as", "view", views, item.html ? view : "plain", (value) => {
    view = value;
    show();
  });
  show();
  return [choice, stage];
}

let groups = 0;

/** A choice of one, as radio buttons. */
export function segments(name, kind, options, value, onchange) {
  groups += 1;
  return h("fieldset", { class: `segments ${kind}` }, h("legend", { class: "sr" }, name),
    options.map(([option, text]) => h("label", null,
      h("input", { type: "radio", name: `segments-${groups}`, value: option, checked: option === value, onchange: () => onchange(option) }),
      h("span", null, text))));
}

export const title = "Inbox";

export function mount(root) {
  let kind = "";
  let selected = null;
  const field = search("Search messages", () => update());
  const tally = h("p", { class: "soft", role: "status" });
  const clear = button("Clear", () => act(clear, async () => {
    await call("DELETE", "messages");
    state.inbox = [];
    changed();
    await load();
    toast("The messages are cleared.");
  }), { mark: "trash" });
  const list = h("ul", { class: "cards", "aria-label": "Messages, newest first" });
  const nothing = h("div");
  const pane = h("section", { class: "pane", "aria-label": "Selected message", hidden: true });
  const page = new Window(list, SIZE, "messages", { key: (entry) => entry.id, create: card });
  const split = h("div", { class: "split" }, h("div", { class: "column" }, nothing, list, page.controls), pane);
  root.append(
    h("div", { class: "heading" }, h("h1", { tabindex: "-1" }, "Inbox"), tally),
    h("div", { class: "toolbar" }, field, segments("Channel", "channel", KINDS, kind, (value) => {
      kind = value;
      update();
    }), clear),
    split);

  function update() {
    const words = field.value.trim().toLowerCase();
    const shown = [];
    for (let at = state.inbox.length - 1; at >= 0; at -= 1) {
      const entry = state.inbox[at];
      if ((kind === "" || entry.kind === kind) && (words === "" || entry.words.includes(words))) shown.push(entry);
    }
    page.update(shown);
    const all = state.inbox.length;
    const text = !state.loaded ? "Loading" : shown.length === all ? count(all, "entry").replace("entrys", "entries") : `${count(shown.length, "entry").replace("entrys", "entries")} of ${all}`;
    if (tally.textContent !== text) tally.textContent = text;
    clear.disabled = all === 0;
    const reason = !state.loaded || shown.length > 0 ? "" : all > 0 ? "filter" : `new ${state.health?.api}`;
    if (nothing.dataset.reason !== reason) {
      nothing.dataset.reason = reason;
      nothing.replaceChildren(...(reason === "" ? [] : [all > 0
        ? empty("Nothing fits", h("p", null, "No message has this text and this channel."), button("Show all messages", showAll))
        : empty("No messages yet", h("p", null, "Texts and mails that the functions send appear here at once. Sign up a test person, or ask for a code:"),
          seedForm(), command(example()))]));
    }
    showSelected();
  }

  function showAll() {
    field.value = "";
    root.querySelector(".channel input").click();
    update();
    field.focus();
  }

  function showSelected() {
    const entry = selected === null ? null : state.inbox.find((entry) => entry.id === selected && entry.kind !== "withheld");
    const key = selected === null ? "" : entry ? entry.id : `absent ${state.loaded}`;
    root.classList.toggle("selected", selected !== null);
    for (const card of list.children) {
      const current = card.dataset.id === selected;
      card.classList.toggle("current", current);
      const anchor = card.querySelector("h2 a");
      if (current) anchor?.setAttribute("aria-current", "true");
      else anchor?.removeAttribute("aria-current");
    }
    if (pane.dataset.key === key) return;
    pane.dataset.key = key;
    pane.hidden = selected === null;
    pane.replaceChildren(...(entry ? detail(entry) : selected !== null && state.loaded
      ? [h("a", { class: "button quiet", href: "#/inbox" }, icon("back"), h("span", null, "Back to the list")), empty("This message is gone", h("p", null, "It was cleared."))] : []).flat(Infinity).filter(Boolean));
    pane.querySelector("h2")?.focus({ preventScroll: true });
    if (entry) pane.scrollTop = 0;
  }

  return {
    show([id]) {
      const left = selected;
      selected = id ?? null;
      update();
      if (left !== null && selected === null) list.querySelector(`[data-id="${CSS.escape(left)}"] a`)?.focus();
    },
    update,
  };
}
