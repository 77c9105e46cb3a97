// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_ASIO_DETAIL_HANDLE_RESULT_HPP
#define SETTLE_ASIO_DETAIL_HANDLE_RESULT_HPP

#include <asio/associated_executor.hpp>
#include <asio/cancellation_type.hpp>
#include <exception>
#include <type_traits>
#include <utility>

#include "../../detail/exceptions.hpp"
#include "../../detail/state_access.hpp"
#include "../../handle.hpp"
#include "../../initiate.hpp"
#include "../../pin.hpp"
#include "../../resolver.hpp"
#include "../executor.hpp"
#include "completion.hpp"
#include "handle_token.hpp"
#include "in_flight.hpp"

namespace settle::inline v0::detail {

/// Where the operation lives: on the executor that was bound, else on the initiation's, which is the I/O object's. An
/// initiation that names none: wherever its handler is called.
template <class Request, class Init>
auto asio_home_of(Request const& request, Init const& init) {
  if constexpr (!std::is_same_v<decltype(request.executor), asio_unbound>) {
    return request.executor;
  } else {
    using found = ::asio::associated_executor<Init, asio_unbound>;
    if constexpr (std::is_same_v<typename found::type, asio_unbound>) return inline_executor();
    else return typename found::type(found::get(init));
  }
}

/// A slot of the user's asks the operation to cancel, and passes on how.
struct asio_slot_request {
  operation op;
  asio_in_flight* flight;

  asio_slot_request(operation o, asio_in_flight& f) noexcept : op(std::move(o)), flight(&f) {}
  asio_slot_request(asio_slot_request&&) = delete;
  ~asio_slot_request() {
    if (pin const alive = op.pin()) flight->leave_slot();
  }

  void operator()(::asio::cancellation_type type) const {
    if (pin const alive = op.pin()) {
      flight->type(type);
      op.request_cancel();
    }
  }
};

/// async_result of a token that asks for a handle.
template <class Token, class... Signatures>
class handle_result {
  using request_type = decltype(handle_token<Token>::read(std::declval<Token const&>()));
  using T = typename asio_yield<Signatures...>::type;
  using E = typename request_type::error_type;

 public:
  using return_type = handle_of<T, E>;

  template <class Init, class RawToken, class... Args>
  static return_type initiate(Init&& init, RawToken&& token, Args&&... args) {
    request_type request = handle_token<Token>::read(token);
    using executor = decltype(asio_home_of(request, init));
    using policy = plain<T, E, executor>;
    executor const home = asio_home_of(request, init);
    resolver<policy> r = request.parent ? resolver<policy>(request.parent, home, request.where) : resolver<policy>(home, request.where);
    handle<policy> h = r.get_handle();
    asio_in_flight* const flight = prepare(r, request);
    if (flight == nullptr) {
      r.fail(policy::make_error(errc::no_memory));
      return h;
    }
    pin const alive = h.pin();  // what the handler ends on another thread stays until we are through
    initiation<policy> duty(r, h);
    std::exception_ptr thrown;
    guarded(
        [&] {
          std::forward<Init>(init)(
              asio_completion<policy, decltype(request.executor), decltype(request.allocator), decltype(request.slot)>(
                  std::move(r), *flight, std::move(request.executor), std::move(request.allocator), std::move(request.slot)),
              std::forward<Args>(args)...);
        },
        [&](std::exception_ptr p) { thrown = std::move(p); });
    duty.end(std::move(thrown));
    if (flight->initiated()) observe(h, *flight);
    return h;
  }

 private:
  /// Everything that may fail, before anything is started. Null: no memory.
  template <class P>
  static asio_in_flight* prepare(resolver<P>& r, request_type& request) noexcept {
    operation const op = r.op();
    auto* flight = r.template try_own<asio_in_flight>(*state_access::get(op), request.type);
    if (flight == nullptr) return nullptr;
    bool ready = observe(op, *flight);
    if constexpr (!std::is_same_v<decltype(request.slot), asio_unbound>) {
      if (request.slot.is_connected())
        guarded(
            [&] {
              request.slot.template emplace<asio_slot_request>(op, *flight);
              flight->enter_slot();
            },
            [&](std::exception_ptr const&) { ready = false; });
    }
    return ready ? flight : nullptr;
  }

  /// False: no memory. The second time, when somebody asked while it was started, that leaves an operation that is asked to
  /// cancel and runs to its end all the same.
  static bool observe(operation const& op, asio_in_flight& flight) noexcept {
    bool ready = true;
    guarded([&] { static_cast<void>(op.on_cancel([at = &flight] { at->asked(); })); }, [&](std::exception_ptr const&) { ready = false; });
    return ready;
  }
};

}  // namespace settle::inline v0::detail

#endif
