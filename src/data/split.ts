/**
 * A split is a list of images with their targets, as training reads them. Subsets of a split are splits too. Each data
 * set has a file that reads its images.
 */
import { TrainingError } from '../common/errors.js';
import type { ByteImage } from '../common/image.js';
import { permutation, stream } from '../common/random.js';
import { ReadWatch } from './read-watch.js';
import type { TargetKind, Targets } from './target.js';

/** An image with the target that its data set provides. */
export interface Sample<Target = unknown> {
  readonly image: ByteImage;
  /** The target of this image. A class is not always `labels[index]`, see {@link Split.sample}. */
  readonly target: Target;
}

export interface Split<Target = unknown> {
  readonly length: number;
  /**
   * The class of every image, as listed; an index into the data set's classes. Subsets are drawn evenly over the
   * classes. If images have no class, all are 0.
   */
  readonly labels: Uint32Array;
  /**
   * Reads one image, for scores and features. null: it cannot be decoded, and the data set passes over such files.
   *
   * @throws TrainingError if an image cannot be read, a read does not end (`read-watch.ts`), or too few images are
   *   left, see {@link MOST_UNDECODABLE}.
   */
  read(index: number): Promise<Sample<Target> | null>;
  /**
   * Reads one image to train on. Batches stay full: an image that cannot be decoded is replaced by the next image of
   * the split that can be decoded, with its own target.
   *
   * @throws TrainingError as {@link read} does.
   */
  sample(index: number): Promise<Sample<Target>>;
  /** Images less those found undecodable so far. */
  readonly decodable: number;
  /** The files found undecodable so far and passed over, each once; also those of other subsets of the same images. */
  readonly corrupt: readonly string[];
  /** The files that the decoder warned of so far and that are used, each once; also those of other subsets. */
  readonly damaged: readonly string[];
  /** The images at these indices, in this order. */
  subset(indices: ArrayLike<number>): Split<Target>;
}

/**
 * The largest share of a split's images that is passed over because they cannot be decoded. Beyond it, from the second
 * image on, the stage fails. It also fails if no image of a class is left. The images read so far are counted.
 */
export const MOST_UNDECODABLE = 0.05;

/** A data set, opened, by what it provides with each image. */
export type Dataset<Kind extends TargetKind = TargetKind> = { [Each in Kind]: DatasetOf<Each> }[Kind];

export interface DatasetOf<Kind extends TargetKind> {
  readonly name: string;
  readonly targets: Kind;
  /** Names of the classes, of images or of pixels; a label is an index into them. Empty: it has none. */
  readonly classes: readonly string[];
  /**
   * Hexadecimal SHA-256 of the content: it depends neither on the place of the files nor on `trainImages` and
   * `testImages`.
   */
  readonly fingerprint: string;
  /** Names the files that differ from the content of another fingerprint; null if they are not known. */
  readonly changesSince?: (fingerprint: string) => Promise<string | null>;
  readonly train: Split<Targets[Kind]>;
  /** Empty: it has none. */
  readonly test: Split<Targets[Kind]>;
  /** Images of `data.validation`, which are in neither; undefined: it is not set. */
  readonly validation?: Split<Targets[Kind]>;
  /** Sentences that a plan prints about it beside its numbers: which folders were chosen, what was ignored and why. */
  readonly remarks?: readonly string[];
}

/** Called while a data set is opened. */
export interface DataWatch {
  /** Files whose content is hashed: how many of how many. */
  readonly onHashed?: (done: number, total: number) => void;
  /** The differences since the data set was last opened, in words. */
  readonly onChanged?: (what: string) => void;
}

/** A source of images and their targets. */
export interface SampleSource<Target> {
  /** As {@link Split.labels}. */
  readonly labels: Uint32Array;
  /** null: the image cannot be decoded, and the split does not read it again. */
  read(index: number): Promise<Sample<Target> | null>;
  /** The names of images and classes in errors; without it, errors contain their numbers. */
  readonly names?: { image(index: number): string; class(label: number): string };
  /** As {@link Split.damaged}; it grows while images are read. */
  readonly damaged?: ReadonlySet<string>;
}

