/** Reads what fixtures/make.py wrote, and small helpers of the data tests. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ByteImage } from '../../src/common/image.js';
import type { Box, ResampleKind } from '../../src/common/resample.js';
import type { EvaluationBox } from '../../src/data/augment.js';
import { setVariables, type Variables } from '../support/variables.js';

interface Fixture {
  image: { height: number; width: number; pixels: string };
  probabilities: number[];
  resized: { kind: ResampleKind; box: Box; height: number; width: number; pillow: string; torch: string }[];
  pooled: { height: number; width: number; torch: string }[];
  centred: { height: number; width: number; size: number; pixels: string; view: string }[];
  boxesOfEvaluation: { height: number; width: number; size: number; box: EvaluationBox }[];
  crops: {
    height: number;
    width: number;
    scale: [number, number];
    quantiles: Record<'area' | 'logRatio' | 'centreY' | 'centreX', number[]>;
  }[];
}

export const fixture = JSON.parse(
  readFileSync(join(process.cwd(), 'test/data/fixtures/resample.json'), 'utf8'),
) as Fixture;

export function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(Buffer.from(base64, 'base64'));
}

export function floatsOf(base64: string): Float32Array {
  return new Float32Array(bytesOf(base64).buffer);
}

export function byteImage(stored: { height: number; width: number; pixels: string }): ByteImage {
  return { data: bytesOf(stored.pixels), height: stored.height, width: stored.width };
}

/** The largest difference of two arrays of the same length. */
export function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) throw new Error(`${actual.length} values instead of ${expected.length}`);
  let largest = 0;
  for (let i = 0; i < actual.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    // NaN compares as false with everything: it has to be caught by itself.
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Infinity : difference;
  }
  return largest;
}

/** Temporary folders of a test file, removed after all of its tests. */
export function temporaryFolders(): () => Promise<string> {
  const made: string[] = [];
  afterAll(async () => {
    for (const folder of made) await rm(folder, { recursive: true, force: true });
  });
  return async () => {
    const folder = await mkdtemp(join(tmpdir(), 'vitmim-test-'));
    made.push(folder);
    return folder;
  };
}

/** Has the hashes of files kept in a temporary folder while the tests of a file run, not in the user's cache. */
export function ownCache(): void {
  const folderFor = temporaryFolders();
  let before: Variables = {};
  beforeAll(async () => {
    before = setVariables({ XDG_CACHE_HOME: await folderFor() });
  });
  afterAll(() => {
    setVariables(before);
  });
}
