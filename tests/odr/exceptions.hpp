// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_ODR_EXCEPTIONS_HPP
#define SETTLE_TESTS_ODR_EXCEPTIONS_HPP

#include <cstddef>
#include <settle/settle.hpp>
#include <utility>
#include <vector>

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

/// Its moves are defined where there are exceptions: one of them throws.
struct moody_value {
  static inline int moves_before_it_throws = -1;
  moody_value() noexcept = default;
  moody_value(moody_value&&);
};

/// Each passes such a value on, by a combinator that was given a function of this unit's.
namespace {
template <class Try>
void pass_on(Try by) {
  using settle::ready;
  by([](auto v) { return settle::or_else(std::move(v), [](settle::error const&) { return moody_value(); }); });
  by([](auto v) { return settle::then(ready(1), [w = std::move(v)](int) mutable { return std::move(w); }); });
  by([](auto v) { return settle::finally(std::move(v), [] {}); });
  by([](auto v) { return settle::retry(settle::backoff::none(1), [w = std::move(v)](unsigned) mutable { return std::move(w); }); });
  by([](auto v) { return settle::map_concurrent(std::vector{1}, 1, [w = std::move(v)](int) mutable { return std::move(w); }); });
  by([](auto v) { return settle::bracket([w = std::move(v)]() mutable { return std::move(w); }, [](moody_value&) { return 1; }, [] {}); });
}
}  // namespace
int values_without_exceptions();

#endif
