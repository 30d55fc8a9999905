// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Bad input gets a clear error each, and the gateway goes on.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { request } from 'node:http';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { chat, eventually, modelOver, patience, raw, startGateway, startSim } from './harness.mjs';

async function world(t) {
  const sim = await startSim(t);
  const gateway = await startGateway(t, modelOver([sim]));
  const goesOn = async () => {
    const response = await chat(gateway.url);
    assert.equal(response.status, 200);
    await response.text();
  };
  return { sim, gateway, goesOn };
}

async function errorOf(response, status) {
  const text = await response.text();
  assert.equal(response.status, status, text);
  const { error } = JSON.parse(text);
  assert.equal(typeof error.message, 'string');
  assert.equal(typeof error.type, 'string');
  return error;
}

test('a body that is not JSON, or not a chat request, is a 400 that says what is wrong', async (t) => {
  const { sim, gateway, goesOn } = await world(t);
  for (const [body, says] of [
    ['{"model": "smart", ', /JSON/],
    ['[1,2]', /object/],
    ['', /JSON|empty/],
    ['{"messages":[]}', /model/],
    ['{"model":"smart"}', /messages/],
    ['{"model":7,"messages":[]}', /model/],
    ['{"model":"smart","model":"other","messages":[]}', /model/],
    ['{"model":"smart","messages":[],"stream":"yes"}', /stream/],
    ['{"model":"smart","messages":' + '['.repeat(10_000) + ']'.repeat(10_000) + '}', /./],
  ]) {
    const error = await errorOf(await chat(gateway.url, body), 400);
    assert.equal(error.type, 'invalid_request_error');
    assert.match(`${error.message} ${error.param}`, says, body.slice(0, 60));
  }
  assert.equal((await sim.calls()).length, 0);
  await goesOn();
});

test('an unknown model is a 404 in the dialect of the caller', async (t) => {
  const { gateway, goesOn } = await world(t);
  const error = await errorOf(await chat(gateway.url, { model: 'nobody' }), 404);
  assert.equal(error.code, 'model_not_found');
  assert.equal(error.param, 'model');
  await goesOn();
});

test('a model that no configuration names is reached as provider/model', async (t) => {
  const { sim, gateway } = await world(t);
  const response = await chat(gateway.url, { model: 'primary/some/other' });
  assert.equal(response.status, 200);
  assert.equal((await response.json()).model, 'some/other');
  assert.equal((await sim.calls())[0].model, 'some/other');
});

test('a model name of megabytes is an unknown model and leaves nothing behind', async (t) => {  // CORE-5
  const { sim, gateway } = await world(t);
  const error = await errorOf(await chat(gateway.url, { model: `primary/${'x'.repeat(4 * 1024 * 1024)}` }), 404);
  assert.equal(error.code, 'model_not_found');
  assert.ok(error.message.length < 1000);
  assert.equal((await sim.calls()).length, 0);
  assert.ok((await (await fetch(`${gateway.url}/metrics`)).text()).length < 100_000, 'it became a label');
});

