// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Limits, budgets, credentials and recoveries as callers of the gateway meet them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chat, eventually, modelOver, startGateway, startSim } from './harness.mjs';

async function codeOf(answer) { return (await answer.json()).error.code; }

test('a target at its limit is passed by, and at every limit the caller learns when to return', async (t) => {  // LIM-5.1, LIM-3
  const [first, second] = [await startSim(t), await startSim(t)];
  const limits = { rpm: 10 };  // a burst of one
  const gateway = await startGateway(t, modelOver([first, second], { model: { limits } }));
  assert.equal((await chat(gateway.url)).headers.get('x-fuseboard-target'), 'primary/sim-ok');
  assert.equal((await chat(gateway.url)).headers.get('x-fuseboard-target'), 'secondary/sim-ok');
  const refused = await chat(gateway.url);
  assert.equal(refused.status, 429);
  const wait = Number(refused.headers.get('retry-after-ms'));
  assert.ok(wait > 0 && wait <= 6600, `six seconds a token, and ten percent: ${wait}`);
  assert.ok(Number(refused.headers.get('retry-after')) * 1000 >= wait);
  assert.equal(await codeOf(refused), 'rate_limited');
  assert.equal((await first.calls()).length, 1);
  assert.equal((await second.calls()).length, 1);
});

test('calls wait for a place where the queue allows it', async (t) => {  // LIM-7.3
  const sim = await startSim(t);
  const limits = { concurrency: 1, queue: { max: 8, max_wait: '30s' } };
  const gateway = await startGateway(t, modelOver([sim], { model: { limits } }));
  const answers = await Promise.all(Array.from({ length: 6 }, () => chat(gateway.url)));
  assert.deepEqual(answers.map((answer) => answer.status), Array(6).fill(200));
  assert.equal((await sim.calls()).length, 6);
});

test('without a queue the same calls are refused beyond the first', async (t) => {  // LIM-8.1
  const sim = await startSim(t);
  await sim.fails({ kind: 'stall' });
  const gateway = await startGateway(t, modelOver([sim], { model: { limits: { concurrency: 1 } } }));
  const abort = new AbortController();
  const stalled = chat(gateway.url, { stream: true }, { signal: abort.signal }).catch(() => {});
  await eventually(() => sim.calls(), (calls) => calls.length === 1, 'the first call');
  const refused = await chat(gateway.url);
  assert.equal(refused.status, 429);
  assert.equal(await codeOf(refused), 'rate_limited');
  abort.abort();
  await stalled;
});

test('a session has its own budget, and what it is told is not to be retried', async (t) => {  // BUD-1, BUD-6
  const sim = await startSim(t);
  const gateway = await startGateway(t, { ...modelOver([sim]), budgets: { session: { rounds: 2 } } });
  const ask = (session) => chat(gateway.url, {}, { headers: { 'x-fuseboard-session': session } });
  assert.equal((await ask('one')).status, 200);
  assert.equal((await ask('one')).status, 200);
  const refused = await ask('one');
  assert.equal(refused.status, 429);
  assert.equal(refused.headers.get('x-should-retry'), 'false');
  const error = (await refused.json()).error;
  assert.equal(error.code, 'budget_exceeded');
  assert.equal(error.type, 'insufficient_quota');
  assert.equal((await ask('two')).status, 200, 'another session is another account');
  assert.equal((await chat(gateway.url)).status, 200);
  assert.equal((await sim.calls()).length, 4);
});

test('tokens that answers used are what is charged', async (t) => {  // BUD-2, BUD-3
  const sim = await startSim(t);
  const gateway = await startGateway(t, { ...modelOver([sim]), budgets: { global: { tokens: 3000 } } });
  // The estimate of each is above a thousand, the usage a few dozen: were estimates charged, the third were refused.
  for (let i = 0; i < 10; ++i) assert.equal((await chat(gateway.url, { max_tokens: 1000 })).status, 200);
  const refused = await chat(gateway.url, { max_tokens: 5000 });
  assert.equal(await codeOf(refused), 'budget_exceeded');
});

test('a refused credential rests for everybody who shares it', async (t) => {  // FBK-6.1, FBK-6.7
  const sim = await startSim(t);
  const model = (name) => ({ retry: { max_attempts: 1 }, targets: [{ provider: 'primary', model: name }] });
  const gateway = await startGateway(t, {
    providers: { primary: { dialect: 'openai', base_url: `${sim.url}/v1`, api_key: 'secret-key-of-the-test' } },
    models: { one: model('sim-ok'), two: model('sim-other') },
  });
  await sim.fails({ kind: 'status', status: 401 });
  const first = await chat(gateway.url, { model: 'one' });
  assert.equal(first.status, 502);
  assert.equal(await codeOf(first), 'upstream_authentication');
  const second = await chat(gateway.url, { model: 'two' });
  assert.equal(second.status, 502, 'never a 401 that looks like the caller\'s own');
  const text = await second.text();
  assert.equal(JSON.parse(text).error.code, 'upstream_authentication');
  assert.ok(!text.includes('secret-key'));
  assert.ok(Number(second.headers.get('retry-after')) <= 60);
  assert.equal((await sim.calls()).length, 1, 'nothing is sent with a parked credential');
});

test('a call waits for a recovery that is near, and one probe serves all who wait', async (t) => {  // RTY-4.2, RTY-4.3, BRK-6
  const sim = await startSim(t);
  const gateway = await startGateway(t, modelOver([sim], { model: { breaker: { failure_threshold: 1, open: '500ms' } } }));
  await sim.fails({ kind: 'status', status: 503 });
  assert.equal((await chat(gateway.url)).status, 503);
  await sim.recovers();
  await sim.reset();
  const answers = await Promise.all(Array.from({ length: 20 }, () => chat(gateway.url)));
  assert.deepEqual(answers.map((answer) => answer.status), Array(20).fill(200));
  assert.equal((await sim.calls()).length, 20, 'nobody was sent twice');
  assert.equal((await gateway.breaker('primary/sim-ok')).times_opened, 1);
});

test('what a header may say is told where it says something else', async (t) => {
  const sim = await startSim(t);
  const gateway = await startGateway(t, modelOver([sim]));
  for (const [header, value] of [['x-fuseboard-priority', 'urgent'], ['x-fuseboard-session', 's'.repeat(129)]]) {
    const refused = await chat(gateway.url, {}, { headers: { [header]: value } });
    assert.equal(refused.status, 400);
    const { message, param } = (await refused.json()).error;
    assert.equal(param, header);
    assert.match(message, /allowed/);
  }
  assert.equal((await chat(gateway.url, {}, { headers: { 'x-fuseboard-priority': 'low' } })).status, 200);
});
