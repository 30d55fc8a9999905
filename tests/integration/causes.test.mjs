// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Why a call failed is said in words: to its caller, in the log, in the state. Each cause is a real one.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { createServer as createTcp } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { chat, eventually, scratch, startGateway, startSim } from './harness.mjs';

const openssl = (folder, ...args) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });

// A self-signed certificate for the given name.
function selfSigned(folder, name) {
  openssl(folder, 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-keyout', 'key.pem', '-out', 'cert.pem',
    '-subj', '/CN=upstream', '-addext', `subjectAltName=${name}`);
  return { key: readFileSync(join(folder, 'key.pem')), cert: readFileSync(join(folder, 'cert.pem')), ca: join(folder, 'cert.pem') };
}

// One that was good for January 2020: only `openssl ca` takes dates.
function expired(folder, name) {
  selfSigned(folder, name);
  mkdirSync(join(folder, 'issued'));
  writeFileSync(join(folder, 'index.txt'), '');
  writeFileSync(join(folder, 'ca.cnf'), `[ca]\ndefault_ca = here\n[here]\nnew_certs_dir = issued\ndatabase = index.txt\nrand_serial = yes\ndefault_md = sha256\npolicy = any\nx509_extensions = names\n[any]\ncommonName = supplied\n[names]\nsubjectAltName = ${name}\nbasicConstraints = CA:TRUE\n`);
  openssl(folder, 'req', '-new', '-key', 'key.pem', '-subj', '/CN=upstream', '-out', 'request.pem');
  openssl(folder, 'ca', '-batch', '-notext', '-config', 'ca.cnf', '-selfsign', '-keyfile', 'key.pem', '-in', 'request.pem', '-startdate', '20200101000000Z', '-enddate', '20200201000000Z', '-out', 'old.pem');
  return { key: readFileSync(join(folder, 'key.pem')), cert: readFileSync(join(folder, 'old.pem')), ca: join(folder, 'old.pem') };
}

async function listening(t, server) {
  const sockets = new Set();
  server.on('connection', (socket) => { sockets.add(socket); socket.on('close', () => sockets.delete(socket)); });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => { for (const socket of sockets) socket.destroy(); server.close(); });
  return server.address().port;
}

