// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Who is ill: what one caller, one key, one model or one endpoint meets is held against nobody else.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { chat, eventually, startGateway } from './harness.mjs';

const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
const completion = { id: 'c', object: 'chat.completion', created: 1, model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }], usage };

// An upstream that answers what `answer(request)` says: {status, headers, body}, or nothing for a good answer.
async function upstream(t, answer) {
  const requests = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (data) => { text += data; });
    request.on('end', async () => {
      const seen = { path: request.url, headers: request.headers, body: text === '' ? {} : JSON.parse(text) };
      requests.push(seen);
      const { status = 200, headers = {}, body = completion } = (await answer(seen)) ?? {};
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify(body));
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => { server.closeAllConnections(); return new Promise((resolve) => server.close(resolve)); });
  return { url: `http://127.0.0.1:${server.address().port}/v1`, requests };
}

const error = (message, code = null, type = 'invalid_request_error') => ({ error: { message, type, param: null, code } });
const once = (provider, ...models) => ({ retry: { max_attempts: 1 }, targets: models.map((model) => ({ provider, model })) });
const post = (url, path, body, headers = {}) =>
  fetch(`${url}${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) });

test('a caller\'s organization that does not exist parks nothing', async (t) => {  // FBK-6.9
  for (const header of ['openai-organization', 'openai-project']) {
    const provider = await upstream(t, ({ headers }) => (headers[header] ? { status: 401, body: error('No such organization: org-bogus.', 'invalid_organization') } : undefined));
    const gateway = await startGateway(t, {
      providers: { p: { dialect: 'openai', base_url: provider.url, api_key: 'sk-ours' } },
      models: { smart: once('p', 'm') },
    });
    await (await chat(gateway.url, {}, { headers: { [header]: 'org-bogus' } })).text();
    assert.equal((await chat(gateway.url)).status, 200, `another caller, after ${header}`);
  }
});

test('a missing scope parks the credential at its endpoint and nowhere else', async (t) => {  // FBK-6.1, FBK-6.2
  const provider = await upstream(t, ({ path }) => (path === '/v1/embeddings'
    ? { status: 401, body: error('You have insufficient permissions for this operation. Missing scopes: api.embeddings.write.') } : undefined));
  const gateway = await startGateway(t, {
    providers: { p: { dialect: 'openai', base_url: provider.url, api_key: 'sk-ours' } },
    models: { smart: once('p', 'm') },
  });
  const embed = () => post(gateway.url, '/v1/embeddings', { model: 'smart', input: 'Hello' });
  const first = await embed();
  assert.equal(first.status, 502, 'never a 401 that looks like the caller\'s own');
  assert.equal((await first.json()).error.code, 'upstream_authentication');
  const second = await embed();
  assert.equal(second.status, 502);
  assert.equal(provider.requests.length, 1, 'it rests');
  assert.equal((await chat(gateway.url)).status, 200);
});

test('tokens per day of one model leave the provider\'s other models alone', async (t) => {  // FBK-6.2
  const provider = await upstream(t, ({ body }) => (body.model === 'big'
    ? { status: 429, body: error('Rate limit reached for model `big` in organization `org_x` on tokens per day (TPD): Limit 100000, Used 99999, Requested 1757. Please try again in 2h15m44s.', 'rate_limit_exceeded', 'tokens') } : undefined));
  const gateway = await startGateway(t, {
    providers: { p: { dialect: 'openai', base_url: provider.url, api_key: 'sk-ours' } },
    models: { smart: once('p', 'big', 'small'), small: once('p', 'small') },
  });
  assert.equal((await chat(gateway.url)).headers.get('x-fuseboard-target'), 'p/small', 'the next model of the same credential');
  assert.equal((await chat(gateway.url, { model: 'small' })).status, 200);
  await (await chat(gateway.url)).text();
  assert.equal(provider.requests.filter(({ body }) => body.model === 'big').length, 1, 'that model rests');
});

test('one request that is larger than the window shuts nobody out', async (t) => {  // LIM-4.5
  const provider = await upstream(t, ({ body }) => (body.messages[0].content.length > 100
    ? { status: 429, headers: { 'retry-after': '30' }, body: error('Request too large for m in organization org-x on tokens per min (TPM): Limit 10000, Requested 50000. The input or output tokens must be reduced in order to run successfully.', 'rate_limit_exceeded', 'tokens') } : undefined));
  const other = await upstream(t, () => undefined);
  const gateway = await startGateway(t, {
    providers: { p: { dialect: 'openai', base_url: provider.url }, q: { dialect: 'openai', base_url: other.url } },
    models: { smart: { retry: { max_attempts: 3, base: '10ms' }, targets: [{ provider: 'p', model: 'm' }, { provider: 'q', model: 'm' }] }, only: once('p', 'm') },
  });
  const large = { messages: [{ role: 'user', content: 'x'.repeat(200) }] };
  assert.equal((await chat(gateway.url, large)).headers.get('x-fuseboard-target'), 'q/m', 'it goes to another target');
  assert.equal((await chat(gateway.url)).headers.get('x-fuseboard-target'), 'p/m');
  const alone = await chat(gateway.url, { model: 'only', ...large });
  assert.equal(alone.status, 429);
  assert.equal(alone.headers.get('x-should-retry'), 'false', 'no wait helps it');
  assert.equal((await chat(gateway.url, { model: 'only' })).status, 200);
});

test('with credentials of their own, one caller\'s limit is nobody else\'s', async (t) => {  // LIM-4.6, FBK-6.9
  for (const [how, answer] of [
    ['429', { status: 429, headers: { 'retry-after': '60' }, body: error('Rate limit reached', 'rate_limit_exceeded') }],
    ['remaining 0', { headers: { 'x-ratelimit-limit-requests': '10', 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '60s' } }],
  ]) {
    const provider = await upstream(t, ({ headers }) => (headers.authorization === 'Bearer sk-a' ? answer : undefined));
    const gateway = await startGateway(t, {
      providers: { p: { dialect: 'openai', base_url: provider.url, auth: 'passthrough' } },
      models: { smart: once('p', 'm') },
    });
    const ask = (key) => chat(gateway.url, {}, { headers: { authorization: `Bearer ${key}` } });
    await (await ask('sk-a')).text();
    const refused = await ask('sk-a');
    assert.equal(refused.status, 429, how);
    await refused.text();
    assert.equal(provider.requests.length, 1, `${how}: its own gate is shut`);
    assert.equal((await ask('sk-b')).status, 200, how);
  }
});

test('a request that was read and then reset is not sent again by the way; a connection that died at once is', async (t) => {  // RTY-6.3, RTY-6.4, RTY-6.5
  // Each connection answers one call well; on the next it resets after `delay`.
  let delay = 0;
  const bodies = [];
  const server = createServer((request, response) => {
    request.on('data', () => {});
    request.on('end', () => {
      const { socket } = request;
      bodies.push(request.url);
      if (socket.used) { setTimeout(() => socket.resetAndDestroy(), delay); return; }
      socket.used = true;
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(completion));
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => { server.closeAllConnections(); return new Promise((resolve) => server.close(resolve)); });
  const gateway = await startGateway(t, {
    providers: { p: { dialect: 'openai', base_url: `http://127.0.0.1:${server.address().port}/v1` } },
    models: { smart: once('p', 'm') },
  });
  const resent = async () => Number((await (await fetch(`${gateway.url}/metrics`)).text()).match(/^fuseboard_resent_total\{target="p\/m"\} (\d+)/m)[1]);
  // Until a kept connection is used: calls may come to different loops.
  const answers = [];
  for (let i = 0; i < 8; ++i) answers.push((await chat(gateway.url)).status);
  assert.deepEqual(answers, Array(8).fill(200));
  assert.ok(await resent() > 0, 'what was sent again is counted');
  assert.equal(bodies.length, 8 + await resent());

  delay = 1000;
  const before = await resent();
  const sent = bodies.length;
  const later = [];
  for (let i = 0; i < 4; ++i) later.push((await chat(gateway.url)).status);
  assert.ok(later.includes(502), `${later}: it failed, and the rules of retries decide`);
  assert.equal(await resent(), before);
  assert.equal(bodies.length, sent + 4, 'one each');
});

