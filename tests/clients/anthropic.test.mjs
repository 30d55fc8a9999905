// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The real `@anthropic-ai/sdk` package, as its users use it.

import assert from 'node:assert/strict';
import Anthropic from '@anthropic-ai/sdk';
import { eventually } from '../integration/harness.mjs';
import { failure, inEveryPlace, pixel, places, received } from './places.mjs';

const client = ({ url }) => new Anthropic({ baseURL: url, apiKey: 'any', maxRetries: 0 });
const ask = { max_tokens: 500, system: 'Be brief.', messages: [{ role: 'user', content: 'Say hello.' }] };
const tool = (name) => ({ name, description: `Looks up a ${name}.`, input_schema: { type: 'object', properties: { key: { type: 'string' } }, required: ['key'] } });
const tools = [tool('city'), tool('river'), tool('lake')];

const errors = [
  ['sim-400', Anthropic.BadRequestError, 400, 'invalid_request_error'],
  ['sim-context-length', Anthropic.BadRequestError, 400, 'invalid_request_error'],
  ['sim-404-model', Anthropic.NotFoundError, 404, 'not_found_error'],
  ['sim-429', Anthropic.RateLimitError, 429, 'rate_limit_error'],
  ['sim-500', Anthropic.InternalServerError, 500, 'api_error'],
  ['sim-529', Anthropic.InternalServerError, 529, 'overloaded_error'],
];
const models = ['sim-ok', 'sim-inspect', 'sim-tool-call', 'sim-tool-calls:3', 'sim-reasoning', 'sim-refusal', 'sim-slow:20ms', 'sim-stream-cut:3',
  ...errors.map(([behaviour]) => behaviour)];

