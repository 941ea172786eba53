/** VitNormalizePatches: src/ops/normalize-patches.ts describes it. A workgroup computes one token. */
import { IMAGENET_MEAN, IMAGENET_STD } from '../../../common/image.js';
import {
  NORMALIZE_PATCHES_KERNEL,
  type NormalizePatchesAttributes,
  type PatchNormalization,
} from '../../../ops/normalize-patches.js';
import { definePass, linearGroup, linearGroups, scalars } from '../pass.js';
import { readPixel, writePixel } from '../passes/pixels.js';
import { reduction } from '../passes/reduction.js';
import { defineKernel } from './kernel.js';

const MOST_THREADS = 64;

const vector = (values: readonly number[]): string => `vec3<f32>(${values.map((value) => `${value}f`).join(', ')})`;

interface Sizes {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly patchSize: number;
  readonly normalization: PatchNormalization;
}

const normalizePatchesPass = definePass<Sizes, 'x', 'y'>(
  ({ normalization }) => `normalizePatches ${normalization}`,
  ({ batch, height, width, patchSize, normalization }) => {
    const [rows, columns] = [height / patchSize, width / patchSize];
    const pixels = patchSize * patchSize;
    const count = batch * rows * columns;
    const threads = Math.min(MOST_THREADS, 2 ** Math.ceil(Math.log2(pixels)));
    const declarations = `
      ${reduction('total', 'vec3<f32>', threads, (a, b) => `${a} + ${b}`)}
      fn valueOf(start: u32, pixel: u32) -> vec3<f32> {
        let at = (start + pixel / ${patchSize}u * ${width}u + pixel % ${patchSize}u) * 3u;
        let value = clamp(${readPixel('x', 'at')}, vec3<f32>(0.0), vec3<f32>(1.0));
        return ${normalization === 'patch' ? `(value - ${vector(IMAGENET_MEAN)}) / ${vector(IMAGENET_STD)}` : 'value'};
      }`;
    const body = `
      let token = ${linearGroup(count)};
      if (token >= ${count}u) { return; }
      let band = token / ${columns}u;
      let start = (band * ${width}u + token % ${columns}u) * ${patchSize}u;
      ${statistics(normalization, pixels, threads)}
      for (var pixel = thread; pixel < ${pixels}u; pixel += ${threads}u) {
        let value = (valueOf(start, pixel) - first - offset) / scale;
        let at = (token * ${pixels}u + pixel) * 3u;
        ${writePixel('y', 'at', 'value')}
      }`;
    return { threads, groups: linearGroups(count), declarations, body };
  },
);

export const normalizePatches = defineKernel<NormalizePatchesAttributes>(
  NORMALIZE_PATCHES_KERNEL,
  (backend, inputs, { patchSize, normalization }) => {
    const images = inputs.images!;
    const [batch, height, width] = images.shape as [number, number, number, number];
    const y = backend.output([batch, (height / patchSize) * (width / patchSize), patchSize * patchSize * 3]);
    const sizes = { batch, height, width, patchSize, normalization };
    backend.run(normalizePatchesPass(sizes, { x: scalars(images) }, { y: scalars(y) }));
    return y;
  },
);

/** WGSL: `first`, `offset` and `scale` of the token. Deviations from its first pixel make a flat patch exactly 0. */
function statistics(normalization: PatchNormalization, pixels: number, threads: number): string {
  if (normalization === 'none')
    return `let first = ${vector(IMAGENET_MEAN)}; let offset = 0.0; let scale = ${vector(IMAGENET_STD)};`;
  const joint = normalization === 'patch';
  const overPixels = (body: string): string =>
    `for (var pixel = thread; pixel < ${pixels}u; pixel += ${threads}u) { ${body} }`;
  const values = joint ? 3 * pixels : pixels;
  const sumOf = (name: string): string =>
    joint ? `vec3<f32>(dot(total(thread, ${name}), vec3<f32>(1.0)))` : `total(thread, ${name})`;
  return `
    let first = ${joint ? 'vec3<f32>(valueOf(start, 0u).x)' : 'valueOf(start, 0u)'};
    var deviations = vec3<f32>(0.0);
    ${overPixels('deviations += valueOf(start, pixel) - first;')}
    let offset = ${sumOf('deviations')} / ${values}.0;
    var squares = vec3<f32>(0.0);
    ${overPixels('let centred = valueOf(start, pixel) - first - offset; squares += centred * centred;')}
    let variance = ${sumOf('squares')} / ${values - 1}.0;
    let scale = ${joint ? 'sqrt(variance + 1e-6)' : 'sqrt(variance) + 1e-6'};`;
}
