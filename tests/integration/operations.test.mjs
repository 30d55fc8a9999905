// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Health, metrics, state, routes, and the commands besides serve.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createServer } from 'node:https';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { Program, chat, modelOver, scratch, startGateway, startSim } from './harness.mjs';

const program = process.env.FUSEBOARD;
const run = (args, options = {}) => spawnSync(program, args, { encoding: 'utf8', ...options });

test('health, readiness, models and unknown routes', async (t) => {
  const sim = await startSim(t);
  const gateway = await startGateway(t, modelOver([sim]));
  const get = async (path, options) => {
    const response = await fetch(gateway.url + path, options);
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  assert.equal((await get('/healthz')).status, 200);
  assert.equal((await get('/readyz')).status, 200);
  assert.deepEqual(JSON.parse((await get('/v1/models')).text).data.map((model) => model.id), ['smart']);
  assert.equal(JSON.parse((await get('/v1/models/smart')).text).id, 'smart');
  assert.equal((await get('/v1/models/none')).status, 404);
  assert.equal((await get('/nowhere')).status, 404);
  const head = await get('/healthz', { method: 'HEAD' });
  assert.equal(head.status, 200);
  assert.equal(head.headers.get('content-length'), '3');
  assert.equal(head.text, '');
  assert.equal((await get('/v1/chat/completions', { method: 'HEAD' })).status, 405);
  assert.equal((await get('/healthz', { method: 'DELETE' })).headers.get('allow'), 'GET, HEAD');
  const wrong = await get('/v1/chat/completions');
  assert.equal(wrong.status, 405);
  assert.equal(wrong.headers.get('allow'), 'POST');
});

test('metrics count calls and show a series for each breaker state', async (t) => {  // TEL-2, TEL-3
  const sim = await startSim(t);
  const gateway = await startGateway(t, modelOver([sim], { model: { breaker: { failure_threshold: 1, open: '1h' } } }));
  await (await chat(gateway.url)).text();
  await sim.fails({ kind: 'status', status: 503 });
  await (await chat(gateway.url)).text();
  await (await chat(gateway.url, { model: 'primary/written-by-a-caller' })).text();
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  assert.ok(!text.includes('written-by-a-caller'), 'labels are bounded whatever callers write');
  const value = (series) => Number(text.split('\n').find((line) => line.startsWith(`${series} `))?.split(' ').at(-1));
  assert.equal(value('fuseboard_calls_total{model="smart",ending="success"}'), 1);
  assert.equal(value('fuseboard_calls_total{model="smart",ending="retries_exhausted"}'), 1);
  assert.equal(value('fuseboard_attempts_total{target="primary/sim-ok",result="service_unavailable"}'), 1);
  assert.equal(value('fuseboard_breaker_state{key="primary/sim-ok",state="open"}'), 1);
  assert.equal(value('fuseboard_breaker_state{key="primary/sim-ok",state="closed"}'), 0);
  assert.equal(value('fuseboard_breaker_state{key="primary/sim-ok",state="half_open"}'), 0);
  assert.equal(value('fuseboard_call_duration_seconds_count{model="smart"}'), 2);
});

test('the admin API refuses foreign hosts and origins', async (t) => {
  const sim = await startSim(t);
  const gateway = await startGateway(t, modelOver([sim]));
  const status = (headers) => new Promise((resolve, reject) => {
    request(`${gateway.url}/admin/v1/state`, { headers }, (response) => { response.resume(); resolve(response.statusCode); }).on('error', reject).end();
  });
  assert.equal(await status({}), 200);
  assert.equal(await status({ origin: 'http://localhost:3000' }), 200);
  assert.equal(await status({ host: 'evil.example' }), 403);
  assert.equal(await status({ origin: 'https://evil.example' }), 403);
});

test('a web page cannot spend the providers\' keys through a gateway on loopback', async (t) => {
  const sim = await startSim(t);
  const gateway = await startGateway(t, modelOver([sim]));
  const post = (headers) => new Promise((resolve, reject) => {
    const outgoing = request(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'text/plain', ...headers } }, (response) => { response.resume(); resolve(response.statusCode); });
    outgoing.on('error', reject);
    outgoing.end(JSON.stringify({ model: 'smart', messages: [{ role: 'user', content: 'Hello' }] }));
  });
  assert.equal(await post({ host: 'rebound.example' }), 403);
  assert.equal(await post({ origin: 'https://evil.example' }), 403);
  assert.equal((await sim.calls()).length, 0);
  assert.equal(await post({ origin: 'http://127.0.0.1:5173' }), 200);
  const open = await startGateway(t, { allow_anonymous: true, ...modelOver([sim]) });
  assert.equal((await fetch(`${open.url}/v1/models`, { headers: { origin: 'https://app.example' } })).status, 200);
});

