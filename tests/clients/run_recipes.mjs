// Activates the bundled recipes with the official client, starts what they make, and
// sets it off: by its webhook, or by hand where a schedule would take a while.

import assert from 'node:assert/strict';
import elasticio from 'elasticio-rest-node';
import { setting, succeeds } from './harness.mjs';

const client = elasticio(setting('ADA_KEY'), '');
const base = new URL(setting('ELASTICIO_API_URI')).origin;
const authorization = `Basic ${Buffer.from(`${setting('ADA_KEY')}:`).toString('base64')}`;

const marketplace = {
  name: 'Amazon MWS account',
  credentials: { sellerId: 'A1', marketplace: 'us', mwsAuthToken: 'amzn.mws.1' },
};
const shop = { name: 'Shop', credentials: { baseUrl: 'https://shop.example', user: 'ada', password: 'x' } };

/** The accounts that each recipe wants. */
const recipes = {
  '53d61965a6b9e9183f000001': { amazonmws: marketplace, shopware: shop },
  timer_heartbeat: {},
  webhook_to_http: {},
  scheduled_csv_import: {},
};

/** Sets a flow off. */
async function setOff(recipe, flow) {
  const hook = recipe === 'webhook_to_http';
  const path = hook ? `/hook/${flow}` : `/v2/flows/${flow}/run-now`;
  const sent = await fetch(base + path, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: '{}',
  });
  assert.equal(sent.status, hook ? 200 : 202, await sent.text());
}

for (const [recipeId, accounts] of Object.entries(recipes)) {
  const activated = await succeeds(`recipes.activate ${recipeId}`, 200, () =>
    client.recipes.activate(recipeId, { accounts }));
  assert.ok(activated.tasks.length > 0, 'it makes tasks');
  for (const task of activated.tasks) {
    await succeeds(`tasks.start ${recipeId}`, 200, () => client.tasks.start(task.id));
    await setOff(recipeId, task.id);
    console.log(JSON.stringify({ call: 'set off', ok: true, sent: [], flow: task.id, recipe: recipeId }));
  }
}
