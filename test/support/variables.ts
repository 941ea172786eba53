/** Variables of the environment, for a while. */

/** undefined unsets a variable. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** Sets them, runs, and sets what was there before. */
export async function withVariables<T>(variables: Variables, run: () => T | Promise<T>): Promise<T> {
  const before = setVariables(variables);
  try {
    return await run();
  } finally {
    setVariables(before);
  }
}

/** @returns Their values before. Test files share processes, so a file sets these again after its tests. */
export function setVariables(variables: Variables): Variables {
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => {
      const before = process.env[name];
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
      return [name, before];
    }),
  );
}
