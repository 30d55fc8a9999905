// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The real `ai` package with its providers for both dialects, as agents use it.

import assert from 'node:assert/strict';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, generateText, isStepCount, jsonSchema, streamText, tool } from 'ai';
import { inEveryPlace, places } from './places.mjs';

const models = ['sim-ok', 'sim-tool-call', 'sim-tool-calls:2', 'sim-reasoning', 'sim-400', 'sim-503', 'sim-stream-cut:3'];
const prompt = 'Say hello.';
const quiet = { maxRetries: 0, maxOutputTokens: 500, onError: () => {} };

// Tools that remember what they were asked.
function toolbox() {
  const asked = [];
  const lookup = (name) => tool({
    description: `Looks up a ${name}.`,
    inputSchema: jsonSchema({ type: 'object', properties: { key: { type: 'string' } }, required: ['key'] }),
    execute: async ({ key }) => { asked.push([name, key]); return `a ${name}`; },
  });
  return { asked, tools: { city: lookup('city'), river: lookup('river') } };
}

async function collect(stream) {
  let text = '';
  for await (const piece of stream) text += piece;
  return text;
}

// The same for either provider: `model` makes one of a place and a name.
const checks = (model) => ({
  'a text': async (here) => {
    const { text, finishReason, usage } = await generateText({ model: model(here, 'sim-ok'), prompt, ...quiet });
    assert.ok(text.length > 0);
    assert.equal(finishReason, 'stop');
    assert.ok(usage.inputTokens > 0 && usage.outputTokens > 0);
  },

  'a streamed text says what the plain one says': async (here) => {
    const plain = await generateText({ model: model(here, 'sim-ok'), prompt, ...quiet });
    const streamed = streamText({ model: model(here, 'sim-ok'), prompt, ...quiet });
    assert.equal(await collect(streamed.textStream), plain.text);
    assert.equal(await streamed.finishReason, 'stop');
    assert.equal((await streamed.usage).outputTokens, plain.usage.outputTokens);
  },

  'a loop of a tool and an answer': async (here) => {
    const { asked, tools } = toolbox();
    const { text, steps } = await generateText({ model: model(here, 'sim-tool-call'), prompt, tools, stopWhen: isStepCount(5), ...quiet });
    assert.deepEqual(asked, [['city', 'sample']]);
    assert.deepEqual(steps.map(({ finishReason }) => finishReason), ['tool-calls', 'stop']);
    assert.ok(text.length > 0);
  },

  'a streamed loop of two tools at once and an answer': async (here) => {
    const { asked, tools } = toolbox();
    const result = streamText({ model: model(here, 'sim-tool-calls:2'), prompt, tools, stopWhen: isStepCount(5), ...quiet });
    assert.ok((await collect(result.textStream)).length > 0);
    assert.deepEqual(asked, [['city', 'sample'], ['river', 'sample']]);
    assert.deepEqual((await result.steps).map(({ finishReason }) => finishReason), ['tool-calls', 'stop']);
  },

  'errors carry their status and whether to come again': async (here) => {
    for (const [name, status, again] of [['sim-400', 400, false], ['sim-503', 503, true]]) {
      const error = await generateText({ model: model(here, name), prompt, ...quiet }).catch((failure) => failure);
      assert.ok(APICallError.isInstance(error), `${name}: ${error}`);
      assert.equal(error.statusCode, status);
      assert.equal(error.isRetryable, again);
      assert.ok(error.message.length > 0);
    }
  },

  'a stream that breaks off is an error, not the end': async (here) => {
    const errors = [];
    const result = streamText({ model: model(here, 'sim-stream-cut:3'), prompt, ...quiet, onError: ({ error }) => { errors.push(error); } });
    const text = await collect(result.textStream).catch((error) => { errors.push(error); return 'x'; });
    assert.ok(text.length > 0);
    assert.ok(errors.length > 0);
  },
});

const reasoning = (model) => ({
  'reasoning is told apart from the answer': async (here) => {
    const plain = await generateText({ model: model(here, 'sim-reasoning'), prompt, ...quiet });
    const bare = await generateText({ model: model(here, 'sim-ok'), prompt, ...quiet });
    assert.equal(plain.text, bare.text);
    assert.ok(plain.reasoningText.length > 0);
    const streamed = streamText({ model: model(here, 'sim-reasoning'), prompt, ...quiet });
    assert.equal(await collect(streamed.textStream), bare.text);
    assert.equal(await streamed.reasoningText, plain.reasoningText);
  },
});

const openai = (here, name) => createOpenAICompatible({ name: 'fuseboard', baseURL: `${here.url}/v1`, apiKey: 'any', includeUsage: true })(name);
const anthropic = (here, name) => createAnthropic({ baseURL: `${here.url}/v1`, apiKey: 'any' })(name);

const named = (places, provider) => places.map((place) => ({ ...place, name: `${provider}, ${place.name}` }));
inEveryPlace(named(places.openai, '@ai-sdk/openai-compatible'), models, { always: checks(openai), untranslated: reasoning(openai) });
inEveryPlace(named(places.anthropic, '@ai-sdk/anthropic'), models, { always: checks(anthropic), untranslated: reasoning(anthropic) });
