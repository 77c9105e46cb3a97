// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_HTTP2_DETAIL_HANDLER_HPP
#define SETTLE_HTTP2_DETAIL_HANDLER_HPP

// IWYU pragma: private, include <settle/http2/server.hpp>

#include <concepts>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "../../handle.hpp"
#include "../responder.hpp"
#include "session_parts.hpp"

namespace settle::inline v0::http2::detail {

/// (request&) -> handle_of<response>
template <class H>
concept answers_later = requires(H& h, request& q) {
  { h(q) } -> std::convertible_to<handle_of<response>>;
};
/// (request&) -> response
template <class H>
concept answers_now = !answers_later<H> && requires(H& h, request& q) {
  { h(q) } -> std::convertible_to<response>;
};
/// (request&, responder) -> handle_of<void>
template <class H>
concept takes_duty = requires(H& h, request& q, responder r) {
  { h(q, std::move(r)) } -> std::convertible_to<handle_of<void>>;
};

/// A user's handler in one of its three forms. An exception, a failure or a cancellation of it is an answer like any other.
template <class H>
class handler final : public any_handler {
  static_assert(answers_later<H> || answers_now<H> || takes_duty<H>,
                "settle: an HTTP/2 handler is (request&) -> response, (request&) -> handle_of<response>, "
                "or (request&, responder) -> handle_of<void>");

 public:
  explicit handler(H h) : handler_(std::move(h)) {}

  void call(stream& s) noexcept override {
    try {
      if constexpr (answers_now<H>) answered(s, handler_(s.req));
      else if constexpr (answers_later<H>) follow(s, handle_of<response>(handler_(s.req)));
      else follow(s, handle_of<void>(handler_(s.req, responder(s.req.op().pin(), s))));
    } catch (...) {
      session::handler_ended(s, error(std::current_exception()), 500);
    }
  }

 private:
  static void answered(stream& s, response&& r) noexcept {
    session::answer(s, std::move(r), session::body_kind::whole);
    session::handler_ended(s, std::nullopt, 0);
  }

  /// What the handler returned is the request's child: cancelled with it, released before its arena goes back.
  template <class T>
  static void follow(stream& s, handle_of<T> h) {
    if constexpr (std::is_same_v<T, response>) {
      if (!h) return session::handler_ended(s, error(errc::no_memory), 500);  // what an empty handle reads as
    } else {
      if (!h) return session::handler_ended(s, std::nullopt, 0);
    }
    s.req.op().adopt(h);
    std::move(h).on_done([keep = s.req.op().pin(), &s](outcome<T>&& how) mutable {
      s.home.executor.run([keep = std::move(keep), &s, how = std::move(how)]() mutable { ended(s, std::move(how)); });
    });
  }

  template <class T>
  static void ended(stream& s, outcome<T>&& how) noexcept {
    if (how.has_error()) return session::handler_ended(s, how.error(), 500);
    if (!how) return session::handler_ended(s, error(std::make_error_code(std::errc::operation_canceled)), 503);
    if constexpr (std::is_same_v<T, response>) answered(s, std::move(how).value());
    else session::handler_ended(s, std::nullopt, 0);
  }

  H handler_;
};

}  // namespace settle::inline v0::http2::detail

#endif