test('made-up models do not switch the limits of a provider\'s other models off', async (t) => {  // LIM-5.1, CORE-5
  let release;
  const released = new Promise((resolve) => { release = resolve; });
  const provider = await upstream(t, async () => { await released; });
  const gateway = await startGateway(t, {
    providers: { p: { dialect: 'openai', base_url: provider.url, limits: { concurrency: 1 } } },
    models: { smart: once('p', 'm') },
  });
  // Naming one is enough; this is answered without the provider.
  const name = async (model) => (await post(gateway.url, '/v1/messages/count_tokens', { model, messages: [{ role: 'user', content: 'Hello' }] })).text();
  for (let i = 0; i < 1100; i += 20) await Promise.all(Array.from({ length: 20 }, (_, j) => name(`p/made-up-${i + j}`)));
  const held = chat(gateway.url, { model: 'p/real' });
  await eventually(() => provider.requests.length, (sent) => sent === 1, 'the first call is with the provider');
  await Promise.all(Array.from({ length: 30 }, (_, i) => name(`p/another-${i}`)));
  assert.equal((await chat(gateway.url, { model: 'p/real' })).status, 429, 'one at a time, whatever else was named');
  release();
  assert.equal((await held).status, 200);
  assert.equal((await chat(gateway.url, { model: 'p/real' })).status, 200);
  assert.equal(provider.requests.length, 2);
  const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
  assert.ok(!metrics.includes('made-up'), 'labels are those of the configuration');
});
