// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_DETAIL_FINALLY_STEP_HPP
#define SETTLE_COMBINE_DETAIL_FINALLY_STEP_HPP

#include <exception>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

#include "../../detail/link.hpp"
#include "../../detail/ownership.hpp"
#include "calls.hpp"
#include "input.hpp"
#include "result.hpp"

namespace settle::inline v0::detail {

/// An operation that a result waits for, and that no cancellation of the result reaches: `told` when it has settled; the
/// result is released after it.
template <class C>
struct shielded : input<C> {
  void begin(state_base<C>& r, hook_type<C> const& feed) noexcept {
    state_base<C>& s = *state_access::get(this->from);
    r.add_hold();
    this->holds = true;
    this->kind = hook_kind::input;
    this->type = &feed;
    this->owner = &s;
    this->result = &r;
    if (this->adopted) {
      r.add_hold();
      this->edge.down.owner = &r;
      this->edge.up.kind = hook_kind::waiting;
      this->edge.up.owner = &s;
      this->edge.up.type = &when_released;
      if (!registry<C>::add_released(s, this->edge.up)) engine<C>::leave(r);
      engine<C>::warm(s, &r);
    }
    if (!registry<C>::add_input(s, *this)) feed.run(*this, hook_action::feed);
  }

 private:
  static void released(hook<C>& h, hook_action) { engine<C>::leave(*link<C>::of_upper(h).parent()); }
  static constexpr hook_type<C> when_released{&released, 0, 0};
};

/// Calls a function once, however the source ended, where the source's user code runs. The outcome stays where it is until
/// what the function began has ended; then it passes.
template <class P, class H, class F>
class finally_step {
 public:
  using C = typename P::terminal;
  using cell_type = result_cell<P, finally_step>;
  using T = typename input_of<H>::T;
  using SourceE = typename input_of<H>::E;
  using E = typename P::error_type;
  using flattened = typename step_types<step_kind::finally, F, T, SourceE>::result;
  using source_outcome = input_outcome<T, SourceE, C>;

  template <class In>
  finally_step(In&& in, F&& f) : f_(std::in_place, std::move(f)) {
    source_.take(std::forward<In>(in));
  }

  void wire(cell_type& c) noexcept {
    connect<C>(source_, c, source_type);
    if constexpr (!input_of<H>::adopted) {
      asked_.kind = hook_kind::stop;
      asked_.owner = &c;
      asked_.type = &asked_type;
      if (!registry<C>::add_stop(c, asked_)) asked(c);
    }
  }
  void close(cell_type&) noexcept {
    f_.reset();
    source_.from = {};
  }

 private:
  struct no_inner {};

  static cell_type& cell_of(hook<C>& h) noexcept { return static_cast<cell_type&>(*static_cast<input<C>&>(h).result); }
  static void run_source(hook<C>& h, hook_action action) {
    cell_type& c = cell_of(h);
    finally_step& self = c.body;
    if (action == hook_action::feed) {
      self.told(c);
    } else {
      if (!self.called_ && self.call(c)) return;
      self.pass(c);
      self.source_.finish();
    }
  }
  static void run_inner(hook<C>& h, hook_action action) {
    if constexpr (flattened::is_input) {
      cell_type& c = cell_of(h);
      finally_step& self = c.body;
      if (action == hook_action::feed ? self.told_inner() : self.heard_inner()) self.go_on(c);
    }
  }
  static void run_asked(hook<C>& h, hook_action action) {
    auto& c = static_cast<cell_type&>(*h.owner);
    if (action == hook_action::invoke) c.body.asked(c);
  }
  static constexpr hook_type<C> source_type{&run_source, 0, 0};
  static constexpr hook_type<C> inner_type{&run_inner, 0, 0};
  static constexpr hook_type<C> asked_type{&run_asked, 0, 0};

  /// Structural: the result is to be cancelled. What is watched goes on; the function is called all the same.
  void asked(cell_type&) noexcept {
    if (!registry<C>::withdraw_input(source_.state(), source_)) return;
    source_.absent = true;
    run_source(source_, hook_action::feed);
  }
  void told(cell_type& c) noexcept {
    if (source_.absent) {
      c.template post<&call_absent>();
    } else {
      source_.state().seen.store(true, std::memory_order_relaxed);
      source_.queue();
    }
  }
  static void call_absent(cell_type& c) {
    finally_step& self = c.body;
    if (self.call(c)) return;
    self.pass(c);
    self.source_.finish();
  }

  /// True: what it returned is under way, and the rest comes later.
  bool call(cell_type& c) noexcept {
    called_ = true;
    if (!source_.absent) c.keep(source_.state());
    ending const how = source_.absent ? ending(ending::cancelled, c.head().cancelled_by()) : ending_of(source_.state());
    bool under_way = false;
    guarded([&] { under_way = start(how); }, [&](std::exception_ptr p) { problem_.emplace(error_from<P>(std::move(p))); });
    f_.reset();
    if constexpr (flattened::is_input) {
      if (!under_way) return false;
      if (!source_.holds) c.add_hold();  // the source may be released before it is heard again
      source_.holds = true;
      inner_.begin(c, inner_type);
    }
    return under_way;
  }
  bool start(ending how) {
    if constexpr (flattened::is_input) {
      inner_.take(never_empty(call_with(*f_, how)));
      return true;
    } else {
      call_with(*f_, how);
      return false;
    }
  }

  bool told_inner() noexcept {
    state_base<C>& s = inner_.state();
    s.seen.store(true, std::memory_order_relaxed);
    if (!s.is(word::failure)) {
      if (inner_.adopted) ownership<C>::disown(s);
      return true;
    }
    using InnerE = typename flattened::template error<E>;
    if constexpr (is_quiet_error<InnerE>) {
      problem_.emplace(E(std::as_const(static_cast<typed_state<typename flattened::T, InnerE, C>&>(s).result).error()));
      return true;
    } else {
      inner_.queue();
      return false;
    }
  }
  bool heard_inner() noexcept {
    problem_.emplace(E(input_outcome<typename flattened::T, typename flattened::template error<E>, C>(inner_).error()));
    return true;
  }
  void go_on(cell_type& c) noexcept {
    basic_operation<C> const last = std::move(inner_.from);
    if (source_.absent) c.template post<&pass_absent>();
    else source_.queue();
    inner_.finish();
  }
  static void pass_absent(cell_type& c) {
    c.body.pass(c);
    c.body.source_.finish();
  }

  void pass(cell_type& c) noexcept {
    if (source_.absent) {
      if (problem_) c.fail(std::move(*problem_));
      else c.end_cancelled(c.head().cancelled_by());
      return;
    }
    source_outcome o(source_);
    c.keep(source_.state());
    if (problem_) c.fail(std::move(*problem_));
    else if (o.look().has_error()) c.fail(E(o.error()));
    else if (o.look().is_cancelled()) c.end_cancelled(o.look().cancel());
    else c.yield_value_of(o);
  }

  template <class V>
  using plain = typename C::sync::template plain<V>;

  input<C> source_;
  hook<C> asked_;
  [[no_unique_address]] std::conditional_t<flattened::is_input, shielded<C>, no_inner> inner_;
  std::optional<F> f_;
  std::optional<E> problem_;
  plain<bool> called_ = false;
};

}  // namespace settle::inline v0::detail

#endif
