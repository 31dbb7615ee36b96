// The tables of the database.

import { button, command, copyButton, count, empty, h, json, labelled, search, select, setOptions, showDialog, toast } from "./dom.js";
import { Window, debounced } from "./list.js";
import { onWork, read, state } from "./store.js";

/** The names of keys, which come first. */
const KEYS = ["pk", "sk", "id", "user_id", "realm", "kind"];

/** The most columns of a table; an item has the rest. */
const MOST_COLUMNS = 16;

function columnsOf(items) {
  const counts = new Map();
  for (const item of items) for (const name of Object.keys(item)) counts.set(name, (counts.get(name) ?? 0) + 1);
  const rank = (name) => { const at = KEYS.indexOf(name); return at < 0 ? KEYS.length : at; };
  return [...counts].sort((a, b) => rank(a[0]) - rank(b[0]) || b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([name]) => name);
}

const cellText = (value) => value === undefined ? "" : typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);

/** The most characters of a cell. */
const CELL = 120;

export const title = "Tables";

/** The table that was shown last. */
let last = "Users";

export function mount(root) {
  let name = last;
  let items = null;
  let columns = [];
  let tables = [];
  const picker = select([[name, name]], { onchange: () => { location.hash = `#/tables/${encodeURIComponent(picker.value)}`; } });
  const field = search("Search items", () => update());
  const tally = h("p", { class: "soft", role: "status" });
  const head = h("tr");
  const rows = h("tbody");
  const box = h("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": "Items" }, h("table", { class: "data" }, h("thead", null, head), rows));
  const nothing = h("div");
  const page = new Window(rows, 50, "items", { key: (entry) => entry.key, signature: (entry) => entry.text + columns.join(), create: row });
  root.append(
    h("div", { class: "heading" }, h("h1", { tabindex: "-1" }, "Tables"), tally),
    h("div", { class: "toolbar" }, labelled("Table", picker), field),
    nothing, box, page.controls);

  function row(entry) {
    const open = () => showDialog(`Item of ${name}`, [copyButton(JSON.stringify(entry.item, null, 2), "Copy JSON", "Copy the JSON"), json(entry.item)]);
    const cells = columns.slice(0, MOST_COLUMNS).map((column, at) => {
      const text = cellText(entry.item[column]);
      const short = text.length > CELL ? `${text.slice(0, CELL)}…` : text;
      return at === 0 ? h("th", { scope: "row" }, h("button", { type: "button", class: "link", "aria-label": `Show the item ${short}` }, short || "(empty)")) : h("td", null, short);
    });
    return h("tr", { class: "link-row", onclick: open }, cells);
  }

  async function refresh() {
    const asked = name;
    try {
      if (tables.length === 0) ({ tables } = await read("tables"));
      const answer = await read(`tables/${encodeURIComponent(asked)}`);
      if (asked !== name) return;
      const seen = new Map();
      items = answer.items.map((item) => {
        const text = JSON.stringify(item);
        const number = (seen.get(text) ?? 0) + 1;
        seen.set(text, number);
        return { item, text, words: text.toLowerCase(), key: `${number} ${text}` };
      });
    } catch (problem) {
      if (asked !== name) return;
      items = [];
      toast(problem.message, "bad");
    }
    columns = columnsOf(items.map((entry) => entry.item));
    update();
  }

  function update() {
    setOptions(picker, (tables.length > 0 ? tables : [name]).map((table) => [table, table]));
    picker.value = name;
    if (items === null) return;
    if (head.dataset.columns !== columns.join()) {
      head.dataset.columns = columns.join();
      head.replaceChildren(...columns.slice(0, MOST_COLUMNS).map((column) => h("th", { scope: "col" }, column)));
    }
    const words = field.value.trim().toLowerCase();
    const shown = words === "" ? items : items.filter((entry) => entry.words.includes(words));
    page.update(shown);
    box.hidden = shown.length === 0;
    box.setAttribute("aria-label", `Items of ${name}`);
    const text = shown.length === items.length ? count(items.length, "item") : `${shown.length} of ${count(items.length, "item")}`;
    if (tally.textContent !== text) tally.textContent = text;
    const reason = shown.length > 0 ? "" : items.length > 0 ? "filter" : `new ${name}`;
    if (nothing.dataset.reason !== reason) {
      nothing.dataset.reason = reason;
      nothing.replaceChildren(...(reason === "" ? [] : [reason === "filter" ? empty("Nothing fits", h("p", null, "No item of this table has this text."), button("Show all items", () => {
        field.value = "";
        update();
        field.focus();
      })) : empty(`${name} has no items`, h("p", null, "Items appear here as soon as a request writes them. Any AWS client can read and write the tables too:"),
        command(`AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1 \\\n  aws dynamodb list-tables --endpoint-url ${state.health?.dynamodb ?? "URL"}`))]));
    }
  }

  const stop = onWork(debounced(refresh, 500));
  return {
    show([id]) {
      name = id ?? last;
      last = name;
      items = null;
      refresh();
    },
    update,
    unmount: stop,
  };
}
