// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_ASIO_DETAIL_DELIVERY_HPP
#define SETTLE_ASIO_DETAIL_DELIVERY_HPP

#include <asio/associated_allocator.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/cancellation_type.hpp>
#include <asio/error.hpp>
#include <concepts>
#include <exception>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>

#include "../../detail/exceptions.hpp"
#include "../../detail/state_access.hpp"
#include "../../detail/thrown.hpp"
#include "../../errc.hpp"
#include "../../handle.hpp"
#include "../../outcome.hpp"

namespace settle::inline v0::detail {

/// What a released operation of policy P yielded. A value whose move throws is a failure.
template <class P>
auto asio_take(handle<P>& h) noexcept {
  using result = outcome<typename P::value_type, typename P::error_type>;
  std::optional<result> out;
  guarded([&] { out.emplace(state_access::take(h)); }, [&](std::exception_ptr p) { out.emplace(result(error_from<P>(std::move(p)))); });
  return out;
}

/// async_wait: the handler gets the outcome.
template <class P>
struct asio_as_outcome {
  using result = outcome<typename P::value_type, typename P::error_type>;
  using signature = void(result);

  template <class Handler>
  static void deliver(Handler& handler, result& out) {
    std::move(handler)(std::move(out));
  }
};

template <class E>
concept has_code = std::convertible_to<E const&, std::error_code> || requires(E const& e) {
  { e.code() } -> std::convertible_to<std::error_code>;
};

/// async_get: the handler gets an error and a value. An error type without a code travels as an exception.
template <class P>
struct asio_as_value {
  using T = typename P::value_type;
  using E = typename P::error_type;
  using result = outcome<T, E>;
  using error_type = std::conditional_t<has_code<E>, std::error_code, std::exception_ptr>;
  using signature = typename std::conditional_t<std::is_void_v<T>, std::type_identity<void(error_type)>,
                                                std::type_identity<void(error_type, lift<T>)>>::type;

  template <class Handler>
  static void deliver(Handler& handler, result& out) {
    error_type const error = error_of(out);
    if constexpr (std::is_void_v<T>) std::move(handler)(error);
    else if (out.has_value()) std::move(handler)(error, std::move(out).value());
    else std::move(handler)(error, T());
  }

 private:
  static error_type error_of(result const& out) {
    if (out.has_value()) return {};
    if (!out.has_error()) return spelt(out.cancel().by_deadline() ? make_error_code(errc::timed_out) : aborted());
    if constexpr (!has_code<E>) return std::make_exception_ptr(out.error());
    else if constexpr (std::convertible_to<E const&, std::error_code>) return out.error();
    else return out.error().code();
  }
  static std::error_code aborted() noexcept { return ::asio::error::operation_aborted; }
  static error_type spelt(std::error_code code) {
    if constexpr (has_code<E>) return code;
    else return std::make_exception_ptr(std::system_error(code));
  }
};

/// A cancellation slot that goes with a handler: whatever is emitted asks the operation to cancel. May throw std::bad_alloc.
template <class Handler>
void asio_connect_slot(Handler const& handler, operation const& op) {
  auto slot = ::asio::get_associated_cancellation_slot(handler);
  if (slot.is_connected()) slot.assign([op](::asio::cancellation_type) { op.request_cancel(); });
}
/// The operation has ended; on the handler's executor.
template <class Handler>
void asio_clear_slot(Handler const& handler) {
  auto slot = ::asio::get_associated_cancellation_slot(handler);
  if (slot.is_connected()) slot.clear();
}

/// The call of a handler, ready to be posted.
template <class As, class Handler>
class asio_delivery {
 public:
  using result = typename As::result;
  using allocator_type = typename ::asio::associated_allocator<Handler>::type;

  asio_delivery(Handler&& h, result&& out) : handler_(std::move(h)), out_(std::move(out)) {}

  allocator_type get_allocator() const noexcept { return ::asio::get_associated_allocator(handler_); }
  void operator()() {
    asio_clear_slot(handler_);
    As::deliver(handler_, out_);
  }

 private:
  Handler handler_;
  result out_;
};

}  // namespace settle::inline v0::detail

#endif
