// What a script finds around it. Evaluated before the author's code, in the same
// fresh context: what the author breaks afterwards is the author's own, and nothing
// that this file returns is trusted. Takes what the host offers and what the step
// has, sets the globals, and returns the hands by which the host drives the run.
(function (host, msg, cfg, snapshot, variables) {
  'use strict';
  const { stringify, parse } = JSON;
  const evaluate = eval;
  const generatorKind = Object.getPrototypeOf(function* () {});

  const text = (value) => {
    try {
      return String(value).toWellFormed();
    } catch {
      return 'a value that has no text';
    }
  };

  // Name, message and stack of whatever was thrown. A stack begins with the error's
  // own line, as in Node, and holds the author's frames only.
  const describe = (thrown) => {
    try {
      return inWords(thrown);
    } catch (second) {
      if (second === null || second?.message === 'out of memory') return inWords(null);
      return ['Error', 'what was thrown can not be put into words', 'Not Available'];
    }
  };
  const inWords = (thrown) => {
    if (thrown === null) {
      // QuickJS throws null where no memory is left for an error.
      return ['RangeError', 'out of memory, or null was thrown', 'Not Available'];
    }
    if (typeof thrown !== 'object') return ['Error', text(thrown), 'Not Available'];
    const read = (key) => {
      try {
        return typeof thrown[key] === 'string' ? thrown[key].toWellFormed() : '';
      } catch {
        return '';
      }
    };
    const name = read('name') || 'Error';
    let message = read('message');
    if (message === '' && !(thrown instanceof Error)) message = show(thrown);
    const frames = read('stack')
      .split('\n')
      .filter((line) => line.startsWith('    at ') && !line.includes('elastane.js'));
    if (frames.length === 0) return [name, message, 'Not Available'];
    return [name, message, [`${name}: ${message}`, ...frames].join('\n')];
  };

  const show = (value) => {
    if (typeof value === 'string') return value;
    try {
      if (value instanceof Error) {
        const [name, message, stack] = describe(value);
        return stack === 'Not Available' ? `${name}: ${message}` : stack;
      }
      return stringify(value) ?? text(value);
    } catch {
      return text(value);
    }
  };

  const format = (values) => {
    const rest = [...values];
    if (typeof rest[0] !== 'string') return rest.map(show).join(' ');
    const first = rest.shift().replace(/%[sdifjoOc%]/g, (mark) => {
      if (mark === '%%') return '%';
      if (rest.length === 0) return mark;
      const value = rest.shift();
      if (mark === '%c') return '';
      if (mark === '%i') return text(parseInt(value, 10));
      return mark === '%d' || mark === '%f' ? text(Number(value)) : show(value);
    });
    return [first, ...rest.map(show)].join(' ');
  };

  const log = (level) => (...values) => host.log(level, format(values).toWellFormed());
  const logger = {
    trace: log('trace'),
    debug: log('debug'),
    info: log('info'),
    warn: log('warn'),
    error: log('error'),
    fatal: log('error'),
    child: () => logger,
  };
  const console = {
    ...logger,
    log: logger.info,
    dir: logger.info,
    assert: (holds, ...values) => holds || logger.error('Assertion failed', ...values),
  };

  const object = (event, value) => {
    if (value === null || typeof value !== 'object') {
      throw new TypeError(`emit('${event}') needs an object, not ${text(value)}`);
    }
    return stringify(value);
  };
  let ended = false;
  const events = {
    data: (value) => host.emit('data', object('data', value)),
    snapshot: (value) => host.emit('snapshot', object('snapshot', value)),
    updateSnapshot: (value) => host.emit('updateSnapshot', object('updateSnapshot', value)),
    httpReply: (value) => host.emit('httpReply', object('httpReply', value)),
    error: (value) => host.emit('error', stringify(describe(value))),
    rebound: (value) => host.emit('rebound', stringify(describe(value)[1])),
    end: () => {
      ended = true;
      return true;
    },
  };
  const has = Object.hasOwn;
  const emit = async (event, value) => (has(events, event) ? events[event](value) : false);
  const getFlowVariables = () => variables;
  const emitter = { emit, logger, getFlowVariables };
  const newMessageWithBody = (body) => ({ attachments: {}, body, headers: {}, metadata: {} });
  const messages = { newMessageWithBody, newEmptyMessage: () => newMessageWithBody({}) };

  // Timers: the host sleeps, and calls one that is due at a time.
  const timers = new Map();
  let lastTimer = 0;
  const later = (callback, delay, values, repeats) => {
    if (typeof callback !== 'function') {
      throw new TypeError(`a timer needs a function, not ${text(callback)}`);
    }
    // Node's least delay, which also keeps an interval of 0 from never sleeping.
    const wait = Math.max(1, Number(delay) || 0);
    lastTimer += 1;
    timers.set(lastTimer, { callback, due: host.now() + wait, repeats: repeats && wait, values });
    return lastTimer;
  };
  const setTimeout = (callback, delay, ...values) => later(callback, delay, values, false);
  const setInterval = (callback, delay, ...values) => later(callback, delay, values, true);
  const setImmediate = (callback, ...values) => later(callback, 0, values, false);
  const clearTimeout = (id) => void timers.delete(id);
  const wait = (delay) => new Promise((resolve) => setTimeout(resolve, delay));
  const nextTimer = () => {
    let next;
    for (const [id, timer] of timers) {
      if (next === undefined || timer.due < next[1].due) next = [id, timer];
    }
    return next;
  };

  const require = (name) => {
    throw new Error(
      `require('${text(name)}') is not possible: scripts run without modules, files and network`,
    );
  };

  const globals = {
    clearImmediate: clearTimeout,
    clearInterval: clearTimeout,
    clearTimeout,
    console,
    emitter,
    exports: {},
    getFlowVariables,
    global: globalThis,
    messages,
    module: { exports: {} },
    msg,
    require,
    setImmediate,
    setInterval,
    setTimeout,
    structuredClone: (value) => parse(stringify(value)),
    wait,
  };
  for (const name of Object.keys(globals)) {
    const value = globals[name];
    Object.defineProperty(globalThis, name, { configurable: true, value, writable: true });
  }

  // Where QuickJS loops for long without asking whether it has to stop, what would take
  // more than seconds is refused. Who means harm gets around this, and leaves a thread
  // behind; who merely errs is told.
  const COMPARISONS_MAX = 2 ** 31;
  const LENGTH_MAX = 2 ** 27;
  const MARKS_MAX = 10_000;
  const guard = (owner, name, refuse) => {
    const native = owner[name];
    const value = {
      [name](...values) {
        refuse(this, values);
        return Reflect.apply(native, this, values);
      },
    }[name];
    Object.defineProperty(owner, name, { configurable: true, value, writable: true });
  };
  const refuseSearch = (searched, [part]) => {
    if (typeof part === 'string' && part.length > 1_000) {
      if (part.length * searched.length > COMPARISONS_MAX) {
        throw new RangeError(`a text of ${part.length} characters is too long to search for here`);
      }
    }
  };
  const refuseLength = (list, values = []) => {
    for (const each of [list, ...values]) {
      if (each?.length > LENGTH_MAX) throw new RangeError(`a list of ${each.length} is too long`);
    }
  };
  const refuseMarks = (normalized) => {
    if (normalized.length > MARKS_MAX && manyMarks.test(normalized)) {
      throw new RangeError('too many combining marks follow each other');
    }
  };
  const manyMarks = new RegExp(`\\p{M}{${MARKS_MAX}}`, 'u');
  for (const name of ['includes', 'indexOf', 'lastIndexOf', 'replace', 'replaceAll', 'split']) {
    guard(String.prototype, name, refuseSearch);
  }
  guard(String.prototype, 'normalize', refuseMarks);
  for (const name of ['copyWithin', 'flat', 'join', 'reverse', 'shift', 'sort', 'unshift']) {
    guard(Array.prototype, name, (list) => refuseLength(list));
  }
  guard(Array.prototype, 'concat', refuseLength);
  guard(String, 'raw', (_, [template]) => refuseLength(template?.raw));

  // A generator is run to its end: what it yields is awaited and handed back in.
  const settle = async (value) => {
    const awaited = await value;
    if (awaited === null || typeof awaited !== 'object') return awaited;
    if (typeof awaited.next === 'function' && typeof awaited.throw === 'function') {
      return drive(awaited);
    }
    return Array.isArray(awaited) ? Promise.all(awaited.map(settle)) : awaited;
  };
  const drive = async (generator) => {
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
  };

  let done = false;
  return {
    describe,
    // Waits for the author's top level, then for its `run`; a failure of either is a
    // rejection that nobody handles, which is how the host learns of it.
    start: async (top) => {
      await top;
      const run = evaluate("typeof run === 'function' ? run : undefined");
      if (run !== undefined) {
        const given = Reflect.apply(run, emitter, [msg, cfg, snapshot]);
        const isGenerator = Object.getPrototypeOf(run) === generatorKind;
        const result = await (isGenerator ? drive(given) : given);
        if (result) await emit('data', newMessageWithBody(result));
      }
      done = true;
    },
    // Milliseconds until the next timer is due; undefined without one.
    due: () => {
      const next = nextTimer();
      return next && Math.max(0, next[1].due - host.now());
    },
    fire: () => {
      const [id, timer] = nextTimer();
      if (timer.repeats) timer.due = host.now() + timer.repeats;
      else timers.delete(id);
      Reflect.apply(timer.callback, undefined, timer.values);
    },
    isDone: () => done,
    isEnded: () => ended,
  };
})
