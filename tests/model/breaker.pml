/* Copyright The Fuseboard Authors
 * SPDX-License-Identifier: Apache-2.0
 *
 * The half-open protocol of the circuit breaker (src/breaker): states, generations, leases of probes, time. Checked with
 * spin by breaker_model_test.py, which also shows that the model notices each of the mistakes marked WRONG_... below.
 *
 * How it is abstracted. What the breaker does under its lock is one step. A permit's generation is only ever compared
 * with the present one, so a permit is current or not, and every transition makes all there are not current. Times are
 * ticks that remain, so the clock can run for ever. Jitter, growth, windows and overrides are left out.
 *
 * What is held [docs/semantics.md]:
 *   BRK-1  only legal moves: move()
 *   BRK-5  half-open not before the deadline, but by an operator's hand: move()
 *   BRK-6  no more than MAX_PROBES current probes in flight: grant()
 *   BRK-9  a permit of an earlier generation moves nothing: move()
 *   BRK-8  finite time admits somebody from every reachable state, even if every permit is lost: no fair cycle without
 *          `progress_granted`
 */

#ifndef MAX_PROBES
#define MAX_PROBES 1
#endif
#ifndef SUCCESSES
#define SUCCESSES 1 /* half_open_successes */
#endif
#define THRESHOLD 2
#define OPEN_TIME 2
#ifndef LEASE
#define LEASE 2
#endif
#define CALLERS 3 /* the last one asks for ever and may lose what it gets */

#define CLOSED 0
#define OPEN 1
#define HALF_OPEN 2

#define NO_LEASE MAX_PROBES
#define FREE 100 /* a lease that nobody has */

byte state = CLOSED;
byte failures = 0;        /* in a row */
byte probe_successes = 0;
byte deadline_in = 0;     /* ticks until an open circuit may be probed */
short lease_in[MAX_PROBES]; /* ticks until it ends; below zero: since it has */

/* Of each caller: its permit, and whether what it has read of the word still holds. */
bool holds[CALLERS];
bool current[CALLERS];
byte lease[CALLERS];
bool seen_holds[CALLERS];

/* Who settles a permit of an earlier generation: it may move nothing. */
bool settles_late = false;

hidden byte i, j, place; /* of the inlines, whose steps nothing interrupts */

inline move(to) {
  assert((state == CLOSED && to == OPEN) || (state == OPEN && to == HALF_OPEN) || (state == HALF_OPEN && to == CLOSED) ||
         (state == HALF_OPEN && to == OPEN) || (resetting && to == CLOSED));
  assert(!(state == OPEN && to == HALF_OPEN && deadline_in > 0 && !probing_early));
  assert(!settles_late);
  for (i : 0 .. CALLERS - 1) {
    current[i] = false;
    seen_holds[i] = false
  }
  state = to
}
bool resetting = false;
bool probing_early = false;

inline release_leases() {
  for (i : 0 .. MAX_PROBES - 1) {
    lease_in[i] = FREE
  }
}

/* open_locked: `elapsed` ticks ago. */
inline open(elapsed) {
  release_leases();
  deadline_in = (OPEN_TIME > elapsed -> OPEN_TIME - elapsed : 0);
  move(OPEN)
}

inline close() {
  release_leases();
  failures = 0;
  deadline_in = 0;
  move(CLOSED)
}

/* expire_leases_locked: a probe whose lease is over has failed, at the time at which it was over. */
inline expire_leases() {
  if
  :: state == HALF_OPEN ->
#ifndef WRONG_NO_LEASE
    j = NO_LEASE;
    for (i : 0 .. MAX_PROBES - 1) {
      if
      :: lease_in[i] <= 0 && (j == NO_LEASE || lease_in[i] < lease_in[j]) -> j = i
      :: else
      fi
    }
    if
    :: j != NO_LEASE ->
      if
      :: failures < THRESHOLD -> failures++
      :: else
      fi;
      j = -lease_in[j];
      open(j)
    :: else
    fi
#else
    skip
#endif
  :: else
  fi
}

/* The permit of caller `me`, a probe if it has a lease. */
inline grant(me, with_lease) {
  holds[me] = true;
  current[me] = true;
  lease[me] = with_lease;
  j = 0;
  for (i : 0 .. CALLERS - 1) {
    if
    :: holds[i] && current[i] && lease[i] != NO_LEASE -> j++
    :: else
    fi
  }
  assert(j <= MAX_PROBES)
}

/* acquire_locked. Whether it was granted is in holds[me]. */
inline acquire_locked(me) {
  expire_leases();
  if
#ifdef WRONG_EARLY_PROBE
  :: state == OPEN && deadline_in <= 1 ->
#else
  :: state == OPEN && deadline_in == 0 ->
#endif
    probe_successes = 0;
    move(HALF_OPEN)
  :: else
  fi;
  if
  :: state == CLOSED -> grant(me, NO_LEASE)
  :: state == OPEN /* refused */
  :: state == HALF_OPEN ->
    j = NO_LEASE;
    for (i : 0 .. MAX_PROBES - 1) {
      if
      :: lease_in[i] == FREE -> j = i
      :: else
      fi
    }
    if
    :: j != NO_LEASE ->
      lease_in[j] = LEASE;
      place = j;
      grant(me, place)
    :: else /* busy */
#ifdef WRONG_UNLIMITED_PROBES
      grant(me, 0)
#endif
    fi
  fi
}

