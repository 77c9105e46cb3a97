// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_SIMULATION_ALLOCATOR_HPP
#define SETTLE_TESTING_SIMULATION_ALLOCATOR_HPP

#include <cstddef>
#include <limits>
#include <new>

#include "../../detail/exceptions.hpp"
#include "core.hpp"

namespace settle::inline v0::testing {

/// An allocator of a simulation, for a policy's `allocator_type`: fails when the fault plan says so, and the simulation
/// knows how much is out. Must not be used after its simulation. Threads: the simulation's.
///
/// ```cpp
/// struct job : settle::default_policy {
///   using executor_type = settle::testing::simulation::executor;
///   using allocator_type = settle::testing::simulation::allocator;
/// };
/// settle::resolver<job> r(std::allocator_arg, sim.get_allocator(), sim.get_executor());
/// ```
template <class T = std::byte>
class sim_allocator {
 public:
  /// What the allocator requirements ask for.
  using value_type = T;

  /// Of the same simulation, for another type.
  template <class U>
  // NOLINTNEXTLINE(google-explicit-constructor): rebinding converts, as the allocator requirements ask
  sim_allocator(sim_allocator<U> const& o) noexcept : core_(o.core_) {}

  /// Null when the fault plan says so, or there is no memory.
  void* try_allocate(std::size_t bytes, std::size_t align) noexcept {
    if (core_->faults.next_allocation_fails()) {
      core_->write({sim_event::no_memory, 0, 0, core_->since_begin()});
      return nullptr;
    }
    void* const p = ::operator new(bytes, std::align_val_t(align), std::nothrow);
    core_->bytes += p == nullptr ? 0 : bytes;
    return p;
  }
  /// Counted back.
  void deallocate(void* p, std::size_t bytes, std::size_t align) noexcept {
    core_->bytes -= bytes;
    ::operator delete(p, std::align_val_t(align));
  }

  /// The same for containers.
  T* allocate(std::size_t n) {
    if (n > std::numeric_limits<std::size_t>::max() / sizeof(T)) settle::detail::raise(std::bad_array_new_length());
    void* const p = try_allocate(n * sizeof(T), alignof(T));
    if (p == nullptr) settle::detail::raise(std::bad_alloc());
    return static_cast<T*>(p);
  }
  /// The same for containers.
  void deallocate(T* p, std::size_t n) noexcept { deallocate(static_cast<void*>(p), n * sizeof(T), alignof(T)); }

  template <class U>
  friend bool operator==(sim_allocator const& a, sim_allocator<U> const& b) noexcept {
    return a.core_ == b.core_;
  }

 private:
  friend class simulation;
  template <class>
  friend class sim_allocator;
  explicit sim_allocator(sim_detail::sim_core& c) noexcept : core_(&c) {}

  sim_detail::sim_core* core_;
};

}  // namespace settle::inline v0::testing

#endif
