/** Models in the ONNX format: typed values, and their encoding by the numbers of the fields in `onnx.proto`. */
import { bytes, float, integer, lengthOf, message, text, type Encoded } from './protobuf.js';

export type OnnxType = 'float32' | 'float16' | 'int64';

/** TensorProto.DataType */
export const ELEMENT_TYPES: Record<OnnxType, number> = { float32: 1, int64: 7, float16: 10 };

/** An input or output of a graph. A dimension with a name has any size. */
export interface Value {
  name: string;
  type: OnnxType;
  shape: readonly (number | string)[];
}

/** A constant of a graph: weights, or the numbers that a node takes as an input. */
export interface Initializer {
  name: string;
  shape: readonly number[];
  /** float16 values are given by their bits. */
  values:
    | { type: 'float32'; data: Float32Array }
    | { type: 'float16'; data: Uint16Array }
    | { type: 'int64'; data: BigInt64Array };
}

export type Attribute = { int: number } | { float: number } | { ints: readonly number[] } | { text: string };

export interface Node {
  name: string;
  operator: string;
  inputs: readonly string[];
  outputs: readonly string[];
  attributes: Readonly<Record<string, Attribute>>;
}

export interface Graph {
  name: string;
  nodes: readonly Node[];
  initializers: readonly Initializer[];
  inputs: readonly Value[];
  outputs: readonly Value[];
}

export interface Model {
  producer: { name: string; version: string };
  graph: Graph;
  metadata: Readonly<Record<string, string>>;
}

/** The version of the operators, and the first version of the format (IR) that may have it. */
const OPSET = 20;
const IR_VERSION = 9;

/** A message of Protocol Buffers has less than 2 GiB. */
const MOST_BYTES = 2 ** 31 - 1;
/** Shorter tensors stay in the model: those that shapes are inferred from are among them. */
const LEAST_EXTERNAL_BYTES = 1024;
/** Tensors in a file of their own begin at pages, so that programs can map them into memory. */
const PAGE_BYTES = 4096;

export interface EncodedModel {
  model: Encoded;
  /** The content of the file beside the model that has its large tensors; null: the model has them itself. */
  data: Encoded | null;
}

/**
 * Encodes a model.
 *
 * @param dataFile The name of the file beside the model for the weights of one that is too large for a single file.
 */
export function encodeModel(model: Model, dataFile: string, mostBytes = MOST_BYTES): EncodedModel {
  const whole = encodeWith(model, (data) => bytes(9, data));
  if (lengthOf(whole) <= mostBytes) return { model: whole, data: null };
  const pieces: Uint8Array[] = [];
  let end = 0;
  const outside = encodeWith(model, (data) => {
    if (data.length < LEAST_EXTERNAL_BYTES) return bytes(9, data);
    const padding = (PAGE_BYTES - (end % PAGE_BYTES)) % PAGE_BYTES;
    pieces.push(new Uint8Array(padding), data);
    const place = { location: dataFile, offset: String(end + padding), length: String(data.length) };
    end += padding + data.length;
    return [...entries(13, place), ...integer(14, 1)]; // data_location: EXTERNAL
  });
  return { model: outside, data: pieces };
}

/** Encodes the values of an initialiser, or their place in another file. */
type Place = (data: Uint8Array) => Encoded;

function encodeWith({ producer, graph, metadata }: Model, place: Place): Encoded {
  return [
    integer(1, IR_VERSION),
    text(2, producer.name),
    text(3, producer.version),
    message(
      7,
      graph.nodes.flatMap(encodeNode),
      text(2, graph.name),
      graph.initializers.flatMap((initializer) => encodeInitializer(initializer, place)),
      graph.inputs.flatMap((value) => encodeValue(11, value)),
      graph.outputs.flatMap((value) => encodeValue(12, value)),
    ),
    message(8, text(1, ''), integer(2, OPSET)),
    entries(14, metadata),
  ].flat();
}

/** Pairs of texts. */
const entries = (field: number, values: Readonly<Record<string, string>>): Encoded =>
  Object.entries(values).flatMap(([key, value]) => message(field, text(1, key), text(2, value)));

const encodeNode = ({ name, operator, inputs, outputs, attributes }: Node): Encoded =>
  message(
    1,
    ...inputs.map((input) => text(1, input)),
    ...outputs.map((output) => text(2, output)),
    text(3, name),
    text(4, operator),
    ...Object.entries(attributes).map(([key, value]) => message(5, text(1, key), encodeAttribute(value))),
  );

/** The value of an attribute, and its AttributeType. */
function encodeAttribute(value: Attribute): Encoded {
  if ('int' in value) return [...integer(3, value.int), ...integer(20, 2)];
  if ('float' in value) return [...float(2, value.float), ...integer(20, 1)];
  if ('text' in value) return [...text(4, value.text), ...integer(20, 3)];
  return [...value.ints.flatMap((each) => integer(8, each)), ...integer(20, 7)];
}

function encodeInitializer({ name, shape, values }: Initializer, place: Place): Encoded {
  const { buffer, byteOffset, byteLength } = values.data;
  return message(
    5,
    ...shape.map((size) => integer(1, size)),
    integer(2, ELEMENT_TYPES[values.type]),
    text(8, name),
    place(new Uint8Array(buffer, byteOffset, byteLength)),
  );
}

function encodeValue(field: number, { name, type, shape }: Value): Encoded {
  const dimensions = shape.map((size) => message(1, typeof size === 'number' ? integer(1, size) : text(2, size)));
  return message(
    field,
    text(1, name),
    message(2, message(1, integer(1, ELEMENT_TYPES[type]), message(2, ...dimensions))),
  );
}
