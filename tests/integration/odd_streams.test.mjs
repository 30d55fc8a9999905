// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Streams of providers that think in silence, call their streams something else, or write calls of tools in their own ways.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, test } from 'node:test';
import { callers } from './callers.mjs';
import { startGateway, startSim } from './harness.mjs';

const both = async (t, models, options = {}) => {
  const sims = [await startSim(t), await startSim(t)];
  const gateway = await startGateway(t, {
    providers: { chat: { dialect: 'openai', base_url: `${sims[0].url}/v1` }, messages: { dialect: 'anthropic', base_url: sims[1].url } },
    models,
    ...options,
  });
  return { gateway, sims };
};

// The events of an answer to a caller of /v1/responses.
async function responses(url, body = {}) {
  const response = await fetch(`${url}/v1/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'smart', input: 'Hello', stream: true, ...body }),
  });
  const text = await response.text();
  return { status: response.status, target: response.headers.get('x-fuseboard-target'), types: [...text.matchAll(/^event: (.*)$/gm)].map(([, type]) => type),
    events: [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data)) };
}

describe('thinking of which nothing is seen but that it has begun, and pings', { concurrency: 6 }, () => {
  const timeouts = { first_content: '600ms' };
  const thinks = (provider) => ({ smart: { timeouts, retry: { max_attempts: 1 }, targets: [{ provider, model: 'sim-thinking-pings:2s' }, { provider: 'chat', model: 'sim-ok' }] } });
  for (const [name, caller] of Object.entries(callers)) {
    for (const provider of ['chat', 'messages']) {
      test(`is waited for (a caller of ${name}, a target of ${provider})`, async (t) => {  // STR-3.4, STR-3.5, STR-3.6
        const { gateway } = await both(t, thinks(provider));
        const answer = await caller.ask(gateway.url, { stream: true });
        assert.equal(answer.target, `${provider}/sim-thinking-pings:2s`, JSON.stringify(answer.error));
        assert.ok(answer.whole);
        assert.ok(answer.took >= 2000, `${answer.took}`);
        const { totals } = await gateway.breaker(`${provider}/sim-thinking-pings:2s`);
        assert.deepEqual([totals.succeeded, totals.failed], [1, 0]);
      });
    }
  }

  test('is waited for (responses)', async (t) => {  // STR-3.4, STR-3.5, STR-3.6
    const { gateway } = await both(t, thinks('chat'));
    const answer = await responses(gateway.url);
    assert.equal(answer.target, 'chat/sim-thinking-pings:2s');
    assert.equal(answer.types.at(-1), 'response.completed');
  });

  test('ends at `total`', async (t) => {  // STR-3.5
    const { gateway } = await both(t, { smart: { ...thinks('messages').smart, timeouts: { ...timeouts, total: '1200ms' } } });
    const answer = await callers.messages.ask(gateway.url, { stream: true });
    assert.equal(answer.target, 'chat/sim-ok');
    assert.ok(answer.took >= 1200 && answer.whole, `${answer.took}`);
    assert.equal((await gateway.breaker('messages/sim-thinking-pings:2s')).last_failure, 'timeout');
  });

  test('ends at the deadline that the caller gave', async (t) => {  // RTY-3.1, STR-3.5
    const { gateway } = await both(t, thinks('messages'));
    const began = performance.now();
    const response = await fetch(`${gateway.url}/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-fuseboard-deadline-ms': '1000' },
      body: JSON.stringify({ model: 'smart', max_tokens: 100, stream: true, messages: [{ role: 'user', content: 'Hello' }] }),
    });
    assert.equal(response.status, 504);
    assert.ok(performance.now() - began < 1900, 'before the thoughts were over');
    assert.equal((await gateway.breaker('messages/sim-thinking-pings:2s')).consecutive_failures, 0);
  });

  test('pings by themselves are not waited for', async (t) => {  // STR-3.6
    const pinging = createServer((request, response) => {
      request.resume();
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('event: message_start\ndata: {"type":"message_start","message":{"id":"m","role":"assistant","content":[]}}\n\n');
      const pings = setInterval(() => response.write('event: ping\ndata: {"type":"ping"}\n\n: ping\n\n'), 50);
      response.on('close', () => clearInterval(pings));
    });
    pinging.listen(0, '127.0.0.1');
    await once(pinging, 'listening');
    t.after(() => { pinging.closeAllConnections(); pinging.close(); });
    const sim = await startSim(t);
    const gateway = await startGateway(t, {
      providers: { messages: { dialect: 'anthropic', base_url: `http://127.0.0.1:${pinging.address().port}` }, chat: { dialect: 'openai', base_url: `${sim.url}/v1` } },
      models: { smart: { timeouts, targets: [{ provider: 'messages', model: 'm' }, { provider: 'chat', model: 'sim-ok' }] } },
    });
    const answer = await callers.messages.ask(gateway.url, { stream: true });
    assert.equal(answer.target, 'chat/sim-ok');
    assert.equal((await gateway.breaker('messages/m')).last_failure, 'timeout');
  });
});

