// The local stack as a test double. `cargo run -- exec` sets LATCHKEY_URL.
export const url = process.env.LATCHKEY_URL;
if (!url) throw new Error('LATCHKEY_URL is absent: run `cargo run -- --limits off exec -- npm test`');

async function admin(method, path, body) {
  const answer = await fetch(`${url}/_local/${path}`, { method, body: body && JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${method} /_local/${path} answered ${answer.status}: ${await answer.text()}`);
  return answer.status === 204 ? undefined : answer.json();
}

/** Deletes all data and faults, and sets the clock back to the real time. */
export const reset = () => admin('DELETE', 'state');
/** Puts the clock ahead, such as by `6m`. */
export const advance = (time) => admin('POST', 'clock', { advance: time });
/** Makes the next calls of the functions to an AWS service fail. */
export const fail = (fault) => admin('POST', 'faults', fault);
/** Returns the newest request to the API, and what it caused. */
export const request = async () => (await admin('GET', 'requests?limit=1')).requests[0];
/** Signs a person up through the API, and returns its data and its tokens. */
export const seed = async (person) => (await admin('POST', 'seed', { people: [person] })).people[0];

/** Returns the first message to a recipient, or the first after another message. Waits until it is there. */
export async function message(to, { after, wait = '10s' } = {}) {
  const query = new URLSearchParams({ to, wait, ...(after && { after: after.id }) });
  const { messages } = await admin('GET', `messages?${query}`);
  if (messages.length === 0) throw new Error(`no message to ${to} within ${wait}`);
  return messages[0];
}
