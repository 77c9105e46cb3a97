// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_UV_DETAIL_OPEN_HANDLE_HPP
#define SETTLE_UV_DETAIL_OPEN_HANDLE_HPP

// IWYU pragma: private, include <settle/uv/own_uv.hpp>

#include <uv.h>

#include <memory>
#include <utility>

#include "../../handle.hpp"
#include "../../resolver.hpp"
#include "../loop_executor.hpp"

namespace settle::inline v0::uv::detail {

/// One of libuv's handles while it is open, owned by the operation "it is open": cancelling that closes it, on the loop, and
/// its release, with which the memory goes, waits for the close callback.
template <class H>
struct open_handle final : H {
  using resolver_type = resolver_of<void, error, loop_executor>;

  resolver_type is_open;
  std::shared_ptr<loop_core> core;

  open_handle(resolver_type&& r, std::shared_ptr<loop_core> c) noexcept : H{}, is_open(std::move(r)), core(std::move(c)) {}

  uv_handle_t* base() noexcept { return reinterpret_cast<uv_handle_t*>(static_cast<H*>(this)); }

  void close() noexcept { uv_close(base(), &closed); }
  /// It is closed, or was never opened.
  void end() noexcept {
    std::shared_ptr<loop_core> const keep = core;
    keep->inside([this] {
      resolver_type last = std::move(is_open);
      last.complete();  // with which this goes
    });
  }

  /// It could not be initialised. Some handles are on their loop all the same, and want to be closed.
  void give_up() noexcept {
    if (is_on_its_loop()) close();
    else end();
  }

 private:
  static void closed(uv_handle_t* h) { static_cast<open_handle*>(reinterpret_cast<H*>(h))->end(); }
  bool is_on_its_loop() noexcept {
    struct search {
      uv_handle_t* wanted;
      bool found;
    } s{base(), false};
    uv_walk(
        &core->loop(),
        [](uv_handle_t* h, void* at) {
          auto& looking = *static_cast<search*>(at);
          looking.found = looking.found || h == looking.wanted;
        },
        &s);
    return s.found;
  }
};

}  // namespace settle::inline v0::uv::detail

#endif
