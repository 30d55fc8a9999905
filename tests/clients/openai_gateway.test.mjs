// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The real `openai` package against the gateway, as its users use it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI from 'openai';
import { modelOver, startGateway, startSim } from '../integration/harness.mjs';

async function client(t, setUp = {}) {
  const primary = await startSim(t);
  const secondary = await startSim(t, ['--seed', '2']);
  const gateway = await startGateway(t, modelOver([primary, secondary], setUp));
  const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'any', maxRetries: 0 });
  return { primary, secondary, gateway, openai };
}
const ask = { model: 'smart', messages: [{ role: 'user', content: 'Say hello.' }] };

test('plain chat', async (t) => {
  const { openai } = await client(t);
  const completion = await openai.chat.completions.create(ask);
  assert.equal(completion.object, 'chat.completion');
  assert.equal(completion.model, 'sim-ok');
  assert.ok(completion.choices[0].message.content.length > 0);
  assert.equal(completion.choices[0].finish_reason, 'stop');
  assert.ok(completion.usage.total_tokens > 0);
  assert.match(completion._request_id, /^req_[0-9a-z]{26}$/);
});

test('streamed chat is the same text as plain chat', async (t) => {
  const { openai } = await client(t);
  const plain = await openai.chat.completions.create(ask);
  const stream = await openai.chat.completions.create({ ...ask, stream: true, stream_options: { include_usage: true } });
  let text = '';
  let usage;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta?.content ?? '';
    usage = chunk.usage ?? usage;
  }
  assert.equal(text, plain.choices[0].message.content);
  assert.equal(usage.total_tokens, plain.usage.total_tokens);
});

test('tool calls arrive whole, plain and streamed', async (t) => {
  const { openai } = await client(t, { target: { model: 'sim-tool-call' } });
  const tools = [{ type: 'function', function: { name: 'lookup', parameters: { type: 'object', properties: { key: { type: 'string' } } } } }];
  const plain = await openai.chat.completions.create({ ...ask, tools });
  const [call] = plain.choices[0].message.tool_calls;
  assert.equal(call.function.name, 'lookup');
  assert.doesNotThrow(() => JSON.parse(call.function.arguments));
  const streamed = await openai.chat.completions.stream({ ...ask, tools }).finalChatCompletion();
  assert.equal(streamed.choices[0].message.tool_calls[0].function.name, 'lookup');
});

test('a failing primary is invisible to the client', async (t) => {
  const { primary, openai } = await client(t);
  await primary.fails({ kind: 'status', status: 503 });
  const { data, response } = await openai.chat.completions.create(ask).withResponse();
  assert.ok(data.choices[0].message.content.length > 0);
  assert.equal(response.headers.get('x-fuseboard-target'), 'secondary/sim-ok');
  assert.equal(response.headers.get('x-fuseboard-attempts'), '2');
});

test('errors are of the class that the client knows', async (t) => {
  const cases = [
    ['sim-400', OpenAI.BadRequestError, 400],
    ['sim-context-length', OpenAI.BadRequestError, 400],
    ['sim-404-model', OpenAI.NotFoundError, 404],
    ['sim-429', OpenAI.RateLimitError, 429],
    ['sim-500', OpenAI.InternalServerError, 500],
    ['sim-401', OpenAI.InternalServerError, 502],  // our credential, not the caller's
  ];
  const sim = await startSim(t);
  for (const [behaviour, type, status] of cases) {
    const gateway = await startGateway(t, modelOver([sim], { target: { model: behaviour } }));
    const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'any', maxRetries: 0 });
    const error = await openai.chat.completions.create(ask).then(() => assert.fail(`${behaviour} succeeded`), (failure) => failure);
    assert.ok(error instanceof type, `${behaviour}: ${error}`);
    assert.equal(error.status, status);
    assert.ok(error.message.length > 0);
    gateway.program.signal('SIGTERM');
  }
  const { openai } = await client(t);
  await assert.rejects(openai.chat.completions.create({ ...ask, model: 'unknown' }), OpenAI.NotFoundError);
});

test('an open circuit is a 503 that the client may retry as the gateway says', async (t) => {
  const { primary, secondary, openai } = await client(t, { model: { breaker: { failure_threshold: 1, open: '30s' } } });
  await primary.fails({ kind: 'status', status: 503 });
  await secondary.fails({ kind: 'status', status: 503 });
  await assert.rejects(openai.chat.completions.create(ask), OpenAI.InternalServerError);
  const error = await openai.chat.completions.create(ask).catch((failure) => failure);
  assert.ok(error instanceof OpenAI.InternalServerError);
  assert.equal(error.code, 'circuit_open');
  assert.ok(Number(error.headers.get('retry-after-ms')) <= 30_000);
});

test('the client\'s own retries do not multiply ours', async (t) => {
  const { primary, gateway } = await client(t, { model: { retry: { max_attempts: 2, base: '1ms' } } });
  await primary.fails({ kind: 'status', status: 503 });
  const [secondary] = [(await gateway.state()).models[0].targets[1].target];
  assert.equal(secondary, 'secondary/sim-ok');
  const alone = await startGateway(t, modelOver([primary], { model: { retry: { max_attempts: 2, base: '1ms' } } }));
  const retrying = new OpenAI({ baseURL: `${alone.url}/v1`, apiKey: 'any', maxRetries: 5 });
  await assert.rejects(retrying.chat.completions.create(ask), OpenAI.InternalServerError);
  assert.equal((await primary.calls()).length, 2, 'x-should-retry: false is heard');
});

test('an error in the middle of a stream is thrown, not taken for the end', async (t) => {
  const { openai } = await client(t, { target: { model: 'sim-stream-cut:3' } });
  const stream = await openai.chat.completions.create({ ...ask, stream: true });
  let text = '';
  await assert.rejects(async () => { for await (const chunk of stream) text += chunk.choices[0]?.delta?.content ?? ''; }, OpenAI.APIError);
  assert.ok(text.length > 0);
});

test('the model list', async (t) => {
  const { openai } = await client(t);
  const models = [];
  for await (const model of openai.models.list()) models.push(model.id);
  assert.deepEqual(models, ['smart']);
  assert.equal((await openai.models.retrieve('smart')).id, 'smart');
  await assert.rejects(openai.models.retrieve('unknown'), OpenAI.NotFoundError);
});
