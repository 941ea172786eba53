/** Student's t distribution, for real degrees of freedom. */
import { regularizedBeta } from './beta.js';

/**
 * The t that |T| stays below with the given probability: 4.303 for 0.95 and two degrees of freedom.
 *
 * @param probability In (0, 1).
 * @param degrees Positive.
 */
export function centralStudent(probability: number, degrees: number): number {
  if (!Number.isInteger(degrees)) return bisect(probability, degrees);
  const ofDegrees = known.get(degrees) ?? new Map<number, number>();
  known.set(degrees, ofDegrees);
  const t = ofDegrees.get(probability) ?? bisect(probability, degrees);
  ofDegrees.set(probability, t);
  return t;
}

/** By whole degrees and probability: the search for a number of seeds tries the same ones for every verdict. */
const known = new Map<number, Map<number, number>>();

function bisect(probability: number, degrees: number): number {
  // Bisection over the angle, since t is unbounded and the angle is not. 60 halvings reach the last bit.
  let [low, high] = [0, Math.PI / 2];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (1 - studentTail(tAt(middle, degrees), degrees) < probability) low = middle;
    else high = middle;
  }
  return tAt((low + high) / 2, degrees);
}

const tAt = (angle: number, degrees: number): number => Math.sqrt(degrees) * Math.tan(angle);

/**
 * P(|T| ≥ |t|): the two-sided p value of t.
 *
 * @param degrees Positive.
 */
export function studentTail(t: number, degrees: number): number {
  return regularizedBeta(degrees / (degrees + t * t), degrees / 2, 0.5);
}
