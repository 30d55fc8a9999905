// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Sixteen ways a provider fails, against the gateway as it comes: two targets and no option set, but for limits of time that would make the
// tests slow. The first provider speaks chat completions, the second one messages; callers of both dialects must get the whole answer.
// README.md has the table of them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chat, eventually, startGateway, startSim } from './harness.mjs';

const question = [{ role: 'user', content: 'Say hello to the fuses.' }];

// The two providers, the gateway before them and the answer that nothing disturbs: the same from either, for it follows from the question.
async function world(t, { first = 'sim-ok', second = 'sim-ok', firstTarget = {}, secondTarget = {}, model = {}, rest = {} } = {}) {
  const primary = await startSim(t);
  const secondary = await startSim(t);
  const gateway = await startGateway(t, {
    providers: { primary: { dialect: 'openai', base_url: `${primary.url}/v1` }, secondary: { dialect: 'anthropic', base_url: secondary.url } },
    models: { smart: { ...model, targets: [{ provider: 'primary', model: first, ...firstTarget }, { provider: 'secondary', model: second, ...secondTarget }] } },
    ...rest,
  });
  const whole = await callers['chat completions'].ask(primary.url, { model: 'sim-ok', stream: false });
  await primary.reset();
  const counts = async () => [(await primary.calls()).length, (await secondary.calls()).length];
  return { primary, secondary, gateway, whole, counts };
}

function parsed(text) {
  return text.split('\n\n').filter((block) => block.includes('data: ')).map((block) => {
    const data = block.slice(block.indexOf('data: ') + 6);
    if (data === '[DONE]') return { done: true };
    assert.doesNotThrow(() => JSON.parse(data), `an event that is none was forwarded: ${data}`);
    return JSON.parse(data);
  });
}

// What a caller of either dialect makes of an answer: its text, why it ended, what it used, whether it is whole, and its error.
const callers = {
  'chat completions': {
    ask: (url, options) => post(`${url}/v1/chat/completions`, { messages: question, stream_options: options.stream ? { include_usage: true } : undefined, ...options }, (body) => {
      if (!options.stream) {
        const [choice] = body.choices ?? [];
        return { text: choice?.message.content ?? '', finish: choice?.finish_reason, used: body.usage?.completion_tokens, model: body.model, error: body.error, whole: Boolean(choice) };
      }
      const chunks = body.filter((event) => event.choices);
      return {
        text: chunks.map(({ choices }) => choices[0]?.delta?.content ?? '').join(''),
        finish: chunks.findLast(({ choices }) => choices[0]?.finish_reason)?.choices[0].finish_reason,
        used: chunks.findLast(({ usage }) => usage)?.usage.completion_tokens,
        model: chunks[0]?.model,
        error: body.find((event) => event.error)?.error,
        whole: body.at(-1)?.done === true,
      };
    }),
    finishes: { stop: 'stop', filtered: 'content_filter' },
  },
  messages: {
    ask: (url, options) => post(`${url}/v1/messages`, { messages: question, max_tokens: 1000, ...options }, (body) => {
      if (!options.stream) {
        const text = body.content?.map((block) => block.text ?? '').join('') ?? '';
        return { text, finish: body.stop_reason, used: body.usage?.output_tokens, model: body.model, error: body.error, whole: body.type === 'message' };
      }
      const delta = body.findLast(({ type }) => type === 'message_delta');
      return {
        text: body.filter(({ type }) => type === 'content_block_delta').map((event) => event.delta.text ?? '').join(''),
        finish: delta?.delta.stop_reason,
        used: delta?.usage.output_tokens,
        model: body.find(({ type }) => type === 'message_start')?.message.model,
        error: body.find(({ type }) => type === 'error')?.error,
        whole: body.at(-1)?.type === 'message_stop',
      };
    }),
    finishes: { stop: 'end_turn', filtered: 'refusal' },
  },
};

async function post(url, { session, ...body }, read) {
  const began = performance.now();
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(session && { 'x-fuseboard-session': session }) },
    body: JSON.stringify({ model: 'smart', ...body }),
  });
  const text = await response.text();
  const streamed = response.headers.get('content-type')?.startsWith('text/event-stream');
  const content = streamed ? parsed(text) : JSON.parse(text);
  // An error before a stream begins is a plain answer.
  const answer = body.stream && !streamed ? { error: content.error, whole: false, text: '' } : read(content);
  return { status: response.status, target: response.headers.get('x-fuseboard-target'), attempts: Number(response.headers.get('x-fuseboard-attempts')), took: performance.now() - began, ...answer };
}

