import { defaultOf, findKey, isListValued, jobKeys, type KeyLeaf } from '../../src/spec/keys.js';

function leaf(name: string): KeyLeaf {
  const node = findKey(name);
  if (node?.kind !== 'leaf') throw new Error(`${name} is no key`);
  return node;
}

describe('jobKeys', () => {
  test('names nested keys with dots', () => {
    expect(jobKeys()).toEqual(
      expect.arrayContaining(['objective', 'seed', 'data.name', 'model.decoder.dim', 'degradation.zoomedIn.fraction']),
    );
  });

  test('names keys of every data set, each once', () => {
    expect(
      jobKeys()
        .filter((key) => key.startsWith('data.'))
        .sort(),
    ).toEqual([
      'data.classes',
      'data.corrupt',
      'data.damaged',
      'data.decode',
      'data.imageSize',
      'data.labelFraction',
      'data.labels',
      'data.masks',
      'data.name',
      'data.path',
      'data.splits.test',
      'data.splits.train',
      'data.splits.validation',
      'data.testImages',
      'data.trainImages',
      'data.validation',
      'data.zeroIsIgnored',
    ]);
    expect(new Set(jobKeys()).size).toBe(jobKeys().length);
  });

  test('names no groups', () => {
    expect(jobKeys()).not.toContain('pretrain');
    expect(findKey('pretrain')?.kind).toBe('group');
  });

  test('describes every key', () => {
    expect(jobKeys().filter((name) => leaf(name).description === undefined)).toEqual([]);
  });
});

test('an unknown key is not found, nor is one below a key', () => {
  expect(findKey('pretrain.epoch')).toBeUndefined();
  expect(findKey('seed.x')).toBeUndefined();
  expect(findKey('constructor')).toBeUndefined();
});

test('list-valued keys are distinguished from others', () => {
  expect(isListValued(leaf('evaluate'))).toBe(true);
  expect(isListValued(leaf('pretrain.cropScale'))).toBe(true);
  expect(isListValued(leaf('seed'))).toBe(false);
});

test('a default is what a job gets when the key is left out', () => {
  expect(defaultOf(leaf('objective'))).toBe('masked');
  expect(defaultOf(leaf('degradation.zoomedOut.fraction'))).toBeCloseTo(160 / 224);
  expect(defaultOf(leaf('maskRatio'))).toBeUndefined();
});

test('a key whose default depends on the data set has none of its own', () => {
  expect(defaultOf(leaf('data.imageSize'))).toBeUndefined();
  expect(defaultOf(leaf('data.trainImages'))).toBeUndefined();
  expect(defaultOf(leaf('data.name'))).toBe('shapes');
});
