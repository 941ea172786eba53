/** The metrics of a segmentation, from the confusion matrix of the whole test set. */
import { mean } from '../common/sums.js';
import { IGNORED } from '../data/target.js';

/** Counts of pixels: [true class × predicted class]. */
export class ConfusionMatrix {
  readonly #classes: number;
  readonly #counts: Float64Array;

  constructor(classes: number) {
    this.#classes = classes;
    this.#counts = new Float64Array(classes * classes);
  }

  /** Counts one pixel, unless it has no class. */
  add(truth: number, predicted: number): void {
    if (truth !== IGNORED) this.#counts[truth * this.#classes + predicted]! += 1;
  }

  /** In percent; null: no pixel has a class. */
  pixelAccuracy(): number | null {
    const total = this.#counts.reduce((a, b) => a + b, 0);
    let right = 0;
    for (let c = 0; c < this.#classes; c++) right += this.#at(c, c);
    return total === 0 ? null : (100 * right) / total;
  }

  /**
   * Intersection over union of each class, in percent; null: the class is neither in the masks nor predicted.
   */
  classIou(): (number | null)[] {
    return Array.from({ length: this.#classes }, (_, c) => {
      let union = -this.#at(c, c);
      for (let other = 0; other < this.#classes; other++) union += this.#at(c, other) + this.#at(other, c);
      return union === 0 ? null : (100 * this.#at(c, c)) / union;
    });
  }

  /** The mean over the classes that are in the masks or predicted; null: there is none. */
  meanIou(): number | null {
    const found = this.classIou().filter((iou) => iou !== null);
    return found.length === 0 ? null : mean(found);
  }

  #at(truth: number, predicted: number): number {
    return this.#counts[truth * this.#classes + predicted]!;
  }
}
