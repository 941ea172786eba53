/** Student's t distribution for whole degrees of freedom, where it has finite sums (Abramowitz and Stegun 26.7.3–4). */

/**
 * The t that |T| stays below with the given probability: 4.303 for 0.95 and two degrees of freedom.
 *
 * @param probability In (0, 1).
 * @param degrees A positive integer.
 */
export function centralStudent(probability: number, degrees: number): number {
  // Bisection over the angle, which is bounded where t is not; 60 halvings reach the last bit.
  let [low, high] = [0, Math.PI / 2];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (within(middle, degrees) < probability) low = middle;
    else high = middle;
  }
  return Math.sqrt(degrees) * Math.tan((low + high) / 2);
}

/** P(|T| < √degrees · tan(angle)). */
function within(angle: number, degrees: number): number {
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)];
  const odd = degrees % 2 === 1;
  // Even: 1 + 1/2 cos² + 1·3/(2·4) cos⁴ + …; odd: cos + 2/3 cos³ + 2·4/(3·5) cos⁵ + …; both end at cos^(degrees − 2).
  let sum = 0;
  let term = odd ? cos : 1;
  for (let power = odd ? 1 : 0; power <= degrees - 2; power += 2) {
    sum += term;
    term *= (cos * cos * (power + 1)) / (power + 2);
  }
  return odd ? (2 / Math.PI) * (angle + sin * sum) : sin * sum;
}
