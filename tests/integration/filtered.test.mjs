// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// An answer that the provider's safety system withheld under a 200: no retry, no other target, nothing against the
// target, and the caller reads the provider's own reason.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { chat, events, modelOver, startGateway, startSim } from './harness.mjs';

const retry = { max_attempts: 3, base: '10ms', max: '50ms' };

async function world(t, model = {}) {
  const primary = await startSim(t);
  const secondary = await startSim(t, ['--seed', '2']);
  const configuration = modelOver([primary, secondary],
    { model: { retry, breaker: { failure_threshold: 1 }, ...model }, target: [{ model: 'sim-refusal' }, {}] });
  return { primary, secondary, gateway: await startGateway(t, configuration) };
}

for (const stream of [false, true]) {
  test(`a filtered answer reaches its caller as it came, ${stream ? 'streamed' : 'plain'}`, async (t) => {  // FBK-2.2
    const { primary, secondary, gateway } = await world(t);
    const answer = await chat(gateway.url, { stream });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('x-fuseboard-target'), 'primary/sim-refusal');
    const text = await answer.text();
    const reasons = stream ? events(text).filter((data) => data !== '[DONE]').map((data) => JSON.parse(data).choices[0]?.finish_reason) : [JSON.parse(text).choices[0].finish_reason];
    assert.ok(reasons.includes('content_filter'), text);
    assert.equal((await primary.calls()).length, 1, 'no retry');
    assert.equal((await secondary.calls()).length, 0, 'no fallback');
    assert.equal((await gateway.breaker('primary/sim-refusal')).state, 'closed');
  });
}

test('a model that opts in asks the next target instead', async (t) => {  // FBK-2.2
  const { primary, secondary, gateway } = await world(t, { fallback_on: ['content_policy'] });
  const answer = await chat(gateway.url);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('x-fuseboard-target'), 'secondary/sim-ok');
  assert.equal((await answer.json()).choices[0].finish_reason, 'stop');
  assert.equal((await primary.calls()).length, 1);
  assert.equal((await secondary.calls()).length, 1);
});

test('fuseboard classify answers line by line, and says why', () => {
  const lines = ['no JSON', '{"id":1,"channel":"http","status":429,"headers":{"retry-after":"20"}}', '{"id":2,"channel":"process","exit_code":0}'];
  const ran = spawnSync(process.env.FUSEBOARD, ['classify', '--jsonl', '--explain'], { input: lines.join('\n'), encoding: 'utf8' });
  assert.equal(ran.status, 0, ran.stderr);
  const answers = ran.stdout.trim().split('\n').map((line) => JSON.parse(line));
  assert.ok(answers[0].error);
  assert.equal(answers[1].category, 'rate_limit');
  assert.equal(answers[1].retry_after_ms, 20000);
  assert.equal(answers[1].rule.number, 429);
  assert.ok(answers[1].rule.source);
  assert.equal(answers[2].category, 'none');
});
