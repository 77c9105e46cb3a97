// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_DETAIL_STEP_HPP
#define SETTLE_COMBINE_DETAIL_STEP_HPP

#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>
#include <variant>

#include "../../detail/ancestry.hpp"
#include "calls.hpp"
#include "input.hpp"
#include "result.hpp"
#include "wiring.hpp"

namespace settle::inline v0::detail {

/// One input, and a function that is called with some of its outcomes, once, where the input's user code runs; what it
/// returns is the result, or (`finally`) comes before it. Other outcomes pass: at once, when nothing of the user's runs.
template <class P, step_kind K, class H, class F>
class step {
 public:
  using C = typename P::terminal;
  using cell_type = result_cell<P, step>;
  using T = typename input_of<H>::T;
  using SourceE = typename input_of<H>::E;
  using E = typename P::error_type;
  using stored = typename cell_type::stored;
  using types = step_types<K, F, T, SourceE>;
  using flattened = typename types::result;
  using source_outcome = input_outcome<T, SourceE, C>;

  template <class In>
  step(In&& in, F&& f) : f_(std::in_place, std::move(f)) {
    source_.take(std::forward<In>(in));
  }

  void wire(cell_type& c) noexcept {
    connect<C>(source_, c, source_type);
    if constexpr (!input_of<H>::adopted) listen(c);
  }
  bool wire_in_one(cell_type& c) noexcept
    requires(input_of<H>::adopted)
  {
    wiring<C>::prepare(c, source_, source_type, true);
    return wiring<C>::publish_pending(source_);
  }
  void wire_alone(cell_type& c) noexcept {
    if constexpr (input_of<H>::adopted) {
      basic_operation<C> const until_fed = state_access::ref<C>(source_.state());  // released, the link's reference was the last
      wiring<C>::publish_in_steps(source_);                                        // what is left of wire_in_one
    } else {
      wiring<C>::prepare(c, source_, source_type);
      wiring<C>::publish(source_);
      listen(c);
    }
  }
  void close(cell_type&) noexcept
    requires(!input_of<H>::adopted)
  {
    f_.reset();
    source_.from = {};
  }

 private:
  static constexpr bool passes_value = K != step_kind::then;
  struct no_inner {};
  struct no_stop {};
  /// Only what is watched has to be let go when the result is asked to cancel.
  static constexpr bool watches = !input_of<H>::adopted || (flattened::is_input && !flattened::adopted);

  static cell_type& cell_of(hook<C>& h) noexcept { return static_cast<cell_type&>(*static_cast<input<C>&>(h).result); }
  static void run_source(hook<C>& h, hook_action action) {
    cell_type& c = cell_of(h);
    step& self = c.body;
    if (action == hook_action::feed ? self.told(c) : self.heard(c)) self.through(self.source_);
  }
  static void run_inner(hook<C>& h, hook_action action) {
    if constexpr (flattened::is_input) {
      cell_type& c = cell_of(h);
      step& self = c.body;
      if (action == hook_action::feed ? self.told_flattened(c) : self.heard_inner(c)) self.through(self.inner_);
    }
  }
  static void run_asked(hook<C>& h, hook_action action) {
    auto& c = static_cast<cell_type&>(*h.owner);
    if (action == hook_action::invoke) c.body.asked(c);
  }
  static constexpr hook_type<C> source_type{&run_source, 0, 0};
  static constexpr hook_type<C> inner_type{&run_inner, 0, 0};
  static constexpr hook_type<C> asked_type{&run_asked, 0, 0};

  /// Nothing of the input is needed any more; the result may be gone afterwards.
  void through(input<C>& in) noexcept {
    basic_operation<C> const last = in.adopted ? std::move(in.from) : basic_operation<C>();
    in.finish();
  }

