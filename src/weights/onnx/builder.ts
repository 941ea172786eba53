/** Builds a graph node by node: gives every node and constant a name, and each constant one place. */
import { UsageError } from '../../common/errors.js';
import type { Tensor } from '../tensors.js';
import { MOST_HALF, toHalf } from './half.js';
import type { Attribute, Graph, Initializer, Node, Value } from './model.js';

/** The type of the factors of a product. */
export type FloatType = 'float32' | 'float16';

/** The name of a value in a graph: an input, a constant or the output of a node. */
export type Name = string;

export interface NodeOptions {
  attributes?: Record<string, Attribute>;
  /** The name of its output, for an output of the graph. */
  output?: string;
}

export class GraphBuilder {
  readonly #nodes: Node[] = [];
  readonly #initializers = new Map<Name, Initializer>();
  readonly #names = new Set<Name>();

  /** A node with one output. @returns the name of the output. */
  node(operator: string, scope: string, inputs: readonly Name[], options: NodeOptions = {}): Name {
    return this.nodeWith(operator, scope, inputs, 1, options)[0]!;
  }

  /** A node with several outputs. @returns the names of the outputs. */
  nodeWith(
    operator: string,
    scope: string,
    inputs: readonly Name[],
    count: number,
    { attributes = {}, output }: NodeOptions = {},
  ): Name[] {
    const name = this.#unused(`${scope}/${operator}`);
    const outputs = count === 1 ? [output ?? name] : Array.from({ length: count }, (_, i) => `${name}:${i}`);
    this.#nodes.push({ name, operator, inputs, outputs, attributes });
    return outputs;
  }

  /** Weights. @throws UsageError if a value exceeds the range of the type. */
  weights(name: Name, { shape, data }: Tensor, type: FloatType = 'float32'): Name {
    if (type === 'float32') return this.#constant({ name, shape, values: { type, data } });
    const most = data.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
    if (!(most <= MOST_HALF)) {
      throw new UsageError(`${name} has a value of ${most}, which float16 cannot represent; export without --half`);
    }
    return this.#constant({ name, shape, values: { type, data: toHalf(data) } });
  }

  /** A list of integers that a node takes as an input, such as a shape. */
  integers(...values: number[]): Name {
    const data = BigInt64Array.from(values, BigInt);
    return this.#constant({ name: `int64[${values.join()}]`, shape: [values.length], values: { type: 'int64', data } });
  }

  /** One integer. */
  integer(value: number): Name {
    return this.#constant({
      name: `int64(${value})`,
      shape: [],
      values: { type: 'int64', data: BigInt64Array.of(BigInt(value)) },
    });
  }

  graph(name: string, inputs: readonly Value[], outputs: readonly Value[]): Graph {
    return { name, nodes: this.#nodes, initializers: [...this.#initializers.values()], inputs, outputs };
  }

  #constant(initializer: Initializer): Name {
    this.#initializers.set(initializer.name, initializer);
    return initializer.name;
  }

  #unused(name: string): Name {
    let unused = name;
    for (let i = 2; this.#names.has(unused); i++) unused = `${name}-${i}`;
    this.#names.add(unused);
    return unused;
  }
}
