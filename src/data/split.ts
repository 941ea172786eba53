/**
 * A split is a list of labelled images, as training reads them; subsets of it are splits too. Where the images come
 * from is in one file per data set.
 */
import { TrainingError } from '../common/errors.js';
import type { ByteImage } from '../common/image.js';
import { permutation, stream } from '../common/random.js';

export interface Sample {
  readonly image: ByteImage;
  /** The label of this very image: not always `labels[index]`, see {@link Split.sample}. */
  readonly label: number;
}

export interface Split {
  readonly length: number;
  /** The label of every image, as listed; an index into the data set's classes. */
  readonly labels: Uint32Array;
  /**
   * Reads one image. Where it cannot be decoded and the data set passes over such files, the next image of the split
   * that can be stands in, with its own label.
   *
   * @throws TrainingError for an image that cannot be read.
   */
  sample(index: number): Promise<Sample>;
  /** The files found unreadable so far and passed over, each once. Grows while samples are read. */
  readonly corrupt: readonly string[];
  /** The images at these indices, in this order. */
  subset(indices: ArrayLike<number>): Split;
}

/** A data set, opened. */
export interface Dataset {
  readonly name: string;
  /** Names of the classes; a label is an index into them. */
  readonly classes: readonly string[];
  /** Hexadecimal SHA-256 of what decides the content: never of where it lies, nor of `trainImages` and `testImages`. */
  readonly fingerprint: string;
  readonly train: Split;
  readonly test: Split;
}

/** Where a split's images come from. */
export interface ImageSource {
  readonly labels: Uint32Array;
  /** null: the file cannot be decoded and is to be passed over; the source has added it to `corrupt`. */
  read(index: number): Promise<ByteImage | null>;
  readonly corrupt?: readonly string[];
}

/** The split of all images of a source, or of those at `indices`. */
export function splitOf(source: ImageSource, indices?: Int32Array): Split {
  const labels = indices === undefined ? source.labels : Uint32Array.from(indices, (i) => source.labels[i]!);
  const length = labels.length;
  const at = (index: number): number => indices?.[index] ?? index;
  const corrupt = source.corrupt ?? [];
  return {
    length,
    labels,
    corrupt,
    async sample(index) {
      if (!Number.isInteger(index) || index < 0 || index >= length)
        throw new RangeError(`sample ${index} of a split of ${length}`);
      for (let tried = 0; tried < length; tried++) {
        const position = (index + tried) % length;
        const image = await source.read(at(position));
        if (image !== null) return { image, label: labels[position]! };
      }
      throw new TrainingError(`none of ${length} images can be decoded, beginning with ${corrupt[0] ?? 'the first'}`);
    },
    subset: (chosen) => splitOf(source, Int32Array.from(chosen, at)),
  };
}

/** The indices of each class's images, in ascending order; classes without images are empty. */
function indicesByClass(labels: Uint32Array): number[][] {
  const byClass: number[][] = [];
  labels.forEach((label, index) => {
    while (byClass.length <= label) byClass.push([]);
    byClass[label]!.push(index);
  });
  return byClass;
}

/**
 * At most `count` images, drawn evenly over the classes: a class gives less than the others only when it has no more.
 * The same for every seed, and a smaller subset is part of every larger one. `name` tells the splits of a data set apart.
 */
export function balancedSubset(split: Split, count: number | undefined, name: 'train' | 'test'): Split {
  if (count === undefined || count >= split.length) return split;
  const byClass = indicesByClass(split.labels).map((indices, label) => {
    const order = permutation(indices.length, stream(0, 'subset', name, label));
    return Array.from(order, (i) => indices[i]!);
  });
  const chosen: number[] = [];
  for (let round = 0; chosen.length < count; round++) {
    // A new order of the classes each round: no class is favoured by an incomplete last one.
    for (const label of permutation(byClass.length, stream(0, 'subset', name, 'round', round))) {
      const index = byClass[label]![round];
      if (index !== undefined && chosen.length < count) chosen.push(index);
    }
  }
  return split.subset(chosen.sort((a, b) => a - b));
}

/**
 * The images whose labels training may use: the same fraction of every class, at least one image of each, drawn by the
 * seed alone, so that every objective is measured on the same labels.
 *
 * @param labelFraction in (0, 1]
 */
export function labelledSubset(split: Split, labelFraction: number, seed: number): Split {
  if (labelFraction >= 1) return split;
  const chosen = indicesByClass(split.labels).flatMap((indices, label) => {
    const count = Math.min(indices.length, Math.max(1, Math.round(labelFraction * indices.length)));
    const order = permutation(indices.length, stream(seed, 'labels', label));
    return Array.from(order.subarray(0, count), (i) => indices[i]!);
  });
  return split.subset(chosen.sort((a, b) => a - b));
}