// The four ways of asking, or some of them.
function ways(names = Object.keys(callers), streams = [false, true]) {
  return names.flatMap((name) => streams.map((stream) => {
    const caller = callers[name];
    return { name: `${name}, ${stream ? 'streamed' : 'plain'}`, caller, ask: ({ gateway }, options = {}) => caller.ask(gateway.url, { stream, ...options }), stream };
  }));
}

function assertWhole(answer, { whole }, caller) {
  assert.equal(answer.status, 200, JSON.stringify(answer.error));
  assert.equal(answer.error, undefined);
  assert.equal(answer.text, whole.text);
  assert.equal(answer.finish, caller.finishes.stop);
  assert.ok(answer.whole, 'it says that it is complete');
}

for (const way of ways()) {
  test(`1: a rate limit that says when to return is waited for (${way.name})`, async (t) => {
    const it = await world(t);
    await it.primary.faults({ phases: [{ requests: 1, faults: [{ kind: 'status', status: 429, retry_after: '1s' }] }] });
    const answer = await way.ask(it);
    assertWhole(answer, it, way.caller);
    assert.ok(answer.took >= 1000, `${answer.took}`);
    assert.equal(answer.target, 'primary/sim-ok');
    assert.deepEqual(await it.counts(), [2, 0]);
  });
}

test('1: a rate limit that asks for more time than there is goes to the next target at once', async (t) => {
  const it = await world(t);
  await it.primary.faults({ phases: [{ requests: 1000, faults: [{ kind: 'status', status: 429, retry_after: '5m' }] }] });
  for (const way of ways()) {
    const answer = await way.ask(it);
    assertWhole(answer, it, way.caller);
    assert.equal(answer.target, 'secondary/sim-ok');
  }
  assert.deepEqual(await it.counts(), [1, 4], 'and is not asked again before its time');
});

for (const way of ways()) {
  test(`2: a rate limit without end is backed off from, then left (${way.name})`, async (t) => {
    const it = await world(t);
    await it.primary.fails({ kind: 'status', status: 429 });
    const answer = await way.ask(it);
    assertWhole(answer, it, way.caller);
    assert.equal(answer.target, 'secondary/sim-ok');
    assert.deepEqual(await it.counts(), [4, 1]);
    const early = (await it.primary.calls()).filter(({ t_ms }, _, all) => t_ms - all[0].t_ms < 3000);
    assert.ok(early.length <= 4, 'at most four attempts in three seconds');
    assert.equal((await it.gateway.breaker('primary/sim-ok')).state, 'closed', 'a rate limit is no fault');
  });
}

for (const way of ways()) {
  test(`3: one internal error is retried where it happened (${way.name})`, async (t) => {
    const it = await world(t, { first: 'sim-500-once' });
    const answer = await way.ask(it);
    assertWhole(answer, it, way.caller);
    assert.equal(answer.target, 'primary/sim-500-once');
    assert.equal(answer.attempts, 2);
    assert.deepEqual(await it.counts(), [2, 0]);
  });
}

test('4: a service that is down is retried, then left, then not asked any more', async (t) => {
  const it = await world(t);
  await it.primary.fails({ kind: 'status', status: 503 });
  const expected = [[4, 1], [5, 2], [5, 3], [5, 4]];
  for (const [index, way] of ways().entries()) {
    const answer = await way.ask(it);
    assertWhole(answer, it, way.caller);
    assert.equal(answer.target, 'secondary/sim-ok');
    assert.deepEqual(await it.counts(), expected[index]);
  }
  assert.equal((await it.gateway.breaker('primary/sim-ok')).state, 'open');
});

for (const way of ways()) {
  test(`5: a connection that is reset before the answer is tried again, then left (${way.name})`, async (t) => {
    const it = await world(t, { first: 'sim-reset' });
    const answer = await way.ask(it);
    assertWhole(answer, it, way.caller);
    assert.equal(answer.target, 'secondary/sim-ok');
    assert.deepEqual(await it.counts(), [4, 1]);
  });
}

