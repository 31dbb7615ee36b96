
const [main, heading, lead, form, code, error, send, more, again, notice, status] =
  ["main", "heading", "lead", "form", "code", "error", "send", "more", "again", "notice", "status"]
    .map((id) => document.getElementById(id));
const pause = Number(main.dataset.pause);
// How long the browser keeps a sign-up: one that waits until its last code has ended, one that is done for a day.
const [hour, day] = [3900000, 86400000];
const timers = new Map();
let busy = false;

const { lang, dir } = document.documentElement;
const texts = JSON.parse(main.dataset.texts);
const plurals = new Intl.PluralRules(lang);
// From right to left, a value from left to right needs marks around it, so that the signs beside it stay in their places.
const isolated = (value) => dir === "rtl" ? `\u2068${value}\u2069` : `${value}`;
// The text with this id, with values in the place of their names.
const say = (id, values = {}) => texts[id].replace(/\{(\w+)\}/g, (_, name) => isolated(values[name]));
// A number with its unit.
const some = (count, unit) => texts[unit][plurals.select(count)].replace("{count}", count);

const title = (text) => { document.title = say("title", { text }); };

// The digits of a code, typed or pasted. Arabic and full-width digits end in the same four bits as ASCII ones.
const digits = (text) => text
  .replace(/[\u0660-\u0669\u06f0-\u06f9\uff10-\uff19]/g, (digit) => digit.charCodeAt(0) & 15)
  .replace(/\D/g, "");

// What the browser keeps of the last sign-up: its id, the time of its last code, its masked address, whether it is done.
// The mail links to this page without the id, so that no other person can use the code.
let signUp = {};

function keep(change) {
  signUp = { ...signUp, ...change };
  try {
    localStorage.setItem("sign-up", JSON.stringify(signUp));
  } catch {
    // The browser stores nothing. The page works without it.
  }
}

function kept() {
  try {
    const { id, sent, to, done } = JSON.parse(localStorage.getItem("sign-up"));
    return Date.now() - sent < (done ? day : hour) ? { id, sent, to, done } : {};
  } catch {
    return {};
  }
}

// The first letters of the two parts of an address, and its last label, as the service masks it.
function masked(email) {
  const parts = /^([!-~])[!-~]*@([!-~])[!-~]*\.([!-~]+)$/.exec(email ?? "");
  return parts ? `${parts[1]}•••@${parts[2]}•••.${parts[3]}` : undefined;
}

// Shows an error; an empty text removes it.
function complain(text, wrong = false) {
  error.textContent = text;
  code.setAttribute("aria-invalid", wrong);
  title(text ? say("error", { text }) : say("enter"));
}

// Shows an error about the code, and selects the code so that the user can type over it.
function wrong(text) {
  complain(text, true);
  code.focus();
  code.select();
}

// Asks for the code.
function ask(text) {
  main.dataset.state = "entry";
  heading.textContent = say("enter");
  lead.textContent = text;
  notice.textContent = "";
  code.value = "";
  complain("");
  form.hidden = more.hidden = false;
  code.focus();
}

// Shows a text without the form. A new code may be asked for, or not.
function finish(state, text, further, resend = false) {
  form.hidden = true;
  more.hidden = !resend;
  main.dataset.state = state;
  heading.textContent = text;
  lead.textContent = further;
  notice.textContent = "";
  title(text);
  heading.focus();
}

function sending(on) {
  busy = on;
  send.disabled = code.readOnly = on;
  send.setAttribute("aria-busy", on);
  send.textContent = say(on ? "checking" : "confirm");
  status.textContent = on ? say("checking-status") : "";
}

const span = (seconds) => seconds < 91 ? some(seconds, "seconds") : some(Math.ceil(seconds / 60), "minutes");

// Disables a button, counts the seconds down on it, and calls a function at the end. The text of a button is not a live
// region: screen readers do not read each second.
function hold(button, seconds, text, end) {
  const until = Date.now() + seconds * 1000;
  const tick = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    button.textContent = say(text, {
      time: left < 91 ? some(left, "seconds") : `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`,
    });
    if (left <= 0) {
      clearInterval(timers.get(button));
      end();
    }
  };
  clearInterval(timers.get(button));
  button.disabled = true;
  timers.set(button, setInterval(tick, 1000));
  tick();
}

