import { evaluationBatches, prefetch, stepsPerEpoch, trainingBatches } from '../../src/data/batches.js';

const lists = (batches: Int32Array[]): number[][] => batches.map((batch) => Array.from(batch));

describe('training batches', () => {
  it('should hold different images, all of one size, and drop the remainder', () => {
    const batches = trainingBatches(10, 3, 0, 0);
    expect(batches.map((batch) => batch.length)).toEqual([3, 3, 3]);
    expect(stepsPerEpoch(10, 3)).toBe(3);
    const seen = lists(batches).flat();
    expect(new Set(seen).size).toBe(9);
    expect(seen.every((index) => index >= 0 && index < 10)).toBe(true);
  });

  it('should be one batch of what there is when the split is smaller than a batch', () => {
    expect(lists(trainingBatches(4, 8, 0, 0)).map((batch) => batch.toSorted())).toEqual([[0, 1, 2, 3]]);
    expect(stepsPerEpoch(4, 8)).toBe(1);
  });

  it('should depend only on the seed and the epoch', () => {
    expect(trainingBatches(50, 5, 1, 2)).toEqual(trainingBatches(50, 5, 1, 2));
    expect(trainingBatches(50, 5, 1, 2)).not.toEqual(trainingBatches(50, 5, 1, 3));
    expect(trainingBatches(50, 5, 1, 2)).not.toEqual(trainingBatches(50, 5, 2, 2));
  });
});

describe('evaluation batches', () => {
  it('should hold every image once, in order, with a smaller last batch', () => {
    expect(lists(evaluationBatches(7, 3))).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
  });

  it('should have no empty last batch', () => {
    expect(lists(evaluationBatches(6, 3))).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
  });
});

/** A promise that the test settles. */
function deferred<T>() {
  let resolve!: (value: T) => void;
  let reject!: (reason: Error) => void;
  const promise = new Promise<T>((res, rej) => {
    resolve = res;
    reject = rej;
  });
  return { promise, resolve, reject };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('prefetching', () => {
  it('should give the results in order, however their preparation ends', async () => {
    const waits = [30, 0, 10, 0];
    const results: number[] = [];
    const prepare = async (item: number): Promise<number> => {
      for (let i = 0; i < waits[item]!; i++) await turn();
      return item * 10;
    };
    for await (const result of prefetch([0, 1, 2, 3], prepare, { lookAhead: 3 })) results.push(result);
    expect(results).toEqual([0, 10, 20, 30]);
  });

  it('should prepare while its consumer works, but no more than asked', async () => {
    const started: number[] = [];
    const prepare = (item: number): Promise<number> => {
      started.push(item);
      return Promise.resolve(item);
    };
    const batches = prefetch([0, 1, 2, 3, 4], prepare, { lookAhead: 2 });
    expect(started).toEqual([]);
    await batches.next();
    expect(started).toEqual([0, 1, 2]);
    await batches.next();
    expect(started).toEqual([0, 1, 2, 3]);
    await batches.return();
  });

  it('should raise the error of an item in its turn, and release what was prepared after it', async () => {
    const discarded: number[] = [];
    const prepare = (item: number): Promise<number> =>
      item === 1 ? Promise.reject(new Error('broken image')) : Promise.resolve(item);
    const batches = prefetch([0, 1, 2, 3], prepare, { lookAhead: 3, discard: (item) => discarded.push(item) });
    expect(await batches.next()).toEqual({ done: false, value: 0 });
    await expect(batches.next()).rejects.toThrow('broken image');
    expect(discarded).toEqual([2, 3]);
    expect(await batches.next()).toEqual({ done: true, value: undefined });
  });

  it('should not let an early error bring the process down before its turn', async () => {
    const unhandled: unknown[] = [];
    const listen = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', listen);
    try {
      const prepare = (item: number): Promise<number> =>
        item === 1 ? Promise.reject(new Error('broken image')) : Promise.resolve(item);
      const batches = prefetch([0, 1], prepare);
      await batches.next();
      for (let i = 0; i < 5; i++) await turn();
      expect(unhandled).toEqual([]);
      await expect(batches.next()).rejects.toThrow('broken image');
    } finally {
      process.off('unhandledRejection', listen);
    }
  });

  it('should wait for what is under way and release it when the loop is left', async () => {
    const late = deferred<number>();
    const failing = deferred<number>();
    const discarded: number[] = [];
    const prepared = [Promise.resolve(0), late.promise, failing.promise];
    const batches = prefetch([0, 1, 2], (item) => prepared[item]!, {
      lookAhead: 2,
      discard: (item) => discarded.push(item),
    });
    await batches.next();
    const left = batches.return();
    await turn();
    expect(discarded).toEqual([]);
    failing.reject(new Error('nobody waits for this'));
    late.resolve(1);
    await left;
    expect(discarded).toEqual([1]);
  });

  it('should take nothing from its source after the loop is left', async () => {
    let closed = false;
    function* source(): Generator<number> {
      try {
        for (let i = 0; ; i++) yield i;
      } finally {
        closed = true;
      }
    }
    for await (const item of prefetch(source(), (i) => Promise.resolve(i))) if (item === 3) break;
    expect(closed).toBe(true);
  });

  it('should end at once if there are no items', async () => {
    expect(await prefetch([], () => Promise.resolve(1)).next()).toEqual({ done: true, value: undefined });
  });
});