test('a body over max_body is a 413 that the caller can read while it still sends', async (t) => {
  const { gateway, goesOn } = await world(t);
  for (const framing of ['content-length', 'chunked']) {
    const { status, text } = await new Promise((resolve, reject) => {
      const size = 40 * 1024 * 1024;
      const outgoing = request(`${gateway.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(framing === 'content-length' ? { 'content-length': size } : {}) },
      });
      outgoing.on('response', (incoming) => {
        let body = '';
        incoming.on('data', (data) => { body += data; });
        incoming.on('end', () => resolve({ status: incoming.statusCode, text: body }));
      });
      outgoing.on('error', reject);
      const piece = Buffer.alloc(1024 * 1024, 'x');
      for (let sent = 0; sent < size; sent += piece.length) outgoing.write(piece);
      outgoing.end();
    });
    assert.equal(status, 413, framing);
    assert.equal(JSON.parse(text).error.code, 'request_too_large');
  }
  await goesOn();
});

test('a body just under max_body passes', async (t) => {
  const { gateway } = await world(t);
  const response = await chat(gateway.url, { messages: [{ role: 'user', content: 'x'.repeat(31 * 1024 * 1024) }] });
  assert.equal(response.status, 200);
  await response.text();
});

test('a header of 1 MiB is a 431', async (t) => {
  const { gateway, goesOn } = await world(t);
  const answer = await raw(gateway.port, `GET /healthz HTTP/1.1\r\nhost: x\r\nx-long: ${'a'.repeat(1024 * 1024)}\r\n\r\n`);
  assert.match(answer, /^HTTP\/1\.1 431 /);
  assert.ok(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)).error.message);
  await goesOn();
});

test('what the server refuses by itself is told in its caller\'s dialect', async (t) => {
  const { gateway, goesOn } = await world(t);
  const long = `x-long: ${'a'.repeat(1024 * 1024)}`;
  for (const [path, headers, shape] of [
    ['/v1/messages', [long], 'anthropic'],
    ['/v1/chat/completions', [long], 'openai'],
    ['/v1/messages', ['transfer-encoding: gzip'], 'anthropic'],
    ['/v1/other', ['transfer-encoding: gzip', 'anthropic-version: 2023-06-01'], 'anthropic'],
    ['/v1/other', ['transfer-encoding: gzip'], 'openai'],
  ]) {
    const answer = await raw(gateway.port, `POST ${path} HTTP/1.1\r\nhost: x\r\n${headers.join('\r\n')}\r\n\r\n`);
    const body = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));
    assert.equal(body.type === 'error' ? 'anthropic' : 'openai', shape, `${path} ${headers.map((header) => header.slice(0, 40))}: ${answer.slice(0, 200)}`);
    assert.ok(body.error.type && body.error.message);
  }
  await goesOn();
});

test('what is not HTTP is a 400', async (t) => {
  const { gateway, goesOn } = await world(t);
  assert.match(await raw(gateway.port, 'this is not HTTP\r\n\r\n'), /^HTTP\/1\.1 400 /);
  await goesOn();
});

test('a client that sends its head drop by drop is cut off with a 408', async (t) => {
  const { gateway, goesOn } = await world(t);
  const started = Date.now();
  const answer = await new Promise((resolve, reject) => {
    let received = '';
    const socket = connect(gateway.port, '127.0.0.1');
    socket.write('POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n');
    const drip = setInterval(() => socket.write('x-a: b\r\n'), 500);
    socket.setTimeout(patience, () => reject(new Error('never cut off')));
    socket.on('data', (data) => { received += data; });
    socket.on('error', () => {});
    socket.on('close', () => { clearInterval(drip); resolve(received); });
  });
  assert.match(answer, /^HTTP\/1\.1 408 /);
  assert.ok(Date.now() - started >= 9_000, 'cut off before the time that a head is allowed');
  await goesOn();
});

test('nonsense in the gateway\'s own request headers names the header and what is allowed', async (t) => {
  const { gateway, goesOn } = await world(t);
  for (const value of ['0', '-5', 'soon', '1e9', '99999999999999999999']) {
    const error = await errorOf(await chat(gateway.url, {}, { headers: { 'x-fuseboard-deadline-ms': value } }), 400);
    assert.match(error.message, /x-fuseboard-deadline-ms.*1 to 86400000/);
  }
  await goesOn();
});

test('a deadline of the caller ends the call in time with a 504', async (t) => {  // RTY-3.1, RTY-3.3, RTY-3.6
  const sim = await startSim(t);
  const gateway = await startGateway(t, modelOver([sim], { target: { model: 'sim-silent' } }));
  const error = await errorOf(await chat(gateway.url, {}, { headers: { 'x-fuseboard-deadline-ms': '150' } }), 504);
  assert.equal(error.code, 'deadline_exceeded');
  assert.equal((await gateway.breaker('primary/sim-silent')).consecutive_failures, 0, 'a caller in a hurry is no evidence');
});

test('the time that a body takes is part of its caller\'s deadline', async (t) => {  // RTY-3.6
  const { sim, gateway } = await world(t);
  const body = JSON.stringify({ model: 'smart', messages: [{ role: 'user', content: 'Hi' }] });
  for (const header of ['x-fuseboard-deadline-ms: 400', 'x-stainless-timeout: 0.65']) {
    const socket = connect(gateway.port, '127.0.0.1');
    t.after(() => socket.destroy());
    let answer = '';
    socket.on('data', (data) => { answer += data; });
    socket.write(`POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n${header}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`);
    await setTimeout(1000);
    socket.write(body);
    await eventually(() => answer, (text) => text.endsWith('}'), 'the call ends');
    assert.match(answer, /^HTTP\/1\.1 504 /);
    assert.match(answer, /deadline_exceeded/);
  }
  assert.equal((await sim.calls()).length, 0, 'when the body was there, the deadline was over');
});

test('credentials are the provider\'s, never the caller\'s', async (t) => {  // FBK-3.1, FBK-3.4, TEL-4.2
  const sim = await startSim(t);
  const configuration = modelOver([sim], { target: { model: 'sim-inspect' } });
  configuration.providers.primary.api_key = '${TEST_PROVIDER_KEY}';
  const gateway = await startGateway(t, configuration, { env: { TEST_PROVIDER_KEY: 'provider-secret' } });
  const response = await chat(gateway.url, {}, { headers: { authorization: 'Bearer caller-secret', 'x-custom': 'kept' } });
  const text = await response.text();
  assert.ok(!text.includes('caller-secret'));
  const state = JSON.stringify(await gateway.state()) + (await (await fetch(`${gateway.url}/metrics`)).text()) + gateway.program.output + gateway.program.errors;
  assert.ok(!state.includes('provider-secret'));
});
