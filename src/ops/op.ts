/**
 * Defines an op: a forward and a backward pass in plain tfjs, and a kernel name. If the active backend has registered a
 * fused kernel under that name, the op runs it instead; `NAMEGrad` does the same for the backward pass. This is all of
 * the folder that backends depend on, and the model does not depend on the backends.
 */
import * as tf from '@tensorflow/tfjs';

type Tensors = readonly tf.Tensor[];

/** The result of an op, and the tensors saved for its backward pass. */
export interface Forward {
  output: tf.Tensor;
  saved: tf.Tensor[];
}

/** The tensors that the backward pass reads. */
export interface Seen {
  inputs: Tensors;
  constants: Tensors;
  saved: Tensors;
}

export interface OpDefinition<Attributes> {
  /** Kernel name. It begins with `Vit`, so that it is never the name of a stock tfjs kernel. */
  name: `Vit${string}`;
  /**
   * Plain form. A fused kernel takes the inputs named `input0`, `input1`, … and `constant0`, … and returns
   * `[output, ...saved]`.
   */
  forward: (inputs: Tensors, constants: Tensors, attributes: Attributes) => Forward;
  /** Plain gradient of each input, in order. A fused `NAMEGrad` kernel takes `dy`, all of the above and `saved0`, …. */
  backward: (dy: tf.Tensor, seen: Seen, attributes: Attributes) => tf.Tensor[];
}

/**
 * Returns a function of tensors that is differentiable in its `inputs`. `constants` (targets, indices, matrices) and
 * `attributes` (numbers) get no gradient. Constants are kept for the backward pass, in whichever scope they were
 * created. The backward pass disposes of them, and of the gradient that it starts from: a gradient given to `tf.grad` cannot
 * be used again.
 */
export function defineOp<Attributes extends object>(
  definition: OpDefinition<Attributes>,
): (inputs: Tensors, constants: Tensors, attributes: Attributes) => tf.Tensor {
  const { name, forward, backward } = definition;
  return (inputs, constants, attributes) => {
    const differentiable = tf.customGrad((...values) => {
      const save = values.at(-1) as (tensors: tf.Tensor[]) => void;
      const given = values.slice(0, -1) as tf.Tensor[];
      const named = { ...numbered('input', given), ...numbered('constant', constants) };
      const { output, saved } =
        runFused(name, named, attributes) ?? tf.tidy(() => asTidy(forward(given, constants, attributes)));
      save([...given, ...constants, ...saved]);
      return {
        value: output,
        gradFunc: (dy: tf.Tensor, kept: tf.Tensor[]) => {
          const seen = {
            inputs: kept.slice(0, given.length),
            constants: kept.slice(given.length, given.length + constants.length),
            saved: kept.slice(given.length + constants.length),
          };
          const fused = runFused(
            `${name}Grad`,
            {
              dy,
              ...numbered('input', seen.inputs),
              ...numbered('constant', seen.constants),
              ...numbered('saved', seen.saved),
            },
            attributes,
          );
          const gradients = fused ? [fused.output, ...fused.saved] : tf.tidy(() => backward(dy, seen, attributes));
          // The tape has no further use for these, but would keep them until the whole backward pass is over.
          for (const used of [dy, ...kept]) if (!gradients.includes(used)) used.dispose();
          return gradients;
        },
      };
    });
    return differentiable(...(inputs as tf.Tensor[]));
  };
}

/** `tf.tidy` accepts only a TensorContainer; a Forward is one at run time, but not by its type. */
function asTidy(result: Forward): Forward & tf.TensorContainerObject {
  return { ...result };
}

function numbered(prefix: string, tensors: Tensors): tf.NamedTensorMap {
  return Object.fromEntries(tensors.map((tensor, i) => [`${prefix}${i}`, tensor]));
}

/** Runs a fused kernel if the active backend has one. Attributes are passed unchanged. */
function runFused(name: string, inputs: tf.NamedTensorMap, attributes: object): Forward | undefined {
  if (!hasFusedKernel(name)) return undefined;
  const outputs = tf.engine().runKernel<tf.Tensor | tf.Tensor[]>(name, inputs, attributes as tf.NamedAttrMap);
  const [output, ...saved] = Array.isArray(outputs) ? outputs : [outputs];
  return { output: output!, saved };
}

/** Whether the active backend has registered a kernel of this name. */
export function hasFusedKernel(name: string): boolean {
  const kernel: unknown = tf.getKernel(name, tf.getBackend()); // the type of getKernel omits undefined
  return kernel !== undefined;
}
