// Sends the requests of each Postman collection to the local stack, in order.
const { readdirSync, readFileSync } = require('node:fs');
const { join } = require('node:path');
const newman = require('newman');

const url = process.env.LATCHKEY_URL;
const folder = join(__dirname, '../../../shared/docs/openapi/requests');

// What a collection must achieve: a sign-up. Later requests need codes and ids that no earlier answer has.
const ACCEPTED = {
  gotu: ['postOtp', 'postUsers', 'postSessions', 'postSessionsRefresh'],
  goodcity: ['signup', 'verify', 'currentUserProfile'],
  urbanfits: ['signup', 'signupCallback', 'login', 'getMe'],
  posbytz: ['oauth2Token', 'signup'],
};

async function post(path, body) {
  const answer = await fetch(url + path, { method: 'POST', body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`POST ${path} answered ${answer.status}`);
  return answer.json();
}

const send = (collection, envVar) =>
  new Promise((resolve, reject) => {
    newman.run({ collection, envVar, reporters: [] }, (error, summary) => (error ? reject(error) : resolve(summary)));
  });

async function main() {
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.postman_collection.json'))) {
    const collection = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    await fetch(`${url}/_local/state`, { method: 'DELETE' });
    const envVar = [{ key: 'host', value: url }];
    if (file.startsWith('posbytz')) {
      const made = { store: 'STORE1', scopes: ['user:read', 'user:write'] };
      const client = await post('/2015-03-31/functions/posbytz-create-client/invocations', made);
      envVar.push({ key: 'clientId', value: client.clientId }, { key: 'clientSecret', value: client.clientSecret });
    }
    const { run } = await send(collection, envVar);
    // The request of a script is an execution of its item, too, before the item's own.
    const executions = [...new Map(run.executions.map((execution) => [execution.item.name, execution])).values()];
    const answers = executions.map(({ item, response }) => `${item.name} ${response?.code}`);
    const accepted = executions.filter(({ response }) => response?.code < 300).map(({ item }) => item.name);
    const failures = run.failures.map(({ source, error }) => `${source?.name}: ${error.message}`);
    const contract = file.split('.', 1)[0];
    failures.push(...ACCEPTED[contract].filter((name) => !accepted.includes(name)).map((name) => `${name} was refused`));
    if (failures.length > 0) throw new Error(`${file}: ${failures.join('; ')}\n${answers.join('\n')}`);
    console.log(`ok  ${file}: ${answers.length} requests, each with a documented answer, ${accepted.length} accepted`);
  }
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
