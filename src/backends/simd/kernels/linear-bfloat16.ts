/**
 * VitLinearBfloat16 and its gradient: src/ops/linear.ts describes them. Factors that are not stored as bfloat16 are rounded
 * to it for the product.
 */
import type { TensorInfo } from '@tensorflow/tfjs';
import type { Precision } from '../../../ops/linear.js';
import { sizeOf } from '../../kernels.js';
import { BFLOAT16, FLOAT, NONE, type Address } from '../address.js';
import type { SimdBackend } from '../backend.js';
import { blockOfProduct, CHUNK, rowsOfProduct } from '../tasks/chunks.js';
import { linearScratch } from '../tasks/linear-bfloat16.js';
import { defineKernel } from './kernel.js';

interface LinearAttributes {
  activation: 'none' | 'gelu';
  result: Precision;
}

/** Saves the derivative of the activation, if there is one. */
export const linearBfloat16 = defineKernel<LinearAttributes>(
  'VitLinearBfloat16',
  (backend, { input0: x, input1: weight, input2: bias, input3: residual }, { activation, result }) => {
    const [inputs, outputs] = weight!.shape as [number, number];
    const rows = sizeOf(x!.shape) / inputs;
    const shape = [...x!.shape.slice(0, -1), outputs];
    const rounded = result === 'bfloat16';
    const y = rounded ? backend.outputBfloat16(shape) : backend.output(shape);
    const derivative = activation === 'gelu' ? backend.outputBfloat16(shape) : null;
    const chunkRows = rowsOfProduct(rows);
    const scratchBytes = rounded || derivative ? FLOAT * backend.threads.size * linearScratch(chunkRows, outputs) : 0;
    withRounded(backend, x!, (from) => {
      backend.withScratch(scratchBytes, (scratch) => {
        backend.run('linearBfloat16', Math.ceil(rows / chunkRows), {
          product: backend.bfloat16.product,
          x: from,
          weight: roundedWeight(backend, weight!),
          bias: addressOrNone(backend, bias),
          residual: addressOrNone(backend, residual),
          y: backend.storedAddress(y),
          derivative: derivative ? backend.storedAddress(derivative) : NONE,
          scratch,
          rows,
          inputs,
          outputs,
          chunkRows,
          rounded,
        });
      });
    });
    return derivative ? [y, derivative] : y;
  },
);

export const linearGradientBfloat16 = defineKernel(
  'VitLinearBfloat16Grad',
  (backend, { dy, input0: x, input1: weight, input2: bias, input3: residual, saved0: derivative }) => {
    const [inputs, outputs] = weight!.shape as [number, number];
    const rows = sizeOf(x!.shape) / inputs;
    const dx = backend.output(x!.shape);
    const dWeight = backend.output([inputs, outputs]);
    const dBias = bias ? backend.output([outputs]) : null;
    const chunkRows = rowsOfProduct(rows);
    const block = blockOfProduct(inputs, outputs);
    const { product } = backend.bfloat16;
    const known = derivative ? undefined : backend.bfloat16Address(dy!);
    backend.withScratch(known === undefined ? BFLOAT16 * rows * outputs : 0, (space) => {
      const dz = known ?? space;
      backend.run('linearInputGradientBfloat16', Math.ceil(rows / chunkRows), {
        product,
        dy: known === undefined ? backend.address(dy!) : NONE,
        weight: roundedWeight(backend, weight!),
        derivative: derivative ? backend.storedAddress(derivative) : NONE,
        dz,
        dx: backend.address(dx),
        rows,
        inputs,
        outputs,
        chunkRows,
      });
      withRounded(backend, x!, (from) => {
        backend.run(
          'linearWeightGradientBfloat16',
          Math.ceil(inputs / block.rows) * Math.ceil(outputs / block.columns),
          {
            product,
            x: from,
            dz,
            dWeight: backend.address(dWeight),
            dBias: addressOrNone(backend, dBias),
            rows,
            inputs,
            outputs,
            blockRows: block.rows,
            blockColumns: block.columns,
          },
        );
      });
    });
    return [dx, dWeight, ...(dBias ? [dBias] : []), ...(residual ? [backend.shared(dy!)] : [])];
  },
);

/** A weight in bfloat16, kept with it: AdamW updates both, and evaluation batches use it too. */
function roundedWeight(backend: SimdBackend, weight: TensorInfo): Address {
  const known = backend.bfloat16Address(weight);
  if (known !== undefined) return known;
  const rounded = backend.keepBfloat16(weight);
  round(backend, weight, rounded);
  return rounded;
}

/** Calls a function with x in bfloat16. */
function withRounded(backend: SimdBackend, x: TensorInfo, use: (rounded: Address) => void): void {
  const known = backend.bfloat16Address(x);
  if (known !== undefined) {
    use(known);
    return;
  }
  backend.withScratch(BFLOAT16 * sizeOf(x.shape), (rounded) => {
    round(backend, x, rounded);
    use(rounded);
  });
}

function round(backend: SimdBackend, x: TensorInfo, out: Address): void {
  const total = sizeOf(x.shape);
  backend.run('round', Math.ceil(total / CHUNK), { x: backend.address(x), out, total, size: CHUNK });
}

const addressOrNone = (backend: SimdBackend, tensor: TensorInfo | null | undefined): Address =>
  tensor ? backend.address(tensor) : NONE;
