/**
 * How many pixels the fractions of a geometry come to in images of a given size (PAPER.md §13). Integers alone; no
 * pixel is touched here.
 */
import { UsageError } from '../common/errors.js';

/** The integer nearest to `value` that differs from `like` by an even number, so that one centres in the other. */
const nearestAlike = (value: number, like: number): number => 2 * Math.round((value - (like % 2)) / 2) + (like % 2);

/** Side of the centre window that a `field` zoom-in enlarges to `imageSize`: 160 of 224, 22 of 32. */
export function windowSize(fraction: number, imageSize: number): number {
  const size = nearestAlike(fraction * imageSize, imageSize);
  return checked(size >= 1 && size < imageSize, size, 'zoomedIn', fraction, imageSize);
}

/** Side of the field whose centre is the input of a `centre-border` zoom-in: 288 around 224, 42 around 32. */
export function outerFieldSize(fraction: number, imageSize: number): number {
  const size = nearestAlike(imageSize / fraction, imageSize);
  return checked(size > imageSize, size, 'zoomedIn', fraction, imageSize);
}

/** Side of the content that a zoom-out places in a canvas of `imageSize`: 160 in 224, 23 in 32. */
export function contentSize(fraction: number, imageSize: number): number {
  const size = Math.round(fraction * imageSize);
  return checked(size >= 1 && size < imageSize, size, 'zoomedOut', fraction, imageSize);
}

function checked(fits: boolean, size: number, key: string, fraction: number, imageSize: number): number {
  if (fits) return size;
  throw new UsageError(
    `degradation.${key}.fraction ${fraction} comes to no zoom in images of ${imageSize} px; move it away from 0 and 1`,
  );
}
