/* SPDX-License-Identifier: BSL-1.0
 *
 * One operation, step by step as include/settle/detail does it: a producer, and WORKERS threads that each do one thing to it, whatever
 * they like, and let go. Spin tries every interleaving. Left out: the tree, executors, withdrawal (the explorer has those), weak memory
 * (every step here is sequentially consistent; the explorer has that too).
 *
 * The word is a lock bit and flags; the count is one word, so what is loaded together is compared and swapped together.
 * Each DEFECT_... takes one thing away that the protocol needs; model/check.sh wants every one of them to be noticed. */

#ifndef WORKERS
#define WORKERS 3
#endif
#define HOOKS (WORKERS + 2)  /* each worker registers one at most; one observer and one cleanup are there from the start */
#define PRODUCER 100
#define FIRST_OBSERVER WORKERS
#define FIRST_CLEANUP (WORKERS + 1)

mtype = { value, cancelled, abandoned, nothing, run_sequence, end_hold };

/* the word */
bool locked, settled, offered;
mtype kind;
byte winner;               /* what the outcome's head says */
/* the count */
byte refs, holds;
bool releasing, late;
/* what stands on it */
chan ring = [HOOKS] of { byte };     /* done observers */
chan lasting = [HOOKS] of { byte };  /* those that came beside the sequence */
byte stack[HOOKS], depth;            /* cleanups */
byte late_stack[HOOKS], late_depth;  /* registered beside the releaser */

/* what must hold is written down beside it */
byte wins, the_winner, pins, running, finished;
byte ran[HOOKS], due[HOOKS];
bool destroyed, cleanups_began;

#define touch() assert(!destroyed)

inline lock() { atomic { !locked -> touch(); locked = true } }
inline unlock() { atomic { touch(); locked = false } }

inline load() { atomic { touch(); ch = holds; cr = refs; cg = releasing; cl = late } }
inline swap(nh, nr, ng, nl) {
  atomic {
    touch();
    ok = (holds == ch && refs == cr && releasing == cg && late == cl);
    if
    :: ok -> holds = nh; refs = nr; releasing = ng; late = nl
    :: else -> ch = holds; cr = refs; cg = releasing; cl = late
    fi
  }
}
inline end_of_state() { assert(!destroyed && holds == 0); destroyed = true }
inline drop_ref() {
  atomic {
    touch(); refs--;
    if
    :: refs == 0 -> end_of_state()
    :: else
    fi
  }
}
inline try_hold(even_releasing) {
  load();
  do
  :: ch == 0 || (cg && !even_releasing) -> ok = false; break
  :: else ->
    swap(ch + 1, cr + 1, cg, cl);
    if
    :: ok -> break
    :: else
    fi
  od
}

/* user code; whoever sees the operation settled sees the whole outcome */
inline observe(h) {
  atomic {
    touch();
    assert(settled && winner == the_winner);
    assert(!cleanups_began || h < FIRST_OBSERVER);  /* registered in time: before the cleanups */
    ran[h]++
  }
}
inline clean(h) {
  atomic {
    touch();
    assert(settled && running == 0 && pins == 0);
    running++; cleanups_began = true; ran[h]++
  };
  atomic { running-- }
}

/* detail/releaser.hpp: close */
inline close() {
  if
  :: ch == 1 && cr == 1 ->
    atomic {
      touch();
      ok = (holds == ch && refs == cr && releasing == cg && late == cl);
      if
      :: ok
      :: else -> ch = holds; cr = refs; cg = releasing; cl = late
      fi
    };
    if
    :: ok -> atomic { touch(); holds = 0; refs = 1; releasing = false; late = false }; drop_ref()
    :: else
    fi
  :: else -> swap(ch - 1, cr - 1, false, cl)
  fi
}

