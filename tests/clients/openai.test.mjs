// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The real `openai` package, as its users use it.

import assert from 'node:assert/strict';
import OpenAI from 'openai';
import { eventually } from '../integration/harness.mjs';
import { failure, inEveryPlace, pixel, places, received } from './places.mjs';

const client = ({ url }, options = {}) => new OpenAI({ baseURL: `${url}/v1`, apiKey: 'any', maxRetries: 0, ...options });
const messages = [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: 'Say hello.' }];
const tool = (name) => ({ type: 'function', function: { name, description: `Looks up a ${name}.`, parameters: { type: 'object', properties: { key: { type: 'string' } }, required: ['key'] } } });
const tools = [tool('city'), tool('river'), tool('lake')];
const responseTools = tools.map(({ function: definition }) => ({ type: 'function', ...definition, strict: false }));

const errors = [
  ['sim-400', OpenAI.BadRequestError, 400],
  ['sim-context-length', OpenAI.BadRequestError, 400, 'context_length_exceeded'],
  ['sim-content-filter', OpenAI.BadRequestError, 400, 'content_filter'],
  ['sim-404-model', OpenAI.NotFoundError, 404, 'model_not_found'],
  ['sim-429', OpenAI.RateLimitError, 429, 'rate_limit_exceeded'],
  ['sim-500', OpenAI.InternalServerError, 500],
  ['sim-503', OpenAI.InternalServerError, 503],
];
const models = ['sim-ok', 'sim-inspect', 'sim-tool-call', 'sim-tool-calls:3', 'sim-reasoning', 'sim-refusal', 'sim-slow:20ms', 'sim-stream-cut:3',
  'sim-quota', ...errors.map(([behaviour]) => behaviour)];

// The whole of a streamed chat: its text, its last usage and its finish reason.
async function read(stream) {
  const whole = { text: '', reasoning: '' };
  for await (const chunk of stream) {
    assert.equal(chunk.object, 'chat.completion.chunk');
    whole.text += chunk.choices[0]?.delta?.content ?? '';
    whole.reasoning += chunk.choices[0]?.delta?.reasoning_content ?? '';
    whole.finish = chunk.choices[0]?.finish_reason ?? whole.finish;
    whole.usage = chunk.usage ?? whole.usage;
  }
  return whole;
}

