// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_LOCKFREE_QUEUE_HPP
#define SETTLE_LOCKFREE_QUEUE_HPP

#include <cstddef>
#include <memory>
#include <optional>
#include <source_location>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "../combine/ready.hpp"
#include "../detail/exceptions.hpp"
#include "../errc.hpp"
#include "../handle.hpp"
#include "../policy/executor.hpp"
#include "../resolver.hpp"
#include "detail/queue_core.hpp"

namespace settle::inline v0 {

namespace detail {

/// An operation that waits for a value, owned by its own cleanup; whoever takes it out of the line is the one who settles it.
template <class T, class C, class Ex>
struct queue_pop final : queue_taker<T> {
  using resolver_type = resolver<plain<T, error, Ex, C>>;
  using core = queue_core<T, typename C::sync>;

  resolver_type taker;
  std::shared_ptr<core> queue;

  queue_pop(resolver_type&& r, std::shared_ptr<core> q) noexcept
      : queue_taker<T>{{}, &give_to, &refuse_it}, taker(std::move(r)), queue(std::move(q)) {}

  void cancelled() noexcept {
    if (!queue->withdraw(*this)) return;
    resolver_type r = std::move(taker);
    r.cancel();
  }

 private:
  static resolver_type take(queue_taker<T>& w) noexcept { return std::move(static_cast<queue_pop&>(w).taker); }
  static bool give_to(queue_taker<T>& w, T& v) noexcept {
    resolver_type r = take(w);
    return r.complete(std::move(v));
  }
  static void refuse_it(queue_taker<T>& w) noexcept {
    resolver_type r = take(w);
    r.fail(errc::closed);
  }
};

/// The same with a value that waits for room.
template <class T, class C, class Ex>
struct queue_push final : queue_giver<T> {
  using resolver_type = resolver<plain<void, error, Ex, C>>;
  using core = queue_core<T, typename C::sync>;

  resolver_type giver;
  std::shared_ptr<core> queue;
  T value;

  queue_push(resolver_type&& r, std::shared_ptr<core> q, T&& v) noexcept
      : queue_giver<T>{{}, &is_settled, &move_it, &tell_it}, giver(std::move(r)), queue(std::move(q)), value(std::move(v)) {}

  void cancelled() noexcept {
    if (!queue->withdraw(*this)) return;
    resolver_type r = std::move(giver);
    r.cancel();
  }

 private:
  static queue_push& of(queue_giver<T>& w) noexcept { return static_cast<queue_push&>(w); }
  static bool is_settled(queue_giver<T>& w) noexcept { return of(w).giver.op().is_settled(); }
  static void move_it(queue_giver<T>& w, void* at) noexcept { ::new (at) T(std::move(of(w).value)); }
  static void tell_it(queue_giver<T>& w, bool in) noexcept {
    resolver_type r = std::move(of(w).giver);
    if (in) r.complete();
    else r.fail(errc::closed);
  }
};

}  // namespace detail

/// A bounded queue between threads. `try_push` never waits and never allocates: it says when there is no room, which is the
/// pressure to pass on. Who finds nothing, or no room, may wait as an operation, first come, first served; telling one needs
/// no place in any queue, so that none is ever forgotten, however full things are.
///
/// Ownership: the queue owns what is in it; a value goes to one taker. A waiting operation that is cancelled leaves the line; a
/// value that was on its way to one that was cancelled by force is the first in the queue again. One that was told already and
/// then dropped has a lost value (G15): `on_lost` may push it again. A value that waits for room is its operation's, and dies
/// with it on its executor when it does not get in.
/// Closing: `close` lets no more in, and who waits for room fails with errc::closed; what is in it can still be had, then
/// everyone else fails with that, too. The destructor
/// closes and destroys what is left; no other thread may be pushing then.
/// Threads: every member from any. Cost: without anyone waiting, pushing and popping take a handful of atomic read-modify-writes
/// on Boost.Lockfree's lists and no lock; waiting takes a lock of a few instructions and three blocks. Memory: all of it when
/// it is made. `T` is nothrow move constructible.
///
/// ```cpp
/// settle::queue<int> jobs(1024);
/// settle::handle_of<int> next = jobs.pop();  // waits
/// if (!jobs.try_push(7)) retry();            // no room, or closed
/// ```
template <class T, class C = cas_terminal>
class queue {
  static_assert(std::is_nothrow_move_constructible_v<T>,
                "settle: the values of a queue must be nothrow move constructible (see docs/guide/queues.md)");
  using core = detail::queue_core<T, typename C::sync>;