// Holds the button that asks for a new code.
function holdAgain(seconds) {
  hold(again, seconds, "again-in", () => {
    again.disabled = false;
    again.textContent = say("again");
    notice.textContent = "";
  });
}

// Sends a request to the service. Answers the status, 0 without a connection; the body, if it is JSON; and the wait in
// seconds that the service asks for.
async function post(path, body) {
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
      redirect: "error",
      signal: AbortSignal.timeout?.(40000),
    });
    const wait = Math.max(1, Number.parseInt(response.headers.get("Retry-After"), 10) || 60);
    return [response.status, await response.json().catch(() => null) ?? {}, wait];
  } catch {
    return [0, {}, 0];
  }
}

async function submit(event) {
  event.preventDefault();
  if (send.disabled || busy) return;
  const otp = digits(code.value);
  if (otp.length !== 5) {
    wrong(otp ? say("length", { digits: otp.length }) : say("missing"));
    return;
  }
  const held = document.activeElement;
  complain("");
  sending(true);
  const [answer, body, wait] = await post("callback", { otp_id: signUp.id, otp });
  sending(false);
  if (answer === 200 && body.success === true) {
    const user = body.user?.username;
    keep({ done: true, to: undefined });
    finish("done", say("done"), user ? say("welcome-user", { user }) : say("welcome"));
  } else if (answer === 401 && body.msg === "The OTP is incorrect.") {
    wrong(say("wrong"));
  } else if (answer === 401) {
    finish("stopped", say("over"), say("over-lead"), true);
  } else if (answer === 409) {
    finish("stopped", say("taken"), say("taken-lead"));
  } else if (answer === 429) {
    code.focus();
    complain(say(wait < 91 ? "too-many" : "too-many-long", { time: span(wait) }));
    hold(send, wait, "retry-in", () => {
      complain("");
      sending(false);
      status.textContent = say("retry-now");
    });
  } else {
    complain(say(answer ? "kept-failed" : "kept-offline"));
    held.focus();
  }
}

async function resend() {
  if (again.disabled || busy) return;
  busy = again.disabled = true;
  again.textContent = say("sending");
  notice.textContent = "";
  status.textContent = say("sending-status");
  const [answer, body, wait] = await post("resend", { otp_id: signUp.id });
  busy = false;
  status.textContent = "";
  holdAgain(answer === 200 ? pause : answer === 429 ? wait : 0);
  if (answer === 200 && body.success === true) {
    const to = /\S+$/.exec(body.msg)?.[0];
    keep({ sent: Date.now(), to });
    ask(say("resent", { to }));
    status.textContent = say("resent-status");
  } else if (answer === 401) {
    finish("stopped", say("ended"), say("ended-lead"));
  } else {
    notice.textContent = answer === 429
      ? say("no-new", { time: span(wait) })
      : say(answer ? "failed" : "offline");
    (form.hidden ? heading : code).focus();
  }
}

const linked = new URLSearchParams(location.search).get("otp_id");
const to = masked(new URLSearchParams(location.hash.slice(1)).get("email"));
// The whole address does not stay in the address of the page.
if (location.hash) history.replaceState(null, "", location.pathname + location.search);
signUp = kept();
if (/^[0-9a-f]{24}$/.test(linked) && linked !== signUp.id) {
  signUp = { id: linked };
  keep({ sent: Date.now() });
}
if (linked !== null && linked !== signUp.id || !signUp.id) {
  finish("stopped", say("incomplete"), say("incomplete-lead"));
} else if (signUp.done) {
  finish("done", say("confirmed"), say("confirmed-lead"));
} else {
  if (to) keep({ to });
  form.addEventListener("submit", submit);
  again.addEventListener("click", resend);
  code.addEventListener("input", () => {
    const clean = digits(code.value);
    if (clean !== code.value) code.value = clean;
    if (!send.disabled && error.textContent) complain("");
  });
  ask(signUp.to ? say("sent-to", { to: signUp.to }) : say("sent"));
  holdAgain(Math.min(pause, pause - (Date.now() - signUp.sent) / 1000));
}
