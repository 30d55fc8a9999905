// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Callers of both dialects that ask one question, plain and streamed, and read the answer alike.

import assert from 'node:assert/strict';

const question = [{ role: 'user', content: 'Say hello to the fuses.' }];

// What came of a question: `status` and `took`, in ms; who answered (`target`) after how many `attempts`; the `text`, why it ended (`finish`),
// the tokens it `used`, the `model`; whether it says that it is `whole`; the `error`.
async function ask(url, { session, ...body }, read) {
  const began = performance.now();
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(session && { 'x-fuseboard-session': session }) },
    body: JSON.stringify({ model: 'smart', messages: question, ...body }),
  });
  const text = await response.text();
  const head = {
    status: response.status,
    target: response.headers.get('x-fuseboard-target'),
    attempts: Number(response.headers.get('x-fuseboard-attempts')),
    took: performance.now() - began,
  };
  if (response.headers.get('content-type')?.startsWith('text/event-stream')) return { ...head, ...read.stream(parsed(text)) };
  const answer = JSON.parse(text);
  // What fails before a stream begins is answered plainly.
  return answer.error ? { ...head, error: answer.error, text: '', whole: false } : { ...head, ...read.plain(answer) };
}

function parsed(text) {
  return text.split('\n\n').filter((block) => block.includes('data: ')).map((block) => {
    const data = block.slice(block.indexOf('data: ') + 6);
    if (data === '[DONE]') return { done: true };
    assert.doesNotThrow(() => JSON.parse(data), `an event that is none was forwarded: ${data}`);
    return JSON.parse(data);
  });
}

const chatCompletions = {
  plain: ({ choices: [choice], usage, model }) => (
    { text: choice.message.content ?? '', finish: choice.finish_reason, used: usage.completion_tokens, model, whole: true }),
  stream: (events) => {
    const chunks = events.filter((event) => event.choices);
    return {
      text: chunks.map(({ choices }) => choices[0]?.delta?.content ?? '').join(''),
      finish: chunks.findLast(({ choices }) => choices[0]?.finish_reason)?.choices[0].finish_reason,
      used: chunks.findLast(({ usage }) => usage)?.usage.completion_tokens,
      model: chunks[0]?.model,
      error: events.find((event) => event.error)?.error,
      whole: events.at(-1)?.done === true,
    };
  },
};

const messages = {
  plain: ({ content, usage, stop_reason: finish, model, type }) => (
    { text: content.map((block) => block.text ?? '').join(''), finish, used: usage.output_tokens, model, whole: type === 'message' }),
  stream: (events) => {
    const delta = events.findLast(({ type }) => type === 'message_delta');
    return {
      text: events.filter(({ type }) => type === 'content_block_delta').map((event) => event.delta.text ?? '').join(''),
      finish: delta?.delta.stop_reason,
      used: delta?.usage.output_tokens,
      model: events.find(({ type }) => type === 'message_start')?.message.model,
      error: events.find(({ type }) => type === 'error')?.error,
      whole: events.at(-1)?.type === 'message_stop',
    };
  },
};

// `ask(origin, options)`, and the words for an end.
export const callers = {
  'chat completions': {
    ask: (url, { stream = false, ...options } = {}) => (
      ask(`${url}/v1/chat/completions`, { stream, ...(stream && { stream_options: { include_usage: true } }), ...options }, chatCompletions)),
    finishes: { stop: 'stop', filtered: 'content_filter' },
  },
  messages: {
    ask: (url, { stream = false, ...options } = {}) => ask(`${url}/v1/messages`, { stream, max_tokens: 1000, ...options }, messages),
    finishes: { stop: 'end_turn', filtered: 'refusal' },
  },
};

export const plain = [false];
export const streamed = [true];

// Each caller, plain and streamed or one of these, under a name.
export function ways(streams = [...plain, ...streamed]) {
  return Object.entries(callers).flatMap(([name, caller]) => streams.map((stream) => ({
    name: `${name}, ${stream ? 'streamed' : 'plain'}`,
    stream,
    finishes: caller.finishes,
    ask: (url, options) => caller.ask(url, { stream, ...options }),
  })));
}
