/** Pixels in a buffer of single values: three adjacent channels. */

/** WGSL: the pixel at an index. */
export const readPixel = (buffer: string, at: string): string =>
  `vec3<f32>(${buffer}[${at}], ${buffer}[${at} + 1u], ${buffer}[${at} + 2u])`;

/** WGSL: writes a pixel, from a variable, at an index. */
export const writePixel = (buffer: string, at: string, pixel: string): string =>
  `${buffer}[${at}] = ${pixel}.x; ${buffer}[${at} + 1u] = ${pixel}.y; ${buffer}[${at} + 2u] = ${pixel}.z;`;
