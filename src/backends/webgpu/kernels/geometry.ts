/** VitPickPixels and VitPullPixels: src/ops/pick-pixels.ts and src/ops/pull-pixels.ts describe them. */
import type { TensorInfo } from '@tensorflow/tfjs';
import { PICK_KERNEL } from '../../../ops/pick-pixels.js';
import { PULL_KERNEL } from '../../../ops/pull-pixels.js';
import { definePass, invocations, scalars } from '../pass.js';
import { readPixel, writePixel } from '../passes/pixels.js';
import { defineKernel } from './kernel.js';

type Shape4 = [number, number, number, number];

const pickPass = definePass<
  { batch: number; height: number; width: number; outHeight: number; outWidth: number },
  'x' | 'rows' | 'columns',
  'y'
>('pickPixels', ({ batch, height, width, outHeight, outWidth }) => {
  const { begin, ...layout } = invocations(batch * outHeight * outWidth * 3);
  const body = `
    ${begin}
    let line = i / ${outWidth * 3}u;
    let image = line / ${outHeight}u;
    let row = u32(rows[line]);
    let column = u32(columns[image * ${outWidth}u + (i / 3u) % ${outWidth}u]);
    y[i] = x[((image * ${height}u + row) * ${width}u + column) * 3u + i % 3u];`;
  return { ...layout, body };
});

export const pickPixels = defineKernel(PICK_KERNEL, (backend, inputs) => {
  const { images, rows, columns } = inputs as Record<'images' | 'rows' | 'columns', TensorInfo>;
  const [batch, height, width] = images.shape as Shape4;
  const [outHeight, outWidth] = [rows.shape[1]!, columns.shape[1]!];
  const y = backend.output([batch, outHeight, outWidth, 3]);
  const reads = { x: scalars(images), rows: scalars(rows), columns: scalars(columns) };
  backend.run(pickPass({ batch, height, width, outHeight, outWidth }, reads, { y: scalars(y) }));
  return y;
});

const pullPass = definePass<{ batch: number; height: number; width: number }, 'x' | 'pulls', 'y'>(
  'pullPixels',
  ({ batch, height, width }) => {
    const { begin, ...layout } = invocations(batch * height * width);
    const declarations = `
      fn pixelAt(image: u32, place: vec2<i32>) -> vec3<f32> {
        if (any(place < vec2<i32>(0)) || place.x >= ${width} || place.y >= ${height}) { return vec3<f32>(0.0); }
        let at = ((image * ${height}u + u32(place.y)) * ${width}u + u32(place.x)) * 3u;
        return ${readPixel('x', 'at')};
      }`;
    const body = `
      ${begin}
      let image = i / ${height * width}u;
      let own = vec2<u32>(i % ${width}u, (i / ${width}u) % ${height}u);
      let grid = 2.0 * vec2<f32>(own) / vec2<f32>(${width - 1}.0, ${height - 1}.0) - 1.0;
      let offset = vec2<f32>(pulls[image * 3u], pulls[image * 3u + 1u]) - grid;
      // In pixels. Only the shift is computed, and its whole part is kept apart, so that adding it to a large position
      // loses no digits.
      let shift = pulls[image * 3u + 2u] * length(offset) * offset * vec2<f32>(${(width - 1) / 2}f, ${(height - 1) / 2}f);
      let whole = floor(shift);
      let fraction = shift - whole;
      let first = vec2<i32>(own) + vec2<i32>(whole);
      let above = mix(pixelAt(image, first), pixelAt(image, first + vec2<i32>(1, 0)), fraction.x);
      let below = mix(pixelAt(image, first + vec2<i32>(0, 1)), pixelAt(image, first + vec2<i32>(1, 1)), fraction.x);
      let pixel = mix(above, below, fraction.y);
      ${writePixel('y', 'i * 3u', 'pixel')}`;
    return { ...layout, declarations, body };
  },
);

export const pullPixels = defineKernel(PULL_KERNEL, (backend, inputs) => {
  const { images, pulls } = inputs as Record<'images' | 'pulls', TensorInfo>;
  const [batch, height, width] = images.shape as Shape4;
  const y = backend.output(images.shape);
  backend.run(pullPass({ batch, height, width }, { x: scalars(images), pulls: scalars(pulls) }, { y: scalars(y) }));
  return y;
});
