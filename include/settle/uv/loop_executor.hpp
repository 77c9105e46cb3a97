// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_UV_LOOP_EXECUTOR_HPP
#define SETTLE_UV_LOOP_EXECUTOR_HPP

#include <memory>
#include <utility>

#include "../policy/executor.hpp"
#include "detail/loop_core.hpp"

namespace settle::inline v0::uv {

namespace detail {
struct loop_access;
}

/// A libuv loop as an operation's executor and timer service; what `loop::get_executor` yields. Posting allocates nothing,
/// and starting a timer neither.
///
/// Ownership: shares what stands behind the loop, so it may outlive it; what is posted then is lost, as G13 says. Threads:
/// every member, from any. User code runs on the loop's thread. Cost: posting is one atomic operation, and from another thread
/// a write to wake the loop when it was the first; copying is an atomic increment. Operations of `cas_terminal` only.
///
/// ```cpp
/// settle::uv::loop loop(uv_default_loop());
/// settle::resolver_of<int, settle::error, settle::uv::loop_executor> r(loop.get_executor());
/// ```
class loop_executor {
 public:
  /// Takes the node; it runs in the next iteration of the loop, or is dropped here when the loop is gone.
  void submit(work_node& n) const noexcept { core_->submit(n); }
  /// This thread is inside `loop::run`, or in something that this executor runs.
  bool running_in_this_thread() const noexcept { return core_->is_here(); }
  /// Timers of the steady clock, to the millisecond, never early.
  timer_wheel& timers() const noexcept { return core_->wheel(); }
  /// libuv's loop. It may be gone when settle's is.
  uv_loop_t* native() const noexcept { return &core_->loop(); }
  /// Of the same settle::uv::loop.
  bool operator==(loop_executor const&) const noexcept = default;

 private:
  friend class loop;
  friend struct detail::loop_access;
  explicit loop_executor(std::shared_ptr<detail::loop_core> c) noexcept : core_(std::move(c)) {}

  std::shared_ptr<detail::loop_core> core_;
};

namespace detail {

struct loop_access {
  static std::shared_ptr<loop_core> const& core(loop_executor const& ex) noexcept { return ex.core_; }
};

}  // namespace detail
}  // namespace settle::inline v0::uv

#endif
