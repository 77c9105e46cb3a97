// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_WEAVE_OPTIONS_HPP
#define SETTLE_TESTING_WEAVE_OPTIONS_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace settle::inline v0::testing::weave {

/// How interleavings are chosen.
struct method {
  /// Which search.
  enum kind_t : std::uint8_t {
    reduced_search,  ///< depth first, one of each set of interleavings that differ only in the order of independent steps
    sleep_search,    ///< depth first, every order, those that sleep sets recognise left out
    full_search,     ///< depth first, every order
    random_search,   ///< uniformly random steps
    pct_search,      ///< random priorities
    replay_search,   ///< one execution, again
  };
  kind_t kind = reduced_search;  ///< which search
  std::uint64_t count = 0;       ///< how many executions, when random
  std::uint64_t seed = 1;        ///< of the chance
  unsigned depth = 0;            ///< of the bug looked for, with pct
  std::string schedule{};        ///< what to repeat, with replay
};

/// Source-set dynamic partial-order reduction with sleep sets, down to which store each load reads. The default.
inline method reduced() { return {}; }
/// Every order, those that sleep sets recognise left out.
inline method sleep_sets() { return {method::sleep_search}; }
/// Every order.
inline method full() { return {method::full_search}; }
/// `count` executions of uniformly random steps.
inline method random(std::uint64_t count, std::uint64_t seed = 1) { return {method::random_search, count, seed}; }
/// Random priorities with `depth - 1` changes (Burckhardt et al., ASPLOS 2010): finds a bug of that depth in a program of n threads
/// and k steps with probability 1/(n k^(depth-1)) each time.
inline method pct(unsigned depth, std::uint64_t count, std::uint64_t seed = 1) { return {method::pct_search, count, seed, depth}; }
/// One execution, as a report printed it.
inline method replay(std::string schedule) { return {method::replay_search, 1, 1, 0, std::move(schedule)}; }

/// What explore() looks at, and how far.
struct options {
  method search{};                        ///< how interleavings are chosen
  std::optional<unsigned> preemptions{};  ///< only schedules that take a thread off while it could go on at most this often; implies full()
  std::optional<unsigned> old_values{};   ///< only executions that read an overwritten value at most this often; implies full()
  bool weak_memory = true;                ///< loads may read values that were overwritten, where the memory model allows it
  bool stale_failures = true;             ///< so may compare-and-swaps that fail (Relacy and loom let those read the newest only)
  bool pure_retries =
      true;  ///< loops carry nothing over from a compare-and-swap that failed and is tried again at once with the value it saw
  bool spurious_failures = false;    ///< weak compare-and-swaps may fail where they need not
  bool leaks = true;                 ///< memory of the world that nobody gave back is an error
  bool minimise = true;              ///< looks for a failing schedule with fewer preemptions
  std::size_t max_steps = 10'000;    ///< of one execution: more are a livelock
  std::uint64_t max_executions = 0;  ///< 0: no limit
};

}  // namespace settle::inline v0::testing::weave

#endif
