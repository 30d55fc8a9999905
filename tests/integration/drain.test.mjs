// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// SIGTERM under load: every accepted request is answered.

import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { test } from 'node:test';
import { chat, eventually, modelOver, startGateway, startSim } from './harness.mjs';

// Resolves with the status and body, or with 'refused' where the connection was never accepted. A request whose connection broke
// after it was accepted rejects.
function call(port, agent) {
  return new Promise((resolve, reject) => {
    const body = JSON.stringify({ model: 'smart', messages: [{ role: 'user', content: 'Hello' }] });
    const outgoing = request({ port, host: '127.0.0.1', agent, method: 'POST', path: '/v1/chat/completions',
                               headers: { 'content-type': 'application/json', 'content-length': body.length } });
    outgoing.on('response', (incoming) => {
      let text = '';
      incoming.on('data', (data) => { text += data; });
      incoming.on('end', () => resolve({ status: incoming.statusCode, text }));
      incoming.on('error', reject);
    });
    outgoing.on('error', (error) => (error.code === 'ECONNREFUSED' ? resolve('refused') : reject(error)));
    outgoing.end(body);
  });
}

test('SIGTERM under load loses no accepted request and exits 0', async (t) => {
  const sim = await startSim(t);
  const gateway = await startGateway(t, modelOver([sim], { target: { model: 'sim-slow-first-token:100ms' } }));
  const results = [];
  let draining = false;
  // A connection for each request, so that whatever breaks was accepted first.
  const worker = async () => {
    while (!draining) results.push(await call(gateway.port, new Agent({ keepAlive: false })));
  };
  const workers = Array.from({ length: 20 }, worker);
  while (results.length < 100) await new Promise((resolve) => setImmediate(resolve));
  gateway.program.signal('SIGTERM');
  await gateway.program.seen(/draining/);
  draining = true;
  await Promise.all(workers);
  const answered = results.filter((result) => result !== 'refused');
  assert.ok(answered.length >= 100);
  for (const { status, text } of answered) {
    assert.equal(status, 200, text);
    assert.ok(JSON.parse(text).choices.length);
  }
  assert.deepEqual(await gateway.program.exit, { code: 0, signal: null });
});

test('a running stream is carried to its end while draining', async (t) => {
  const sim = await startSim(t);
  const gateway = await startGateway(t, modelOver([sim], { target: { model: 'sim-slow:20ms' } }));
  const response = await chat(gateway.url, { stream: true, max_tokens: 40 });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = (await reader.read()).value;
  gateway.program.signal('SIGTERM');
  for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value;
  assert.match(text, /data: \[DONE\]\n\n$/);
  assert.deepEqual(await gateway.program.exit, { code: 0, signal: null });
});

test('a second SIGTERM ends the program at once, also while a call waits for its next try', async (t) => {
  const sim = await startSim(t);
  const retry = { max_attempts: 2, base: '30s', max: '30s', jitter: 'none' };
  const gateway = await startGateway(t, modelOver([sim], { target: { model: 'sim-503' }, model: { retry } }));
  const answer = chat(gateway.url);
  answer.catch(() => {});
  await eventually(() => gateway.breaker('primary/sim-503'), (breaker) => breaker.totals.failed === 1, 'the first try to fail');
  gateway.program.signal('SIGTERM');
  await gateway.program.seen(/draining/);
  const told = Date.now();
  gateway.program.signal('SIGTERM');
  assert.deepEqual(await gateway.program.exit, { code: 0, signal: null });
  assert.ok(Date.now() - told < 15_000, 'it sat the wait out');
  await assert.rejects(answer);
});

test('SIGUSR1 from elsewhere ends neither the program nor a drain', async (t) => {
  const sim = await startSim(t);
  const gateway = await startGateway(t, modelOver([sim], { target: { model: 'sim-slow-first-token:500ms' } }));
  gateway.program.signal('SIGUSR1');
  assert.equal((await chat(gateway.url)).status, 200);
  const answer = chat(gateway.url);
  while ((await sim.calls()).length < 2) await new Promise((resolve) => setImmediate(resolve));
  gateway.program.signal('SIGTERM');
  await gateway.program.seen(/draining/);
  gateway.program.signal('SIGUSR1');
  assert.equal((await answer).status, 200);
  assert.deepEqual(await gateway.program.exit, { code: 0, signal: null });
});

test('calls that outlast drain_timeout are told why they end, and the program still exits 0', async (t) => {
  const sim = await startSim(t);
  const gateway = await startGateway(t, { drain_timeout: '200ms', ...modelOver([sim], { target: { model: 'sim-silent' } }) });
  const plain = chat(gateway.url);
  const streams = await Promise.all(['/v1/chat/completions', '/v1/messages'].map((path) => fetch(gateway.url + path, {
    method: 'POST', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'primary/sim-stall', max_tokens: 9, stream: true, messages: [{ role: 'user', content: 'Hi' }] }),
  })));
  while ((await sim.calls()).length < 3) await new Promise((resolve) => setImmediate(resolve));
  gateway.program.signal('SIGTERM');
  const answer = await plain;
  assert.equal(answer.status, 503);
  assert.equal((await answer.json()).error.code, 'shutting_down');
  for (const stream of streams) {
    const text = await stream.text();
    assert.match(text, /stream_interrupted/);
    assert.match(text, /the gateway is shutting down/);
    assert.doesNotMatch(text, /\[DONE\]|message_stop/);
  }
  assert.deepEqual(await gateway.program.exit, { code: 0, signal: null });
  assert.equal(gateway.program.output.match(/call failed .* ending=cancelled .* cause=the gateway is shutting down/g).length, 3);
});

test('a log that nobody reads holds up neither calls nor the end', async (t) => {
  const sim = await startSim(t);
  // Every call is a probe that fails: three transitions, three lines.
  const breaker = { failure_threshold: 1, open: '1ms' };
  const gateway = await startGateway(t, modelOver([sim], { target: { model: 'sim-503' }, model: { breaker } }));
  gateway.program.child.stdout.pause();
  const dropped = async () => {
    const text = await (await fetch(`${gateway.url}/metrics`)).text();
    return Number(/^fuseboard_log_dropped_total (\d+)$/m.exec(text)[1]);
  };
  const call = async () => { await (await chat(gateway.url)).arrayBuffer(); };
  while (await dropped() === 0) await Promise.all(Array.from({ length: 50 }, call));

  gateway.program.signal('SIGTERM');
  const told = Date.now();
  assert.deepEqual(await gateway.program.exit, { code: 0, signal: null });
  assert.ok(Date.now() - told < 10_000, 'it waited for a reader');
});