describe('a stream is what it is, whatever its head calls it', { concurrency: 6 }, () => {
  for (const behaviour of ['sim-stream-as-json', 'sim-untyped', 'sim-stream-as-json+sim-split-events', 'sim-json-as-stream']) {
    for (const provider of ['chat', 'messages']) {
      test(`${behaviour}, a target of ${provider}`, async (t) => {
        const { gateway } = await both(t, { smart: { targets: [{ provider, model: behaviour }] } });
        const plain = {};
        for (const [name, caller] of Object.entries(callers)) {
          const answer = await caller.ask(gateway.url, { stream: true });
          plain[name] = await caller.ask(gateway.url);
          assert.equal(answer.status, 200, JSON.stringify(answer.error));
          assert.ok(answer.whole, 'streamed to its end');
          assert.equal(answer.text, plain[name].text);
        }
        assert.equal((await gateway.breaker(`${provider}/${behaviour}`)).totals.failed, 0);
      });
    }
  }

  test('sim-json-as-stream, for a caller of responses', async (t) => {
    const { gateway } = await both(t, { smart: { targets: [{ provider: 'chat', model: 'sim-json-as-stream' }] } });
    const { events } = await responses(gateway.url);
    const text = events.filter((event) => event.type === 'response.output_text.delta').map((event) => event.delta).join('');
    assert.ok(text.length > 0);
    assert.equal(events.at(-1).type, 'response.completed');
    assert.equal(events.at(-1).response.output.at(-1).content[0].text, text);
    assert.deepEqual(events.map((event) => event.sequence_number), events.map((_, i) => i));
  });

  test('it is streamed as it arrives, under its right name', async (t) => {
    const { gateway } = await both(t, { smart: { targets: [{ provider: 'chat', model: 'sim-stream-as-json+sim-stall:3' }] } });
    const leaving = new AbortController();
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'smart', stream: true, messages: [{ role: 'user', content: 'Hello' }] }),
      signal: leaving.signal,
    });
    assert.match(response.headers.get('content-type'), /^text\/event-stream/);
    const { value } = await response.body.getReader().read();  // the rest never comes
    assert.match(Buffer.from(value).toString(), /^data: /);
    leaving.abort();
  });

  test('an error that is called a stream is an error', async (t) => {  // FBK-4
    const server = createServer((request, response) => {
      request.resume();
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end('{"error":{"message":"too long","type":"invalid_request_error","code":"context_length_exceeded"}}');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => { server.closeAllConnections(); server.close(); });
    const gateway = await startGateway(t, {
      providers: { chat: { dialect: 'openai', base_url: `http://127.0.0.1:${server.address().port}/v1` } },
      models: { smart: { targets: [{ provider: 'chat', model: 'm' }] } },
    });
    const answer = await callers['chat completions'].ask(gateway.url, { stream: true });
    assert.equal(answer.status, 400);
    assert.equal(answer.error.code, 'context_length_exceeded');
  });
});

