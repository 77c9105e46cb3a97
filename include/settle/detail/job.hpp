// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_JOB_HPP
#define SETTLE_DETAIL_JOB_HPP

#include <concepts>
#include <exception>
#include <memory>
#include <new>
#include <source_location>
#include <stop_token>
#include <type_traits>
#include <utility>

#include "../fwd.hpp"
#include "cell.hpp"
#include "cleanups.hpp"
#include "engine.hpp"
#include "exceptions.hpp"
#include "hook.hpp"
#include "own_part.hpp"
#include "registry.hpp"
#include "state_access.hpp"
#include "thrown.hpp"

namespace settle::inline v0::detail {

template <class F>
inline constexpr bool takes_stop = std::invocable<F, std::stop_token>;

template <class F>
decltype(auto) call_job(F& f, [[maybe_unused]] std::stop_source const& stop) {
  if constexpr (takes_stop<F>) return std::move(f)(stop.get_token());
  else return std::move(f)();
}
template <class F>
using job_result = std::decay_t<decltype(call_job(std::declval<F&>(), std::declval<std::stop_source const&>()))>;

/// What start_on yields for a function that returns R: R, or what the handle R yields.
template <class R>
struct flattened {
  using value_type = R;
  using error_type = error;
  static constexpr bool is_handle = false;
};
template <class P>
struct flattened<handle<P>> {
  using value_type = typename P::value_type;
  using error_type = typename P::error_type;
  static constexpr bool is_handle = true;
};

/// An operation whose producer is a function that waits for its executor, or runs there: state and closure in one block.
template <class P, class F>
struct job_cell final : cell<P> {
  using base = cell<P>;
  using C = typename P::terminal;
  using state = state_base<C>;
  using allocator_type = typename P::allocator_type;
  using executor_type = typename P::executor_type;
  using producer = resolver<P>;
  using result = job_result<F>;

  hook<C> turn;      // owns the producer's duty, and a reference
  hook<C> stopping;  // fires the source where somebody asks
  std::stop_source stop{std::nostopstate};
  bool alive = false;
  union {
    F f;
  };

  ~job_cell() {}

  /// Null when there is no memory; what moving the closure throws, and the stop_source, goes to the caller.
  static job_cell* make(F& f, executor_type ex, std::source_location at) {
    allocator_type a{};
    void* const p = byte_source<allocator_type>::allocate(a, sizeof(job_cell), alignof(job_cell));
    if (p == nullptr) return nullptr;
    auto* const c = ::new (p) job_cell(std::move(ex), std::move(a), at);
    with_undo([&] { c->take(f); }, [&] { unmake(*c); });
    if constexpr (keeps_closure) cleanup_registration<C, own_part<C>>::add(*c, own_part<C>{c}, true);
    c->tell(monitor_event::created);
    tell_executor(c->executor, *c, monitor_event::created);
    return c;
  }

 private:
  /// A coroutine refers to its closure until it is released.
  static constexpr bool keeps_closure = flattened<result>::is_handle;

  job_cell(executor_type ex, allocator_type a, std::source_location at) noexcept : base(&job_table, 0, std::move(ex), std::move(a), at) {
    turn.kind = hook_kind::released;  // it looks at no outcome
    turn.owner = this;
    turn.type = &turn_type;
    turn.holds = false;
    stopping.kind = hook_kind::stop;
    stopping.owner = this;
    stopping.type = &stop_type;
  }

  void take(F& from) {
    if constexpr (takes_stop<F>) {
      stop = std::stop_source();
      registry<C>::add_cancel(*this, stopping, true);
    }
    std::construct_at(&f, std::move(from));
    alive = true;
  }
  void drop() noexcept {
    if (std::exchange(alive, false)) std::destroy_at(&f);
  }

  static job_cell& of(state& s) noexcept { return static_cast<job_cell&>(s); }

  static void close(state& s) noexcept { of(s).drop(); }
  static void run(hook<C>& h, hook_action) {
    job_cell& self = of(*h.owner);
    producer r = state_access::produce<P>(static_cast<base*>(&self));
    if (self.is(word::settled | word::requested)) {
      if constexpr (!keeps_closure) self.drop();
      r.cancel();
      return;
    }
    guarded([&] { self.call(r); },
            [&](std::exception_ptr p) {
              if constexpr (!keeps_closure) self.drop();
              end_thrown(r, std::move(p));
            });
  }
  static void fire(hook<C>& h, hook_action action) {
    if (action == hook_action::invoke) of(*h.owner).stop.request_stop();
  }
  static constexpr hook_type<C> turn_type{&run, 0, 0};
  static constexpr hook_type<C> stop_type{&fire, 0, 0};

  void call(producer& r) {
    if constexpr (flattened<result>::is_handle) {
      follow(r, call_job(f, stop));
    } else if constexpr (std::is_void_v<result>) {
      call_job(f, stop);
      drop();
      r.complete();
    } else {
      result v = call_job(f, stop);
      drop();
      r.complete(std::move(v));
    }
  }

  /// The operation that the function returned becomes a child, and its outcome ours. A cold coroutine starts here.
  template <class H>
  void follow(producer& r, H child) {
    state* const c = state_access::get(child);
    if (c == nullptr || !registry<C>::adopt(*this, *c)) {
      r.fail(P::make_error(errc::no_memory));
      return;
    }
    engine<C>::warm(*c, this);
    void* const duty = std::move(r).into_raw();  // comes back when there is no memory to wait for the child
    auto pass_on = [duty](outcome<typename P::value_type, typename P::error_type>&& o) { producer::from_raw(duty).settle(std::move(o)); };
    with_undo([&] { std::move(child).on_done(pass_on); }, [&] { r = producer::from_raw(duty); });
  }

  static void destroy(state& s) noexcept {
    tell_executor(of(s).executor, s, monitor_event::destroyed);
    unmake(of(s));
  }
  static void unmake(job_cell& self) noexcept {
    allocator_type a = std::move(self.allocator);
    std::destroy_at(&self);
    byte_source<allocator_type>::deallocate(a, &self, sizeof(job_cell), alignof(job_cell));
  }
  static constexpr state_table<C> table_of_jobs() noexcept {
    state_table<C> t = base::table_of();
    t.destroy = &destroy;
    if constexpr (keeps_closure) t.close = &close;
    return t;
  }
  static state_table<C> const job_table;
};

template <class P, class F>
constexpr state_table<typename P::terminal> const job_cell<P, F>::job_table = job_cell<P, F>::table_of_jobs();

/// A job that waits to be started, and its owner's end. Its turn has the producer's duty, and a reference.
template <class P, class F>
struct new_job {
  job_cell<P, F>* job;
  handle<P> owner;

  /// Throws std::bad_alloc, and what moving f throws.
  new_job(F& f, typename P::executor_type ex, std::source_location at) : job(job_cell<P, F>::make(f, std::move(ex), at)) {
    if (job == nullptr) raise(std::bad_alloc());
    resolver<P> r = state_access::produce<P>(static_cast<cell<P>*>(job));
    owner = r.get_handle();
    state_access::give_up(r);
    job->add_ref();
  }
};

}  // namespace settle::inline v0::detail

#endif