for (const way of ways()) {
  test(`6: silence ends at the limit for the first byte and is not tried again (${way.name})`, async (t) => {
    const timeouts = way.stream ? { headers: '500ms' } : { total: '500ms' };
    const it = await world(t, { first: 'sim-silent', firstTarget: { timeouts } });
    const answer = await way.ask(it);
    assertWhole(answer, it, way.caller);
    assert.ok(answer.took >= 500 && answer.took < 5000, `${answer.took}`);
    assert.equal(answer.target, 'secondary/sim-ok');
    assert.deepEqual(await it.counts(), [1, 1]);
    await eventually(async () => (await it.primary.calls())[0], ({ client_left }) => client_left, 'the silent provider to be left');
  });
}

for (const way of ways()) {
  test(`7: a slow first token is waited for (${way.name})`, async (t) => {
    const it = await world(t, { first: 'sim-slow-first-token:2s' });
    const answer = await way.ask(it);
    assertWhole(answer, it, way.caller);
    assert.ok(answer.took >= 2000);
    assert.equal(answer.target, 'primary/sim-slow-first-token:2s');
    assert.deepEqual(await it.counts(), [1, 0]);
  });
}

test('7: a first token that comes later than the limit is another target\'s', async (t) => {
  for (const way of ways(Object.keys(callers), [true])) {
    const it = await world(t, { first: 'sim-slow-first-token:1h', firstTarget: { timeouts: { first_content: '500ms' } } });
    assertWhole(await way.ask(it), it, way.caller);
    assert.deepEqual(await it.counts(), [1, 1]);
  }
});

// The ways in which a stream breaks after a part of it was delivered. Whatever the second target can, the caller has the whole answer.
const broken = [
  ['8: a stream that is cut', 'sim-stream-cut:5', {}],
  ['8: a stream that ends too early', 'sim-stream-eof:5', {}],
  ['9: a stream that stalls', 'sim-stall:5', { timeouts: { idle: '500ms' } }],
  ['10: a malformed event', 'sim-malformed-event:5', {}],
  ['10: an error in the stream', 'sim-error-in-stream:5', {}],
];
for (const [what, behaviour, firstTarget] of broken) {
  for (const way of ways(Object.keys(callers), [true])) {
    test(`${what} is gone on with where it broke (${way.name})`, async (t) => {
      const it = await world(t, { first: behaviour, firstTarget, secondTarget: { prefill: true } });
      const answer = await way.ask(it);
      assertWhole(answer, it, way.caller);
      assert.deepEqual(await it.counts(), [1, 1]);
    });
    test(`${what} is answered afresh, and what the caller has is left out (${way.name})`, async (t) => {
      const it = await world(t, { first: behaviour, firstTarget });
      const answer = await way.ask(it);
      assertWhole(answer, it, way.caller);
      assert.equal((await it.counts())[0], 1, 'the target that broke is not asked again');
      assert.equal((await it.counts())[1], 1);
    });
  }
}

for (const way of ways(Object.keys(callers), [false])) {
  test(`8: a plain answer that is cut is asked for again, then elsewhere (${way.name})`, async (t) => {
    const it = await world(t, { first: 'sim-stream-cut' });
    assertWhole(await way.ask(it), it, way.caller);
    assert.deepEqual(await it.counts(), [4, 1]);
  });
  test(`10: a plain answer that is no JSON is never forwarded (${way.name})`, async (t) => {
    const it = await world(t, { first: 'sim-malformed-event' });
    assertWhole(await way.ask(it), it, way.caller);
    assert.deepEqual(await it.counts(), [4, 1]);
  });
}

for (const way of ways(Object.keys(callers), [true])) {
  test(`11: a missing mark of the end is no failure where the answer is complete (${way.name})`, async (t) => {
    const it = await world(t, { first: 'sim-no-done' });
    assertWhole(await way.ask(it), it, way.caller);
    assert.deepEqual(await it.counts(), [1, 0]);
  });
}

test('12: what is too long for one model goes once to one with a larger window', async (t) => {
  const it = await world(t, { first: 'sim-context-length', firstTarget: { context_window: 8192 }, secondTarget: { context_window: 200_000 } });
  for (const [index, way] of ways().entries()) {
    const answer = await way.ask(it);
    assertWhole(answer, it, way.caller);
    assert.equal(answer.target, 'secondary/sim-ok');
    assert.deepEqual(await it.counts(), [index + 1, index + 1]);
  }
});

