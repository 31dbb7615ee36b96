// Faults of AWS calls, and the clock of the stack.

import { act, button, chip, count, empty, h, labelled, longTime, select, setOptions, span, toast } from "./dom.js";
import { reconcile } from "./list.js";
import { call, read, setClock, stackTime, state, changed } from "./store.js";

const ANY = ["error", "throttle", "timeout", "lost-reply"];
const CRASHES = ["crash-before", "crash-after"];
const REFUSALS = ["refuse", "misconfigured"];
const REPORTS = ["undelivered", "bounced"];

/** The services, with their modes and their operations. */
const SERVICES = {
  dynamodb: ["DynamoDB", [...ANY, ...CRASHES, "conflict", "partial"],
    ["TransactWriteItems", "PutItem", "UpdateItem", "DeleteItem", "GetItem", "BatchGetItem", "Query", "Scan"]],
  sns: ["SNS (texts)", [...ANY, ...CRASHES, ...REFUSALS, ...REPORTS, "spent"], ["Publish"]],
  ses: ["SES (mails)", [...ANY, ...CRASHES, ...REFUSALS, ...REPORTS, "complained"], ["SendEmail"]],
  events: ["EventBridge", [...ANY, ...CRASHES, "partial"], ["PutEvents"]],
  secrets: ["Secrets Manager", [...ANY, ...CRASHES], ["GetSecretValue", "PutSecretValue", "DescribeSecret", "UpdateSecretVersionStage"]],
  "sms-voice": ["End User Messaging", [...ANY, ...CRASHES, ...REFUSALS, ...REPORTS], ["SendTextMessage"]],
  webhook: ["Webhook for texts", [...ANY, ...REFUSALS], ["Send"]],
};

const MODES = {
  error: ["Error", "The call gets an internal error of the service (HTTP 500)."],
  throttle: ["Throttle", "The call gets the throttling error of the service."],
  timeout: ["Timeout", "The call gets no answer. The connection closes after a minute, or when the faults are cleared."],
  "lost-reply": ["Lost reply", "The call is executed, and the connection closes without a reply."],
  "crash-before": ["Crash before", "The process of the function is killed before the call is executed."],
  "crash-after": ["Crash after", "The process of the function is killed after the call is executed and before the reply."],
  conflict: ["Conflict", "A transaction or a write meets another transaction. Reads pass."],
  partial: ["Partial", "The call gets HTTP 200, and no event is taken or no key of a batch is processed."],
  refuse: ["Refuse", "The message is refused because of its recipient, for good."],
  misconfigured: ["Misconfigured", "The message is refused because of the account or its sender."],
  undelivered: ["Undelivered", "The message is accepted and does not arrive this time."],
  bounced: ["Bounced", "The message is accepted and does not arrive, because the recipient cannot be reached."],
  spent: ["Spent", "The text is accepted and does not arrive, because the account may not spend more."],
  complained: ["Complained", "The mail arrives, and its recipient marks it as spam."],
};

/** As good as always. */
const ALWAYS = 1_000_000;

const QUICK = [
  ["SNS hangs", { service: "sns", mode: "timeout", count: ALWAYS }],
  ["DynamoDB throttles", { service: "dynamodb", mode: "throttle", count: ALWAYS }],
  ["The bus rejects events", { service: "events", mode: "partial", count: ALWAYS }],
];

const STEPS = [["+1 min", "1m"], ["+6 min", "6m"], ["+1 h", "1h"], ["+1 day", "1d"]];

async function refreshFaults() {
  state.faults = (await read("faults")).faults;
  changed();
}

async function addFault(fault) {
  await call("POST", "faults", fault);
  await refreshFaults();
  toast(`${SERVICES[fault.service]?.[0] ?? fault.service}: the fault “${MODES[fault.mode]?.[0] ?? fault.mode}” is active.`);
}

function faultItem({ fault }) {
  const [service] = SERVICES[fault.service] ?? [fault.service];
  const [mode, says] = MODES[fault.mode] ?? [fault.mode, ""];
  const left = fault.count === null || fault.count === undefined ? count(1, "call") : fault.count >= ALWAYS / 2 ? "every call until it is cleared" : count(fault.count, "call");
  return h("li", { class: "card fault" },
    h("header", null, h("h3", null, `${service}: ${mode}`), chip(`fails ${left}`, "bad"), fault.after > 0 && chip(`after ${count(fault.after, "call")}`)),
    h("p", { class: "soft" }, says),
    (fault.operation || fault.function) && h("p", null, "Only ", [fault.operation, fault.function && `of ${fault.function}`].filter(Boolean).join(" ")));
}

