// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Starts the real program as its users do, on free loopback ports, and ends what it started.
//
// Every process is registered with the test that starts it: it is ended when that test ends, whatever the result.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const program = process.env.FUSEBOARD;
if (!program) throw new Error('set FUSEBOARD to the program to test');

export const patience = 60_000;  // for what should take milliseconds, also under a sanitizer on a busy machine

// A folder that is gone when the test is.
export function scratch(t) {
  const folder = mkdtempSync(join(tmpdir(), 'fuseboard-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export class Program {
  constructor(t, args, options = {}) {
    this.output = '';
    this.errors = '';
    this.waiting = [];
    this.child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: options.cwd, env: { ...process.env, ...options.env } });
    this.exit = new Promise((resolve) => this.child.on('exit', (code, signal) => resolve({ code, signal })));
    this.child.stdout.on('data', (data) => this.#take('output', data));
    this.child.stderr.on('data', (data) => this.#take('errors', data));
    this.exit.then((end) => {
      this.ended = end;
      for (const waiter of this.waiting) waiter();
    });
    t.after(async () => {
      if (!this.ended) this.child.kill('SIGKILL');
      await this.exit;
    });
  }

  #take(stream, data) {
    this[stream] += data;
    for (const waiter of this.waiting) waiter();
  }

  // The match of `pattern` in what the program has printed, as soon as it is there.
  seen(pattern, within = patience) {
    return new Promise((resolve, reject) => {
      const fail = (why) => reject(new Error(`${why} ${pattern}; printed:\n${this.output}\n${this.errors}`));
      const timer = setTimeout(() => { done(); fail('waited in vain for'); }, within);
      const done = () => {
        clearTimeout(timer);
        this.waiting = this.waiting.filter((waiter) => waiter !== look);
      };
      const look = () => {
        const match = this.output.match(pattern);
        if (match) { done(); resolve(match); }
        else if (this.ended) { done(); fail('the program ended before'); }
      };
      this.waiting.push(look);
      look();
    });
  }

  signal(name) { this.child.kill(name); }
}

// The simulated provider, with its own endpoints for tests.
export async function startSim(t, args = []) {
  const sim = new Program(t, ['sim-provider', '--port', '0', ...args]);
  const [, port] = await sim.seen(/http:\/\/127\.0\.0\.1:(\d+)/);
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    port: Number(port),
    program: sim,
    async faults(script) {
      const answer = await fetch(`${url}/sim/faults`, { method: 'POST', body: JSON.stringify(script) });
      if (!answer.ok) throw new Error(await answer.text());
    },
    // Everything fails in one way, or nothing does.
    fails: function (...faults) { return this.faults({ phases: [{ requests: 1_000_000, faults }] }); },
    recovers: function () { return this.faults({ phases: [] }); },
    reset: () => fetch(`${url}/sim/reset`, { method: 'POST' }),
    log: async () => (await fetch(`${url}/sim/log`)).json(),
    calls: async function () { return (await this.log()).requests.filter((request) => request.path.startsWith('/v1/')); },
  };
}

// A gateway in front of the given configuration, as an object.
export async function startGateway(t, configuration, options = {}) {
  const folder = scratch(t);
  const file = join(folder, 'fuseboard.yaml');
  // JSON is YAML.
  writeFileSync(file, typeof configuration === 'string' ? configuration : JSON.stringify({ listen: '127.0.0.1:0', ...configuration }, null, 2));
  const gateway = new Program(t, ['serve', '--config', file], { cwd: folder, env: options.env });
  const [, url] = await gateway.seen(/Listening on (http:\/\/\S+)/);
  return { url, port: Number(new URL(url).port), program: gateway, breaker: (key) => breaker(url, key), state: () => state(url) };
}

async function state(url) { return (await fetch(`${url}/admin/v1/state`)).json(); }
async function breaker(url, key) { return (await state(url)).breakers.find((breaker) => breaker.key === key); }

// One model, `smart`, over the given simulated providers in order.
export function modelOver(sims, { model = {}, target = {} } = {}) {
  const names = ['primary', 'secondary', 'tertiary'];
  return {
    providers: Object.fromEntries(sims.map((sim, i) => [names[i], { dialect: 'openai', base_url: `${sim.url}/v1` }])),
    models: {
      smart: {
        retry: { max_attempts: 1, base: '10ms', max: '50ms' },
        ...model,
        targets: sims.map((sim, i) => ({ provider: names[i], model: 'sim-ok', ...(Array.isArray(target) ? target[i] : target) })),
      },
    },
  };
}

export function chat(url, body = {}, options = {}) {
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...options.headers },
    body: typeof body === 'string' ? body : JSON.stringify({ model: 'smart', messages: [{ role: 'user', content: 'Hello' }], ...body }),
    signal: options.signal,
  });
}

// The data of each event of an SSE text.
export function events(text) {
  return text.split('\n\n').filter((block) => block.startsWith('data: ')).map((block) => block.slice(6));
}
export function textOf(stream) {
  return events(stream).filter((data) => data !== '[DONE]').map((data) => JSON.parse(data).choices?.[0]?.delta?.content ?? '').join('');
}

// Asks until `predicate` holds of the answer; for facts that become true a moment after they were caused.
export async function eventually(ask, predicate, what, within = patience) {
  const end = Date.now() + within;
  for (;;) {
    const answer = await ask();
    if (predicate(answer)) return answer;
    if (Date.now() > end) throw new Error(`not in time: ${what}; last: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

// Bytes over a bare socket; resolves with all that came back when the other side closes.
export function raw(port, bytes, { end = false } = {}) {
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = connect(port, '127.0.0.1', () => { socket.write(bytes); if (end) socket.end(); });
    socket.setTimeout(patience, () => { socket.destroy(); reject(new Error(`no end; received: ${received.slice(0, 200)}`)); });
    socket.on('data', (data) => { received += data; });
    // A reset after an answer is how a server may end a connection whose request it did not read to the end.
    socket.on('error', (error) => (received ? resolve(received) : reject(error)));
    socket.on('close', () => resolve(received));
  });
}