test('12: where no window is larger, the caller is told so', async (t) => {
  const it = await world(t, { first: 'sim-context-length', firstTarget: { context_window: 8192 }, secondTarget: { context_window: 8192 } });
  for (const way of ways()) {
    const answer = await way.ask(it);
    assert.equal(answer.status, 400);
    assert.match(answer.error.message, /maximum context length/);
  }
  assert.deepEqual(await it.counts(), [4, 0]);
});

test('13: an answer that was filtered says so, and nobody else is asked', async (t) => {
  const it = await world(t, { first: 'sim-refusal' });
  for (const way of ways()) {
    const answer = await way.ask(it);
    assert.equal(answer.status, 200);
    assert.equal(answer.finish, way.caller.finishes.filtered);
    assert.ok(answer.whole);
    assert.equal(answer.text, '');
  }
  assert.deepEqual(await it.counts(), [4, 0]);
  assert.equal((await it.gateway.breaker('primary/sim-refusal')).state, 'closed');
});

test('13: a question that was filtered is an error of the caller\'s', async (t) => {
  const it = await world(t, { first: 'sim-content-filter' });
  for (const way of ways()) {
    const answer = await way.ask(it);
    assert.equal(answer.status, 400);
    assert.match(answer.error.message, /content management policy/);
    assert.equal(answer.error.type, 'invalid_request_error');
  }
  assert.deepEqual(await it.counts(), [4, 0]);
});

for (const way of ways(Object.keys(callers), [true])) {
  test(`14: a target that refuses to go on answers afresh (${way.name})`, async (t) => {
    const it = await world(t, { first: 'sim-stream-cut:5', second: 'sim-no-prefill', secondTarget: { prefill: true } });
    assertWhole(await way.ask(it), it, way.caller);
    const [first, second] = await it.counts();
    assert.equal(first, 1);
    assert.equal(second, 2, 'one that was refused, one afresh');
    assert.equal((await it.gateway.breaker('secondary/sim-no-prefill')).consecutive_failures, 0, 'the refusal is no fault of the target');
  });
}

test('15: a target that comes and goes costs callers nothing and is used again when it is back', async (t) => {
  const it = await world(t, { model: { breaker: { open: '1s' } } });
  const key = 'primary/sim-ok';
  const asks = ways();
  const ask = async (index) => {
    const way = asks[index % asks.length];
    const answer = await way.ask(it);
    assertWhole(answer, it, way.caller);
    return answer.target;
  };
  for (let round = 0; round < 2; ++round) {
    assert.equal(await ask(round), key);
    await it.primary.reset();
    await it.primary.fails({ kind: 'status', status: 503 });
    for (let i = 0; i < 12; ++i) assert.equal(await ask(i), 'secondary/sim-ok');
    // Four attempts of the first call and one of the second open it; then one probe an open time, of which few pass here.
    const { times_opened: opened } = await it.gateway.breaker(key);
    const before = round === 0 ? 0 : 1;
    assert.ok((await it.counts())[0] <= 5 + opened - before, 'a probe for each time it opened again');
    await it.primary.recovers();
    const recovered = performance.now();
    await eventually(() => ask(0), (target) => target === key, 'the primary to serve again');
    assert.ok(performance.now() - recovered < 1000 + 500, 'within one open time, and what a call takes');
    for (let i = 0; i < 4; ++i) assert.equal(await ask(i), key);
  }
});

for (const way of ways()) {
  test(`16: the answer names who gave it and what it used, and what failed is not billed (${way.name})`, async (t) => {
    const it = await world(t, { second: 'sim-ok#billed', rest: { budgets: { session: { tokens: 4000 } } } });
    await it.primary.fails({ kind: 'status', status: 503 });
    const answer = await way.ask(it, { session: 'one' });
    assertWhole(answer, it, way.caller);
    assert.equal(answer.target, 'secondary/sim-ok#billed');
    assert.equal(answer.model, 'sim-ok#billed');
    assert.equal(answer.attempts, 5);
    assert.equal(answer.used, it.whole.used);
    assert.deepEqual(await it.counts(), [4, 1]);
    // Each attempt had set aside a thousand tokens and more: were one of the failed ones charged, this would be too much.
    const next = await way.ask(it, { session: 'one', max_tokens: 3500 });
    assert.equal(next.status, 200, JSON.stringify(next.error));
    const tooMuch = await way.ask(it, { session: 'one', max_tokens: 4000 });
    assert.equal(tooMuch.status, 429, 'the budget is one');
  });
}
