import fc from 'fast-check';
import { UsageError } from '../../src/common/errors.js';
import { jobKeys } from '../../src/spec/keys.js';
import { plan } from './support/sweeps.js';

/** An error must be a message for the user, and must not be empty. */
function survives(text: string, sets: string[] = []): void {
  try {
    plan(text, sets);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    expect(error.message.length).toBeGreaterThan(10);
    expect(error.message).not.toMatch(/\[object Object\]|undefined/);
  }
}

const VALID = `name: a
job:
  data: {name: shapes, imageSize: 32}
  pretrain: {epochs: 20} # a comment
  degradation:
    zoomedIn: {fraction: 160/224}
grid:
  objective: [masked, "zoomed-in"]
  seed: &seeds [0, 1]
zip: {maskRatio: [0.5, 0.75], knn.k: [1, 2]}
include: [{objective: scratch, seed: *seeds}]
exclude: [{maskRatio: 0.75, seed: 1}]
`;

/** Five properties: four thousand specs. */
const RUNS = { numRuns: 800, seed: 17 };

test('any text is a plan or a usage error', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' })), (text) => {
      survives(text);
    }),
    RUNS,
  );
});

test('any text in the characters of YAML is a plan or a usage error', () => {
  const unit = fc.constantFrom(
    ...Array.from('ab01-:,?[]{}#&*!|>\'"%@`~. \n\t'),
    'job',
    'grid',
    'seed',
    ': ',
    '\n  ',
    '- ',
    '<<',
  );
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 40 }), (text) => {
      survives(text);
    }),
    RUNS,
  );
});

test('a valid sweep with a piece cut, doubled or replaced is a plan or a usage error', () => {
  const piece = fc.constantFrom(
    '',
    ' ',
    '\n',
    ':',
    '[',
    '}',
    'x',
    '-1',
    'null',
    '*seeds',
    '&seeds ',
    '!!str ',
    '1e999',
    '{}',
  );
  const edit = fc.record({ at: fc.nat(VALID.length), cut: fc.nat(12), piece });
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
      survives(edits.reduce((text, { at, cut, piece: put }) => text.slice(0, at) + put + text.slice(at + cut), VALID));
    }),
    RUNS,
  );
});

test('any values under the right keys are a plan or a usage error', () => {
  const value = fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(0, 1, 2, 5, 0.5, 'auto', 'masked', 'finetune', 'shapes', null, true, [], {}, [0, 1], [[0, 1]]),
    fc.jsonValue({ maxDepth: 2 }),
  );
  const key = fc.constantFrom(...jobKeys(), 'pretrain', 'data', 'zip', '__proto__', 'x');
  const axes = fc.dictionary(key, value, { maxKeys: 3 });
  const job = fc.dictionary(
    fc.constantFrom('pretrain', 'data', 'model', 'seed', 'evaluate', 'maskRatio'),
    fc.oneof(value, axes),
  );
  const sweep = fc.record(
    { job: fc.oneof(job, value), grid: axes, zip: axes, include: fc.array(axes), exclude: fc.array(axes), name: value },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(sweep, (raw) => {
      survives(JSON.stringify(raw));
    }),
    RUNS,
  );
});

test('any --set is a plan or a usage error', () => {
  const key = fc.oneof(
    fc.constantFrom(...jobKeys().flatMap((name) => [`job.${name}`, `grid.${name}`])),
    fc.constantFrom('job', 'grid', 'name', 'job.data', 'zip', 'job.__proto__', 'grid.__proto__', 'job..', '.'),
    fc.string(),
  );
  const value = fc.oneof(
    fc.constantFrom('0', '[0, 1]', '{}', '{name: idx}', '[[0.1, 0.2]]', 'x', '', '*a', '&a [*a]'),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(key, value), { maxLength: 3 }), (pairs) => {
      survives(
        VALID,
        pairs.map(([name, text]) => `${name}=${text}`),
      );
    }),
    RUNS,
  );
});