const withDocument = {
  max_tokens: 500,
  messages: [{ role: 'user', content: [
    { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' } },
    { type: 'text', text: 'Read it.' },
  ] }],
};

const textOf = (message) => message.content.filter(({ type }) => type === 'text').map(({ text }) => text).join('');

const messages = {
  'a plain message': async (here) => {
    const message = await client(here).messages.create({ ...ask, model: 'sim-ok' });
    assert.equal(message.type, 'message');
    assert.equal(message.role, 'assistant');
    assert.equal(message.model, 'sim-ok');
    assert.deepEqual(message.content.map(({ type }) => type), ['text']);
    assert.ok(textOf(message).length > 0);
    assert.equal(message.stop_reason, 'end_turn');
    assert.equal(message.stop_sequence, null);
    assert.ok(message.usage.input_tokens > 0 && message.usage.output_tokens > 0);
    assert.match(message._request_id, /^req_/);
  },

  'a streamed message says what the plain one says': async (here) => {
    const anthropic = client(here);
    const plain = await anthropic.messages.create({ ...ask, model: 'sim-ok' });
    let text = '';
    const stream = anthropic.messages.stream({ ...ask, model: 'sim-ok' }).on('text', (piece) => { text += piece; });
    const message = await stream.finalMessage();
    assert.equal(text, textOf(plain));
    assert.equal(textOf(message), text);
    assert.equal(message.stop_reason, 'end_turn');
    assert.equal(message.usage.output_tokens, plain.usage.output_tokens);
    assert.equal(message.usage.input_tokens, plain.usage.input_tokens);
  },

  'the events of a stream come in their order': async (here) => {
    const types = [];
    for await (const event of await client(here).messages.create({ ...ask, model: 'sim-ok', stream: true })) if (types.at(-1) !== event.type) types.push(event.type);
    assert.deepEqual(types, ['message_start', 'content_block_start', 'content_block_delta', 'content_block_stop', 'message_delta', 'message_stop']);
  },

  'an answer cut by max_tokens': async (here) => {
    const message = await client(here).messages.create({ ...ask, max_tokens: 3, model: 'sim-ok' });
    assert.equal(message.stop_reason, 'max_tokens');
    assert.equal(message.usage.output_tokens, 3);
  },

  'one tool use, plain and streamed': async (here) => {
    const anthropic = client(here);
    const plain = await anthropic.messages.create({ ...ask, tools, model: 'sim-tool-call' });
    const streamed = await anthropic.messages.stream({ ...ask, tools, model: 'sim-tool-call' }).finalMessage();
    for (const message of [plain, streamed]) {
      assert.equal(message.stop_reason, 'tool_use');
      assert.deepEqual(message.content.map(({ type, name, input }) => ({ type, name, input })), [{ type: 'tool_use', name: 'city', input: { key: 'sample' } }]);
    }
  },

  'parallel tool uses, plain and streamed': async (here) => {
    const anthropic = client(here);
    const plain = await anthropic.messages.create({ ...ask, tools, model: 'sim-tool-calls:3' });
    const streamed = await anthropic.messages.stream({ ...ask, tools, model: 'sim-tool-calls:3' }).finalMessage();
    for (const message of [plain, streamed]) {
      assert.deepEqual(message.content.map(({ name }) => name), ['city', 'river', 'lake']);
      for (const { input } of message.content) assert.deepEqual(input, { key: 'sample' });
      assert.equal(new Set(message.content.map(({ id }) => id)).size, 3);
    }
    const single = await anthropic.messages.create({ ...ask, tools, model: 'sim-tool-calls:3', tool_choice: { type: 'auto', disable_parallel_tool_use: true } });
    assert.equal(single.content.length, 1);
  },

  'tool results go back and are answered in words': async (here) => {
    const anthropic = client(here);
    const asked = await anthropic.messages.create({ ...ask, tools, model: 'sim-tool-calls:3' });
    const results = asked.content.map(({ id, name }, index) => ({
      type: 'tool_result', tool_use_id: id, ...(index === 0 ? { content: `a ${name}` } : { content: [{ type: 'text', text: `a ${name}` }] }),
    }));
    const turns = [...ask.messages, { role: 'assistant', content: asked.content }, { role: 'user', content: results }];
    const answered = await anthropic.messages.create({ ...ask, tools, messages: turns, model: 'sim-tool-calls:3' });
    assert.equal(answered.stop_reason, 'end_turn');
    assert.ok(textOf(answered).length > 0);
  },

  'tool_choice is obeyed': async (here) => {
    const anthropic = client(here);
    const named = await anthropic.messages.create({ ...ask, tools, model: 'sim-ok', tool_choice: { type: 'tool', name: 'river' } });
    assert.equal(named.content[0].name, 'river');
    const any = await anthropic.messages.create({ ...ask, tools, model: 'sim-ok', tool_choice: { type: 'any' } });
    assert.equal(any.content[0].name, 'city');
  },

  'images reach the provider': async (here) => {
    const content = [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: pixel } }, { type: 'text', text: 'What is this?' }];
    const message = await client(here).messages.create({ max_tokens: 500, messages: [{ role: 'user', content }], model: 'sim-inspect' });
    const seen = received(textOf(message)).body.messages.at(-1).content;
    if (here.translates) {
      const image = seen.find(({ type }) => type === 'image_url');
      assert.equal(image.image_url.url, `data:image/png;base64,${pixel}`);
    } else {
      assert.deepEqual(seen, content);
    }
  },

  'system prompts and further turns reach the provider': async (here) => {
    const turns = [...ask.messages, { role: 'assistant', content: 'Hello.' }, { role: 'user', content: 'Again.' }];
    const system = [{ type: 'text', text: 'Be brief.' }, { type: 'text', text: 'Be kind.' }];
    const message = await client(here).messages.create({ ...ask, system, messages: turns, model: 'sim-inspect' });
    const { body } = received(textOf(message));
    if (here.translates) {
      assert.deepEqual(body.messages.map(({ role }) => role).filter((role) => role !== 'system' && role !== 'developer'), ['user', 'assistant', 'user']);
      for (const { text } of system) assert.ok(JSON.stringify(body.messages[0]).includes(text), text);
    } else {
      assert.deepEqual(body.system, system);
      assert.deepEqual(body.messages, turns);
    }
  },

  'an answer that was begun is gone on with': async (here) => {
    const anthropic = client(here);
    const whole = textOf(await anthropic.messages.create({ ...ask, model: 'sim-ok' }));
    const begun = whole.slice(0, whole.indexOf(' ', whole.length / 2));
    const turns = [...ask.messages, { role: 'assistant', content: begun }];
    const rest = await anthropic.messages.create({ ...ask, messages: turns, model: 'sim-ok' });
    assert.equal(begun + textOf(rest), whole);
  },

  'a refusal of the provider': async (here) => {
    const message = await client(here).messages.create({ ...ask, model: 'sim-refusal' });
    assert.equal(message.stop_reason, 'refusal');
    const streamed = await client(here).messages.stream({ ...ask, model: 'sim-refusal' }).finalMessage();
    assert.equal(streamed.stop_reason, 'refusal');
  },

  'errors are of the class that the client knows': async (here) => {
    for (const [model, kind, status, type] of errors) {
      for (const stream of [false, true]) {
        const error = await failure(client(here).messages.create({ ...ask, model, stream }));
        assert.ok(error instanceof kind, `${model}: ${error}`);
        assert.equal(error.status, status);
        assert.equal(error.error.type, 'error');
        assert.equal(error.error.error.type, type);
        assert.ok(error.error.error.message.length > 0, `${model}: it says why`);
      }
    }
    await assert.rejects(client(here).messages.create({ ...ask, model: 'sim-unknown' }), Anthropic.NotFoundError);
    await assert.rejects(client(here).messages.create({ ...ask, messages: [], model: 'sim-ok' }), Anthropic.BadRequestError);
  },

  'a stream that breaks off is thrown, not taken for the end': async (here) => {
    let text = '';
    const stream = client(here).messages.stream({ ...ask, model: 'sim-stream-cut:3' }).on('text', (piece) => { text += piece; });
    await assert.rejects(stream.finalMessage());
    assert.ok(text.length > 0);
  },

  'a stream that the caller leaves ends at the provider too': async (here) => {
    const stream = await client(here).messages.create({ ...ask, model: 'sim-slow:20ms', stream: true });
    for await (const event of stream) if (event.type === 'content_block_delta') break;
    const asked = async () => (await here.sim.calls()).find((request) => request.model === 'sim-slow:20ms');
    await eventually(asked, (request) => request.ended, 'the provider to be left');
    assert.equal((await asked()).client_left, true);
  },

  'the model list': async (here) => {
    const anthropic = client(here);
    const listed = [];
    for await (const model of anthropic.models.list()) {
      assert.equal(model.type, 'model');
      listed.push(model.id);
    }
    for (const model of ['sim-ok', 'sim-tool-call']) assert.ok(listed.includes(model), model);
    assert.equal((await anthropic.models.retrieve('sim-ok')).id, 'sim-ok');
    await assert.rejects(anthropic.models.retrieve('sim-unknown'), Anthropic.NotFoundError);
  },
};