// Holds wherever a chat is answered.
const chat = {
  'a plain chat': async (here) => {
    const completion = await client(here).chat.completions.create({ model: 'sim-ok', messages });
    assert.equal(completion.object, 'chat.completion');
    assert.equal(completion.model, 'sim-ok');
    assert.equal(completion.choices.length, 1);
    assert.equal(completion.choices[0].message.role, 'assistant');
    assert.ok(completion.choices[0].message.content.length > 0);
    assert.equal(completion.choices[0].finish_reason, 'stop');
    assert.equal(completion.usage.total_tokens, completion.usage.prompt_tokens + completion.usage.completion_tokens);
    assert.match(completion._request_id, /^req_/);
  },

  'a streamed chat says what the plain one says': async (here) => {
    const openai = client(here);
    const plain = await openai.chat.completions.create({ model: 'sim-ok', messages });
    const streamed = await read(await openai.chat.completions.create({ model: 'sim-ok', messages, stream: true, stream_options: { include_usage: true } }));
    assert.equal(streamed.text, plain.choices[0].message.content);
    assert.equal(streamed.finish, 'stop');
    assert.equal(streamed.usage.total_tokens, plain.usage.total_tokens);
    const without = await read(await openai.chat.completions.create({ model: 'sim-ok', messages, stream: true }));
    assert.equal(without.usage, undefined, 'usage only where it was asked for');
  },

  'the helper that collects a stream': async (here) => {
    const completion = await client(here).chat.completions.stream({ model: 'sim-ok', messages }).finalChatCompletion();
    assert.ok(completion.choices[0].message.content.length > 0);
    assert.equal(completion.choices[0].finish_reason, 'stop');
  },

  'an answer cut by max_completion_tokens': async (here) => {
    const completion = await client(here).chat.completions.create({ model: 'sim-ok', messages, max_completion_tokens: 3 });
    assert.equal(completion.choices[0].finish_reason, 'length');
    assert.equal(completion.usage.completion_tokens, 3);
  },

  'one tool call, plain and streamed': async (here) => {
    const openai = client(here);
    const plain = await openai.chat.completions.create({ model: 'sim-tool-call', messages, tools });
    assert.equal(plain.choices[0].finish_reason, 'tool_calls');
    const [call] = plain.choices[0].message.tool_calls;
    assert.equal(call.type, 'function');
    assert.equal(call.function.name, 'city');
    assert.deepEqual(JSON.parse(call.function.arguments), { key: 'sample' });
    const streamed = await openai.chat.completions.stream({ model: 'sim-tool-call', messages, tools }).finalChatCompletion();
    assert.equal(streamed.choices[0].finish_reason, 'tool_calls');
    assert.deepEqual(streamed.choices[0].message.tool_calls.map((made) => made.function.name), ['city']);
    assert.deepEqual(JSON.parse(streamed.choices[0].message.tool_calls[0].function.arguments), { key: 'sample' });
  },

  'parallel tool calls, plain and streamed': async (here) => {
    const openai = client(here);
    const plain = await openai.chat.completions.create({ model: 'sim-tool-calls:3', messages, tools });
    const streamed = await openai.chat.completions.stream({ model: 'sim-tool-calls:3', messages, tools }).finalChatCompletion();
    for (const completion of [plain, streamed]) {
      const calls = completion.choices[0].message.tool_calls;
      assert.deepEqual(calls.map((call) => call.function.name), ['city', 'river', 'lake']);
      for (const call of calls) assert.deepEqual(JSON.parse(call.function.arguments), { key: 'sample' });
      assert.equal(new Set(calls.map((call) => call.id)).size, 3);
    }
    const single = await openai.chat.completions.create({ model: 'sim-tool-calls:3', messages, tools, parallel_tool_calls: false });
    assert.equal(single.choices[0].message.tool_calls.length, 1);
  },

  'a tool\'s result goes back and is answered in words': async (here) => {
    const openai = client(here);
    const asked = await openai.chat.completions.create({ model: 'sim-tool-calls:3', messages, tools });
    const { message } = asked.choices[0];
    const results = message.tool_calls.map((call) => ({ role: 'tool', tool_call_id: call.id, content: `a ${call.function.name}` }));
    const answered = await openai.chat.completions.create({ model: 'sim-tool-calls:3', messages: [...messages, message, ...results], tools });
    assert.equal(answered.choices[0].finish_reason, 'stop');
    assert.ok(answered.choices[0].message.content.length > 0);
  },

  'tool_choice is obeyed': async (here) => {
    const openai = client(here);
    const named = await openai.chat.completions.create({ model: 'sim-ok', messages, tools, tool_choice: { type: 'function', function: { name: 'river' } } });
    assert.equal(named.choices[0].message.tool_calls[0].function.name, 'river');
    const required = await openai.chat.completions.create({ model: 'sim-ok', messages, tools, tool_choice: 'required' });
    assert.equal(required.choices[0].message.tool_calls[0].function.name, 'city');
    const none = await openai.chat.completions.create({ model: 'sim-tool-call', messages, tools: tools.slice(0, 1), tool_choice: 'auto' });
    assert.equal(none.choices[0].finish_reason, 'tool_calls');
  },

  'images reach the provider': async (here) => {
    const url = `data:image/png;base64,${pixel}`;
    const content = [{ type: 'text', text: 'What is this?' }, { type: 'image_url', image_url: { url } }];
    const completion = await client(here).chat.completions.create({ model: 'sim-inspect', messages: [{ role: 'user', content }] });
    const seen = received(completion.choices[0].message.content).body.messages[0].content;
    if (here.translates) {
      assert.deepEqual(seen.at(-1), { type: 'image', source: { type: 'base64', media_type: 'image/png', data: pixel } });
    } else {
      assert.deepEqual(seen, content);
    }
  },

  'system prompts and further turns reach the provider': async (here) => {
    const turns = [...messages, { role: 'assistant', content: 'Hello.' }, { role: 'user', content: 'Again.' }];
    const completion = await client(here).chat.completions.create({ model: 'sim-inspect', messages: turns });
    const { body } = received(completion.choices[0].message.content);
    if (here.translates) {
      assert.match(JSON.stringify(body.system), /Be brief\./);
      assert.deepEqual(body.messages.map(({ role }) => role), ['user', 'assistant', 'user']);
    } else {
      assert.deepEqual(body.messages, turns);
    }
  },

  'a refusal of the provider ends in content_filter': async (here) => {
    const completion = await client(here).chat.completions.create({ model: 'sim-refusal', messages });
    assert.equal(completion.choices[0].finish_reason, 'content_filter');
    const streamed = await read(await client(here).chat.completions.create({ model: 'sim-refusal', messages, stream: true }));
    assert.equal(streamed.finish, 'content_filter');
  },

  'reasoning is told apart from the answer': async (here) => {
    const openai = client(here);
    const plain = await openai.chat.completions.create({ model: 'sim-reasoning', messages });
    const bare = await openai.chat.completions.create({ model: 'sim-ok', messages });
    assert.equal(plain.choices[0].message.content, bare.choices[0].message.content);
    const streamed = await read(await openai.chat.completions.create({ model: 'sim-reasoning', messages, stream: true }));
    assert.equal(streamed.text, bare.choices[0].message.content);
    assert.ok(plain.choices[0].message.reasoning_content.length > 0);
    assert.equal(streamed.reasoning, plain.choices[0].message.reasoning_content);
  },

  'errors are of the class that the client knows': async (here) => {
    for (const [model, type, status, code] of errors) {
      for (const stream of [false, true]) {
        const error = await failure(client(here).chat.completions.create({ model, messages, stream }));
        assert.ok(error instanceof type, `${model}: ${error}`);
        assert.equal(error.status, status);
        assert.ok(error.error.message.length > 0, `${model}: it says why`);
        assert.ok(error.type.length > 0, `${model}: it has a type`);
        if (code) assert.equal(error.code, code);
      }
    }
    await assert.rejects(client(here).chat.completions.create({ model: 'sim-unknown', messages }), OpenAI.NotFoundError);
    await assert.rejects(client(here).chat.completions.create({ model: 'sim-ok', messages: [] }), OpenAI.BadRequestError);
  },

  'a quota that is spent is told from a rate limit': async (here) => {
    const error = await failure(client(here).chat.completions.create({ model: 'sim-quota', messages }));
    assert.ok(error instanceof OpenAI.RateLimitError, `${error}`);
    assert.equal(error.code, 'insufficient_quota');
    assert.equal(error.type, 'insufficient_quota');
  },

  'a stream that breaks off is thrown, not taken for the end': async (here) => {
    const stream = await client(here).chat.completions.create({ model: 'sim-stream-cut:3', messages, stream: true });
    let text = '';
    await assert.rejects(async () => { for await (const chunk of stream) text += chunk.choices[0]?.delta?.content ?? ''; });
    assert.ok(text.length > 0);
  },

  'a stream that the caller leaves ends at the provider too': async (here) => {
    const stream = await client(here).chat.completions.create({ model: 'sim-slow:20ms', messages, stream: true });
    for await (const chunk of stream) if (chunk.choices[0]?.delta?.content) break;
    const asked = async () => (await here.sim.calls()).find((request) => request.model === 'sim-slow:20ms');
    await eventually(asked, (request) => request.ended, 'the provider to be left');
    assert.equal((await asked()).client_left, true);
  },
};

