/**
 * The matrix product for machines without a BLAS, on one thread. A packed strip of A, a few rows high, stays in the
 * first-level cache, while the panels of a packed block of B are read from the second-level cache.
 */

import { multiplyAdd } from './math';

/** The micro-kernel's tile. Of V8's 15 registers on x64, 10 hold C, 2 B, 1 A and 1 a product. */
const TILE_ROWS = 5;
const TILE_COLUMNS = 8;
/** A strip of A is DEPTH × 5 floats, 5 KiB; a panel of B DEPTH × 8, 8 KiB; a block of B DEPTH × COLUMNS, 256 KiB. */
const DEPTH = 256;
const COLUMNS = 256;
/** With fewer rows in C, packing B costs more time than it saves. */
const PACKING_ROWS = 32;

const STRIP_STEP: usize = 4 * TILE_ROWS;
const PANEL_STEP: usize = 4 * TILE_COLUMNS;
const BLOCK_BYTES = 4 * DEPTH * COLUMNS;
const TILE_BYTES = 4 * TILE_ROWS * TILE_COLUMNS;
const STRIP_BYTES = 4 * TILE_ROWS * DEPTH;

/** Bytes of scratch that each calling thread needs, aligned to 16. */
export function gemmScratchBytes(): i32 {
  return BLOCK_BYTES + TILE_BYTES + STRIP_BYTES;
}

/** A row of a tile: c ← scale·(left, right), or c += that. */
function putRow(c: usize, left: v128, right: v128, scale: v128, accumulate: bool): void {
  left = f32x4.mul(left, scale);
  right = f32x4.mul(right, scale);
  if (accumulate) {
    left = f32x4.add(left, v128.load(c));
    right = f32x4.add(right, v128.load(c, 16));
  }
  v128.store(c, left);
  v128.store(c, right, 16);
}

/**
 * The micro-kernel: a tile c ← alpha·a·b, or c += that.
 *
 * @param a A strip: 5 values for each of `depth` positions.
 * @param b 8 values for each position, `step` bytes from one position to the next.
 * @param line Bytes from a row of the tile to the next.
 */
function multiplyTile(
  a: usize,
  b: usize,
  step: usize,
  depth: i32,
  alpha: f32,
  c: usize,
  line: usize,
  accumulate: bool,
): void {
  let left0 = f32x4.splat(0);
  let right0 = f32x4.splat(0);
  let left1 = f32x4.splat(0);
  let right1 = f32x4.splat(0);
  let left2 = f32x4.splat(0);
  let right2 = f32x4.splat(0);
  let left3 = f32x4.splat(0);
  let right3 = f32x4.splat(0);
  let left4 = f32x4.splat(0);
  let right4 = f32x4.splat(0);
  // Both are aligned already. This lets V8 infer that their upper halves are 0; otherwise it clears them at every step.
  a &= ~3;
  b &= ~3;
  const end = b + <usize>depth * step;
  // The last row comes first, and nothing is unrolled, so that V8 places each load of A just before its use. Otherwise it
  // places all loads before the arithmetic, and with this many accumulators it spills some to memory.
  while (b !== end) {
    const left = v128.load(b);
    const right = v128.load(b, 16);
    const x4 = v128.load32_splat(a, 16);
    right4 = multiplyAdd(x4, right, right4);
    left4 = multiplyAdd(x4, left, left4);
    const x3 = v128.load32_splat(a, 12);
    right3 = multiplyAdd(x3, right, right3);
    left3 = multiplyAdd(x3, left, left3);
    const x2 = v128.load32_splat(a, 8);
    right2 = multiplyAdd(x2, right, right2);
    left2 = multiplyAdd(x2, left, left2);
    const x1 = v128.load32_splat(a, 4);
    right1 = multiplyAdd(x1, right, right1);
    left1 = multiplyAdd(x1, left, left1);
    const x0 = v128.load32_splat(a);
    right0 = multiplyAdd(x0, right, right0);
    left0 = multiplyAdd(x0, left, left0);
    a += STRIP_STEP;
    b += step;
  }
  const scale = f32x4.splat(alpha);
  inline.always(putRow(c, left0, right0, scale, accumulate));
  inline.always(putRow(c + line, left1, right1, scale, accumulate));
  inline.always(putRow(c + 2 * line, left2, right2, scale, accumulate));
  inline.always(putRow(c + 3 * line, left3, right3, scale, accumulate));
  inline.always(putRow(c + 4 * line, left4, right4, scale, accumulate));
}