  void listen(cell_type& c) noexcept {
    asked_.kind = hook_kind::stop;
    asked_.owner = &c;
    asked_.type = &asked_type;
    if (!registry<C>::add_stop(c, asked_)) asked(c);
  }
  /// Structural: the result is to be cancelled. What is watched goes on without it.
  void asked(cell_type&) noexcept {
    if (!source_.adopted && withdraw(source_)) return;
    if constexpr (flattened::is_input && !flattened::adopted) {
      if (inner_stands_.load(std::memory_order_acquire)) withdraw(inner_);
    }
  }
  static bool withdraw(input<C>& in) noexcept {
    if (!registry<C>::withdraw_input(in.state(), in)) return false;
    in.absent = true;
    in.type->run(in, hook_action::feed);
    return true;
  }

  static bool is_called_for(std::uint32_t w) noexcept {
    if (K == step_kind::then) return (w & (word::failure | word::cancelled)) == 0;
    return K == step_kind::or_else && (w & word::failure) != 0;
  }

  /// Structural: the source has settled. True: it is not needed any more.
  bool told(cell_type& c) noexcept {
    if (source_.absent) {
      c.end_cancelled(c.head().cancelled_by());
      return true;
    }
    source_.state().seen.store(true, std::memory_order_relaxed);
    std::uint32_t const w = source_.state().word.load(std::memory_order_acquire);
    bool const passes = !is_called_for(w) && pass_quietly(c, w);
    if (passes) passed_ = true;
    if (passes && std::is_trivially_destructible_v<F>) return true;
    source_.queue();  // to destroy the function, if for nothing else
    return false;
  }
  bool pass_quietly(cell_type& c, std::uint32_t w) noexcept {
    auto& o = static_cast<typed_state<T, SourceE, C>&>(source_.state()).result;
    if ((w & word::cancelled) != 0) {
      passed_ = true;
      c.keep(source_.state());
      c.end_cancelled(o.cancel());
      return true;
    }
    if constexpr (is_quiet_error<SourceE> && K != step_kind::or_else) {
      if ((w & word::failure) != 0) {
        passed_ = true;
        c.keep(source_.state());
        c.fail(E(o.error()));
        return true;
      }
    }
    if constexpr (is_quiet_value<T> && passes_value) {
      if ((w & word::failure) == 0 && source_.is_free()) {
        passed_ = true;
        c.keep(source_.state());
        c.yield_quietly(*outcome_access::value(o));
        return true;
      }
    }
    return false;
  }

  /// Where the source's user code runs. True: it is not needed any more.
  bool heard(cell_type& c) noexcept {
    if (passed_) {
      f_.reset();
      return true;
    }
    source_outcome o(source_);
    if (c.is_over()) c.lost();
    else if (is_called_for(source_.state().word.load(std::memory_order_acquire))) call(c, o);
    else pass(c, o);
    f_.reset();
    return true;
  }

  /// A value or an error: a cancellation has passed already.
  void pass(cell_type& c, source_outcome& o) noexcept {
    c.keep(source_.state());
    if (o.look().has_error()) {
      if constexpr (std::is_constructible_v<E, SourceE>) c.fail(E(o.error()));
    } else if constexpr (passes_value) {
      c.yield_value_of(o);
    }
  }

  void call(cell_type& c, source_outcome& o) noexcept {
    c.keep(source_.state());
    if constexpr (K == step_kind::then) o.with_value([&](auto&& v) { call_on(c, std::forward<decltype(v)>(v)); });
    else if constexpr (K == step_kind::or_else) call_on(c, o.look().error());
  }
  template <class V>
  void call_on(cell_type& c, V&& v) noexcept {
    if constexpr (flattened::is_input) {
      guarded([&] { join(c, call_with(*f_, std::forward<V>(v))); }, typename cell_type::failing{c});
    } else {
      c.yield([&](void* at) { call_into(at, std::forward<V>(v)); });
    }
  }
  template <class V>
  void call_into(void* at, V&& v) {
    if constexpr (std::is_void_v<typename flattened::T>) {
      call_with(*f_, std::forward<V>(v));
      ::new (at) stored();
    } else {
      ::new (at) stored(call_with(*f_, std::forward<V>(v)));
    }
  }

