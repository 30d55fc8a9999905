// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Two thousand callers at once for two minutes, against every kind of fault: everybody has an end, everything that was let in is settled, no gauge
// is left behind and the memory goes back. Callers pause between two calls, so that the machine is busy but not the limit. Takes six minutes.

import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, startGateway, startSim } from '../integration/harness.mjs';

const callerCount = 2000;
const loadSeconds = 120;
const pauseMs = 4000;  // longest between two calls of a caller
// The longest a call may take: a silent target is given up at 5 min at the latest, and here its company always answers.
const longestSeconds = 180;

const faults = [
  'sim-ok', 'sim-long:100', 'sim-tool-call', 'sim-reasoning', 'sim-thinking-pings', 'sim-refusal', 'sim-slow-first-token', 'sim-slow:20ms',
  'sim-stream-as-json', 'sim-untyped', 'sim-json-as-stream', 'sim-split-events', 'sim-stream-cut', 'sim-stream-eof', 'sim-stall',
  'sim-malformed-event', 'sim-no-done', 'sim-error-in-stream', 'sim-error-in-200', 'sim-empty', 'sim-html-502', 'sim-reset', 'sim-silent',
  'sim-flap:2s', 'sim-500', 'sim-503', 'sim-504', 'sim-529', 'sim-429', 'sim-429-retry-after:1s', 'sim-quota', 'sim-context-length',
  'sim-content-filter', 'sim-400', 'sim-401', 'sim-403', 'sim-404-model',
];

const dialects = {
  '/v1/chat/completions': (body) => body,
  '/v1/messages': (body) => ({ max_tokens: 100, ...body }),
};

// A reproducible source of choices.
function dice(seed) {
  let state = seed;
  const next = () => { state = (Math.imul(state, 1664525) + 1013904223) >>> 0; return state / 2 ** 32; };
  return { next, below: (bound) => Math.floor(next() * bound), oneIn: (n) => next() * n < 1, of: (list) => list[Math.floor(next() * list.length)] };
}

// One call; resolves with how it ended. Some callers leave early, some read slowly.
function call(gateway, agent, model, roll) {
  const path = roll.of(Object.keys(dialects));
  const body = JSON.stringify(dialects[path]({ model, stream: roll.oneIn(2), messages: [{ role: 'user', content: `Question ${roll.below(1000)}` }] }));
  const leaves = roll.oneIn(20) ? roll.below(2000) : undefined;
  const reads = roll.oneIn(20) ? 200 : 0;
  return new Promise((resolve) => {
    const began = performance.now();
    const end = (how) => { clearTimeout(leaving); resolve({ how, model, seconds: (performance.now() - began) / 1000 }); };
    const sent = request(`${gateway.url}${path}`, { method: 'POST', agent, headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) } },
      (response) => {
        response.on('data', () => {
          if (!reads) return;
          response.pause();
          setTimeout(() => response.resume(), reads);
        });
        response.on('end', () => end(response.statusCode));
        response.on('error', () => end('broken'));
      });
    const leaving = leaves === undefined ? undefined : setTimeout(() => { sent.destroy(); end('left'); }, leaves);
    sent.on('error', (error) => end(error.code ?? error.message));
    sent.end(body);
  });
}

async function metrics(gateway) {
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  return new Map(text.split('\n').filter((line) => line && !line.startsWith('#')).map((line) => {
    const space = line.lastIndexOf(' ');
    return [line.slice(0, space), Number(line.slice(space + 1))];
  }));
}

test('two thousand callers for two minutes under every kind of fault', { timeout: 15 * 60_000 }, async (t) => {  // PIP-3, CORE-5, TEL-3
  const first = await startSim(t);
  const second = await startSim(t);
  const gateway = await startGateway(t, {
    providers: { first: { dialect: 'openai', base_url: `${first.url}/v1` }, second: { dialect: 'anthropic', base_url: second.url } },
    models: Object.fromEntries(faults.map((fault) => [fault, { targets: [{ provider: 'first', model: fault }, { provider: 'second', model: 'sim-ok' }] }])),
  });
  const resident = async () => (await metrics(gateway)).get('process_resident_memory_bytes');

  // What a gateway keeps of calls that are over is bounded, and full before the load begins: the records of the last 10 000 (CORE-5).
  const warmUp = new Agent({ keepAlive: true });
  await Promise.all(faults.filter((fault) => !/silent|stall/.test(fault)).map((fault) => call(gateway, warmUp, fault, dice(0))));
  const quick = faults.filter((fault) => /^sim-(ok|500|503|html-502|error-in-200|400|401|content-filter|empty)$/.test(fault));
  await Promise.all(Array.from({ length: 8 }, async (_, caller) => {
    const roll = { ...dice(caller + 1), oneIn: () => false };  // nobody leaves or reads slowly
    for (let calls = 0; calls < 10_000 / 8; ++calls) await call(gateway, warmUp, roll.of(quick), roll);
  }));
  warmUp.destroy();
  await sleep(60_000);
  const before = await resident();

  const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
  const endings = [];
  const until = performance.now() + loadSeconds * 1000;
  let open = 0;
  await Promise.all(Array.from({ length: callerCount }, async (_, caller) => {
    const roll = dice(caller + 1);
    await sleep(roll.below(pauseMs));
    while (performance.now() < until) {
      ++open;
      endings.push(await call(gateway, agent, roll.of(faults), roll));
      --open;
      await sleep(roll.below(pauseMs));
    }
  }));
  agent.destroy();
  assert.equal(open, 0);

  const byEnding = Object.groupBy(endings, ({ how }) => how);
  const longest = endings.reduce((a, b) => (a.seconds > b.seconds ? a : b));
  t.diagnostic(`${endings.length} calls: ${Object.entries(byEnding).map(([how, all]) => `${how} ${all.length}`).join(', ')}`);
  t.diagnostic(`longest: ${longest.model}, ${longest.seconds.toFixed(1)} s`);
  assert.ok(endings.length > 20_000, 'the load is worth its name');
  assert.ok(longest.seconds < longestSeconds, JSON.stringify(longest));
  const strange = Object.keys(byEnding).filter((how) => !['200', '400', '429', '502', 'left', 'broken'].includes(how));
  assert.deepEqual(strange, [], 'nobody is refused at the door, no connection is reset, nothing is an internal error');

  const gauges = /^fuseboard_(breaker_in_flight|http_requests_in_flight|body_memory_bytes|waiting)/;
  const left = (all) => [...all].filter(([name, value]) => gauges.test(name) && value > (name === 'fuseboard_http_requests_in_flight' ? 1 : 0));
  await eventually(async () => left(await metrics(gateway)), (some) => some.length === 0, 'every gauge to come back to zero');
  for (const { key, totals, probes_in_flight: probes } of (await gateway.state()).breakers) {
    const { admitted, succeeded, failed, throttled, neutral, abandoned } = totals;
    assert.equal(succeeded + failed + throttled + neutral + abandoned, admitted, `${key}: ${JSON.stringify(totals)}`);
    assert.equal(abandoned, 0, `${key}: every attempt tells how it ended`);
    assert.equal(probes, 0, key);
  }

  await sleep(60_000);
  const after = await resident();
  t.diagnostic(`resident memory: ${(before / 2 ** 20).toFixed(1)} MiB before, ${(after / 2 ** 20).toFixed(1)} MiB a minute after`);
  assert.ok(after <= 1.2 * before, `${after / before} times what it was before`);
});
