// Runs calls of the official client and prints one line of JSON a call: what was called,
// what went over the wire, and whether it was as the contract says.

import assert from 'node:assert/strict';
import { subscribe } from 'node:diagnostics_channel';

/** How often the client sends a request that is answered with 5xx. */
const TRIES_ON_SERVER_FAULT = 3;

/** The answered requests of the call that runs. */
let answered = [];

/** The names of the calls that succeeded at least once. */
const succeeded = new Set();

subscribe('http.client.response.finish', ({ request, response }) => {
  answered.push({ method: request.method, path: request.path, status: response.statusCode });
});

/** Prints the line of a call; a call that went wrong ends the run. */
function report(name, fault) {
  console.log(JSON.stringify({ call: name, ok: !fault, sent: answered, fault: fault?.message }));
  if (fault) {
    process.exitCode = 1;
    throw fault;
  }
}

/**
 * Runs a call that has to succeed in one try with `status`, and returns its result. For a
 * call that is redirected, `status` lists the statuses on the way.
 */
export async function succeeds(name, status, run, check = () => {}) {
  answered = [];
  let result;
  let fault;
  try {
    result = await run();
    assert.deepEqual(answered.map((one) => one.status), [status].flat(), 'statuses of the tries');
    check(result);
    succeeded.add(name);
  } catch (error) {
    fault = error;
  }
  report(name, fault);
  return result;
}

/**
 * Runs a call that has to throw as the client throws: `statusCode` is the status, and the
 * text of the error is the body. Client mistakes are sent once, server faults three times.
 */
export async function fails(name, status, run, check = () => {}) {
  answered = [];
  let fault;
  try {
    const error = await run().then(() => undefined, (thrown) => thrown);
    assert.ok(error, `${name} has to throw`);
    assert.equal(error.statusCode, status, error.message);
    const body = JSON.parse(error.message);
    assert.equal(typeof body.message, 'string', 'the body says what is wrong');
    const tries = status < 500 ? 1 : TRIES_ON_SERVER_FAULT;
    assert.deepEqual(answered.map((one) => one.status), Array(tries).fill(status));
    check(body);
  } catch (error) {
    fault = error;
  }
  report(name, fault);
}

/**
 * Returns the names of all calls that a client has, such as `repos.create`.
 *
 * `before` holds what the global object had before the client was made: a client that is
 * called as a plain function puts its resources there.
 */
export function callsOf(client, before) {
  const names = [];
  for (const [key, value] of Object.entries(client)) {
    if (!before.has(key) && key !== '_api' && key !== 'options') collect(key, value, names);
  }
  return names.sort();
}

/** Collects the calls of one resource, or of a group of resources. */
function collect(prefix, resource, names) {
  if (typeof resource !== 'object' || resource === null) return;
  if (Object.getPrototypeOf(resource) === Object.prototype) {
    for (const [key, value] of Object.entries(resource)) collect(`${prefix}.${key}`, value, names);
    return;
  }
  for (const [key, value] of Object.entries(Object.getPrototypeOf(resource))) {
    if (typeof value === 'function') names.push(`${prefix}.${key}`);
  }
}

/** Checks that every call of the client succeeded, except those in `later`. */
export function coversAllBut(later, calls) {
  answered = [];
  let fault;
  try {
    assert.ok(calls.length > 0, 'the client has calls');
    assert.deepEqual(calls.filter((name) => !succeeded.has(name)), [...later].sort());
  } catch (error) {
    fault = error;
  }
  report('all calls', fault);
}

/** Returns a setting of the run. */
export function setting(name) {
  const value = process.env[name];
  assert.ok(value, `${name} is missing: run this through cargo test`);
  return value;
}

/** Checks that a value is an id: 24 hex digits. */
export function isId(value) {
  assert.match(value, /^[0-9a-f]{24}$/);
}
