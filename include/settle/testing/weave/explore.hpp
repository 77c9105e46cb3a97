// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_WEAVE_EXPLORE_HPP
#define SETTLE_TESTING_WEAVE_EXPLORE_HPP

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crash_report.hpp"
#include "options.hpp"
#include "sanitizers.hpp"
#include "schedule.hpp"
#include "world.hpp"

namespace settle::inline v0::testing::weave {

/// What an exploration found, and how far it looked.
struct report {
  std::uint64_t executions = 0;           ///< that differ
  std::uint64_t redundant = 0;            ///< that turned out to be like another one
  bool exhausted = false;                 ///< nothing is left to try (within the bound)
  bool clean = true;                      ///< nothing failed
  std::optional<unsigned> preemptions{};  ///< the bound
  std::string failure{};                  ///< what failed; empty when nothing did
  std::string schedule{};                 ///< of the execution that failed, for replay()
  std::string trace{};                    ///< what it did, step by step

  /// For people: what failed and how to see it again, or what was looked at.
  std::string text() const {
    std::string s = clean ? "clean" : failure + "\n" + trace + "replay(\"" + schedule + "\")";
    s += "\n" + std::to_string(executions) + " executions, " + std::to_string(redundant) + " redundant, " +
         (exhausted ? "exhausted"
          : clean   ? "cut off"
                    : "stopped");
    if (preemptions) s += " within " + std::to_string(*preemptions) + " preemptions";
    return s;
  }
};

/// What explore() does.
class explorer {
 public:
  /// Runs the test until it fails, or nothing is left to try.
  template <class Test>
  static report run(Test& test, options const& o) {
    report r = search(test, o);
    if (r.clean) return r;
    if (o.minimise && o.search.kind <= method::full_search && !o.preemptions) minimise(test, o, r);
    show(test, o, r);
    return r;
  }

 private:
  template <class Test>
  static report search(Test& test, options const& o) {
    leaks_expected const failing;
    auto w = std::make_unique<world>(o);
    crash_report const dying(*w);
    report r;
    r.preemptions = o.preemptions;
    bool more = true;
    while (more && r.clean && (o.max_executions == 0 || r.executions + r.redundant < o.max_executions)) {
      w->execute(test);
      (w->redundant() ? r.redundant : r.executions) += 1;
      r.clean = w->failure().empty();
      more = next(*w, o, r);
    }
    if (!r.clean) {
      r.failure = w->failure();
      r.schedule = to_text(w->taken(), w->orders_additions());
    }
    r.exhausted = r.clean && !more && !w->cut() && o.search.kind <= method::full_search;
    if (!r.clean) bury(std::move(w));
    return r;
  }
  static bool next(world& w, options const& o, report const& r) {
    if (o.search.kind > method::full_search) return r.executions < o.search.count;
    return w.advance();
  }

  /// The same failure is easier to read with fewer preemptions.
  template <class Test>
  static void minimise(Test& test, options o, report& found) {
    o.search = full();
    o.max_executions = 20'000;
    for (unsigned n = 0; n != 4; ++n) {
      o.preemptions = n;
      report const r = search(test, o);
      if (r.clean) continue;
      found.failure = r.failure;
      found.schedule = r.schedule;
      return;
    }
  }
  template <class Test>
  static void show(Test& test, options o, report& found) {
    leaks_expected const failing;
    o.search = replay(found.schedule);
    o.preemptions.reset();
    auto w = std::make_unique<world>(o);
    w->trace.on = true;
    w->trace.begin();
    w->execute(test);
    found.trace = w->trace.text();
    if (w->failure() != found.failure) found.trace += "(repeated, it ended differently: " + w->failure() + ")\n";
    bury(std::move(w));
  }
  /// What a failing execution left cannot be ended properly, so it is not ended at all.
  static void bury(std::unique_ptr<world> w) {
    static auto* const graves = new std::vector<std::unique_ptr<world>>;
    graves->push_back(std::move(w));
  }
};

/// Runs `test(world&)` in every interleaving of its threads' steps (or those that the options name), with every value that the
/// memory model lets a load read, until one fails.
///
/// The test must do the same for the same schedule, and share only what is made of weave::sync. Blocks; runs everything on the
/// calling thread. A failing execution is abandoned where it stands: nothing of it is destroyed.
///
/// ```cpp
/// auto r = weave::explore([](weave::world& w) {
///   auto n = std::make_shared<weave::atomic<int>>(0);
///   w.thread("a", [=] { n->store(n->load() + 1); });
///   w.thread("b", [=] { n->store(n->load() + 1); });
///   w.finally([=, &w] { w.expect(n->load() == 2, "both were counted"); });
/// });
/// EXPECT_TRUE(r.clean) << r.text();   // it is not: an update is lost
/// ```
template <class Test>
report explore(Test test, options const& o = {}) {
  return explorer::run(test, o);
}

}  // namespace settle::inline v0::testing::weave

#endif
