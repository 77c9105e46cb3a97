// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_MODEL_SEQUENTIAL_PARTS_HPP
#define SETTLE_TESTS_MODEL_SEQUENTIAL_PARTS_HPP

#include <cstddef>
#include <vector>

#include "../acts.hpp"

// What there is in the model of the core.
namespace model {

using ids = std::vector<std::size_t>;
inline constexpr std::size_t nobody = static_cast<std::size_t>(-1);

/// How lists of hooks name what a combinator waits for: input k of the result r.
inline constexpr std::size_t first_feed = 2'560'200;  // no hook has this number, and its last byte is none that one has
inline constexpr std::size_t feed_of(std::size_t r, std::size_t k) noexcept { return first_feed + 2 * r + k; }

/// How the structural part's queue names an operation whose last hold went back.
inline constexpr std::size_t first_release = std::size_t{1} << 30;
inline constexpr std::size_t release_of(std::size_t i) noexcept { return first_release + i; }

struct hook {
  event::kind what;
  std::size_t on;
  bool over = false;       // it ran, or never will
  bool withdrawn = false;  // before it ran
  bool forced = false;     // bound: where it lives was cancelled by force before the outcome came
  bool ended = false;      // bound: and that has come to it
  bool told = false;       // bound: that it ends
  bool nests = false;      // user code that does something itself
  bool nested = false;     // it has
  step then{};
  bool mute = false;  // it came when it could not run any more
  bool fed = false;   // bound: the outcome is on its way, or nobody wants it any more
};
struct link {
  std::size_t parent;
  std::size_t child;  // from `places` on: what carries a bound hook's outcome, which is a child as well
  friend bool operator==(link const&, link const&) = default;
};
struct work {
  enum kind : unsigned char { sequence, alone, release, dispose, bound_call, bound_drop, bound_end, make, turn } what;
  std::size_t on;
  bool holds = false;
  std::size_t hook = 0;
};

/// What a combinator has posted to where its result's user code runs.
enum class turn : unsigned char {
  call_absent,
  stop_timer,
  after_first,
  after_second,
  give_back,
  given_back,
  finish,
  try_again,
  begin_more
};

struct operation {
  bool producer = true;  // the resolver is alive
  bool handle = true;    // the owner's end is ours yet
  bool watcher = false;
  bool owned = true;     // somebody may take the value
  bool watched = false;  // ever
  bool taker = false;    // a function waits for a lost value
  bool taker_given = false;

  bool settled = false;
  bool requested = false;
  bool forced = false;
  ending how = ending::none;
  settle::cause why = settle::cause::requested;
  bool value_there = false;
  bool looked_at = false;

  unsigned holds = 1;  // the producer's, the sequence's, pins, children, what waits for the executor
  unsigned pins = 0;
  bool over = false;  // the sequence: who comes now is told alone
  bool disposal = false;
  bool releasing = false;
  bool released = false;
  bool below = false;          // it ever had something to lead a cancellation to
  bool tells_release = false;  // somebody ever waited for the release

  std::size_t newest = nobody;  // hook

  bool exists = true;       // results: somebody made it
  bool has_inputs = false;  // a combinator ever waited for it
  bool lent = false;        // combinators watch it
  bool anywhere = false;    // its user code runs at once, although others' is queued
  bool closes = false;      // a result: what its combinator keeps goes when it is released
  ids feeds;                // what waits for it: see feed_of

  ids observers;  // done, bound and the consumer, in registration order
  ids late;       // the same, registered beside the sequence
  ids cancels;
  ids cleanups;
  ids releaseds;
  ids kept;     // registrations
  ids parents;  // those looked at first come first

  void write(std::vector<unsigned char>& k) const {
    for (bool const b : {producer,  handle,        watcher,     owned,      watched, taker,    taker_given, settled,
                         requested, forced,        value_there, looked_at,  over,    disposal, releasing,   released,
                         below,     tells_release, exists,      has_inputs, closes,  lent,     anywhere})
      k.push_back(b ? 1 : 0);
    k.insert(k.end(), {static_cast<unsigned char>(how), static_cast<unsigned char>(why), static_cast<unsigned char>(holds),
                       static_cast<unsigned char>(pins)});
    for (ids const* list : {&observers, &late, &cancels, &cleanups, &releaseds, &kept, &parents, &feeds}) {
      k.push_back(static_cast<unsigned char>(list->size()));
      for (std::size_t const id : *list) k.push_back(static_cast<unsigned char>(id));
    }
  }
};

/// What a combinator knows besides being an operation: that of the one with the same number.
struct group {
  act how = act::all;
  ids inputs;
  std::size_t missing = 0;
  std::size_t to_come = 0;  // values on their way to their slots, and the decision
  std::size_t decided = nobody;
  bool wired = false;
  std::size_t kept = nobody;  // the input that has settled it: not released before its observers have run
  bool holds[2] = {};         // an input keeps the result by a hold of its own
  bool adopted[2] = {};       // or watched
  bool absent[2] = {};        // watched, and taken back because the result was asked to cancel
  bool listens = false;       // for that

  bool runs = false;       // a timer was started
  bool delivered = false;  // within: settled by its input, of which user code is to come yet
  bool pausing = false;    // retry: between two attempts

  bool stored = false;            // the second handle is in a function yet, and goes with it
  std::size_t parts[2] = {};      // of an input that is followed by something: its release, its outcome
  bool again = false;             // retry: the next attempt follows
  ending outcome = ending::none;  // bracket: what it will end with
  settle::cause why = settle::cause::requested;

  std::size_t begun = 0;  // hedge, map_concurrent: inputs
  std::size_t active = 0;
  std::size_t wanted = 0;  // hedge: turns asked for
  std::size_t more = 0;    // hedge: inputs to begin
  bool ended = false;      // hedge: its timer
  bool stopped = false;

  void write(std::vector<unsigned char>& k) const {
    if (inputs.empty()) return k.push_back(0);
    for (std::size_t const n : {inputs.size(), static_cast<std::size_t>(how), missing, to_come, decided, kept, parts[0], parts[1],
                                static_cast<std::size_t>(outcome), static_cast<std::size_t>(why), begun, active, wanted, more})
      k.push_back(static_cast<unsigned char>(n));
    for (bool const b : {listens, runs, delivered, pausing, stored, again, ended, stopped}) k.push_back(b ? 1 : 0);
    for (auto const* each : {holds, adopted, absent}) k.insert(k.end(), each, each + 2);
  }
};

}  // namespace model

#endif
