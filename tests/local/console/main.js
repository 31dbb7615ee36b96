// The frame of the console: header, navigation, and one page at a time.

import { act, announce, button, chip, confirm, copyButton, count, facts, h, icon, nameOf, span, toast } from "./dom.js";
import * as events from "./events.js";
import * as faults from "./faults.js";
import * as inbox from "./inbox.js";
import * as limits from "./limits.js";
import * as people from "./people.js";
import * as requests from "./requests.js";
import * as tables from "./tables.js";
import { call, changed, connect, load, onArrival, onChange, state } from "./store.js";

const PAGES = { inbox, people, requests, events, tables, faults, limits };

const main = document.getElementById("main");
const by = (id) => document.getElementById(id);

let current = null;
let unseen = 0;

function setTitle() {
  document.title = `${unseen > 0 ? `(${unseen}) ` : ""}${PAGES[current.name].title} – Latchkey`;
}

/** Shows the page that the address names. */
function route() {
  const [name, ...rest] = location.hash.replace(/^#\/?/, "").split("/");
  const parameters = rest.filter(Boolean).map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  const known = Object.hasOwn(PAGES, name) ? name : "inbox";
  const first = current === null;
  const moved = current?.name !== known;
  if (moved) {
    current?.page.unmount?.();
    main.replaceChildren();
    const root = h("div", { class: `page ${known}` });
    main.append(root);
    current = { name: known, page: PAGES[known].mount(root) };
    for (const anchor of document.querySelectorAll("#nav a")) {
      if (anchor.hash === `#/${known}`) anchor.setAttribute("aria-current", "page");
      else anchor.removeAttribute("aria-current");
    }
    scrollTo(0, 0);
  }
  current.page.show(parameters);
  current.page.update();
  setTitle();
  if (moved && !first) main.querySelector("h1")?.focus({ preventScroll: true });
}

function badge(page, number, name, tone = "") {
  const place = document.querySelector(`#nav a[href="#/${page}"] .badge`);
  const text = number > 999 ? "999+" : String(number);
  const signature = `${text} ${tone}`;
  if (place.dataset.signature === signature) return;
  place.dataset.signature = signature;
  place.className = `badge ${tone}`;
  place.hidden = number === 0;
  place.replaceChildren(text, h("span", { class: "sr" }, ` ${name}`));
}

/** Replaces the content of an element if its signature has changed. */
function fill(element, signature, content) {
  if (element.dataset.signature === signature) return;
  element.dataset.signature = signature;
  element.replaceChildren(...[content()].flat(Infinity).filter(Boolean));
}

const isAddress = (value) => typeof value === "string" && /^https?:\/\//.test(value);

const CONNECTIONS = { connecting: ["Connecting", ""], live: ["Live", "good"], reconnecting: ["Reconnecting", "warn"] };

function header() {
  const { health, clock, connection, build, problems } = state;
  fill(by("connection"), connection, () => chip(CONNECTIONS[connection][0], `dot ${CONNECTIONS[connection][1]}`));
  const offset = Math.round((clock?.offsetMs ?? 0) / 1000);
  fill(by("health"), JSON.stringify([health, offset]), () => health && [
    h("code", { class: "api" }, health.api), copyButton(health.api, "Copy", "Copy the address of the API", "small"),
    chip(health.data ? `data in ${health.data}` : "in memory", "", health.data ? "The data is kept between runs." : "The data ends with the stack."),
    health.limits === "off" && chip("limits off", "warn", "No limit is counted."),
    offset !== 0 && h("a", { href: "#/faults", class: "chip warn" }, `clock ${offset > 0 ? "+" : ""}${span(offset * 1000)}`),
  ]);
  fill(by("stack"), JSON.stringify(health), () => health && facts([
    ...Object.entries(health).filter(([, value]) => isAddress(value)).map(([name, value]) => [
      { api: "API", dynamodb: "DynamoDB" }[name] ?? name, h("span", { class: "inline" }, h("code", null, value), copyButton(value, "Copy", `Copy: ${name}`, "small"))]),
    ...Object.entries(health.links ?? {}).filter(([, value]) => isAddress(value) || String(value).startsWith("/")).map(([name, value]) => [name, h("a", { href: value }, value)]),
    ["Version", health.version], ["Contracts", (health.contracts ?? []).map(nameOf).join(", ")],
    ["Functions", health.functions?.length], ["Limits", health.limits], ["Data", health.data ?? "in memory"],
    ["As JSON", ["health", "calls", "tables", "clock"].map((page) => [h("a", { href: `/_local/${page}` }, page), " "])],
  ]));
  const failed = build?.status === "failed";
  fill(by("build"), JSON.stringify(build), () => failed ? [h("h2", null, "The build failed"), h("p", null, "The functions of the last build still answer."), h("pre", { class: "code" }, build.message ?? "")]
    : build?.status === "building" ? h("p", null, "Building the functions") : null);
  by("build").className = failed ? "banner bad" : "banner";
  by("build").hidden = !failed && build?.status !== "building";
  fill(by("problems"), JSON.stringify([problems, connection === "reconnecting"]), () => problems.length > 0 && [h("p", null, problems.join(" ")), button("Try again", (event) => act(event.currentTarget, load))]);
  by("problems").hidden = problems.length === 0;
  badge("inbox", state.inbox.length, "entries");
  badge("requests", state.requests.length, "requests");
  badge("events", state.events.length, "events");
  badge("faults", state.faults.length, "active faults", "bad");
}

/** What arrived since the last announcement. */
let arrived = [];

onArrival((entry) => {
  if (document.hidden) {
    unseen += 1;
    setTitle();
  }
  if (arrived.length === 0) setTimeout(announceArrivals, 800);
  arrived.push(entry);
});

function announceArrivals() {
  const entries = arrived;
  arrived = [];
  const [{ kind, item }] = entries;
  if (entries.length > 1) announce(count(entries.length, "new message"));
  else if (kind === "withheld") announce(`A code to ${item.to} was withheld: ${item.reason}`);
  else announce(`New ${kind} to ${item.to}${item.code ? `, code ${[...item.code].join(" ")}` : item.subject ? `: ${item.subject}` : ""}`);
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) {
    unseen = 0;
    setTitle();
  }
});

by("delete-all").addEventListener("click", async (event) => {
  const element = event.currentTarget;
  if (!(await confirm("Delete all data?", "All tables, messages, events and requests will be deleted, with all faults and the clock’s offset. The stack keeps running.", "Delete all data"))) return;
  await act(element, async () => {
    await call("DELETE", "state");
    state.signedUp = [];
    await load();
    changed();
    toast("All data is deleted.");
  });
});

// A menu closes when the focus or a click goes elsewhere.
const menu = by("menu");
document.addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false; });
menu.addEventListener("focusout", (event) => { if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false; });
menu.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

// `#main` is no page: the link leads to the content.
by("skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.querySelector("h1")?.focus();
});

by("delete-all").prepend(icon("trash"));
addEventListener("hashchange", route);
onChange(() => {
  header();
  current.page.update();
});
route();
header();
connect();
