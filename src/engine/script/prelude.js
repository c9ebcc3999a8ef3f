// What a script finds around it. Evaluated before the author's code, in the same
// fresh context: what the author breaks afterwards is the author's own, and nothing
// that this file returns is trusted. Takes what the host offers and what the step
// has, sets the globals, and returns the hands by which the host drives the run.
//
// It is parsed again for every run. QuickJS reads ahead at each parenthesis and brace
// that may begin an arrow function or a pattern, so functions are declared, and stand
// neither in literals nor in arguments: that is a third faster. No line but a comment
// may begin with two slashes; the host leaves those lines out.
0, function (host, msg, cfg, snapshot, variables) {
  'use strict';
  const stringify = JSON.stringify;
  const parse = JSON.parse;
  const evaluate = eval;
  const apply = Reflect.apply;
  const prototypeOf = Object.getPrototypeOf;
  const define = Object.defineProperty;
  const hasOwn = Object.hasOwn;
  const timers = new Map();
  const events = {};
  const hands = {};
  const logger = {};
  const console = {};
  let lastTimer = 0;
  let done = false;
  let ended = false;

  function text(value) {
    try {
      return String(value).toWellFormed();
    } catch {
      return 'a value that has no text';
    }
  }

  // Name, message, stack and HTTP status, if any, of whatever was thrown. A stack begins with the error's
  // own line, as in Node, and holds the author's frames only.
  function describe(thrown) {
    try {
      return inWords(thrown);
    } catch (second) {
      if (second === null || second?.message === 'out of memory') return inWords(null);
      return ['Error', 'what was thrown can not be put into words', 'Not Available'];
    }
  }
  function inWords(thrown) {
    if (thrown === null) {
      // QuickJS throws null where no memory is left for an error.
      return ['RangeError', 'out of memory, or null was thrown', 'Not Available'];
    }
    if (typeof thrown !== 'object') return ['Error', text(thrown), 'Not Available'];
    const name = property(thrown, 'name') || 'Error';
    let message = property(thrown, 'message');
    if (message === '' && !(thrown instanceof Error)) message = show(thrown);
    const frames = property(thrown, 'stack').split('\n').filter(isOfAuthor);
    const stack = frames.length === 0 ? 'Not Available' : `${name}: ${message}\n${frames.join('\n')}`;
    return [name, message, stack, status(thrown)];
  }
  function status(thrown) {
    try {
      const named = thrown.statusCode ?? thrown.status;
      return Number.isInteger(named) && named >= 400 && named <= 599 ? named : 0;
    } catch {
      return 0;
    }
  }
  function property(thrown, key) {
    try {
      const value = thrown[key];
      return typeof value === 'string' ? value.toWellFormed() : '';
    } catch {
      return '';
    }
  }
  function isOfAuthor(line) {
    return line.startsWith('    at ') && !line.includes('elastane.js');
  }

  function show(value) {
    if (typeof value === 'string') return value;
    try {
      if (!(value instanceof Error)) return stringify(value) ?? text(value);
      const words = describe(value);
      return words[2] === 'Not Available' ? `${words[0]}: ${words[1]}` : words[2];
    } catch {
      return text(value);
    }
  }
  function format(values) {
    if (typeof values[0] !== 'string') return values.map(show).join(' ');
    let next = 1;
    function fill(mark) {
      if (mark === '%%') return '%';
      if (next >= values.length) return mark;
      const value = values[next++];
      if (mark === '%c') return '';
      if (mark === '%i') return text(parseInt(value, 10));
      return mark === '%d' || mark === '%f' ? text(Number(value)) : show(value);
    }
    const first = values[0].replace(/%[sdifjoOc%]/g, fill);
    return [first, ...values.slice(next).map(show)].join(' ');
  }
  function addLevel(name, level) {
    function log(...values) {
      host.log(level, format(values).toWellFormed());
    }
    logger[name] = console[name] = log;
  }
  function child() {
    return logger;
  }
  function assert(holds, ...values) {
    if (!holds) logger.error('Assertion failed', ...values);
  }
  for (const level of ['trace', 'debug', 'info', 'warn', 'error']) addLevel(level, level);
  logger.fatal = logger.error;
  logger.child = child;
  console.log = console.dir = console.info;
  console.assert = assert;

  function addEvent(name) {
    function send(value) {
      if (value === null || typeof value !== 'object') {
        throw new TypeError(`emit('${name}') needs an object, not ${text(value)}`);
      }
      return host.emit(name, stringify(value));
    }
    events[name] = send;
  }
  for (const name of ['data', 'snapshot', 'updateSnapshot', 'httpReply']) addEvent(name);
  function error(value) {
    return host.emit('error', stringify(describe(value)));
  }
  function rebound(value) {
    return host.emit('rebound', stringify(describe(value)[1]));
  }
  function end() {
    ended = true;
    return true;
  }
  events.error = error;
  events.rebound = rebound;
  events.end = end;
  async function emit(event, value) {
    return hasOwn(events, event) ? events[event](value) : false;
  }
  function getFlowVariables() {
    return variables;
  }
  const emitter = { emit, logger, getFlowVariables };
  function newMessageWithBody(body) {
    return { attachments: {}, body, headers: {}, metadata: {} };
  }
  function newEmptyMessage() {
    return newMessageWithBody({});
  }

  // Timers: the host sleeps, and calls one that is due at a time.
  function later(callback, delay, values, repeats) {
    if (typeof callback !== 'function') {
      throw new TypeError(`a timer needs a function, not ${text(callback)}`);
    }
    // Node's least delay, which also keeps an interval of 0 from never sleeping.
    const least = Math.max(1, Number(delay) || 0);
    const every = repeats ? least : 0;
    timers.set(++lastTimer, { callback, due: host.now() + least, every, values });
    return lastTimer;
  }
  function setTimeout(callback, delay, ...values) {
    return later(callback, delay, values, false);
  }
  function setInterval(callback, delay, ...values) {
    return later(callback, delay, values, true);
  }
  function setImmediate(callback, ...values) {
    return later(callback, 0, values, false);
  }
  function clearTimeout(id) {
    timers.delete(id);
  }
  function wait(delay) {
    function begin(resolve) {
      later(resolve, delay, [], false);
    }
    return new Promise(begin);
  }
  function nextTimer() {
    let next;
    for (const entry of timers) {
      if (next === undefined || entry[1].due < next[1].due) next = entry;
    }
    return next;
  }

  function require(name) {
    throw new Error(
      `require('${text(name)}') is not possible: scripts run without modules, files and network`,
    );
  }
  function structuredClone(value) {
    return parse(stringify(value));
  }

  function setGlobal(name, value) {
    define(globalThis, name, { configurable: true, value, writable: true });
  }
  setGlobal('clearImmediate', clearTimeout);
  setGlobal('clearInterval', clearTimeout);
  setGlobal('clearTimeout', clearTimeout);
  setGlobal('console', console);
  setGlobal('emitter', emitter);
  setGlobal('exports', {});
  setGlobal('getFlowVariables', getFlowVariables);
  setGlobal('global', globalThis);
  setGlobal('messages', { newMessageWithBody, newEmptyMessage });
  setGlobal('module', { exports: {} });
  setGlobal('msg', msg);
  setGlobal('require', require);
  setGlobal('setImmediate', setImmediate);
  setGlobal('setInterval', setInterval);
  setGlobal('setTimeout', setTimeout);
  setGlobal('structuredClone', structuredClone);
  setGlobal('wait', wait);

  // Where QuickJS loops for long without asking whether it has to stop, what would take
  // more than seconds is refused. Who means harm gets around this, and leaves a thread
  // behind; who merely errs is told.
  const COMPARISONS_MAX = 2 ** 31;
  const LENGTH_MAX = 2 ** 27;
  const MARKS_MAX = 10_000;
  function guard(owner, name, refuse) {
    const native = owner[name];
    function guarded(...values) {
      refuse(this, values);
      return apply(native, this, values);
    }
    define(guarded, 'name', { configurable: true, value: name });
    define(owner, name, { configurable: true, value: guarded, writable: true });
  }
  function refuseSearch(searched, values) {
    const part = values[0];
    if (typeof part === 'string' && part.length > 1_000) {
      if (part.length * searched.length > COMPARISONS_MAX) {
        throw new RangeError(`a text of ${part.length} characters is too long to search for here`);
      }
    }
  }
  function refuseLength(list) {
    if (list?.length > LENGTH_MAX) throw new RangeError(`a list of ${list.length} is too long`);
  }
  function refuseLengths(list, values) {
    refuseLength(list);
    values.forEach(refuseLength);
  }
  function refuseRaw(owner, values) {
    refuseLength(values[0]?.raw);
  }
  function refuseMarks(normalized) {
    if (normalized.length > MARKS_MAX) {
      if (new RegExp(`\\p{M}{${MARKS_MAX}}`, 'u').test(normalized)) {
        throw new RangeError('too many combining marks follow each other');
      }
    }
  }
  for (const name of ['includes', 'indexOf', 'lastIndexOf', 'replace', 'replaceAll', 'split']) {
    guard(String.prototype, name, refuseSearch);
  }
  for (const name of ['copyWithin', 'flat', 'join', 'reverse', 'shift', 'sort', 'unshift']) {
    guard(Array.prototype, name, refuseLength);
  }
  guard(Array.prototype, 'concat', refuseLengths);
  guard(String.prototype, 'normalize', refuseMarks);
  guard(String, 'raw', refuseRaw);

  // A generator is run to its end: what it yields is awaited and handed back in.
  async function settle(value) {
    const awaited = await value;
    if (awaited === null || typeof awaited !== 'object') return awaited;
    if (typeof awaited.next === 'function' && typeof awaited.throw === 'function') {
      return drive(awaited);
    }
    return Array.isArray(awaited) ? Promise.all(awaited.map(settle)) : awaited;
  }
  async function drive(generator) {
    let step = generator.next();
    while (!step.done) {
      let value;
      try {
        value = await settle(step.value);
      } catch (thrown) {
        step = generator.throw(thrown);
        continue;
      }
      step = generator.next(value);
    }
    return step.value;
  }
  function* anyGenerator() {}
  const generatorKind = prototypeOf(anyGenerator);

  // Waits for the author's top level, then for its `run`; a failure of either is a
  // rejection that nobody handles, which is how the host learns of it.
  async function start(top) {
    await top;
    const run = evaluate("typeof run === 'function' ? run : undefined");
    if (run !== undefined) {
      const given = apply(run, emitter, [msg, cfg, snapshot]);
      const result = await (prototypeOf(run) === generatorKind ? drive(given) : given);
      if (result) await emit('data', newMessageWithBody(result));
    }
    done = true;
  }
  // Milliseconds until the next timer is due; undefined without one.
  function due() {
    const next = nextTimer();
    return next && Math.max(0, next[1].due - host.now());
  }
  function fire() {
    const next = nextTimer();
    const timer = next[1];
    if (timer.every > 0) timer.due = host.now() + timer.every;
    else timers.delete(next[0]);
    apply(timer.callback, undefined, timer.values);
  }
  function isDone() {
    return done;
  }
  function isEnded() {
    return ended;
  }
  hands.describe = describe;
  hands.due = due;
  hands.fire = fire;
  hands.isDone = isDone;
  hands.isEnded = isEnded;
  hands.start = start;
  return hands;
}