async function closedPort() {
  const server = createTcp();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

const over = (provider, model = {}) => ({
  providers: { there: { dialect: 'openai', ...provider } },
  models: { smart: { targets: [{ provider: 'there', model: 'sim-ok' }], retry: { max_attempts: 1 }, ...model } },
});

// What the caller, the log and the state say of a call that must fail.
async function failure(t, configuration, body = {}) {
  const gateway = await startGateway(t, configuration);
  const answer = await chat(gateway.url, body);
  const message = (await answer.json()).error.message;
  const [line] = await gateway.program.seen(/call failed .*/);
  const target = (await gateway.state()).models[0].targets[0];
  return { answer, message, line, target, gateway };
}

async function tells(t, configuration, pattern) {
  const { answer, message, line, target } = await failure(t, configuration);
  assert.equal(answer.status, 502);
  assert.match(message, pattern);
  assert.ok(message.startsWith('provider "there": '), message);
  assert.match(line, pattern);
  assert.match(line, new RegExp(`request_id=${answer.headers.get('x-request-id')} model=smart target=there/sim-ok ending=\\w+ attempts=\\d+ duration_ms=\\d+ cause=provider "there": `));
  assert.match(target.last_failure.cause, pattern);
  assert.ok(target.last_failure.ago_ms >= 0);
}

test('nobody listens', async (t) => {
  const port = await closedPort();
  await tells(t, over({ base_url: `http://127.0.0.1:${port}/v1` }), new RegExp(`connecting to http://127\\.0\\.0\\.1:${port}: Connection refused`));
});

test('there is no such name', async (t) => {
  await tells(t, over({ base_url: 'https://api.provider.invalid/v1' }), /the name api\.provider\.invalid has no address|no name server could be asked for api\.provider\.invalid/);
});

test('a certificate is self-signed, made out to another name, or has expired', async (t) => {
  const plain = (_, response) => response.end('{}');
  const known = selfSigned(scratch(t), 'IP:127.0.0.1');
  const port = await listening(t, createHttps(known, plain));
  await tells(t, over({ base_url: `https://127.0.0.1:${port}/v1` }), /the certificate of 127\.0\.0\.1 is self-signed/);
  const other = selfSigned(scratch(t), 'DNS:other.example');
  const otherPort = await listening(t, createHttps(other, plain));
  await tells(t, over({ base_url: `https://127.0.0.1:${otherPort}/v1`, tls: { ca: other.ca } }), /the certificate of 127\.0\.0\.1 is made out to another name/);
  const old = expired(scratch(t), 'IP:127.0.0.1');
  const oldPort = await listening(t, createHttps(old, plain));
  await tells(t, over({ base_url: `https://127.0.0.1:${oldPort}/v1`, tls: { ca: old.ca } }), /the certificate of 127\.0\.0\.1 has expired/);
});

test('a server that does not speak TLS', async (t) => {
  const port = await listening(t, createHttp((_, response) => response.end('{}')));
  await tells(t, over({ base_url: `https://127.0.0.1:${port}/v1` }), /https:\/\/127\.0\.0\.1:\d+ does not speak TLS; does its URL begin with http:/);
});

test('a redirect is an error that names the origin alone, and is not asked again', async (t) => {  // TEL-4.5
  for (const status of [301, 302, 307, 308]) {
    let asked = 0;
    const port = await listening(t, createHttp((_, response) => {
      ++asked;
      response.writeHead(status, { location: 'https://user:secret-word@new.example.com/secret-path?key=secret-key' }).end();
    }));
    const configuration = over({ base_url: `http://127.0.0.1:${port}/v1` }, { retry: { max_attempts: 3, base: '1ms' } });
    const { answer, message, line, target } = await failure(t, configuration);
    assert.equal(answer.status, 502);
    for (const text of [message, line, target.last_failure.cause]) {
      assert.match(text, new RegExp(`answered ${status}, a redirect to https://new\\.example\\.com, which is not followed; correct its base_url`));
      assert.doesNotMatch(text, /secret/);
    }
    assert.equal(asked, 1);
  }
});

test('a connection is reset, or closed without an answer', async (t) => {
  const resets = await listening(t, createTcp((socket) => { socket.once('data', () => socket.resetAndDestroy()); socket.on('error', () => {}); }));
  await tells(t, over({ base_url: `http://127.0.0.1:${resets}/v1` }), /the connection to http:\/\/127\.0\.0\.1:\d+ broke: Connection reset by peer/);
  const closes = await listening(t, createTcp((socket) => { socket.once('data', () => socket.end()); socket.on('error', () => {}); }));
  await tells(t, over({ base_url: `http://127.0.0.1:${closes}/v1` }), /http:\/\/127\.0\.0\.1:\d+ closed the connection before it answered/);
});

test('a silence says how long it was waited for', async (t) => {
  const silent = await listening(t, createTcp((socket) => { socket.on('error', () => {}); }));
  const { message, line, target } = await failure(t, over({ base_url: `http://127.0.0.1:${silent}/v1` }, { timeouts: { total: '300ms' } }));
  for (const text of [message, line, target.last_failure.cause]) assert.match(text, /no answer within 300ms/);
  const streams = await listening(t, createHttp((_, response) => { response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders(); }));
  const stream = await failure(t, over({ base_url: `http://127.0.0.1:${streams}/v1` }, { timeouts: { first_content: '300ms' } }), { stream: true });
  assert.match(stream.message, /no content within 300ms/);
});

test('an upstream\'s words are careful words to all but its own caller', async (t) => {  // TEL-4.3, TEL-4.4
  const port = await listening(t, createHttp((_, response) => {
    response.writeHead(503, { 'content-type': 'application/json', 'x-request-id': 'req_theirs' });
    response.end(JSON.stringify({ error: { message: 'The prompt "my diary" with key sk-secretsecret met an overloaded engine.', type: 'server_error' } }));
  }));
  const { answer, message, line, target } = await failure(t, over({ base_url: `http://127.0.0.1:${port}/v1` }));
  assert.equal(answer.status, 503);
  assert.match(message, /my diary/, 'the caller reads its own answer');
  assert.equal(answer.headers.get('x-fuseboard-upstream-request-id'), 'req_theirs');
  for (const text of [line, target.last_failure.cause]) {
    assert.match(text, /answered 503: The prompt … with key … met an overloaded engine/);
    assert.doesNotMatch(text, /diary|sk-secret/);
  }
  assert.match(line, /upstream request id req_theirs/);
});

test('an answer tells what its upstream calls the request', async (t) => {
  const port = await listening(t, createHttp((request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'application/json', 'request-id': 'req_theirs' });
    response.end(JSON.stringify({ id: 'c', object: 'chat.completion', model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }] }));
  }));
  const gateway = await startGateway(t, over({ base_url: `http://127.0.0.1:${port}/v1` }));
  const answer = await chat(gateway.url);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('x-fuseboard-upstream-request-id'), 'req_theirs');
  assert.equal(answer.headers.get('request-id'), null);
  await answer.text();
});