const untranslated = {
  'tokens are counted': async (here) => {
    const { max_tokens, ...counted } = ask;
    const { input_tokens } = await client(here).messages.countTokens({ ...counted, model: 'sim-ok' });
    const message = await client(here).messages.create({ ...ask, model: 'sim-ok' });
    assert.equal(input_tokens, message.usage.input_tokens);
  },

  'documents reach the provider': async (here) => {
    const message = await client(here).messages.create({ ...withDocument, model: 'sim-inspect' });
    assert.deepEqual(received(textOf(message)).body.messages, withDocument.messages);
  },

  'thinking comes before the text': async (here) => {
    const anthropic = client(here);
    const plain = await anthropic.messages.create({ ...ask, model: 'sim-reasoning' });
    const streamed = await anthropic.messages.stream({ ...ask, model: 'sim-reasoning' }).finalMessage();
    for (const message of [plain, streamed]) {
      assert.deepEqual(message.content.map(({ type }) => type), ['thinking', 'text']);
      assert.ok(message.content[0].thinking.length > 0 && message.content[0].signature.length > 0);
    }
    assert.equal(streamed.content[0].thinking, plain.content[0].thinking);
    assert.equal(textOf(streamed), textOf(plain));
  },
};

const translated = {
  'tokens are guessed where nobody counts them': async (here) => {
    const { max_tokens, ...counted } = ask;
    const { data, response } = await client(here).messages.countTokens({ ...counted, model: 'sim-ok' }).withResponse();
    assert.ok(data.input_tokens > 0);
    assert.equal(response.headers.get('x-fuseboard-estimate'), '1');
  },

  'documents reach the provider as files': async (here) => {
    const message = await client(here).messages.create({ ...withDocument, model: 'sim-inspect' });
    const file = received(textOf(message)).body.messages[0].content.find(({ type }) => type === 'file');
    assert.equal(file.file.file_data, 'data:application/pdf;base64,JVBERi0=');
  },
};

inEveryPlace(places.anthropic, models, { always: messages, untranslated, translated });
