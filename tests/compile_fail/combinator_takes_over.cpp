// SPDX-License-Identifier: BSL-1.0
// A combinator takes a handle over: an lvalue does not compile, and the compiler says what to write.
// expect: a combinator takes a handle over: say `std::move\(h\)`, or `h.watch\(\)`
#include <settle/settle.hpp>

#include <utility>

settle::handle_of<int> plus_one(settle::handle_of<int>& h) {
  auto f = [](int v) { return v + 1; };
#ifdef SETTLE_REJECT
  return settle::then(h, f);
#else
  return settle::then(std::move(h), f);
#endif
}
