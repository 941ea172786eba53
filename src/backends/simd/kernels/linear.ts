/** VitLinear and its gradient: src/ops/linear.ts describes them. */
import type { TensorInfo } from '@tensorflow/tfjs';
import { sizeOf } from '../../kernels.js';
import { NONE, type Address } from '../address.js';
import type { SimdBackend } from '../backend.js';
import { blockOfProduct, rowsOfProduct } from '../tasks/chunks.js';
import { defineKernel } from './kernel.js';

interface LinearAttributes {
  activation: 'none' | 'gelu';
}

export const linear = defineKernel<LinearAttributes>(
  'VitLinear',
  (backend, { input0: x, input1: weight, input2: bias, input3: residual }, { activation }) => {
    const [inputs, outputs] = weight!.shape as [number, number];
    const rows = sizeOf(x!.shape) / inputs;
    const y = backend.output([...x!.shape.slice(0, -1), outputs]);
    const derivative = activation === 'gelu' ? backend.output(y.shape) : null;
    const chunkRows = rowsOfProduct(rows);
    backend.run('linear', Math.ceil(rows / chunkRows), {
      x: backend.address(x!),
      weight: backend.address(weight!),
      bias: addressOrNone(backend, bias),
      residual: addressOrNone(backend, residual),
      y: backend.address(y),
      derivative: addressOrNone(backend, derivative),
      rows,
      inputs,
      outputs,
      chunkRows,
    });
    return derivative ? [y, derivative] : y;
  },
);

export const linearGradient = defineKernel(
  'VitLinearGrad',
  (backend, { dy, input0: x, input1: weight, input2: bias, input3: residual, saved0: derivative }) => {
    const [inputs, outputs] = weight!.shape as [number, number];
    const rows = sizeOf(x!.shape) / inputs;
    const dx = backend.output(x!.shape);
    const dWeight = backend.output([inputs, outputs]);
    const dBias = bias ? backend.output([outputs]) : null;
    const dz = derivative ? backend.output([rows, outputs]) : dy!;
    const chunkRows = rowsOfProduct(rows);
    backend.run('linearInputGradient', Math.ceil(rows / chunkRows), {
      dy: backend.address(dy!),
      weight: backend.address(weight!),
      derivative: addressOrNone(backend, derivative),
      dz: backend.address(dz),
      dx: backend.address(dx),
      rows,
      inputs,
      outputs,
      chunkRows,
    });
    const block = blockOfProduct(inputs, outputs);
    backend.run('linearWeightGradient', Math.ceil(inputs / block.rows) * Math.ceil(outputs / block.columns), {
      x: backend.address(x!),
      dz: backend.address(dz),
      dWeight: backend.address(dWeight),
      dBias: addressOrNone(backend, dBias),
      rows,
      inputs,
      outputs,
      blockRows: block.rows,
      blockColumns: block.columns,
    });
    if (derivative) backend.disposeIntermediateTensorInfo(dz);
    return [dx, dWeight, ...(dBias ? [dBias] : []), ...(residual ? [backend.shared(dy!)] : [])];
  },
);

const addressOrNone = (backend: SimdBackend, tensor: TensorInfo | null | undefined): Address =>
  tensor ? backend.address(tensor) : NONE;
