// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_ODR_EXCEPTIONS_HPP
#define SETTLE_TESTS_ODR_EXCEPTIONS_HPP

#include <cstddef>
#include <settle/settle.hpp>
#include <utility>

// What a unit with exceptions and one without both instantiate: one policy, one outcome, one allocator.
struct moody_memory {
  static inline bool is_empty = false;
  void* try_allocate(std::size_t n, std::size_t) noexcept { return is_empty ? nullptr : ::operator new(n, std::nothrow); }
  void deallocate(void* p, std::size_t, std::size_t) noexcept { ::operator delete(p); }
};
struct both : settle::default_policy {
  using value_type = int;
  using allocator_type = moody_memory;
  using error_sink = settle::ignore_sink;
};

/// Uses everything that throws in one of them; what it does is compiled into the unit that asks.
inline int use_everything(settle::error const& e) {
  settle::resolver<both> r;
  auto h = r.get_handle();
  h.on_done([] {});
  r.complete(41);
  settle::outcome<int> o = std::move(h).wait();
  settle::outcome<int> const& c = o;
  return o.value() + c.value() + std::move(o).value() + (e.code() ? 1 : 0);
}

int without_exceptions(settle::error const& e);

#endif
