// Drives all v1 calls of the official client that need no running flow.
//
// The client is called as a plain function, as its documents show: its credentials and its
// options are then process-global, and the last call wins.

import assert from 'node:assert/strict';
import elasticio from 'elasticio-rest-node';
import { callsOf, coversAllBut, fails, isId, setting, succeeds } from './harness.mjs';

/** Calls that this script leaves to the parts of the server that come later. */
const LATER = [
  'resources.s3.createSignedUrl',
  'resources.storage.createSignedUrl',
  'secrets.retrieve',
  'tasks.retrieveStep',
  'topics.getOne',
  'topics.list',
];

const RECIPE = '53d61965a6b9e9183f000001';
const NOTHING = '000000000000000000000000';
const SSH_KEY =
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB53ipT/cdBLiIFbTeVCfxoMKLhiEGFMqQnm8mrsEHEo john@laptop';
const FINGERPRINT = 'SHA256:uuyWY6tOBp2Vw47SGaobnnNahzS/751cy6rWMILVpVY';
const ACCOUNTS = {
  amazonmws: { credentials: { sellerId: 'A1B2C3', marketplace: 'us', mwsAuthToken: 'token' } },
  shopware: { credentials: { baseUrl: 'shop.example.com', user: 'ada', password: 'secret' } },
};

const ada = { email: setting('ADA_EMAIL'), key: setting('ADA_KEY'), id: setting('ADA_ID') };
const bob = { email: setting('BOB_EMAIL'), key: setting('BOB_KEY') };
const password = setting('PASSWORD');
const before = new Set(Object.keys(globalThis));

/** Signs in as a user for all calls that follow. */
function as(user, options) {
  return elasticio(user.email, user.key, options);
}

/** The ways to say who calls. */
async function signingIn() {
  const isAda = (user) => assert.deepEqual(
    user, { id: ada.id, first_name: 'Test', last_name: 'User', email: ada.email },
  );
  let client = elasticio(ada.email, ada.key);
  await succeeds('users.me', 200, () => client.users.me(), isAda);
  client = elasticio(ada.key, '');
  await succeeds('users.me', 200, () => client.users.me(), isAda);
  client = elasticio(ada.email, password);
  await succeeds('users.me', 200, () => client.users.me(), isAda);
  process.env.ELASTICIO_API_USERNAME = ada.email;
  process.env.ELASTICIO_API_KEY = ada.key;
  client = elasticio();
  await succeeds('users.me', 200, () => client.users.me(), isAda);
  delete process.env.ELASTICIO_API_USERNAME;
  delete process.env.ELASTICIO_API_KEY;

  const first = as(ada);
  as(bob);
  await succeeds('users.me', 200, () => first.users.me(), (user) => {
    assert.equal(user.email, bob.email, 'the last plain call wins');
  });
  client = elasticio(ada.email, 'wrong');
  await fails('users.me', 401, () => client.users.me());
  client = elasticio('7a00b1ec-a0a8-4cea-84d2-d26052c8b788', '');
  await fails('users.me', 401, () => client.users.me());
}

async function users(client) {
  const registration = {
    first_name: 'John', last_name: 'Doe', email: 'john@example.com', password: 'secret',
    company: 'Doe & Partners',
  };
  const john = await succeeds('users.create', 201, () => client.users.create(registration), (made) => {
    isId(made.id);
    assert.equal(made.company, 'Doe & Partners');
  });
  await fails('users.create', 400, () => client.users.create(registration));
  await fails('users.create', 400, () => client.users.create({}), (body) => {
    const required = ['email', 'first_name', 'last_name', 'password'];
    assert.deepEqual(body.errors.map(({ field }) => field).sort(), required);
  });
  elasticio('john@example.com', john.api_secret);
  await succeeds('users.me', 200, () => client.users.me(), (user) => assert.equal(user.id, john.id));
  as(bob);
  await fails('users.delete', 404, () => client.users.delete(john.id));
  as(ada);
  await fails('users.delete', 403, () => client.users.delete(ada.id));
  await succeeds('users.delete', 200, () => client.users.delete(john.id), (told) => {
    assert.ok(told.message.includes(john.id));
  });
  await fails('users.delete', 410, () => client.users.delete(john.id));
}

