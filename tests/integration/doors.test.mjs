// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Who may ask, what leaves with a request, and what comes back from an upstream that is not what it should be.

import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';

import { chat, eventually, modelOver, raw, startGateway, startSim } from './harness.mjs';

// An upstream of the test's own. `answer` gets the request and its body, and the response to write.
async function startUpstream(t, answer) {
  const seen = [];
  const server = createServer((incoming, outgoing) => {
    const pieces = [];
    incoming.on('data', (piece) => pieces.push(piece));
    incoming.on('end', () => {
      seen.push({ url: incoming.url, headers: incoming.headers, body: Buffer.concat(pieces) });
      answer(incoming, outgoing, Buffer.concat(pieces).toString());
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => { server.closeAllConnections(); server.close(); });
  return { url: `http://127.0.0.1:${server.address().port}`, seen };
}

const completion = JSON.stringify({
  id: 'c', object: 'chat.completion', created: 1, model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
});
const good = (incoming, outgoing) => { outgoing.setHeader('content-type', 'application/json'); outgoing.end(completion); };

const over = (upstream, provider = {}) => ({
  providers: { p: { dialect: 'openai', base_url: `${upstream.url}/v1`, ...provider } },
  models: { smart: { retry: { max_attempts: 1 }, targets: [{ provider: 'p', model: 'm' }] } },
});

const secret = 'sk-test/0123456789+abcdef';

test('of a caller\'s headers only what the dialect defines and forward_headers names goes upstream', async (t) => {  // FBK-3.2, FBK-3.3, FBK-3.4
  const upstream = await startUpstream(t, good);
  const gateway = await startGateway(t, over(upstream, { api_key: secret, forward_headers: ['x-team-*'] }));
  const credentials = ['x-api-key', 'api-key', 'x-goog-api-key', 'ocp-apim-subscription-key', 'x-amz-security-token', 'helicone-auth', 'cookie',
    'proxy-authorization', 'openai-organization', 'openai-project'];
  const headers = { authorization: 'Bearer mine', 'x-custom': '1', 'x-team-a': 'blue', 'x-team-token': 'mine', traceparent: '00-1-2-01', 'openai-beta': 'b', 'idempotency-key': 'i' };
  for (const name of credentials) headers[name] = 'mine';
  assert.equal((await chat(gateway.url, {}, { headers })).status, 200);
  const got = upstream.seen[0].headers;
  assert.equal(got.authorization, `Bearer ${secret}`);
  for (const name of [...credentials, 'x-custom', 'x-team-token']) assert.equal(got[name], undefined, name);
  assert.equal(got['x-team-a'], 'blue');
  for (const name of ['traceparent', 'openai-beta', 'idempotency-key', 'user-agent']) assert.ok(got[name], name);
  assert.match(got['x-fuseboard-hops'], /^[0-9a-f]{16}-0$/);
});

test('passthrough lets the caller\'s credentials and accounts through', async (t) => {  // FBK-3.4
  const upstream = await startUpstream(t, good);
  const gateway = await startGateway(t, over(upstream, { auth: 'passthrough' }));
  const headers = { authorization: 'Bearer mine', 'openai-organization': 'o', 'x-goog-api-key': 'k', cookie: 'c=1' };
  assert.equal((await chat(gateway.url, {}, { headers })).status, 200);
  const got = upstream.seen[0].headers;
  for (const name of ['authorization', 'openai-organization', 'x-goog-api-key']) assert.equal(got[name], headers[name]);
  assert.equal(got.cookie, undefined);
});

test('a provider that repeats the credential is not passed on', async (t) => {  // TEL-4.7, TEL-4.8
  const spellings = [secret, `Bearer ${secret}`, encodeURIComponent(secret), secret.replaceAll('/', '\\/'), secret.replaceAll('-', '\\u002d')];
  let number = 0;
  const upstream = await startUpstream(t, (incoming, outgoing, body) => {
    const text = `"you sent ${spellings[number++ % spellings.length]}"`;
    const { stream, model } = JSON.parse(body);
    outgoing.setHeader('x-echo', incoming.headers.authorization);
    outgoing.setHeader('content-type', stream ? 'text/event-stream' : 'application/json');
    if (model === 'ok') return outgoing.end(completion.replace('"hi"', text));
    if (stream) return outgoing.end(`data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\ndata: {"error":{"message":${text},"type":"server_error"}}\n\n`);
    outgoing.statusCode = 400;
    return outgoing.end(`{"error":{"message":${text},"type":"invalid_request_error","code":"x"}}`);
  });
  const gateway = await startGateway(t, over(upstream, { api_key: secret }));
  for (const body of [{}, { model: 'p/ok' }, { stream: true }]) {
    for (let i = 0; i < spellings.length; ++i) {
      if (body.model === 'p/ok' && spellings[number % spellings.length].includes('\\u002d')) { ++number; continue; }
      const response = await chat(gateway.url, body);
      const text = await response.text();
      assert.match(text, /you sent (Bearer )?\*\*\*/, `${JSON.stringify(body)} ${i}: ${text}`);
      assert.doesNotMatch(text, /0123456789/);
      assert.doesNotMatch(JSON.stringify([...response.headers]), /0123456789/);
    }
  }
});

test('a gateway that is its own provider stops a request the first time it comes round', async (t) => {
  const sim = await startSim(t);
  const placeholder = await startUpstream(t, good);
  // The port is known only once it listens, so the ring goes through a server of the test.
  let back = '';
  const ring = await startUpstream(t, (incoming, outgoing, body) => {
    const { 'content-length': _, host: __, ...headers } = incoming.headers;
    const onward = request(`${back}${incoming.url}`, { method: 'POST', headers }, (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.pipe(outgoing);
    });
    onward.end(body.replace('"model":"m"', '"model":"smart"'));
  });
  const configuration = over(ring);
  configuration.models.smart.retry = { max_attempts: 4, base: '1ms' };
  configuration.providers.other = { dialect: 'openai', base_url: `${sim.url}/v1` };
  configuration.models.safe = { targets: [{ provider: 'p', model: 'm' }, { provider: 'other', model: 'sim-ok' }] };
  const gateway = await startGateway(t, configuration);
  back = gateway.url;
  const response = await chat(gateway.url);
  const text = await response.text();
  assert.equal(response.status, 508, text);
  const { error } = JSON.parse(text);
  assert.equal(error.code, 'loop_detected');
  assert.match(error.message, /'p'/);
  assert.equal(ring.seen.length, 1, 'asked more than once');
  assert.equal((await chat(gateway.url, { model: 'safe' })).status, 200, 'the next target is asked');
  assert.equal(placeholder.seen.length, 0);
});

test('gateways in a row are no loop', async (t) => {
  const sim = await startSim(t);
  const last = await startGateway(t, modelOver([sim]));
  const first = await startGateway(t, {
    providers: { last: { dialect: 'openai', base_url: `${last.url}/v1` } },
    models: { smart: { targets: [{ provider: 'last', model: 'smart' }] } },
  });
  assert.equal((await chat(first.url)).status, 200);
});

test('a foreign name or page is a 403, and two origins are refused', async (t) => {
  const sim = await startSim(t);
  const gateway = await startGateway(t, { ...modelOver([sim]), allowed_hosts: ['llm.internal'] });
  const ask = async (...headers) => {
    const answer = await raw(gateway.port, `GET /v1/models HTTP/1.1\r\n${headers.join('\r\n')}\r\nconnection: close\r\n\r\n`);
    return { status: Number(answer.slice(9, 12)), code: answer.match(/"code":"(\w+)"/)?.[1] };
  };
  for (const headers of [['host: localhost'], ['host: LLM.internal:80'], ['host: [::1]', 'origin: http://llm.internal'], ['host: 127.0.0.1', 'origin: http://localhost:3000']]) {
    assert.equal((await ask(...headers)).status, 200, headers);
  }
  for (const headers of [['host: evil.example'], ['host: localhost', 'origin: https://evil.example'], ['host: localhost', 'origin: null'], ['host: llm.internal.evil.example']]) {
    assert.deepEqual(await ask(...headers), { status: 403, code: 'host_not_allowed' }, headers);
  }
  assert.equal((await ask('host: localhost', 'origin: http://localhost', 'origin: http://localhost')).status, 400);
});

test('behind a proxy the admin API wants its token', async (t) => {
  const sim = await startSim(t);
  const open = await startGateway(t, modelOver([sim]));
  const guarded = await startGateway(t, { ...modelOver([sim]), admin: { token: '${ADMIN}' } }, { env: { ADMIN: 'admin-secret' } });
  const ask = async (gateway, headers) => (await fetch(`${gateway.url}/admin/v1/state`, { headers })).status;
  assert.equal(await ask(open, {}), 200);
  for (const name of ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via']) {
    assert.equal(await ask(open, { [name]: '10.0.0.7' }), 401, name);
    assert.equal(await ask(guarded, { [name]: '10.0.0.7' }), 401, name);
    assert.equal(await ask(guarded, { [name]: '10.0.0.7', authorization: 'Bearer admin-secret' }), 200, name);
  }
  assert.equal(await ask(guarded, {}), 401);
  assert.equal(await ask(guarded, { authorization: 'Bearer wrong' }), 401);
  assert.equal((await chat(guarded.url)).status, 200, 'callers need no token');
});

test('localhost is both families', async (t) => {
  const sim = await startSim(t);
  const gateway = await startGateway(t, { ...modelOver([sim]), listen: 'localhost:0' });
  const hasIpv6 = !gateway.program.output.includes('has no ::1');
  for (const host of hasIpv6 ? ['127.0.0.1', '::1'] : ['127.0.0.1']) {
    const answer = await new Promise((resolve, reject) => {
      let text = '';
      const socket = connect(gateway.port, host, () => socket.write('GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n'));
      socket.on('data', (data) => { text += data; });
      socket.on('error', reject);
      socket.on('close', () => resolve(text));
    });
    assert.match(answer, /^HTTP\/1\.1 200 /, host);
  }
});

test('a path that is plainly meant is a 404 that says the right one', async (t) => {
  const sim = await startSim(t);
  const gateway = await startGateway(t, modelOver([sim]));
  for (const path of ['/chat/completions', '/v1/v1/chat/completions', '/v1/chat/completions/', '//v1/chat/completions', '/openai/v1/chat/completions']) {
    const response = await fetch(`${gateway.url}${path}`, { method: 'POST', body: '{"model":"smart","messages":[]}' });
    const text = await response.text();
    assert.equal(response.status, 404, text);
    assert.match(JSON.parse(text).error.message, /it is at \/v1\/chat\/completions$/);
  }
  assert.equal((await sim.calls()).length, 0);
});

test('a WebSocket is a 426 at once', async (t) => {
  const sim = await startSim(t);
  const gateway = await startGateway(t, modelOver([sim]));
  const answer = await raw(gateway.port, 'GET /v1/responses HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade, close\r\nupgrade: websocket\r\n' +
    'sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n');
  assert.match(answer, /^HTTP\/1\.1 426 Upgrade Required\r\n/);
  assert.match(answer, /"code":"upgrade_required"/);
});

test('a deciding field in two cases is a 400 that names it', async (t) => {
  const sim = await startSim(t);
  const gateway = await startGateway(t, modelOver([sim]));
  for (const body of ['{"model":"smart","Model":"other","messages":[]}', '{"model":"smart","messages":[],"M\\u006fdel":"x"}']) {
    const response = await chat(gateway.url, body);
    assert.equal(response.status, 400);
    assert.equal((await response.json()).error.param, 'Model');
  }
  assert.equal((await sim.calls()).length, 0);
});

test('what steers a terminal reaches neither the log nor a metric nor a header', async (t) => {  // TEL-4.9, TEL-4.10
  const upstream = await startUpstream(t, (incoming, outgoing) => { outgoing.statusCode = 503; outgoing.end('{}'); });
  const gateway = await startGateway(t, over(upstream));
  const model = 'p/m\u202Eevil\u009B31m\u200B\u2028';
  for (let i = 0; i < 5; ++i) await (await chat(gateway.url, { model })).text();
  const response = await chat(gateway.url, { model: `${model}x` });
  assert.equal(response.headers.get('x-fuseboard-target'), 'p/m\\u{202e}evil\\u{009b}31m\\u{200b}\\u{2028}x');
  await eventually(() => gateway.program.output, (output) => output.includes('closed -> open'), 'the circuit opens');
  const shown = gateway.program.output + (await (await fetch(`${gateway.url}/metrics`)).text()) + (await (await fetch(`${gateway.url}/admin/v1/state`)).text());
  assert.doesNotMatch(shown, /[\u0080-\u009F\u200B-\u200F\u2028-\u202E\u2066-\u2069\uFEFF]/);
  assert.match(gateway.program.output, /p\/m\\u\{202e\}evil\\u\{009b\}31m\\u\{200b\}\\u\{2028\}/);
});

test('the time that an SDK announces is kept', async (t) => {  // RTY-3.6
  const sim = await startSim(t);
  const gateway = await startGateway(t, modelOver([sim], { target: { model: 'sim-silent' } }));
  for (const name of ['x-stainless-timeout', 'x-stainless-read-timeout']) {
    const began = Date.now();
    const response = await chat(gateway.url, {}, { headers: { [name]: '0.75' } });
    assert.equal(response.status, 504);
    assert.ok(Date.now() - began >= 490, 'ended before its time');
    await response.text();
  }
});
