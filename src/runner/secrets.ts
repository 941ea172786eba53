/** Files whose names suggest secrets: a diff does not keep their content. */

const NAMES = [
  // Variables of an environment, but not the template that is shared.
  /^\.env(?:\..+)?(?<!\.(?:example|sample|template|dist))$/,
  /^\.?(?:netrc|npmrc|pypirc|pgpass|htpasswd|git-credentials|dockercfg|my\.cnf)$/,
  /^id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?$/,
  /\.(?:pem|key|p12|pfx|jks|keystore|kdbx|ppk|gpg|asc|token)$/,
  /credential|passw(?:or)?d|secret|api[-_]?key|access[-_]?key|private[-_]?key/,
];
const FOLDERS = /(?:^|\/)(?:\.ssh|\.aws|\.gnupg|\.kube|\.docker|secrets?)\//;

/** Whether a file holds secrets by its name. @param file Path with `/`, from the root of the repository. */
export function looksSecret(file: string): boolean {
  const lower = file.toLowerCase();
  const name = lower.slice(lower.lastIndexOf('/') + 1);
  return FOLDERS.test(lower) || NAMES.some((pattern) => pattern.test(name));
}