/** c ← the first rows and columns of a tile, or c += them. */
function putPart(tile: usize, rows: i32, columns: i32, c: usize, line: usize, accumulate: bool): void {
  const bytes = (<usize>columns) << 2;
  for (let i = 0; i < rows; i++) {
    for (let at: usize = 0; at < bytes; at += 4) {
      const value = load<f32>(tile + at);
      store<f32>(c + at, accumulate ? load<f32>(c + at) + value : value);
    }
    tile += PANEL_STEP;
    c += line;
  }
}

/** Packs a line of values that are `along` bytes apart. Packed values are `step` bytes apart. */
function packLine(from: usize, along: usize, depth: i32, to: usize, step: usize): void {
  for (let p = 0; p < depth; p++) {
    store<f32>(to, load<f32>(from));
    from += along;
    to += step;
  }
}

/** Packs four adjacent lines: a vector at each position. */
function packFour(from: usize, along: usize, depth: i32, to: usize, step: usize): void {
  for (let p = 0; p < depth; p++) {
    v128.store(to, v128.load(from));
    from += along;
    to += step;
  }
}

/** Packs four lines, each of adjacent values and `across` bytes from the next: transposes them, 4 × 4 at a time. */
function packFourTransposed(from: usize, across: usize, depth: i32, to: usize, step: usize): void {
  let a = from;
  let b = a + across;
  let c = b + across;
  let d = c + across;
  for (; depth >= 4; depth -= 4) {
    const va = v128.load(a);
    const vb = v128.load(b);
    const vc = v128.load(c);
    const vd = v128.load(d);
    const ab = v128.shuffle<f32>(va, vb, 0, 4, 1, 5);
    const cd = v128.shuffle<f32>(vc, vd, 0, 4, 1, 5);
    v128.store(to, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5));
    v128.store(to + step, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
    const abHigh = v128.shuffle<f32>(va, vb, 2, 6, 3, 7);
    const cdHigh = v128.shuffle<f32>(vc, vd, 2, 6, 3, 7);
    v128.store(to + 2 * step, v128.shuffle<f32>(abHigh, cdHigh, 0, 1, 4, 5));
    v128.store(to + 3 * step, v128.shuffle<f32>(abHigh, cdHigh, 2, 3, 6, 7));
    a += 16;
    b += 16;
    c += 16;
    d += 16;
    to += 4 * step;
  }
  packLine(a, 4, depth, to, step);
  packLine(b, 4, depth, to + 4, step);
  packLine(c, 4, depth, to + 8, step);
  packLine(d, 4, depth, to + 12, step);
}

/**
 * Packs `count` lines of `depth` values into panels `width` lines wide: each lists its lines' first values, then their
 * second ones, and so on. Missing lines of the last panel are not written: their products are discarded.
 *
 * @param across Bytes from one line to the next.
 * @param along Bytes from one value of a line to the next; one of the two is 4.
 */
function pack(from: usize, across: usize, along: usize, count: i32, depth: i32, width: i32, to: usize): void {
  const step = (<usize>width) << 2;
  for (; count > 0; count -= width) {
    const lines = min<i32>(width, count);
    let line = 0;
    for (; line + 4 <= lines; line += 4) {
      if (across === 4) packFour(from, along, depth, to + ((<usize>line) << 2), step);
      else packFourTransposed(from, across, depth, to + ((<usize>line) << 2), step);
      from += 4 * across;
    }
    for (; line < lines; line++) {
      packLine(from, along, depth, to + ((<usize>line) << 2), step);
      from += across;
    }
    to += <usize>depth * step;
  }
}