async function teams(client) {
  const team = await succeeds('teams.create', 201, () => client.teams.create({ name: 'My team' }));
  isId(team.id);
  assert.deepEqual(team, { id: team.id, name: 'My team', members: [ada.id] });
  await succeeds('teams.list', 200, () => client.teams.list(), (list) => {
    assert.deepEqual(list, [team]);
  });
  await fails('teams.create', 400, () => client.teams.create({ name: 'My team' }));
  return team;
}

async function repos(client, team) {
  const wanted = { name: 'My Repo', team_id: team.id };
  const repo = await succeeds('repos.create', 201, () => client.repos.create(wanted));
  isId(repo.id);
  assert.deepEqual(repo, { id: repo.id, ...wanted, is_public: false });
  const isRepo = (shown) => {
    assert.deepEqual([shown.id, shown.name, shown.team_id], [repo.id, 'My Repo', team.id]);
  };
  await succeeds('repos.retrieve', 200, () => client.repos.retrieve(repo.id), isRepo);
  await succeeds('repos.list', 200, () => client.repos.list(), (list) => {
    assert.equal(list.length, 1);
    isRepo(list[0]);
  });
  await environment(client, repo);
  await components(client, repo);
  await fails('repos.retrieve', 404, () => client.repos.retrieve(NOTHING));
  await fails('repos.create', 400, () => client.repos.create(wanted));
  await succeeds('repos.delete', 200, () => client.repos.delete(repo.id), (told) => {
    assert.deepEqual(told, {});
  });
  await fails('repos.retrieve', 410, () => client.repos.retrieve(repo.id));
}

async function environment(client, repo) {
  const holds = (wanted) => (map) => assert.deepEqual(map, wanted);
  const put = (map) => () => client.repos.updateEnvVars(repo.id, map);
  await succeeds('repos.retrieveEnvVars', 200, () => client.repos.retrieveEnvVars(repo.id), holds({}));
  await succeeds('repos.updateEnvVars', 200, put({ A: '1', B: '2' }), holds({ A: '1', B: '2' }));
  await succeeds('repos.updateEnvVars', 200, put({ A: null, C: '3' }), holds({ B: '2', C: '3' }));
  await fails('repos.updateEnvVars', 400, put({ D: '4', ELASTICIO_X: '5' }));
  await succeeds(
    'repos.retrieveEnvVars', 200, () => client.repos.retrieveEnvVars(repo.id), holds({ B: '2', C: '3' }),
  );
}

async function components(client, repo) {
  await succeeds('components.mine', 200, () => client.components.mine(), (mine) => {
    assert.deepEqual(mine, { components: { [repo.id]: { name: 'My Repo' } } });
  });
  const shared = await succeeds('components.public', 200, () => client.components.public());
  const [id] = Object.keys(shared.components);
  isId(id);
  const isDescribed = (one) => assert.equal(one.data.title, shared.components[id].name);
  await succeeds('components.retrieve', 200, () => client.components.retrieve(id), (one) => {
    assert.equal(one.repo_id, id);
    assert.equal(one.team, 'elasticio');
    isDescribed(one);
  });
  await fails('components.retrieve', 404, () => client.components.retrieve(repo.id));

  as(ada, { headers: { 'X-Elastane-Compat': 'later' } });
  await succeeds('components.public', 200, () => client.components.public(), (list) => {
    assert.ok(Array.isArray(list.components));
    isDescribed(list.components.find((one) => one.repo_id === id));
  });
  as(ada);
  const once = { headers: { 'X-Elastane-Compat': 'later' } };
  await succeeds('components.mine', 200, () => client.components.mine(undefined, once), (list) => {
    assert.deepEqual(list.components.map((one) => one.repo_id), [repo.id]);
  });
  await succeeds('components.mine', 200, () => client.components.mine(), (mine) => {
    assert.ok(!Array.isArray(mine.components), 'the header was for one call');
  });
}

