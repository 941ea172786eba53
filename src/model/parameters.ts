/** The parameters of a model: first values, and as variables. Which ones there are is in `shapes.ts`. */
import * as tf from '@tensorflow/tfjs';
import { stream, type Random } from '../common/random.js';
import { patchCount, type EncoderConfig, type ModelConfig } from '../spec/model.js';
import { fanIn, INIT_RULES } from './init.js';
import { positionTable, resamplePositions } from './positions.js';
import { declarations, isTrainable, type Declaration, type Purpose } from '../spec/shapes.js';

export { isTrainable, parameterShapes, patchValues, type Purpose, type Shapes } from '../spec/shapes.js';

/** Trained values by name. */
export type Parameters = ReadonlyMap<string, tf.Variable>;

/** Plain values by name, as checkpoints contain them. */
export type Values = ReadonlyMap<string, { shape: number[]; data: Float32Array }>;

/**
 * Initial values of a model, drawn by name: a parameter's values do not depend on the model's other parameters.
 *
 * @param seed The job's root seed.
 */
export function initialValues(config: EncoderConfig | ModelConfig, purpose: Purpose, seed: number): Values {
  return new Map(
    declarations(config, purpose).map((declaration) => {
      const { name, shape } = declaration;
      const data = draw(declaration, config, stream(seed, 'init', name));
      return [name, { shape, data }];
    }),
  );
}

function draw({ shape, kind, inputs }: Declaration, config: EncoderConfig, random: Random): Float32Array {
  const fill = (value: () => number): Float32Array => {
    const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
    for (let i = 0; i < values.length; i++) values[i] = value();
    return values;
  };
  const [rows, columns] = [shape[0]!, shape[1]!];
  const rule = INIT_RULES[config.init];
  switch (kind) {
    case 'weights':
    case 'embedding':
      return fill(() => rule[kind](random, rows, columns));
    case 'token':
      return fill(() => rule.token(random, rows, columns));
    case 'head':
      return fill(() => 0.001 * rule.token(random, rows, columns));
    case 'zeros':
      return fill(() => 0);
    case 'ones':
      return fill(() => 1);
    case 'fan-in':
      return fill(() => fanIn(random, inputs!));
    case 'positions':
      return positionTable(config.positions, Math.sqrt(patchCount(config)), columns);
  }
}

/** Uploads values as variables; position tables are not trainable. Dispose of them with {@link disposeParameters}. */
export function toParameters(values: Values): Parameters {
  return new Map([...values].map(([name, value]) => [name, toVariable(value, isTrainable(name))]));
}

/** A variable with a copy of the values. */
export function toVariable({ shape, data }: { shape: number[]; data: Float32Array }, trainable: boolean): tf.Variable {
  const initial = tf.tensor(data.slice(), shape, 'float32'); // some backends keep a reference to the array
  const variable = tf.variable(initial, trainable);
  initial.dispose(); // the variable has its own reference to the data; the tensor would leak
  return variable;
}

/** A variable of zeros. */
export const zeroVariable = (shape: readonly number[], trainable: boolean): tf.Variable =>
  toVariable({ shape: [...shape], data: new Float32Array(shape.reduce((a, b) => a * b, 1)) }, trainable);

/** Downloads parameters. */
export async function toValues(parameters: Parameters): Promise<Values> {
  const entries = [...parameters].map(async ([name, variable]) => {
    // A copy: the WebAssembly and plain backends return a view of memory that training later overwrites.
    return [name, { shape: variable.shape, data: Float32Array.from(await variable.data()) }] as const;
  });
  return new Map(await Promise.all(entries));
}

export function disposeParameters(parameters: Parameters): void {
  for (const variable of parameters.values()) variable.dispose();
}

/**
 * Takes from `trained` every value whose name is in `fresh`, for example the encoder of a checkpoint for a classifier. A
 * position table for images of another size is resampled: a patch keeps about the position that the encoder was trained
 * with there. A table computed anew for the larger grid would number the patches differently.
 *
 * @throws Error when a shared name has another shape, or when an encoder value is missing or an encoder block is extra:
 * no weight may silently stay random or be left out (PAPER.md §8, bug 5).
 */
export function transfer(trained: Values, fresh: Values): Values {
  const deeper = [...trained.keys()].find((name) => name.startsWith('blocks.') && !fresh.has(name));
  if (deeper !== undefined) throw new Error(`the checkpoint has ${deeper}, the model has no such block`);
  return new Map(
    [...fresh].map(([name, value]) => {
      const found = trained.get(name);
      if (!found) {
        if (/^(patch_embed|pos_embed|cls_token|blocks|norm)/.test(name))
          throw new Error(`the checkpoint has no ${name}`);
        return [name, value];
      }
      if (found.shape.join() !== value.shape.join()) {
        const [grid, dim] = [found.shape[0]!, found.shape[1]!];
        if (name === 'pos_embed' && dim === value.shape[1]) {
          const rows = [grid, value.shape[0]!].map(Math.sqrt);
          return [name, { shape: value.shape, data: resamplePositions(found.data, rows[0]!, rows[1]!, dim) }];
        }
        throw new Error(`the checkpoint's ${name} has shape [${found.shape.join()}], not [${value.shape.join()}]`);
      }
      return [name, found];
    }),
  );
}
