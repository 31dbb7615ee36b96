// Elements, copying, dialogs and announcements. Every text of the data becomes a text node.

/** Makes an element. `on…` properties are listeners, `class` and names with a dash are attributes. */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked" || name === "htmlFor") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

const ICONS = {
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  check: "M5 12.5l4.5 4.5L19 7.5",
  open: "M14 4h6v6M20 4l-9 9M18 14v6H4V6h6",
  text: "M4 5h16v11H9l-5 4z",
  mail: "M3 6h18v13H3zM3 7l9 6 9-6",
  ban: "M12 3a9 9 0 1 0 0 18 9 9 0 1 0 0-18M5.8 5.8l12.4 12.4",
  user: "M12 4a4 4 0 1 0 0 8 4 4 0 1 0 0-8M4 21c0-4 3.5-6 8-6s8 2 8 6",
  back: "M19 12H5M11 6l-6 6 6 6",
  close: "M6 6l12 12M18 6L6 18",
  trash: "M4 7h16M9 7V4h6v3M6 7l1 14h10l1-14",
  bolt: "M13 2L4 14h7l-1 8 9-12h-7z",
  clock: "M12 3a9 9 0 1 0 0 18 9 9 0 1 0 0-18M12 7v5l3 2",
};

/** An icon without a name: the text beside it says what it means. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

export const CONTRACTS = { gotu: "Gotu", goodcity: "GoodCity", urbanfits: "UrbanFits", posbytz: "PosBytz" };

/** The contracts of the stack, in the order of the documents. */
export function contractsOf(health) {
  const known = Object.keys(CONTRACTS);
  const there = health?.contracts ?? known;
  const names = [...known.filter((name) => there.includes(name)), ...there.filter((name) => !known.includes(name))];
  return names.map((name) => [name, nameOf(name)]);
}

export const nameOf = (contract) => CONTRACTS[contract] ?? contract;

/** "1 text", "2 texts". */
export const count = (number, noun) => `${format(number)} ${noun}${number === 1 ? "" : "s"}`;

const numbers = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
export const format = (number) => numbers.format(number);

export const milliseconds = (value) =>
  value === null || value === undefined ? "–" : value >= 10000 ? `${format(value / 1000)} s` : `${format(value)} ms`;

const times = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const dates = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const days = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", year: "numeric" });

/** A point in time: the time of the day, with the date if that is another day. */
export function time(iso) {
  const at = new Date(iso);
  if (iso === null || iso === undefined || Number.isNaN(at.getTime())) return h("span", null, "–");
  const today = at.toDateString() === new Date().toDateString();
  const text = today ? times.format(at) : `${dates.format(at)} ${times.format(at)}`;
  return h("time", { datetime: at.toISOString(), title: at.toISOString() }, text);
}

export const longTime = (date) => `${days.format(date)}, ${times.format(date)}`;

/** A difference of times: "6 min", "−1 day 2 h". */
export function span(ms) {
  const sign = ms < 0 ? "−" : "";
  let rest = Math.round(Math.abs(ms) / 1000);
  const parts = [];
  for (const [seconds, unit] of [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]]) {
    const whole = Math.floor(rest / seconds);
    rest -= whole * seconds;
    if (whole > 0) parts.push(`${whole} ${unit}`);
  }
  return sign + (parts.slice(0, 2).join(" ") || "0 s");
}

const regions = new Intl.DisplayNames("en", { type: "region" });

/** The name of a country, or null. */
export function country(code) {
  try {
    return code ? regions.of(code) : null;
  } catch {
    return code;
  }
}

/** A short label with a tone: good, warn, bad, accent or none. */
export const chip = (text, tone = "", title = undefined) =>
  h("span", { class: `chip ${tone}`, title }, text);

export function statusChip(status) {
  if (status === null || status === undefined) return chip("running");
  const tone = status >= 500 ? "bad" : status >= 400 ? "warn" : "good";
  return chip(String(status), tone);
}

const TOKENS = /("(?:\\.|[^"\\])*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** A larger text is shown without colours. */
const MOST_COLOURED = 200_000;

/** JSON in lines, with colours. */
export function json(value) {
  const text = JSON.stringify(value, null, 2) ?? "";
  const pre = h("pre", { class: "code" });
  if (text.length > MOST_COLOURED) {
    pre.append(text);
    return pre;
  }
  let from = 0;
  for (const match of text.matchAll(TOKENS)) {
    const [all, string, colon] = match;
    const kind = colon ? "key" : string ? "string" : "atom";
    const token = colon ? string : all;
    pre.append(text.slice(from, match.index), h("span", { class: kind }, token));
    from = match.index + token.length;
  }
  pre.append(text.slice(from));
  return pre;
}

/** A body: JSON in lines if it is JSON, otherwise as it is. */
export function body(text, isBase64) {
  if (text === null || text === undefined || text === "") return h("p", { class: "soft" }, "No body.");
  if (isBase64) return [h("p", { class: "soft" }, "Binary, as base64:"), h("pre", { class: "code" }, text)];
  try {
    return json(JSON.parse(text));
  } catch {
    return h("pre", { class: "code" }, text);
  }
}

/** Names and values. */
export function facts(pairs) {
  return h("dl", { class: "facts" }, pairs.filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, ofName(name, value)))));
}

