import { readdirSync, readFileSync } from 'node:fs';
import { formatRemark, remarksOn } from '../../src/spec/remarks.js';
import { buildPlan } from '../../src/spec/plan.js';
import type { Sweep } from '../../src/spec/sweep.js';
import { read } from './support/sweeps.js';

/** The remarks on a sweep as lines. */
function remarksOf(sweep: Sweep): string[] {
  return remarksOn(
    sweep,
    buildPlan(sweep, ({ name }) => name),
  ).map(formatRemark);
}

const remarks = (text: string, ...sets: string[]): string[] => remarksOf(read(text, sets));

describe('an axis', () => {
  test('that no stage depends on is named, with its place', () => {
    const text =
      'grid:\n  objective: [masked, zoomed-in]\n  degradation.blurred.kernelSize: [3, 5, 7]\n  seed: [0, 1]\n';
    expect(remarks(text)).toEqual([
      'sweep.yaml:3: the axis degradation.blurred.kernelSize has no effect: all of its 3 values give the same jobs',
    ]);
    expect(remarks(text.replace('masked,', 'blurred,'))).toEqual([]);
  });

  test('of model.preset has no effect if every size is given', () => {
    const sizes = 'patchSize: 4, dim: 32, depth: 1, heads: 2, decoder: {dim: 16, depth: 1, heads: 2}';
    const text = (given: string) => `job: {model: {${given}}}\ngrid: {model.preset: [vit-nano, vit-s]}`;
    expect(remarks(text(sizes))).toEqual([
      'sweep.yaml:2: the axis model.preset has no effect: all of its 2 values give the same jobs',
    ]);
    expect(remarks(text(sizes.replace('depth: 1, ', '')))).toEqual([]);
  });

  test('of one value has no effect if nothing depends on it, unless it is the default', () => {
    const text = (value: number | string) => `grid: {seed: [0, 1], degradation.blurred.kernelSize: ${value}}`;
    expect(remarks(text(5))).toEqual([
      'sweep.yaml:1: the axis degradation.blurred.kernelSize has no effect: no stage of its cells depends on it',
    ]);
    expect(remarks(text('auto'))).toEqual([]);
  });

  test('of one value that is the default has an effect if a stage has the key', () => {
    expect(remarks('grid: {seed: [0, 1], model.heads: 3}')).toEqual([]);
  });

  test('is named in an include and in a zip', () => {
    const [first, second] = remarks(
      'grid: {seed: [0, 1]}\ninclude:\n  - {objective: scratch, pretrain.epochs: [5, 6]}\n' +
        '  - zip: {knn.k: [5, 6], linear.epochs: [7, 8]}\n    seed: 9',
    );
    expect(first).toBe('sweep.yaml:3: the axis pretrain.epochs has no effect: all of its 2 values give the same jobs');
    expect(second).toBe(
      'sweep.yaml:4: the axis knn.k and linear.epochs has no effect: all of its 2 values give the same jobs',
    );
  });

  test('is named with the values that give the same jobs', () => {
    expect(remarks('grid: {objective: [identity, zoomed-in], stylePreservation: [true, blurred, preserved]}')).toEqual([
      'sweep.yaml:1: the axis stylePreservation has values that give the same jobs: true, "preserved"',
    ]);
  });

  test('that has an effect in some cells is not named', () => {
    expect(remarks('grid: {objective: [scratch, masked, blurred], pretrain.epochs: [5, 6]}')).toEqual([]);
    // Axes that could have no effect have excluded or contradictory cells.
    expect(remarks('grid: {objective: [masked, zoomed-in], maskRatio: [0, 0.5]}')).toEqual([]);
  });

  test('is judged without the cells that are excluded', () => {
    const text = (objectives: string) =>
      `grid: {objective: [${objectives}], degradation.blurred.kernelSize: [3, 5]}\n` +
      'exclude: [{objective: masked, degradation.blurred.kernelSize: 5}]';
    expect(remarks(text('masked, zoomed-in'))).toEqual([
      'sweep.yaml:1: the axis degradation.blurred.kernelSize has no effect: all of its 2 values give the same jobs',
    ]);
    expect(remarks(text('masked, blurred'))).toEqual([]);
    expect(remarks('grid: {seed: [0, 1, 2, 3]}\nexclude: [{seed: [2, 3]}]')).toEqual([]);
  });
});

test('an entry of exclude that matches no cell is named, one that matches what another excludes is not', () => {
  const text = 'grid: {objective: [masked, blurred], seed: [0, 1]}\nexclude:\n  - {seed: 1}\n';
  expect(remarks(`${text}  - {seed: [2, 3]}\n  - {objective: masked, seed: 1}\n`)).toEqual([
    'sweep.yaml:4: exclude[1] matches no cell; correct it or remove it',
  ]);
});

test('an include without a job of its own is named, one whose cells are new is not', () => {
  const text = 'grid: {objective: [masked, scratch], seed: [0, 1]}\ninclude:\n  - {objective: blurred, seed: 1}\n';
  expect(remarks(`${text}  - {objective: scratch, seed: 1}`)).toEqual([
    'sweep.yaml:4: include[1] adds no job: each of its cells is excluded, contradicts itself, or is in an earlier grid',
  ]);
});

describe('--set', () => {
  test('of a key that no stage depends on is named', () => {
    const set = 'job.degradation.blurred.kernelSize=5';
    expect(remarks('grid: {seed: [0, 1]}', set)).toEqual([`--set ${set}: this changes no stage of the sweep`]);
    expect(remarks('grid: {seed: [0, 1], objective: [masked, blurred]}', set)).toEqual([]);
  });

  test('of a value that was there already, of a path and of the name is not named', () => {
    const text = 'name: a\njob: {data: {name: idx, path: a}, pretrain: {epochs: 5}}';
    expect(remarks(text, 'job.pretrain.epochs=5', 'job.seed=0', 'job.data.path=b', 'name=b')).toEqual([]);
  });

  test('that unsets what is not set is named', () => {
    expect(remarks('job: {seed: 1}', 'job.pretrain.epochs=null', 'job.seed=null')).toEqual([
      '--set job.pretrain.epochs=null: this key is not set, so there is nothing to unset',
    ]);
  });
});

const experiments = readdirSync('experiments').filter((name) => name.endsWith('.yaml'));
const files = Object.fromEntries(experiments.map((name) => [name, readFileSync(`experiments/${name}`, 'utf8')]));

test.each(Object.entries(files))('%s has no remarks', (_name, text) => {
  expect(remarksOf(read(text, [], files))).toEqual([]);
});
