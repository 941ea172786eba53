/** The choice of tiles, with emulated matrix units: their times are meaningless, but their results must be right. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { openDevice } from '../../../src/backends/open.js';
import type { VitBackend } from '../../../src/backends/webgpu/backend.js';
import type { Pass } from '../../../src/backends/webgpu/pass.js';
import {
  forEachProduct,
  type MatrixTile,
  type MatrixUnits,
  type Tiles,
} from '../../../src/backends/webgpu/passes/matrix-units.js';
import { rememberedTiles, rememberTiles } from '../../../src/backends/webgpu/tile-cache.js';
import { tuneTiles } from '../../../src/backends/webgpu/tune.js';
import { availableDevices } from '../../support/devices.js';

const small: MatrixTile = { rows: 16, columns: 32, depth: 16, split: [1, 1] };
const deeper: MatrixTile = { ...small, depth: 32 };
const candidates = [small, deeper];
const size = { rows: 40, columns: 24, depth: 48 };
const sizes = { few: size, many: { ...size, columns: 40 } };
// As many parts as are tried, each with a whole number of strips.
const long = { few: { ...size, depth: 1792 }, many: { ...size, depth: 3584 } };
const trial = { candidates, sizes: { plain: sizes, 'second-transposed': sizes, 'first-transposed': long } };

const onWebgpu = (await availableDevices()).includes('webgpu') ? describe : describe.skip;

onWebgpu('on webgpu', () => {
  let backend: VitBackend;
  let units: MatrixUnits;
  beforeAll(async () => {
    await openDevice('webgpu');
    backend = tf.backend() as unknown as VitBackend;
    units = { lanes: 32, emulated: true, tiles: forEachProduct(() => small) };
  });

  it('tries every tile with every product, and chooses one of them', async () => {
    const before = backend.numDataIds();
    const { device } = backend;
    const compile = device.createComputePipeline.bind(device);
    const compiled: unknown[] = [];
    device.createComputePipeline = (descriptor) => {
      compiled.push(descriptor.label);
      return compile(descriptor);
    };
    const result = await tuneTiles(backend, units, trial);
    Reflect.deleteProperty(device, 'createComputePipeline');
    if ('wrong' in result) throw new Error(result.wrong);
    // Only the ordinary products are compiled one by one; the tiles are compiled earlier, in parallel.
    expect(compiled.filter((label) => String(label).startsWith('product'))).toHaveLength(3 * 2);
    expect(result.tried).toHaveLength(3 * 2 * candidates.length);
    for (const { milliseconds } of result.tried) expect(milliseconds).toBeGreaterThan(0);
    for (const extents of Object.values(result.tiles)) {
      expect(candidates).toContainEqual(extents.few);
      expect(candidates).toContainEqual(extents.many);
    }
    expect(backend.numDataIds()).toBe(before);
  });

  it('rejects units whose results differ', async () => {
    const run = backend.run.bind(backend);
    backend.run = (pass: Pass) => {
      const { tile } = pass.sizes as { tile?: MatrixTile };
      if (tile?.depth !== deeper.depth) run(pass); // the others write nothing
    };
    try {
      const result = await tuneTiles(backend, units, trial);
      expect(result).toEqual({ wrong: 'plain in 16×32×32 of 1×1 is wrong by 1.0e+0' });
    } finally {
      backend.run = run;
    }
  });
});

describe('the file of tiles', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vitmim-tiles-'));
  const path = join(folder, 'some', 'tiles.json');
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('contains the tiles of one device, and is ignored if it cannot be read', () => {
    const tiles: Tiles = forEachProduct(() => small);
    expect(rememberedTiles(path, 'a card')).toBeNull();
    rememberTiles(path, 'a card', tiles);
    expect(rememberedTiles(path, 'a card')).toEqual(tiles);
    expect(rememberedTiles(path, 'another')).toBeNull();
    writeFileSync(path, readFileSync(path, 'utf8').replace(/"version": \d+/, '"version": 0'));
    expect(rememberedTiles(path, 'a card')).toBeNull();
    writeFileSync(path, '{');
    expect(rememberedTiles(path, 'a card')).toBeNull();
  });

  it('is optional: a failure to write it is not an error', () => {
    writeFileSync(join(folder, 'file'), '');
    const tiles: Tiles = forEachProduct(() => small);
    expect(() => {
      rememberTiles(join(folder, 'file', 'tiles.json'), 'a card', tiles);
    }).not.toThrow();
  });
});