/** Items count seconds since 1970 in what ends in "at" or "since". */
const ofName = (name, value) =>
  typeof value === "number" && value > 1e9 && /(_at|_since)$/.test(name) ? time(new Date(value * 1000).toISOString()) : plain(value);

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/** A value as it is shown: an element as it is, a time as a time, and an object as JSON. */
export const plain = (value) =>
  typeof value === "string" && ISO.test(value) ? time(value) : value instanceof Node || Array.isArray(value) && value.some((part) => part instanceof Node) ? value
    : typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);

/** A button. The text is its name. */
export const button = (text, onclick, { tone = "", mark = null, ...props } = {}) =>
  h("button", { type: "button", class: `button ${tone}`, onclick, ...props }, mark && icon(mark), h("span", null, text));

/** Copies a text, in the old way where the page has no right to the clipboard. */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const focused = document.activeElement;
    const field = h("textarea", { class: "hidden", "aria-hidden": "true", tabindex: "-1" });
    field.value = text;
    // Behind a modal dialog nothing can be selected.
    (document.querySelector("dialog[open]") ?? document.body).append(field);
    field.select();
    const copied = document.execCommand("copy");
    field.remove();
    focused?.focus();
    return copied;
  }
}

/** A button that copies a text. `name` is what assistive technology hears. */
export function copyButton(text, label, name, tone = "") {
  const shown = h("span", null, label);
  let mark = icon("copy");
  const element = h("button", { type: "button", class: `button ${tone}`, "aria-label": name }, shown, mark);
  const show = (next) => {
    mark.replaceWith(next);
    mark = next;
  };
  let timer;
  element.addEventListener("click", async (event) => {
    event.preventDefault();
    if (!(await copy(text))) {
      showText("Copy this text", text);
      return;
    }
    announce("Copied");
    show(icon("check"));
    element.classList.add("done");
    clearTimeout(timer);
    timer = setTimeout(() => {
      element.classList.remove("done");
      show(icon("copy"));
    }, 1500);
  });
  return element;
}

/** A command with a button that copies it. */
export const command = (text) =>
  h("div", { class: "command" }, h("pre", { class: "code" }, text), copyButton(text, "Copy", "Copy the command"));

const liveRegion = document.getElementById("announcements");

/** Tells assistive technology, when it is idle. */
export function announce(text) {
  liveRegion.textContent = "";
  requestAnimationFrame(() => { liveRegion.textContent = text; });
}

const toasts = document.getElementById("toasts");

/** Shows a short text for some seconds, or an error until it is closed. */
export function toast(content, tone = "") {
  const close = button("Close", () => element.remove(), { tone: "quiet" });
  const element = h("div", { class: `toast ${tone}` }, h("p", null, content), close);
  toasts.append(element);
  while (toasts.children.length > 3) toasts.firstElementChild.remove();
  if (tone !== "bad") setTimeout(() => element.remove(), 8000);
}

/** Runs an action of a button: it is busy meanwhile, and a failure is shown. */
export async function act(element, action) {
  if (element?.getAttribute("aria-busy") === "true") return undefined;
  element?.setAttribute("aria-busy", "true");
  try {
    return await action();
  } catch (problem) {
    toast(problem.message, "bad");
    return undefined;
  } finally {
    element?.removeAttribute("aria-busy");
  }
}

const dialog = document.getElementById("dialog");
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
});

/** Opens the dialog. Closing gives the focus back, which `<dialog>` does itself. */
export function showDialog(title, content, buttons = []) {
  const close = button("Close", () => dialog.close(), { tone: "quiet", mark: "close" });
  dialog.replaceChildren(h("div", { class: "sheet" },
    h("header", null, h("h2", { id: "dialog-title" }, title), close),
    h("div", { class: "content" }, content),
    buttons.length > 0 && h("footer", null, buttons)));
  dialog.showModal();
}

function showText(title, text) {
  const field = h("textarea", { class: "field", readonly: true, rows: "6", "aria-label": title });
  field.value = text;
  showDialog(title, field);
  field.select();
}

/** Asks before something is deleted. */
export function confirm(title, text, action) {
  return new Promise((resolve) => {
    let yes = false;
    const cancel = button("Cancel", () => dialog.close(), { autofocus: true });
    const go = button(action, () => {
      yes = true;
      dialog.close();
    }, { tone: "danger" });
    dialog.addEventListener("close", () => resolve(yes), { once: true });
    showDialog(title, h("p", null, text), [cancel, go]);
    cancel.focus();
  });
}

let fields = 0;

/** A field with its label. */
export function labelled(text, field, hint = null) {
  fields += 1;
  field.id ||= `field-${fields}`;
  return h("div", { class: "labelled" }, h("label", { htmlFor: field.id, for: field.id }, text), field, hint);
}

export const select = (options, props = {}) =>
  h("select", { class: "field", ...props }, options.map(([value, text]) => h("option", { value }, text)));

/** Replaces the options of a select and keeps its value if that is still there. */
export function setOptions(field, options) {
  const signature = JSON.stringify(options);
  if (field.dataset.options === signature) return;
  field.dataset.options = signature;
  const { value } = field;
  field.replaceChildren(...options.map(([option, text]) => h("option", { value: option }, text)));
  if (options.some(([option]) => option === value)) field.value = value;
}

export const search = (name, oninput) =>
  h("input", { type: "search", class: "field search", placeholder: name, "aria-label": name, autocomplete: "off", spellcheck: "false", oninput });

/** What an empty page says. */
export const empty = (title, ...content) => h("div", { class: "empty" }, h("h2", null, title), content);
