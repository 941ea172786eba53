/**
 * RandAugment as in timm (`rand_augment_transform`): a few operations, chosen with replacement, each applied with a
 * probability and at a magnitude around a common one. (PAPER.md §7)
 */
import { z } from 'zod';
import { IMAGENET_MEAN, type ByteImage } from '../../common/image.js';
import type { Random } from '../../common/random.js';
import { count, nonNegative, offAt, probability } from '../../common/values.js';
import { rotate, shearX, shearY, translateX, translateY, type Colour } from '../pillow/affine.js';
import { brightness, color, contrast, sharpness } from '../pillow/enhance.js';
import { autoContrast, equalize, invert, posterize, solarize, solarizeAdd } from '../pillow/tables.js';
import { onlyFor, pixelStep } from './augmentation.js';

// --- the key ---------------------------------------------------------------------------------------------------------

/** Magnitudes range from 0 to this. */
const MOST = 10;

const magnitude = z.number().min(0).max(MOST);
const mapping = z.strictObject({
  magnitude: magnitude.default(9).describe('Mean magnitude, from 0 to 10.'),
  std: nonNegative.default(0.5).describe('Standard deviation of the magnitude of each operation.'),
  ops: count.default(2).describe('Operations chosen for each image.'),
  probability: probability.default(0.5).describe('How often a chosen operation is applied.'),
  increasing: z.boolean().default(true).describe('A greater magnitude always changes an image more.'),
});

export type RandAugment = Readonly<z.output<typeof mapping>>;

/** The values of timm's text that are not written in it. */
const TIMM_DEFAULTS: RandAugment = { magnitude: MOST, std: 0, ops: 2, probability: 0.5, increasing: false };

/** `rand` and sections such as `m9`, in any order. */
const TIMM_TEXT = /^rand(-(m|n|p|mstd|inc)\d+(\.\d+)?)*$/;

/** timm's text, such as `rand-m9-mstd0.5-inc1`, as a mapping. */
function parseText(text: string): RandAugment {
  const sections = [...text.matchAll(/-([a-z]+)([\d.]+)/g)].map(
    ([, name = '', value]) => [name, Number(value)] as const,
  );
  const { m, n, p, mstd, inc } = Object.fromEntries<number | undefined>(sections);
  return {
    magnitude: m ?? TIMM_DEFAULTS.magnitude,
    std: mstd ?? TIMM_DEFAULTS.std,
    ops: n ?? TIMM_DEFAULTS.ops,
    probability: p ?? TIMM_DEFAULTS.probability,
    increasing: inc === undefined ? TIMM_DEFAULTS.increasing : inc !== 0,
  };
}

const text = z
  .string()
  .regex(TIMM_TEXT, 'expected none, a mapping, or text such as rand-m9-mstd0.5-inc1')
  .refine(
    (written) => mapping.safeParse(parseText(written)).success,
    'expected a magnitude m of at most 10, a whole number n of operations, and a probability p of at most 1',
  )
  .transform(parseText);

const randAugmentKey = offAt('none', z.union([z.union([z.literal('none'), text]), mapping])).describe(
  'RandAugment: none, a mapping of magnitude, std, ops, probability and increasing, or text as in timm: rand-m9-mstd0.5-inc1.',
);

// --- the operations --------------------------------------------------------------------------------------------------

/** The colour of a transformed image outside the original: the ImageNet mean, as in timm. */
const FILL = IMAGENET_MEAN.map((mean) => Math.round(255 * mean)) as unknown as Colour;

interface Operation {
  /**
   * The number that {@link apply} gets.
   *
   * @param level magnitude / 10, in [0, 1]
   * @param sign 1 or −1, at even odds
   */
  argument: (level: number, sign: () => number, increasing: boolean) => number;
  apply: (image: ByteImage, argument: number) => ByteImage;
}

const plain = (apply: (image: ByteImage) => ByteImage): Operation => ({ argument: () => 0, apply });

/** A transformation whose size grows with the magnitude, in either direction. */
const signed = (most: number, apply: (image: ByteImage, argument: number, fill: Colour) => ByteImage): Operation => ({
  argument: (level, sign) => level * most * sign(),
  apply: (image, argument) => apply(image, argument, FILL),
});

/** A blend by a factor: 1 leaves the image as it is. */
const enhancement = (apply: Operation['apply']): Operation => ({
  argument: (level, sign, increasing) => (increasing ? Math.max(0.1, 1 + level * 0.9 * sign()) : level * 1.8 + 0.1),
  apply,
});

/** In timm's order. */
const OPERATIONS = {
  AutoContrast: plain(autoContrast),
  Equalize: plain(equalize),
  Invert: plain(invert),
  Rotate: signed(30, rotate),
  Posterize: {
    argument(level, _sign, increasing) {
      const bits = Math.trunc(level * 4);
      return increasing ? 4 - bits : bits;
    },
    apply: posterize,
  },
  Solarize: {
    argument(level, _sign, increasing) {
      const threshold = Math.min(256, Math.trunc(level * 256));
      return increasing ? 256 - threshold : threshold;
    },
    apply: solarize,
  },
  SolarizeAdd: { argument: (level) => Math.min(128, Math.trunc(level * 110)), apply: solarizeAdd },
  Color: enhancement(color),
  Contrast: enhancement(contrast),
  Brightness: enhancement(brightness),
  Sharpness: enhancement(sharpness),
  ShearX: signed(0.3, shearX),
  ShearY: signed(0.3, shearY),
  TranslateX: signed(0.45, translateX),
  TranslateY: signed(0.45, translateY),
} as const satisfies Record<string, Operation>;

export type OperationName = keyof typeof OPERATIONS;
export const OPERATION_NAMES = Object.keys(OPERATIONS) as OperationName[];

/** One application of an operation. */
export interface DrawnOperation {
  name: OperationName;
  argument: number;
}

/** Draws the operations that are applied to one image, in their order; it may be none. */
export function drawOperations(recipe: RandAugment, random: Random): DrawnOperation[] {
  const { std, probability: odds, increasing } = recipe;
  const chosen = Array.from({ length: recipe.ops }, () => OPERATION_NAMES[random.integer(OPERATION_NAMES.length)]!);
  const sign = (): number => (random.uniform() < 0.5 ? 1 : -1);
  return chosen.flatMap((name) => {
    if (random.uniform() >= odds) return [];
    const drawn = std === 0 ? recipe.magnitude : random.normal(recipe.magnitude, std);
    const level = Math.min(Math.max(drawn, 0), MOST) / MOST;
    const operation: Operation = OPERATIONS[name];
    return [{ name, argument: operation.argument(level, sign, increasing) }];
  });
}

export function applyOperation(image: ByteImage, { name, argument }: DrawnOperation): ByteImage {
  const operation: Operation = OPERATIONS[name];
  return operation.apply(image, argument);
}

// The paper's pre-training sees crops as they are.
export const randAugment = onlyFor(
  ['finetune'],
  pixelStep(
    () => ({ randAugment: randAugmentKey }),
    ({ randAugment: recipe }, random) =>
      recipe === undefined || recipe === 'none' ? null : drawOperations(recipe, random),
    (image, drawn) => drawn.reduce(applyOperation, image),
  ),
);
