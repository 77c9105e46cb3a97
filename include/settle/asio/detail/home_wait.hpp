// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_ASIO_DETAIL_HOME_WAIT_HPP
#define SETTLE_ASIO_DETAIL_HOME_WAIT_HPP

#include <utility>

#include "../../detail/state_access.hpp"
#include "../../handle.hpp"
#include "../../operation.hpp"
#include "delivery.hpp"

namespace settle::inline v0::detail {

/// A wait whose handler names no executor: user code of the operation, called where that one's runs. Owns the handle.
template <class P, class As, class Handler>
class asio_home_wait {
 public:
  /// Throws std::bad_alloc, the handle being dropped.
  static void begin(Handler&& handler, handle<P>&& h) {
    state_access::start(h);
    operation const op = h;
    asio_connect_slot(handler, op);
    asio_home_wait w(std::move(handler), std::move(h));
    if (op) op.on_released(std::move(w));
    else w();
  }

  void operator()() {
    auto out = asio_take(handle_);
    asio_clear_slot(handler_);
    As::deliver(handler_, *out);
  }

 private:
  asio_home_wait(Handler&& handler, handle<P>&& h) : handler_(std::move(handler)), handle_(std::move(h)) {}

  Handler handler_;
  handle<P> handle_;
};

}  // namespace settle::inline v0::detail

#endif