async function recipes(client) {
  await succeeds('recipes.list', 200, () => client.recipes.list(), (list) => {
    assert.ok(list.some((one) => one.id === RECIPE));
  });
  await succeeds('recipes.retrieve', 200, () => client.recipes.retrieve(RECIPE), (recipe) => {
    assert.deepEqual(Object.keys(recipe.accounts), Object.keys(ACCOUNTS));
  });
  await fails('recipes.retrieve', 404, () => client.recipes.retrieve('no_such_recipe'));
  const twoTasks = (made) => {
    assert.equal(made.tasks.length, 2);
    for (const task of made.tasks) isId(task.id);
  };
  await succeeds(
    'recipes.activate', 200, () => client.recipes.activate(RECIPE, { accounts: ACCOUNTS }), twoTasks,
  );
  // An empty id makes the client send the form of the first documents: the id in the body.
  const body = { recipeId: RECIPE, accounts: ACCOUNTS };
  const made = await succeeds(
    'recipes.activate', 200, () => client.recipes.activate('', body), twoTasks,
  );
  await fails('recipes.activate', 400, () => client.recipes.activate(RECIPE, { accounts: {} }));
  await fails('recipes.activate', 404, () => client.recipes.activate(NOTHING, { accounts: {} }));
  return made.tasks[0].id;
}

async function accounts(client) {
  const start = await succeeds('accounts.list', 200, () => client.accounts.list());
  assert.equal(start.length, 4, 'two activations of a recipe with two accounts');
  const wanted = { name: 'My box', type: 'dropbox', keys: { token: 'abc', depth: { a: [1] } } };
  const made = await succeeds('accounts.create', 200, () => client.accounts.create(wanted));
  isId(made.id);
  assert.deepEqual(made, { id: made.id, ...wanted });
  await succeeds('accounts.retrieve', 200, () => client.accounts.retrieve(made.id), (one) => {
    assert.deepEqual(one, made);
  });
  const change = { keys: { token: 'def' } };
  await succeeds('accounts.update', 200, () => client.accounts.update(made.id, change), (one) => {
    assert.deepEqual(one, { ...made, ...change });
  });
  await fails('accounts.update', 400, () => client.accounts.update(made.id, { keys: 'abc' }));
  await succeeds('accounts.list', 200, () => client.accounts.list(), (list) => {
    assert.deepEqual(list.find((one) => one.id === made.id), { ...made, ...change });
  });
  as(bob);
  await fails('accounts.retrieve', 404, () => client.accounts.retrieve(made.id));
  as(ada);
}

async function sshKeys(client) {
  await fails('sshkeys.create', 400, () => client.sshkeys.create({ title: 'My Key' }), (body) => {
    assert.equal(body.errors[0].field, 'key');
  });
  const wanted = { key: SSH_KEY, title: 'My Key' };
  const key = await succeeds('sshkeys.create', 201, () => client.sshkeys.create(wanted));
  isId(key.id);
  assert.deepEqual([key.title, key.fingerprint, key.user_id], ['My Key', FINGERPRINT, ada.id]);
  await succeeds('sshkeys.list', 200, () => client.sshkeys.list(), (list) => {
    assert.deepEqual(list, [key]);
  });
  as(bob);
  await fails('sshkeys.delete', 404, () => client.sshkeys.delete(key.id));
  as(ada);
  await succeeds('sshkeys.delete', 200, () => client.sshkeys.delete(key.id), (told) => {
    assert.deepEqual(told, {});
  });
  await succeeds('sshkeys.list', 200, () => client.sshkeys.list(), (list) => {
    assert.deepEqual(list, []);
  });
}

