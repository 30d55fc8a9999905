// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Large bodies: what they may hold, and that they hold up nobody.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { chat, eventually, modelOver, startGateway, startSim } from './harness.mjs';

const padded = (bytes) => ({ messages: [{ role: 'user', content: 'A fuse. '.repeat(bytes / 8) }] });

async function metric(gateway, name) {
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  assert.ok(line, `${name} is missing`);
  return Number(line.split(' ')[1]);
}

function message(gateway, body, signal) {
  return fetch(`${gateway.url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
    body: JSON.stringify({ model: 'smart', max_tokens: 20, ...body }),
    signal,
  });
}

test('bodies share their memory: at the bound a call waits for five seconds, then it is a 503', async (t) => {  // CORE-5
  const sim = await startSim(t);
  const gateway = await startGateway(t, {
    ...modelOver([sim], { target: { model: 'sim-slow-first-token:8s' } }), max_body: '1MiB', max_body_memory: '1MiB',
  });
  const first = chat(gateway.url, padded(600_000));
  await eventually(async () => (await sim.calls()).length, (calls) => calls === 1, 'the first call to be sent');
  assert.ok(await metric(gateway, 'fuseboard_body_memory_bytes') >= 600_000);

  const began = Date.now();
  const refused = await chat(gateway.url, padded(600_000));
  const waited = Date.now() - began;
  assert.equal(refused.status, 503);
  const { error } = await refused.json();
  assert.equal(error.code, 'overloaded');
  assert.match(error.message, /max_body_memory/);
  assert.ok(waited >= 4_900, `it waited for ${waited} ms`);
  assert.equal((await chat(gateway.url, padded(100_000))).status, 200, 'there is room for a small one');
  assert.equal((await first).status, 200);
  await (await first).arrayBuffer();
  assert.equal((await chat(gateway.url, padded(600_000))).status, 200, 'there is room again');
  assert.equal((await sim.calls()).length, 3);
  await eventually(() => metric(gateway, 'fuseboard_body_memory_bytes'), (bytes) => bytes === 0, 'all memory to be given back');
});

test('a call that leaves while it waits for memory is not sent', async (t) => {  // STR-6.1
  const sim = await startSim(t);
  const gateway = await startGateway(t, {
    ...modelOver([sim], { target: { model: 'sim-silent' } }), max_body: '1MiB', max_body_memory: '1MiB',
  });
  const large = new AbortController();
  chat(gateway.url, padded(800_000), { signal: large.signal }).catch(() => {});
  await eventually(async () => (await sim.calls()).length, (calls) => calls === 1, 'the large call to be sent');
  const leaving = new AbortController();
  // What it becomes in the target's dialect finds no room beside itself.
  message(gateway, padded(150_000), leaving.signal).catch(() => {});
  await eventually(() => metric(gateway, 'fuseboard_body_memory_bytes'), (bytes) => bytes >= 940_000, 'the second body to be read');
  leaving.abort();
  large.abort();
  await eventually(() => metric(gateway, 'fuseboard_http_requests_in_flight'), (requests) => requests === 1, 'both to have ended');
  await eventually(() => metric(gateway, 'fuseboard_body_memory_bytes'), (bytes) => bytes === 0, 'all memory to be given back');
  assert.equal((await sim.calls()).length, 1);
});

test('a small body that stands for a large one counts as what it becomes', async (t) => {  // CORE-5
  const sim = await startSim(t);
  const gateway = await startGateway(t, {
    ...modelOver([sim], { target: { model: 'sim-slow-first-token:8s' } }), max_body: '8MiB', max_body_memory: '16MiB',
  });
  const body = gzipSync(JSON.stringify({ model: 'smart', ...padded(7_000_000) }));
  assert.ok(body.length < 100_000, `${body.length}`);
  const asks = Array.from({ length: 6 }, async () => {
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST', headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' }, body,
    });
    await response.arrayBuffer();
    return response.status;
  });
  await eventually(async () => (await sim.calls()).length, (calls) => calls >= 1, 'one of them to be sent');
  assert.ok(await metric(gateway, 'fuseboard_body_memory_bytes') >= 7_000_000);
  const statuses = await Promise.all(asks);
  assert.equal(statuses.filter((status) => status === 200).length, 2, statuses.join());
  assert.equal(statuses.filter((status) => status === 503).length, 4, statuses.join());
  await eventually(() => metric(gateway, 'fuseboard_body_memory_bytes'), (bytes) => bytes === 0, 'all memory to be given back');
});

test('a conversation that is too large for the loop is translated beside it', async (t) => {
  const sim = await startSim(t);
  const gateway = await startGateway(t, modelOver([sim]));
  const answer = await message(gateway, padded(2_000_000));
  assert.equal(answer.status, 200);
  assert.equal((await answer.json()).type, 'message');
  const [call] = await sim.calls();
  assert.equal(call.path, '/v1/chat/completions');
  assert.ok(await metric(gateway, 'fuseboard_loop_pause_seconds_count') > 0);
});

test('a large conversation that a target has no words for goes to the next, or is a 400 that names the field', async (t) => {  // FBK-7.2
  const sim = await startSim(t);
  const gateway = await startGateway(t, modelOver([sim]));
  const refused = await message(gateway, { ...padded(400_000), top_k: 5 });
  assert.equal(refused.status, 400);
  const { error } = await refused.json();
  assert.match(error.message, /top_k/);
  assert.equal((await sim.calls()).length, 0);
  const breaker = await gateway.breaker('primary/sim-ok');
  assert.ok(!breaker || breaker.totals.failed === 0, 'that is not the fault of the target');

  const { providers, models } = modelOver([sim]);
  providers.native = { dialect: 'anthropic', base_url: sim.url };
  models.smart.targets.push({ provider: 'native', model: 'sim-ok' });
  const both = await startGateway(t, { providers, models });
  const answer = await message(both, { ...padded(400_000), top_k: 5 });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('x-fuseboard-target'), 'native/sim-ok');
});