/* detail/releaser.hpp: run */
inline release() {
  do
  :: true ->
    do
    :: !late && depth > 0 ->
      atomic { touch(); depth--; top = stack[depth] };
      clean(top)
    :: else -> break
    od;
    load();
    if
    :: cl ->
#ifdef DEFECT_LATE_CLEARED_AFTER_THE_LOOK
      lock(); absorb(); unlock();
      atomic { touch(); late = false }
#else
      atomic { touch(); late = false };  /* cleared before looking */
      lock(); absorb(); unlock()
#endif
    :: !cl && ch > 1 ->
      swap(ch - 1, cr - 1, cg, cl);  /* a registrant is at it: the last one goes on */
      if
      :: ok -> break
      :: else
      fi
    :: else ->
      close();
      if
      :: ok -> break
      :: else
      fi
    fi
  od
}
inline absorb() {
  atomic {
    touch();
    /* the newest late one ends up on top */
    i = 0;
    do
    :: i < late_depth -> stack[depth] = late_stack[i]; depth++; i++
    :: else -> late_depth = 0; break
    od
  }
}

/* detail/releaser.hpp: drop. `mark`: something was registered beside the releaser */
inline leave() {
  releases = false;
  load();
  do
#ifdef DEFECT_CLEANUP_UNDER_A_PIN
  :: ch > 1 && cg ->
#else
  :: ch > 1 ->
#endif
    swap(ch - 1, cr - 1, cg, cl || mark);
    if
    :: ok -> break
    :: else
    fi
#ifdef DEFECT_CLEANUP_UNDER_A_PIN
  :: ch > 1 && !cg -> swap(ch, cr, true, cl);
    if
    :: ok -> releases = true; break
    :: else
    fi
#endif
  :: ch == 1 && cg ->
    /* the releaser went before us: the last to leave goes on, and looks at what it registered itself */
    if
    :: !mark -> releases = true; break
    :: else ->
      swap(ch, cr, cg, true);
      if
      :: ok -> releases = true; break
      :: else
      fi
    fi
  :: ch == 1 && !cg && cl -> swap(ch, cr, cg, false); load()
  :: else ->
    if
    :: depth > 0 ->
      swap(ch, cr, true, cl);
      if
      :: ok -> releases = true; break
      :: else
      fi
    :: else ->
      close();
      if
      :: ok -> break
      :: else
      fi
    fi
  od;
  if
  :: releases -> release()
  :: else
  fi
}

/* detail/sequence.hpp: run. Owns a hold and a reference */
inline sequence() {
  do
  :: nempty(ring) -> ring ? top; observe(top)
  :: empty(ring) -> break
  od;
  lock();
  do
  :: nempty(lasting) ->
    unlock();
    do
    :: nempty(lasting) -> ring_from_lasting()
    :: empty(lasting) -> break
    od;
    lock()
  :: empty(lasting) -> break
  od;
  atomic { touch(); offered = true; locked = false }
}
inline ring_from_lasting() { lasting ? top; observe(top) }

/* detail/engine.hpp: settle_locked */
inline settle_locked(k) {
  atomic { touch(); settled = true; kind = k; wins++; the_winner = winner; locked = false }
}

/* The producer: writes its value, settles; what it loses it gives back. */
inline produce(k) {
  lock();
  if
  :: settled ->
    unlock();
#ifndef DEFECT_HOLD_NOT_RETURNED
    then = end_hold
#endif
  :: else ->
#ifdef DEFECT_CHECKED_IN_ONE_STEP_SETTLED_IN_ANOTHER
    unlock(); lock();
#endif
    winner = PRODUCER; settle_locked(k); then = run_sequence
  fi
}

/* A rival, with a reference of its own: takes a hold before it wins, for the sequence. */
inline cancel() {
#ifdef DEFECT_WRITTEN_BEFORE_THE_WIN
  winner = _pid;
#endif
  lock();
  if
  :: settled -> unlock()
  :: else ->
#ifndef DEFECT_HOLD_TAKEN_AFTER_THE_WIN
    atomic { touch(); holds++; refs++ };
#endif
    winner = _pid;
    settle_locked(cancelled);
#ifdef DEFECT_HOLD_TAKEN_AFTER_THE_WIN
    atomic { touch(); holds++; refs++ };
#endif
    then = run_sequence
  fi
}

