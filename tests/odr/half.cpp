// SPDX-License-Identifier: BSL-1.0
// Built several times with different settings; HALF is the name of the one function each gives to the program.
#include "half.hpp"

#include <memory>
#include <utility>

namespace {

settle::handle<odr_policy> make(settle::resolver<odr_policy>& out) {
  settle::resolver<odr_policy> r;
  auto h = r.get_handle();
  out = std::move(r);
  return h;
}

bool finish(settle::resolver<odr_policy>& r, int value) { return r.complete(value); }

int seen(settle::handle<odr_policy> const& h) {
  auto const result = std::make_shared<int>(-1);  // the observer of a pending operation runs later
  h.on_done([result](auto const& outcome) {
    if (outcome.has_value()) *result = outcome.value();
  });
  return *result;
}

}  // namespace

odr_half HALF() {
  return {{sizeof(settle::handle<odr_policy>), sizeof(settle::resolver<odr_policy>), sizeof(settle::outcome<int>)}, make, finish, seen};
}
