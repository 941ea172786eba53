/** The order of objectives in tables and charts; it follows the registries of the parts. */
import { MISALIGNED, RESTYLED } from '../spec/objective.js';

/** Objectives of at most one part: style, then geometry, then masks. */
export const SINGLE_PARTS = [
  'scratch',
  'pretrained',
  'identity',
  ...RESTYLED,
  ...MISALIGNED.toReversed(),
  'masked',
] as const;

/** The parts in the order in which names join them. */
const JOINED: readonly string[] = ['masked', ...MISALIGNED, ...RESTYLED];

/**
 * Compares two names of tasks: fewer parts come first, and combinations are in the order of their parts: `masked`,
 * `masked+zoomed-in`, `zoomed-in+blurred`, `masked+zoomed-in+blurred`.
 */
export function compareObjectives(a: string, b: string): number {
  const [first, second] = [placeOf(a), placeOf(b)];
  const differing = first.findIndex((place, i) => place !== second[i]);
  return differing === -1 ? 0 : first[differing]! - second[differing]!;
}

/** The number of parts and the place of each: names with the same number have places of the same length. */
function placeOf(name: string): number[] {
  const parts = name.split('+');
  const order: readonly string[] = parts.length === 1 ? SINGLE_PARTS : JOINED;
  return [parts.length, ...parts.map((part) => order.indexOf(part))];
}