/** C ← beta·C. With beta = 0, C is not read, so that a NaN does not remain. */
function scaleRows(c: usize, line: usize, rows: i32, columns: i32, beta: f32): void {
  const bytes = (<usize>columns) << 2;
  for (let i = 0; i < rows; i++) {
    if (beta === 0) memory.fill(c, 0, bytes);
    else for (let at: usize = 0; at < bytes; at += 4) store<f32>(c + at, beta * load<f32>(c + at));
    c += line;
  }
}

/**
 * A strip of A by a block of B, into as many rows of C as the strip has.
 *
 * @param b The block's first panel; the others follow, each `panel` bytes from the one before.
 * @param tile Scratch for a tile that extends beyond the edge of C.
 */
function multiplyStrip(
  strip: usize,
  rows: i32,
  b: usize,
  panel: usize,
  step: usize,
  columns: i32,
  depth: i32,
  alpha: f32,
  c: usize,
  line: usize,
  accumulate: bool,
  tile: usize,
): void {
  for (; columns > 0; columns -= TILE_COLUMNS) {
    if (rows === TILE_ROWS && columns >= TILE_COLUMNS) {
      multiplyTile(strip, b, step, depth, alpha, c, line, accumulate);
    } else {
      multiplyTile(strip, b, step, depth, alpha, tile, PANEL_STEP, false);
      putPart(tile, rows, min<i32>(TILE_COLUMNS, columns), c, line, accumulate);
    }
    b += panel;
    c += PANEL_STEP;
  }
}

/**
 * C ← alpha·op(A)·op(B) + beta·C for row-major matrices, as cblas_sgemm: op(A) is m×k, op(B) is k×n, and a transposed
 * A is stored k×m. Leading dimensions count floats. With beta = 0, C is not read; with alpha = 0, A and B are not.
 *
 * @param scratch `gemmScratchBytes()` bytes that no other thread uses.
 */
export function gemm(
  transposeA: i32,
  transposeB: i32,
  m: i32,
  n: i32,
  k: i32,
  alpha: f32,
  a: usize,
  lda: i32,
  b: usize,
  ldb: i32,
  beta: f32,
  c: usize,
  ldc: i32,
  scratch: usize,
): void {
  const empty = alpha === 0 || k === 0;
  const lineC = (<usize>ldc) << 2;
  // A beta of 0 or 1 needs no separate pass: the first products are stored, or added.
  if (beta !== 1 && (empty || beta !== 0)) scaleRows(c, lineC, m, n, beta);
  if (empty) return;

  // Bytes from one row of op(A), or column of op(B), to the next, and along it
  const acrossA: usize = transposeA ? 4 : (<usize>lda) << 2;
  const alongA: usize = transposeA ? (<usize>lda) << 2 : 4;
  const acrossB: usize = transposeB ? (<usize>ldb) << 2 : 4;
  const alongB: usize = transposeB ? 4 : (<usize>ldb) << 2;
  const inPlace = !transposeB && m < PACKING_ROWS && n % TILE_COLUMNS === 0;

  const block = scratch;
  const strip = block + BLOCK_BYTES;
  const tile = strip + STRIP_BYTES;
  for (let j = 0; j < n; j += COLUMNS) {
    const columns = min<i32>(COLUMNS, n - j);
    for (let p = 0; p < k; p += DEPTH) {
      const depth = min<i32>(DEPTH, k - p);
      const fromB = b + <usize>j * acrossB + <usize>p * alongB;
      if (!inPlace) pack(fromB, acrossB, alongB, columns, depth, TILE_COLUMNS, block);
      const panels = inPlace ? fromB : block;
      const panel = inPlace ? PANEL_STEP : <usize>depth * PANEL_STEP;
      const step = inPlace ? alongB : PANEL_STEP;
      const accumulate = p > 0 || beta !== 0;
      for (let i = 0; i < m; i += TILE_ROWS) {
        const rows = min<i32>(TILE_ROWS, m - i);
        pack(a + <usize>i * acrossA + <usize>p * alongA, acrossA, alongA, rows, depth, TILE_ROWS, strip);
        const to = c + <usize>i * lineC + ((<usize>j) << 2);
        multiplyStrip(strip, rows, panels, panel, step, columns, depth, alpha, to, lineC, accumulate, tile);
      }
    }
  }
}
