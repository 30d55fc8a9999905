// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A model over two simulated providers: the first one speaks chat completions and fails, the second one messages.

import assert from 'node:assert/strict';
import { callers } from './callers.mjs';
import { startGateway, startSim } from './harness.mjs';

// The two providers, the gateway before them and the answer that nothing disturbs: the same from either, for it follows from the question.
export async function world(t, { first = 'sim-ok', second = 'sim-ok', firstTarget = {}, secondTarget = {}, model = {}, rest = {} } = {}) {
  const primary = await startSim(t);
  const secondary = await startSim(t);
  const gateway = await startGateway(t, {
    providers: { primary: { dialect: 'openai', base_url: `${primary.url}/v1` }, secondary: { dialect: 'anthropic', base_url: secondary.url } },
    models: {
      smart: { ...model, targets: [{ provider: 'primary', model: first, ...firstTarget }, { provider: 'secondary', model: second, ...secondTarget }] },
    },
    ...rest,
  });
  const whole = await callers['chat completions'].ask(primary.url, { model: 'sim-ok' });
  await primary.reset();
  const counts = async () => [(await primary.calls()).length, (await secondary.calls()).length];
  return { primary, secondary, gateway, whole, counts };
}

export function assertWhole(answer, { whole }, { finishes }) {
  assert.equal(answer.status, 200, JSON.stringify(answer.error));
  assert.equal(answer.error, undefined);
  assert.equal(answer.text, whole.text);
  assert.equal(answer.finish, finishes.stop);
  assert.ok(answer.whole, 'it says that it is complete');
  assert.equal(answer.used, whole.used, 'tokens, whoever gave them');
}
