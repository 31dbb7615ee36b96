// The requests to the API, and everything that each of them caused.

import { act, body, button, chip, command, contractsOf, copyButton, count, empty, facts, format, h, icon, milliseconds, nameOf, search, select, setOptions, statusChip, time } from "./dom.js";
import { Window, debounced } from "./list.js";
import { loadOlderRequests, onWork, read, state } from "./store.js";

const target = (request) => request.path + (request.query ? `?${request.query.replace(/^\?/, "")}` : "");

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** Headers that curl sets itself, or that belong to one connection. */
const OWN = new Set(["host", "content-length", "connection", "accept-encoding", "transfer-encoding", "user-agent", "accept"]);

/** The command that sends a request again. */
export function curl(request) {
  const headers = Object.entries(request.headers ?? {})
    .filter(([name, value]) => !(OWN.has(name.toLowerCase()) && !(name.toLowerCase() === "accept" && value !== "*/*")))
    .filter(([name]) => !name.toLowerCase().startsWith("x-forwarded-"))
    .map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`);
  const method = request.method === "GET" && !request.body || request.method === "POST" && request.body ? [] : [`-X ${request.method}`];
  const data = !request.body ? [] : [request.bodyIsBase64 ? "--data-binary @-" : `--data-raw ${quoted(request.body)}`];
  const address = quoted(`${state.health?.api ?? location.origin}${target(request)}`);
  const line = ["curl -i", ...method, address, ...headers, ...data].join(" \\\n  ").replace("curl -i \\\n  ", "curl -i ");
  return request.body && request.bodyIsBase64 ? `printf %s ${quoted(request.body)} | base64 -d | ${line}` : line;
}

function effects(request) {
  return [
    request.messages > 0 && chip(count(request.messages, "message"), "accent"),
    request.events > 0 && chip(count(request.events, "event"), "accent"),
    request.withheld > 0 && chip(`${count(request.withheld, "code")} withheld`, "warn"),
    request.fault && chip(`fault: ${request.fault}`, "bad"),
    request.error && chip("error", "bad", request.error),
    request.cold && chip("cold start", "", "A new process of the function answered."),
  ].filter(Boolean);
}

function row(request) {
  const cell = (name, ...content) => h("td", { role: "cell", class: name }, content);
  return h("tr", { role: "row", class: "link-row" },
    cell("when", time(request.at)),
    cell("what", h("a", { href: `#/requests/${encodeURIComponent(request.id)}` }, h("span", { class: "method" }, request.method), " ", h("span", { class: "path" }, target(request)))),
    cell("contract", request.contract ? nameOf(request.contract) : "–"),
    cell("status", statusChip(request.status)),
    cell("took number", milliseconds(request.durationMs)),
    cell("units number", request.units === null || request.units === undefined ? "–" : [format(request.units), h("span", { class: "unit" }, request.units === 1 ? " unit" : " units")]),
    cell("effects", effects(request)));
}

/** A table whose parts keep their roles when a style sheet turns rows into blocks. */
export const grid = (name, columns, rows, kind) =>
  h("table", { role: "table", class: `grid ${kind}`, "aria-label": name },
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, columns.map(([text, kind = ""]) => h("th", { role: "columnheader", scope: "col", class: kind }, text)))), rows);

const TYPES = { invocation: "Invocation", call: "Call", message: "Message", withheld: "Withheld code", event: "Event" };

function reference(work) {
  if (!work.ref) return null;
  if (work.type === "message") return `#/inbox/${encodeURIComponent(work.ref)}`;
  return work.type === "event" ? `#/events/${encodeURIComponent(work.ref)}` : null;
}

