/**
 * A value that is made when it is first read, and then kept. The schemas of a sweep file have thousands of parts, which most
 * commands do not need: without this, making them was half of the time in which a command starts.
 */
export function deferred<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