 public:
  /// What the lists can count to.
  static constexpr std::size_t max_capacity = 65'534;

  /// Room for `capacity` values. Throws std::invalid_argument (0, or more than max_capacity), std::bad_alloc.
  explicit queue(std::size_t capacity) : core_(std::make_shared<core>(checked(capacity))) {}
  queue(queue&&) = delete;
  ~queue() {
    close();
    while (try_pop()) {
    }
  }

  /// False: there is no room, or others wait for it, or it is closed, and `v` is as it was. Never waits, throws or allocates.
  /// A waiting taker runs where its executor says; with the inline executor that is here.
  bool try_push(T&& v) noexcept { return core_->push(v); }
  /// The same with a copy. Throws what copying throws.
  bool try_push(T const& v)
    requires(std::is_copy_constructible_v<T>)
  {
    T copy(v);
    return core_->push(copy);
  }

  /// Settles when the value is in the queue, or a taker has it; fails with errc::closed when it never will be. Cancelled, it
  /// leaves the line; by force while its value is being let in on another thread, the value may be in all the same. User code
  /// runs on `ex`. Throws std::bad_alloc, and what making `v` throws, having pushed nothing.
  template <executor Ex = inline_executor>
  handle_of<void, error, C> push(T v, Ex ex = Ex(), std::source_location at = std::source_location::current()) {
    using waiting = detail::queue_push<T, C, Ex>;
    typename waiting::resolver_type r(std::move(ex), at);
    auto h = r.get_handle();
    if (core_->push(v)) {
      r.complete();
      return h;
    }
    waiting* const n = r.template try_own<waiting>(std::move(r), core_, std::move(v));
    if (n == nullptr) {
      r.fail(errc::no_memory);
      return h;
    }
    detail::with_undo([&] { n->giver.on_cancel([n] { n->cancelled(); }); }, [&] { n->tell(*n, false); });
    std::shared_ptr<core> const keep = core_;
    if (!keep->enqueue(*n)) n->tell(*n, false);
    return h;
  }

  /// The first value, unless there is none or others wait for it. Never waits.
  std::optional<T> try_pop() noexcept {
    std::optional<T> v;
    core_->pop([&](T&& found) { v.emplace(std::move(found)); });
    return v;
  }

  /// Settles with the first value that no one before has a right to; fails with errc::closed when there will be none. User code
  /// runs on `ex`. Throws std::bad_alloc, having taken nothing.
  template <executor Ex = inline_executor>
  handle_of<T, error, C> pop(Ex ex = Ex(), std::source_location at = std::source_location::current()) {
    using waiting = detail::queue_pop<T, C, Ex>;
    typename waiting::resolver_type r(std::move(ex), at);
    handle_of<T, error, C> h = r.get_handle();
    if (pop_at_once(r)) return h;
    waiting* const n = r.template try_own<waiting>(std::move(r), core_);
    if (n == nullptr) {
      r.fail(errc::no_memory);
      return h;
    }
    detail::with_undo([&] { n->taker.on_cancel([n] { n->cancelled(); }); }, [&] { n->refuse(*n); });
    wait_in_line(*n);
    return h;
  }

  /// Lets no more in. Once is enough.
  void close() noexcept { core_->close(); }
  /// It was closed.
  [[nodiscard]] bool is_closed() const noexcept { return core_->is_closed(); }
  /// How many values are in it, at this instant.
  [[nodiscard]] std::size_t size() const noexcept { return core_->size(); }
  /// How many there is room for.
  [[nodiscard]] std::size_t capacity() const noexcept { return core_->capacity(); }

 private:
  static std::size_t checked(std::size_t capacity) {
    if (capacity == 0 || capacity > max_capacity)
      detail::raise(std::invalid_argument("settle: a queue has room for 1 to 65534 values, not " + std::to_string(capacity)));
    return capacity;
  }

  template <class R>
  bool pop_at_once(R& r) noexcept {
    return core_->pop([&](T&& found) { r.complete(std::move(found)); });
  }
  template <class W>
  void wait_in_line(W& n) noexcept {
    std::shared_ptr<core> const keep = core_;
    for (;;) {
      typename core::wait const how = keep->enqueue(n);
      if (how == core::wait::waits) return;
      if (how == core::wait::closed) return n.refuse(n);
      auto r = std::move(n.taker);
      if (pop_at_once(r)) return;
      n.taker = std::move(r);  // another one was faster
    }
  }

  std::shared_ptr<core> core_;
};

}  // namespace settle::inline v0

#endif