/** {@link splitOf} for targets of any type. */
export function sampleSplitOf<Target>(source: SampleSource<Target>, reads = new ReadWatch()): Split<Target> {
  return new SourceSplit(source, { undecodable: new Set(), corrupt: [], reads });
}

/** A source of images whose target is a class. */
export interface ImageSource extends Omit<SampleSource<number>, 'read'> {
  /** null: the image cannot be decoded. */
  read(index: number): Promise<ByteImage | null>;
}

/** The split of all images of a source. */
export function splitOf(source: ImageSource): Split<number> {
  return sampleSplitOf({
    ...source,
    async read(index) {
      const image = await source.read(index);
      return image && { image, target: source.labels[index]! };
    },
  });
}

/** A split without images. */
export function emptySplit(): Split<number> {
  return splitOf({ labels: new Uint32Array(), read: () => Promise.resolve(null) });
}

/** The findings that the subsets of one source share. */
interface Found {
  /** Indices into the source. */
  readonly undecodable: Set<number>;
  readonly corrupt: string[];
  readonly reads: ReadWatch;
}

class SourceSplit<Target> implements Split<Target> {
  readonly labels: Uint32Array;
  readonly #source: SampleSource<Target>;
  readonly #found: Found;
  /** Into the source; undefined: all of it. */
  readonly #indices: Int32Array | undefined;
  /** Of this split's images. */
  readonly #undecodable = new Set<number>();
  /** Decodable images of each class; counted once the first image is found undecodable. */
  #left: Uint32Array | undefined;

  constructor(source: SampleSource<Target>, found: Found, indices?: Int32Array) {
    this.#source = source;
    this.#found = found;
    this.#indices = indices;
    this.labels = indices === undefined ? source.labels : Uint32Array.from(indices, (i) => source.labels[i]!);
  }

  get length(): number {
    return this.labels.length;
  }

  get decodable(): number {
    return this.length - this.#undecodable.size;
  }

  get corrupt(): readonly string[] {
    return this.#found.corrupt;
  }

