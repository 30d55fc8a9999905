// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Sixteen ways a provider fails, against the gateway as it comes: two targets and no option set, but for limits of time that would make the
// tests slow; tests/long/sixteen_real_times.test.mjs waits for the real ones. Callers of both dialects must get the whole answer.
// README.md has the table of them.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { plain, streamed, ways } from './callers.mjs';
import { eventually } from './harness.mjs';
import { assertWhole, world } from './two_providers.mjs';

// Most of their time is spent waiting, so some run at once.
describe('sixteen ways a provider fails', { concurrency: 4 }, () => {
  for (const way of ways()) {
    test(`1: a rate limit that says when to return is waited for (${way.name})`, async (t) => {  // RTY-2
      const it = await world(t);
      await it.primary.faults({ phases: [{ requests: 1, faults: [{ kind: 'status', status: 429, retry_after: '1s' }] }] });
      const answer = await way.ask(it.gateway.url);
      assertWhole(answer, it, way);
      assert.ok(answer.took >= 1000, `${answer.took}`);
      assert.equal(answer.target, 'primary/sim-ok');
      assert.deepEqual(await it.counts(), [2, 0]);
    });
  }

  test('1: a rate limit that asks for more time than there is goes to the next target at once', async (t) => {  // RTY-2
    const it = await world(t);
    await it.primary.faults({ phases: [{ requests: 1000, faults: [{ kind: 'status', status: 429, retry_after: '5m' }] }] });
    for (const way of ways()) {
      const answer = await way.ask(it.gateway.url);
      assertWhole(answer, it, way);
      assert.equal(answer.target, 'secondary/sim-ok');
    }
    assert.deepEqual(await it.counts(), [1, 4], 'and is not asked again before its time');
  });

  for (const way of ways()) {
    test(`2: a rate limit without end is backed off from, then left (${way.name})`, async (t) => {  // RTY-1.1
      const it = await world(t);
      await it.primary.fails({ kind: 'status', status: 429 });
      const answer = await way.ask(it.gateway.url);
      assertWhole(answer, it, way);
      assert.equal(answer.target, 'secondary/sim-ok');
      assert.deepEqual(await it.counts(), [4, 1]);
      assert.equal((await it.gateway.breaker('primary/sim-ok')).state, 'closed', 'a rate limit is no fault');
    });
  }

  for (const way of ways()) {
    test(`3: one internal error is retried where it happened (${way.name})`, async (t) => {  // RTY-1.1
      const it = await world(t, { first: 'sim-500-once' });
      const answer = await way.ask(it.gateway.url);
      assertWhole(answer, it, way);
      assert.equal(answer.target, 'primary/sim-500-once');
      assert.equal(answer.attempts, 2);
      assert.deepEqual(await it.counts(), [2, 0]);
    });
  }

  test('4: a service that is down is retried, then left, then not asked any more', async (t) => {  // RTY-1.1, BRK-2.1
    const it = await world(t);
    await it.primary.fails({ kind: 'status', status: 503 });
    const expected = [[4, 1], [5, 2], [5, 3], [5, 4]];
    for (const [index, way] of ways().entries()) {
      const answer = await way.ask(it.gateway.url);
      assertWhole(answer, it, way);
      assert.equal(answer.target, 'secondary/sim-ok');
      assert.deepEqual(await it.counts(), expected[index]);
    }
    assert.equal((await it.gateway.breaker('primary/sim-ok')).state, 'open');
  });

  for (const way of ways()) {
    test(`5: a connection that is reset before the answer is tried again, then left (${way.name})`, async (t) => {  // RTY-1.1
      const it = await world(t, { first: 'sim-reset' });
      const answer = await way.ask(it.gateway.url);
      assertWhole(answer, it, way);
      assert.equal(answer.target, 'secondary/sim-ok');
      assert.deepEqual(await it.counts(), [4, 1]);
    });
  }

  for (const way of ways()) {
    test(`6: silence ends at the limit for the first byte and is not tried again (${way.name})`, async (t) => {  // STR-3.1, RTY-7.3
      const timeouts = way.stream ? { headers: '500ms' } : { total: '500ms' };
      const it = await world(t, { first: 'sim-silent', firstTarget: { timeouts } });
      const answer = await way.ask(it.gateway.url);
      assertWhole(answer, it, way);
      assert.ok(answer.took >= 500, `${answer.took}`);
      assert.equal(answer.target, 'secondary/sim-ok');
      assert.deepEqual(await it.counts(), [1, 1]);
      await eventually(async () => (await it.primary.calls())[0], ({ client_left }) => client_left, 'the silent provider to be left');
    });
  }

  for (const way of ways()) {
    test(`7: a slow first token is waited for (${way.name})`, async (t) => {  // STR-3.1
      const it = await world(t, { first: 'sim-slow-first-token:1s' });
      const answer = await way.ask(it.gateway.url);
      assertWhole(answer, it, way);
      assert.ok(answer.took >= 1000, `${answer.took}`);
      assert.equal(answer.target, 'primary/sim-slow-first-token:1s');
      assert.deepEqual(await it.counts(), [1, 0]);
    });
  }

  test('7: a first token that comes later than the limit is another target\'s', async (t) => {  // STR-3.1
    for (const way of ways(streamed)) {
      const it = await world(t, { first: 'sim-slow-first-token:1h', firstTarget: { timeouts: { first_content: '500ms' } } });
      assertWhole(await way.ask(it.gateway.url), it, way);
      assert.deepEqual(await it.counts(), [1, 1]);
    }
  });

  // The ways in which a stream breaks after a part of it was delivered. Whatever the second target can do, the caller has the whole answer, and
  // the target that broke is not asked again while another is left.
  const broken = [
    ['8: a stream that is cut', 'sim-stream-cut:5', {}],
    ['8: a stream that ends too early', 'sim-stream-eof:5', {}],
    ['9: a stream that stalls', 'sim-stall:5', { timeouts: { idle: '500ms' } }],
    ['10: a stream with a malformed event', 'sim-malformed-event:5', {}],
    ['10: a stream with an error in it', 'sim-error-in-stream:5', {}],
  ];
  for (const [what, behaviour, firstTarget] of broken) {
    for (const way of ways(streamed)) {
      test(`${what} is gone on with where it broke (${way.name})`, async (t) => {  // STR-5.12
        const it = await world(t, { first: behaviour, firstTarget, secondTarget: { prefill: true } });
        const answer = await way.ask(it.gateway.url);
        assertWhole(answer, it, way);
        assert.deepEqual(await it.counts(), [1, 1]);
      });
      test(`${what} is answered afresh where nobody goes on with it (${way.name})`, async (t) => {  // STR-5.13
        const it = await world(t, { first: behaviour, firstTarget });
        const answer = await way.ask(it.gateway.url);
        assertWhole(answer, it, way);
        assert.deepEqual(await it.counts(), [1, 1]);
      });
    }
  }

  for (const way of ways(plain)) {
    test(`8: a plain answer that is cut is asked for again, then elsewhere (${way.name})`, async (t) => {  // RTY-1.1
      const it = await world(t, { first: 'sim-stream-cut' });
      assertWhole(await way.ask(it.gateway.url), it, way);
      assert.deepEqual(await it.counts(), [4, 1]);
    });
    test(`10: a plain answer that is no JSON is never forwarded (${way.name})`, async (t) => {  // STR-7
      const it = await world(t, { first: 'sim-malformed-event' });
      assertWhole(await way.ask(it.gateway.url), it, way);
      assert.deepEqual(await it.counts(), [4, 1]);
    });
  }

  for (const way of ways(streamed)) {
    test(`11: a missing mark of the end is no failure where the answer is complete (${way.name})`, async (t) => {  // STR-2
      const it = await world(t, { first: 'sim-no-done' });
      assertWhole(await way.ask(it.gateway.url), it, way);
      assert.deepEqual(await it.counts(), [1, 0]);
    });
  }

  test('12: what is too long for one model goes once to one with a larger window', async (t) => {  // FBK-2.6
    const it = await world(t, { first: 'sim-context-length', firstTarget: { context_window: 8192 }, secondTarget: { context_window: 200_000 } });
    for (const [index, way] of ways().entries()) {
      const answer = await way.ask(it.gateway.url);
      assertWhole(answer, it, way);
      assert.equal(answer.target, 'secondary/sim-ok');
      assert.deepEqual(await it.counts(), [index + 1, index + 1]);
    }
  });

  test('12: where no window is larger, the caller is told so', async (t) => {  // FBK-2.6
    const it = await world(t, { first: 'sim-context-length', firstTarget: { context_window: 8192 }, secondTarget: { context_window: 8192 } });
    for (const way of ways()) {
      const answer = await way.ask(it.gateway.url);
      assert.equal(answer.status, 400);
      assert.match(answer.error.message, /maximum context length/);
    }
    assert.deepEqual(await it.counts(), [4, 0]);
  });

  test('13: an answer that was filtered says so, and nobody else is asked', async (t) => {  // FBK-2.2
    const it = await world(t, { first: 'sim-refusal' });
    for (const way of ways()) {
      const answer = await way.ask(it.gateway.url);
      assert.equal(answer.status, 200);
      assert.equal(answer.finish, way.finishes.filtered);
      assert.ok(answer.whole);
      assert.equal(answer.text, '');
    }
    assert.deepEqual(await it.counts(), [4, 0]);
    assert.equal((await it.gateway.breaker('primary/sim-refusal')).state, 'closed');
  });

  test('13: a question that was filtered is an error of the caller\'s', async (t) => {  // FBK-2.2
    const it = await world(t, { first: 'sim-content-filter' });
    for (const way of ways()) {
      const answer = await way.ask(it.gateway.url);
      assert.equal(answer.status, 400);
      assert.match(answer.error.message, /content management policy/);
      assert.equal(answer.error.type, 'invalid_request_error');
    }
    assert.deepEqual(await it.counts(), [4, 0]);
  });

  for (const way of ways(streamed)) {
    test(`14: a target that refuses to go on answers afresh (${way.name})`, async (t) => {  // STR-5.16
      const it = await world(t, { first: 'sim-stream-cut:5', second: 'sim-no-prefill', secondTarget: { prefill: true } });
      assertWhole(await way.ask(it.gateway.url), it, way);
      const [first, second] = await it.counts();
      assert.equal(first, 1);
      assert.equal(second, 2, 'one that was refused, one afresh');
      assert.equal((await it.gateway.breaker('secondary/sim-no-prefill')).consecutive_failures, 0, 'the refusal is no fault of the target');
    });
  }

  test('15: a target that comes and goes costs callers nothing, is hardly asked while it is down, and serves again when it is back', async (t) => {  // BRK-2.1, BRK-6, BRK-7.1, BRK-7.2
    const it = await world(t, { model: { breaker: { open: '1s' } } });
    const key = 'primary/sim-ok';
    const asks = ways();
    const ask = async (index) => {
      const way = asks[index % asks.length];
      const answer = await way.ask(it.gateway.url);
      assertWhole(answer, it, way);
      return answer.target;
    };
    let opened = 0;
    for (let round = 0; round < 2; ++round) {
      assert.equal(await ask(round), key);
      await it.primary.reset();
      await it.primary.fails({ kind: 'status', status: 503 });
      for (let i = 0; i < 12; ++i) assert.equal(await ask(i), 'secondary/sim-ok');
      // Five failures open the circuit, four of them in the first call; every time it opened again, that was one probe.
      const { times_opened: now } = await it.gateway.breaker(key);
      assert.equal((await it.counts())[0], 5 + (now - opened - 1));
      opened = now;
      await it.primary.recovers();
      await eventually(() => it.gateway.breaker(key), ({ remaining_ms: left }) => left === 0, 'the open time to end');
      for (let i = 0; i < 4; ++i) assert.equal(await ask(i), key);
    }
  });

  for (const way of ways()) {
    test(`16: the answer names who gave it and what it used, and what failed is not billed (${way.name})`, async (t) => {  // FBK-3.5, BUD-4
      const it = await world(t, { second: 'sim-ok#billed', rest: { budgets: { session: { tokens: 4000 } } } });
      const unaffordable = await way.ask(it.gateway.url, { session: 'one', max_tokens: 4000 });
      assert.equal(unaffordable.status, 429, 'an answer of that many tokens, and its question');
      await it.primary.fails({ kind: 'status', status: 503 });
      const answer = await way.ask(it.gateway.url, { session: 'one', max_tokens: 1000 });
      assertWhole(answer, it, way);
      assert.equal(answer.target, 'secondary/sim-ok#billed');
      assert.equal(answer.model, 'sim-ok#billed');
      assert.equal(answer.attempts, 5);
        assert.deepEqual(await it.counts(), [4, 1]);
      // Each attempt had set a thousand tokens aside: were one of the failed ones charged, this would be too much.
      const next = await way.ask(it.gateway.url, { session: 'one', max_tokens: 3500 });
      assert.equal(next.status, 200, JSON.stringify(next.error));
    });
  }
});
