// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_DETAIL_TRAVERSAL_HPP
#define SETTLE_COMBINE_DETAIL_TRAVERSAL_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "../../detail/ownership.hpp"
#include "made.hpp"
#include "rows_behind.hpp"

namespace settle::inline v0::detail {

/// f of each item, so many at a time, in as many places. A place is free again when its operation is released; whoever
/// frees one takes the next item, one thread at a time.
template <class P, class Items, class F>
class traversal {
  struct place;
  struct kept;

 public:
  using C = typename P::terminal;
  using cell_type = result_cell<P, traversal>;
  using Item = typename Items::value_type;
  using H = made_handle<std::invoke_result_t<F&, Item>>;
  using T = typename H::T;
  using E = typename P::error_type;
  using list = typename P::value_type;

  using rows_type = rows_behind<Item, kept, place>;

  static typename rows_type::counts room(std::size_t items, std::optional<H> const&, std::size_t limit) noexcept {
    return {std::is_same_v<Items, row<Item>> ? items : 0, items, std::min(std::max<std::size_t>(limit, 1), items)};
  }
  traversal(rows_type&& r, Items&& items, std::optional<H>&& first, F&& f, std::size_t)
      : rows_(std::move(r)), first_(std::move(first)), items_(std::move(items)), f_(std::in_place, std::move(f)), missing_(items_.size()) {
    value_.reserve(items_.size());
    all_kept().add_until(items_.size());
    places().add_until(places().room());
  }

  void wire(cell_type& c) noexcept {
    if (!first_) {
      c.yield([&](void* at) { ::new (at) list(); });
      return;
    }
    for (std::size_t i = places().size(); i-- != 0;) free(places()[i]);
    work(c, places().size());
  }
  void close(cell_type&) noexcept {
    f_.reset();
    for (kept& k : all_kept()) k.value.reset();
    for (kept& k : all_kept())
      if (k.left) ownership<C>::disown(*state_access::get(k.left));
    all_kept().clear();
    items_.clear();
    first_.reset();
  }
  rows_type& rows() noexcept { return rows_; }

 private:
  /// What an item yielded; or whose value is left where it is until the list is made, since its loss is waited for.
  struct kept {
    std::optional<lift<T>> value;
    basic_operation<C> left;
  };
  struct place : successive<C> {
    std::size_t item = 0;
    place* below = nullptr;
  };

  static cell_type& cell_of(hook<C>& h) noexcept { return static_cast<cell_type&>(*static_cast<input<C>&>(h).result); }
  static void run(hook<C>& h, hook_action action) {
    cell_type& c = cell_of(h);
    auto& p = static_cast<place&>(static_cast<input<C>&>(h));
    traversal& self = c.body;
    if (action == hook_action::feed) {
      if (self.told(c, p)) p.through();
    } else {
      self.heard(c, p);
      p.through();
    }
  }
  static void run_next(hook<C>& h, hook_action) {
    auto& c = static_cast<cell_type&>(*h.owner);
    traversal& self = c.body;
    self.free(static_cast<place&>(*static_cast<typename successive<C>::turn&>(h).self));
    self.work(c, 1);
  }
  static constexpr hook_type<C> place_type{&run, 0, 0};
  static constexpr hook_type<C> next_type{&run_next, 0, 0};

  row<kept>& all_kept() noexcept { return rows_.template get<1>(); }
  row<place>& places() noexcept { return rows_.template get<2>(); }