/** Everything that the request caused, on one scale of time. */
function waterfall(request) {
  const work = request.work ?? [];
  if (work.length === 0) return h("p", { class: "soft" }, "Nothing was recorded yet.");
  const end = Math.max(1, request.durationMs ?? 0, ...work.map((part) => part.startMs + (part.durationMs ?? 0)));
  const percent = (ms) => `${Math.min(100, Math.max(0, ms / end * 100))}%`;
  const answered = request.durationMs === null || request.durationMs === undefined ? null : request.durationMs;
  const rows = work.map((part) => {
    const failed = part.fault || part.status >= 400 || part.type === "withheld";
    const bar = h("span", { class: `span ${part.type} ${failed ? "failed" : ""}` });
    bar.style.left = percent(part.startMs);
    bar.style.width = percent(part.durationMs ?? 0);
    const line = answered !== null && answered < end ? h("span", { class: "answered" }) : null;
    if (line) line.style.left = percent(answered);
    const place = reference(part);
    const label = part.label ?? part.operation ?? TYPES[part.type];
    return h("tr", { role: "row", class: part.type },
      h("td", { role: "cell", class: "what" },
        place ? h("a", { href: place }, label) : h("span", null, label),
        h("span", { class: "soft" }, part.type === "call" ? [part.service, part.function].filter(Boolean).join(", ") : [TYPES[part.type] ?? part.type, part.type === "invocation" ? null : part.function].filter(Boolean).join(", "))),
      h("td", { role: "cell", class: "scale" },
        h("span", { class: "track", "aria-hidden": "true" }, line, bar),
        h("span", { class: "sr" }, `from ${milliseconds(part.startMs)}${part.durationMs === null || part.durationMs === undefined ? "" : ` to ${milliseconds(part.startMs + part.durationMs)}`}`)),
      h("td", { role: "cell", class: "took number" }, part.durationMs === null || part.durationMs === undefined ? `at ${milliseconds(part.startMs)}` : milliseconds(part.durationMs)),
      h("td", { role: "cell", class: "status" }, part.fault ? chip(part.fault, "bad") : part.status === null || part.status === undefined ? null : statusChip(part.status)),
      h("td", { role: "cell", class: "units number" }, part.units === null || part.units === undefined ? null : `${format(part.units)} u`));
  });
  const ticks = h("span", { class: "ticks" }, [0, 0.25, 0.5, 0.75, 1].map((part) => h("span", null, milliseconds(end * part))));
  return [
    grid("Waterfall", [["What", "what"], [[h("span", { class: "sr" }, "Time"), ticks], "scale"], ["Took", "took number"], ["Status", "status"], ["Units", "units number"]], h("tbody", { role: "rowgroup" }, rows), "waterfall"),
    answered !== null && answered < end && h("p", { class: "soft legend" }, h("span", { class: "answered-key" }), ` The answer went out after ${milliseconds(answered)}. What is later happened without the client.`),
  ];
}

const headers = (map) => {
  const pairs = Object.entries(map ?? {});
  return pairs.length === 0 ? null : h("details", { open: pairs.length <= 6 }, h("summary", null, count(pairs.length, "header")), facts(pairs));
};

const panel = (name, ...content) => h("section", { class: "panel" }, h("h2", null, name), content);

function detail(request) {
  const { answer } = request;
  return [
    h("div", { class: "heading" },
      h("h1", { tabindex: "-1" }, h("span", { class: "method" }, request.method), " ", h("span", { class: "path" }, target(request))),
      statusChip(request.status), effects(request)),
    h("div", { class: "toolbar" },
      h("a", { class: "button quiet", href: "#/requests" }, icon("back"), h("span", null, "All requests")),
      copyButton(curl(request), "Copy as curl", "Copy as curl")),
    request.error && h("div", { class: "banner bad" }, h("pre", null, request.error)),
    facts([
      ["Time", time(request.at)], ["Function", request.function], ["Route", request.route], ["Contract", request.contract && nameOf(request.contract)],
      ["Took", milliseconds(request.durationMs)], ["AWS calls", request.calls], ["Units of DynamoDB", request.units === null ? null : format(request.units ?? 0)],
    ]),
    panel("What it caused", waterfall(request)),
    h("div", { class: "two" },
      panel("Request", headers(request.headers), body(request.body, request.bodyIsBase64)),
      panel("Answer", answer ? [headers(answer.headers), answer.cookies?.length > 0 && facts(answer.cookies.map((cookie) => ["Set-Cookie", cookie])), body(answer.body, answer.bodyIsBase64)] : h("p", { class: "soft" }, request.status === null ? "The request is still running." : "No answer was recorded."))),
    panel("Logs", request.logs?.length > 0 ? h("pre", { class: "code logs" }, request.logs.join("\n")) : h("p", { class: "soft" }, "No log lines.")),
  ];
}

export const title = "Requests";

const SIZE = 50;

