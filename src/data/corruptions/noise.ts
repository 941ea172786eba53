/** Noise: single values change, independently of each other. */
import type { Random } from '../../common/random.js';
import { defineCorruption, mapImage } from './corruption.js';

export const gaussianNoise = defineCorruption({
  name: 'gaussian_noise',
  title: 'Gaussian noise',
  category: 'noise',
  small: [0.04, 0.06, 0.08, 0.09, 0.1],
  large: [0.08, 0.12, 0.18, 0.26, 0.38],
  apply: (image, deviation, random) => mapImage(image, (value) => value + random.normal(0, deviation)),
});

export const shotNoise = defineCorruption({
  name: 'shot_noise',
  title: 'shot noise',
  category: 'noise',
  small: [500, 250, 100, 75, 50],
  large: [60, 25, 12, 5, 3],
  apply: (image, photons, random) => mapImage(image, (value) => poisson(value * photons, random) / photons),
});

export const impulseNoise = defineCorruption({
  name: 'impulse_noise',
  title: 'impulse noise',
  category: 'noise',
  small: [0.01, 0.02, 0.03, 0.05, 0.07],
  large: [0.03, 0.06, 0.09, 0.17, 0.27],
  apply: (image, share, random) =>
    mapImage(image, (value) => {
      const drawn = random.uniform();
      return drawn >= share ? value : Number(drawn < share / 2);
    }),
});

/** Below this mean, factors are multiplied; above, candidates are rejected. */
const FEW = 10;

/** A sample of the Poisson distribution: Knuth's method for few events, Hörmann's transformed rejection (1993) for many. */
export function poisson(mean: number, random: Random): number {
  if (mean < FEW) {
    const limit = Math.exp(-mean);
    let events = 0;
    for (let product = random.uniform(); product > limit; product *= random.uniform()) events += 1;
    return events;
  }
  const spread = 0.931 + 2.53 * Math.sqrt(mean);
  const a = -0.059 + 0.02483 * spread;
  const inverseAlpha = 1.1239 + 1.1328 / (spread - 3.4);
  const accepted = 0.9277 - 3.6224 / (spread - 2);
  for (;;) {
    const [u, v] = [random.uniform() - 0.5, random.uniform()];
    const edge = 0.5 - Math.abs(u);
    const events = Math.floor(((2 * a) / edge + spread) * u + mean + 0.43);
    if (edge >= 0.07 && v <= accepted) return events;
    if (events < 0 || (edge < 0.013 && v > edge)) continue;
    const score = Math.log((v * inverseAlpha) / (a / edge ** 2 + spread));
    if (score <= events * Math.log(mean) - mean - logFactorial(events)) return events;
  }
}

const logFactorials = [0];

function logFactorial(n: number): number {
  for (let i = logFactorials.length; i <= n; i++) logFactorials.push(logFactorials[i - 1]! + Math.log(i));
  return logFactorials[n]!;
}
