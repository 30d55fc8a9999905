// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Callers that stop reading their stream for a while: that time is nobody's.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, test } from 'node:test';
import { setTimeout as pass } from 'node:timers/promises';
import { chat, events, modelOver, startGateway, startSim } from './harness.mjs';

const chunk = (delta, finish = null) => `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const padding = `: ${'x'.repeat(64 * 1024)}\n\n`;  // fills buffers and costs next to nothing

// An upstream that speaks for as long as somebody reads, and comes to its end once it is told to. `blocked` resolves with its socket as soon as
// nobody has read for a second.
async function talkative(t) {
  let block;
  const upstream = { pieces: 0, ending: false, blocked: new Promise((resolve) => { block = resolve; }) };
  const server = createServer(async (request, response) => {
    response.setMaxListeners(0);
    request.resume();
    await once(request, 'end');
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    while (!upstream.ending && !response.destroyed) {
      ++upstream.pieces;
      if (response.write(chunk({ content: 'x' }) + padding)) continue;
      const waiting = setTimeout(() => block(request.socket), 1000);
      await Promise.race([once(response, 'drain'), once(response, 'close')]);
      clearTimeout(waiting);
    }
    response.end(chunk({}, 'stop') + 'data: [DONE]\n\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => { server.closeAllConnections(); server.close(); });
  return Object.assign(upstream, { url: `http://127.0.0.1:${server.address().port}` });
}

describe('a caller that does not read', { concurrency: 4 }, () => {
  for (const [limit, timeouts] of [['total', { total: '10s' }], ['idle', { idle: '10s' }]]) {
    test(`may pause for longer than \`${limit}\` and then has the whole answer`, async (t) => {  // STR-3.8, STR-8
      const upstream = await talkative(t);
      const gateway = await startGateway(t, modelOver([upstream], { model: { timeouts } }));
      const response = await chat(gateway.url, { stream: true });
      await upstream.blocked;
      await pass(10_500);
      upstream.ending = true;
      const text = await response.text();
      assert.equal(events(text).at(-1), '[DONE]');
      assert.equal(events(text).length, upstream.pieces + 2);
      const { totals, consecutive_failures: failures } = await gateway.breaker('primary/sim-ok');
      assert.deepEqual([totals.succeeded, totals.failed, failures], [1, 0, 0]);
    });
  }

  test('is still held to `total` while it reads', async (t) => {  // STR-3.1
    const sim = await startSim(t);
    const gateway = await startGateway(t, modelOver([sim], { target: { model: 'sim-slow:100ms+sim-long:100' }, model: { timeouts: { total: '1500ms' } } }));
    const text = await (await chat(gateway.url, { stream: true })).text();
    assert.equal(JSON.parse(events(text).at(-1)).error.code, 'stream_interrupted');
    assert.equal((await gateway.breaker('primary/sim-slow:100ms+sim-long:100')).last_failure, 'timeout');
  });

  test('is no evidence against an upstream that gives up writing meanwhile', async (t) => {  // STR-3.9
    const upstream = await talkative(t);
    const gateway = await startGateway(t, modelOver([upstream]));
    const response = await chat(gateway.url, { stream: true });
    const socket = await upstream.blocked;
    await pass(14_000);
    socket.resetAndDestroy();
    const text = await response.text();
    assert.equal(JSON.parse(events(text).at(-1)).error.code, 'stream_interrupted', 'no target that could go on is left');
    const { totals, consecutive_failures: failures } = await gateway.breaker('primary/sim-ok');
    assert.deepEqual([totals.failed, totals.neutral, failures], [0, 1, 0]);
  });
});
