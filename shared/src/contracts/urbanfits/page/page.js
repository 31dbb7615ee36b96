
const [main, heading, lead, form, code, error, send, more, again, notice, status] =
  ["main", "heading", "lead", "form", "code", "error", "send", "more", "again", "notice", "status"]
    .map((id) => document.getElementById(id));
const pause = Number(main.dataset.pause);
// How long the browser keeps a sign-up: one that waits until its last code has ended, one that is done for a day.
const [hour, day] = [3900000, 86400000];
const signIn = "If you have an account already, simply sign in.";
const timers = new Map();
let busy = false;

const title = (text) => { document.title = `${text} – UrbanFits`; };

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
  title(text ? `Error: ${text}` : "Enter your code");
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
  heading.textContent = "Enter your code";
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
  send.textContent = on ? "Checking…" : "Confirm";
  status.textContent = on ? "Checking your code" : "";
}

const some = (count, unit) => `${count} ${unit}${count === 1 ? "" : "s"}`;
const span = (seconds) => seconds < 91 ? some(seconds, "second") : some(Math.ceil(seconds / 60), "minute");

// Disables a button, counts the seconds down on it, and calls a function at the end. The text of a button is not a live
// region: screen readers do not read each second.
function hold(button, seconds, label, end) {
  const until = Date.now() + seconds * 1000;
  const tick = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    button.textContent = `${label} in ${left < 91
      ? some(left, "second") : `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`}`;
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
  hold(again, seconds, "Send again", () => {
    again.disabled = false;
    again.textContent = "Send again";
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

const failed = (reached) => reached ? "Something went wrong on our side." : "We could not reach UrbanFits.";

async function submit(event) {
  event.preventDefault();
  if (send.disabled || busy) return;
  const otp = digits(code.value);
  if (otp.length !== 5) {
    wrong(otp ? `The code has 5 digits; you entered ${otp.length}.` : "Please enter the 5-digit code.");
    return;
  }
  const held = document.activeElement;
  complain("");
  sending(true);
  const [answer, body, wait] = await post("callback", { otp_id: signUp.id, otp });
  sending(false);
  if (answer === 200 && body.success === true) {
    const name = body.user?.username;
    keep({ done: true, to: undefined });
    finish("done", "You're registered",
      `Welcome${name ? `, ${name}` : ""}! You are signed in and can close this page.`);
  } else if (answer === 401 && body.msg === "The OTP is incorrect.") {
    wrong("That code is not right. Please check it and try again.");
  } else if (answer === 401) {
    finish("stopped", "This code no longer works",
      `It has expired, was already used, or was mistyped too often. Ask for a new one, or sign up again. ${signIn}`, true);
  } else if (answer === 409) {
    finish("stopped", "Already taken",
      `In the meantime somebody registered with this e-mail address or username. Please sign up again with another one. ${signIn}`);
  } else if (answer === 429) {
    code.focus();
    complain(`Too many tries. Please wait ${span(wait)}.${wait < 91 ? "" : " If your code has expired by then, ask for a new one."}`);
    hold(send, wait, "Try again", () => {
      complain("");
      sending(false);
      status.textContent = "You can try again now.";
    });
  } else {
    complain(`${failed(answer)} Your code is still here: please try again.`);
    held.focus();
  }
}

async function resend() {
  if (again.disabled || busy) return;
  busy = again.disabled = true;
  again.textContent = "Sending…";
  notice.textContent = "";
  status.textContent = "Sending a new code";
  const [answer, body, wait] = await post("resend", { otp_id: signUp.id });
  busy = false;
  status.textContent = "";
  holdAgain(answer === 200 ? pause : answer === 429 ? wait : 0);
  if (answer === 200 && body.success === true) {
    const to = /\S+$/.exec(body.msg)?.[0];
    keep({ sent: Date.now(), to });
    ask(`We sent a new code to ${to}. The code before does not work any more.`);
    status.textContent = "A new code was sent.";
  } else if (answer === 401) {
    finish("stopped", "This sign-up has ended",
      `It was completed, took too long, or its code was mistyped too often. Please sign up again. ${signIn}`);
  } else {
    notice.textContent = answer === 429
      ? `No new code yet. Please wait ${span(wait)}.`
      : `${failed(answer)} Please try again.`;
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
  finish("stopped", "This link is incomplete",
    `Please open the whole link in the browser where you signed up, or sign up again. ${signIn}`);
} else if (signUp.done) {
  finish("done", "Your address is confirmed", "You have finished signing up already. There is nothing left to do here.");
} else {
  if (to) keep({ to });
  form.addEventListener("submit", submit);
  again.addEventListener("click", resend);
  code.addEventListener("input", () => {
    const clean = digits(code.value);
    if (clean !== code.value) code.value = clean;
    if (!send.disabled && error.textContent) complain("");
  });
  ask(`We sent it to ${signUp.to ?? "your e-mail address"}. Enter it here to finish signing up.`);
  holdAgain(Math.min(pause, pause - (Date.now() - signUp.sent) / 1000));
}
