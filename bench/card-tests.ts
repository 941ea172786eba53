/**
 * Runs test files on a machine with a GPU but without Jest, from packed bundles of this program and of the files.
 * Node's own runner replaces Jest's; `expect` and `each` are Jest's. No snapshots, no mocks.
 *
 *   node --test-reporter=tap card-tests.mjs FILE...
 */
import { resolve } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { expect } from 'expect';
import { bind } from 'jest-each';
import { UsageError } from '../src/common/errors.js';

const files = process.argv.slice(2);
if (files.length === 0) throw new UsageError('usage: card-tests FILE...');

type Body = () => unknown;

// Jest's third argument, a time limit, is ignored: a GPU's first test of a kernel also compiles it.
const suite = (name: string, body: () => void): void => {
  void describe(name, body);
};
const test = (name: string, body: Body): void => {
  void it(name, async () => {
    await body();
  });
};
Object.assign(globalThis, {
  describe: Object.assign(suite, { each: bind(suite, false) }),
  it: Object.assign(test, { each: bind(test, false) }),
  test: Object.assign(test, { each: bind(test, false) }),
  beforeAll: (body: Body) => {
    before(() => body());
  },
  afterAll: (body: Body) => {
    after(() => body());
  },
  beforeEach: (body: Body) => {
    beforeEach(() => body());
  },
  afterEach: (body: Body) => {
    afterEach(() => body());
  },
  expect,
});
for (const file of files) await import(pathToFileURL(resolve(file)).href);