const lists = {
  'the model list': async (here) => {
    const openai = client(here);
    const listed = [];
    for await (const model of openai.models.list()) listed.push(model.id);
    for (const model of ['sim-ok', 'sim-tool-call']) assert.ok(listed.includes(model), model);
    assert.equal((await openai.models.retrieve('sim-ok')).id, 'sim-ok');
    await assert.rejects(openai.models.retrieve('sim-unknown'), OpenAI.NotFoundError);
  },
};

const sameDialect = {
  'embeddings': async (here) => {
    const openai = client(here);
    const { data, usage } = await openai.embeddings.create({ model: 'sim-ok', input: ['hello', 'fuses'], dimensions: 8 });
    assert.equal(data.length, 2);
    assert.equal(data[0].embedding.length, 8);
    const norm = Math.sqrt(data[0].embedding.reduce((sum, x) => sum + x * x, 0));
    assert.ok(Math.abs(norm - 1) < 1e-5, 'the client asks for base64 and unpacks floats');
    assert.ok(usage.total_tokens > 0);
  },
};

const input = 'Say hello.';
const responses = {
  'a plain response': async (here) => {
    const response = await client(here).responses.create({ model: 'sim-ok', input, instructions: 'Be brief.' });
    assert.equal(response.object, 'response');
    assert.equal(response.status, 'completed');
    assert.ok(response.output_text.length > 0);
    assert.equal(response.usage.total_tokens, response.usage.input_tokens + response.usage.output_tokens);
  },

  'a streamed response says what the plain one says': async (here) => {
    const openai = client(here);
    const plain = await openai.responses.create({ model: 'sim-ok', input });
    let text = '';
    let completed;
    for await (const event of await openai.responses.create({ model: 'sim-ok', input, stream: true })) {
      if (event.type === 'response.output_text.delta') text += event.delta;
      if (event.type === 'response.completed') completed = event.response;
    }
    assert.equal(text, plain.output_text);
    assert.equal(completed.usage.total_tokens, plain.usage.total_tokens);
    const collected = await openai.responses.stream({ model: 'sim-ok', input }).finalResponse();
    assert.equal(collected.output_text, plain.output_text);
  },

  'function calls of a response, plain and streamed, and their results': async (here) => {
    const openai = client(here);
    const plain = await openai.responses.create({ model: 'sim-tool-calls:3', input, tools: responseTools });
    const streamed = await openai.responses.stream({ model: 'sim-tool-calls:3', input, tools: responseTools }).finalResponse();
    for (const response of [plain, streamed]) {
      assert.deepEqual(response.output.map((item) => [item.type, item.name]), [['function_call', 'city'], ['function_call', 'river'], ['function_call', 'lake']]);
      for (const item of response.output) assert.deepEqual(JSON.parse(item.arguments), { key: 'sample' });
    }
    const results = plain.output.map((item) => ({ type: 'function_call_output', call_id: item.call_id, output: 'found' }));
    const items = [{ role: 'user', content: input }, ...plain.output, ...results];
    const answered = await openai.responses.create({ model: 'sim-tool-calls:3', input: items, tools: responseTools });
    assert.ok(answered.output_text.length > 0);
  },

  'a response goes on from a previous one': async (here) => {
    const openai = client(here);
    const first = await openai.responses.create({ model: 'sim-ok', input });
    const second = await openai.responses.create({ model: 'sim-ok', input: 'And?', previous_response_id: first.id });
    assert.equal(second.previous_response_id, first.id);
    assert.ok(second.usage.input_tokens > first.usage.input_tokens);
    const error = await failure(openai.responses.create({ model: 'sim-ok', input, previous_response_id: 'resp_unknown' }));
    assert.ok(error instanceof OpenAI.BadRequestError, `${error}`);
    assert.equal(error.code, 'previous_response_not_found');
    assert.equal(error.param, 'previous_response_id');
  },

  'a response\'s reasoning': async (here) => {
    const response = await client(here).responses.stream({ model: 'sim-reasoning', input }).finalResponse();
    assert.deepEqual(response.output.map(({ type }) => type), ['reasoning', 'message']);
    assert.ok(response.output[0].summary[0].text.length > 0);
  },

  'an incomplete response': async (here) => {
    const response = await client(here).responses.create({ model: 'sim-ok', input, max_output_tokens: 3 });
    assert.equal(response.status, 'incomplete');
    assert.equal(response.incomplete_details.reason, 'max_output_tokens');
  },

  'errors of responses': async (here) => {
    for (const [model, type, status] of errors) {
      const error = await failure(client(here).responses.create({ model, input }));
      assert.ok(error instanceof type, `${model}: ${error}`);
      assert.equal(error.status, status);
    }
    const stream = await client(here).responses.create({ model: 'sim-stream-cut:3', input, stream: true });
    let last;
    const end = await (async () => { for await (const event of stream) last = event.type; })().then(() => 'ended', () => 'thrown');
    assert.ok(end === 'thrown' || last === 'response.failed', `a cut response never looks finished: ${end}, ${last}`);
  },
};

// Messages have no words for these.
const unknownToMessages = {
  'responses and embeddings are refused where only messages could answer': async (here) => {
    const response = await failure(client(here).responses.create({ model: 'sim-ok', input }));
    assert.ok(response instanceof OpenAI.BadRequestError, `${response}`);
    const embedding = await failure(client(here).embeddings.create({ model: 'sim-ok', input }));
    assert.ok(embedding instanceof OpenAI.BadRequestError, `${embedding}`);
    assert.equal((await here.sim.calls()).filter(({ path }) => path !== '/v1/messages').length, 0);
  },
};

inEveryPlace(places.openai, models, { always: { ...chat, ...lists }, untranslated: { ...sameDialect, ...responses }, translated: unknownToMessages });