export function mount(root) {
  let selected = null;
  let shownKey = "";
  const field = search("Search requests", () => update());
  const contract = select([["", "All contracts"]], { "aria-label": "Filter by contract", onchange: () => update() });
  const status = select([["", "Any status"], ["2", "Success"], ["4", "Refused (4xx)"], ["5", "Failed (5xx)"], ["fault", "With a fault"]], { "aria-label": "Filter by status", onchange: () => update() });
  const tally = h("p", { class: "soft", role: "status" });
  const rows = h("tbody", { role: "rowgroup" });
  const table = grid("Requests, newest first", [["Time", "when"], ["Request", "what"], ["Contract", "contract"], ["Status", "status"], ["Took", "took number"], ["Units", "units number"], ["Effects", "effects"]], rows, "requests");
  const nothing = h("div");
  const page = new Window(rows, SIZE, "requests", { key: (request) => request.id, signature: JSON.stringify, create: row });
  const more = button("Load older requests", () => act(more, loadOlderRequests));
  const list = h("div", null,
    h("div", { class: "heading" }, h("h1", { tabindex: "-1" }, "Requests"), tally),
    h("div", { class: "toolbar" }, field, contract, status),
    nothing, table, page.controls, more);
  const pane = h("div", { hidden: true });
  root.append(list, pane);

  function update() {
    if (selected !== null) return;
    setOptions(contract, [["", "All contracts"], ...contractsOf(state.health)]);
    const words = field.value.trim().toLowerCase();
    const fits = (request) => (contract.value === "" || request.contract === contract.value)
      && (status.value === "" || (status.value === "fault" ? Boolean(request.fault) : String(request.status).startsWith(status.value)))
      && (words === "" || `${request.method} ${target(request)} ${request.function ?? ""} ${request.status} ${request.fault ?? ""} ${request.error ?? ""} ${request.id}`.toLowerCase().includes(words));
    const shown = state.requests.filter(fits);
    page.update(shown);
    table.hidden = shown.length === 0;
    more.hidden = !state.hasOlderRequests;
    const text = !state.loaded ? "Loading" : shown.length === state.requests.length ? count(shown.length, "request") : `${shown.length} of ${count(state.requests.length, "request")}`;
    if (tally.textContent !== text) tally.textContent = text;
    const reason = !state.loaded || shown.length > 0 ? "" : state.requests.length > 0 ? "filter" : `new ${state.health?.api}`;
    if (nothing.dataset.reason !== reason) {
      nothing.dataset.reason = reason;
      nothing.replaceChildren(...(reason === "" ? [] : [reason === "filter" ? empty("Nothing fits", h("p", null, "No request fits the search and the filters."))
        : empty("No requests yet", h("p", null, "Each request to the API appears here with everything that it causes. Send one:"), command(`curl -i ${state.health?.api ?? location.origin}/otp \\\n  -d '{"identifier":"+6282243350992","otpType":"sign_up"}'`))]));
    }
  }

  async function showDetail() {
    const id = selected;
    if (id === null) return;
    let request;
    try {
      request = await read(`requests/${encodeURIComponent(id)}`);
    } catch (problem) {
      if (selected !== id || shownKey.startsWith(`${id} `)) return;
      pane.replaceChildren(h("h1", { tabindex: "-1" }, "Request"), empty("This request cannot be shown", h("p", null, problem.message), h("a", { class: "button", href: "#/requests" }, "All requests")));
      return;
    }
    const key = `${id} ${JSON.stringify(request)}`;
    if (selected !== id || key === shownKey) return;
    const first = !shownKey.startsWith(`${id} `);
    shownKey = key;
    if (first || !pane.contains(document.activeElement) || document.activeElement.tagName === "H1") {
      const focused = document.activeElement?.tagName === "H1" && pane.contains(document.activeElement);
      pane.replaceChildren(...detail(request).flat(Infinity).filter(Boolean));
      if (first || focused) pane.querySelector("h1").focus({ preventScroll: true });
    } else {
      // The focus is inside: only what may grow is replaced.
      const panels = detail(request).flat(Infinity).filter((part) => part instanceof Element && part.matches(".panel"));
      const old = [...pane.querySelectorAll(":scope > .panel")];
      old.forEach((part, at) => { if (!part.contains(document.activeElement) && panels[at]) part.replaceWith(panels[at]); });
    }
  }

  const stop = onWork(debounced(showDetail));
  return {
    show([id]) {
      const left = selected;
      selected = id ?? null;
      list.hidden = selected !== null;
      pane.hidden = selected === null;
      if (selected === null) {
        shownKey = "";
        update();
        const anchor = left !== null && [...rows.querySelectorAll("a")].find((anchor) => anchor.hash === `#/requests/${encodeURIComponent(left)}`);
        if (anchor) anchor.focus();
      } else {
        pane.replaceChildren();
        scrollTo(0, 0);
        showDetail();
      }
    },
    update,
    unmount: stop,
  };
}
