// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_COROUTINE_STATE_HPP
#define SETTLE_DETAIL_COROUTINE_STATE_HPP

#include <coroutine>
#include <cstddef>
#include <memory>
#include <new>
#include <source_location>
#include <type_traits>
#include <utility>

#include "../policy/policy_traits.hpp"
#include "cell.hpp"
#include "engine.hpp"
#include "link.hpp"
#include "registry.hpp"
#include "state_access.hpp"
#include "timers.hpp"

namespace settle::inline v0::detail {

/// The executor of a coroutine that was given none: that of whoever awaits, spawns or adopts it.
struct inherited_executor {};

/// What every coroutine of a terminal has in its state, in front of the frame. The body holds a hold and a reference
/// until its frame is gone. `turn` is queued on the coroutine's executor to go on, or to find out that it should not.
template <class C>
struct coroutine_base {
  hook<C> turn;
  link<C> joins;   // the operation it awaits, as its child
  link<C> parent;  // the operation it was started under
  void (*next)(state_base<C>&) = nullptr;
  void* awaiter = nullptr;
};

/// State and frame in one allocation: the state first, so that it can outlive the frame.
template <class P, class Ex>
struct coroutine_state final : typed_state<typename P::value_type, typename P::error_type, typename P::terminal> {
  using traits = policy_traits<P>;
  using C = typename P::terminal;
  using base = typed_state<typename P::value_type, typename P::error_type, C>;
  using state = state_base<C>;
  using allocator_type = typename P::allocator_type;

  static constexpr bool inherits = std::is_same_v<Ex, inherited_executor>;
  using storage_type = submit_storage<executor_access<Ex>::storage_size()>;

  coroutine_base<C> coro;
  [[no_unique_address]] Ex executor;
  [[no_unique_address]] allocator_type allocator;
  [[no_unique_address]] storage_type storage;
  executor_ref<C> home_ref{};

  /// Between state and frame: what is known of the block before there is a state.
  struct alignas(std::max_align_t) seam {
    std::size_t bytes;
    bool born;
  };

  static constexpr std::size_t header() {
    constexpr std::size_t align = alignof(std::max_align_t);
    return (sizeof(coroutine_state) + align - 1) / align * align + sizeof(seam);
  }

  coroutine_state(Ex ex, std::source_location at) noexcept
      : base(&policy_table, word::handled | word::owned, count::both, at), executor(std::move(ex)) {
    coro.turn.owner = this;
    coro.turn.kind = hook_kind::released;
    coro.turn.type = &turn_type;
    executor_access<Ex>::construct_storage(storage.get());
  }
  ~coroutine_state() {
    if (home_ref.provider != nullptr) home_ref.provider->drop_ref();
  }

  /// Where the frame goes; null when there is no memory.
  static void* allocate_frame(std::size_t frame_bytes) noexcept {
    allocator_type a{};
    std::size_t const bytes = header() + frame_bytes;
    void* const block = byte_source<allocator_type>::allocate(a, bytes, alignof(std::max_align_t));
    if (block == nullptr) return nullptr;
    void* const frame = static_cast<std::byte*>(block) + header();
    ::new (static_cast<void*>(&seam_of(frame))) seam{bytes, false};
    return frame;
  }
  static coroutine_state& be_born(void* frame, Ex ex) noexcept {
    seam_of(frame).born = true;
    auto* const s = ::new (block_of(frame)) coroutine_state(std::move(ex), std::source_location());
    s->tell(monitor_event::created);
    tell_executor(s->executor, *s, monitor_event::created);
    return *s;
  }
  static coroutine_state& in_front_of(void* frame) noexcept { return *std::launder(reinterpret_cast<coroutine_state*>(block_of(frame))); }
  void* frame() noexcept { return reinterpret_cast<std::byte*>(this) + header(); }

  /// The frame's memory goes with the state. Copying an argument threw: there is none yet.
  static void frame_gone(void* frame) noexcept {
    seam const tail = seam_of(frame);
    if (tail.born) return;
    allocator_type a{};
    byte_source<allocator_type>::deallocate(a, block_of(frame), tail.bytes, alignof(std::max_align_t));
  }

  static state_table<C> const policy_table;