test('an opening circuit says in the log what its last failure was', async (t) => {
  const port = await closedPort();
  const gateway = await startGateway(t, over({ base_url: `http://127.0.0.1:${port}/v1` }, { breaker: { failure_threshold: 1 } }));
  await (await chat(gateway.url)).text();
  await gateway.program.seen(/there\/sim-ok: closed -> open after 1 failures? in a row, the last network \(connecting to http:\/\/127\.0\.0\.1:\d+: Connection refused\)/);
});

test('a target that a field rules out is named with the field, whoever fails then', async (t) => {
  const sim = await startSim(t);
  const broken = await closedPort();
  const providers = {
    broken: { dialect: 'openai', base_url: `http://127.0.0.1:${broken}/v1` },
    claude: { dialect: 'anthropic', base_url: sim.url },
  };
  const retry = { max_attempts: 1 };
  const gateway = await startGateway(t, {
    providers,
    models: {
      alone: { targets: [{ provider: 'claude', model: 'sim-ok' }], retry },
      behind: { targets: [{ provider: 'broken', model: 'm' }, { provider: 'claude', model: 'sim-ok' }], retry },
    },
  });
  const alone = await chat(gateway.url, { model: 'alone', logit_bias: { 1: 2 } });
  assert.equal(alone.status, 400);
  const error = (await alone.json()).error;
  assert.equal(error.param, 'logit_bias');
  assert.match(error.message, /claude\/sim-ok: .*logit_bias/);
  const behind = await chat(gateway.url, { model: 'behind', logit_bias: { 1: 2 } });
  assert.equal(behind.status, 502);
  assert.match((await behind.json()).error.message, /Connection refused.*; not asked: claude\/sim-ok: .*logit_bias/);
  await gateway.program.seen(/call failed .*model=behind .*Connection refused.*; not asked: claude\/sim-ok: .*logit_bias/);
});

test('a credential that its provider refused shows in the state, the log, readiness and the metrics, and is told when it is back', async (t) => {  // FBK-6.11, FBK-6.12, FBK-6.13, TEL-4.6
  let refusing = true;
  const port = await listening(t, createHttp((request, response) => {
    request.resume();
    response.writeHead(refusing ? 401 : 200, { 'content-type': 'application/json', ...(refusing && { 'retry-after': '5' }) });
    response.end(JSON.stringify(refusing ? { error: { message: 'Incorrect API key provided: sk-ab***yz.', type: 'invalid_request_error', code: 'invalid_api_key' } }
      : { id: 'c', object: 'chat.completion', model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }] }));
  }));
  const gateway = await startGateway(t, over({ base_url: `http://127.0.0.1:${port}/v1`, api_key: 'sk-never-told' }));
  const get = async (path) => { const answer = await fetch(gateway.url + path); return { status: answer.status, text: await answer.text() }; };
  assert.deepEqual(await get('/readyz'), { status: 200, text: 'ready\n' });
  assert.match((await get('/metrics')).text, /^fuseboard_credential_parked\{provider="there"\} 0$/m);
  const refused = await chat(gateway.url);
  assert.equal(refused.status, 502);
  assert.match((await refused.json()).error.message, /there\/sim-ok refused the credential it is configured with \(answered 401: invalid_api_key\)/);
  const { credentials, models } = await gateway.state();
  assert.equal(credentials.length, 1);
  assert.equal(credentials[0].provider, 'there');
  assert.equal(credentials[0].parked, true);
  assert.equal(credentials[0].reason, 'authentication');
  assert.ok(credentials[0].remaining_ms > 0 && credentials[0].remaining_ms <= 60_000, String(credentials[0].remaining_ms));
  assert.equal(models[0].targets[0].admits, false);
  const unready = await get('/readyz');
  assert.equal(unready.status, 503);
  assert.match(unready.text, /^no target accepts calls\nthe credential of there is parked for another \d+m?s?: authentication\nthere\/sim-ok: credential_parked\n$/);
  assert.match((await get('/metrics')).text, /^fuseboard_credential_parked\{provider="there"\} 1$/m);
  await gateway.program.seen(/the credential of there is parked for another \S+: authentication/);
  refusing = false;
  await eventually(async () => (await chat(gateway.url)).status, (status) => status === 200, 'the credential is tried again');
  await gateway.program.seen(/the credential of there is no longer parked/);
  assert.equal(gateway.program.output.match(/credential of there is parked/g).length, 1);
  assert.equal((await gateway.state()).models[0].targets[0].admits, true);
  assert.ok(!gateway.program.output.includes('sk-'));
});
