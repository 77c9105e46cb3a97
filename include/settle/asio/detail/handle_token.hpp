// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_ASIO_DETAIL_HANDLE_TOKEN_HPP
#define SETTLE_ASIO_DETAIL_HANDLE_TOKEN_HPP

#include <asio/bind_allocator.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/bind_executor.hpp>
#include <asio/cancellation_type.hpp>
#include <concepts>
#include <source_location>
#include <utility>

#include "../../operation.hpp"

namespace settle::inline v0::detail {

/// Nothing was bound.
struct asio_unbound {};

/// What a completion token asks for: use_handle's own part, and what was bound around it. The outermost binder wins.
template <class E, class Ex = asio_unbound, class A = asio_unbound, class S = asio_unbound>
struct handle_request {
  using error_type = E;

  operation parent;
  ::asio::cancellation_type type;
  std::source_location where;
  Ex executor;
  A allocator;
  S slot;
};

/// Reads a token that asks for a handle. Not defined for others.
template <class Token>
struct handle_token;

template <class Token>
concept asks_for_handle = requires(Token const& t) { handle_token<Token>::read(t); };

template <asks_for_handle T, class Ex>
struct handle_token<::asio::executor_binder<T, Ex>> {
  static auto read(::asio::executor_binder<T, Ex> const& b) {
    auto r = handle_token<T>::read(b.get());
    using inner = decltype(r);
    return handle_request<typename inner::error_type, Ex, decltype(r.allocator), decltype(r.slot)>{
        std::move(r.parent), r.type, r.where, b.get_executor(), std::move(r.allocator), std::move(r.slot)};
  }
};

template <asks_for_handle T, class A>
struct handle_token<::asio::allocator_binder<T, A>> {
  static auto read(::asio::allocator_binder<T, A> const& b) {
    auto r = handle_token<T>::read(b.get());
    using inner = decltype(r);
    return handle_request<typename inner::error_type, decltype(r.executor), A, decltype(r.slot)>{
        std::move(r.parent), r.type, r.where, std::move(r.executor), b.get_allocator(), std::move(r.slot)};
  }
};

template <asks_for_handle T, class S>
struct handle_token<::asio::cancellation_slot_binder<T, S>> {
  static auto read(::asio::cancellation_slot_binder<T, S> const& b) {
    auto r = handle_token<T>::read(b.get());
    using inner = decltype(r);
    return handle_request<typename inner::error_type, decltype(r.executor), decltype(r.allocator), S>{
        std::move(r.parent), r.type, r.where, std::move(r.executor), std::move(r.allocator), b.get_cancellation_slot()};
  }
};

}  // namespace settle::inline v0::detail

#endif
