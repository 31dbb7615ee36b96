// The app that is tested: it signs a user up by phone, and its screen says what to do next.
export class App {
  screen = 'Enter your phone number.';
  #api;
  #token = '';

  constructor(api) {
    this.#api = api;
  }

  async askForCode(phone) {
    const { ok } = await this.#send('POST', '/otp', { identifier: phone, otpType: 'sign_up' });
    this.screen = ok ? `We are sending a code to ${phone}.` : 'That did not work. Please try again.';
  }

  async enterCode(phone, code) {
    const user = { phoneNumber: phone, otpCode: code, userType: 'HYG' };
    this.#enter(await this.#send('POST', '/users', user), 'This code is wrong or too old. Ask for a new one.');
  }

  /** Continues the session of an earlier start. */
  async start(refreshToken) {
    this.#enter(await this.#send('POST', '/sessions/refresh', { refreshToken }), 'Please sign in again.');
  }

  async signOut() {
    await this.#send('DELETE', '/sessions');
    this.screen = 'You are signed out.';
  }

  #enter(answer, refusal) {
    if (answer.ok) this.#token = answer.data.accessToken;
    this.screen = answer.ok ? 'Welcome!' : refusal;
  }

  async #send(method, path, body) {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${this.#token}` };
    const answer = await fetch(this.#api + path, { method, headers, body: body && JSON.stringify(body) });
    return { ok: answer.ok, ...(answer.status === 204 ? {} : await answer.json()) };
  }
}