  /// What the function returned decides. Throws only before anything is done.
  template <class Returned>
  void join(cell_type& c, Returned&& returned) {
    auto given = never_empty(std::forward<Returned>(returned));
    state_base<C>& s = *state_access::get(static_cast<basic_operation<C> const&>(given));
    if (&s == &c || ancestry<C>::hangs_under(c, s)) return c.fail(P::make_error(errc::cycle));
    inner_.take(std::move(given));
    connect<C>(inner_, c, inner_type);
    if constexpr (!flattened::adopted) listen_for_inner(c);
  }
  void listen_for_inner(cell_type& c) noexcept {
    inner_stands_.store(true, std::memory_order_release);
    if (source_.adopted) return listen(c);
    std::uint32_t const w = c.lock();  // who asked before it stood did not find it
    c.unlock(w);
    if ((w & (word::requested | word::settled)) != 0) asked(c);
  }

  bool told_flattened(cell_type& c) noexcept {
    using U = typename flattened::T;
    using InnerE = typename flattened::template error<E>;
    if (inner_.absent) {
      c.end_cancelled(c.head().cancelled_by());
      return true;
    }
    inner_.state().seen.store(true, std::memory_order_relaxed);
    auto& o = static_cast<typed_state<U, InnerE, C>&>(inner_.state()).result;
    std::uint32_t const w = inner_.state().word.load(std::memory_order_acquire);
    bool const failed = (w & word::failure) != 0;
    bool const was_cancelled = (w & word::cancelled) != 0;
    if (!was_cancelled && !(failed ? is_quiet_error<InnerE> : is_quiet_value<U> && inner_.is_free())) {
      inner_.queue();
      return false;
    }
    c.keep(inner_.state());
    if (was_cancelled) c.end_cancelled(o.cancel());
    else if (failed) c.fail(E(std::as_const(o).error()));
    else if constexpr (is_quiet_value<U>) c.yield_quietly(*outcome_access::value(o));
    return true;
  }
  bool heard_inner(cell_type& c) noexcept {
    input_outcome<typename flattened::T, typename flattened::template error<E>, C> o(inner_);
    c.keep(inner_.state());
    if (o.look().has_error()) c.fail(E(o.error()));
    else c.yield_value_of(o);
    return true;
  }

  input<C> source_;
  [[no_unique_address]] std::conditional_t<watches, hook<C>, no_stop> asked_;
  [[no_unique_address]] std::conditional_t<flattened::is_input, input<C>, no_inner> inner_;
  std::optional<F> f_;
  typename C::sync::template atomic<bool> inner_stands_{false};
  bool passed_ = false;
};

template <class P, class H, class F>
using then_step = step<P, step_kind::then, H, F>;
template <class P, class H, class F>
using or_else_step = step<P, step_kind::or_else, H, F>;
template <class P, class H>
using via_step = step<P, step_kind::via, H, std::monostate>;

/// Makes the result of one input and a function.
template <class P, class Body, class H, class F>
auto begin_step(typename P::executor_type ex, std::source_location at, H&& h, F f) {
  using C = typename P::terminal;
  bool const cold = is_cold<C>(static_cast<basic_operation<C> const&>(h));
  return result_cell<P, Body>::begin(std::move(ex), cold, at, std::forward<H>(h), std::move(f));
}
template <step_kind K, template <class, class, class> class Body, class H, class F>
auto make_step(H&& h, F f, std::source_location at) {
  using In = std::remove_cvref_t<H>;
  using C = typename input_of<H>::C;
  using types = step_types<K, F, typename input_of<H>::T, typename input_of<H>::E>;
  using P = result_policy<typename types::value, typename types::error, C>;
  In in = never_empty(std::forward<H>(h));
  home_of<C> home = home_at<C>(static_cast<basic_operation<C> const&>(in));
  return begin_step<P, Body<P, In, F>>(std::move(home), at, std::move(in), std::move(f));
}

}  // namespace settle::inline v0::detail

#endif
