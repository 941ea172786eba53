/** VitCrop: src/ops/crop.ts says what it is. An invocation makes one pixel, all of its taps in one go. */
import { TrainingError } from '../../../common/errors.js';
import { CROP_KERNEL, VIEW_FIELDS, type CropAttributes } from '../../../ops/crop.js';
import { invocations, scalars } from '../pass.js';
import { writePixel } from '../passes/pixels.js';
import { defineKernel } from './kernel.js';

const THREADS = 64;

export const crop = defineKernel<CropAttributes>(CROP_KERNEL, (backend, inputs, attributes) => {
  const { batch, height, width, pieces, size } = attributes;
  const [table, weights] = [inputs.table!, inputs.weights!];
  const most = backend.device.limits.maxStorageBufferBindingSize;
  if (size > most) {
    throw new TrainingError(
      `a crop of more than ${most} bytes does not fit this device: make the images of the data set smaller`,
    );
  }
  const bytes = backend.outputOf(pieces, size);
  const y = backend.output([batch, height, width, 3]);
  const count = batch * height * width;
  const { begin, ...layout } = invocations(count, THREADS);
  backend.run({
    name: 'crop',
    sizes: { batch, height, width },
    reads: { bytes: scalars(bytes), table: scalars(table), weights: scalars(weights) },
    writes: { y: scalars(y) },
    ...layout,
    code: () => ({
      declarations: `
        fn byteAt(i: u32) -> f32 { return f32((bitcast<u32>(bytes[i >> 2u]) >> ((i & 3u) * 8u)) & 255u); }`,
      body: `
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
        ${writePixel('y', 'i * 3u', 'pixel')}`,
    }),
  });
  backend.release(bytes);
  return y;
});
