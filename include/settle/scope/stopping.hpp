// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_SCOPE_STOPPING_HPP
#define SETTLE_SCOPE_STOPPING_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

#include "../combine/within.hpp"
#include "../coroutine.hpp"
#include "../detail/timers.hpp"
#include "../scope.hpp"
#include "bell.hpp"
#include "survey.hpp"

namespace settle::inline v0 {

/// A part of a program, as shutdown_plan stops it. What is left out is skipped.
template <class C>
struct basic_subsystem {
  std::function<void()> stop_accepting = {};              ///< takes no new work from now on
  std::function<handle_of<void, error, C>()> drain = {};  ///< polite: settles when what was begun has ended
  basic_operation<C> root = {};                           ///< what everything of it hangs under: asked to cancel, then cancelled
};
using subsystem = basic_subsystem<cas_terminal>;

/// What a shutdown came to.
struct shutdown_report {
  std::vector<survivor> survivors;         ///< operations that were not released when the time was over, outermost first
  std::vector<std::exception_ptr> thrown;  ///< by the functions of subsystems; the next phase began
  std::chrono::nanoseconds took{};         ///< from run() to the end

  /// Nothing was left, and nothing was thrown.
  [[nodiscard]] bool clean() const noexcept { return survivors.empty() && thrown.empty(); }
};

namespace detail {

/// The parts, and the coroutine that stops them one after the other.
template <class C>
class stopping : public std::enable_shared_from_this<stopping<C>> {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  using promise = plain<shutdown_report, error, home_of<C>, C>;

  template <class Ex>
  stopping(Ex ex, std::source_location at)
      : control_(ex, on_failure::keep_going, at), root_(std::move(ex), on_failure::keep_going, at), result_(control_.home(), at) {
    report_ = result_.get_handle().share();
  }
  stopping(stopping&&) = delete;
  ~stopping() { result_.cancel(); }

  basic_operation<C> root() const noexcept { return root_.op(); }
  watcher_of<shutdown_report, error, C> report() const noexcept { return report_; }

  void add(std::string name, basic_subsystem<C> s) { parts_.push_back({std::move(name), std::move(s)}); }

  /// Throws std::bad_alloc, nothing being begun. The coroutine keeps `self` alive.
  static void run(std::shared_ptr<stopping> const& self, std::chrono::nanoseconds budget) {
    if (self->begun_.exchange(true, std::memory_order_acq_rel)) return;
    auto stop = [self, budget] { return self->stop_all(budget); };
    auto ended = [self](outcome<void, error> const& o) {
      if (o.has_error()) self->result_.fail(o.error());
      else if (o.is_cancelled()) self->result_.settle(outcome<shutdown_report, error>(o.cancel()));  // its executor is gone, or the plan
    };
    with_undo([&] { self->control_.spawn(std::move(stop)).on_done(std::move(ended)); },
              [&] { self->begun_.store(false, std::memory_order_release); });
    self->control_.core_.let_go();  // it ends with the coroutine, while the executor still runs
  }
  void escalate() noexcept {
    level_.fetch_add(1, std::memory_order_acq_rel);
    bell_.ring();
  }
  void abandon() noexcept { control_.abandon(); }

 private:
  struct part {
    std::string name;
    basic_subsystem<C> what;
    basic_operation<C> polite{};  // what its drain began
  };
  /// How far somebody has pushed: each phase is left when it is over this.
  enum phase : std::uint32_t { draining, cancelling, forcing };

  time_point now() noexcept { return time_at_home(static_cast<state_base<C>&>(control_.core_.op())); }
  static time_point halfway(time_point a, time_point b) noexcept { return a < b ? a + (b - a) / 2 : a; }

  handle_of<void, error, C> stop_all(std::chrono::nanoseconds budget) {
    time_point const start = now();
    time_point const end = later(start, budget);
    for (std::size_t left = parts_.size(); left != 0; --left) {
      time_point const t = now();
      auto stopped = stop(parts_[left - 1], t < end ? t + (end - t) / static_cast<int>(left + 1) : end);
      co_await std::move(stopped);
    }
    part rest{"root", {}};
    rest.what.root = root_.op();
    auto stopped = stop(rest, end);
    co_await std::move(stopped);
    shutdown_report r;
    survey_of<C> all;
    for (part const& p : parts_) {
      survey(all, p.what.root, p.name, r.survivors);
      survey(all, p.polite, p.name, r.survivors);
    }
    survey(all, rest.what.root, rest.name, r.survivors);  // what is no subsystem's
    r.thrown = std::move(thrown_);
    r.took = now() - start;
    result_.complete(std::move(r));
  }

  /// One of them, phase by phase. What is not used of its time is the others'.
  handle_of<void, error, C> stop(part& p, time_point end) {
    basic_subsystem<C> const& s = p.what;
    if (s.stop_accepting) guarded(s.stop_accepting, [this](std::exception_ptr x) { note(std::move(x)); });
    if (s.drain && level() == draining) {
      begin_to_drain(p);
      auto drained = wait(draining, p.polite, halfway(now(), end));
      co_await std::move(drained);
      p.polite.request_cancel(cause::shutdown);
    }
    if (level() <= cancelling) {
      s.root.request_cancel(cause::shutdown);
      auto ended = wait(cancelling, s.root, halfway(now(), end));
      co_await std::move(ended);
    }
    s.root.cancel(cause::shutdown);
    auto gone = wait(forcing, s.root, end);
    co_await std::move(gone);
  }
  /// Its operation is nobody's child who would have to wait for it.
  void begin_to_drain(part& p) noexcept {
    guarded(
        [&] {
          handle_of<void, error, C> h = p.what.drain();
          p.polite = h;
          control_.op().adopt(std::move(h));
        },
        [&](std::exception_ptr x) { note(std::move(x)); });
    if (p.polite) state_access::get(p.polite)->seen.store(true, std::memory_order_relaxed);
  }
  std::uint32_t level() const noexcept { return level_.load(std::memory_order_acquire); }
  void note(std::exception_ptr p) noexcept {
    guarded([&] { thrown_.push_back(std::move(p)); }, [](std::exception_ptr const&) {});
  }

  /// Until it is released, the time is over, or somebody says: next phase now. (An operation that came first would be taken
  /// for this coroutine's parent.)
  handle_of<void, error, C> wait(phase in, basic_operation<C> const& op, time_point until) {
    auto heard = op.on_released([self = this->shared_from_this()] { self->bell_.ring(); });
    for (time_point t = now(); !op.is_released() && level() <= in && t < until; t = now()) {
      auto rung = within(bell_.wait(control_.home()), until - t);
      co_await std::move(rung).as_outcome();
    }
    heard.withdraw();
  }

  basic_scope<C> control_;
  basic_scope<C> root_;
  resolver<promise> result_;
  watcher_of<shutdown_report, error, C> report_;
  std::vector<part> parts_;
  std::vector<std::exception_ptr> thrown_;
  bell<C, home_of<C>> bell_;
  typename C::sync::template atomic<std::uint32_t> level_{draining};
  typename C::sync::template atomic<bool> begun_{false};
};

}  // namespace detail
}  // namespace settle::inline v0

#endif
