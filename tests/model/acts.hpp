// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_MODEL_ACTS_HPP
#define SETTLE_TESTS_MODEL_ACTS_HPP

#include <settle/cause.hpp>

#include <cstddef>
#include <string>
#include <vector>

// What can be done to three operations and to what combinators make of them, as bytes: the same string goes to the library and to the
// model.
namespace model {

enum class act : unsigned char {
  complete,
  fail,
  acknowledge,
  request_cancel,
  cancel,
  on_done,
  watched_done,
  on_cancel,
  on_cleanup,
  on_released,
  withdraw,
  forget,
  pin,
  unpin,
  adopt_next,
  adopt_previous,
  drop_handle,
  detach,
  drop_resolver,
  watch,
  drop_watcher,
  bind_to_next,
  on_lost,
  take,
  run,
  nest,  // the next byte is done by the hook registered last, when it runs
  all,   // of this one and the next
  race,
  any,
  then,
  or_else,
  finally,
  all_settled,  // from here on bytes that were none before
  lend,         // combinators watch it from now on, instead of adopting it
  within,
  via,             // to where user code runs at once
  bracket,         // this one yields the resource, the next one uses it
  retry,           // this one is the first attempt, the next one the second
  hedge,           // likewise
  map_concurrent,  // the same, one at a time
  time             // passes: what is queued runs, then timers fire
};
inline constexpr char const* act_names[] = {"complete",
                                            "fail",
                                            "acknowledge",
                                            "request_cancel",
                                            "cancel",
                                            "on_done",
                                            "watched on_done",
                                            "on_cancel",
                                            "on_cleanup",
                                            "on_released",
                                            "withdraw",
                                            "forget",
                                            "pin",
                                            "unpin",
                                            "adopt next",
                                            "adopt previous",
                                            "drop the handle",
                                            "detach",
                                            "drop the resolver",
                                            "watch",
                                            "drop the watcher",
                                            "bind to next",
                                            "on_lost",
                                            "take",
                                            "run",
                                            "nest",
                                            "all with next",
                                            "race with next",
                                            "any with next",
                                            "then",
                                            "or_else",
                                            "finally",
                                            "all_settled with next",
                                            "lend",
                                            "within",
                                            "via",
                                            "bracket with next",
                                            "retry with next",
                                            "hedge with next",
                                            "map_concurrent with next",
                                            "time"};
inline constexpr std::size_t acts = std::size(act_names);
inline constexpr std::size_t operations = 3;
inline constexpr std::size_t places = 2 * operations;  // each operation, and what a combinator makes of it (and the next)
inline constexpr std::size_t codes = acts * places;
static_assert(codes <= 256, "an act is one byte");
inline constexpr int rounds_at_the_end = 4;  // ends are let go: what that runs may have made others

/// It makes a result, of the one that is named or of that and the next.
constexpr bool takes_two(act a) noexcept {
  switch (a) {
    case act::all:
    case act::race:
    case act::any:
    case act::all_settled:
    case act::bracket:
    case act::retry:
    case act::hedge:
    case act::map_concurrent:
      return true;
    default:
      return false;
  }
}
constexpr bool takes_one(act a) noexcept {
  return a == act::then || a == act::or_else || a == act::finally || a == act::within || a == act::via;
}
/// What it is made of are functions that yield handles: there is nothing to watch.
constexpr bool is_made_by_functions(act a) noexcept {
  return a == act::bracket || a == act::retry || a == act::hedge || a == act::map_concurrent;
}

using bytes = std::vector<unsigned char>;

struct step {
  act what;
  std::size_t on;

  static step of(unsigned char byte) noexcept {
    std::size_t const code = byte % codes;
    return {static_cast<act>(code / places), code % places};
  }
  unsigned char byte() const noexcept { return static_cast<unsigned char>(static_cast<std::size_t>(what) * places + on); }
};

/// For people, and for a test to be written from.
inline std::string text(bytes const& all) {
  std::string t;
  for (unsigned char const b : all) {
    step const s = step::of(b);
    t += std::string(t.empty() ? "" : ", ") + act_names[static_cast<std::size_t>(s.what)] + " " + std::to_string(s.on);
  }
  t += "; as bytes:";
  for (unsigned char const b : all) t += " " + std::to_string(b % codes);
  return t;
}

enum class ending : unsigned char { none, value, failure, cancelled };

/// Something a user's function saw.
struct event {
  enum kind : unsigned char { done, cancel, consumer, cleanup, released, lost, bound, called };
  kind what;
  unsigned char hook;  // counted from 0 in each run
  ending how = ending::none;
  settle::cause why = settle::cause::requested;  // when cancelled

  friend bool operator==(event const&, event const&) = default;
};
using events = std::vector<event>;

inline std::string text(events const& all) {
  constexpr char const* kinds[] = {"done", "cancel", "consumer", "cleanup", "released", "lost", "bound", "called"};
  constexpr char const* ends[] = {"", " value", " failure", " cancelled "};
  std::string t;
  for (event const& e : all) {
    t += std::string(t.empty() ? "" : ", ") + kinds[e.what] + std::to_string(e.hook) + ends[static_cast<std::size_t>(e.how)];
    if (e.how == ending::cancelled) t += settle::to_string(e.why);
  }
  return t.empty() ? "nothing" : t;
}

/// What of an operation can be seen from outside.
struct sight {
  bool settled = false;
  bool released = false;
  bool requested = false;
  events seen;

  friend bool operator==(sight const&, sight const&) = default;
};

/// What can be seen of all of them after a step.
struct picture {
  int result = -1;  // of the call: 0, 1, or -1 for none
  int abandoned = 0;
  int misuse = 0;
  int unseen_failures = 0;  // known when everything is gone
  sight of[places];

  friend bool operator==(picture const&, picture const&) = default;
};

inline std::string text(picture const& p) {
  std::string t = "result " + std::to_string(p.result) + ", reports: abandoned " + std::to_string(p.abandoned) + ", misuse " +
                  std::to_string(p.misuse) + ", unseen " + std::to_string(p.unseen_failures);
  for (std::size_t i = 0; i != places; ++i) {
    sight const& s = p.of[i];
    t += "\n  " + std::to_string(i) + (s.settled ? " settled" : " pending") + (s.released ? " released" : "") +
         (s.requested ? " requested" : "") + ": " + text(s.seen);
  }
  return t;
}

}  // namespace model

#endif
