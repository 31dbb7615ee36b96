// The local stack as a test double. `cargo run -- exec` sets LATCHKEY_URL.
export const url = process.env.LATCHKEY_URL ?? '';
if (!url) throw new Error('LATCHKEY_URL is absent: run `cargo run -- --limits off exec -- tests/examples/clients/run --check`');

async function call(method: string, path: string, body?: unknown): Promise<unknown> {
  const answer = await fetch(url + path, { method, ...(body !== undefined && { body: JSON.stringify(body) }) });
  if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`);
  return answer.status === 204 ? undefined : answer.json();
}

/** Deletes all data. */
export const reset = () => call('DELETE', '/_local/state');

/** Returns the code of the first message to a recipient. Waits until it is there. */
export async function code(to: string): Promise<string> {
  const query = new URLSearchParams({ to, wait: '10s' });
  const { messages } = (await call('GET', `/_local/messages?${query}`)) as { messages: { code: string | null }[] };
  const found = messages[0]?.code;
  if (!found) throw new Error(`no message with a code came to ${to} in 10 seconds`);
  return found;
}

/** Makes an OAuth 2.0 client of PosBytz, as an administrator does. */
export const oauthClient = async (store: string, scopes: string[]) =>
  (await call('POST', '/2015-03-31/functions/posbytz-create-client/invocations', { store, scopes })) as {
    clientId: string;
    clientSecret: string;
  };