test('an HTTPS upstream is verified against its configured authority', async (t) => {
  const folder = scratch(t);
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-keyout', 'key.pem', '-out', 'cert.pem',
    '-subj', '/CN=upstream', '-addext', 'subjectAltName=IP:127.0.0.1'], { cwd: folder, stdio: 'ignore' });
  let connections = 0;
  const server = createServer({ key: readFileSync(join(folder, 'key.pem')), cert: readFileSync(join(folder, 'cert.pem')) }, (incoming, response) => {
    incoming.resume();
    incoming.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({
      id: 'c', object: 'chat.completion', model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: 'over TLS' }, finish_reason: 'stop' }] })));
  });
  server.on('secureConnection', () => { ++connections; });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => { server.closeAllConnections(); server.close(); });
  const base_url = `https://127.0.0.1:${server.address().port}/v1`;
  const models = { smart: { targets: [{ provider: 'secure', model: 'm' }], retry: { max_attempts: 1 } } };

  const trusting = await startGateway(t, { providers: { secure: { dialect: 'openai', base_url, tls: { ca: join(folder, 'cert.pem') } } }, models });
  for (let i = 0; i < 3; ++i) assert.equal((await (await chat(trusting.url)).json()).choices[0].message.content, 'over TLS');
  assert.ok(connections <= 2, `the connection is kept: ${connections} for 3 calls over at most 2 loops`);

  const distrusting = await startGateway(t, { providers: { secure: { dialect: 'openai', base_url } }, models });
  const refused = await chat(distrusting.url);
  assert.equal(refused.status, 502);
  assert.equal((await distrusting.breaker('secure/m')).last_failure, 'network');
});

test('check prints every problem with its place and exits 1; a good file exits 0', async (t) => {  // CORE-6
  const folder = scratch(t);
  const file = join(folder, 'fuseboard.yaml');
  writeFileSync(file, 'listen: 127.0.0.1:0\nproviders:\n  a: {dialect: openai, base_url: "http://127.0.0.1:1/v1", api_key: topsecret}\nmodels:\n  m:\n    retry: {max_attempts: 0}\n    target: []\n    targets: [{provider: b, model: x}]\n');
  const bad = run(['check'], { cwd: folder });
  assert.equal(bad.status, 1);
  assert.match(bad.stderr, /fuseboard\.yaml:6:\d+: models\.m\.retry\.max_attempts: 0 is not allowed; allowed: 1 to 100/);
  assert.match(bad.stderr, /fuseboard\.yaml:7:\d+: .*target.*targets/);
  assert.match(bad.stderr, /fuseboard\.yaml:8:\d+: /);
  assert.ok(!bad.stderr.includes('topsecret'));
  const json = JSON.parse(run(['check', '--json'], { cwd: folder }).stdout);
  assert.equal(json.ok, false);
  assert.equal(json.problems.length, 3);
  const serve = run(['serve'], { cwd: folder });
  assert.equal(serve.status, 1);
  assert.match(serve.stderr, /max_attempts/);

  writeFileSync(file, 'providers:\n  a: {dialect: openai, base_url: "http://127.0.0.1:1/v1"}\nmodels:\n  m: {targets: [{provider: a, model: x}]}\n');
  const good = run(['check', '--config', file]);
  assert.equal(good.status, 0, good.stderr);
  assert.match(good.stdout, /ok, 1 models? over 1 providers?/);
  assert.equal(run(['check', '--config', join(folder, 'missing.yaml')]).status, 1);
});

test('what makes serve fail is found by check, with its place', (t) => {  // CORE-6
  const folder = scratch(t);
  const file = join(folder, 'fuseboard.yaml');
  writeFileSync(join(folder, 'empty.pem'), 'nothing\n');
  const target = (i) => `      - {provider: a, model: m${i}}\n`;
  const faults = [
    { text: `providers:\n  a: {dialect: openai, base_url: "https://a.example/v1", tls: {ca: empty.pem}}\n`, says: /fuseboard\.yaml:2:\d+: providers\.a\.tls\.ca: there is no certificate in this file/ },
    { text: `providers:\n  a: {dialect: openai, base_url: "https://a.example/v1"}\nmodels:\n  m:\n    targets:\n${Array.from({ length: 70 }, (_, i) => target(i)).join('')}`, says: /fuseboard\.yaml:6:\d+: models\.m\.targets: a model has at most 64 targets; here are 70/ },
  ];
  for (const { text, says } of faults) {
    writeFileSync(file, text);
    for (const args of [['check'], ['serve', '--listen', '127.0.0.1:0']]) {
      const ended = run(args, { cwd: folder, timeout: 30_000 });
      assert.equal(ended.status, 1);
      assert.match(ended.stderr, says);
    }
  }
});