 private:
  static seam& seam_of(void* frame) noexcept {
    return *std::launder(reinterpret_cast<seam*>(static_cast<std::byte*>(block_of(frame)) + header() - sizeof(seam)));
  }
  /// The block that ends with the frame. clang must not see where that comes from: until it splits the coroutine the promise is
  /// an object of its own, with nothing in front.
  static void* block_of(void* frame) noexcept {
    asm("" : "+r"(frame));
    return static_cast<std::byte*>(frame) - header();
  }
  static coroutine_state& of(state& s) noexcept { return static_cast<coroutine_state&>(s); }

  static executor_ref<C> executor_of(state& s) noexcept {
    if constexpr (inherits) return of(s).home_ref;
    else if constexpr (std::is_same_v<Ex, inline_executor>) return {};
    else return {&executor_functions_of<C, Ex, traits::dispatch()>, &of(s).executor, of(s).storage.get(), &s};
  }
  static Ex const& executor_in(state& s) noexcept { return of(s).executor; }
  static consteval timer_functions<C> const* timers() {
    if constexpr (inherits) return nullptr;  // those of whoever provides the executor
    else return timer_functions_of<C, Ex, &coroutine_state::executor_in>();
  }
  static hook<C>& turn_of(state& s) noexcept { return of(s).coro.turn; }
  static void inherit(state& s, state& from) noexcept {
    if constexpr (inherits) {
      executor_ref<C>& mine = of(s).home_ref;
      mine = from.home();
      if (mine.provider != nullptr) mine.provider->add_ref();
    }
  }
  static void* allocate(state& s, std::size_t n, std::size_t align) noexcept {
    return byte_source<allocator_type>::allocate(of(s).allocator, n, align);
  }
  static void deallocate(state& s, void* p, std::size_t n, std::size_t align) noexcept {
    byte_source<allocator_type>::deallocate(of(s).allocator, p, n, align);
  }
  static void dispose(state& s) noexcept {
    if (of(s).result.has_value()) outcome_access::clear_value(of(s).result);  // an error stays, for who reports it
  }
  static void destroy(state& s) noexcept {
    coroutine_state& self = of(s);
    tell_executor(self.executor, self, monitor_event::destroyed);
    allocator_type a = std::move(self.allocator);
    std::size_t const n = seam_of(self.frame()).bytes;
    std::destroy_at(&self);
    byte_source<allocator_type>::deallocate(a, &self, n, alignof(std::max_align_t));
  }
  static std::exception_ptr exception(state& s) noexcept {
    if constexpr (requires(typename P::error_type const& e) {
                    { e.exception() } -> std::convertible_to<std::exception_ptr>;
                  })
      return of(s).result.error().exception();  // asked of a failure that nobody took
    else return {};
  }

  static void take_turn(hook<C>& h, hook_action) { of(*h.owner).coro.next(*h.owner); }
  static constexpr hook_type<C> turn_type{&take_turn, 0, 0};
  static constexpr bool value_dies_quietly = std::is_trivially_destructible_v<lift<typename P::value_type>>;
};

template <class P, class Ex>
constexpr state_table<typename P::terminal> const coroutine_state<P, Ex>::policy_table{
    &coroutine_state::executor_of,
    &coroutine_state::allocate,
    &coroutine_state::deallocate,
    coroutine_state::value_dies_quietly ? nullptr : &coroutine_state::dispose,
    &coroutine_state::turn_of,
    &coroutine_state::inherit,
    &coroutine_state::destroy,
    &coroutine_state::exception,
    &P::error_sink::report,
    coroutine_state::traits::monitored ? &P::monitor::on_event : nullptr,
    P::notify::before_cleanup,
    P::notify::reverse,
    true,
    coroutine_state::traits::cleanup_budget(),
    coroutine_state::timers(),
    0,
    coroutine_state::base::result_offset,
    0,
    0,
    0,
    coroutine_state::traits::tag()};

/// Makes a suspended coroutine's turn come, on its executor.
template <class C>
void give_turn(state_base<C>& s) noexcept {
  s.add_hold();
  hook<C>& h = s.table->turn(s);
  h.holds = true;
  engine<C>::post(h);
}

}  // namespace settle::inline v0::detail

#endif
