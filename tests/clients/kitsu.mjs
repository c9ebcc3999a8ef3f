// A client of JSON:API that knows nothing of Elastane makes, reads, pages through, changes
// and deletes what API v2 serves. One line of JSON a call.

import assert from 'node:assert/strict';
import Kitsu from 'kitsu';

const { ELASTICIO_API_URI, ADA_KEY } = process.env;

const api = new Kitsu({
  baseURL: `${ELASTICIO_API_URI.replace(/\/+$/, '')}/v2`,
  pluralize: false,
  camelCaseTypes: false,
  headers: { Authorization: `Basic ${Buffer.from(`${ADA_KEY}:`).toString('base64')}` },
});

// The client has one word for a type and for its path; here they are `team` and `teams`.
api.interceptors.request.use((config) => {
  config.url = config.url.replace(/^\/?team(?=\/|$)/, 'teams');
  return config;
});

/** Runs a call and prints its line; one that goes wrong ends the run. */
async function call(name, run) {
  let fault;
  let result;
  try {
    result = await run();
  } catch (error) {
    fault = error;
  }
  console.log(JSON.stringify({ call: name, ok: !fault, fault: fault && String(fault.message) }));
  if (fault) {
    process.exitCode = 1;
    throw fault;
  }
  return result;
}

const me = await call('read the own user', async () => {
  const { data } = await api.get('users/me');
  assert.equal(data.type, 'user');
  return data;
});

const teams = await call('make two teams', async () => {
  const made = [];
  for (const name of ['first', 'second']) {
    const { data } = await api.post('team', { name });
    assert.equal(data.name, name);
    made.push(data);
  }
  return made;
});

await call('read a team and its members', async () => {
  const { data } = await api.get(`teams/${teams[0].id}`);
  assert.equal(data.users.data[0].id, me.id);
});

await call('page through the teams', async () => {
  const { data, meta } = await api.get('teams', { params: { page: { size: 1, number: 2 } } });
  assert.deepEqual(data.map((team) => team.id), [teams[1].id]);
  assert.deepEqual(meta, { page: 2, per_page: 1, total: 2, total_pages: 2 });
});

await call('change a team', async () => {
  const { data } = await api.patch('team', { id: teams[0].id, name: 'renamed' });
  assert.equal(data.name, 'renamed');
});

await call('read components with what they include', async () => {
  const { data } = await api.get('components', { params: { filter: { access: 'public' } } });
  const timer = data.find((component) => component.name === 'timer');
  assert.equal(timer.latest_version.data.descriptor.data.title.length > 0, true);
});

await call('hear of a fault by its place', async () => {
  const refused = await api.post('teams', { name: 'x' }).then(
    () => undefined,
    (error) => error,
  );
  assert.equal(refused.errors[0].status, '409');
  assert.equal(refused.errors[0].source.pointer, '/data/type');
});

await call('delete the teams', async () => {
  for (const { id } of teams) {
    await api.delete('team', id);
  }
  const { data } = await api.get('teams');
  assert.deepEqual(data, []);
});

console.log(JSON.stringify({ call: 'all calls', ok: true }));
