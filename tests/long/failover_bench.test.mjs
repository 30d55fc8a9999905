// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The sixteen scenarios of Failover Bench (https://github.com/failoverbench/failoverbench, methodology v0.1), with its times, its faults and what
// it demands for a pass: a gateway with two targets a model and nothing else configured. Faults follow from the model's name. Takes 80 seconds.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startGateway } from '../integration/harness.mjs';

const words = Array.from({ length: 60 }, (_, i) => `word${i + 1}`);
const whole = words.join(' ');
const seconds = (since) => (performance.now() - since) / 1000;

const error = (status, message, type, code, headers = {}) => ({ status, headers, body: { error: { message, type, param: null, code } } });
const overloaded = () => error(503, 'The engine is currently overloaded. Please try again later.', 'server_error', 'overloaded');
const limited = (headers) => error(429, 'Rate limit reached for this model.', 'rate_limit_error', 'rate_limit_exceeded', headers);

// What the provider does with an attempt: `reply` (an error), `reset`, `silent`, or how its stream goes wrong.
const faults = {
  s01: ({ attempt }) => attempt === 1 && { reply: limited({ 'retry-after': '2' }) },
  s02: () => ({ reply: limited() }),
  s03: ({ attempt }) => attempt === 1 && { reply: error(500, 'The server had an error while processing your request.', 'server_error', null) },
  s04: () => ({ reply: overloaded() }),
  s05: ({ attempt }) => attempt === 1 && { reset: true },
  s06: () => ({ silent: 120_000 }),
  s07: () => ({ slow: 20_000 }),
  s08: () => ({ cut: 40 }),
  s09: () => ({ stall: 20 }),
  s10: () => ({ malformed: 10 }),
  s11: () => ({ unmarked: true }),
  s12: () => ({
    reply: error(400, "This model's maximum context length is 8192 tokens. However, your messages resulted in 9631 tokens. Please reduce the length of "
      + 'the messages.', 'invalid_request_error', 'context_length_exceeded'),
  }),
  s13: () => ({ reply: error(400, 'Your request was rejected as a result of our safety system.', 'invalid_request_error', 'content_policy_violation') }),
  s14: () => ({ cut: 40 }),
  s15: ({ up }) => up < 60 && { reply: overloaded() },
  s16: () => ({ reply: overloaded() }),
  ok: () => ({}),
  'ok-noprefill': ({ prefill }) => prefill && { reply: error(400, 'This model does not support assistant message prefill. The conversation must end with a '
    + 'user message.', 'invalid_request_error', 'invalid_prefill') },
};