  get damaged(): readonly string[] {
    return [...(this.#source.damaged ?? [])];
  }

  async read(index: number): Promise<Sample<Target> | null> {
    this.#check(index);
    const at = this.#at(index);
    const { undecodable, corrupt, reads } = this.#found;
    const sample = undecodable.has(at) ? null : await reads.watch(() => this.#nameOf(index), this.#source.read(at));
    if (sample !== null) return sample;
    if (!undecodable.has(at)) corrupt.push(this.#nameOf(index));
    undecodable.add(at);
    this.#passOver(index);
    return null;
  }

  async sample(index: number): Promise<Sample<Target>> {
    this.#check(index);
    for (let tried = 0; tried < this.length; tried++) {
      const sample = await this.read((index + tried) % this.length);
      if (sample !== null) return sample;
    }
    throw new TrainingError(`none of ${this.length} images can be decoded; replace them`);
  }

  subset(indices: ArrayLike<number>): Split<Target> {
    return new SourceSplit(
      this.#source,
      this.#found,
      Int32Array.from(indices, (index) => this.#at(index)),
    );
  }

  #check(index: number): void {
    if (!Number.isInteger(index) || index < 0 || index >= this.length)
      throw new RangeError(`image ${index} of a split of ${this.length}`);
  }

  #at(index: number): number {
    return this.#indices?.[index] ?? index;
  }

  #nameOf(index: number): string {
    return this.#source.names?.image(this.#at(index)) ?? `image ${this.#at(index)}`;
  }

  /** Counts an image as undecodable. */
  #passOver(index: number): void {
    if (this.#undecodable.has(index)) return;
    this.#left ??= countByLabel(this.labels);
    this.#undecodable.add(index);
    const label = this.labels[index]!;
    this.#left[label]! -= 1;
    if (this.#left[label] === 0) {
      const ofClass = [...this.#undecodable].filter((other) => this.labels[other] === label);
      throw new TrainingError(
        `no image of class ${this.#source.names?.class(label) ?? label} can be decoded ` +
          `(${this.#listed(ofClass)}), so its results would be of fewer classes. ${REMEDY}`,
      );
    }
    const count = this.#undecodable.size;
    if (count > 1 && count > MOST_UNDECODABLE * this.length) {
      throw new TrainingError(
        `at least ${count} of ${this.length} images (${((100 * count) / this.length).toFixed(1)} %) cannot be decoded ` +
          `(${this.#listed([...this.#undecodable])}); up to ${100 * MOST_UNDECODABLE} % are passed over. ${REMEDY}`,
      );
    }
  }

  #listed(indices: readonly number[]): string {
    const named = indices.slice(0, LISTED).map((index) => this.#nameOf(index));
    const more = indices.length - named.length;
    return named.join(', ') + (more > 0 ? ` and ${more} more` : '');
  }
}

/** Files that an error names. */
const LISTED = 5;
const REMEDY = 'Replace these files, remove them, or get the data set again.';

/** The number of images of each label, up to the largest. */
function countByLabel(labels: Uint32Array): Uint32Array {
  const counts = new Uint32Array(labels.reduce((a, b) => Math.max(a, b), -1) + 1);
  for (const label of labels) counts[label]! += 1;
  return counts;
}

/** The indices of each class's images, in ascending order; classes without images are empty. */
export function indicesByClass(labels: Uint32Array): number[][] {
  const byClass: number[][] = [];
  labels.forEach((label, index) => {
    while (byClass.length <= label) byClass.push([]);
    byClass[label]!.push(index);
  });
  return byClass;
}

/**
 * At most `count` images, drawn evenly over the classes: a class gives less than the others only when it has no more.
 * The same for every seed, and a smaller subset is part of every larger one. `name` is the name of the split.
 */
export function balancedSubset<Target>(
  split: Split<Target>,
  count: number | undefined,
  name: 'train' | 'test',
): Split<Target> {
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

/** How many of the training labels an evaluation may use. */
export interface Labels {
  /** The fraction of the images of each class, in (0, 1]. */
  labelFraction: number;
  /** The number of images of each class, instead of a fraction. */
  shots?: number | undefined;
}

/** The class with the fewest images, if it has fewer than so many; null: all classes have as many. */
export function fewerThan(
  shots: number,
  labels: Uint32Array,
  classes: number,
): { label: number; images: number } | null {
  const counts = Array.from({ length: classes }, () => 0);
  for (const label of labels) counts[label]! += 1;
  const images = Math.min(...counts);
  return images < shots ? { label: counts.indexOf(images), images } : null;
}

/**
 * The images whose labels training may use: the same fraction of every class and at least one image of each, or the
 * same number of each. Only the seed decides the draw, so that every objective is measured on the same labels, and
 * fewer shots are part of more shots.
 *
 * @throws TrainingError if a class has fewer images than `shots`.
 */
export function labelledSubset<Target>(
  split: Split<Target>,
  { labelFraction, shots }: Labels,
  seed: number,
): Split<Target> {
  if (shots === undefined && labelFraction >= 1) return split;
  const chosen = indicesByClass(split.labels).flatMap((indices, label) => {
    if (shots !== undefined && indices.length < shots) {
      throw new TrainingError(`class ${label} has ${indices.length} training images, fewer than ${shots} shots`);
    }
    const count = shots ?? Math.min(indices.length, Math.max(1, Math.round(labelFraction * indices.length)));
    const order = permutation(indices.length, stream(seed, 'labels', label));
    return Array.from(order.subarray(0, count), (i) => indices[i]!);
  });
  return split.subset(chosen.sort((a, b) => a - b));
}
