/** VitCrop: src/ops/crop.ts describes it. An invocation computes one pixel from all of its taps. */
import { TrainingError } from '../../../common/errors.js';
import { CROP_KERNEL, VIEW_FIELDS, type CropAttributes } from '../../../ops/crop.js';
import { definePass, invocations, scalars } from '../pass.js';
import { writePixel } from '../passes/pixels.js';
import { defineKernel } from './kernel.js';

const THREADS = 64;

const cropPass = definePass<{ batch: number; height: number; width: number }, 'bytes' | 'table' | 'weights', 'y'>(
  'crop',
  ({ batch, height, width }) => {
    const { begin, ...layout } = invocations(batch * height * width, THREADS);
    const declarations = `
      fn byteAt(i: u32) -> f32 { return f32((bitcast<u32>(bytes[i >> 2u]) >> ((i & 3u) * 8u)) & 255u); }`;
    const body = `
      ${begin}
      let view = i / ${height * width}u * ${VIEW_FIELDS.length}u;
      ${VIEW_FIELDS.map((name, field) => `let ${name} = u32(table[view + ${field}u]);`).join('\n')}
      let row = (i / ${width}u) % ${height}u;
      let place = i % ${width}u;
      let column = select(place, ${width - 1}u - place, mirrored == 1u);
      var start = offset + u32(table[rowFirsts + row]) * stride + u32(table[columnFirsts + column]) * 3u;
      var sum = vec3<f32>(0.0);
      for (var r = 0u; r < rowTaps; r++) {
        var line = vec3<f32>(0.0);
        for (var c = 0u; c < columnTaps; c++) {
          let at = start + c * 3u;
          let weight = weights[columnWeights + column * columnTaps + c];
          line += weight * vec3<f32>(byteAt(at), byteAt(at + 1u), byteAt(at + 2u));
        }
        sum += weights[rowWeights + row * rowTaps + r] * line;
        start += stride;
      }
      let pixel = clamp(sum / 255.0, vec3<f32>(0.0), vec3<f32>(1.0));
      ${writePixel('y', 'i * 3u', 'pixel')}`;
    return { ...layout, declarations, body };
  },
);

export const crop = defineKernel<CropAttributes>(CROP_KERNEL, (backend, inputs, attributes) => {
  const { batch, height, width, pieces, size } = attributes;
  const most = backend.device.limits.maxStorageBufferBindingSize;
  if (size > most) {
    throw new TrainingError(
      `a crop of more than ${most} bytes does not fit this device: make the images of the data set smaller`,
    );
  }
  const bytes = backend.outputOf(pieces, size);
  const y = backend.output([batch, height, width, 3]);
  const reads = { bytes: scalars(bytes), table: scalars(inputs.table!), weights: scalars(inputs.weights!) };
  backend.run(cropPass({ batch, height, width }, reads, { y: scalars(y) }));
  backend.release(bytes);
  return y;
});
