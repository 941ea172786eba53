/** Copies between layouts: transposes, slices, tiles and joins are all one loop over strides. */

/**
 * out[i, j, k, l] = x[i·s0 + j·s1 + k·s2 + l·s3]: a dense output of sizes n0 … n3 from strides in floats, any of which
 * may be 0.
 */
export function copyStrided(
  x: usize,
  out: usize,
  n0: i32,
  n1: i32,
  n2: i32,
  n3: i32,
  s0: i32,
  s1: i32,
  s2: i32,
  s3: i32,
): void {
  const bytes = (<usize>n3) << 2;
  const step = (<usize>s3) << 2;
  for (let i = 0; i < n0; i++) {
    for (let j = 0; j < n1; j++) {
      let from = x + ((<usize>i * <usize>s0 + <usize>j * <usize>s1) << 2);
      if (s2 === 1 && s3 > 1) {
        swapAxes(from, out, n2, n3, step);
        out += <usize>n2 * bytes;
        continue;
      }
      for (let k = 0; k < n2; k++) {
        if (s3 === 1) {
          copyRun(out, from, bytes);
        } else {
          let p = from;
          for (let at: usize = 0; at < bytes; at += 4) {
            store<f32>(out + at, load<f32>(p));
            p += step;
          }
        }
        from += (<usize>s2) << 2;
        out += bytes;
      }
    }
  }
}

/** out[k, l] = x[l, k], with rows of x `line` bytes apart: transposes a matrix in blocks of 4×4. */
function swapAxes(x: usize, out: usize, rows: i32, columns: i32, line: usize): void {
  const bytes = (<usize>columns) << 2;
  const wholeRows = rows & ~3;
  const wholeColumns = columns & ~3;
  // Reads four rows of x from end to end. The lines of `out` stay in the cache until the next four rows.
  for (let l = 0; l < wholeColumns; l += 4) {
    let from = x + <usize>l * line;
    let to = out + ((<usize>l) << 2);
    for (let k = 0; k < wholeRows; k += 4) {
      const a = v128.load(from);
      const b = v128.load(from + line);
      const c = v128.load(from + 2 * line);
      const d = v128.load(from + 3 * line);
      const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
      const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
      const abHigh = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
      const cdHigh = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
      v128.store(to, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5));
      v128.store(to + bytes, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
      v128.store(to + 2 * bytes, v128.shuffle<f32>(abHigh, cdHigh, 0, 1, 4, 5));
      v128.store(to + 3 * bytes, v128.shuffle<f32>(abHigh, cdHigh, 2, 3, 6, 7));
      from += 16;
      to += 4 * bytes;
    }
  }
  for (let k = 0; k < rows; k++) {
    const begin = k < wholeRows ? wholeColumns : 0;
    for (let l = begin; l < columns; l++) {
      store<f32>(out + <usize>k * bytes + ((<usize>l) << 2), load<f32>(x + <usize>l * line + ((<usize>k) << 2)));
    }
  }
}

/** Copies short runs in a loop: for the few vectors in a row of a patch, memory.copy itself takes longer. */
function copyRun(out: usize, from: usize, bytes: usize): void {
  if (bytes > 256) {
    memory.copy(out, from, bytes);
    return;
  }
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) v128.store(out + at, v128.load(from + at));
  for (; at < bytes; at += 4) store<f32>(out + at, load<f32>(from + at));
}

/** Copies dense rows to rows that are `stride` floats apart. */
export function scatterRows(x: usize, out: usize, rows: i32, columns: i32, stride: i32): void {
  const bytes = (<usize>columns) << 2;
  for (let i = 0; i < rows; i++) {
    copyRun(out, x, bytes);
    x += bytes;
    out += (<usize>stride) << 2;
  }
}

/**
 * Expands a matrix [output, input] over positions to one over positions with interleaved channels:
 * out[w·channels + c, v·channels + c] = matrix[v, w], zeros elsewhere; [input·channels, output·channels].
 */
export function expandChannels(matrix: usize, out: usize, output: i32, input: i32, channels: i32): void {
  const width = <usize>output * <usize>channels;
  memory.fill(out, 0, (<usize>input * <usize>channels * width) << 2);
  for (let v = 0; v < output; v++) {
    for (let w = 0; w < input; w++) {
      const value = load<f32>(matrix + ((<usize>(v * input + w)) << 2));
      if (value !== 0) {
        for (let c = 0; c < channels; c++) {
          const at = <usize>(w * channels + c) * width + <usize>(v * channels + c);
          store<f32>(out + (at << 2), value);
        }
      }
    }
  }
}
