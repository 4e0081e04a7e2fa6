// One kind of error for everything that the user can mend: it is shown as one line.

export class ReadError extends Error {}

/** "FILE: what is wrong; what to do", as `tinystride predict` words it. */
export function readError(source, rule, remedy) {
  return new ReadError(`${source}: ${rule}; ${remedy}`);
}