/* detail/registry.hpp: add_observer, add_late_observer */
inline on_done(h) {
  due[h] = 1;
  lock();
  if
#ifdef DEFECT_OBSERVER_LOST
  :: true ->
#else
  :: !settled ->
#endif
    ring ! h; unlock()
#ifndef DEFECT_OBSERVER_LOST
  :: else ->
    unlock();
    if
    :: offered -> ok = false
    :: else -> try_hold(true)
    fi;
    if
    :: !ok -> observe(h)
    :: else ->
      lock();
#ifdef DEFECT_BESIDE_AN_ENDED_SEQUENCE
      if
      :: true -> lasting ! h; unlock(); mark = true; then = end_hold
      fi
#else
      if
      :: offered || releasing -> unlock(); observe(h); then = end_hold
      :: else -> lasting ! h; unlock(); mark = true; then = end_hold
      fi
#endif
    fi
#endif
  fi
}

/* detail/cleanups.hpp: push */
inline on_cleanup(h) {
  due[h] = 1;
  lock();
  if
  :: !settled -> stack[depth] = h; depth++; unlock()
  :: else ->
    unlock();
#ifdef DEFECT_LATE_CLEANUP_WITHOUT_A_HOLD
    if
    :: holds == 0 -> atomic { ran[h]++ }
    :: else -> lock(); late_stack[late_depth] = h; late_depth++; late = true; unlock()
    fi
#else
    try_hold(true);
    if
    :: !ok -> atomic { touch(); assert(holds == 0 && running == 0 && pins == 0); ran[h]++ }  /* released: at once */
    :: else ->
      ok = releasing;
      lock();
      if
      :: ok -> late_stack[late_depth] = h; late_depth++
      :: else -> stack[depth] = h; depth++
      fi;
      unlock();
#ifdef DEFECT_NO_LATE_BIT
      then = end_hold
#else
      mark = true; then = end_hold
#endif
    fi
#endif
  fi
}

inline use_a_pin() {
  try_hold(false);
  if
  :: ok ->
    atomic { assert(!running); pins++ };
    atomic { assert(!running); pins-- };
    then = end_hold
  :: else
  fi
}

/* What a thread does, and what it owes after that: the rest of the sequence, a hold. */
proctype thread(byte h) {
  byte ch, cr, top, i; bool cg, cl, ok, mark, releases;
  mtype then = nothing;
  if
  :: h == PRODUCER -> produce(value)
  :: h == PRODUCER -> produce(abandoned)
  :: h != PRODUCER -> cancel()
  :: h != PRODUCER -> on_done(h)
  :: h != PRODUCER -> on_cleanup(h)
  :: h != PRODUCER -> use_a_pin()
  :: h != PRODUCER -> skip
  fi;
  if
  :: then == run_sequence -> sequence(); then = end_hold
  :: else
  fi;
  if
  :: then == end_hold -> leave()
  :: else
  fi;
  if
  :: h != PRODUCER -> drop_ref()
  :: else
  fi;
  finished++
}

init {
  byte n;
  atomic {
    refs = 1 + WORKERS; holds = 1;
    ring ! FIRST_OBSERVER; due[FIRST_OBSERVER] = 1;
    stack[0] = FIRST_CLEANUP; depth = 1; due[FIRST_CLEANUP] = 1;
    run thread(PRODUCER);
    do
    :: n < WORKERS -> run thread(n); n++
    :: else -> break
    od
  };
  finished == WORKERS + 1;
  atomic {
    assert(wins == 1);
    assert(destroyed && holds == 0 && refs == 0);
    n = 0;
    do
    :: n < HOOKS -> assert(ran[n] == due[n]); n++
    :: else -> break
    od
  }
}

#ifdef LIVENESS
ltl ends { [] (settled -> <> (holds == 0)) }
#endif
