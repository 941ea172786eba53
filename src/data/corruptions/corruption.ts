/** What a corruption is: a deterministic function of an image, its strength and a random stream. */
import type { FloatImage } from '../../common/image.js';
import type { Random } from '../../common/random.js';

/** The groups of ImageNet-C. `extra` corruptions are reported apart from its mean. */
export type Category = 'noise' | 'blur' | 'weather' | 'digital' | 'extra';

/** Strengths at severities 1 to 5. */
type Strengths<Strength> = readonly [Strength, Strength, Strength, Strength, Strength];

interface CorruptionDeclaration<Name extends string, Strength> {
  name: Name;
  /** Its heading in tables. */
  title: string;
  category: Category;
  /** Of CIFAR-10-C, whose images have 32 pixels. */
  small: Strengths<Strength>;
  /** Of ImageNet-C, whose images have 224 pixels. */
  large: Strengths<Strength>;
  /**
   * @param image In [0, 1]; it must not be changed.
   * @returns an image of the same size, which is clipped to [0, 1] afterwards.
   */
  apply: (image: FloatImage, strength: Strength, random: Random) => FloatImage | Promise<FloatImage>;
}

export interface Corruption<Name extends string = string> {
  readonly name: Name;
  readonly title: string;
  readonly category: Category;
  /** @param severity From 1 to 5. */
  readonly apply: (image: FloatImage, severity: number, random: Random) => FloatImage | Promise<FloatImage>;
}

/** Images of fewer pixels on a side have the strengths of CIFAR-10-C. */
const LARGE = 128;

export const SEVERITIES = [1, 2, 3, 4, 5] as const;

/** Creates an entry of the registry. List it in `index.ts`. */
export function defineCorruption<const Name extends string, Strength>(
  declaration: CorruptionDeclaration<Name, Strength>,
): Corruption<Name> {
  const { name, title, category, small, large, apply } = declaration;
  return {
    ...{ name, title, category },
    apply(image, severity, random) {
      const strength = (image.height < LARGE ? small : large)[severity - 1];
      if (strength === undefined) throw new Error(`there is no severity ${severity}`);
      return apply(image, strength, random);
    },
  };
}

/** An image of the same size with other values. The loop is several times as fast as `Float32Array.from`. */
export function mapImage(
  { data, height, width }: FloatImage,
  value: (old: number, index: number) => number,
): FloatImage {
  const mapped = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) mapped[i] = value(data[i]!, i);
  return { data: mapped, height, width };
}

/** One layer of values for all channels: [height × width], row-major. */
export interface Layer {
  readonly data: Float64Array;
  readonly height: number;
  readonly width: number;
}

export function layerOf(height: number, width: number, value: (index: number) => number): Layer {
  const data = new Float64Array(height * width);
  for (let i = 0; i < data.length; i++) data[i] = value(i);
  return { data, height, width };
}
