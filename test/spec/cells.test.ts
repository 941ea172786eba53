import { describeCell, resolveTask, resolveTriple, type TripleAxes } from '../../src/spec/cells.js';
import { blurKernelSize } from '../../src/task/styles/blurred.js';
import { OBJECTIVES } from '../../src/spec/objective.js';
import { jobSchema } from '../../src/spec/schema.js';
import { countsRemovedTokensOnly, type Task } from '../../src/spec/task.js';

/** The triple as `ratio misalignment style`, `scratch`, or ✗ for a contradiction. */
function triple(objective: string, axes: TripleAxes = {}): string {
  const resolved = resolveTriple(objective, axes);
  if (resolved.kind === 'contradiction') return '✗';
  return resolved.kind !== 'triple'
    ? resolved.kind
    : `${resolved.maskRatio} ${resolved.misalignment} ${resolved.style}`;
}

function taskOf(input: object, patchSize = 4): Task {
  const resolved = resolveTask(jobSchema.parse(input), patchSize);
  if (resolved.kind !== 'task') throw new Error(resolved.kind);
  return resolved.task;
}

describe('the objectives as the paper has them', () => {
  test.each([
    ['scratch', 'scratch'],
    ['pretrained', 'pretrained'],
    ['identity', '0 none preserved'],
    ['masked', '0.75 none preserved'],
    ['zoomed-in', '0 zoomed-in preserved'],
    ['zoomed-out', '0 zoomed-out preserved'],
    ['distorted', '0 distorted preserved'],
    ['blurred', '0 none blurred'],
    ['decolorized', '0 none decolorized'],
    ['masked+zoomed-in', '0.75 zoomed-in preserved'],
    ['masked+distorted+blurred', '0.75 distorted blurred'],
  ])('%s is %s', (objective, expected) => {
    expect(triple(objective)).toBe(expected);
  });
});

describe('maskRatio', () => {
  // Columns: left out, 0, 0.5, 0.75.
  test.each([
    ['identity', ['0', '0', '0.5', '0.75']],
    ['masked', ['0.75', '✗', '0.5', '0.75']],
    ['zoomed-in', ['0', '0', '0.5', '0.75']],
    ['masked+zoomed-in', ['0.75', '✗', '0.5', '0.75']],
    ['blurred', ['0', '0', '0.5', '0.75']],
    ['masked+blurred', ['0.75', '✗', '0.5', '0.75']],
  ])('of %s is %j', (objective, expected) => {
    const axes: TripleAxes[] = [{}, { maskRatio: 0 }, { maskRatio: 0.5 }, { maskRatio: 0.75 }];
    expect(axes.map((axis) => triple(objective, axis).split(' ')[0])).toEqual(expected);
  });
});

describe('misalignment', () => {
  // Columns: left out, none, zoomed-in, zoomed-out, distorted.
  test.each([
    ['identity', ['none', 'none', 'zoomed-in', 'zoomed-out', 'distorted']],
    ['masked', ['none', 'none', 'zoomed-in', 'zoomed-out', 'distorted']],
    ['blurred', ['none', 'none', 'zoomed-in', 'zoomed-out', 'distorted']],
    ['zoomed-in', ['zoomed-in', '✗', 'zoomed-in', '✗', '✗']],
    ['zoomed-out', ['zoomed-out', '✗', '✗', 'zoomed-out', '✗']],
    ['distorted', ['distorted', '✗', '✗', '✗', 'distorted']],
    ['masked+zoomed-in', ['zoomed-in', '✗', 'zoomed-in', '✗', '✗']],
  ])('of %s is %j', (objective, expected) => {
    const values = [undefined, 'none', 'zoomed-in', 'zoomed-out', 'distorted'] as const;
    const found = values.map((value) => triple(objective, value === undefined ? {} : { misalignment: value }));
    expect(found.map((text) => (text === '✗' ? text : text.split(' ')[1]))).toEqual(expected);
  });
});

