// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_UV_LOOP_HPP
#define SETTLE_UV_LOOP_HPP

#include <uv.h>

#include <memory>
#include <system_error>

#include "../detail/exceptions.hpp"
#include "detail/loop_core.hpp"
#include "error_code.hpp"
#include "loop_executor.hpp"

namespace settle::inline v0::uv {

/// settle's place on a libuv loop, which stays yours: makes the loop an executor with timers.
///
/// Ownership: has three handles on the loop. The destructor closes them, and their memory goes in their close callbacks: let
/// the loop run once more before `uv_loop_close`, as with every handle. What is queued then runs inside the destructor as
/// lost (G13), timers are lost, and executors that are left over take nothing any more.
///
/// It keeps `uv_run` from returning while something is queued and while timers are started, as the loop's thread knows it;
/// other threads' work also keeps `run` from returning, but not a plain `uv_run` that has nothing else to do. So call `run`;
/// it also lets callbacks of libuv's own know that they are at home, and user code runs in them without being posted.
///
/// Threads: make it before the loop runs, or on its thread; destroy it there, also from inside a callback. The executor is for
/// any thread. Cost: one block.
///
/// ```cpp
/// settle::uv::loop loop(uv_default_loop());
/// settle::sleep(loop.get_executor(), 100ms).on_done([] { retry(); });
/// loop.run();
/// ```
class loop {
 public:
  /// Throws std::bad_alloc, and std::system_error when libuv cannot wake its loop (no descriptors left).
  explicit loop(uv_loop_t* l) : core_(std::make_shared<detail::loop_core>(*l)) {
    if (int const status = core_->open(core_); status < 0)
      settle::detail::raise(std::system_error(error_code(status), "settle: uv_async_init"));
  }
  loop(loop&&) = delete;
  ~loop() { core_->close(); }

  /// The executor.
  loop_executor get_executor() const noexcept { return loop_executor(core_); }
  /// `uv_run`, with what it yields. UV_RUN_DEFAULT returns when nothing is left to do, or after uv_stop.
  int run(uv_run_mode mode = UV_RUN_DEFAULT) noexcept {
    std::shared_ptr<detail::loop_core> const keep = core_;  // a callback may destroy this
    return keep->run(mode);
  }

 private:
  std::shared_ptr<detail::loop_core> core_;
};

}  // namespace settle::inline v0::uv

#endif
