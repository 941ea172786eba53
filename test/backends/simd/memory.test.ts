/** The allocator: blocks never overlap, freed memory is reused, and at the limit the error names a remedy. */
import fc from 'fast-check';
import { blockSize, SharedHeap, type Reservation } from '../../../src/backends/simd/memory.js';

const MIB = 2 ** 20;

interface Block {
  pointer: number;
  bytes: number;
}

/** Any sequence of allocations (bytes) and frees (the index of a block in use). */
const history = fc.array(
  fc.oneof(
    fc.record({ allocate: fc.oneof(fc.nat(5000), fc.integer({ min: 0, max: 300_000 })) }),
    fc.record({ free: fc.nat() }),
  ),
  { maxLength: 200 },
);

function play(heap: SharedHeap, steps: readonly ({ allocate: number } | { free: number })[]): Block[] {
  const blocks: Block[] = [];
  for (const step of steps) {
    if ('allocate' in step) {
      blocks.push({ pointer: heap.allocate(step.allocate), bytes: step.allocate });
    } else if (blocks.length > 0) {
      const [block] = blocks.splice(step.free % blocks.length, 1);
      heap.free(block!.pointer);
    }
  }
  return blocks;
}

it('never allocates a byte twice', () => {
  fc.assert(
    fc.property(history, (steps) => {
      const blocks = play(new SharedHeap(), steps).sort((a, b) => a.pointer - b.pointer);
      blocks.forEach(({ pointer, bytes }, i) => {
        expect(pointer % 64).toBe(0);
        expect(pointer).toBeGreaterThanOrEqual(65_536);
        if (i + 1 < blocks.length) expect(pointer + bytes).toBeLessThanOrEqual(blocks[i + 1]!.pointer);
      });
    }),
  );
});

it('uses nothing when all is freed, and has space for one block of that size', () => {
  fc.assert(
    fc.property(history, (steps) => {
      const heap = new SharedHeap(64 * MIB);
      for (const { pointer } of play(heap, steps)) heap.free(pointer);
      expect(heap.statistics.used).toBe(0);
      const all = heap.allocate(60 * MIB);
      expect(heap.statistics).toEqual({ used: blockSize(60 * MIB), size: 64 * MIB });
      heap.free(all);
    }),
    { numRuns: 30 },
  );
});

it('needs no more memory for a repeated step', () => {
  const heap = new SharedHeap();
  const step = (): void => {
    const blocks = [1000, 3_000_000, 50, 1000, 700_000].map((bytes) => heap.allocate(bytes));
    for (const pointer of blocks) heap.free(pointer);
  };
  step();
  const { size } = heap.statistics;
  for (let i = 0; i < 1000; i++) step();
  expect(heap.statistics).toEqual({ used: 0, size });
});

it('wastes at most an eighth', () => {
  fc.assert(
    fc.property(fc.integer({ min: 512, max: 2 ** 31 }), (bytes) => {
      expect(blockSize(bytes)).toBeGreaterThanOrEqual(bytes);
      expect(blockSize(bytes)).toBeLessThanOrEqual(bytes * 1.125);
    }),
  );
});

it('names a remedy when memory runs out, and works again when some is freed', () => {
  const heap = new SharedHeap(8 * MIB);
  const pointer = heap.allocate(5 * MIB);
  expect(() => heap.allocate(5 * MIB)).toThrow(/out of memory: 0\.00 GiB are in use.*batchSize/s);
  heap.free(pointer);
  expect(heap.allocate(6 * MIB)).toBe(pointer);
});

it('rejects a block that is not in use', () => {
  const heap = new SharedHeap();
  const pointer = heap.allocate(10);
  heap.free(pointer);
  expect(() => {
    heap.free(pointer);
  }).toThrow('no block begins at');
});

describe('the memory of a recorded step', () => {
  /** Records a step that frees all it allocates. */
  function recorded(heap: SharedHeap, steps: readonly ({ allocate: number } | { free: number })[]): Reservation {
    const reservation = heap.beginReservation();
    for (const { pointer } of play(heap, steps)) heap.free(pointer);
    heap.endReservation();
    return reservation;
  }

  it('is never allocated while it is reserved, and returns to the heap afterwards', () => {
    fc.assert(
      fc.property(history, history, history, (before, during, after) => {
        const heap = new SharedHeap(64 * MIB);
        const blocks = play(heap, before);
        const addresses: Block[] = [];
        const reservation = heap.beginReservation();
        const allocate = heap.allocate.bind(heap);
        heap.allocate = (bytes) => {
          const pointer = allocate(bytes);
          addresses.push({ pointer, bytes });
          return pointer;
        };
        for (const { pointer } of play(heap, during)) heap.free(pointer);
        heap.endReservation();
        heap.allocate = allocate;
        expect(reservation.allFreed).toBe(true);

        const later = play(heap, after);
        for (const { pointer, bytes } of [...blocks, ...later]) {
          const overlaps = addresses.some(
            (other) => pointer < other.pointer + other.bytes && other.pointer < pointer + bytes,
          );
          expect(overlaps && bytes > 0).toBe(false);
        }
        heap.release(reservation);
        for (const { pointer } of [...blocks, ...later]) heap.free(pointer);
        expect(heap.statistics.used).toBe(0);
      }),
    );
  });

  it('grows by no more than the memory of the step itself', () => {
    const heap = new SharedHeap();
    const steps = [3_000_000, 2_000_000, 4_000_000, 1_000_000].flatMap((allocate) => [{ allocate }, { free: 0 }]);
    for (let i = 0; i < 3; i++) heap.release(recorded(heap, steps));
    const { size } = heap.statistics;
    for (let i = 0; i < 100; i++) heap.release(recorded(heap, steps));
    expect(heap.statistics).toEqual({ used: 0, size });
  });

  it('holds a block that it keeps after the block is freed', () => {
    const heap = new SharedHeap();
    const input = heap.allocate(1000);
    const reservation = heap.beginReservation();
    heap.keep(input, reservation);
    heap.endReservation();
    heap.free(input);
    expect(heap.allocate(1000)).not.toBe(input);
    heap.release(reservation);
    expect(heap.allocate(1000)).toBe(input);
  });
});
