// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_ASIO_DETAIL_COMPLETION_HPP
#define SETTLE_ASIO_DETAIL_COMPLETION_HPP

#include <asio/cancellation_signal.hpp>
#include <asio/error.hpp>
#if __has_include(<asio/experimental/channel_error.hpp>)
#include <asio/experimental/channel_error.hpp>
#endif
#include <exception>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>

#include "../../detail/exceptions.hpp"
#include "../../detail/thrown.hpp"
#include "../../resolver.hpp"
#include "handle_token.hpp"
#include "in_flight.hpp"

namespace settle::inline v0::detail {

/// The arguments of a completion without its error: nothing, a value, or a tuple of them.
template <class... A>
struct asio_values {
  using type = std::tuple<std::decay_t<A>...>;
};
template <>
struct asio_values<> {
  using type = void;
};
template <class A>
struct asio_values<A> {
  using type = std::decay_t<A>;
};
template <class... A>
struct asio_values<std::error_code, A...> : asio_values<A...> {};
template <class... A>
struct asio_values<std::exception_ptr, A...> : asio_values<A...> {};
template <>
struct asio_values<std::error_code> : asio_values<> {};
template <>
struct asio_values<std::exception_ptr> : asio_values<> {};

/// What an operation of these completion signatures yields.
template <class First, class... More>
struct asio_yield {
  using type = typename asio_yield<First>::type;
  static_assert((std::is_same_v<type, typename asio_yield<More>::type> && ...),
                "settle: use_handle makes one handle, so every completion signature of the operation has to carry the same values "
                "beside its error (see docs/guide/asio.md)");
};
template <class R, class... A>
struct asio_yield<R(A...)> : asio_values<A...> {};

/// How Asio spells "stopped because somebody asked".
inline bool asio_says_stopped(std::error_code const& ec) noexcept {
#if __has_include(<asio/experimental/channel_error.hpp>)
  if (ec == ::asio::experimental::error::channel_cancelled) return true;
#endif
  return ec == ::asio::error::operation_aborted;
}

/// The resolver behind a completion. An error that says "stopped" after a request acknowledges it, with the cause that was
/// asked for.
template <class P>
struct asio_settling {
  using T = typename P::value_type;
  using E = typename P::error_type;
  static_assert(std::is_constructible_v<E, std::error_code>,
                "settle: use_handle_t<E> wants an E that is made from a std::error_code (see docs/guide/asio.md)");

  template <class... A>
  static void end(resolver<P>& r, std::error_code ec, A&&... values) noexcept {
    if (!ec) return complete(r, std::forward<A>(values)...);
    if (asio_says_stopped(ec) && r.op().cancel_requested()) r.cancel();
    else r.fail(E(ec));
  }
  template <class... A>
  static void end(resolver<P>& r, std::exception_ptr p, A&&... values) noexcept {
    if (p == nullptr) return complete(r, std::forward<A>(values)...);
    if (asio_says_stopped(settle::error(p).code()) && r.op().cancel_requested()) r.cancel();
    else end_thrown(r, std::move(p));
  }
  template <class... A>
  static void end(resolver<P>& r, A&&... values) noexcept {
    complete(r, std::forward<A>(values)...);
  }

 private:
  template <class... A>
  static void complete(resolver<P>& r, A&&... values) noexcept {
    guarded(
        [&] {
          if constexpr (std::is_void_v<T>) r.complete();
          else r.complete(T(std::forward<A>(values)...));
        },
        [&](std::exception_ptr p) { end_thrown(r, std::move(p)); });
  }
};

template <class Ex>
struct asio_bound_executor {
  using executor_type = Ex;
  Ex executor;
  executor_type get_executor() const noexcept { return executor; }
};
template <>
struct asio_bound_executor<asio_unbound> {
  asio_unbound executor;
};
template <class A>
struct asio_bound_allocator {
  using allocator_type = A;
  A allocator;
  allocator_type get_allocator() const noexcept { return allocator; }
};
template <>
struct asio_bound_allocator<asio_unbound> {
  asio_unbound allocator;
};

/// The completion handler: the producer's end of a handle. Destroyed without having run it is gone unsettled.
template <class P, class Ex, class A, class S>
class asio_completion : public asio_bound_executor<Ex>, public asio_bound_allocator<A> {
 public:
  using cancellation_slot_type = ::asio::cancellation_slot;

  asio_completion(resolver<P>&& r, asio_in_flight& flight, Ex ex, A a, S slot)
      : asio_bound_executor<Ex>{std::move(ex)},
        asio_bound_allocator<A>{std::move(a)},
        resolver_(std::move(r)),
        flight_(&flight),
        slot_(std::move(slot)) {}
  asio_completion(asio_completion&&) = default;
  ~asio_completion() {
    if (resolver_) flight_->over();
  }

  cancellation_slot_type get_cancellation_slot() const noexcept { return flight_->slot(); }

  template <class... Args>
  void operator()(Args&&... args) {
    flight_->over();
    if constexpr (!std::is_same_v<S, asio_unbound>)
      if (flight_->has_slot()) slot_.clear();
    resolver<P> r = std::move(resolver_);
    asio_settling<P>::end(r, std::forward<Args>(args)...);
  }

 private:
  resolver<P> resolver_;
  asio_in_flight* flight_;
  [[no_unique_address]] S slot_;
};

}  // namespace settle::inline v0::detail

#endif
