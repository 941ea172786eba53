import { inWorkingMemory, newPixels } from '../../src/common/working-memory.js';

it('is used again by the next computation, and only by that', () => {
  const [a, b] = inWorkingMemory(() => [newPixels(6), newPixels(6)]);
  expect(a).not.toBe(b);
  const again = inWorkingMemory(() => [newPixels(6), newPixels(9), newPixels(6)]);
  expect(new Set(again).size).toBe(3);
  expect(again).toEqual(expect.arrayContaining([a, b]));
  const outside = newPixels(6);
  expect([a, b]).not.toContain(outside);
  expect([...outside]).toEqual([0, 0, 0, 0, 0, 0]);
});

it('is returned if the computation throws, and by nested computations only with the outer one', () => {
  const lent: Float32Array[] = [];
  const fail = (): never => {
    lent.push(newPixels(12));
    throw new Error('damaged');
  };
  expect(() => inWorkingMemory(fail)).toThrow('damaged');
  inWorkingMemory(() => {
    const inner = inWorkingMemory(() => newPixels(12));
    expect(inner).toBe(lent[0]);
    expect(newPixels(12)).not.toBe(inner);
  });
});
