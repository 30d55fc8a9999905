// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Who is asked, in which words and with whose credential.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { chat, eventually, scratch, startGateway, startSim, textOf } from './harness.mjs';

const question = [{ role: 'user', content: 'Which fuse is it?' }];

function post(gateway, path, body, headers = {}) {
  return fetch(`${gateway.url}${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) });
}
const messages = (gateway, body = {}, headers = {}) =>
  post(gateway, '/v1/messages', { model: 'smart', max_tokens: 100, messages: question, ...body }, { 'anthropic-version': '2023-06-01', ...headers });

// What sim-inspect received, as it tells in its answer.
const inspected = async (response) => {
  const body = await response.json();
  return JSON.parse(body.choices?.[0].message.content ?? body.content[0].text);
};

test('a hedge answers in place of a target that takes its time, and the loser is let go', async (t) => {
  const slow = await startSim(t);
  const quick = await startSim(t, ['--seed', '2']);
  const gateway = await startGateway(t, {
    providers: { slow: { dialect: 'openai', base_url: `${slow.url}/v1` }, quick: { dialect: 'openai', base_url: `${quick.url}/v1` } },
    models: { smart: { hedge: { after_percentile: 0.5 }, targets: [{ provider: 'slow', model: 'sim-ok' }, { provider: 'quick', model: 'sim-ok' }] } },
  });
  // The percentile must be known first. Half of these calls are slower than it, so some are hedged already; whoever answers them counts.
  // Streams and plain calls are learned apart.
  for (let i = 0; i < 80; ++i) await chat(gateway.url, { stream: i % 2 === 0, max_tokens: 1 }).then((response) => response.text());
  await slow.reset();
  await slow.faults({ phases: [{ requests: 10, faults: [{ kind: 'behaviour', name: 'sim-slow-first-token:20s' }] }] });
  for (const stream of [true, false]) {
    const response = await chat(gateway.url, { stream });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('x-fuseboard-target'), 'quick/sim-ok');
    assert.equal(response.headers.get('x-fuseboard-attempts'), '2');
    const text = await response.text();
    assert.ok((stream ? textOf(text) : JSON.parse(text).choices[0].message.content).length > 0);
  }
  await eventually(() => slow.calls(), (calls) => calls.filter((call) => call.client_left).length === 2, 'both losers to be cancelled');
});

test('a response that goes on from an earlier one stays with the provider that has it', async (t) => {
  const first = await startSim(t);
  const second = await startSim(t, ['--seed', '2']);
  const gateway = await startGateway(t, {
    providers: { first: { dialect: 'openai', base_url: `${first.url}/v1` }, second: { dialect: 'openai', base_url: `${second.url}/v1` } },
    models: { smart: { retry: { max_attempts: 1 }, targets: [{ provider: 'first', model: 'sim-ok' }, { provider: 'second', model: 'sim-ok' }] } },
  });
  const ask = (more = {}) => post(gateway, '/v1/responses', { model: 'smart', input: 'Hello', ...more });
  await first.fails({ kind: 'status', status: 503 });
  const { id } = await (await ask()).json();
  await first.recovers();
  for (const stream of [false, true]) {
    const next = await ask({ previous_response_id: id, stream });
    assert.equal(next.status, 200, await next.clone().text());
    assert.equal(next.headers.get('x-fuseboard-target'), 'second/sim-ok');
    await next.text();
  }
  await first.reset();
  await second.fails({ kind: 'status', status: 503 });
  const failed = await ask({ previous_response_id: id });
  assert.equal(failed.status, 503);
  assert.equal((await first.calls()).length, 0, 'nobody else is asked');
  // An id that nobody here has seen goes where such requests go first, and nowhere else.
  const unknown = await ask({ previous_response_id: 'resp_unknown' });
  assert.equal(unknown.status, 400);
  assert.equal((await first.calls()).length, 1);
});

test("a passthrough provider gets each caller's own credential, in its dialect's header; others get their own", async (t) => {
  const sim = await startSim(t);
  const gateway = await startGateway(t, {
    providers: {
      oai: { dialect: 'openai', base_url: `${sim.url}/v1`, auth: 'passthrough' },
      ant: { dialect: 'anthropic', base_url: sim.url, auth: 'passthrough' },
      own: { dialect: 'openai', base_url: `${sim.url}/v1`, auth: 'api-key', api_key: 'sk-provider', headers: { 'x-team': 'a' }, query: { 'api-version': '1' } },
    },
  });
  const bearer = { authorization: 'Bearer sk-caller' };
  const same = await inspected(await chat(gateway.url, { model: 'oai/sim-inspect' }, { headers: bearer }));
  assert.equal(same.headers.authorization, 'Bearer sk-caller');
  const across = await inspected(await chat(gateway.url, { model: 'ant/sim-inspect' }, { headers: bearer }));
  assert.equal(across.headers['x-api-key'], 'sk-caller');
  assert.equal(across.headers.authorization, undefined);
  assert.equal(across.headers['anthropic-version'], '2023-06-01');
  const back = await inspected(await messages(gateway, { model: 'oai/sim-inspect' }, { 'x-api-key': 'sk-ant-caller', 'anthropic-beta': 'x' }));
  assert.equal(back.headers.authorization, 'Bearer sk-ant-caller');
  assert.equal(back.headers['x-api-key'], undefined);
  assert.equal(back.headers['anthropic-beta'], undefined);
  const own = await inspected(await chat(gateway.url, { model: 'own/sim-inspect' }, { headers: bearer }));
  assert.equal(own.headers['api-key'], '***', 'the provider\'s, which is told to nobody');
  assert.equal(own.headers.authorization, undefined);
  assert.equal(own.headers['x-team'], 'a');
  assert.equal(own.target, '/v1/chat/completions?api-version=1');
  const beta = await inspected(await post(gateway, '/v1/messages?beta=true', { model: 'ant/sim-inspect', max_tokens: 10, messages: question }, { 'anthropic-version': '2023-06-01', 'anthropic-beta': 'tools' }));
  assert.equal(beta.target, '/v1/messages?beta=true');
  assert.equal(beta.headers['anthropic-beta'], 'tools');
});

test("a caller's refused credential is the caller's own affair with a passthrough provider", async (t) => {
  const sim = await startSim(t);
  const gateway = await startGateway(t, { providers: { oai: { dialect: 'openai', base_url: `${sim.url}/v1`, auth: 'passthrough' }, kept: { dialect: 'openai', base_url: `${sim.url}/v1`, api_key: 'sk-ours' } } });
  for (let i = 0; i < 3; ++i) assert.equal((await chat(gateway.url, { model: 'oai/sim-401' })).status, 401);
  assert.equal((await sim.calls()).length, 3, 'no credential is parked');
  assert.equal((await chat(gateway.url, { model: 'oai/sim-ok' })).status, 200);
  assert.equal((await chat(gateway.url, { model: 'kept/sim-401' })).status, 502);
});

test('a field that has no words in the other dialect rules a target out, or is dropped where that is wanted', async (t) => {
  const sim = await startSim(t);
  const gateway = await startGateway(t, {
    providers: { ant: { dialect: 'anthropic', base_url: sim.url }, oai: { dialect: 'openai', base_url: `${sim.url}/v1` } },
    models: {
      strict: { targets: [{ provider: 'ant', model: 'sim-ok' }] },
      lenient: { unsupported_fields: 'drop', targets: [{ provider: 'ant', model: 'sim-ok' }] },
      mixed: { targets: [{ provider: 'ant', model: 'sim-ok' }, { provider: 'oai', model: 'sim-ok' }] },
    },
  });
  const biased = { logit_bias: { 50256: -100 } };
  const refused = await chat(gateway.url, { model: 'strict', ...biased });
  assert.equal(refused.status, 400);
  assert.equal((await refused.json()).error.param, 'logit_bias');
  assert.equal((await sim.calls()).length, 0);
  assert.equal((await chat(gateway.url, { model: 'lenient', ...biased })).status, 200);
  const other = await chat(gateway.url, { model: 'mixed', ...biased });
  assert.equal(other.headers.get('x-fuseboard-target'), 'oai/sim-ok');
  assert.equal(other.headers.get('x-fuseboard-attempts'), '1');
});

test('tokens are counted by whoever can, and guessed where nobody can', async (t) => {
  const sim = await startSim(t);
  const gateway = await startGateway(t, { providers: { ant: { dialect: 'anthropic', base_url: sim.url }, oai: { dialect: 'openai', base_url: `${sim.url}/v1` } } });
  const count = (model) => post(gateway, '/v1/messages/count_tokens', { model, messages: question }, { 'anthropic-version': '2023-06-01' });
  const counted = await count('ant/sim-ok');
  assert.equal(counted.headers.get('x-fuseboard-estimate'), null);
  assert.ok((await counted.json()).input_tokens > 0);
  const guessed = await count('oai/sim-ok');
  assert.equal(guessed.headers.get('x-fuseboard-estimate'), '1');
  assert.ok((await guessed.json()).input_tokens > 0);
});

test('another path below /v1 with a model is relayed as it is, in its dialect alone', async (t) => {
  const sim = await startSim(t);
  const gateway = await startGateway(t, {
    providers: { ant: { dialect: 'anthropic', base_url: sim.url }, oai: { dialect: 'openai', base_url: `${sim.url}/v1` } },
    models: { smart: { targets: [{ provider: 'ant', model: 'sim-ok' }, { provider: 'oai', model: 'sim-named' }] } },
  });
  const relayed = await post(gateway, '/v1/rerank?top=1', { model: 'smart', documents: ['a'] });
  assert.equal(relayed.status, 404, 'the upstream has no such path, and says so itself');
  assert.equal(relayed.headers.get('x-fuseboard-target'), 'oai/sim-named');
  assert.deepEqual((await sim.calls()).map(({ path }) => path), ['/v1/rerank']);
  const bare = await post(gateway, '/v1/rerank', { documents: ['a'] });
  assert.equal(bare.status, 400);
  assert.equal((await bare.json()).error.param, 'model');
  assert.equal((await fetch(`${gateway.url}/v1/rerank`)).status, 404);
});

// fetch() would tidy the path.
function raw(port, path, body) {
  return new Promise((resolve, reject) => {
    const text = JSON.stringify(body);
    request({ port, path, method: 'POST', headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) } }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    }).on('error', reject).end(text);
  });
}

test('no path leads out of where a credential is meant for', async (t) => {
  const sim = await startSim(t);
  const gateway = await startGateway(t, { providers: { oai: { dialect: 'openai', base_url: `${sim.url}/v1`, api_key: 'sk-ours' } } });
  for (const path of ['/v1/../admin', '/v1/%2e%2e/admin', '/v1/x/..%2fadmin', '/v1//admin', '/v1/x%5c..%5cy', '/v1/./x']) {
    assert.equal(await raw(gateway.port, path, { model: 'oai/sim-ok' }), 404, path);
  }
  assert.equal((await sim.calls()).length, 0);
});

test('what may create something is not asked for twice', async (t) => {
  const sim = await startSim(t);
  const gateway = await startGateway(t, {
    providers: { oai: { dialect: 'openai', base_url: `${sim.url}/v1` } },
    models: { smart: { retry: { base: '10ms' }, targets: [{ provider: 'oai', model: 'sim-ok' }] } },
  });
  await sim.fails({ kind: 'status', status: 503 });
  await post(gateway, '/v1/fine_tuning/jobs', { model: 'smart', training_file: 'file-1' });
  assert.equal((await sim.log()).requests.length, 1);
  await sim.reset();
  await post(gateway, '/v1/moderations', { model: 'smart', input: 'x' });
  assert.equal((await sim.log()).requests.length, 4);
});

test('errors and lists speak the dialect of their caller', async (t) => {
  const sim = await startSim(t);
  const gateway = await startGateway(t, {
    providers: { oai: { dialect: 'openai', base_url: `${sim.url}/v1` } },
    models: { smart: { retry: { max_attempts: 1 }, targets: [{ provider: 'oai', model: 'sim-429' }] } },
  });
  const limited = await messages(gateway);
  assert.equal(limited.status, 429);
  const { type, error, request_id } = await limited.json();
  assert.equal(type, 'error');
  assert.equal(error.type, 'rate_limit_error');
  assert.equal(request_id, limited.headers.get('request-id'));
  const unknown = await messages(gateway, { model: 'nobody' });
  assert.equal(unknown.status, 404);
  assert.equal((await unknown.json()).error.type, 'not_found_error');
  const wrong = await messages(gateway, { messages: 'hello' });
  assert.equal(wrong.status, 400);
  assert.equal((await wrong.json()).error.type, 'invalid_request_error');
  const list = await (await fetch(`${gateway.url}/v1/models`, { headers: { 'anthropic-version': '2023-06-01' } })).json();
  assert.deepEqual(list.data.map(({ id, type: kind }) => [id, kind]), [['smart', 'model']]);
  assert.equal(list.has_more, false);
});

test('limits are told in the words of the caller, whoever set them', async (t) => {
  const sim = await startSim(t);
  const gateway = await startGateway(t, {
    providers: { oai: { dialect: 'openai', base_url: `${sim.url}/v1` }, ant: { dialect: 'anthropic', base_url: sim.url } },
    models: {
      theirs: { retry: { max_attempts: 1 }, targets: [{ provider: 'ant', model: 'sim-limited:5' }] },
      ours: { limits: { rpm: 20 }, targets: [{ provider: 'oai', model: 'sim-ok' }] },
    },
  });
  const translated = await chat(gateway.url, { model: 'theirs' });
  assert.equal(translated.headers.get('x-ratelimit-limit-requests'), '5');
  assert.equal(translated.headers.get('x-ratelimit-remaining-requests'), '4');
  assert.equal(translated.headers.get('anthropic-ratelimit-requests-limit'), null);
  // A tenth of a minute's worth may go at once: two.
  const own = await messages(gateway, { model: 'ours' });
  assert.equal(own.headers.get('anthropic-ratelimit-requests-limit'), '20');
  assert.equal(own.headers.get('anthropic-ratelimit-requests-remaining'), '1');
  assert.equal((await chat(gateway.url, { model: 'ours' })).headers.get('x-ratelimit-remaining-requests'), '0');
  const refused = await chat(gateway.url, { model: 'ours' });
  assert.equal(refused.status, 429);
  assert.equal(refused.headers.get('x-ratelimit-limit-requests'), '20');
  assert.equal(refused.headers.get('x-ratelimit-remaining-requests'), '0');
  const wait = Number(refused.headers.get('retry-after-ms'));
  assert.ok(wait > 0 && wait <= 3300, `${wait}`);
});

test('what an answer says of its limits holds, whatever else it says', async (t) => { // LIM-4.4
  const sim = await startSim(t);
  const model = (name) => ({ retry: { max_attempts: 1 }, targets: [{ provider: 'oai', model: `sim-limited:1+${name}` }] });
  const kinds = { good: 'sim-ok', filtered: 'sim-refusal', wrong: 'sim-400', failed: 'sim-500-once' };
  const gateway = await startGateway(t, {
    providers: { oai: { dialect: 'openai', base_url: `${sim.url}/v1` } },
    models: Object.fromEntries(
      Object.entries(kinds).flatMap(([kind, name]) => [false, true].map((stream) => [`${kind}-${stream}`, model(`${name}#${kind}-${stream}`)])),
    ),
  });
  for (const kind of Object.keys(kinds)) {
    for (const stream of [false, true]) {
      const ask = { model: `${kind}-${stream}`, stream };
      const first = await chat(gateway.url, ask);
      await first.text();
      assert.equal(first.headers.get('x-fuseboard-attempts'), '1', ask.model);
      assert.notEqual(first.status, 429, ask.model);
      // It was the only one that the provider takes in this minute, so the next is not even sent.
      const second = await chat(gateway.url, ask);
      await second.text();
      assert.equal(second.status, 429, ask.model);
      assert.equal(second.headers.get('x-fuseboard-attempts'), '0', ask.model);
    }
  }
});

test('a provider behind an authority of its own is trusted by its CA file alone', async (t) => {
  const folder = scratch(t);
  const key = join(folder, 'key.pem');
  const ca = join(folder, 'ca.pem');
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', ca, '-days', '2', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'], { stdio: 'ignore' });
  const server = createServer({ key: readFileSync(key), cert: readFileSync(ca) }, (request, response) => {
    request.resume().on('end', () => response.setHeader('content-type', 'application/json').end(JSON.stringify({ object: 'chat.completion', model: 'tls', choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }] })));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const base_url = `https://127.0.0.1:${server.address().port}/v1`;
  const gateway = await startGateway(t, {
    providers: { trusted: { dialect: 'openai', base_url, tls: { ca } }, stranger: { dialect: 'openai', base_url } },
    models: { trusted: { targets: [{ provider: 'trusted', model: 'm' }] }, stranger: { retry: { max_attempts: 1 }, targets: [{ provider: 'stranger', model: 'm' }] } },
  });
  assert.equal((await chat(gateway.url, { model: 'trusted' })).status, 200);
  assert.equal((await chat(gateway.url, { model: 'stranger' })).status, 502);
});