describe('calls of tools in the words of odd servers', { concurrency: 4 }, () => {
  const odd = async (t, answer, type = 'text/event-stream') => {
    const server = createServer((request, response) => {
      request.resume();
      response.writeHead(200, { 'content-type': type }).end(answer);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => { server.closeAllConnections(); server.close(); });
    return startGateway(t, {
      providers: { chat: { dialect: 'openai', base_url: `http://127.0.0.1:${server.address().port}/v1` } },
      models: { smart: { targets: [{ provider: 'chat', model: 'm' }] } },
    });
  };
  const message = async (gateway, stream) => {
    const response = await fetch(`${gateway.url}/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'smart', max_tokens: 100, stream, messages: [{ role: 'user', content: 'Hello' }] }),
    });
    assert.equal(response.status, 200);
    return response.text();
  };
  // The calls of a stream of messages, put together as a client does.
  const callsOf = (text) => {
    const blocks = [];
    for (const [, data] of text.matchAll(/^data: (.*)$/gm)) {
      const event = JSON.parse(data);
      if (event.type === 'content_block_start') blocks[event.index] = { ...event.content_block, json: '' };
      if (event.type === 'content_block_delta' && event.delta.type === 'input_json_delta') blocks[event.index].json += event.delta.partial_json;
    }
    return blocks.filter(({ type }) => type === 'tool_use').map(({ id, name, json }) => ({ id, name, input: JSON.parse(json || '{}') }));
  };
  const stream = (...deltas) => [...deltas.map((tool_calls) => ({ choices: [{ index: 0, delta: { tool_calls } }] })),
    { choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] }].map((chunk) => `data: ${JSON.stringify(chunk)}\r\n\r\n`).join('') + 'data: [DONE]\r\n\r\n';
  const expected = [{ id: 'a', name: 'look', input: { at: [1] } }];

  const pieces = {
    'the name behind the id': [[{ index: 0, id: 'a', function: {} }], [{ index: 0, function: { name: 'look' } }], [{ index: 0, function: { arguments: '{"at":[1]}' } }]],
    'the arguments first': [[{ index: 0, function: { arguments: '{"at"' } }], [{ index: 0, function: { name: 'look', arguments: ':[1]}' } }], [{ index: 0, id: 'a' }]],
    'no index, the name in pieces': [[{ id: 'a', function: { name: 'lo' } }], [{ function: { name: 'ok' } }], [{ function: { arguments: '{"at":[1]}' } }]],
    'the arguments as an object': [[{ index: 0, id: 'a', function: { name: 'look', arguments: { at: [1] } } }]],
  };
  for (const [how, deltas] of Object.entries(pieces)) {
    test(how, async (t) => {
      const gateway = await odd(t, `\uFEFF${stream(...deltas)}`);
      assert.deepEqual(callsOf(await message(gateway, true)), expected);
    });
  }

  test('parallel calls, interleaved', async (t) => {
    const gateway = await odd(t, stream(
      [{ index: 0, id: 'a', function: {} }, { index: 1, id: 'b', function: {} }],
      [{ index: 1, function: { name: 'hear', arguments: '{' } }, { index: 0, function: { name: 'look' } }],
      [{ index: 0, function: { arguments: '{"at":[1]}' } }, { index: 1, function: { arguments: '}' } }],
    ));
    const calls = callsOf(await message(gateway, true));
    assert.deepEqual(calls.toSorted((one, other) => (one.id < other.id ? -1 : 1)), [...expected, { id: 'b', name: 'hear', input: {} }]);
  });

  test('a whole answer with its arguments as an object', async (t) => {
    const body = { choices: [{ index: 0, message: { role: 'assistant', content: null, tool_calls: [{ id: 'a', type: 'function', function: { name: 'look', arguments: { at: [1] } } }] }, finish_reason: 'tool_calls' }] };
    const gateway = await odd(t, JSON.stringify(body), 'application/json');
    const { content } = JSON.parse(await message(gateway, false));
    assert.deepEqual(content.map(({ id, name, input }) => ({ id, name, input })), expected);
  });
});

describe('conversations between the dialects', { concurrency: 4 }, () => {
  const ask = async (url, body) => {
    const response = await fetch(`${url}/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'smart', max_tokens: 4000, ...body }),
    });
    return { status: response.status, target: response.headers.get('x-fuseboard-target'), ...await response.json() };
  };

  test('a system message among the others reaches a target of chat completions', async (t) => {
    const { gateway } = await both(t, { smart: { targets: [{ provider: 'chat', model: 'sim-inspect' }] } });
    const messages = [{ role: 'user', content: 'a' }, { role: 'system', content: 'Be brief.' }, { role: 'user', content: 'b' }];
    const answer = await ask(gateway.url, { messages });
    assert.equal(answer.status, 200, JSON.stringify(answer));
    assert.deepEqual(JSON.parse(JSON.parse(answer.content[0].text).body).messages, messages);
  });

  for (const tools of [false, true]) {
    test(`thoughts that were translated do not come back to a target of messages${tools ? ', in the midst of a turn' : ''}`, async (t) => {  // FBK-8.1, FBK-8.2
      const { gateway, sims: [chat] } = await both(t, { smart: { retry: { max_attempts: 1 }, targets: [{ provider: 'chat', model: `sim-reasoning${tools ? '+sim-tool-call' : ''}` }, { provider: 'messages', model: 'sim-ok' }] } });
      const thinking = { type: 'enabled', budget_tokens: 2000 };
      const begun = { thinking, ...(tools && { tools: [{ name: 'look', input_schema: { type: 'object' } }] }) };
      const question = { role: 'user', content: 'Hello' };
      const first = await ask(gateway.url, { ...begun, messages: [question] });
      assert.equal(first.content[0].type, 'thinking', 'from a target of chat completions');
      await chat.fails({ kind: 'status', status: 503 });
      const next = tools ? [{ type: 'tool_result', tool_use_id: first.content.at(-1).id, content: 'seen' }] : 'Go on.';
      const second = await ask(gateway.url, { ...begun, messages: [question, { role: 'assistant', content: first.content }, { role: 'user', content: next }] });
      assert.equal(second.status, 200, JSON.stringify(second));
      assert.equal(second.target, 'messages/sim-ok');
      const third = await ask(gateway.url, { ...begun, messages: [question, { role: 'assistant', content: first.content }, { role: 'user', content: next }, { role: 'assistant', content: second.content }, question] });
      assert.equal(third.status, 200, JSON.stringify(third));
    });
  }
});
