// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Where a client may speak to. The same checks run in every place, so what a provider gives directly, the gateway gives too.
//
// Every place knows the same models under the same names: those of the simulated provider that the checks ask for.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startGateway, startSim } from '../integration/harness.mjs';

const direct = {
  name: 'directly',
  translates: false,
  start: async (t) => ({ sim: await startSim(t) }),
};

// A gateway that reaches the simulated provider in the given dialect, each model once.
function through(dialect, name, translates) {
  return {
    name,
    translates,
    start: async (t, models) => {
      const sim = await startSim(t);
      const base_url = dialect === 'openai' ? `${sim.url}/v1` : sim.url;
      const provider = { dialect, base_url, api_key: 'any' };
      // A spent quota is that of a credential, so the model that has it gets one of its own.
      const target = (model) => ({ provider: model === 'sim-quota' ? 'spent' : 'sim', model });
      const gateway = await startGateway(t, {
        providers: { sim: provider, spent: provider },
        models: Object.fromEntries(models.map((model) => [model, { retry: { max_attempts: 1 }, targets: [target(model)] }])),
      });
      return { sim, gateway };
    },
  };
}

export const places = {
  openai: [direct, through('openai', 'through the gateway', false), through('anthropic', 'through the gateway, answered by messages', true)],
  anthropic: [direct, through('anthropic', 'through the gateway', false), through('openai', 'through the gateway, answered by chat completions', true)],
};

// Runs checks, each a sentence and a function of the place, in every one of `places`: `always`, and those that hold only where the provider
// speaks the caller's dialect (`untranslated`) or another (`translated`). A place has `url`, the origin to speak to, `sim`, the simulated
// provider behind it, and `gateway` where there is one.
export function inEveryPlace(places, models, { always, untranslated = {}, translated = {} }) {
  for (const place of places) {
    test(place.name, async (t) => {
      const started = await place.start(t, models);
      const here = { ...started, url: (started.gateway ?? started.sim).url, translates: place.translates };
      const checks = { ...always, ...(place.translates ? translated : untranslated) };
      for (const [name, check] of Object.entries(checks)) await t.test(name, () => check(here));
    });
  }
}

// What the provider received, of a model of behaviour sim-inspect: the request and its body.
export function received(text) {
  const request = JSON.parse(text);
  return { ...request, body: JSON.parse(request.body) };
}

// A refusal, as an error to look at.
export const failure = (promise) => promise.then(() => assert.fail('it succeeded'), (error) => error);

export const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';
