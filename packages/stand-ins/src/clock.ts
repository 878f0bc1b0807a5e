// A clock that tests can move forward, with timers that follow it.

/** Cancels a timer; calling it twice is harmless. */
export type CancelTimer = () => void;

/** The time of a stand-in: real time plus whatever tests have added. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /**
   * Moves the time forward and fires every timer that is now due, oldest first.
   * Work that needs the network (a webhook retry) is only begun by this, not finished.
   */
  advance(milliseconds: number): void;
  /** Runs once after that many milliseconds of this clock. It never keeps the process alive. */
  after(milliseconds: number, run: () => void): CancelTimer;
}

interface Timer {
  dueAt: number;
  run: () => void;
  handle: NodeJS.Timeout;
}

/** What setTimeout can hold; a longer wait is armed again when this has passed. */
const LONGEST_TIMEOUT = 2_147_483_647;

/** Makes a clock that starts at the real time. `stop` drops all timers. */
export function createClock(): Clock & { stop(): void } {
  let offset = 0;
  const timers = new Set<Timer>();
  const now = (): number => Date.now() + offset;

  const fire = (timer: Timer): void => {
    clearTimeout(timer.handle);
    if (timers.delete(timer)) timer.run();
  };
  const arm = (timer: Timer): void => {
    clearTimeout(timer.handle);
    const wait = Math.min(Math.max(timer.dueAt - now(), 0), LONGEST_TIMEOUT);
    timer.handle = setTimeout(() => (timer.dueAt - now() > 1 ? arm(timer) : fire(timer)), wait);
    timer.handle.unref();
  };

  return {
    now,
    advance(milliseconds) {
      if (!(milliseconds >= 0))
        throw new RangeError("A clock only moves forward: give milliseconds ≥ 0.");
      offset += milliseconds;
      const ordered = [...timers].sort((one, other) => one.dueAt - other.dueAt);
      for (const timer of ordered) {
        if (timer.dueAt <= now()) fire(timer);
        else if (timers.has(timer)) arm(timer);
      }
    },
    after(milliseconds, run) {
      const timer: Timer = { dueAt: now() + milliseconds, run, handle: setTimeout(() => {}, 0) };
      timers.add(timer);
      arm(timer);
      return () => {
        clearTimeout(timer.handle);
        timers.delete(timer);
      };
    },
    stop() {
      for (const timer of timers) clearTimeout(timer.handle);
      timers.clear();
    },
  };
}
