// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_UV_OWN_UV_HPP
#define SETTLE_UV_OWN_UV_HPP

#include <uv.h>

#include <concepts>
#include <new>
#include <system_error>
#include <utility>

#include "../detail/exceptions.hpp"
#include "../handle.hpp"
#include "detail/open_handle.hpp"
#include "error_code.hpp"
#include "loop_executor.hpp"

namespace settle::inline v0::uv {

namespace detail {

/// A resolver or a pin: what they are given stays valid while they live.
template <class Owner>
concept handle_owner = requires(Owner& o) {
  { o.own(0) } -> std::same_as<int&>;
};

/// A new open handle in the operation that says so; `open` owns that.
template <class H>
open_handle<H>& make_open_handle(loop_executor const& ex, handle_of<void>& open) {
  typename open_handle<H>::resolver_type r(ex);
  auto* const h = r.template try_own<open_handle<H>>(std::move(r), loop_access::core(ex));
  if (h == nullptr) settle::detail::raise(std::bad_alloc());
  settle::detail::with_undo([&] { h->is_open.on_cancel([h] { h->close(); }); }, [&] { h->end(); });
  open = h->is_open.get_handle();
  return *h;
}

}  // namespace detail

/// Opens a handle of libuv's with `init(loop, handle, args...)` (uv_tcp_init, uv_pipe_init, uv_poll_init, uv_spawn, ...) and
/// gives it to `owner`'s operation, with the closer of its type: uv_close, on the loop's thread, and the memory goes when the
/// close callback has run. Nothing else may close it.
///
/// It is an asynchronous cleanup: the operation is released when the handle is closed, and what was registered before is given
/// back after that. libuv's callbacks for what was under way (with UV_ECANCELED) come before. `data` is yours.
///
/// Ownership: `owner` is a resolver or a pin; the reference is good while it lives. Its executor may be any; opening happens
/// here, so call it on the loop's thread. When settle's loop is gone, the handle is closed on the thread that releases.
/// Throws std::system_error with what `init` refused, std::bad_alloc; nothing is left open then. Cost: four blocks, none to close.
///
/// ```cpp
/// settle::uv::loop loop(uv_default_loop());
/// settle::resolver_of<int> producer;
/// uv_tcp_t& socket = settle::uv::own_uv(producer, loop.get_executor(), uv_tcp_init);
/// ```
template <detail::handle_owner Owner, class H, class... P, class... A>
H& own_uv(Owner& owner, loop_executor const& ex, int (*init)(uv_loop_t*, H*, P...), A... args) {
  static_assert(requires(H& h) { h.close_cb; }, "settle: own_uv takes an init function of a uv handle, `int(uv_loop_t*, uv_..._t*, ...)`");
  handle_of<void> open;
  detail::open_handle<H>& h = detail::make_open_handle<H>(ex, open);
  if (int const status = init(ex.native(), &h, args...); status < 0) {
    std::move(open).detach();
    h.give_up();
    settle::detail::raise(std::system_error(error_code(status), "settle: own_uv"));
  }
  auto close = [open = std::move(open)]() mutable -> handle_of<void> {
    open.request_cancel();
    return std::move(open);
  };
  if (!owner.on_cleanup(std::move(close))) settle::detail::raise(std::bad_alloc());
  return h;
}

}  // namespace settle::inline v0::uv

#endif
