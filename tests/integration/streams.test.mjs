// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// How streams travel: as they arrive, nothing before the first content, and never a cut answer as a finished one.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { test } from 'node:test';
import { chat, eventually, events, modelOver, startGateway, startSim, textOf } from './harness.mjs';

// An upstream that the test holds in its hand: `script(response)` says what it does.
async function upstream(t, script) {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => script(response, request));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => { server.closeAllConnections(); server.close(); });
  return { url: `http://127.0.0.1:${server.address().port}` };
}
const chunk = (delta, finish = null) => `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const begin = (response) => response.writeHead(200, { 'content-type': 'text/event-stream' });

test('each event reaches the caller while the upstream is still speaking', async (t) => {  // STR-4
  let upstreamResponse;
  const slow = await upstream(t, (response) => { upstreamResponse = response; begin(response); response.write(chunk({ content: 'one' })); });
  const gateway = await startGateway(t, modelOver([slow]));
  const response = await chat(gateway.url, { stream: true });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  assert.match((await reader.read()).value, /one/);
  // The upstream goes on only after the caller has seen the first event, so this would hang if anything waited for the end.
  upstreamResponse.write(chunk({ content: 'two' }));
  assert.match((await reader.read()).value, /two/);
  upstreamResponse.end(chunk({}, 'stop') + 'data: [DONE]\n\n');
  let rest = '';
  for (let part = await reader.read(); !part.done; part = await reader.read()) rest += part.value;
  assert.match(rest, /\[DONE\]/);
});

test('nothing is sent to the caller before the first content, so a silent target falls back', async (t) => {  // STR-4, RTY-7.3
  const silent = await upstream(t, (response) => { begin(response); response.write(chunk({ role: 'assistant', content: '' })); response.write(': ping\n\n'); });
  const good = await startSim(t);
  const gateway = await startGateway(t, modelOver([silent, good], { model: { retry: { max_attempts: 4 }, timeouts: { first_content: '200ms' } } }));
  const response = await chat(gateway.url, { stream: true });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('x-fuseboard-target'), 'secondary/sim-ok');
  assert.equal(response.headers.get('x-fuseboard-attempts'), '2', 'a silent target is not asked again while another is left');
  const text = await response.text();
  assert.equal(events(text).at(-1), '[DONE]');
  assert.equal((await gateway.breaker('primary/sim-ok')).last_failure, 'timeout');
});

for (const [how, behaviour] of [['reset', 'sim-stream-cut:4'], ['closed cleanly but early', 'sim-stream-eof:4'], ['malformed', 'sim-malformed-event:4']]) {
  test(`an answer that begins and is ${how} ends with an error in the stream, never as finished`, async (t) => {  // STR-2, STR-5.10, STR-5.18, STR-7
    const sim = await startSim(t);
    const gateway = await startGateway(t, modelOver([sim], { target: { model: behaviour } }));
    const response = await chat(gateway.url, { stream: true });
    assert.equal(response.status, 200);
    const text = await response.text();
    const data = events(text);
    assert.ok(textOf(text).length > 0);
    assert.equal(JSON.parse(data.at(-1)).error.code, 'stream_interrupted');
    assert.ok(!data.includes('[DONE]'));
    for (const event of data) assert.doesNotThrow(() => JSON.parse(event), 'a malformed event is never forwarded');
    assert.equal((await gateway.breaker(`primary/${behaviour}`)).consecutive_failures, 1, 'the verdict comes at the end');
  });
}

test('an upstream that breaks off before any content costs the caller nothing', async (t) => {  // STR-4
  const cut = await upstream(t, (response) => { begin(response); response.write(chunk({ role: 'assistant' })); setImmediate(() => response.socket.destroy()); });
  const good = await startSim(t);
  const gateway = await startGateway(t, modelOver([cut, good]));
  const response = await chat(gateway.url, { stream: true });
  const text = await response.text();
  assert.equal(response.headers.get('x-fuseboard-target'), 'secondary/sim-ok');
  assert.equal(events(text).at(-1), '[DONE]');
});

test('a finish reason without [DONE] is a complete answer', async (t) => {  // STR-2
  const sim = await startSim(t);
  const gateway = await startGateway(t, modelOver([sim], { target: { model: 'sim-no-done' } }));
  const text = await (await chat(gateway.url, { stream: true })).text();
  assert.ok(!/"error"/.test(text));
  const state = await gateway.breaker('primary/sim-no-done');
  assert.equal(state.totals.succeeded, 1);
  assert.equal(state.consecutive_failures, 0);
});

for (const how of ['falls silent', 'is reset', 'breaks off in its framing']) {
  test(`an answer whose upstream ${how} behind the finish reason is complete`, async (t) => {  // STR-2
    const rude = await upstream(t, (response) => {
      begin(response);
      response.write(chunk({ content: 'all of it' }));
      response.write(chunk({}, 'stop'));
      if (how === 'is reset') setTimeout(() => response.socket.resetAndDestroy(), 50);
      if (how === 'breaks off in its framing') setTimeout(() => response.socket.end(), 50);
    });
    const gateway = await startGateway(t, modelOver([rude], { model: { timeouts: { idle: '200ms' } } }));
    const text = await (await chat(gateway.url, { stream: true })).text();
    assert.equal(textOf(text), 'all of it');
    assert.ok(!/"error"/.test(text));
    const totals = (await gateway.breaker('primary/sim-ok')).totals;
    assert.deepEqual([totals.succeeded, totals.failed], [1, 0]);
  });
}

test('an answer with fewer choices than were asked for, and no [DONE], is cut', async (t) => {  // STR-2, STR-5.18
  const short = await upstream(t, (response) => { begin(response); response.end(chunk({ content: 'one' }) + chunk({}, 'stop')); });
  const gateway = await startGateway(t, modelOver([short]));
  const text = await (await chat(gateway.url, { stream: true, n: 2 })).text();
  assert.equal(JSON.parse(events(text).at(-1)).error.code, 'stream_interrupted');
});

for (const stream of [true, false]) {
  test(`an error under a 200 reaches the caller in its own words (${stream ? 'streamed' : 'plain'})`, async (t) => {  // RTY-8.1, FBK-4
    const error = { error: { message: 'the prompt has 200001 tokens', type: 'invalid_request_error', code: 'context_length_exceeded' } };
    const wordy = await upstream(t, (response) => {
      if (stream) { begin(response); response.end(`data: ${JSON.stringify(error)}\n\n`); }
      else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(error));
    });
    const gateway = await startGateway(t, modelOver([wordy]));
    const response = await chat(gateway.url, { stream });
    assert.equal(response.status, 400);
    assert.deepEqual(await response.json(), { error: { ...error.error, param: null } });
    assert.equal((await gateway.breaker('primary/sim-ok')).consecutive_failures, 0);
  });
}

test('a plain answer to a request for a stream is held to the limit of first content', async (t) => {  // RTY-3.1
  const slow = await upstream(t, (response) => { response.writeHead(200, { 'content-type': 'application/json' }); response.write('{'); });
  const good = await startSim(t);
  const gateway = await startGateway(t, modelOver([slow, good], { model: { timeouts: { first_content: '200ms' } } }));
  const response = await chat(gateway.url, { stream: true });
  assert.equal(response.headers.get('x-fuseboard-target'), 'secondary/sim-ok');
  await response.text();
  assert.equal((await gateway.breaker('primary/sim-ok')).last_failure, 'timeout');
});

test('a silence in the middle of an answer ends it with an error after the idle limit', async (t) => {  // STR-3.1
  const sim = await startSim(t);
  const gateway = await startGateway(t, modelOver([sim], { target: { model: 'sim-stall:3' }, model: { timeouts: { idle: '200ms' } } }));
  const text = await (await chat(gateway.url, { stream: true })).text();
  assert.equal(JSON.parse(events(text).at(-1)).error.code, 'stream_interrupted');
  assert.equal((await gateway.breaker('primary/sim-stall:3')).last_failure, 'timeout');
});

test('pings do not keep a silent answer alive', async (t) => {  // STR-3.6
  const pinging = await upstream(t, (response) => {
    begin(response);
    response.write(chunk({ content: 'one' }));
    const pings = setInterval(() => response.write(': ping\n\n'), 20);
    response.on('close', () => clearInterval(pings));
  });
  const gateway = await startGateway(t, modelOver([pinging], { model: { timeouts: { idle: '200ms' } } }));
  const text = await (await chat(gateway.url, { stream: true })).text();
  assert.equal(JSON.parse(events(text).at(-1)).error.code, 'stream_interrupted');
  assert.equal((await gateway.breaker('primary/sim-ok')).last_failure, 'timeout');
});

test('a stream that says too much before its first content is given up for the next target', async (t) => {  // CORE-5, STR-4
  const comment = `: ${'x'.repeat(1022)}\n\n`;
  const babbling = await upstream(t, (response) => {
    begin(response);
    for (let i = 0; i < 257; ++i) response.write(comment);
  });
  const good = await startSim(t);
  const gateway = await startGateway(t, modelOver([babbling, good], { model: { retry: { max_attempts: 1 } } }));
  const response = await chat(gateway.url, { stream: true });
  assert.equal(response.headers.get('x-fuseboard-target'), 'secondary/sim-ok');
  assert.ok(!(await response.text()).includes('xxxx'));
  assert.equal((await gateway.breaker('primary/sim-ok')).last_failure, 'service_unavailable');
});

for (const stream of [true, false]) {
  test(`a caller that goes away cancels the upstream at once (${stream ? 'streamed' : 'plain'})`, async (t) => {  // STR-6.1
    let closed;
    let begun;
    const upstreamClosed = new Promise((resolve) => { closed = resolve; });
    const upstreamBegun = new Promise((resolve) => { begun = resolve; });
    const slow = await upstream(t, (response, request) => {
      request.socket.on('close', closed);
      if (stream) { begin(response); response.write(chunk({ content: 'one' })); }
      begun();
    });
    const gateway = await startGateway(t, modelOver([slow]));
    const leaving = new AbortController();
    const answer = chat(gateway.url, { stream }, { signal: leaving.signal });
    await upstreamBegun;
    if (stream) await (await answer).body.getReader().read();
    leaving.abort();
    if (!stream) await assert.rejects(answer);
    await upstreamClosed;
    const state = await eventually(() => gateway.breaker('primary/sim-ok'), (b) => b.in_flight === 0, 'the permit to come back');
    assert.equal(state.totals.neutral, 1);
    assert.equal(state.totals.failed, 0);
  });
}

test('a slow reader holds the upstream back instead of filling memory', async (t) => {  // STR-8
  const big = 'x'.repeat(64 * 1024);
  let sent = 0;
  let blocked;
  const upstreamBlocked = new Promise((resolve) => { blocked = resolve; });
  const fast = await upstream(t, async (response) => {
    begin(response);
    // Far more than all socket buffers on the way hold; without back-pressure all of it would be taken.
    for (; sent < 2000; ++sent) {
      if (!response.write(chunk({ content: big }))) {
        const drained = await Promise.race([once(response, 'drain').then(() => true), new Promise((r) => setTimeout(() => r(false), 1000))]);
        if (!drained) { blocked(); return; }
      }
    }
    blocked();
  });
  const gateway = await startGateway(t, modelOver([fast]));
  const leaving = new AbortController();
  const response = await chat(gateway.url, { stream: true }, { signal: leaving.signal });
  assert.equal(response.status, 200);
  await upstreamBlocked;
  assert.ok(sent < 1000, `${sent} of 2000 pieces were taken though nobody read them`);
  leaving.abort();
});
