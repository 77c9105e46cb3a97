// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_ASIO_DETAIL_HOME_WAIT_HPP
#define SETTLE_ASIO_DETAIL_HOME_WAIT_HPP

#include <asio/associated_allocator.hpp>
#include <memory>
#include <optional>
#include <utility>

#include "../../handle.hpp"
#include "../../pin.hpp"
#include "delivery.hpp"

namespace settle::inline v0::detail {

/// A wait whose handler names no executor: user code of the operation, called where that one's runs.
template <class P, class As, class Handler>
class asio_home_wait {
  using result = typename As::result;

 public:
  /// Throws std::bad_alloc, nothing being started; the handle is dropped then.
  static void begin(Handler&& handler, handle<P>&& h) {
    auto w = std::allocate_shared<asio_home_wait>(::asio::get_associated_allocator(handler), std::move(handler));
    operation const op = h;
    asio_connect_slot(w->handler_, op);
    if (pin const unreleased = op.pin()) {
      // The value is stored when it is settled: a handle kept in a hook of its own operation would keep that alive.
      std::move(h).on_done([w](result&& out) { w->out_.emplace(std::move(out)); });
      op.on_released([w] { w->deliver(); });
    } else if (op) {
      op.on_released([w, own = std::move(h)]() mutable {
        w->out_ = asio_take(own);
        w->deliver();
      });
    } else {
      w->out_ = asio_take(h);
      w->deliver();
    }
  }

  explicit asio_home_wait(Handler&& h) : handler_(std::move(h)) {}

 private:
  void deliver() {
    asio_clear_slot(handler_);
    As::deliver(handler_, *out_);
  }

  Handler handler_;
  std::optional<result> out_;
};

}  // namespace settle::inline v0::detail

#endif
