/**
 * Features that the probes of one pre-training share. A worker runs these probes one after the other (`runner`), so its
 * memory is the place for them: there is no file to be damaged, cleaned or locked, and features of another device or
 * version of vitmim cannot be mixed in.
 */
import { availableParallelism, totalmem } from 'node:os';
import { canonicalJson } from '../common/canonical.js';

export interface FeatureSet {
  /** [length, width], row-major. */
  features: Float32Array;
  labels: Uint32Array;
  width: number;
}

/** The images of a set; all values that decide which they are, and what the encoder sees of them. */
export type SetKey = Readonly<Record<string, unknown>>;

/** Features of the images of a split, in parts that are each short enough for a pass through a head. */
export type FeatureParts = AsyncIterable<FeatureSet>;

/** The features of one encoder at a time. */
export class SharedFeatures {
  readonly #mostBytes: number;
  #encoder = '';
  #bytes = 0;
  readonly #sets = new Map<string, readonly FeatureSet[]>();

  /** @param mostBytes A set that would exceed it is not kept. */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /**
   * The parts of a set, computed if they are not kept. The caller may change the returned features. A set is kept once
   * its last part has been taken.
   *
   * @param encoder All that decides the weights and how they compute. Features of any other encoder are dropped.
   * @param mayKeep Called after the last part: whether the features may be used again.
   */
  async *parts(
    encoder: Readonly<Record<string, unknown>>,
    key: SetKey,
    compute: () => FeatureParts,
    mayKeep: () => boolean,
  ): AsyncGenerator<FeatureSet, void> {
    const own = canonicalJson(encoder);
    if (own !== this.#encoder) this.clear();
    this.#encoder = own;
    const name = canonicalJson(key);
    const kept = this.#sets.get(name);
    if (kept !== undefined) {
      for (const part of kept) yield copyOf(part);
      return;
    }
    let bytes = 0;
    let copies: FeatureSet[] = [];
    const fits = (): boolean => this.#bytes + bytes <= this.#mostBytes;
    for await (const part of compute()) {
      bytes += 4 * (part.features.length + part.labels.length);
      // The parts of a set that does not fit as a whole are released at once.
      if (fits()) copies.push(copyOf(part));
      else copies = [];
      yield part;
    }
    if (!fits() || !mayKeep()) return;
    this.#sets.set(name, copies);
    this.#bytes += bytes;
  }

  /** Drops all features. */
  clear(): void {
    this.#sets.clear();
    this.#bytes = 0;
  }
}

const copyOf = ({ features, labels, width }: FeatureSet): FeatureSet => {
  return { features: features.slice(), labels: labels.slice(), width };
};

/** Share of the memory of a worker's cores that features may use, in addition to those in use. */
const SHARE = 1 / 4;

/**
 * Bytes for kept features: a quarter of the machine's memory, divided by cores.
 *
 * @param cores Cores that are reserved for the worker.
 */
export function featureBytes(cores: number): number {
  // Without a limit this is 0, or more than the machine has.
  const limit = process.constrainedMemory();
  const memory = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  return SHARE * memory * Math.min(1, cores / availableParallelism());
}
