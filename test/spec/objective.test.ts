import { resolveTask } from '../../src/spec/cells.js';
import { OBJECTIVES, objectiveName, parseObjective, taskName } from '../../src/spec/objective.js';
import { jobSchema } from '../../src/spec/schema.js';

const reasonOf = (text: string): string => {
  const parsed = parseObjective(text);
  return parsed.kind === 'invalid' ? parsed.reason : 'valid';
};

describe('OBJECTIVES', () => {
  test('are scratch, pretrained and 2 masks × 4 geometries × 3 styles', () => {
    expect(OBJECTIVES).toHaveLength(2 + 2 * 4 * 3);
    expect(new Set(OBJECTIVES).size).toBe(26);
  });

  test('hold the paper’s tasks under its names', () => {
    expect(OBJECTIVES).toEqual(
      expect.arrayContaining([
        'scratch',
        'pretrained',
        'identity',
        'masked',
        'zoomed-in',
        'zoomed-out',
        'distorted',
        'blurred',
        'decolorized',
        'masked+zoomed-in',
      ]),
    );
  });

  test.each(OBJECTIVES)('%s is its own canonical spelling', (name) => {
    const parsed = parseObjective(name);
    expect(parsed.kind === 'invalid' ? parsed.reason : objectiveName(parsed)).toBe(name);
  });
});

describe('parseObjective', () => {
  test('takes the parts in any order, with spaces around +', () => {
    expect(parseObjective('blurred + zoomed-in+masked')).toEqual(parseObjective('masked+zoomed-in+blurred'));
  });

  test('leaves the parts it does not name neutral', () => {
    expect(parseObjective('zoomed-out')).toEqual({
      kind: 'preset',
      masked: false,
      misalignment: 'zoomed-out',
      style: undefined,
    });
  });

  test.each([
    ['masked+masked', '"masked+masked" masks twice'],
    [
      'zoomed-in+distorted',
      '"zoomed-in+distorted" misaligns twice (zoomed-in, distorted); an objective has one of each part',
    ],
    [
      'blurred+decolorized',
      '"blurred+decolorized" changes the style twice (blurred, decolorized); an objective has one of each part',
    ],
    ['masked+identity', '"identity" cannot be joined with other parts as in "masked+identity"'],
    ['scratch+masked', '"scratch" cannot be joined with other parts as in "scratch+masked"'],
  ])('refuses %s', (text, reason) => {
    expect(reasonOf(text)).toBe(reason);
  });

  test('names the nearest objective to an unknown one', () => {
    expect(reasonOf('masked+zoom-in')).toBe(
      'unknown objective "zoom-in"; did you mean "zoomed-in"? (valid objectives are scratch, pretrained, identity, masked, ' +
        'zoomed-in, zoomed-out, distorted, blurred, decolorized; all but scratch, pretrained and identity can be joined by +)',
    );
  });

  test('refuses an empty part', () => {
    expect(reasonOf('masked+')).toContain('unknown objective ""');
  });
});

test('the name of a task has its three parts, without the ratio and the strengths', () => {
  for (const name of OBJECTIVES) {
    const resolved = resolveTask(jobSchema.parse({ objective: name }), 4);
    if (resolved.kind === 'contradiction') throw new Error(resolved.reason);
    const weights = resolved.kind === 'pretrained' ? 'digest' : undefined;
    expect(taskName(resolved.kind === 'task' ? resolved.task : null, weights)).toBe(name);
  }
});
