
const [main, heading, lead, form, code, error, send, status] =
  ["main", "heading", "lead", "form", "code", "error", "send", "status"]
    .map((id) => document.getElementById(id));
const otpId = new URLSearchParams(location.search).get("otp_id") ?? "";
const again = "If you have an account already, simply sign in.";

const title = (text) => { document.title = `${text} – UrbanFits`; };

// The digits of a code, typed or pasted. Arabic and full-width digits end in the same four bits as ASCII ones.
const digits = (text) => text
  .replace(/[\u0660-\u0669\u06f0-\u06f9\uff10-\uff19]/g, (digit) => digit.charCodeAt(0) & 15)
  .replace(/\D/g, "");

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

// Shows a final text without the form.
function finish(state, text, more) {
  form.hidden = true;
  main.dataset.state = state;
  heading.textContent = text;
  lead.textContent = more;
  title(text);
  heading.focus();
}

function sending(on) {
  send.disabled = code.readOnly = on;
  send.setAttribute("aria-busy", on);
  send.textContent = on ? "Checking…" : "Confirm";
  status.textContent = on ? "Checking your code" : "";
}

function pause(seconds) {
  const until = Date.now() + seconds * 1000;
  const some = (count, unit) => `${count} ${unit}${count === 1 ? "" : "s"}`;
  const wait = seconds < 91 ? some(seconds, "second") : some(Math.ceil(seconds / 60), "minute");
  const late = seconds < 91 ? "" : " If your code has expired by then, please sign up again.";
  complain(`Too many tries. Please wait ${wait}.${late}`);
  const tick = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    // The text of the button is not a live region: screen readers do not read each second.
    send.textContent = `Try again in ${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    if (left <= 0) {
      clearInterval(timer);
      complain("");
      sending(false);
      status.textContent = "You can try again now.";
    }
  };
  send.disabled = true;
  const timer = setInterval(tick, 1000);
  tick();
}

async function submit(event) {
  event.preventDefault();
  if (send.disabled) return;
  const otp = digits(code.value);
  if (otp.length !== 5) {
    wrong(otp ? `The code has 5 digits; you entered ${otp.length}.` : "Please enter the 5-digit code.");
    return;
  }
  const held = document.activeElement;
  complain("");
  sending(true);
  let response, body;
  try {
    response = await fetch("callback", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ otp_id: otpId, otp }),
      credentials: "same-origin",
      cache: "no-store",
      redirect: "error",
      signal: AbortSignal.timeout?.(40000),
    });
    body = await response.json();
  } catch {
    // No connection, or a body that is not JSON: the status decides.
  }
  sending(false);
  if (response?.status === 200 && body?.success === true) {
    const name = body.user?.username;
    finish("done", "You're registered",
      `Welcome${name ? `, ${name}` : ""}! You are signed in and can close this page.`);
  } else if (response?.status === 401 && body?.msg === "The OTP is incorrect.") {
    wrong("That code is not right. Please check it and try again.");
  } else if (response?.status === 401) {
    finish("stopped", "This code no longer works",
      `It has expired, was already used, or was mistyped too often. Please sign up again to get a new one. ${again}`);
  } else if (response?.status === 409) {
    finish("stopped", "Already taken",
      `In the meantime somebody registered with this e-mail address or username. Please sign up again with another one. ${again}`);
  } else if (response?.status === 429) {
    code.focus();
    pause(Math.max(1, Number.parseInt(response.headers.get("Retry-After"), 10) || 60));
  } else {
    complain(`${response ? "Something went wrong on our side." : "We could not reach UrbanFits."} Your code is still here: please try again.`);
    held.focus();
  }
}

if (/^[0-9a-f]{24}$/.test(otpId)) {
  form.addEventListener("submit", submit);
  code.addEventListener("input", () => {
    const clean = digits(code.value);
    if (clean !== code.value) code.value = clean;
    if (!send.disabled && error.textContent) complain("");
  });
  form.hidden = false;
  code.focus();
} else {
  finish("stopped", "This link is incomplete",
    `Please open the whole link that you got when you signed up, or sign up again. ${again}`);
}
