// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_HTTP2_DETAIL_LOOP_EXECUTOR_HPP
#define SETTLE_HTTP2_DETAIL_LOOP_EXECUTOR_HPP

// IWYU pragma: private, include <settle/http2/server.hpp>

#include <utility>

#include <asio/any_io_executor.hpp>
#include <asio/post.hpp>

namespace settle::inline v0::http2::detail {

/// Any Asio executor without its type, that still knows whether this thread is inside it: user code of a request then
/// runs where it is settled instead of being posted.
class loop_executor {
 public:
  /// Stands for none; nothing can be run on it.
  loop_executor() noexcept : here_(&is_here<int>) {}
  template <class Ex>
  explicit loop_executor(Ex ex) : any_(std::move(ex)), here_(&is_here<Ex>) {}

  /// Always posts; f is move-only and called at most once.
  template <class F>
  void execute(F&& f) const {
    asio::post(any_, std::forward<F>(f));
  }

  bool running_in_this_thread() const noexcept { return here_(any_); }
  bool operator==(loop_executor const& o) const noexcept { return any_ == o.any_; }

  /// Runs f here and now when this thread is inside, else posts it.
  template <class F>
  void run(F&& f) const {
    if (running_in_this_thread()) std::forward<F>(f)();
    else execute(std::forward<F>(f));
  }

  asio::any_io_executor const& any() const noexcept { return any_; }

 private:
  template <class Ex>
  static bool is_here(asio::any_io_executor const& any) noexcept {
    if constexpr (requires(Ex const& ex) { ex.running_in_this_thread(); }) {
      auto const* const ex = any.template target<Ex>();
      return ex != nullptr && ex->running_in_this_thread();
    } else {
      static_cast<void>(any);
      return false;
    }
  }

  asio::any_io_executor any_;
  bool (*here_)(asio::any_io_executor const&);
};

}  // namespace settle::inline v0::http2::detail

#endif
