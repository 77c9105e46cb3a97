// SPDX-License-Identifier: BSL-1.0
// A49: who does not hold an operation's cleanups back gets no reference to what it owns.
// expect: cannot bind non-const lvalue reference|non-const lvalue reference to type .* cannot bind
#include <settle/settle.hpp>

void use(settle::operation const& op, settle::pin& held) {
#ifdef SETTLE_REJECT
  int& resource = op.own(1);
#else
  int& resource = held.own(1);
#endif
  resource += op.is_settled() ? 1 : 2;
}
