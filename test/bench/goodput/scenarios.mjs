// What happens to the service and to the traffic, second by second. A fault begins at FAULT; how long it
// lasts and how bad it is are drawn from the dice of the run, so that no open time fits by luck.
export const FAULT = 15;
/** Seconds that are looked at as the time before. */
export const BEFORE = { from: 5, to: FAULT - 1 };

const WELL = { workers: 1, down: false, hangs: false, errors: 0, traffic: 1 };

/** A fault of 15 to 25 s, unless it is said otherwise; then the rest of the run. */
function once(change, { from = 15, to = 25, rest = 45 } = {}) {
  return (random) => {
    const seconds = Math.round(from + (to - from) * random());
    const faulty = { ...WELL, ...change(random) };
    const faultEnds = FAULT + seconds;
    const at = (second) => (second >= FAULT && second < faultEnds ? faulty : WELL);
    return { faultEnds, ends: faultEnds + rest, at };
  };
}

/** Down and up in turn: phases of 2 to 5 s. */
function flapping(random) {
  const isDown = [];
  while (isDown.length < 30) {
    const seconds = 2 + Math.floor(4 * random());
    const next = !(isDown.at(-1) ?? false);
    for (let i = 0; i < seconds; i += 1) isDown.push(next);
  }
  const faultEnds = FAULT + isDown.lastIndexOf(true) + 1;
  const at = (second) => (isDown[second - FAULT] === true ? { ...WELL, down: true } : WELL);
  return { faultEnds, ends: faultEnds + 45, at };
}

export const scenarios = {
  healthy: { title: 'nothing happens', make: once(() => ({})) },
  errors: {
    title: '15–25 s in which 10–30 % of the answers are a 500',
    make: once((random) => ({ errors: 0.1 + 0.2 * random() })),
  },
  'brown-out': {
    title: '15–25 s with 20–60 % of the workers',
    make: once((random) => ({ workers: 0.2 + 0.4 * random() })),
  },
  outage: { title: '15–25 s of refused connections', make: once(() => ({ down: true })) },
  'long-outage': {
    title: '90–150 s of refused connections',
    make: once(() => ({ down: true }), { from: 90, to: 150, rest: 60 }),
  },
  hang: {
    title: '15–25 s in which no request is answered',
    make: once(() => ({ hangs: true })),
  },
  flapping: { title: 'refused and well in turn, 2–5 s each, for half a minute', make: flapping },
  overload: {
    title: '15–25 s of 1.5–2.5 times the traffic',
    make: once((random) => ({ traffic: 1.5 + random() })),
  },
  metastable: {
    title: '2 s of four times the traffic',
    make: once(() => ({ traffic: 4 }), { from: 2, to: 2, rest: 58 }),
  },
};
