/** The bytes of `.npy` files, against the format's description and, if NumPy is installed, against NumPy. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeNpy } from '../../src/objectives/npy.js';

it('begins with the magic, version 1.0 and a header that ends at a multiple of 64', () => {
  const bytes = encodeNpy({ data: Float32Array.of(1, -2.5, 0, 3, 4, 5), shape: [2, 3] });
  expect([...bytes.subarray(0, 8)]).toEqual([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
  const length = bytes.readUInt16LE(8);
  expect((10 + length) % 64).toBe(0);
  const header = bytes.subarray(10, 10 + length).toString('latin1');
  expect(header).toMatch(/^\{'descr': '<f4', 'fortran_order': False, 'shape': \(2, 3\), \} *\n$/);
  expect(bytes).toHaveLength(10 + length + 24);
  expect(bytes.readFloatLE(10 + length + 4)).toBe(-2.5);
});

it('pads headers of every length by less than 64 bytes, and never truncates one', () => {
  // Each axis adds three characters to the header.
  for (let axes = 2; axes < 70; axes++) {
    const bytes = encodeNpy({ data: Uint8Array.of(7), shape: new Array<number>(axes).fill(1) });
    const length = bytes.readUInt16LE(8);
    const header = bytes.subarray(10, 10 + length).toString('latin1');
    expect((10 + length) % 64).toBe(0);
    expect(header).toMatch(/^\{.*\), \} *\n$/);
    expect(/ *\n$/.exec(header)![0].length).toBeLessThanOrEqual(64);
    expect([...bytes.subarray(10 + length)]).toEqual([7]);
  }
});

it('writes bytes as uint8, and the comma of a tuple of one', () => {
  const bytes = encodeNpy({ data: Uint8Array.of(0, 9, 255), shape: [3] });
  expect(bytes.toString('latin1')).toContain(`'descr': '|u1', 'fortran_order': False, 'shape': (3,), `);
  expect([...bytes.subarray(-3)]).toEqual([0, 9, 255]);
});

it('writes a view of a larger buffer, and only that', () => {
  const bytes = encodeNpy({ data: Uint8Array.of(1, 2, 3, 4).subarray(1, 3), shape: [2] });
  expect([...bytes.subarray(-3)]).toEqual([0x0a, 2, 3]);
});

const hasNumpy = spawnSync('python3', ['-c', 'import numpy']).status === 0;

(hasNumpy ? it : it.skip)('can be read by NumPy', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vitmim-npy-'));
  try {
    const file = join(folder, 'array.npy');
    writeFileSync(file, encodeNpy({ data: Float32Array.from({ length: 24 }, (_, i) => i / 2), shape: [2, 3, 4] }));
    const script = 'import numpy, sys; a = numpy.load(sys.argv[1]); print(a.dtype, a.shape, a[1, 2, 3], a.sum())';
    expect(execFileSync('python3', ['-c', script, file], { encoding: 'utf8' }).trim()).toBe(
      'float32 (2, 3, 4) 11.5 138.0',
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
