const turns = 5;

/**
 * `call`, or a rejection when there is no reply for `ms`, counted in turns of the event loop: while this process was busy
 * a reply may have come that it had no chance to read, and giving up then would turn its own load into a fault of the server.
 * Each turn lets what has arrived be read before the next one counts.
 */
export function withPatience<T>(ms: number, call: Promise<T>, refuse: (cause: unknown) => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    let left = turns;
    const pass = () => {
      left -= 1;
      if (left === 0) reject(refuse(new Error(`no reply within ${ms} ms`)));
      else timer = setTimeout(pass, ms / turns);
    };
    let timer = setTimeout(pass, ms / turns);
    call.then(
      (reply) => {
        clearTimeout(timer);
        resolve(reply);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(refuse(error));
      },
    );
  });
}
