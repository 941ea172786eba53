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

/** The features of one encoder at a time. */
export class SharedFeatures {
  readonly #mostBytes: number;
  #encoder = '';
  #bytes = 0;
  readonly #sets = new Map<string, FeatureSet>();

  /** @param mostBytes A set that would exceed it is not kept. */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /**
   * The features of a set, computed if they are not kept. The caller may change the returned features.
   *
   * @param encoder All that decides the weights and how they compute. Features of any other encoder are dropped.
   * @param mayKeep Called after `compute`: whether the features may be used again.
   */
  async get(
    encoder: Readonly<Record<string, unknown>>,
    key: SetKey,
    compute: () => Promise<FeatureSet>,
    mayKeep: () => boolean,
  ): Promise<FeatureSet> {
    const own = canonicalJson(encoder);
    if (own !== this.#encoder) this.clear();
    this.#encoder = own;
    const name = canonicalJson(key);
    const kept = this.#sets.get(name);
    if (kept !== undefined) return copyOf(kept);
    const computed = await compute();
    const bytes = 4 * (computed.features.length + computed.labels.length);
    if (this.#bytes + bytes <= this.#mostBytes && mayKeep()) {
      this.#sets.set(name, copyOf(computed));
      this.#bytes += bytes;
    }
    return computed;
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
