/** Sums and means over neighbouring axes. tfjs's own kernels compute those over other axes. */
import * as tf from '@tensorflow/tfjs';
import { sizeOf } from '../../kernels.js';
import { CHUNK } from '../tasks/chunks.js';
import { defineKernel, ours, stock } from './kernel.js';

/** Enough floats of each row to fill whole cache lines: 64 are four lines of 64 bytes. */
const LEAST_COLUMNS = 64;

interface ReduceAttributes {
  axis: number | number[];
  keepDims: boolean;
}

const kernel = (name: 'Sum' | 'Mean'): tf.KernelConfig =>
  defineKernel<ReduceAttributes>(name, (backend, inputs, attributes) => {
    const x = inputs.x!;
    const axes = tf.util.parseAxisParam(attributes.axis, x.shape);
    const neighbours = axes.every((axis, i) => i === 0 || axis === axes[i - 1]! + 1);
    if (!ours(x) || !neighbours || axes.length === 0) return stock(name, backend, inputs, attributes);

    const [begin, end] = [axes[0]!, axes.at(-1)! + 1];
    const outer = sizeOf(x.shape.slice(0, begin));
    const reduced = sizeOf(x.shape.slice(begin, end));
    const inner = sizeOf(x.shape.slice(end));
    const kept = attributes.keepDims ? axes.map(() => 1) : [];
    const out = backend.output([...x.shape.slice(0, begin), ...kept, ...x.shape.slice(end)]);
    // If one position of the outer axis is more than a chunk, the inner axis is split too.
    const outerSize = Math.max(1, Math.floor(CHUNK / (reduced * inner)));
    const innerSize = outerSize > 1 ? inner : Math.min(inner, Math.max(LEAST_COLUMNS, Math.floor(CHUNK / reduced)));
    const chunks = Math.ceil(outer / outerSize) * Math.ceil(inner / innerSize);
    const factor = name === 'Mean' ? 1 / reduced : 1;
    backend.run('sumAxis', chunks, {
      x: backend.address(x),
      out: backend.address(out),
      outer,
      reduced,
      inner,
      factor,
      outerSize,
      innerSize,
    });
    return out;
  });

export const reduceKernels = [kernel('Sum'), kernel('Mean')];
