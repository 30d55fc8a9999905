// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A scripted outage, end to end: threshold failures reach the primary, then none while open; one probe; recovery.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { chat, eventually, modelOver, startGateway, startSim } from './harness.mjs';

// The end of every kept connection on its next use: a reset, as after a restart behind a router that forgot them, or a
// farewell, as of a server that had enough of waiting just before the request came.
async function forgetful(t, farewell = '') {
  const answer = JSON.stringify({ id: 'c', object: 'chat.completion', model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }] });
  const state = { forgotten: false, resets: 0 };
  const server = createServer((socket) => {
    let used = false;
    socket.on('error', () => {});
    socket.on('data', (data) => {
      if (!data.includes('POST')) return;
      if (used && state.forgotten) {
        ++state.resets;
        if (farewell) socket.end(farewell);
        else socket.resetAndDestroy();
        return;
      }
      used = true;
      setTimeout(() => socket.write(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${answer.length}\r\n\r\n${answer}`), 100);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return Object.assign(state, { url: `http://127.0.0.1:${server.address().port}` });
}

const breaker = { failure_threshold: 5, open: '1s' };

async function world(t, model = {}) {
  const primary = await startSim(t);
  const secondary = await startSim(t, ['--seed', '2']);
  const gateway = await startGateway(t, modelOver([primary, secondary], { model: { breaker, ...model } }));
  return { primary, secondary, gateway };
}

async function served(response) {
  assert.equal(response.status, 200, await response.clone().text());
  await response.text();
  return response.headers.get('x-fuseboard-target');
}

async function openCircuit({ primary, gateway }) {
  await primary.fails({ kind: 'status', status: 503 });
  for (let i = 0; i < 5; ++i) assert.equal(await served(await chat(gateway.url)), 'secondary/sim-ok');
  assert.equal((await gateway.breaker('primary/sim-ok')).state, 'open');
}

test('exactly the threshold reaches a failing primary, then nothing while its circuit is open', async (t) => {  // BRK-2.1, BRK-5, FBK-1.1
  const { primary, secondary, gateway } = await world(t, { breaker: { ...breaker, open: '1h' } });
  await primary.fails({ kind: 'status', status: 503 });
  for (let i = 0; i < 20; ++i) assert.equal(await served(await chat(gateway.url)), 'secondary/sim-ok');
  assert.equal((await primary.calls()).length, 5);
  assert.equal((await secondary.calls()).length, 20);
  const state = await gateway.breaker('primary/sim-ok');
  assert.equal(state.state, 'open');
  assert.equal(state.last_failure, 'service_unavailable');
  assert.equal(state.denials, 15);
});

test('forty concurrent callers at half-open make one probe and all get the fallback\'s answer', async (t) => {  // BRK-6
  const it = await world(t);
  await openCircuit(it);
  // Slow enough that all forty arrive while the probe is in flight.
  await it.primary.fails({ kind: 'status', status: 503 }, { kind: 'latency', p50: '700ms', p99: '700ms' });
  await it.primary.reset();
  await it.primary.fails({ kind: 'status', status: 503 }, { kind: 'latency', p50: '700ms', p99: '700ms' });
  await eventually(() => it.gateway.breaker('primary/sim-ok'), (b) => b.remaining_ms === 0, 'the open time to end');
  const targets = await Promise.all(Array.from({ length: 40 }, async () => served(await chat(it.gateway.url))));
  assert.deepEqual(new Set(targets), new Set(['secondary/sim-ok']));
  assert.equal((await it.primary.calls()).length, 1);
  assert.equal((await it.gateway.breaker('primary/sim-ok')).times_opened, 2);
});

test('after one good probe the primary serves again', async (t) => {  // BRK-7.1, BRK-12
  const it = await world(t);
  await openCircuit(it);
  await it.primary.recovers();
  await eventually(() => it.gateway.breaker('primary/sim-ok'), (b) => b.remaining_ms === 0, 'the open time to end');
  for (let i = 0; i < 10; ++i) assert.equal(await served(await chat(it.gateway.url)), 'primary/sim-ok');
  const state = await it.gateway.breaker('primary/sim-ok');
  assert.equal(state.state, 'closed');
  assert.deepEqual(state.transitions.map((move) => `${move.from}>${move.to}`), ['closed>open', 'open>half_open', 'half_open>closed']);
  await it.gateway.program.seen(/primary\/sim-ok: closed -> open after 5 failures in a row[\s\S]*half_open -> closed after a good probe/);
});

test('a streamed probe closes the circuit at its first content', async (t) => {  // BRK-8.5
  const it = await world(t);
  await openCircuit(it);
  await it.primary.recovers();
  await eventually(() => it.gateway.breaker('primary/sim-ok'), (b) => b.remaining_ms === 0, 'the open time to end');
  const response = await chat(it.gateway.url, { stream: true });
  assert.equal(response.headers.get('x-fuseboard-target'), 'primary/sim-ok');
  await response.text();
  assert.equal((await it.gateway.breaker('primary/sim-ok')).state, 'closed');
});

test('eight bad requests in a row trip nothing and pass through as they are', async (t) => {  // BRK-19.1, RTY-8.1
  const { primary, secondary, gateway } = await world(t);
  await primary.fails({ kind: 'status', status: 400 });
  for (let i = 0; i < 8; ++i) {
    const response = await chat(gateway.url);
    assert.equal(response.status, 400);
    assert.ok((await response.json()).error.message);
  }
  assert.equal((await primary.calls()).length, 8);
  assert.equal((await secondary.calls()).length, 0);
  const state = await gateway.breaker('primary/sim-ok');
  assert.equal(state.state, 'closed');
  assert.equal(state.consecutive_failures, 0);
});

test('with every target open the answer is circuit_open with an honest wait', async (t) => {  // BRK-21.4
  const it = await world(t, { breaker: { failure_threshold: 1, open: '30s' } });
  await it.primary.fails({ kind: 'status', status: 503 });
  await it.secondary.fails({ kind: 'status', status: 503 });
  assert.equal((await chat(it.gateway.url)).status, 503);
  const response = await chat(it.gateway.url);
  assert.equal(response.status, 503);
  assert.equal((await response.json()).error.code, 'circuit_open');
  const wait = Number(response.headers.get('retry-after-ms'));
  assert.ok(wait > 0 && wait <= 30_000, `retry-after-ms: ${wait}`);
  assert.equal(Number(response.headers.get('retry-after')), Math.ceil(wait / 1000));
  assert.equal((await fetch(`${it.gateway.url}/readyz`)).status, 503);
});

for (const [end, farewell] of [['', ''], [' with a 408', 'HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n']]) {
  test(`kept connections that died unused${end} cost no call and are no evidence against the target`, async (t) => {  // RTY-6.3
    const upstream = await forgetful(t, farewell);
    const gateway = await startGateway(t, modelOver([upstream], { model: { breaker: { failure_threshold: 3, open: '1h' } } }));
    // Several at once, so that the pools hold several connections.
    for (const response of await Promise.all(Array.from({ length: 10 }, () => chat(gateway.url)))) await served(response);
    upstream.forgotten = true;
    for (let i = 0; i < 10; ++i) {
      const response = await chat(gateway.url);
      await served(response);
      assert.equal(response.headers.get('x-fuseboard-attempts'), '1');
    }
    assert.ok(upstream.resets >= 3, `${upstream.resets} connections were found dead`);
    const state = await gateway.breaker('primary/sim-ok');
    assert.deepEqual([state.state, state.totals.failed], ['closed', 0]);
  });
}

test('a call that must not run twice is not sent again when its kept connection breaks', async (t) => {  // RTY-7.1, RTY-7.2, RTY-6.3
  const upstream = await forgetful(t);
  const gateway = await startGateway(t, modelOver([upstream]));
  for (const response of await Promise.all(Array.from({ length: 10 }, () => chat(gateway.url)))) await served(response);
  upstream.forgotten = true;
  const statuses = [];
  for (let i = 0; i < 3; ++i) statuses.push((await chat(gateway.url, {}, { headers: { 'x-fuseboard-idempotent': 'false' } })).status);
  assert.deepEqual(statuses, [502, 502, 502]);
  assert.equal(upstream.resets, 3);
});
