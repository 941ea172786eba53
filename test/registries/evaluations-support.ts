/** A copy of the sources with an invented evaluation, data set and augmentation. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const ROOT = process.cwd();

/** Tells pixels by their brightness: nothing is trained, and the masks of `halves` are met exactly. */
const SEGMENT = `
import { z } from 'zod';
import { defineEvaluation } from './evaluation.js';
import { PERCENT } from './fields.js';

export const segment = defineEvaluation({
  name: 'segment',
  title: 'segmentation',
  needs: 'mask',
  trains: 'nothing',
  recipe: z.strictObject({ level: z.number().default(128).describe('Pixels above it are foreground.') }),
  metrics: {
    meanIou: {
      schema: z.number(), label: 'mean IoU', title: 'Mean IoU', name: 'mean IoU', description: 'Over classes.',
      unit: null, digits: 4, better: 'higher', tag: 'segmentation/mean-iou',
    },
    pixelAccuracy: {
      schema: z.number(), label: 'pixel accuracy', title: 'Pixel accuracy', name: 'pixel accuracy',
      description: 'Share of right pixels.', unit: PERCENT, digits: 2, better: 'higher', tag: 'segmentation/accuracy',
    },
  },
  numbers: {},
  async run({ recipe }, { dataset, device, emit }) {
    emit({ type: 'started', device, steps: 0, fromStep: 0 });
    const counts = { right: 0, pixels: 0, both: [0, 0], either: [0, 0] };
    for (let i = 0; i < dataset.test.length; i++) {
      const { image, target } = await dataset.test.sample(i);
      target.data.forEach((own, at) => {
        const found = image.data[3 * at]! > recipe.level ? 1 : 0;
        counts.pixels += 1;
        if (found === own) counts.right += 1;
        for (const c of [0, 1]) {
          if (found === c && own === c) counts.both[c]! += 1;
          if (found === c || own === c) counts.either[c]! += 1;
        }
      });
    }
    const iou = [0, 1].map((c) => counts.both[c]! / counts.either[c]!);
    return {
      kind: 'segment' as const, epochs: 0, steps: 0, imagesPerSecond: null, seconds: 0, corruptImages: [],
      meanIou: (iou[0]! + iou[1]!) / 2, pixelAccuracy: (100 * counts.right) / counts.pixels,
      testImages: dataset.test.length, trainImages: dataset.train.length,
    };
  },
});
`;

/** Pictures with a bright half, and the mask of it. */
const HALVES = `
import { z } from 'zod';
import { count } from '../common/values.js';
import { DATA_KEYS, defineDataset } from './entry.js';
import { sampleSplitOf } from './split.js';
import type { Mask } from './target.js';

export const halves = defineDataset({
  schema: z.strictObject({
    ...DATA_KEYS,
    name: z.literal('halves'),
    imageSize: DATA_KEYS.imageSize.default(16),
    trainImages: count.default(24),
    testImages: count.default(8),
  }),
  targets: 'mask',
  open({ imageSize: side, trainImages, testImages }) {
    const split = (length: number) =>
      sampleSplitOf<Mask>({
        labels: new Uint32Array(length),
        read(index) {
          const bright = (at: number): boolean => at % side < side / 2 === (index % 2 === 0);
          const data = Uint8Array.from({ length: side * side }, (_, at) => Number(bright(at)));
          const pixels = Uint8Array.from({ length: 3 * side * side }, (_, at) => (bright(Math.floor(at / 3)) ? 220 : 30));
          const image = { data: pixels, height: side, width: side };
          return Promise.resolve({ image, target: { data, height: side, width: side } });
        },
      });
    return {
      name: 'halves', targets: 'mask', classes: ['dark', 'bright'], fingerprint: 'halves-' + side,
      train: split(trainImages), test: split(testImages),
    };
  },
});
`;

const INVERT = `
import { probability } from '../../common/values.js';
import { pixelStep } from './augmentation.js';

export const invert = pixelStep(
  () => ({ invert: probability.optional().describe('How often an image is inverted.') }),
  ({ invert = 0 }, random) => (random.uniform() < invert ? 255 : null),
  ({ data, ...size }, white) => ({ ...size, data: data.map((value) => white - value) }),
);
`;

export interface InventedCopy {
  folder: string;
  /** Writes a file into the copy, and returns its path. */
  write(name: string, text: string): string;
  remove(): void;
}

/** Copies the sources, adds three files and three lines, and compiles the copy. */
export function inventedCopy(): InventedCopy {
  const folder = mkdtempSync(join(tmpdir(), 'vitmim-registries-'));
  for (const part of ['src', 'bin', 'package.json', 'tsconfig.json']) {
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'dir');
  const write = (name: string, text: string): string => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  write('src/stages/segment.ts', SEGMENT);
  write('src/data/halves.ts', HALVES);
  write('src/data/augmentations/invert.ts', INVERT);
  const list = (file: string, from: string, name: string, entries: string): void => {
    const text = readFileSync(join(folder, file), 'utf8');
    const listed = text.replace(entries, entries.replace(' }', `, ${name} }`));
    if (listed === text) throw new Error(`${file} has no ${entries}`);
    write(file, `import { ${name} } from '${from}';\n${listed}`);
  };
  list('src/stages/index.ts', './segment.js', 'segment', 'EVALUATIONS = registry({ finetune, linear, knn }');
  list('src/data/registry.ts', './halves.js', 'halves', "'image-folder': imageFolder }");
  list('src/data/augmentations/index.ts', './invert.js', 'invert', 'AUGMENTATIONS = { crop, flip }');
  const require = createRequire(import.meta.url);
  write('tsconfig.copy.json', JSON.stringify({ extends: './tsconfig.json', include: ['bin', 'src'] }));
  const compiler = [require.resolve('typescript/bin/tsc'), '--project', 'tsconfig.copy.json'];
  const { stdout: errors } = spawnSync(process.execPath, compiler, { cwd: folder, encoding: 'utf8' });
  // The webgpu backend reads a type that only the packages of tests declare, and those are not copied.
  const own = errors.split('\n').filter((line) => line !== '' && !line.startsWith('src/backends/'));
  if (own.length > 0) throw new Error(own.join('\n'));
  return {
    folder,
    write,
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Runs the copy's `vitmim ARGS…` and returns what it writes. */
export function run({ folder }: InventedCopy, ...args: string[]): string {
  const bin = join(folder, 'dist', 'bin', 'vitmim.js');
  const { stdout, stderr } = spawnSync(process.execPath, [bin, ...args], { cwd: folder, encoding: 'utf8' });
  return stdout + stderr;
}
