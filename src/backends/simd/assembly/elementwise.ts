/**
 * Operations element by element. A binary operation works on `rows` × `columns` values. The output is dense, an operand's
 * rows are `aRow` (`bRow`) floats apart, and `aStep` (`bStep`) is 1 along a row, or 0 if one value is used for the
 * whole row.
 */
import { exp4, loadPart, storePart } from './math';

/** out[i] = value */
export function fill(out: usize, count: i32, value: f32): void {
  const v = f32x4.splat(value);
  let i = 0;
  for (; i + 4 <= count; i += 4) v128.store(out + ((<usize>i) << 2), v);
  for (; i < count; i++) store<f32>(out + ((<usize>i) << 2), value);
}

const ADD = 0;
const SUBTRACT = 1;
const MULTIPLY = 2;
const DIVIDE = 3;
const MAXIMUM = 4;
const MINIMUM = 5;

/** Inlined with a constant operation, so that the compiler keeps only one case. */
function apply(operation: i32, a: v128, b: v128): v128 {
  switch (operation) {
    case ADD:
      return f32x4.add(a, b);
    case SUBTRACT:
      return f32x4.sub(a, b);
    case MULTIPLY:
      return f32x4.mul(a, b);
    case DIVIDE:
      return f32x4.div(a, b);
    case MAXIMUM:
      return f32x4.max(a, b);
    default:
      return f32x4.min(a, b);
  }
}

function binary(
  operation: i32,
  a: usize,
  b: usize,
  out: usize,
  rows: i32,
  columns: i32,
  aRow: i32,
  bRow: i32,
  aStep: i32,
  bStep: i32,
): void {
  const rest = columns & 3;
  const tail = (<usize>(columns - rest)) << 2;
  for (let i = 0; i < rows; i++) {
    if (aStep === 0) {
      const value = v128.load32_splat(a);
      for (let at: usize = 0; at < tail; at += 16) {
        v128.store(out + at, inline.always(apply(operation, value, v128.load(b + at))));
      }
      if (rest > 0) storePart(out + tail, inline.always(apply(operation, value, loadPart(b + tail, rest, 1))), rest);
    } else if (bStep === 0) {
      const value = v128.load32_splat(b);
      for (let at: usize = 0; at < tail; at += 16) {
        v128.store(out + at, inline.always(apply(operation, v128.load(a + at), value)));
      }
      if (rest > 0) storePart(out + tail, inline.always(apply(operation, loadPart(a + tail, rest, 1), value)), rest);
    } else {
      for (let at: usize = 0; at < tail; at += 16) {
        v128.store(out + at, inline.always(apply(operation, v128.load(a + at), v128.load(b + at))));
      }
      if (rest > 0) {
        storePart(
          out + tail,
          inline.always(apply(operation, loadPart(a + tail, rest, 1), loadPart(b + tail, rest, 1))),
          rest,
        );
      }
    }
    a += (<usize>aRow) << 2;
    b += (<usize>bRow) << 2;
    out += (<usize>columns) << 2;
  }
}

/** a + b */
export function add(
  a: usize,
  b: usize,
  out: usize,
  rows: i32,
  columns: i32,
  aRow: i32,
  bRow: i32,
  aStep: i32,
  bStep: i32,
): void {
  inline.always(binary(ADD, a, b, out, rows, columns, aRow, bRow, aStep, bStep));
}

/** a − b */
export function subtract(
  a: usize,
  b: usize,
  out: usize,
  rows: i32,
  columns: i32,
  aRow: i32,
  bRow: i32,
  aStep: i32,
  bStep: i32,
): void {
  inline.always(binary(SUBTRACT, a, b, out, rows, columns, aRow, bRow, aStep, bStep));
}

/** a·b */
export function multiply(
  a: usize,
  b: usize,
  out: usize,
  rows: i32,
  columns: i32,
  aRow: i32,
  bRow: i32,
  aStep: i32,
  bStep: i32,
): void {
  inline.always(binary(MULTIPLY, a, b, out, rows, columns, aRow, bRow, aStep, bStep));
}