test('check takes its file by position too, and check and serve warn of what is hardly meant', async (t) => {
  const folder = scratch(t);
  writeFileSync(join(folder, 'other.yml'), 'listen: 127.0.0.1:0\nproviders:\n  a: {dialect: openai, base_url: "https://api.openai.com", api_key: $OPENAI_API_KEY}\nmodels:\n  m: {targets: [{provider: a, model: x, weight: 3}]}\n');
  const warned = (text) => {
    const lines = text.split('\n').filter((line) => line.startsWith('warning: '));
    assert.equal(lines.length, 3, text);
    assert.match(lines[0], /other\.yml:3:\d+: providers\.a\.base_url: .*https:\/\/api\.openai\.com\/v1 is probably meant/);
    assert.match(lines[1], /other\.yml:3:\d+: providers\.a\.api_key: .*\$\{NAME\}/);
    assert.match(lines[2], /other\.yml:5:\d+: models\.m\.targets\[0\]\.weight: does nothing/);
  };
  const checked = run(['check', 'other.yml'], { cwd: folder });
  assert.equal(checked.status, 0);
  warned(checked.stderr);
  assert.equal(JSON.parse(run(['check', '--json', 'other.yml'], { cwd: folder }).stdout).warnings.length, 3);
  const serving = new Program(t, ['serve', '--config', 'other.yml'], { cwd: folder });
  await serving.seen(/Listening on/);
  warned(serving.errors);

  writeFileSync(join(folder, 'fuseboard.yml'), 'providers: {}\n');
  const aside = run(['check'], { cwd: folder });
  assert.equal(aside.status, 1);
  assert.match(aside.stderr, /warning: fuseboard\.yml: is not read by itself; rename it to fuseboard\.yaml/);
  const demo = new Program(t, ['serve', '--listen', '127.0.0.1:0'], { cwd: folder });
  await demo.seen(/the demo[\s\S]*Listening on/);
  assert.match(demo.errors, /warning: fuseboard\.yml: is not read by itself/);
});

test('a slip in a command or an option is told with the name that is meant', () => {
  const told = (...args) => { const ended = run(args); assert.equal(ended.status, 2); return ended.stderr; };
  assert.match(told('chekc'), /there is no command 'chekc'; did you mean 'check'\?/);
  assert.match(told('explode-everything'), /there is no command 'explode-everything'; there is: .*serve/);
  assert.match(told('serve', '--confg', 'x'), /fuseboard serve: there is no option '--confg'; did you mean '--config'\?/);
  assert.match(told('check', '--jsno'), /fuseboard check: there is no option '--jsno'; did you mean '--json'\?/);
  assert.match(told('sim-provider', '--port', '70000'), /--port: must be a whole number from 0 to 65535, not '70000'/);
  assert.match(told('sim-provider', '--port', '0', '--seed', '-1'), /--seed: must be a whole number from 0 to 18446744073709551615, not '-1'/);
  assert.match(told('sim-provider', '--prot', '1'), /fuseboard sim-provider: there is no option '--prot'; did you mean '--port'\?/);
  assert.match(told('--versoin'), /fuseboard: there is no option '--versoin'; did you mean '--version'\?/);
  assert.match(told('serve', '--lisen=1'), /there is no option '--lisen'; did you mean '--listen'\?/);
  assert.match(told('check', 'a.yaml', 'b.yaml'), /fuseboard check: 'b\.yaml' is one argument too many/);
});

