// The limits, what is left of each, and the codes that were withheld because of them.

import { chip, contractsOf, count, empty, format, h, icon, nameOf, search, select, setOptions, time, toast } from "./dom.js";
import { Window, debounced, reconcile } from "./list.js";
import { requestLink } from "./inbox.js";
import { onWork, read, state } from "./store.js";

/** Gives each limit a key. Subjects are cut, so two of them can look the same. */
function keyed(limits) {
  const seen = new Map();
  return limits.map((limit) => {
    const name = [limit.contract, limit.what, limit.subject, limit.counter].join("\n");
    seen.set(name, (seen.get(name) ?? 0) + 1);
    return { ...limit, key: `${name}\n${seen.get(name)}` };
  });
}

function item(limit) {
  const name = `${nameOf(limit.contract)}: ${limit.what} ${limit.subject}, ${limit.counter}`;
  // A pause is over by itself, so it is no reason to look.
  if (limit.counter === "pause") {
    return h("li", { class: "card limit" },
      h("header", null, h("h3", null, limit.what), limit.spent && chip("waiting", "warn"), chip(nameOf(limit.contract))),
      h("p", null, h("code", null, limit.subject)),
      limit.resetsAt && h("p", { class: "soft" }, limit.spent ? "again at " : "since ", time(limit.resetsAt)));
  }
  const bounded = limit.limit !== null && limit.limit !== undefined;
  const meter = bounded && h("meter", { min: "0", max: String(Math.max(1, limit.limit)), low: String(limit.limit * 0.6), high: String(limit.limit * 0.99), optimum: "0", value: limit.used, "aria-label": name });
  return h("li", { class: `card limit ${limit.spent ? "spent" : ""}` },
    h("header", null, h("h3", null, limit.what), limit.spent && chip("spent", "bad"), chip(nameOf(limit.contract))),
    h("p", { class: "inline" }, h("code", null, limit.subject), h("span", { class: "soft" }, `each ${limit.counter}`)),
    meter,
    h("footer", null,
      h("span", null, bounded ? `${format(limit.used)} of ${format(limit.limit)} used` : `${format(limit.used)} used, no limit`),
      h("span", { class: "grow" }),
      limit.resetsAt && h("span", { class: "soft" }, limit.spent ? "again at " : "ends at ", time(limit.resetsAt))));
}

const withheldItem = ({ item }) =>
  h("li", { class: "card message withheld" },
    h("header", null, icon("ban"), h("h3", null, item.to), chip(nameOf(item.contract)), time(item.at)),
    h("p", null, h("strong", null, item.reason), h("span", { class: "soft" }, ` (${String(item.purpose ?? "").replace(/_/g, " ")})`)),
    item.requestId && h("footer", null, h("span", { class: "grow" }), requestLink(item.requestId)));

/** The number of withheld codes in the document. */
const RECENT = 20;

export const title = "Limits";

export function mount(root) {
  let limits = null;
  const field = search("Search limits", () => update());
  const contract = select([["", "All contracts"]], { "aria-label": "Filter by contract", onchange: () => update() });
  const tally = h("p", { class: "soft", role: "status" });
  const list = h("ul", { class: "cards columns", "aria-label": "Limits, spent ones first" });
  const codes = h("ul", { class: "cards columns", "aria-label": "Withheld codes, newest first" });
  const nothing = h("div");
  const noCodes = h("p", { class: "soft" }, "Every code that was asked for was sent.");
  const off = h("div", { class: "banner", hidden: true }, h("p", null, "The limits are off. Start the stack without ", h("code", null, "--limits off"), " to count sends and guesses."));
  const page = new Window(list, 60, "limits", { key: (limit) => limit.key, signature: JSON.stringify, create: item });
  root.append(
    h("div", { class: "heading" }, h("h1", { tabindex: "-1" }, "Limits"), tally),
    off, h("div", { class: "toolbar" }, field, contract), nothing, h("h2", { class: "sr" }, "Limits in use"), list, page.controls,
    h("h2", null, "Withheld codes"), noCodes, codes);

  async function refresh() {
    try {
      limits = keyed((await read("limits")).limits);
    } catch (problem) {
      limits ??= [];
      toast(problem.message, "bad");
    }
    update();
  }

  function update() {
    setOptions(contract, [["", "All contracts"], ...contractsOf(state.health)]);
    off.hidden = state.health?.limits !== "off";
    const withheld = state.inbox.filter((entry) => entry.kind === "withheld").slice(-RECENT).reverse();
    reconcile(codes, withheld, { key: (entry) => entry.id, create: withheldItem });
    noCodes.hidden = withheld.length > 0;
    if (limits === null) return;
    const isSpent = (limit) => limit.spent && limit.counter !== "pause";
    const share = (limit) => limit.counter === "pause" ? 0 : limit.limit ? limit.used / limit.limit : 0;
    const words = field.value.trim().toLowerCase();
    const shown = limits.filter((limit) => (contract.value === "" || limit.contract === contract.value) && (words === "" || JSON.stringify(limit).toLowerCase().includes(words)))
      .sort((a, b) => Number(isSpent(b)) - Number(isSpent(a)) || share(b) - share(a));
    page.update(shown);
    const spent = limits.filter(isSpent).length;
    const text = `${count(limits.length, "limit")} in use, ${spent} spent`;
    if (tally.textContent !== text) tally.textContent = text;
    const reason = shown.length > 0 ? "" : limits.length > 0 ? "filter" : "new";
    if (nothing.dataset.reason !== reason) {
      nothing.dataset.reason = reason;
      nothing.replaceChildren(...(reason === "" ? [] : [reason === "filter" ? empty("Nothing fits", h("p", null, "No limit fits the search and the filter."))
        : empty("Nothing is counted yet", h("p", null, "A limit appears here when the first code is sent to a recipient or the first guess is made."), h("a", { class: "button primary", href: "#/people" }, "Sign up a test person"))]));
    }
  }

  refresh();
  const stop = onWork(debounced(refresh));
  return { show() {}, update, unmount: stop };
}