function faultsSection() {
  const service = select(Object.entries(SERVICES).map(([value, [text]]) => [value, text]), { onchange: () => fit() });
  const mode = select([], { onchange: () => fit() });
  const operation = select([["", "Any operation"]]);
  const functions = select([["", "Any function"]]);
  const failing = h("input", { class: "field", type: "number", min: "1", value: "1", inputmode: "numeric" });
  const after = h("input", { class: "field", type: "number", min: "0", value: "0", inputmode: "numeric" });
  const says = h("p", { class: "soft hint", id: "mode-says" });
  mode.setAttribute("aria-describedby", "mode-says");
  function fit() {
    const [, modes, operations] = SERVICES[service.value];
    setOptions(mode, modes.map((name) => [name, MODES[name][0]]));
    setOptions(operation, [["", "Any operation"], ...operations.map((name) => [name, name])]);
    says.textContent = MODES[mode.value][1];
  }
  fit();
  const number = (field, least) => Math.max(least, Math.trunc(Number(field.value) || least));
  const add = h("button", { class: "button primary", type: "submit" }, h("span", null, "Add fault"));
  const form = h("form", { class: "panel", "aria-label": "New fault", onsubmit: (event) => {
    event.preventDefault();
    act(add, () => addFault({
      service: service.value, mode: mode.value, count: number(failing, 1), after: number(after, 0),
      ...(operation.value && { operation: operation.value }), ...(functions.value && { function: functions.value }),
    }));
  } },
  h("div", { class: "fields" }, labelled("Service", service), labelled("Mode", mode), labelled("Operation", operation), labelled("Function", functions), labelled("Calls that fail", failing), labelled("Calls that pass first", after)),
  says, add);
  const list = h("ul", { class: "cards", "aria-label": "Active faults" });
  const none = h("div", null, empty("No faults are active", h("p", null, "Every AWS call works. Add a fault to see what the functions do when one does not.")));
  const clear = button("Clear all faults", () => act(clear, async () => {
    await call("DELETE", "faults");
    await refreshFaults();
    toast("All faults are cleared.");
  }), { mark: "trash" });
  const quick = h("div", { class: "toolbar" }, QUICK.map(([text, fault]) => {
    const element = button(text, () => act(element, () => addFault(fault)), { mark: "bolt" });
    return element;
  }));
  const element = h("section", null,
    h("div", { class: "heading" }, h("h2", null, "Faults"), clear),
    quick, h("div", { class: "two" }, form, h("div", null, none, list)));
  return {
    element,
    update() {
      setOptions(functions, [["", "Any function"], ...(state.health?.functions ?? []).map((name) => [name, name])]);
      reconcile(list, state.faults.map((fault, at) => ({ fault, at })), { key: ({ at }) => at, signature: ({ fault }) => JSON.stringify(fault), create: faultItem });
      none.hidden = state.faults.length > 0;
      clear.disabled = state.faults.length === 0;
    },
  };
}

function clockSection() {
  const now = h("time", { class: "now" });
  const offset = h("span");
  const advance = (element, by) => act(element, async () => {
    setClock(await call("POST", "clock", { advance: by }));
    toast(`The clock is ${span(state.clock.offsetMs)} ahead.`);
  });
  const steps = STEPS.map(([text, by]) => {
    const element = button(text, () => advance(element, by));
    return element;
  });
  const field = h("input", { class: "field", type: "text", placeholder: "90s, 15m, 2h, 3d", pattern: "\\s*\\d+\\s*[smhd]\\s*", required: true, autocomplete: "off", spellcheck: "false" });
  const go = h("button", { class: "button", type: "submit" }, h("span", null, "Advance"));
  const form = h("form", { class: "inline-form", "aria-label": "Advance the clock", onsubmit: (event) => {
    event.preventDefault();
    advance(go, field.value.replace(/\s+/g, "")).then(() => { field.value = ""; });
  } }, labelled("Advance by", field), go);
  const reset = button("Reset to the real time", () => act(reset, async () => {
    await call("DELETE", "clock");
    setClock(await read("clock"));
    toast("The clock shows the real time.");
  }), { mark: "clock" });
  const element = h("section", null, h("h2", null, "Clock"),
    h("div", { class: "panel" },
      h("p", { class: "soft" }, "The functions read this clock. Move it to see codes, sessions and limits end."),
      h("p", { class: "clock" }, now, offset),
      h("div", { class: "toolbar" }, steps, form, reset)));
  function tick() {
    const at = stackTime();
    now.textContent = longTime(at);
    now.setAttribute("datetime", at.toISOString());
  }
  return {
    element,
    tick,
    update() {
      const ms = state.clock?.offsetMs ?? 0;
      const text = ms === 0 ? "the real time" : `${span(ms)} ahead`;
      if (offset.textContent !== text) offset.replaceChildren(chip(text, ms === 0 ? "" : "warn"));
      reset.disabled = ms === 0;
      tick();
    },
  };
}

export const title = "Faults and clock";

export function mount(root) {
  const clock = clockSection();
  const faults = faultsSection();
  root.append(h("div", { class: "heading" }, h("h1", { tabindex: "-1" }, "Faults and clock")), faults.element, clock.element);
  const timer = setInterval(clock.tick, 1000);
  return {
    show() {},
    update() {
      faults.update();
      clock.update();
    },
    unmount: () => clearInterval(timer),
  };
}
