// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_JOB_HPP
#define SETTLE_DETAIL_JOB_HPP

#include <concepts>
#include <memory>
#include <new>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

#include "../fwd.hpp"
#include "../policy/default_policy.hpp"
#include "closures.hpp"
#include "engine.hpp"
#include "exceptions.hpp"
#include "hook.hpp"
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

/// A function that waits for its executor, or runs there; in a cleanup slot of its operation's state.
template <class C, class F>
struct job {
  hook<C> turn;
  hook<C> stopping;
  std::stop_source stop{std::nostopstate};
  void* duty = nullptr;  // the resolver, until its turn
  bool alive = false;
  union {
    F f;
  };

  job() noexcept {}
  job(job&&) = delete;
  ~job() { drop(); }

  void drop() noexcept {
    if (std::exchange(alive, false)) std::destroy_at(&f);
  }
};

template <class T, class E, class Ex, class C, class Job>
struct job_policy : plain<T, E, Ex, C> {
  struct cleanup {
    static constexpr std::size_t inline_slots = 1;
    static constexpr std::size_t slot_bytes = sizeof(Job);
    static constexpr bool may_allocate = true;
  };
};

/// What becomes of a job at its turn.
template <class P, class Job, class F>
struct job_turn {
  using C = typename P::terminal;
  using result = job_result<F>;
  using producer = resolver<P>;

  /// Puts the function in its place, and queues nothing yet. Throws what moving it throws, and std::bad_alloc.
  static void prepare(Job& j, state_base<C>& s, F& f) {
    std::construct_at(&j.f, std::move(f));
    j.alive = true;
    j.turn.kind = hook_kind::released;  // it looks at no outcome
    j.turn.owner = &s;
    j.turn.type = &turn_type;
    j.turn.holds = false;
    if constexpr (takes_stop<F>) {
      j.stop = std::stop_source();
      j.stopping.kind = hook_kind::stop;
      j.stopping.owner = &s;
      j.stopping.type = &stop_type;
      registry<C>::add_cancel(s, j.stopping);
    }
  }

 private:
  static void run(hook<C>& turn, hook_action) {
    Job& j = *reinterpret_cast<Job*>(&turn);  // its first member
    state_base<C>& s = *turn.owner;
    producer r = producer::from_raw(j.duty);
    if (s.is(word::settled | word::requested)) {
      j.drop();
      r.cancel();
      return;
    }
    guarded([&] { call(j, r); },
            [&](std::exception_ptr p) {
              j.drop();
              end_thrown(r, std::move(p));
            });
  }
  static void fire(hook<C>& stopping, hook_action action) {
    Job& j = *reinterpret_cast<Job*>(reinterpret_cast<std::byte*>(&stopping) - sizeof(hook<C>));  // its second
    if (action == hook_action::invoke) j.stop.request_stop();
  }
  static constexpr hook_type<C> turn_type{&run, 0, 0};
  static constexpr hook_type<C> stop_type{&fire, 0, 0};

  static void call(Job& j, producer& r) {
    if constexpr (flattened<result>::is_handle) {
      follow(r, call_job(j.f, j.stop));  // the closure stays: a coroutine refers to it until it is released
    } else if constexpr (std::is_void_v<result>) {
      call_job(j.f, j.stop);
      j.drop();
      r.complete();
    } else {
      result v = call_job(j.f, j.stop);
      j.drop();
      r.complete(std::move(v));
    }
  }

  /// The operation that the function returned becomes a child, and its outcome ours. A cold coroutine starts here.
  template <class H>
  static void follow(producer& r, H child) {
    state_base<C>* const c = state_access::get(child);
    basic_operation<C> const self = r.op();
    state_base<C>& s = *state_access::get(self);
    if (c == nullptr || !registry<C>::adopt(s, *c)) {
      r.fail(P::make_error(errc::no_memory));
      return;
    }
    engine<C>::warm(*c, &s);
    auto pass_on = [to = std::move(r)](outcome<typename P::value_type, typename P::error_type>&& o) mutable { to.settle(std::move(o)); };
    std::move(child).on_done(std::move(pass_on));
  }
};

}  // namespace settle::inline v0::detail

#endif
