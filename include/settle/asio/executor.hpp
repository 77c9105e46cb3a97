// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_ASIO_EXECUTOR_HPP
#define SETTLE_ASIO_EXECUTOR_HPP

#include <asio/any_io_executor.hpp>
#include <asio/execution/allocator.hpp>
#include <asio/execution/context.hpp>
#include <asio/execution/executor.hpp>
#include <asio/post.hpp>
#include <asio/prefer.hpp>
#include <asio/query.hpp>
#include <atomic>
#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

#include "../policy/executor.hpp"
#include "timers.hpp"

// Any Asio executor as an operation's executor. Include this (or asio/asio.hpp) wherever one stands in a policy: all
// translation units must agree.
namespace settle::inline v0 {

namespace detail {

/// Room for queued work inside an operation's state: what a request made ready, and what the end made ready meanwhile.
/// More than that at the same time goes to the heap.
struct asio_storage {
  static constexpr std::size_t rooms = 2;
  static constexpr std::size_t room = 80;

  std::atomic<unsigned> taken{0};
  alignas(std::max_align_t) std::byte bytes[rooms][room];

  void* take() noexcept {
    for (std::size_t i = 0; i != rooms; ++i) {
      unsigned const bit = 1U << i;
      if ((taken.fetch_or(bit, std::memory_order_acquire) & bit) == 0) return bytes[i];
    }
    return nullptr;
  }
  /// False: not ours.
  bool give_back(void* p) noexcept {
    for (std::size_t i = 0; i != rooms; ++i) {
      if (p != bytes[i]) continue;
      taken.fetch_and(~(1U << i), std::memory_order_release);
      return true;
    }
    return false;
  }
};

/// The associated allocator of that work.
template <class T = void>
struct asio_storage_allocator {
  using value_type = T;
  asio_storage* storage;

  explicit asio_storage_allocator(asio_storage* s) noexcept : storage(s) {}
  template <class U>
  asio_storage_allocator(asio_storage_allocator<U> const& o) noexcept : storage(o.storage) {}

  T* allocate(std::size_t n) const {
    std::size_t const bytes = n * sizeof(T);
    if (bytes <= asio_storage::room && alignof(T) <= alignof(std::max_align_t)) {
      if (void* const p = storage->take()) return static_cast<T*>(p);
    }
    return static_cast<T*>(::operator new(bytes));
  }
  void deallocate(T* p, std::size_t) const noexcept {
    if (!storage->give_back(p)) ::operator delete(p);
  }
  friend bool operator==(asio_storage_allocator const& a, asio_storage_allocator const& b) noexcept { return a.storage == b.storage; }
};

/// Work that says where it wants to be stored.
template <class Work>
struct asio_stored_work {
  Work work;
  asio_storage* storage;

  using allocator_type = asio_storage_allocator<>;
  allocator_type get_allocator() const noexcept { return allocator_type(storage); }
  void operator()() { work(); }
};

/// An executor of Asio's kind: one that belongs to an execution context. (Anything with execute() and == passes for an
/// executor with Asio's own trait, ours included.)
template <class Ex>
concept asio_executor = ::asio::execution::is_executor<Ex>::value && ::asio::can_query<Ex const&, ::asio::execution::context_t>::value;

/// A type-erased executor has no place for our allocator: it brings its own. A strand takes memory for itself from the
/// allocator of what it is given, and when its context goes down keeps it longer than that work lives.
template <class Ex>
concept asio_concrete_executor =
    asio_executor<Ex> && !asio_is_strand<Ex> && ::asio::can_prefer<Ex, ::asio::execution::allocator_t<asio_storage_allocator<>>>::value &&
    !std::is_same_v<
        std::decay_t<decltype(::asio::prefer(std::declval<Ex const&>(), ::asio::execution::allocator(asio_storage_allocator<>(nullptr))))>,
        Ex>;

}  // namespace detail

/// Posting never runs user code inside the settling call; where the thread is the executor's own already, dispatch does.
/// With a concrete executor posting allocates nothing: the work lives in the operation's state.
template <class Ex>
  requires detail::asio_executor<Ex>
struct executor_traits<Ex> {
  /// Asio can store work in our memory: neither type-erased nor a strand.
  static constexpr bool concrete = detail::asio_concrete_executor<Ex>;
  /// Room for two pieces of work in each operation's state.
  static constexpr std::size_t storage_size = concrete ? sizeof(detail::asio_storage) : 0;

  /// Asio's own equality.
  static bool equal(Ex const& a, Ex const& b) noexcept { return a == b; }

  /// Asks the executor; a type-erased one cannot say, so there user code is posted.
  static bool running_in_this_thread(Ex const& ex) noexcept {
    if constexpr (requires {
                    { ex.running_in_this_thread() } -> std::convertible_to<bool>;
                  })
      return ex.running_in_this_thread();
    else return false;
  }

  /// Posts. Throws what asio::post throws: with a concrete executor only for a third piece of work at the same time.
  template <class Work>
  static void submit(Ex const& ex, Work&& work, void* storage) {
    if constexpr (concrete)
      ::asio::post(ex, detail::asio_stored_work<std::decay_t<Work>>{std::forward<Work>(work), static_cast<detail::asio_storage*>(storage)});
    else ::asio::post(ex, std::forward<Work>(work));
  }

  /// Puts the room in order.
  static void construct_storage(void* at) noexcept {
    if constexpr (concrete) ::new (at) detail::asio_storage;
  }

  /// Steady timers of the context.
  static asio_timers<Ex> timers(Ex const& ex) noexcept { return asio_timers<Ex>(ex); }
};

}  // namespace settle::inline v0

#endif