/** a/b */
export function divide(
  a: usize,
  b: usize,
  out: usize,
  rows: i32,
  columns: i32,
  aRow: i32,
  bRow: i32,
  aStep: i32,
  bStep: i32,
): void {
  inline.always(binary(DIVIDE, a, b, out, rows, columns, aRow, bRow, aStep, bStep));
}

/** max(a, b); NaN if either is NaN */
export function maximum(
  a: usize,
  b: usize,
  out: usize,
  rows: i32,
  columns: i32,
  aRow: i32,
  bRow: i32,
  aStep: i32,
  bStep: i32,
): void {
  inline.always(binary(MAXIMUM, a, b, out, rows, columns, aRow, bRow, aStep, bStep));
}

/** min(a, b); NaN if either is NaN */
export function minimum(
  a: usize,
  b: usize,
  out: usize,
  rows: i32,
  columns: i32,
  aRow: i32,
  bRow: i32,
  aStep: i32,
  bStep: i32,
): void {
  inline.always(binary(MINIMUM, a, b, out, rows, columns, aRow, bRow, aStep, bStep));
}

const NEGATE = 0;
const SQUARE = 1;
const ROOT = 2;
const INVERSE_ROOT = 3;
const EXPONENTIAL = 4;
const MAGNITUDE = 5;

function applyUnary(operation: i32, x: v128): v128 {
  switch (operation) {
    case NEGATE:
      return f32x4.neg(x);
    case SQUARE:
      return f32x4.mul(x, x);
    case ROOT:
      return f32x4.sqrt(x);
    case INVERSE_ROOT:
      return f32x4.div(f32x4.splat(1.0), f32x4.sqrt(x));
    case EXPONENTIAL:
      return inline.always(exp4(x));
    default:
      return f32x4.abs(x);
  }
}

function unary(operation: i32, x: usize, out: usize, count: i32): void {
  const rest = count & 3;
  const tail = (<usize>(count - rest)) << 2;
  for (let at: usize = 0; at < tail; at += 16) {
    v128.store(out + at, inline.always(applyUnary(operation, v128.load(x + at))));
  }
  if (rest > 0) storePart(out + tail, inline.always(applyUnary(operation, loadPart(x + tail, rest, 1))), rest);
}

/** −x */
export function negate(x: usize, out: usize, count: i32): void {
  inline.always(unary(NEGATE, x, out, count));
}

/** x² */
export function square(x: usize, out: usize, count: i32): void {
  inline.always(unary(SQUARE, x, out, count));
}

/** √x */
export function squareRoot(x: usize, out: usize, count: i32): void {
  inline.always(unary(ROOT, x, out, count));
}

/** 1/√x */
export function inverseSquareRoot(x: usize, out: usize, count: i32): void {
  inline.always(unary(INVERSE_ROOT, x, out, count));
}

/** eˣ; see exp4 for its error */
export function exponential(x: usize, out: usize, count: i32): void {
  inline.always(unary(EXPONENTIAL, x, out, count));
}

/** |x| */
export function absolute(x: usize, out: usize, count: i32): void {
  inline.always(unary(MAGNITUDE, x, out, count));
}

/** x clipped to two bounds; NaN stays NaN. */
export function clip(x: usize, out: usize, count: i32, low: f32, high: f32): void {
  const l = f32x4.splat(low);
  const h = f32x4.splat(high);
  const rest = count & 3;
  const tail = (<usize>(count - rest)) << 2;
  for (let at: usize = 0; at < tail; at += 16) {
    v128.store(out + at, f32x4.pmax(f32x4.pmin(v128.load(x + at), h), l));
  }
  if (rest > 0) storePart(out + tail, f32x4.pmax(f32x4.pmin(loadPart(x + tail, rest, 0), h), l), rest);
}

/** x ← factor·x */
export function scale(x: usize, count: i32, factor: f32): void {
  const f = f32x4.splat(factor);
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    const p = x + ((<usize>i) << 2);
    v128.store(p, f32x4.mul(v128.load(p), f));
  }
  for (; i < count; i++) {
    const p = x + ((<usize>i) << 2);
    store<f32>(p, load<f32>(p) * factor);
  }
}
