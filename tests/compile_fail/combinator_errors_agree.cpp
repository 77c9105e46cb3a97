// SPDX-License-Identifier: BSL-1.0
// Inputs with different error types need a mapper.
// expect: the inputs of a combinator have different error types: map them to one
#include <settle/settle.hpp>

#include <utility>

struct other {
  other(settle::errc) noexcept {}
  other(std::error_code) noexcept {}
};

auto both(settle::handle_of<int> a, settle::handle_of<int, other> b) {
#ifdef SETTLE_REJECT
  return settle::all(std::move(a), std::move(b));
#else
  return settle::all(std::move(a), settle::or_else(std::move(b), [](other const&) { return settle::failed<int>(settle::errc::closed); }));
#endif
}
