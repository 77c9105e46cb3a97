// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_SCOPE_SUPERVISING_HPP
#define SETTLE_SCOPE_SUPERVISING_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

#include "../child_name.hpp"
#include "../coroutine.hpp"
#include "../detail/timers.hpp"
#include "../scope.hpp"
#include "bell.hpp"

namespace settle::inline v0 {

/// Which children a supervisor starts again when one of them has failed.
enum class restart : std::uint8_t {
  one_for_one,   ///< that one
  one_for_all,   ///< all of them: the others are stopped first, the last started first
  rest_for_one,  ///< that one and those that were added after it, which are stopped first
};

namespace detail {

template <class C>
class supervising;

/// What a supervisor looks after: a function that is called again for each life.
template <class C>
struct supervised {
  std::string name;
  std::function<void(supervising<C>&, supervised&)> begin;
  bool runs = false;
  std::uint64_t life = 0;
  basic_operation<C> op{};
};

/// The children, and the one coroutine that starts, stops and restarts them. What happens to them comes to it as events.
template <class C>
class supervising : public std::enable_shared_from_this<supervising<C>> {
 public:
  using child = supervised<C>;
  using time_point = std::chrono::steady_clock::time_point;

  supervising(basic_operation<C> parent, restart how, unsigned intensity, std::chrono::nanoseconds period, std::source_location at)
      : scope_(std::move(parent), on_failure::keep_going, at), how_(how), intensity_(intensity), period_(period) {}
  supervising(supervising&&) = delete;
  ~supervising() {
    for (event* e = posted_.exchange(nullptr, std::memory_order_acquire); e != nullptr;) delete std::exchange(e, e->next);
  }

  basic_scope<C>& scope() noexcept { return scope_; }

  /// Throws std::bad_alloc; the coroutine is a child of the scope, and keeps `self` alive.
  static void start(std::shared_ptr<supervising> const& self) {
    auto loop = [self] { return self->look_after(); };
    auto fails = [self](outcome<void, error> const& o) {
      if (o.has_error()) self->scope_.core_.fail(o.error());
    };
    self->scope_.spawn(std::move(loop)).on_done(std::move(fails));
  }
  /// Any thread.
  void add(std::unique_ptr<child> c) {
    auto e = std::make_unique<event>();
    e->fresh = std::move(c);
    push(std::move(e));
  }
  void end_when_idle() noexcept {
    ends_.store(true, std::memory_order_release);
    bell_.ring();
  }

  /// A new life of `c`, of which `w` is the operation. On the coroutine.
  template <class W>
  void watch(child& c, W const& w) {
    auto e = std::make_unique<event>();
    e->of = &c;
    e->life = ++c.life;
    e->why = std::make_shared<std::optional<error>>();
    c.op = w;
    c.runs = true;
    detail::child_naming<C>::give(c.op, c.name);
    w.on_done([why = e->why](auto const& o) {
      if (o.has_error()) why->emplace(o.error());
      else if (o.is_cancelled() && o.cancel().why == cause::abandoned) why->emplace(errc::cancelled);
    });
    w.on_released([self = this->shared_from_this(), e = std::move(e)]() mutable { self->push(std::move(e)); });
  }

 private:
  /// Something to be added, or the end of a life.
  struct event {
    event* next = nullptr;
    std::unique_ptr<child> fresh{};
    child* of = nullptr;
    std::uint64_t life = 0;
    std::shared_ptr<std::optional<error>> why{};  // it has to be started again
  };

  void push(std::unique_ptr<event> e) noexcept {
    event* const mine = e.release();
    mine->next = posted_.load(std::memory_order_relaxed);
    while (!posted_.compare_exchange_weak(mine->next, mine, std::memory_order_release, std::memory_order_relaxed)) {
    }
    bell_.ring();
  }
  void collect() {
    std::size_t const before = events_.size();
    for (event* e = posted_.exchange(nullptr, std::memory_order_acquire); e != nullptr; e = std::exchange(e->next, nullptr))
      events_.emplace_back(e);
    std::reverse(events_.begin() + static_cast<std::ptrdiff_t>(before), events_.end());
  }
  std::unique_ptr<event> take() {
    if (events_.empty()) return nullptr;
    std::unique_ptr<event> e = std::move(events_.front());
    events_.pop_front();
    return e;
  }

  handle_of<void, error, C> look_after() {
    for (;;) {
      bool const ends = ends_.load(std::memory_order_acquire);  // first: what was added before is then collected
      collect();
      if (std::unique_ptr<event> const e = take(); e == nullptr) {
        if (ends && std::ranges::none_of(children_, [](auto const& c) { return c->runs; })) co_return;
        auto rung = bell_.wait(scope_.home());
        co_await std::move(rung);
      } else if (e->fresh) {
        children_.push_back(std::move(e->fresh));
        begin(*children_.back());
      } else if (e->life == e->of->life && e->of->runs) {
        e->of->runs = false;
        if (!*e->why) continue;
        bool const gives_up = !may_restart();
        std::size_t const first = gives_up ? 0 : first_to_stop(*e->of);
        std::size_t const last = how_ == restart::one_for_one && !gives_up ? first + 1 : children_.size();
        for (std::size_t i = last; i-- != first;) {
          child& c = *children_[i];
          if (!std::exchange(c.runs, false)) continue;
          c.op.request_cancel(cause::shutdown);
          co_await c.op.released();
        }
        if (gives_up) co_return scope_.core_.fail(std::move(**e->why));
        for (std::size_t i = first; i != last; ++i) begin(*children_[i]);
      }
    }
  }
  void begin(child& c) { c.begin(*this, c); }
  std::size_t first_to_stop(child const& failed) const noexcept {
    if (how_ == restart::one_for_all) return 0;
    auto const at = std::ranges::find_if(children_, [&](auto const& c) { return c.get() == &failed; });
    return static_cast<std::size_t>(at - children_.begin());
  }
  /// No more than `intensity` restarts within `period`.
  bool may_restart() {
    time_point const now = time_at_home(static_cast<state_base<C>&>(scope_.core_.op()));
    std::erase_if(restarts_, [&](time_point t) { return later(t, period_) < now; });
    restarts_.push_back(now);
    return restarts_.size() <= intensity_;
  }

  basic_scope<C> scope_;
  restart how_;
  unsigned intensity_;
  std::chrono::nanoseconds period_;
  bell<C, home_of<C>> bell_;
  typename C::sync::template atomic<event*> posted_{nullptr};
  typename C::sync::template atomic<bool> ends_{false};
  std::deque<std::unique_ptr<event>> events_;
  std::vector<std::unique_ptr<child>> children_;
  std::deque<time_point> restarts_;
};

}  // namespace detail
}  // namespace settle::inline v0

#endif