inline note_failure() {
  if
  :: failures < THRESHOLD -> failures++
  :: else
  fi
}

/* What a caller may report. */
mtype = { success, failure, throttled, neutral };
hidden mtype verdict;

/* judge_half_open_locked, for a current permit. A stream that was a probe until its first content has no lease. */
inline judge_half_open(me, outcome) {
  if
  :: lease[me] != NO_LEASE ->
#ifdef WRONG_NEUTRAL_PROBE_WEDGES
    if
    :: outcome != neutral -> lease_in[lease[me]] = FREE
    :: else -> lease_in[lease[me]] = 1000 /* nobody will give it back */
    fi
#else
    lease_in[lease[me]] = FREE
#endif
  :: else
  fi;
  if
  :: outcome == failure ->
    note_failure();
    open(0)
  :: outcome == throttled && lease[me] != NO_LEASE -> open(0)
  :: outcome == success && lease[me] != NO_LEASE ->
    probe_successes++;
    if
    :: probe_successes >= SUCCESSES -> close()
    :: else
    fi
  :: else
  fi
}

/* conclude and judge_locked: the permit of `me` ends. */
inline settle(me, outcome) {
  if
  :: lease[me] != NO_LEASE || outcome == failure -> expire_leases()
  :: else
  fi;
  settles_late = !current[me];
  if
#ifdef WRONG_SUCCESS_CLOSES
  :: state == OPEN && outcome == success -> close()
#endif
#ifdef WRONG_LATE_COUNTS
  :: !current[me] && state == HALF_OPEN && outcome == success -> close()
#endif
  :: current[me] && state == HALF_OPEN -> judge_half_open(me, outcome)
  :: current[me] && state == CLOSED && outcome == success -> failures = 0
  :: current[me] && state == CLOSED && outcome == failure ->
    note_failure();
    if
    :: failures >= THRESHOLD -> open(0)
    :: else
    fi
  :: else
  fi;
  settles_late = false;
  forget(me)
}

inline forget(me) {
  holds[me] = false;
  current[me] = false;
  lease[me] = NO_LEASE
}

/* first_content: a probe has succeeded, and goes on as a permit of the state that follows. */
inline first_content(me) {
  if
  :: lease[me] != NO_LEASE ->
    expire_leases();
    if
    :: current[me] ->
      judge_half_open(me, success);
      current[me] = true
    :: else
    fi;
    lease[me] = NO_LEASE
  :: else
  fi
}

/* try_acquire: a closed circuit is seen in one load of the word. An open one is refused without the lock if its facts,
 * read after the word, are still of that word. */
inline acquire(me) {
  atomic {
    seen_holds[me] = true;
    was_open = state == OPEN;
    if
    :: state == CLOSED -> grant(me, NO_LEASE)
    :: else
    fi
  };
  if
  :: holds[me]
  :: else ->
    early = deadline_in > 0;
    atomic {
      if
      :: was_open && early && seen_holds[me] /* refused */
      :: else -> acquire_locked(me)
      fi;
      early = false
    }
  fi;
  d_step {
    was_open = false;
    seen_holds[me] = false
  }
}

inline choose() {
  if
  :: verdict = success
  :: verdict = failure
  :: verdict = throttled
  :: verdict = neutral
  fi
}

/* Acquires, and settles sooner or later. */
proctype Caller(byte me) {
  bool early, was_open;
  do
  :: !holds[me] ->
    acquire(me);
    if
    :: holds[me] -> progress_granted: skip
    :: else
    fi
  :: atomic { holds[me] && lease[me] != NO_LEASE -> first_content(me) }
  :: atomic { holds[me] -> choose(); settle(me, verdict) }
  od
}

/* Asks again and again, and may lose what it is given: a thread that never comes back. */
proctype Asker(byte me) {
  bool early, was_open;
  do
  :: acquire(me);
    if
    :: holds[me] ->
progress_granted:
      atomic {
        if
        :: choose(); settle(me, verdict)
        :: forget(me)
        fi
      }
    :: else
    fi
  od
}

proctype Ticks() {
  do
  :: d_step {
      if
      :: deadline_in > 0 -> deadline_in--
      :: else
      fi;
      for (i : 0 .. MAX_PROBES - 1) {
        if
        :: lease_in[i] != FREE && lease_in[i] > -OPEN_TIME && lease_in[i] <= LEASE -> lease_in[i]--
        :: else
        fi
      }
    }
  od
}

/* An operator who once resets it, trips it, or lets it be probed early. */
proctype Operator() {
  atomic {
    if
    :: resetting = true;
      close();
      resetting = false
    :: true ->
      expire_leases();
      if
      :: state != OPEN -> open(0)
      :: else
      fi
    :: true ->
      if
      :: state == OPEN ->
        probing_early = true;
        probe_successes = 0;
        move(HALF_OPEN);
        probing_early = false
      :: else
      fi
    fi
  }
}

init {
  atomic {
    for (j : 0 .. CALLERS - 1) {
      lease[j] = NO_LEASE
    }
    release_leases();
    run Caller(0);
    run Caller(1);
    run Asker(2);
    run Ticks();
    run Operator()
  }
}
