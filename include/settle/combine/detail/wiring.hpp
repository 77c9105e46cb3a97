// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_DETAIL_WIRING_HPP
#define SETTLE_COMBINE_DETAIL_WIRING_HPP

#include <cstdint>

#include "input.hpp"

namespace settle::inline v0::detail {

/// The two halves of `connect`, for a result that nobody else refers to yet. What concerns the result is written with plain
/// stores, for all its inputs; then each input's operation is told, once under its lock. From the first one on others look.
template <class C>
struct wiring {
  using state = state_base<C>;

  /// `hands_over`: the reference that was taken with an adopted input becomes its link's. After its release it is gone.
  static void prepare(state& result, input<C>& in, hook_type<C> const& feed, bool hands_over = false) noexcept {
    state& s = hands_over ? *state_access::release(in.from) : *state_access::get(in.from);
    in.kind = hook_kind::input;
    in.type = &feed;
    in.owner = &s;
    in.result = &result;
    in.holds = !in.adopted;
    result.counts.store(result.counts.load(std::memory_order_relaxed) + count::both, std::memory_order_relaxed);
    if (!in.adopted) return;
    if (!hands_over) s.add_ref();  // the link's
    in.edge.tie(result, s, link<C>::embedded);
    in.edge.tell();
    result.lasting.store(ring<C>::push_back(result.lasting.load(std::memory_order_relaxed), &in.edge.down), std::memory_order_relaxed);
    result.word.store(result.word.load(std::memory_order_relaxed) | word::below, std::memory_order_relaxed);
  }

  static void publish(input<C>& in) noexcept {
    if (!publish_pending(in)) publish_in_steps(in);
  }
  /// The same in one step; it must not be looked at afterwards. False: its operation is settled, or waits for an owner, and
  /// nothing was done.
  static bool publish_pending(input<C>& in) noexcept {
    state& s = in.state();
    return !waits_for_owner(s, in) && push_both(s, in);
  }
  /// The other case.
  static void publish_in_steps(input<C>& in) noexcept {
    state& s = in.state();
    bool const starts = waits_for_owner(s, in);
    if (in.adopted && !registry<C>::add_released(s, in.edge.up)) in.edge.up.type->run(in.edge.up, hook_action::invoke);
    if (starts) engine<C>::warm(s, in.result);
    if (!registry<C>::add_input(s, in)) feed_at_once(in);
  }

 private:
  static bool waits_for_owner(state& s, input<C>& in) noexcept { return in.adopted && s.is(word::cold); }

  /// The input, and the upper end of its link. False: it is settled already.
  static bool push_both(state& s, input<C>& in) noexcept {
    std::uint32_t const w = s.lock();
    bool const pending = (w & word::settled) == 0;
    if (!pending) {
      s.unlock(w);
      return false;
    }
    hook<C>* first = s.lasting.load(std::memory_order_relaxed);
    if (in.adopted) {
      first = ring<C>::push_front(first, &in.edge.up);
      s.count_uplink();
    }
    s.lasting.store(ring<C>::push_back(first, &in), std::memory_order_relaxed);
    s.unlock(w | word::inputs | (in.adopted ? word::linked : 0U));
    return true;
  }
};

}  // namespace settle::inline v0::detail

#endif