describe('stylePreservation', () => {
  // Columns: left out, true, false, preserved, blurred, decolorized.
  test.each([
    ['identity', ['preserved', 'preserved', 'decolorized', 'preserved', 'blurred', 'decolorized']],
    ['masked', ['preserved', 'preserved', 'decolorized', 'preserved', 'blurred', 'decolorized']],
    ['distorted', ['preserved', 'preserved', 'decolorized', 'preserved', 'blurred', 'decolorized']],
    ['blurred', ['blurred', '✗', 'blurred', '✗', 'blurred', '✗']],
    ['decolorized', ['decolorized', '✗', 'decolorized', '✗', '✗', 'decolorized']],
    ['masked+zoomed-in+blurred', ['blurred', '✗', 'blurred', '✗', 'blurred', '✗']],
  ])('of %s is %j', (objective, expected) => {
    const values = [undefined, true, false, 'preserved', 'blurred', 'decolorized'] as const;
    const found = values.map((value) => triple(objective, value === undefined ? {} : { stylePreservation: value }));
    expect(found.map((text) => (text === '✗' ? text : text.split(' ')[2]))).toEqual(expected);
  });
});

test('the parts meet their axes independently in every objective', () => {
  const ratios = [undefined, 0, 0.5];
  const misalignments = [undefined, 'none', 'zoomed-in', 'zoomed-out', 'distorted'] as const;
  const styles = [undefined, true, false, 'preserved', 'blurred', 'decolorized'] as const;
  for (const objective of OBJECTIVES) {
    for (const maskRatio of ratios) {
      for (const misalignment of misalignments) {
        for (const stylePreservation of styles) {
          const single = [
            triple(objective, maskRatio === undefined ? {} : { maskRatio }),
            triple(objective, misalignment === undefined ? {} : { misalignment }),
            triple(objective, stylePreservation === undefined ? {} : { stylePreservation }),
          ];
          const all = triple(objective, {
            ...(maskRatio === undefined ? {} : { maskRatio }),
            ...(misalignment === undefined ? {} : { misalignment }),
            ...(stylePreservation === undefined ? {} : { stylePreservation }),
          });
          if (objective === 'scratch' || objective === 'pretrained') expect(all).toBe(objective);
          else if (single.includes('✗')) expect(all).toBe('✗');
          else expect(all).toBe(single.map((text, part) => text.split(' ')[part]).join(' '));
        }
      }
    }
  }
});

describe('reasons', () => {
  test.each([
    ['masked', { maskRatio: 0 }, 'masked: masked removes tokens, maskRatio 0 removes none'],
    ['zoomed-in', { misalignment: 'none' }, 'zoomed-in: the objective is zoomed-in, misalignment is none'],
    ['blurred', { stylePreservation: true }, 'blurred: the objective is blurred, stylePreservation is true'],
  ] as [string, TripleAxes, string][])('of %s with %j', (objective, axes, reason) => {
    expect(resolveTriple(objective, axes)).toEqual({ kind: 'contradiction', reason });
  });
});

