import { beforeEach, expect, test } from 'vitest';
import { App } from './app.js';
import * as latchkey from './latchkey.js';

const PHONE = '+6282243350992';
const SENDING = `We are sending a code to ${PHONE}.`;
let app;

beforeEach(async () => {
  await latchkey.reset();
  app = new App(latchkey.url);
});

test('a code signs a user up', async () => {
  await app.askForCode(PHONE);
  expect(app.screen).toBe(SENDING);
  await app.enterCode(PHONE, (await latchkey.message(PHONE)).code);
  expect(app.screen).toBe('Welcome!');
});

test('a code ends after five minutes, and a new one works', async () => {
  await app.askForCode(PHONE);
  const old = await latchkey.message(PHONE);
  await latchkey.advance('6m');
  await app.enterCode(PHONE, old.code);
  expect(app.screen).toBe('This code is wrong or too old. Ask for a new one.');
  await app.askForCode(PHONE);
  await app.enterCode(PHONE, (await latchkey.message(PHONE, { after: old })).code);
  expect(app.screen).toBe('Welcome!');
});

test('a user who is signed in stays so until the sign-out', async () => {
  const { refreshToken } = await latchkey.seed({ contract: 'gotu', phone: PHONE });
  await app.start(refreshToken);
  expect(app.screen).toBe('Welcome!');
  await app.signOut();
  await app.start(refreshToken);
  expect(app.screen).toBe('Please sign in again.');
});

test('while SNS is throttled, the app shows the same, and the code arrives later', async () => {
  await latchkey.fail({ service: 'sns', mode: 'throttle' });
  await app.askForCode(PHONE);
  expect(app.screen).toBe(SENDING);
  const { code } = await latchkey.message(PHONE);
  expect((await latchkey.request()).fault).toBe('sns throttle');
  await app.enterCode(PHONE, code);
  expect(app.screen).toBe('Welcome!');
});

test('while DynamoDB is down, the app asks the user to try again', async () => {
  await latchkey.fail({ service: 'dynamodb', mode: 'error', operation: 'TransactWriteItems', count: 100 });
  await app.askForCode(PHONE);
  expect(app.screen).toBe('That did not work. Please try again.');
});
