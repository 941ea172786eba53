/** The parts of an ONNX file: wire format, float16, large models. Whole models: test/parity/onnx.test.ts. */
import fc from 'fast-check';
import { declarations } from '../../src/spec/shapes.js';
import { resolveModel } from '../../src/spec/model.js';
import { modelSchema } from '../../src/spec/schema.js';
import { GraphBuilder } from '../../src/weights/onnx/builder.js';
import { toHalf } from '../../src/weights/onnx/half.js';
import { encodeModel, type Model } from '../../src/weights/onnx/model.js';
import { float, integer, lengthOf, message, text, type Encoded } from '../../src/weights/onnx/protobuf.js';
import { vitGraph } from '../../src/weights/onnx/vit.js';

const hex = (encoded: Encoded): string => Buffer.concat(encoded).toString('hex');

describe('a field of Protocol Buffers', () => {
  // 150 in field 1 and "testing" in field 2 are the examples of the format's documentation.
  it.each([
    ['an integer', integer(1, 150), '089601'],
    ['a text', text(2, 'testing'), '120774657374696e67'],
    ['a message', message(3, integer(1, 150)), '1a03089601'],
    ['a negative integer, in 64 bits', integer(1, -2), '08feffffffffffffffff01'],
    ['a field with a number above 15', integer(20, 7), 'a00107'],
    ['the largest integer', integer(1, 2n ** 63n - 1n), '08ffffffffffffffff7f'],
    ['a float', float(2, 1), '150000803f'],
    ['a text of more than one byte a letter', text(1, 'é'), '0a02c3a9'],
  ])('is encoded: %s', (_, encoded, expected) => {
    expect(hex(encoded)).toBe(expected);
  });

  it('is the same in one piece and in several', () => {
    const long = 'x'.repeat(5000);
    const encoded = message(1, text(2, long), integer(3, 1));
    expect(encoded.length).toBeGreaterThan(1);
    // Field 1, 5005 bytes; field 2, 5000 bytes; field 3.
    expect(hex(encoded)).toBe(`0a8d27128827${'78'.repeat(5000)}1801`);
    expect(lengthOf(encoded)).toBe(3 + 5005);
  });
});

describe('float16', () => {
  /** The value of bits, by the definition of the format. */
  const valueOf = (bits: number): number => {
    const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
    if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
    return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
  };

  it('has each of its own numbers exactly', () => {
    const bits = Uint16Array.from({ length: 0x10000 }, (_, i) => i).filter((each) => !Number.isNaN(valueOf(each)));
    expect(toHalf(Float32Array.from(bits, valueOf))).toEqual(bits);
  });

  it.each([
    ['the nearest', 1.0004, 1],
    ['of two equally near, the even one below', 1 + 2 ** -11, 1],
    ['of two equally near, the even one above', 1 + 3 * 2 ** -11, 1 + 2 ** -9],
    ['the next power of two', 1.99999, 2],
    ['the least number', 2 ** -24 * 0.6, 2 ** -24],
    ['zero, of half the least number', 2 ** -25, 0],
    ['a subnormal number', 2 ** -24 * 2.6, 2 ** -24 * 3],
    ['the least normal number, of one below it', 2 ** -14 - 2 ** -26, 2 ** -14],
    ['the largest number', 65519, 65504],
    ['infinity, from halfway on', 65520, Infinity],
    ['infinity', 1e30, Infinity],
    ['a negative number', -0.1, -0.0999755859375],
  ])('is %s', (_, value, expected) => {
    expect(valueOf(toHalf(Float32Array.of(value))[0]!)).toBe(expected);
  });

  it('is as near as possible to any number', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, min: -65504, max: 65504 }), (value) => {
        const bits = toHalf(Float32Array.of(value))[0]!;
        const error = Math.abs(valueOf(bits) - value);
        const neighbours = [bits - 1, bits + 1].map(valueOf).filter(Number.isFinite);
        return neighbours.every((neighbour) => Math.abs(neighbour - value) >= error);
      }),
      { seed: 1 },
    );
  });

  it('keeps what is no number', () => {
    expect(valueOf(toHalf(Float32Array.of(NaN))[0]!)).toBeNaN();
  });

  it('is refused for a weight beyond its range', () => {
    const weight = { shape: [2], data: Float32Array.of(1, -70000) };
    expect(() => new GraphBuilder().weights('blocks.0.mlp.fc1.weight', weight, 'float16')).toThrow(
      'blocks.0.mlp.fc1.weight has a value of 70000, which float16 cannot represent; export without --half',
    );
  });
});

it('has a graph for position tables with more values than a call may have arguments', () => {
  const config = modelSchema.parse({ preset: 'vit-l', depth: 1, classToken: true, positions: 'sincos-2d' });
  const model = { ...resolveModel(config, 224), depth: 0 };
  const weights = declarations(model, { for: 'encoding' }).map(({ name, shape }) => {
    return [
      name,
      { shape, data: new Float32Array(shape.reduce((a, b) => a * b)).fill(name === 'cls_token' ? 1 : 2) },
    ] as const;
  });
  const { initializers } = vitGraph(model, new Map(weights), { kind: 'encoder', half: false });
  const table = initializers.find(({ name }) => name === 'cls_token+pos_embed')!;
  expect(table.shape).toEqual([1, 197, 1024]);
  expect([table.values.data[1023], table.values.data[1024], table.values.data.at(-1)]).toEqual([1, 2, 2]);
});

describe('a model', () => {
  const weights = (bytes: number): Float32Array => new Float32Array(bytes / 4).fill(1);
  const model: Model = {
    producer: { name: 'test', version: '1' },
    metadata: {},
    graph: {
      name: 'graph',
      nodes: [],
      initializers: [4000, 1000, 5000].map((bytes, i) => ({
        name: String(i),
        shape: [bytes / 4],
        values: { type: 'float32', data: weights(bytes) },
      })),
      inputs: [],
      outputs: [],
    },
  };

  it('has its weights in one file up to the limit, and in a second one above it', () => {
    const length = lengthOf(encodeModel(model, 'data').model);
    expect(length).toBeGreaterThan(10000);
    expect(encodeModel(model, 'data', length).data).toBeNull();
    const { model: small, data } = encodeModel(model, 'data', length - 1);
    expect(lengthOf(small)).toBeLessThan(2000);
    // Each begins at a page of 4096 bytes; the tensor of 1000 bytes stays in the model.
    expect(lengthOf(data!)).toBe(4096 + 5000);
    expect(Buffer.concat([...small]).toString('latin1')).toMatch(/location.*data.*offset.*4096.*length.*5000/s);
  });
});
