// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_SUPERVISE_HPP
#define SETTLE_SUPERVISE_HPP

#include <memory>
#include <source_location>
#include <string>
#include <utility>

#include "scope.hpp"
#include "scope/supervising.hpp"
#include "time_span.hpp"

namespace settle::inline v0 {

/// A scope whose children are started again when they fail, as Erlang's supervisors do (Erlang/OTP, "Supervisor Behaviour",
/// Design Principles: restart strategies, maximum restart intensity; the words are theirs).
///
/// Children are started in the order in which they were added, and are transient: one that fails, or is abandoned, is started
/// again; one that yields a value, or is cancelled, has ended. `restart` says who else is: those are asked to cancel (cause
/// shutdown), the last added first, each released before the next is asked, and all are started again in the order of adding
/// (the ones among them that had ended too). More than `intensity` restarts within `period`: all the others are stopped in the
/// same way, and the supervisor fails with the last failure. Asked to cancel, it asks all its children at once.
///
/// Its operation (`op()`) is a child of `parent`, and everything runs on that one's executor, whose timers' clock counts.
/// Threads: any, but for the destructor; destroyed while children run it is as a scope is. Allocates as it goes.
///
/// ```cpp
/// settle::supervisor services(op, settle::restart::one_for_one, 3, 5s);
/// services.add("feed", [] { return work(); });
/// services.join().on_done([] { show(); });
/// ```
template <class C>
class basic_supervisor {
 public:
  /// Nothing runs yet. Throws std::bad_alloc.
  basic_supervisor(basic_operation<C> parent, restart how, unsigned intensity, time_span period,
                   std::source_location at = std::source_location::current())
      : core_(std::make_shared<detail::supervising<C>>(std::move(parent), how, intensity, period, at)) {
    detail::supervising<C>::start(core_);
  }
  basic_supervisor(basic_supervisor&&) = delete;
  ~basic_supervisor() { core_->scope().abandon(); }

  /// One more child: `f()` is each of its lives, as scope::spawn would run it; it is kept, and called as often as it has to be.
  /// `child_name` tells the name to each life and what is below it, and to people (survivors of a shutdown).
  /// After the supervisor has ended it is not called. Throws std::bad_alloc, and what moving f throws.
  template <class F>
  void add(std::string name, F f) {
    auto life = [shared = std::make_shared<F>(std::move(f))](detail::supervising<C>& s, detail::supervised<C>& c) {
      s.watch(c, s.scope().spawn([shared] { return (*shared)(); }));
    };
    core_->add(std::make_unique<detail::supervised<C>>(detail::supervised<C>{std::move(name), std::move(life)}));
  }

  /// What it is to others.
  [[nodiscard]] basic_operation<C> op() const noexcept { return core_->scope().op(); }

  /// It ends when no child runs any more. What it returns settles when everything is released: with a value, the failure that
  /// was one too many, or cancelled. Shielded, as scope::join. Throws std::bad_alloc.
  handle_of<void, error, C> join(std::source_location at = std::source_location::current()) {
    auto h = core_->scope().join(at);
    core_->end_when_idle();
    return h;
  }

 private:
  std::shared_ptr<detail::supervising<C>> core_;
};

using supervisor = basic_supervisor<cas_terminal>;

}  // namespace settle::inline v0

#endif