describe('strengths', () => {
  test('a zoom-in shows 160/224 of the field unmasked, with all tokens in the loss', () => {
    expect(taskOf({ objective: 'zoomed-in' }).geometry).toEqual({
      kind: 'zoomed-in',
      fraction: 160 / 224,
      loss: 'field',
    });
  });

  test('a zoom-in shows 224/288 of the field masked, with the weighted sum as the loss', () => {
    const expected = {
      kind: 'zoomed-in',
      fraction: 224 / 288,
      loss: 'centre-border',
      centreWeight: 0.8,
      borderWeight: 0.2,
    };
    expect(taskOf({ objective: 'masked+zoomed-in' }).geometry).toEqual(expected);
    expect(taskOf({ objective: 'zoomed-in', maskRatio: 0.1 }).geometry).toEqual(expected);
  });

  test('a fraction and a loss given hold with and without a mask', () => {
    const degradation = { zoomedIn: { fraction: '224/288', loss: 'field' } };
    const expected = { kind: 'zoomed-in', fraction: 224 / 288, loss: 'field' };
    expect(taskOf({ objective: 'zoomed-in', degradation }).geometry).toEqual(expected);
    expect(taskOf({ objective: 'masked+zoomed-in', degradation }).geometry).toEqual(expected);
  });

  test('the paper’s own loss can be had without a mask', () => {
    const task = taskOf({ objective: 'zoomed-in', degradation: { zoomedIn: { loss: 'centre-border' } } });
    expect(task.geometry).toMatchObject({ loss: 'centre-border', fraction: 160 / 224 });
  });

  test('zoomed-out, distorted and blurred carry theirs', () => {
    expect(taskOf({ objective: 'zoomed-out' }).geometry).toEqual({ kind: 'zoomed-out', fraction: 160 / 224 });
    expect(taskOf({ objective: 'distorted' }).geometry).toEqual({
      kind: 'distorted',
      strength: [0.15, 0.25],
      centre: [-1, 1],
    });
    expect(taskOf({ objective: 'blurred' }).style).toEqual({
      kind: 'blurred',
      kernelSize: 3,
      relativeStd: 0.98,
      mixChannels: true,
      unitGain: false,
      clip: false,
    });
  });

  test('decolorized carries what its variant uses and nothing else', () => {
    const style = (variant: string) =>
      taskOf({ objective: 'decolorized', degradation: { decolorized: { variant } } }).style;
    expect(style('luminance')).toEqual({ kind: 'decolorized', variant: 'luminance' });
    expect(style('saturation')).toEqual({ kind: 'decolorized', variant: 'saturation', saturation: 0.3 });
    expect(style('random-mix')).toEqual({ kind: 'decolorized', variant: 'random-mix', normalizeMix: false });
  });

  test('strengths of other degradations do not enter a task', () => {
    const degradation = { blurred: { relativeStd: 2 }, zoomedOut: { fraction: 0.5 }, zoomedIn: { centreWeight: 1 } };
    expect(taskOf({ objective: 'zoomed-in', degradation })).toEqual(taskOf({ objective: 'zoomed-in' }));
  });

  test('the target is the one of pre-training', () => {
    expect(taskOf({ pretrain: { target: 'patch' } }).target).toBe('patch');
  });
});

test.each([
  [2, 3],
  [4, 3],
  [8, 3],
  [14, 7],
  [16, 7],
  [32, 15],
])('the blur kernel at patch %i is %i px', (patchSize, side) => {
  expect(blurKernelSize(patchSize)).toBe(side);
  expect(taskOf({ objective: 'blurred' }, patchSize).style).toHaveProperty('kernelSize', side);
});

describe('countsRemovedTokensOnly', () => {
  test.each([
    ['masked', {}, true],
    ['identity', {}, false],
    ['zoomed-in', {}, false],
    ['masked+zoomed-in', {}, true],
    ['masked+zoomed-in', { zoomedIn: { loss: 'field' } }, false],
    ['masked+zoomed-out', {}, true],
    ['masked+distorted', {}, false],
    ['masked+blurred', {}, false],
    ['masked+zoomed-in+decolorized', {}, false],
  ])('of %s with %j is %j', (objective, degradation, expected) => {
    expect(countsRemovedTokensOnly(taskOf({ objective, degradation }))).toBe(expected);
  });
});

test('a cell is described by what it sets', () => {
  expect(
    describeCell({
      objective: 'masked',
      maskRatio: 0.5,
      misalignment: null,
      stylePreservation: false,
      seed: 1,
      overrides: { 'data.name': 'idx', 'pretrain.cropScale': [0.2, 1] },
    }),
  ).toBe('masked, maskRatio 0.5, stylePreservation false, seed 1, data.name idx, pretrain.cropScale [0.2,1]');
});