test('metrics tell what is running, what it costs and how the process is', async (t) => {  // TEL-3, TEL-1.2, TEL-1.3, TEL-1.4
  const sim = await startSim(t);
  const gateway = await startGateway(t, { ...modelOver([sim]), prices: { 'primary/sim-ok': { input: '1.00', output: '1.00' } } });
  const answer = await (await chat(gateway.url)).json();
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  const value = (series) => Number(text.split('\n').find((line) => line.startsWith(`${series} `))?.split(' ').at(-1));
  assert.match(text, /^fuseboard_build_info\{version="\d+\.\d+\.\d+",commit="[^"]+",compiler="clang [^"]+"\} 1$/m);
  assert.equal(value('fuseboard_tokens_total{model="smart",target="primary/sim-ok"}'), answer.usage.total_tokens);
  assert.ok(Math.abs(value('fuseboard_cost_usd_total{model="smart",target="primary/sim-ok"}') - answer.usage.total_tokens / 1e6) < 1e-9);
  assert.equal(value('fuseboard_call_duration_seconds_bucket{model="smart",le="600"}'), 1);
  assert.ok(value('process_resident_memory_bytes') > 1e6);
  assert.ok(value('process_virtual_memory_bytes') >= value('process_resident_memory_bytes'));
  assert.ok(value('process_open_fds') > 3 && value('process_open_fds') <= value('process_max_fds'));
  assert.ok(value('process_cpu_seconds_total') > 0);
  assert.ok(Math.abs(value('process_start_time_seconds') - Date.now() / 1000) < 600);
  const announced = new Set();
  for (const line of text.trim().split('\n')) {
    const [, kind, name] = line.match(/^# (HELP|TYPE) (\S+)/) ?? [];
    if (kind === 'TYPE') { assert.ok(!announced.has(name), `${name} is announced twice`); announced.add(name); }
    if (!kind) assert.ok(announced.has(line.match(/^[a-z_]+/)[0].replace(/_(bucket|sum|count)$/, '')) || announced.has(line.match(/^[a-z_]+/)[0]), line);
  }
});

test('the page for operators lists every family of the metrics as it is', async (t) => {
  const gateway = await startGateway(t, modelOver([await startSim(t)]));
  await (await chat(gateway.url)).arrayBuffer();
  const families = new Map();
  let family;
  for (const line of (await (await fetch(`${gateway.url}/metrics`)).text()).trim().split('\n')) {
    const [, kind, name, rest] = line.match(/^# (HELP|TYPE) (\S+) (.*)$/) ?? [];
    if (kind) {
      family = families.get(name) ?? { labels: new Set() };
      families.set(name, { ...family, [kind]: rest });
    } else {
      for (const [, label] of line.matchAll(/(\w+)="/g)) if (label !== 'le') family.labels.add(label);
    }
  }
  const page = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
  const documented = [...page.matchAll(/^\| `((?:fuseboard|process)_\w+)` \| (\w+) \| (.*?) \| (.*) \|$/gm)]
    .map(([, name, type, labels, help]) => `${name} ${type} {${labels.replaceAll('`', '')}} ${help}`);
  const shown = [...families].map(([name, { TYPE, HELP, labels }]) => `${name} ${TYPE} {${[...labels].sort().join(', ')}} ${HELP}`);
  assert.deepEqual(documented.sort(), shown.sort());
});

test('version and usage', () => {
  const version = run(['version']);
  assert.equal(version.status, 0);
  assert.match(version.stdout, /^fuseboard \d+\.\d+\.\d+\n/);
  assert.match(JSON.parse(run(['version', '--json']).stdout).compiler, /clang/);
  assert.equal(run(['--version']).stdout, version.stdout.split('\n')[0] + '\n');
  const nonsense = run(['nonsense']);
  assert.equal(nonsense.status, 2);
  assert.match(nonsense.stderr, /no command 'nonsense'/);
  assert.equal(run([]).status, 2);
  assert.equal(run(['--help']).status, 0);
  for (const command of ['serve', 'check', 'sim-provider', 'version']) assert.equal(run([command, '--help']).status, 0);
});

test('serve says what is wrong with an address and with a port that is taken', async (t) => {
  const sim = await startSim(t);
  const folder = scratch(t);
  assert.equal(run(['serve', '--listen', 'nowhere'], { cwd: folder }).status, 2);
  const taken = run(['serve', '--listen', `127.0.0.1:${sim.port}`], { cwd: folder });
  assert.equal(taken.status, 1);
  assert.match(taken.stderr, /in use/);
  const open = run(['serve', '--listen', '0.0.0.0:0'], { cwd: folder });
  assert.equal(open.status, 1);
  assert.match(open.stderr, /allow_anonymous/);
});

test('without a configuration the demo serves, its curl line works as pasted, and a circuit opens and closes', async (t) => {
  const demo = new Program(t, ['serve', '--listen', '127.0.0.1:0'], { cwd: scratch(t), env: { OPENAI_API_KEY: 'sk-never-sent' } });
  const [, command] = await demo.seen(/\n( +curl [\s\S]*?'\n)\n/);
  const answer = JSON.parse(execFileSync('sh', ['-c', `${command.trim()} -s -i`], { encoding: 'utf8' }).split('\r\n\r\n')[1]);
  assert.ok(answer.choices[0].message.content.length > 0);
  assert.match(demo.output, /OPENAI_API_KEY is set/);
  assert.ok(!demo.output.includes('sk-never-sent'));
  await demo.seen(/sim-primary\/\S+: closed -> open [\s\S]*half_open -> closed after a good probe/, 90_000);
  demo.signal('SIGTERM');
  assert.deepEqual(await demo.exit, { code: 0, signal: null });
});
