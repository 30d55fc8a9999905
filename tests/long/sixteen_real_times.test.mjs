// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Of the sixteen ways a provider fails (README.md) those that time decides, with the limits of time that nobody has set. Takes three minutes.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { plain, streamed, ways } from '../integration/callers.mjs';
import { eventually } from '../integration/harness.mjs';
import { assertWhole, world } from '../integration/two_providers.mjs';

const second = 1000;

function assertTook({ took }, from, to) {
  assert.ok(took >= from && took < to, `it took ${Math.round(took)} ms; expected ${from} to ${to}`);
}

async function assertNobodyWaits(it, way) {
  assert.equal((await it.gateway.breaker('primary/sim-silent')).state, 'open');
  const answer = await way.ask(it.gateway.url);
  assertWhole(answer, it, way);
  assertTook(answer, 0, 5 * second);
  assert.deepEqual(await it.counts(), [5, 6]);
}

describe('sixteen ways a provider fails, at their real times', { concurrency: true }, () => {
  for (const way of ways(streamed)) {
    test(`6: one caller of a silent target waits for it five times, then no more (${way.name})`, async (t) => {  // RTY-11.1, RTY-14.1
      const it = await world(t, { first: 'sim-silent' });
      // Patience doubles after every second call; the circuit opens when the fifth attempt has shown nothing for 30 s.
      for (const [index, patience] of [10, 10, 20, 20, 30].entries()) {
        const answer = await way.ask(it.gateway.url);
        assertWhole(answer, it, way);
        assertTook(answer, (patience - 0.5) * second, (patience + 5) * second);
        assert.equal(answer.target, 'secondary/sim-ok');
        assert.deepEqual(await it.counts(), [index + 1, index + 1]);
      }
      await assertNobodyWaits(it, way);
    });
  }

  for (const way of ways(plain)) {
    test(`6: of five callers at once one gets company after 30 s, and one more each 10 s (${way.name})`, async (t) => {  // RTY-11.10, RTY-14.1
      const it = await world(t, { first: 'sim-silent' });
      const answers = await Promise.all(Array.from({ length: 5 }, () => way.ask(it.gateway.url)));
      for (const [index, answer] of answers.sort((a, b) => a.took - b.took).entries()) {
        assertWhole(answer, it, way);
        assertTook(answer, (29.5 + index * 10) * second, (35 + index * 10) * second);
        assert.equal(answer.target, 'secondary/sim-ok');
      }
      assert.deepEqual(await it.counts(), [5, 5]);
      // Of plain calls a silence takes two minutes, and whoever calls meanwhile is among those who wait.
      const next = await eventually(() => way.ask(it.gateway.url), ({ took }) => took < 5 * second, 'the circuit to open', 200 * second);
      assertWhole(next, it, way);
      assert.equal((await it.gateway.breaker('primary/sim-silent')).state, 'open');
    });
  }

  for (const way of ways(streamed)) {
    test(`7: a slow first token is waited for as long as it usually takes, twice over (${way.name})`, async (t) => {  // RTY-11.6
      const it = await world(t);
      const takes = (time) => it.primary.fails({ kind: 'behaviour', name: `sim-slow-first-token:${time}` });
      await takes('8s');
      for (const answer of await Promise.all(Array.from({ length: 5 }, () => way.ask(it.gateway.url)))) {
        assertWhole(answer, it, way);
        assert.equal(answer.target, 'primary/sim-ok');
      }
      assert.deepEqual(await it.counts(), [5, 0]);
      await takes('14s');
      const late = await way.ask(it.gateway.url);
      assertWhole(late, it, way);
      assert.equal(late.target, 'primary/sim-ok');
      assertTook(late, 14 * second, 16 * second);
      await takes('1h');
      const silent = await way.ask(it.gateway.url);
      assertWhole(silent, it, way);
      assert.equal(silent.target, 'secondary/sim-ok');
      assertTook(silent, 16 * second, 36 * second);
    });

    test(`9: a stream that stalls is given up at the limit for silence (${way.name})`, async (t) => {  // STR-3.1, STR-5.18
      const it = await world(t, { first: 'sim-stall:5' });
      const answer = await way.ask(it.gateway.url);
      assertWhole(answer, it, way);
      assertTook(answer, 30 * second, 36 * second);
      assert.deepEqual(await it.counts(), [1, 1]);
    });
  }

  for (const way of ways(plain)) {
    test(`7: an answer that takes longer than a minute is no failure (${way.name})`, async (t) => {  // RTY-3.2, STR-3.1
      const it = await world(t, { first: 'sim-slow-first-token:66s', second: 'sim-silent' });
      const answer = await way.ask(it.gateway.url);
      assertWhole(answer, it, way);
      assert.equal(answer.target, 'primary/sim-slow-first-token:66s');
      const breaker = await it.gateway.breaker('primary/sim-slow-first-token:66s');
      assert.equal(breaker.state, 'closed');
      assert.equal(breaker.totals.failed, 0);
    });
  }

  test('15: a target that is down for forty seconds is probed after thirty, again after thirty, and serves again', async (t) => {  // BRK-2.1, BRK-6, BRK-7.1, BRK-7.2
    const it = await world(t);
    const key = 'primary/sim-ok';
    const [way] = ways();
    await it.primary.fails({ kind: 'status', status: 503 });
    const began = performance.now();
    for (let call = 0; call < 4; ++call) assertWhole(await way.ask(it.gateway.url), it, way);
    assert.deepEqual(await it.counts(), [5, 4]);
    await eventually(async () => {
      assertWhole(await way.ask(it.gateway.url), it, way);
      return it.counts();
    }, ([first]) => first === 6, 'the probe');
    assert.ok(performance.now() - began >= 29 * second);
    await it.primary.recovers();
    const answer = await eventually(() => way.ask(it.gateway.url), ({ target }) => target === key, 'its return', 70 * second);
    assertWhole(answer, it, way);
    assert.equal((await it.gateway.breaker(key)).state, 'closed');
  });
});
