// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a session may spend holds whatever a provider tells, leaves out or ignores [BUD-3, BUD-10.2, BUD-10.4].

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chat, events, modelOver, startGateway, startSim, textOf } from './harness.mjs';

const cap = 20_000;
const each = 3_000;  // tokens that every answer has

async function capped(t, behaviour, budgets = { session: { tokens: cap } }) {
  const sim = await startSim(t);
  const target = { model: `sim-long:${each}+sim-slow:0+${behaviour}` };
  const model = { stream_recovery: 'fail', breaker: { failure_threshold: 1000 } };
  const gateway = await startGateway(t, { ...modelOver([sim], { model, target }), budgets });
  return { sim, gateway };
}

// Asks in one session until it is refused; what came of each answer, by `read`.
async function askUntilRefused(gateway, body, read, status = 200) {
  const answers = [];
  for (let calls = 0; calls < 40; ++calls) {
    const answer = await chat(gateway.url, body, { headers: { 'x-fuseboard-session': 'one' } });
    if (answer.status === 429) {
      const { error } = await answer.json();
      assert.equal(error.code, 'budget_exceeded');
      assert.match(error.message, /the session's budget of 20000 tokens does not allow this call: \d+ spent, and it may need \d+; begin a new session, or raise budgets\.session\.tokens/);
      return answers;
    }
    assert.equal(answer.status, status);
    answers.push(await read(answer));
  }
  assert.fail(`never refused; let through: ${answers}`);
}

// The simulated provider's tokens are words of some six bytes: one and a half by the rule of four bytes each.
function assertStoppedAtTheCap(tokens) {
  const spent = tokens.reduce((sum, more) => sum + more, 0);
  assert.ok(spent <= cap + each, `let through ${spent} tokens`);
  assert.ok(spent >= cap / 3, `stopped after ${spent} tokens`);
}

const words = (text) => text.split(' ').length;
const wordsOfStream = async (answer) => words(textOf(await answer.text()));
const wordsOfPlain = async (answer) => words((await answer.json()).choices[0].message.content);

for (const behaviour of ['sim-no-usage', 'sim-usage-text', 'sim-usage-negative', 'sim-usage-exponent', 'sim-usage-low']) {
  test(`a session stops at its cap: ${behaviour}, plain and streamed`, async (t) => {  // BUD-10.2, BUD-10.4, BUD-3
    const plain = await capped(t, behaviour);
    assertStoppedAtTheCap(await askUntilRefused(plain.gateway, { max_tokens: each }, wordsOfPlain));
    const streamed = await capped(t, behaviour);
    assertStoppedAtTheCap(await askUntilRefused(streamed.gateway, { stream: true, max_tokens: each }, wordsOfStream));
  });
}

test('a session stops at its cap where max_tokens is ignored', async (t) => {  // BUD-10.1, BUD-10.4, BUD-3
  for (const usage of ['sim-ok', 'sim-no-usage']) {
    const { gateway } = await capped(t, `sim-ignores-max-tokens+${usage}`);
    assertStoppedAtTheCap(await askUntilRefused(gateway, { stream: true, max_tokens: 1 }, wordsOfStream));
  }
});

test('a session stops at its cap where streams of fat events are cut', async (t) => {  // BUD-4, BUD-10.3, BUD-10.4
  const { gateway } = await capped(t, 'sim-fat-events:100+sim-stream-cut:25');
  assertStoppedAtTheCap(await askUntilRefused(gateway, { stream: true, max_tokens: each }, async (answer) => {
    const text = await answer.text();
    assert.match(text, /stream_interrupted/);
    return words(textOf(text));
  }));
});

test('a session stops at its cap where plain answers are cut', async (t) => {  // BUD-4, BUD-10.10
  const { sim, gateway } = await capped(t, 'sim-stream-cut');
  await askUntilRefused(gateway, { max_tokens: each }, (answer) => answer.text(), 502);
  // Each has half of its words, or a little less, before it is cut.
  assertStoppedAtTheCap((await sim.calls()).map(() => each / 2));
});

test('what is allowed is not what is charged', async (t) => {  // BUD-10.4
  const sim = await startSim(t);
  const gateway = await startGateway(t, { ...modelOver([sim], { target: { model: 'sim-no-usage' } }), budgets: { session: { tokens: cap } } });
  for (let call = 0; call < 10; ++call) {
    const answer = await chat(gateway.url, { max_tokens: 15_000 }, { headers: { 'x-fuseboard-session': 'one' } });
    assert.equal(answer.status, 200, `call ${call}`);
  }
});

test('numbers are read however they are spelled', async (t) => {  // BUD-10.5
  const { gateway } = await capped(t, 'sim-ok');
  for (const member of ['"max_tokens": 100000.0', '"max_tokens": 1e5', '"n": 128.0']) {
    const body = `{"model": "smart", "messages": [{"role": "user", "content": "Hello"}], ${member}}`;
    assert.equal((await chat(gateway.url, body, { headers: { 'x-fuseboard-session': 'one' } })).status, 429, member);
  }
});

test('usage is asked for where somebody counts, and hidden from a caller who did not', async (t) => {  // BUD-10.6
  const sim = await startSim(t);
  const free = await startGateway(t, modelOver([sim]));
  const counting = await startGateway(t, { ...modelOver([sim]), budgets: { global: { tokens: 1_000_000 } } });
  const shape = async (url, body) => (await (await chat(url, { stream: true, ...body })).text())
    .replaceAll(/"created":\d+/g, '"created":0').replaceAll(/chatcmpl-\w+/g, 'chatcmpl');
  const unasked = await shape(free.url);
  assert.ok(!unasked.includes('usage'));
  assert.equal(await shape(counting.url), unasked, 'byte for byte');
  const asked = await shape(counting.url, { stream_options: { include_usage: true } });
  assert.ok(events(asked).some((data) => data !== '[DONE]' && JSON.parse(data).usage?.total_tokens > 0));
});

test('a target that refuses to be asked answers nevertheless, and is not asked again', async (t) => {  // BUD-10.7
  const sim = await startSim(t);
  const gateway = await startGateway(t, {
    ...modelOver([sim], { target: { model: 'sim-no-stream-options' }, model: { breaker: { failure_threshold: 1 } } }),
    budgets: { global: { tokens: 1_000_000 } },
  });
  for (let call = 0; call < 3; ++call) {
    const answer = await chat(gateway.url, { stream: true });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('x-fuseboard-attempts'), '1');
    assert.ok((await answer.text()).includes('[DONE]'));
  }
  assert.deepEqual((await sim.calls()).map((request) => request.status), [400, 200, 200, 200]);
  assert.equal((await gateway.breaker('primary/sim-no-stream-options')).times_opened, 0);
  const own = await chat(gateway.url, { stream: true, stream_options: { include_usage: true } });
  assert.equal(own.status, 400, 'what the caller asks for itself is its own affair');
});

