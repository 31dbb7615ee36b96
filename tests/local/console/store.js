// The state of the stack, read once and kept up to date by its stream. The server's state wins.

/** Everything that the pages show. */
export const state = {
  /** "connecting", "live" or "reconnecting". */
  connection: "connecting",
  /** Whether everything was read once. */
  loaded: false,
  /** The texts of requests that failed. */
  problems: [],
  health: null,
  clock: null,
  faults: [],
  build: null,
  /** Messages and withheld codes in the order of their arrival. */
  inbox: [],
  events: [],
  /** The newest first. */
  requests: [],
  /** Whether the server has older requests. */
  hasOlderRequests: false,
  /** The test persons that this page signed up. */
  signedUp: [],
};

const listeners = new Set();
const watchers = new Set();
let scheduled = false;

/** Calls a function when the state has changed, at most once for each frame. */
export const onChange = (listener) => subscribe(listeners, listener);

/** Calls a function after work of the stack, which may have changed tables, people and limits. */
export const onWork = (watcher) => subscribe(watchers, watcher);

function subscribe(set, listener) {
  set.add(listener);
  return () => set.delete(listener);
}

export function changed() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(() => {
    scheduled = false;
    for (const listener of listeners) listener();
  });
}

const worked = () => { for (const watcher of watchers) watcher(); };

/** Calls the admin API. Fails with the API's own error text. */
export async function call(method, path, data) {
  let response;
  try {
    const content = data === undefined ? {} : { body: JSON.stringify(data), headers: { "content-type": "application/json" } };
    response = await fetch(`/_local/${path}`, { method, cache: "no-store", ...content });
  } catch {
    throw new Error(`The local stack does not answer (${method} /_local/${path}). Is it running?`);
  }
  const text = await response.text();
  if (!response.ok) {
    let message = text;
    try {
      message = JSON.parse(text).error ?? text;
    } catch {}
    throw new Error(`${method} /_local/${path}: ${message || response.status}`);
  }
  return text === "" ? null : JSON.parse(text);
}

/** Invokes the function of operators about a person. Fails with the rule that refuses it. */
export async function operate(verb, { contract, store, id }) {
  const payload = { verb, who: "the console", why: "a local test", person: id, contract, ...(store ? { store } : {}) };
  const response = await fetch("/2015-03-31/functions/people/invocations", { method: "POST", cache: "no-store", body: JSON.stringify(payload) });
  const answer = await response.json().catch(() => ({}));
  const problem = answer?.refused ?? answer?.errorMessage ?? (response.ok ? undefined : response.status);
  if (problem !== undefined) throw new Error(`${verb}: ${problem}`);
  return answer;
}

export const read = (path) => call("GET", path);

const REQUESTS = 200;

/** The most requests that the page keeps. */
const MOST_REQUESTS = 5000;

const ids = { inbox: new Map(), events: new Map(), requests: new Map() };

function index(name) {
  ids[name] = new Map(state[name].map((entry) => [entry.id, entry]));
}

const ofMessage = (message) => ({
  id: message.id, kind: message.channel === "email" ? "mail" : "text", at: message.sentAt, item: message,
  words: [message.to, message.from, message.subject, message.body, message.code, message.country].filter(Boolean).join("\n").toLowerCase(),
});

const ofWithheld = (withheld) => ({
  id: withheld.id, kind: "withheld", at: withheld.at, item: withheld,
  words: [withheld.to, withheld.contract, withheld.purpose, withheld.reason].filter(Boolean).join("\n").toLowerCase(),
});

