/** VitLinear and its gradient: src/ops/linear.ts says what they are. */
import { sizeOf } from '../../kernels.js';
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
    backend.run(
      'linear',
      Math.ceil(rows / chunkRows),
      backend.address(x!),
      backend.address(weight!),
      bias ? backend.address(bias) : 0,
      residual ? backend.address(residual) : 0,
      backend.address(y),
      derivative ? backend.address(derivative) : 0,
      rows,
      inputs,
      outputs,
      chunkRows,
    );
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
    backend.run(
      'linearInputGradient',
      Math.ceil(rows / chunkRows),
      backend.address(dy!),
      backend.address(weight!),
      derivative ? backend.address(derivative) : 0,
      backend.address(dz),
      backend.address(dx),
      rows,
      inputs,
      outputs,
      chunkRows,
    );
    const block = blockOfProduct(inputs, outputs);
    backend.run(
      'linearWeightGradient',
      Math.ceil(inputs / block.rows) * Math.ceil(outputs / block.columns),
      backend.address(x!),
      backend.address(dz),
      backend.address(dWeight),
      dBias ? backend.address(dBias) : 0,
      rows,
      inputs,
      outputs,
      block.rows,
      block.columns,
    );
    if (derivative) backend.disposeIntermediateTensorInfo(dz);
    return [dx, dWeight, ...(dBias ? [dBias] : []), ...(residual ? [backend.shared(dy!)] : [])];
  },
);
