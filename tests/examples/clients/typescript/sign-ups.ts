// A sign-up of each contract by its typed client, against the local stack.
import assert from 'node:assert/strict';
import createClient from 'openapi-fetch';
import type { paths as GoodCity } from '../../../../target/clients/typescript/goodcity.js';
import type { paths as Gotu } from '../../../../target/clients/typescript/gotu.js';
import type { paths as PosBytz } from '../../../../target/clients/typescript/posbytz.js';
import type { paths as UrbanFits } from '../../../../target/clients/typescript/urbanfits.js';
import { code, oauthClient, reset, url } from './stack.js';

/** The body of a success. A refusal is an error with its status and its body. */
function success<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  const { data, error, response } = answer;
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}: ${JSON.stringify(error)}`);
  return data as T;
}

async function gotu() {
  const client = createClient<Gotu>({ baseUrl: url });
  const phoneNumber = '+6282243350992';
  success(await client.POST('/otp', { body: { identifier: phoneNumber, otpType: 'sign_up' } }));
  const body = { type: 'phone', phoneNumber, otpCode: await code(phoneNumber), userType: 'HYG' } as const;
  const { data } = success(await client.POST('/users', { body }));
  assert.equal(data.tokenType, 'Bearer');
  // A code works once: the refusal is typed, too.
  const again = await client.POST('/users', { body });
  assert.equal(again.error?.error, 'invalid or expired otp code');
  const refreshed = success(await client.POST('/sessions/refresh', { body: { refreshToken: data.refreshToken } }));
  const headers = { authorization: `Bearer ${refreshed.data.accessToken}` };
  assert.equal((await client.DELETE('/sessions', { headers })).response.status, 204);
}

async function goodcity() {
  const client = createClient<GoodCity>({ baseUrl: url });
  const user_auth = { mobile: '+85251224538', first_name: 'Jake', last_name: 'Deamon', address_attributes: { district_id: '1' } };
  const { otp_auth_key } = success(await client.POST('/api/v1/auth/signup', { body: { user_auth } }));
  const pin = await code('+85251224538');
  const { jwt_token, user } = success(await client.POST('/api/v1/auth/verify', { body: { otp_auth_key, pin } }));
  assert.equal(user.user_profile.mobile, '51224538');
  const headers = { authorization: `Bearer ${jwt_token}` };
  const profile = success(await client.GET('/api/v1/auth/current_user_profile', { headers }));
  assert.deepEqual(profile, user);
}

async function urbanfits() {
  const client = createClient<UrbanFits>({ baseUrl: url });
  const email = 'example@domain.com';
  const person = { username: 'user_123', email, phone_prefix: '+92', phone_number: '30142353150', password: 'correct horse' };
  const body = { ...person, timezone: 'Asia/Dubai', accept_policies: true } as const;
  const { otp_id } = success(await client.POST('/auth/signup', { body }));
  const callback = await client.POST('/auth/signup/callback', { body: { otp_id, otp: await code(email) } });
  assert.equal(success(callback).user.username, 'user_123');
  // A browser keeps the cookie itself, with `credentials: 'include'`.
  const cookies = callback.response.headers.getSetCookie().map((cookie) => cookie.split(';', 1)[0] ?? '');
  assert.deepEqual(cookies.map((cookie) => cookie.split('=')[0]), ['session-token', 'is_logged_in']);
  const headers = { cookie: cookies.join('; ') };
  assert.equal(success(await client.GET('/user/get/me', { headers })).user.email, email);
  success(await client.POST('/auth/logout', { headers }));
  assert.equal((await client.GET('/user/get/me', { headers })).response.status, 401);
}

async function posbytz() {
  const client = createClient<PosBytz>({ baseUrl: url });
  const { clientId, clientSecret } = await oauthClient('STORE1', ['user:read', 'user:write']);
  const grant = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret } as const;
  const { access_token } = success(await client.POST('/ecommerce/oauth2/token', { body: grant }));
  const headers = { authorization: `Bearer ${access_token}` };
  const mobile = { code: '+91', number: '9962794005' };
  const signUp = await client.POST('/ecommerce/v1/auth/signup', { headers, body: { mobile, password: 'correct horse' } });
  assert.equal(success(signUp).data.mobile?.verified, false);
  const otp = Number(await code('+919962794005'));
  const proof = { otp, source: 'mobile', mobile } as const;
  const session = success(await client.POST('/ecommerce/v1/auth/otp/verify', { headers, body: proof }));
  assert.equal(session.data.tokenType, 'Bearer');
}

for (const signUp of [gotu, goodcity, urbanfits, posbytz]) {
  await reset();
  await signUp();
  console.log(`ok  TypeScript signs up: ${signUp.name}`);
}
