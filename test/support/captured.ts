/** What a command that runs in this process puts out. */

/** Runs it, and returns its value with everything written to standard output and standard error: in order, and each. */
export async function captured<T>(
  run: () => Promise<T>,
): Promise<{ value: T; text: string; stdout: string; stderr: string }> {
  let [text, stdout, stderr] = ['', '', ''];
  const [out, err] = [process.stdout.write.bind(process.stdout), process.stderr.write.bind(process.stderr)];
  const keep = (toOut: boolean) =>
    ((chunk: string | Uint8Array): boolean => {
      const said = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
      text += said;
      if (toOut) stdout += said;
      else stderr += said;
      return true;
    }) as typeof process.stdout.write;
  process.stdout.write = keep(true);
  process.stderr.write = keep(false);
  try {
    return { value: await run(), text, stdout, stderr };
  } finally {
    process.stdout.write = out;
    process.stderr.write = err;
  }
}