// A provider that breaks as the model's name says, and remembers who asked for what.
async function startWall(t) {
  const began = performance.now();
  const attempts = [];
  const leaving = new AbortController();
  t.after(() => leaving.abort());
  const pause = (time) => sleep(time, undefined, { signal: leaving.signal }).catch(() => {});

  async function stream(response, { model, include_usage: usage, said }, fault) {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
    response.flushHeaders();
    const send = (choices, more = {}) => response.write(`data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model, choices, ...more })}\n\n`);
    if (fault.slow) await pause(fault.slow);
    send([{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }]);
    // A conversation that ends with how the answer begins is gone on with.
    const rest = said && whole.startsWith(said) ? whole.slice(said.length).split(/(?= )/) : words.map((word, i) => (i ? ` ${word}` : word));
    for (const [i, word] of rest.entries()) {
      if (i === fault.cut) return response.destroy();
      if (i === fault.stall) { await pause(30_000); return response.destroy(); }
      if (i === fault.malformed) response.write('data: {"id": "chatcmpl-1", "choices": [{"delta": {"content": \n\n');
      send([{ index: 0, delta: { content: word }, finish_reason: null }]);
      await pause(15);
    }
    send([{ index: 0, delta: {}, finish_reason: 'stop' }]);
    if (usage) send([], { usage: { prompt_tokens: 20, completion_tokens: rest.length, total_tokens: 20 + rest.length } });
    return response.end(fault.unmarked ? undefined : 'data: [DONE]\n\n');
  }

  const server = createServer(async (request, response) => {
    const body = JSON.parse(Buffer.concat(await request.toArray()).toString());
    const { model } = body;
    const last = body.messages.at(-1);
    const said = last.role === 'assistant' ? last.content.trim() : '';
    attempts.push({ model, at: performance.now() });
    const attempt = attempts.filter((one) => one.model === model).length;
    const fault = faults[model]({ attempt, up: seconds(began), prefill: last.role === 'assistant' }) || {};
    if (fault.reset) return request.socket.resetAndDestroy();
    if (fault.silent) { await pause(fault.silent); return request.socket.destroy(); }
    if (fault.reply) {
      response.writeHead(fault.reply.status, { 'content-type': 'application/json', ...fault.reply.headers });
      return response.end(JSON.stringify(fault.reply.body));
    }
    if (body.stream) return stream(response, { model, include_usage: body.stream_options?.include_usage, said }, fault);
    response.writeHead(200, { 'content-type': 'application/json' });
    return response.end(JSON.stringify({
      id: 'chatcmpl-1', object: 'chat.completion', created: 1, model, choices: [{ index: 0, message: { role: 'assistant', content: whole }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 20, completion_tokens: 60, total_tokens: 80 },
    }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => { server.close(); server.closeAllConnections(); });
  const of = (model) => attempts.filter((one) => one.model === model).map(({ at }) => (at - began) / 1000);
  return { url: `http://127.0.0.1:${server.address().port}/v1`, of, up: () => seconds(began) };
}

// As a careful client reads a stream: an error event is an error, a line that is no JSON is passed by.
async function ask(url, model, within) {
  const began = performance.now();
  const answer = { text: '', garbage: 0 };
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Say the sixty words.' }], stream: true, stream_options: { include_usage: true } }),
    signal: AbortSignal.timeout(within * 1000),
  });
  answer.status = response.status;
  const text = await response.text();
  answer.took = seconds(began);
  if (response.status !== 200) return { ...answer, error: JSON.parse(text).error };
  for (const line of text.split('\n').filter((one) => one.startsWith('data: ') && one !== 'data: [DONE]')) {
    let event;
    try { event = JSON.parse(line.slice(6)); } catch { ++answer.garbage; continue; }
    if (event.error) return { ...answer, error: event.error };
    answer.model = event.model ?? answer.model;
    answer.usage = event.usage ?? answer.usage;
    answer.text += event.choices?.[0]?.delta?.content ?? '';
  }
  return answer;
}

describe('Failover Bench', { concurrency: true }, () => {
  // A gateway with two targets a model and nothing else.
  async function world(t, model, fallback = 'ok') {
    const wall = await startWall(t);
    const gateway = await startGateway(t, {
      providers: { wall: { dialect: 'openai', base_url: wall.url } },
      models: {
        [model]: { targets: [{ provider: 'wall', model }, { provider: 'wall', model: fallback }] },
        well: { targets: [{ provider: 'wall', model: 'ok' }] },
      },
    });
    const rescued = async (within) => {
      const answer = await ask(gateway.url, model, within);
      assert.equal(answer.error, undefined, JSON.stringify(answer.error));
      assert.equal(answer.text, whole);
      assert.equal(answer.garbage, 0);
      return answer;
    };
    const isAlive = async () => assert.equal((await ask(gateway.url, 'well', 10)).text, whole);
    return { gateway, rescued, isAlive, wall, first: () => wall.of(model), second: () => wall.of(fallback) };
  }

  test('S01: 429 with retry-after', async (t) => {  // RTY-2, RTY-13
    const it = await world(t, 's01');
    await it.rescued(20);
    const [first, second] = it.first();
    assert.ok(second - first >= 1.8, `${second - first}`);
  });

  test('S02: 429 without retry-after, for ever', async (t) => {  // RTY-1.1
    const it = await world(t, 's02');
    await it.rescued(40);
    const times = it.first();
    assert.ok(times.length <= 6, `${times.length}`);
    assert.ok(times.filter((at) => at - times[0] < 3).length <= 4);
  });

  test('S03: 500 once, then well', async (t) => {  // RTY-1.1
    const it = await world(t, 's03');
    await it.rescued(20);
    assert.ok(it.first().length >= 2);
  });

  test('S04: 503 for ever', async (t) => {  // RTY-1.1
    const it = await world(t, 's04');
    await it.rescued(40);
    assert.ok(it.first().length <= 6);
  });

  test('S05: a reset before the answer', async (t) => {  // RTY-1.1
    await (await world(t, 's05')).rescued(20);
  });

  test('S06: no answer at all', async (t) => {  // RTY-11.1
    const it = await world(t, 's06');
    assert.ok((await it.rescued(130)).took <= 100);
    assert.equal(it.first().length, 1, 'the silent one is not asked again');
  });

  test('S07: a slow first token', async (t) => {  // RTY-11.1
    const it = await world(t, 's07');
    assert.ok((await it.rescued(60)).took <= 15);
  });

  test('S08: a stream that is cut', async (t) => {  // STR-5.12
    await (await world(t, 's08')).rescued(40);
  });

  test('S09: a stream that stalls', async (t) => {  // STR-3.1, STR-5.12
    const it = await world(t, 's09');
    assert.ok((await it.rescued(70)).took <= 45);
    await it.isAlive();
  });

  test('S10: a malformed event', async (t) => {  // STR-7
    const it = await world(t, 's10');
    await it.rescued(30);
    await it.isAlive();
  });

  test('S11: a stream without the mark of its end', async (t) => {  // STR-2
    const answer = await (await world(t, 's11')).rescued(30);
    assert.ok(answer.took <= 8);
    assert.ok(answer.usage);
  });

  test('S12: a prompt too long for the first model', async (t) => {  // FBK-2.6
    const it = await world(t, 's12');
    await it.rescued(20);
    assert.equal(it.first().length, 1);
  });

  test('S13: a prompt that is filtered', async (t) => {  // FBK-2.2
    const it = await world(t, 's13');
    const answer = await ask(it.gateway.url, 's13', 20);
    assert.equal(answer.status, 400);
    assert.match(answer.error.message, /safety system/);
    assert.equal(it.first().length, 1);
    assert.equal(it.second().length, 0);
  });

  test('S14: the next target refuses to go on where the answer broke', async (t) => {  // STR-5.16
    await (await world(t, 's14', 'ok-noprefill')).rescued(40);
  });

  test('S15: down for a minute, then well', async (t) => {  // BRK-2.1, BRK-6, BRK-7.1, BRK-7.2
    const it = await world(t, 's15');
    for (let i = 0; i < 20; ++i) {
      const due = i * 4 - it.wall.up();
      if (due > 0) await sleep(due * 1000);
      await it.rescued(30);
    }
    const times = it.first();
    const back = times.find((at) => at >= 60);
    assert.ok(back < 90, `it was asked again ${back - 60} s after it was back`);
    assert.ok(times.filter((at) => at < 60).length <= 15, `${times.length} attempts for 15 calls while it was down`);
  });

  test('S16: the answer names who gave it', async (t) => {  // FBK-3.5
    const it = await world(t, 's16');
    const answer = await it.rescued(40);
    assert.equal(answer.model, 'ok');
    assert.ok(answer.usage);
    assert.ok(it.first().length <= 6);
  });
});
