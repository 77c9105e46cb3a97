// SPDX-License-Identifier: BSL-1.0
// A49: a reference into an operation is for those who hold it, a resolver or a pin.
// expect: handle_owner
#include <settle/uv/uv.hpp>

void open(settle::operation& op, settle::pin& held, settle::uv::loop_executor const& ex) {
#ifdef SETTLE_REJECT
  auto& owner = op;
#else
  auto& owner = held;
#endif
  uv_tcp_t& socket = settle::uv::own_uv(owner, ex, uv_tcp_init);
  socket.data = op.is_settled() ? &held : nullptr;
}
