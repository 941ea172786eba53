/** The exact GELU in WGSL, which has no error function. */

/**
 * Declares `gelu(x)`, which gives x·Φ(x) and its derivative Φ(x) + x·φ(x).
 *
 * Φ by Abramowitz & Stegun 7.1.26: with t = 1/(1 + p·|x|/√2), 1 − Φ(|x|) = ½·t·(a₁ + … + a₅·t⁴)·exp(−x²/2), error at
 * most
 * 7.5e-8. For negative x this tail is used directly, so that it approaches 0 without the rounding error of 1 − 1.
 *
 * @param type `f32` or a vector of it.
 */
export const GELU = (type: string): string => `
  struct Gelu { value: ${type}, derivative: ${type} }
  fn gelu(x: ${type}) -> Gelu {
    let bell = exp(-0.5 * x * x);
    let t = 1.0 / (1.0 + 0.231641888 * abs(x));
    let poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    let tail = 0.5 * poly * bell;
    let cdf = select(1.0 - tail, tail, x < ${type}(0.0));
    return Gelu(x * cdf, cdf + x * bell * 0.3989422804);
  }`;

/** The derivative of GELU is largest at x = √2: Φ(√2) + √2·φ(√2) = 0.9214 + 0.2076. */
export const GELU_DERIVATIVE_AT_MOST = 1.13;