test('a target that refuses to be asked and does not say so is found out, once', async (t) => {  // BUD-10.7
  const sim = await startSim(t);
  const gateway = await startGateway(t, {
    ...modelOver([sim, sim], { target: [{ model: 'sim-no-stream-options-blunt' }, { model: 'sim-400' }], model: { breaker: { failure_threshold: 1 } } }),
    budgets: { global: { tokens: 1_000_000 } },
  });
  const statuses = async (model) => {
    await sim.reset();
    const answer = await chat(gateway.url, { model, stream: true });
    await answer.text();
    return [answer.status, (await sim.calls()).map((request) => request.status)];
  };
  assert.deepEqual(await statuses('primary/sim-no-stream-options-blunt'), [200, [400, 200]]);
  assert.deepEqual(await statuses('smart'), [200, [200]], 'whichever route leads there');
  assert.deepEqual(await statuses('secondary/sim-400'), [400, [400, 400]]);
  assert.deepEqual(await statuses('secondary/sim-400'), [400, [400]], 'it was something else');
});

test('usage is asked for in every form of request, and the caller is told what it asked for', async (t) => {  // BUD-10.6
  const sim = await startSim(t);
  const gateway = await startGateway(t, { ...modelOver([sim], { target: { model: 'sim-inspect' } }), budgets: { global: { tokens: 1_000_000 } } });
  const asked = async (members) => {
    const body = `{"stream": true, "messages": [{"role": "user", "content": "Hello"}], "model": "smart"${members}}`;
    const text = await (await chat(gateway.url, body)).text();
    assert.ok(!text.includes('usage":{'), text);
    return JSON.parse(JSON.parse(textOf(text)).body).stream_options;
  };
  assert.deepEqual(await asked(''), { include_usage: true });
  assert.deepEqual(await asked(', "stream_options": null'), { include_usage: true });
  assert.deepEqual(await asked(', "stream_options": {"include_usage": false, "include_obfuscation": false}'), { include_usage: true, include_obfuscation: false });
  assert.equal(await asked(', "usage": {"include": true}'), undefined, 'as OpenRouter has it');
});

test('a provider that tells too little is named', async (t) => {  // BUD-10.2, TEL-3
  const { gateway } = await capped(t, 'sim-usage-low');
  await chat(gateway.url);
  const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
  assert.match(metrics, /^fuseboard_usage_understated_total\{provider="primary"\} 1$/m);
});

test('a session is not forgotten by naming ten thousand others', async (t) => {  // BUD-10.9
  const sim = await startSim(t);
  const gateway = await startGateway(t, { ...modelOver([sim], { target: { model: 'sim-long:1+sim-slow:0' } }), budgets: { session: { rounds: 1 } } });
  const ask = async (session) => {
    const answer = await chat(gateway.url, {}, { headers: { 'x-fuseboard-session': session } });
    return { status: answer.status, text: await answer.text() };
  };
  assert.equal((await ask('spent')).status, 200);
  let next = 1;
  await Promise.all(Array.from({ length: 16 }, async () => {
    while (next < 10_000) assert.equal((await ask(`s${next++}`)).status, 200);
  }));
  assert.equal((await ask('spent')).status, 429, 'still spent');
  const late = await ask('one too many');
  assert.equal(late.status, 429);
  assert.match(late.text, /session limit \(10000\) reached/);
});
