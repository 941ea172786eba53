/** The paper's design principles, each with the contrasts that test it. */
import { difference, type Contrast } from './contrasts.js';
import { interaction, mainEffect } from './effects.js';
import type { Factorial } from './factorial.js';

export interface Principle {
  name: string;
  /** `a minus b`, of the quantity. */
  quantity: string;
  /** The sign of the quantity if the principle holds, of a metric that is better when higher. */
  sign: 1 | -1;
  contrastsOf: (factorial: Factorial) => readonly Contrast[];
}

export const PRINCIPLES: readonly Principle[] = [
  {
    name: 'Misalignment helps',
    quantity: 'Misaligned minus aligned',
    sign: 1,
    contrastsOf: (factorial) => mainEffect(factorial, 'misalignment').contrasts,
  },
  {
    name: 'Misalignment helps more on top of masking',
    quantity: 'What misalignment adds with a mask minus what it adds without',
    sign: 1,
    contrastsOf: (factorial) => interaction(factorial, 'mask', 'misalignment').contrasts,
  },
  {
    name: 'Keep the style',
    quantity: 'Changed style minus preserved style',
    sign: -1,
    contrastsOf: (factorial) => mainEffect(factorial, 'style').contrasts,
  },
  {
    name: 'Masking helps',
    quantity: 'Masked minus unmasked',
    sign: 1,
    contrastsOf: (factorial) => mainEffect(factorial, 'mask').contrasts,
  },
  {
    name: 'Masked and zoomed-in is at least as good as masked',
    quantity: 'masked+zoomed-in minus masked',
    sign: 1,
    contrastsOf: integrated,
  },
];

/** At the paper's mask ratio. */
function integrated(factorial: Factorial): Contrast[] {
  const both = factorial.find({ mask: 0.75, misalignment: 'zoomed-in', style: 'preserved' });
  const masked = factorial.find({ mask: 0.75, misalignment: 'none', style: 'preserved' });
  return both === undefined || masked === undefined ? [] : [difference(both, masked)];
}
