// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The ranges that docs/configuration.md tells are those that the program allows.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratch } from './harness.mjs';

const program = process.env.FUSEBOARD;
const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');

// Where the keys of a table stand in a model or its target.
const places = { breaker: ['breaker'], retry: ['retry'], limits: ['limits'], targets: [], cache: ['cache'] };

// The rows whose third column is a range between two literals: { section, key, least, most }.
function documentedRanges() {
  const rows = [];
  let section;
  for (const line of page.split('\n')) {
    section = line.match(/^#+ `(\w+)`/)?.[1] ?? (line.startsWith('#') ? undefined : section);
    const [, key, least, most] = line.match(/^\| `([\w.]+)` \| [^|]* \| (\d[\w.]*) to (\d[\w.]*)(?:,[^|]*)? \|/) ?? [];
    if (key && section in places) rows.push({ section, key, least, most });
  }
  return rows;
}

// `value` times `factor` in its own unit.
function scaled(value, factor) {
  const [, number, unit] = value.match(/^([\d.]+)(\w*)$/);
  return `${Number(number) * factor}${unit}`;
}

// Sizes are told in bytes where they are refused.
function asTold(value) {
  const [, number, unit] = value.match(/^([\d.]+)([KMG]iB)$/) ?? [];
  return unit ? String(Number(number) * 1024 ** { KiB: 1, MiB: 2, GiB: 3 }[unit]) : value;
}

function configuration({ section, key }, value) {
  const target = { provider: 'a', model: 'x' };
  const model = { targets: [target] };
  const path = [...places[section], ...key.split('.')];
  let at = section === 'targets' ? target : model;
  for (const step of path.slice(0, -1)) at = at[step] ??= {};
  at[path.at(-1)] = value;
  return { providers: { a: { dialect: 'openai', base_url: 'http://a.test' } }, models: { m: model } };
}

test('every range that the page tells is the one that check enforces', (t) => {
  const file = join(scratch(t), 'fuseboard.yaml');
  const problem = (row, value) => {
    // JSON is YAML, but for quotes: numbers and durations are written without.
    writeFileSync(file, JSON.stringify(configuration(row, value)).replaceAll(/"(-?\d[\w.]*)"/g, '$1'));
    const { problems } = JSON.parse(spawnSync(program, ['check', '--json', file], { encoding: 'utf8' }).stdout);
    return problems.find(({ field }) => field.endsWith(`.${row.key}`));
  };
  const rows = documentedRanges();
  assert.ok(rows.length >= 25, `${rows.length} rows were found`);
  for (const row of rows) {
    const name = `${row.section}.${row.key}`;
    for (const good of [row.least, row.most]) assert.equal(problem(row, good), undefined, `${name}: ${good}`);
    const bad = [scaled(row.most, 2)];
    if (Number.parseFloat(row.least) > 0) bad.push(/[a-z]s?$/.test(row.least) && !row.least.endsWith('iB') ? '0s' : '0');
    for (const value of bad) assert.equal(problem(row, value)?.allowed, `${asTold(row.least)} to ${asTold(row.most)}`, `${name}: ${value}`);
  }
});
