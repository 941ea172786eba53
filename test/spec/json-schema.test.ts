import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { sweepJsonSchema } from '../../src/spec/json-schema.js';
import { jobKeys } from '../../src/spec/keys.js';
import { parseSweepFile } from '../../src/spec/sweep-schema.js';
import { withDottedAxes } from '../../src/spec/document.js';
import { readYaml } from '../../src/spec/yaml.js';
import * as arbitrary from './support/arbitraries.js';
import { faults } from './support/draft7.js';
import { ABLATION } from './support/sweeps.js';

const schema: unknown = JSON.parse(JSON.stringify(sweepJsonSchema()));
const faultsOf = (text: string): string[] => faults(schema, readYaml(text, 'a.yaml').value);

test('schema/sweep.schema.json is fresh (`npm run schema` writes it)', () => {
  const file = readFileSync(join(process.cwd(), 'schema/sweep.schema.json'), 'utf8');
  expect(file === `${JSON.stringify(sweepJsonSchema(), null, 2)}\n`).toBe(true);
});

test('the schema is draft-07', () => {
  expect(schema).toHaveProperty('$schema', 'http://json-schema.org/draft-07/schema#');
});

test('the ablation conforms', () => {
  expect(faultsOf(ABLATION)).toEqual([]);
});

test('every key of a job can be an axis, with its description for editors', () => {
  for (const key of jobKeys()) {
    const definition = `axis.${key}`;
    expect(schema).toHaveProperty(['definitions', definition, 'description']);
    for (const section of ['definitions.axes', 'properties.include.items']) {
      expect(schema).toHaveProperty([...section.split('.'), 'properties', key, '$ref'], `#/definitions/${definition}`);
    }
  }
});

test.each([
  'job: {data: {imageSize: 16}}',
  'job: {objective: zoomed-in + masked, stylePreservation: false}',
  'grid: {pretrain.cropScale: [[0.2, 1]], degradation.zoomedIn.fraction: [auto, 0.5, 160/224]}',
  'include: [{seed: 0, zip: {maskRatio: [0, 0.5]}}]',
])('%s conforms', (text) => {
  expect(parseSweepFile(readYaml(text, 'a.yaml').value).kind).toBe('file');
  expect(faultsOf(text)).toEqual([]);
});

test.each([
  'variants: {size: {small: {model: {dim: 48}}, large: null}}\ngrid: {size: [large], maskRatio: {from: 0.1, to: 0.9, step: 0.1}}',
  'extends: base.yaml\nzip: [{seed: [0, 1], maskRatio: [0.1, 50%]}, {pretrain.epochs: [5, 6]}]',
  'job: {pretrain: {warmupEpochs: 5%}}\ninclude: [{pretrain: {epochs: 5, clipGradient: [null, 1]}, maskRatio: null}]',
])('%s conforms in its new forms', (text) => {
  expect(parseSweepFile(withDottedAxes(readYaml(text, 'a.yaml')).document.value).kind).toBe('file');
  expect(faultsOf(text)).toEqual([]);
});

test.each([
  ['sead: 1', ': additionalProperties'],
  ['job: {pretrain: {epochs: 0}}', '/job/pretrain/epochs: exclusiveMinimum'],
  ['job: {pretrain: {epoch: 1}}', '/job/pretrain: additionalProperties'],
  ['job: {data: {name: mnist}}', '/job/data/name: enum'],
  ['grid: {maskRatio: [0, 1]}', '/grid/maskRatio: anyOf'],
  ['grid: {seed: []}', '/grid/seed: anyOf'],
  ['grid: {pretrain: {epoch: [1]}}', '/grid/pretrain: additionalProperties'],
  ['grid: {sead: [0]}', '/grid/sead: anyOf'],
  ['grid: {seed: {from: 0}}', '/grid/seed: anyOf'],
  ['job: {pretrain: {warmupEpochs: 150%}}', '/job/pretrain/warmupEpochs: anyOf'],
  ['exclude: [{zip: {}}]', '/exclude/0: additionalProperties'],
  ['name: a b', '/name: pattern'],
])('%s does not', (text, fault) => {
  expect(parseSweepFile(readYaml(text, 'a.yaml').value).kind).toBe('broken');
  expect(faultsOf(text)).toContain(fault);
});

test('what the program accepts, editors accept', () => {
  fc.assert(
    fc.property(arbitrary.sweep, (raw) => {
      expect(parseSweepFile(raw).kind).toBe('file');
      expect(faults(schema, raw)).toEqual([]);
    }),
  );
});
