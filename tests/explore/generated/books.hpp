// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_EXPLORE_GENERATED_BOOKS_HPP
#define SETTLE_TESTS_EXPLORE_GENERATED_BOOKS_HPP

#include <settle/settle.hpp>
#include <settle/testing/weave.hpp>

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <type_traits>
#include <utility>

// What a scenario writes down about the contract while it runs, and looks at when it has ended. What must be ordered by the
// contract is written to plain objects: where nothing orders it, the explorer reports a data race, in whatever order it came.
namespace explore {

namespace weave = settle::testing::weave;
using C = weave::cas_terminal;
using operation = settle::basic_operation<C>;

/// A value with a destructor that counts.
struct token {
  static inline int alive = 0;
  int number = 0;

  explicit token(int n) noexcept : number(n) { ++alive; }
  token(token&& o) noexcept : number(std::exchange(o.number, 0)) { ++alive; }
  token& operator=(token&& o) noexcept {
    number = std::exchange(o.number, 0);
    return *this;
  }
  ~token() { --alive; }
};
inline int number_of(int n) { return n; }
inline int number_of(token const& t) { return t.number; }

/// A hook, from registered to run or withdrawn.
struct hook_book {
  bool registered = false;
  bool withdrawn = false;
  int runs = 0;
};

struct books {
  static constexpr std::size_t most = 8;

  weave::world* w = nullptr;
  std::array<hook_book, most> done;
  std::array<hook_book, most> cancel;
  std::array<hook_book, most> cleanup;
  std::array<weave::plain<int>, most> payload;       // written by a producer right before it completes
  std::array<weave::plain<bool>, most> pinned;       // held by a pin of that thread
  std::array<weave::plain<bool>, most> producing;    // a producer that is not through
  weave::plain<int> cleaning = 0;                    // cleanups, one at a time
  weave::plain<bool> child_cleaned = false;          // the subject's first cleanup has run
  std::array<operation const*, most> registering{};  // a cleanup, just now
  std::array<unsigned, most> registered_by{};
  bool subject_has_cleanup = false;
  bool parent_cleaned = false;
  int wins = 0;
  std::optional<settle::ending::kind_t> won_with;
  std::optional<settle::ending::kind_t> seen;
  std::optional<settle::cause> won_for;   // why it was cancelled, by whoever won with that
  std::optional<settle::cause> told_why;  // and what an observer heard

  void expect(bool holds, char const* what) const { w->expect(holds, what); }

  void win(bool won, settle::ending::kind_t how) {
    if (!won) return;
    expect(++wins == 1, "G1: two winners");
    expect(!won_with, "G1: two outcomes");
    won_with = how;
  }
  /// An observer of any kind was told how it ended.
  void told(settle::ending::kind_t how, int number) {
    expect(!seen || *seen == how, "G1: two observers saw different endings");
    seen = how;
    if (how == settle::ending::value)
      expect(payload[static_cast<std::size_t>(number)] == number, "G2: the value is not whole");  // and written before
  }
  /// A cleanup of the subject runs.
  void clean(std::size_t i) {
    expect(++cleanup[i].runs == 1, "G5: a cleanup ran twice");
    bool const at_once = registering[i] != nullptr && registered_by[i] == weave::sync::this_thread_id() && registering[i]->is_released();
    if (at_once) return;  // it came too late: nothing orders it
    cleaning = cleaning + 1;
    for (auto const& p : pinned) expect(!p, "G7: a cleanup ran under a pin");
    for (auto const& p : producing) expect(!p, "G7: a cleanup ran under a live producer");
  }
  void clean_parent() {
    expect(!std::exchange(parent_cleaned, true), "G5: a cleanup ran twice");
    expect(!subject_has_cleanup || child_cleaned, "G4: the parent's cleanup ran before the child was released");
  }

  void close() const {
    for (auto const& h : done) check(h);
    for (auto const& h : cleanup) expect(h.runs == (h.registered ? 1 : 0), "G5: a cleanup did not run exactly once");
    for (auto const& h : cancel) {
      expect(h.runs <= 1, "G8: a cancel observer ran twice");
      expect(h.runs == 0 || h.registered, "a hook ran that was never registered");
      if (seen == settle::ending::cancelled && h.registered && !h.withdrawn) expect(h.runs == 1, "G8: a cancel observer was not told");
    }
    if (won_for && told_why) expect(*won_for == *told_why, "G1: a loser's cause replaced the winner's");
    expect(!seen || !won_with || *seen == *won_with, "G1: what was seen is not what won");
  }

 private:
  void check(hook_book const& h) const {
    if (h.withdrawn) expect(h.runs == 0, "G17: a withdrawn hook ran");
    else expect(h.runs == (h.registered ? 1 : 0), "G6: an observer did not run exactly once");
  }
};

/// The contract's automaton for each operation: created, settled, released, destroyed, each once, in this order.
struct automaton {
  static inline std::map<void const*, settle::monitor_event::what_t>* live = nullptr;
  static inline weave::world* w = nullptr;

  static void on_event(settle::monitor_event const& e) noexcept {
    using enum settle::monitor_event::what_t;
    if (live == nullptr) return;
    auto& now = *live;
    if (e.what == created) {
      w->expect(now.emplace(e.id, created).second, "an operation was created twice");
    } else if (e.what == settled) {
      w->expect(now.contains(e.id) && std::exchange(now[e.id], settled) == created, "G1: settled twice, or too late");
    } else if (e.what == released) {
      w->expect(now.contains(e.id) && std::exchange(now[e.id], released) == settled, "released twice, or before it was settled");
    } else if (e.what == destroyed) {
      w->expect(now.contains(e.id) && now[e.id] == released, "destroyed before it was released, or twice");
      now.erase(e.id);
    }
  }
};

template <class V, bool Monitored>
struct policy : settle::plain<V, settle::error, settle::inline_executor, C> {
  using monitor = std::conditional_t<Monitored, automaton, settle::no_monitor>;
};

}  // namespace explore

#endif
