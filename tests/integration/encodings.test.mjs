// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Bodies in a content encoding, of callers and of upstreams.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { brotliCompressSync, constants, createGzip, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';

import { chat, modelOver, startGateway, startSim, textOf } from './harness.mjs';

// Of this Node's age there is no zstd in it: a frame with one raw block (RFC 8878 3.1.1) is enough.
function zstdFrame(bytes) {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(bytes.length);
  const block = Buffer.alloc(3);
  block.writeUIntLE((bytes.length << 3) | 1, 0, 3);
  return Buffer.concat([Buffer.from([0x28, 0xB5, 0x2F, 0xFD, 0xA0]), size, block, bytes]);
}

const coders = { gzip: gzipSync, 'x-gzip': gzipSync, deflate: deflateSync, br: brotliCompressSync, zstd: zstdFrame };
const question = Buffer.from(JSON.stringify({ model: 'smart', messages: [{ role: 'user', content: 'Hello' }] }));

const post = (gateway, body, encoding) => fetch(`${gateway.url}/v1/chat/completions`, {
  method: 'POST', headers: { 'content-type': 'application/json', 'content-encoding': encoding }, body,
});

test('a request body in any known encoding is read, and goes on plain', async (t) => {
  const sim = await startSim(t);
  const gateway = await startGateway(t, modelOver([sim]));
  const cases = Object.entries(coders).map(([name, code]) => [name, code(question)]);
  cases.push(['deflate', deflateRawSync(question)], ['identity', question], ['gzip, br', brotliCompressSync(gzipSync(question))]);
  for (const [encoding, body] of cases) {
    const response = await post(gateway, body, encoding);
    assert.equal(response.status, 200, `${encoding}: ${await response.clone().text()}`);
    await response.text();
  }
  assert.equal((await sim.calls()).length, cases.length);
});

test('an unknown encoding is a 415 that says which are known', async (t) => {
  const sim = await startSim(t);
  const gateway = await startGateway(t, modelOver([sim]));
  for (const encoding of ['compress', 'gzip, lzma', 'gzip, gzip, gzip, gzip, gzip']) {
    const response = await post(gateway, gzipSync(question), encoding);
    assert.equal(response.status, 415, encoding);
    assert.equal(response.headers.get('accept-encoding'), 'gzip, deflate, br, zstd');
    assert.equal((await response.json()).error.code, 'unsupported_encoding');
  }
  assert.equal((await sim.calls()).length, 0);
});

test('a body that is not what its encoding says is a 400, and a bomb a 413', async (t) => {
  const sim = await startSim(t);
  const gateway = await startGateway(t, { ...modelOver([sim]), max_body: '1MiB' });
  for (const [encoding, body] of [['gzip', question], ['br', gzipSync(question)], ['gzip', gzipSync(question).subarray(0, 20)], ['zstd', question]]) {
    const response = await post(gateway, body, encoding);
    assert.equal(response.status, 400, encoding);
    assert.match((await response.json()).error.message, /content-encoding/);
  }
  const large = Buffer.alloc(32 * 1024 * 1024, ' ');
  for (const [encoding, body] of [['gzip', gzipSync(large)], ['br', brotliCompressSync(large, { params: { [constants.BROTLI_PARAM_QUALITY]: 3 } })],
    ['gzip, gzip', gzipSync(gzipSync(large))]]) {
    const response = await post(gateway, body, encoding);
    assert.equal(response.status, 413, encoding);
    assert.equal((await response.json()).error.code, 'request_too_large');
  }
  const fits = Buffer.concat([question.subarray(0, 1), Buffer.alloc(1024 * 1024 - question.length, ' '), question.subarray(1)]);
  assert.equal((await post(gateway, gzipSync(fits), 'gzip')).status, 200, 'just within the bound');
  assert.equal((await sim.calls()).length, 1);
});

// Answers in the encoding that the model's name says, whatever was asked for.
async function startCodingUpstream(t) {
  const answer = JSON.stringify({
    id: 'c', object: 'chat.completion', created: 1, model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: 'coded' }, finish_reason: 'stop' }],
  });
  const events = ['data: {"id":"c","choices":[{"index":0,"delta":{"content":"one "}}]}\n\n', 'data: {"id":"c","choices":[{"index":0,"delta":{"content":"two"},"finish_reason":"stop"}]}\n\n', 'data: [DONE]\n\n'];
  const server = createServer((incoming, outgoing) => {
    let body = '';
    incoming.on('data', (piece) => { body += piece; });
    incoming.on('end', () => {
      const { model, stream } = JSON.parse(body);
      const [encoding, status] = model.split(':');
      outgoing.setHeader('content-encoding', encoding);
      outgoing.setHeader('content-type', stream ? 'text/event-stream' : 'application/json');
      outgoing.setHeader('etag', '"x"');
      if (stream) {
        const zip = createGzip();
        zip.pipe(outgoing);
        const next = (i) => (i === events.length ? zip.end() : zip.write(events[i], () => zip.flush(() => setImmediate(next, i + 1))));
        return next(0);
      }
      outgoing.statusCode = Number(status ?? 200);
      const text = status ? JSON.stringify({ error: { message: 'coded error', type: 'invalid_request_error', code: 'x' } }) : answer;
      return outgoing.end((coders[encoding] ?? ((same) => same))(Buffer.from(text)));
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => { server.closeAllConnections(); server.close(); });
  return `http://127.0.0.1:${server.address().port}`;
}

test('answers of upstreams in an encoding nobody asked for are judged, and handed on plain', async (t) => {
  const url = await startCodingUpstream(t);
  const gateway = await startGateway(t, { providers: { p: { dialect: 'openai', base_url: `${url}/v1` } } });
  for (const encoding of Object.keys(coders)) {
    const response = await chat(gateway.url, { model: `p/${encoding}` });
    assert.equal(response.status, 200, encoding);
    assert.equal(response.headers.get('content-encoding'), null);
    assert.equal((await response.json()).choices[0].message.content, 'coded');
    const failed = await chat(gateway.url, { model: `p/${encoding}:400` });
    assert.equal(failed.status, 400);
    assert.equal((await failed.json()).error.message, 'coded error');
  }
  // Nobody can say what it is.
  const unknown = await chat(gateway.url, { model: 'p/compress' });
  assert.equal(unknown.status, 502);
});

test('a stream in an encoding is read as it comes', async (t) => {
  const url = await startCodingUpstream(t);
  const gateway = await startGateway(t, { providers: { p: { dialect: 'openai', base_url: `${url}/v1` } } });
  const response = await chat(gateway.url, { model: 'p/gzip', stream: true });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-encoding'), null);
  const text = await response.text();
  assert.equal(textOf(text), 'one two');
  assert.ok(text.endsWith('data: [DONE]\n\n'));
});
