// SPDX-License-Identifier: BSL-1.0
// A49: the closer of another kind of resource is found out here and not when it is called.
// expect: no match(ing function)? for call to
#include <settle/settle.hpp>

#include <utility>

struct socket_number {
  int number;
};
struct timer_number {
  int number;
};

void give(settle::resolver_of<int>& r, socket_number socket) {
#ifdef SETTLE_REJECT
  r.own(socket, [](timer_number) noexcept {});
#else
  r.own(socket, [](socket_number) noexcept {});
#endif
}