async function tasks(client, activated) {
  const answers = (id, status) => (told) => {
    assert.deepEqual([told.id, told.status], [id, status]);
  };
  const nodes = [
    { action: 'elasticio/timer:timer', config: { interval: 'minute' } },
    { function: 'elasticio/mapper:map', config: { mapper: { text: '{{fireTime}}' } } },
    { action: 'elasticio/debug:log' },
  ];
  const task = await succeeds(
    'tasks.create', 200, () => client.tasks.create({ name: 'Heartbeat', nodes, cron: '*/5 * * * *' }),
  );
  isId(task.id);
  for (const id of [task.id, activated]) {
    await succeeds('tasks.start', 200, () => client.tasks.start(id), answers(id, 'active'));
    await succeeds('tasks.start', 200, () => client.tasks.start(id), answers(id, 'active'));
    await succeeds('tasks.suspend', 200, () => client.tasks.suspend(id), answers(id, 'suspended'));
    await succeeds('tasks.start', 200, () => client.tasks.start(id), answers(id, 'active'));
    await succeeds('tasks.stop', 200, () => client.tasks.stop(id), answers(id, 'inactive'));
    await succeeds('tasks.stop', 200, () => client.tasks.stop(id), answers(id, 'inactive'));
  }
  as(bob);
  await fails('tasks.start', 404, () => client.tasks.start(task.id));
  as(ada);
  await fails('tasks.start', 404, () => client.tasks.start(NOTHING));
  await fails('tasks.create', 400, () => client.tasks.create({ name: 'Empty', nodes: [] }));
  await succeeds(
    'tasks.delete', 200, () => client.tasks.delete(task.id), answers(task.id, 'deleted'),
  );
  await fails('tasks.start', 410, () => client.tasks.start(task.id));
}

/** Schedules a call of a component, and waits until it is over; the client polls then. */
async function scheduled(client, body) {
  let id;
  await succeeds('exec.schedule', 202, () => client.exec.schedule(body), (told) => {
    assert.equal(told.message, 'ok');
    id = new URL(told.location).pathname.match(/^\/v1\/exec\/poll\/([0-9a-f]{24})$/)[1];
  });
  const url = new URL(`/v1/exec/poll/${id}`, process.env.ELASTICIO_API_URI);
  const authorization = `Basic ${Buffer.from(`${ada.email}:${ada.key}`).toString('base64')}`;
  for (let tries = 0; tries < 500; tries += 1) {
    const { status } = await fetch(url, { redirect: 'manual', headers: { authorization } });
    if (status === 303) return id;
    assert.equal(status, 200);
    await new Promise((later) => setTimeout(later, 20));
  }
  throw new Error('it never ended');
}

/** Calls of components outside of flows. */
async function executions(client) {
  const keys = { baseUrl: 'http://shop.example', user: 'u', password: 'p' };
  let id = await scheduled(client, {
    execution_type: 'verify_credentials', component: 'shopware', account_data: keys,
  });
  const poll = () => client.exec.pollResult(id);
  await succeeds('exec.pollResult', [303, 200], poll, (polled) => {
    assert.deepEqual(polled, { ready: true, result: { data: { verified: true } } });
  });
  await fails('exec.pollResult', 404, poll);
  id = await scheduled(client, {
    execution_type: 'get_meta_model', component: 'mapper', action_or_trigger: 'map', cfg: {},
  });
  const refused = () => poll().then(() => assert.fail('it has to throw'), (thrown) => thrown);
  await succeeds('exec.pollResult', [303, 400], refused, (thrown) => {
    assert.equal(thrown.statusCode, 400);
    const body = JSON.parse(thrown.message);
    assert.equal(body.message, 'Rejected.');
    assert.equal(typeof body.reason.message, 'string');
  });
}

await signingIn();
const client = as(ada);
await users(client);
const team = await teams(client);
await repos(client, team);
const activated = await recipes(client);
await accounts(client);
await sshKeys(client);
await tasks(client, activated);
await executions(as(ada));
coversAllBut(LATER, callsOf(client, before));
