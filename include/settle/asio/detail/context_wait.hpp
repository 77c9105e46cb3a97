// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_ASIO_DETAIL_CONTEXT_WAIT_HPP
#define SETTLE_ASIO_DETAIL_CONTEXT_WAIT_HPP

#include <asio/associated_allocator.hpp>
#include <asio/associated_executor.hpp>
#include <asio/execution/context.hpp>
#include <asio/execution/outstanding_work.hpp>
#include <asio/execution_context.hpp>
#include <asio/post.hpp>
#include <asio/prefer.hpp>
#include <asio/query.hpp>
#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "../../detail/exceptions.hpp"
#include "../../detail/state_access.hpp"
#include "../../handle.hpp"
#include "../../policy/monitor.hpp"
#include "delivery.hpp"
#include "handle_token.hpp"
#include "pending_waits.hpp"

namespace settle::inline v0::detail {

template <class Handler>
using asio_executor_of = typename ::asio::associated_executor<Handler, asio_unbound>::type;

/// A wait whose handler names its executor: outstanding work there, posted there when what it waits for is released, lost
/// with that executor's context. Owns the handle.
template <class P, class As, class Handler>
class asio_context_wait final : asio_pending_wait {
  using executor = asio_executor_of<Handler>;
  using work = std::decay_t<decltype(::asio::prefer(std::declval<executor const&>(), ::asio::execution::outstanding_work_t::tracked_t()))>;
  using allocator =
      typename std::allocator_traits<typename ::asio::associated_allocator<Handler>::type>::template rebind_alloc<asio_context_wait>;
  using allocator_traits = std::allocator_traits<allocator>;

 public:
  /// Throws std::bad_alloc, nothing being started; the handle is dropped then.
  static void begin(Handler&& handler, handle<P>&& h) {
    allocator a(::asio::get_associated_allocator(handler));
    auto* const at = allocator_traits::allocate(a, 1);
    asio_context_wait* const w =
        with_undo([&] { return ::new (static_cast<void*>(at)) asio_context_wait(std::move(handler), std::move(h), a); },
                  [&] { allocator_traits::deallocate(a, at, 1); });
    w->start();
  }
  ~asio_context_wait() = default;

 private:
  enum class phase : std::uint8_t { wiring, wired, due };

  asio_context_wait(Handler&& handler, handle<P>&& h, allocator const& a)
      : handler_(std::move(handler)), handle_(std::move(h)), allocator_(a), work_(tracked(handler_)), waits_(waits_of(handler_)) {}
  static work tracked(Handler const& h) {
    return ::asio::prefer(::asio::associated_executor<Handler, asio_unbound>::get(h), ::asio::execution::outstanding_work_t::tracked_t());
  }
  static asio_pending_waits* waits_of(Handler const& h) {
    if constexpr (::asio::can_query<executor const&, ::asio::execution::context_t>::value) {
      executor const ex = ::asio::associated_executor<Handler, asio_unbound>::get(h);
      return &::asio::use_service<asio_pending_waits>(
          static_cast<::asio::execution_context&>(::asio::query(ex, ::asio::execution::context)));
    } else {
      return nullptr;  // an erased executor that does not tell its context
    }
  }

  void start() {
    if (waits_ != nullptr) waits_->add(*this);
    with_undo(
        [&] {
          asio_connect_slot(handler_, handle_);
          released_ = static_cast<operation const&>(handle_).on_released([this] { due(); });
        },
        [&] { end(); });
    state_access::start(handle_);
    if (!handle_ || phase_.exchange(phase::wired) == phase::due) complete();
  }

  /// Released. Never completes inside the initiating function.
  void due() noexcept {
    if (phase_.exchange(phase::due) == phase::wired) complete();
  }

  void complete() noexcept {
    operation const op = handle_;
    auto out = asio_take(handle_);
    guarded([&] { ::asio::post(work_, asio_delivery<As, Handler>(std::move(handler_), std::move(*out))); },
            [&](std::exception_ptr p) {
              if (op)
                state_access::get(op)->report(std::move(p), monitor_event::executor_lost, "a handler's executor refused its completion");
            });
    end();
  }

  void lost() noexcept override { destroy(); }

  /// The context may be gone right after this.
  void end() noexcept {
    if (waits_ != nullptr) waits_->remove(*this, [this] { destroy(); });
    else destroy();
  }
  void destroy() noexcept {
    allocator a = std::move(allocator_);
    std::destroy_at(this);
    allocator_traits::deallocate(a, this, 1);
  }

  Handler handler_;
  handle<P> handle_;
  [[no_unique_address]] allocator allocator_;
  work work_;
  asio_pending_waits* waits_;
  std::atomic<phase> phase_{phase::wiring};
};

}  // namespace settle::inline v0::detail

#endif