  void free(place& p) noexcept {
    p.below = free_.load(std::memory_order_relaxed);
    while (!free_.compare_exchange_weak(p.below, &p, std::memory_order_release, std::memory_order_relaxed)) {
    }
  }
  /// On the executor: begins as much as there is room for. A thread that comes meanwhile leaves it to this one.
  void work(cell_type& c, std::size_t n) noexcept {
    if (wanted_.fetch_add(n, std::memory_order_acq_rel) != 0) return;
    while (n != 0) {
      place* p = free_.exchange(nullptr, std::memory_order_acquire);
      while (p != nullptr) begin(c, *std::exchange(p, p->below));
      n = wanted_.fetch_sub(n, std::memory_order_acq_rel) - n;
    }
  }
  void begin(cell_type& c, place& p) noexcept {
    if (next_item_ == items_.size() || decided_.load(std::memory_order_acquire)) return;
    if (c.is(word::requested | word::settled)) {
      if (decide()) c.end_cancelled(c.head().cancelled_by());
      return;
    }
    p.item = next_item_;
    next_item_ = p.item + 1;
    std::optional<H> h = p.item == 0 ? std::move(first_) : std::optional<H>();
    if (p.item != 0)
      guarded([&] { h.emplace(make_operation(*f_, std::move(items_[p.item]))); }, [&](std::exception_ptr x) { fail_by(c, std::move(x)); });
    if (h) p.successive<C>::begin(std::move(*h), c, place_type, next_type);
  }

  void fail_by(cell_type& c, std::exception_ptr x) noexcept {
    if (decide()) c.fail(error_from<P>(std::move(x)));
  }
  bool decide() noexcept { return !decided_.exchange(true, std::memory_order_acq_rel); }

  /// Structural. True: nothing is left to do where its user code runs.
  bool told(cell_type& c, place& p) noexcept {
    state_base<C>& s = p.state();
    s.seen.store(true, std::memory_order_relaxed);
    if (s.is(word::cancelled)) {
      if (!decide()) return true;
      c.keep(s);
      c.end_cancelled(s.head().cancelled_by());
      return true;
    }
    if constexpr (is_quiet_error<E>) {
      if (s.is(word::failure)) {
        if (!decide()) return true;
        c.keep(s);
        c.fail(E(std::as_const(static_cast<typed_state<T, E, C>&>(s).result).error()));
        return true;
      }
    }
    p.queue();
    return false;
  }
  void heard(cell_type& c, place& p) noexcept {
    input_outcome<T, E, C> o(p);
    if (decided_.load(std::memory_order_acquire)) return;
    if (o.look().has_error()) {
      if (decide()) c.fail(o.error());
      return;
    }
    if (o.may_be_missed()) all_kept()[p.item].left = p.from;
    if (o.is_awaited()) {
      o.leave();
    } else {
      o.gather();
      guarded([&] { o.with_value([&](auto&& v) { all_kept()[p.item].value.emplace(std::forward<decltype(v)>(v)); }); },
              [&](std::exception_ptr x) { fail_by(c, std::move(x)); });
    }
    if (missing_.fetch_sub(1, std::memory_order_acq_rel) != 1 || !decide()) return;
    c.keep(p.state());
    c.template post<&make>();
  }
  static void make(cell_type& c) {
    if (!c.yield_for_certain([&](void* at) { c.body.construct_list(at); })) return;
    for (kept const& k : c.body.all_kept())
      if (k.left) lost_taker<C>::forget_from_here(*state_access::get(k.left));
  }
  void construct_list(void* at) {
    for (kept& k : all_kept()) {
      if (k.value) {
        value_.push_back(std::move(*k.value));
        continue;
      }
      basic_operation<C> const from = std::exchange(k.left, {});
      auto& there = static_cast<typed_state<T, E, C>&>(*state_access::get(from)).result;
      value_.push_back(std::move(*outcome_access::value(there)));
      outcome_access::clear(there);
    }
    ::new (at) list(std::move(value_));
  }

  template <class V>
  using atomic = typename C::sync::template atomic<V>;
  template <class V>
  using plain = typename C::sync::template plain<V>;

  rows_type rows_;
  std::optional<H> first_;
  Items items_;
  std::optional<F> f_;
  list value_;
  plain<std::size_t> next_item_ = 0;  // of whoever works
  atomic<std::size_t> missing_;
  atomic<std::size_t> wanted_{0};
  atomic<place*> free_{nullptr};
  atomic<bool> decided_{false};
};

}  // namespace settle::inline v0::detail

#endif