const wanted = {
  health: async () => { state.health = await read("health"); },
  clock: async () => { state.clock = ofClock(await read("clock")); },
  faults: async () => { state.faults = (await read("faults")).faults; },
  inbox: async () => {
    const [{ messages }, { withheld }] = await Promise.all([read("messages"), read("withheld")]);
    const at = (entry) => entry.at ?? "";
    const entries = messages.map(ofMessage);
    // Messages have their order; each withheld code goes to its time between them.
    const others = withheld.map(ofWithheld).sort((a, b) => at(a) < at(b) ? -1 : at(a) > at(b) ? 1 : 0);
    state.inbox = [];
    for (const entry of entries) {
      while (others.length > 0 && at(others[0]) < at(entry)) state.inbox.push(others.shift());
      state.inbox.push(entry);
    }
    state.inbox.push(...others);
    index("inbox");
  },
  events: async () => {
    state.events = (await read("events")).events;
    index("events");
  },
  requests: async () => {
    state.requests = (await read(`requests?limit=${REQUESTS}`)).requests;
    state.hasOlderRequests = state.requests.length >= REQUESTS;
    index("requests");
  },
};

let loading = null;
let again = false;
/** What the stream says while everything is read. It is applied after that. */
let held = [];

/** Reads everything. */
export function load() {
  if (loading) {
    again = true;
    return loading;
  }
  loading = (async () => {
    do {
      again = false;
      const results = await Promise.allSettled(Object.values(wanted).map((read) => read()));
      state.problems = results.filter((result) => result.status === "rejected").map((result) => result.reason.message);
    } while (again);
    loading = null;
    state.loaded = true;
    const missed = held;
    held = [];
    missed.forEach(apply);
    changed();
    worked();
  })();
  return loading;
}

export async function loadOlderRequests() {
  const last = state.requests.at(-1);
  const { requests } = await read(`requests?limit=${REQUESTS}&before=${encodeURIComponent(last.id)}`);
  state.hasOlderRequests = requests.length >= REQUESTS;
  for (const request of requests) {
    if (!ids.requests.has(request.id)) {
      state.requests.push(request);
      ids.requests.set(request.id, request);
    }
  }
  changed();
}

/** The clock, and the time at which this page heard of it. */
const ofClock = (clock) => ({ ...clock, heardAt: performance.now() });

/** The time of the stack. */
export const stackTime = () =>
  state.clock === null ? new Date() : new Date(Date.parse(state.clock.now) + performance.now() - state.clock.heardAt);

export const setClock = (clock) => {
  state.clock = ofClock(clock);
  changed();
};

const arrivals = new Set();

/** Calls a function with each new message and each code that was withheld. */
export const onArrival = (listener) => subscribe(arrivals, listener);

function put(name, entry) {
  const old = ids[name].get(entry.id);
  ids[name].set(entry.id, entry);
  if (old === undefined) return false;
  state[name][state[name].indexOf(old)] = entry;
  return true;
}

function arrive(entry) {
  if (put("inbox", entry)) return;
  state.inbox.push(entry);
  for (const listener of arrivals) listener(entry);
}

const apply = (data) => {
  switch (data.kind) {
    case "request":
      if (!put("requests", data.request)) {
        state.requests.unshift(data.request);
        for (const old of state.requests.splice(MOST_REQUESTS)) {
          ids.requests.delete(old.id);
          state.hasOlderRequests = true;
        }
      }
      break;
    case "message": arrive(ofMessage(data.message)); break;
    case "withheld": arrive(ofWithheld(data.withheld)); break;
    case "event": if (!put("events", data.event)) state.events.push(data.event); break;
    case "clock": state.clock = ofClock(data.clock); break;
    case "faults": state.faults = data.faults; break;
    case "build": state.build = data.build; break;
    case "reload": load(); break;
    default: return;
  }
  changed();
  worked();
};

/** The time until a stream that the server closed is opened again. */
const PAUSE_MS = 1500;

/** Follows the stream of the stack. */
export function connect() {
  const stream = new EventSource("/_local/stream");
  stream.addEventListener("open", () => {
    state.connection = "live";
    // The stack may have been restarted, so its whole state is read again.
    load();
    changed();
  });
  stream.addEventListener("message", (event) => {
    const data = JSON.parse(event.data);
    if (data.kind === "reload") held = [];
    if (loading && data.kind !== "reload") held.push(data);
    else apply(data);
  });
  stream.addEventListener("error", () => {
    state.connection = "reconnecting";
    if (!state.loaded) load();
    changed();
    if (stream.readyState === EventSource.CLOSED) setTimeout(connect, PAUSE_MS);
  });
}
