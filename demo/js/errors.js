// One kind of error for everything that the user can mend: it is shown as one line.

export class ReadError extends Error {}

/** "FILE: the broken rule; the remedy", as `tinystride predict` words it. */
export function readError(source, rule, remedy) {
  return new ReadError(`${source}: ${rule}; ${remedy}`);
}
